//! How a release fared, told apart with its cause: everything is read off its record.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use record::judge::Proof;
use record::{GatewayRecord, Record};

/// How a release fared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// In one word.
    pub kind: StateKind,
    /// RerunReason it did not simply run; a release that ran may have launches that failed.
    pub reason: Option<String>,
    /// What was done so that it runs.
    pub workarounds: Vec<String>,
}

/// How a release fared, in one word.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum StateKind {
    /// It was asked.
    Ran,
    /// It starts, and nothing that is asked of it reaches a model: as published it is broken.
    Broken,
    /// No launch of it got ready.
    CannotStart,
    /// It could not be had.
    CannotInstall,
}

impl StateKind {
    /// The word that files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ran => "ran",
            Self::Broken => "broken",
            Self::CannotStart => "cannot-start",
            Self::CannotInstall => "cannot-install",
        }
    }

    /// What to say of the release.
    pub fn words(self) -> &'static str {
        match self {
            Self::Ran => "ran",
            Self::Broken => "ran, but is broken",
            Self::CannotStart => "could not be started",
            Self::CannotInstall => "could not be installed",
        }
    }
}

impl State {
    /// How the one gateway of a record fared.
    pub fn of(record: &Record) -> Self {
        let state = |kind, reason| Self {
            kind,
            reason,
            workarounds: Vec::new(),
        };
        let Some(gateway) = record.gateways.first() else {
            let nothing = "the run was over before it was its turn".to_owned();
            return state(StateKind::CannotInstall, Some(nothing));
        };
        if let Some(error) = &gateway.error {
            return state(StateKind::CannotInstall, Some(error.clone()));
        }
        let failures = failures(gateway);
        let up = |ready: Option<u64>| ready.is_some();
        let (kind, reason) =
            if !failures.is_empty() && !gateway.last_launches().any(|launch| up(launch.ready_ms)) {
                (StateKind::CannotStart, Some(failures.join("; ")))
            } else if let Some(broken) = unproven(record, gateway) {
                (StateKind::Broken, Some(broken))
            } else {
                let some = (!failures.is_empty()).then(|| failures.join("; "));
                (StateKind::Ran, some)
            };
        Self {
            kind,
            reason,
            workarounds: gateway.notes.clone(),
        }
    }
}

/// RerunReason launches failed, most frequent first, each once with the number of its profiles.
fn failures(gateway: &GatewayRecord) -> Vec<String> {
    let mut counts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for launch in gateway.last_launches() {
        if let Some(failure) = &launch.failure {
            counts.entry(failure).or_default().push(&launch.profile);
        }
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(failure, profiles)| (std::cmp::Reverse(profiles.len()), *failure));
    let words = counts
        .into_iter()
        .map(|(failure, profiles)| match &profiles[..] {
            [profile] => format!("profile {profile}: {failure}"),
            several => format!("{} profiles: {failure}", several.len()),
        });
    words.collect()
}

/// Launches whose positive control failed, where nothing else that was asked reached a model either.
fn unproven(record: &Record, gateway: &GatewayRecord) -> Option<String> {
    let missing = gateway
        .last_launches()
        .filter(|launch| launch.proof == Some(Proof::Missing))
        .count();
    let reached = record.cells.iter().any(|cell| {
        let observed = cell.observed.as_ref();
        observed.is_some_and(|observed| observed.model_calls > Some(0))
    });
    if missing == 0 || reached {
        return None;
    }
    // What it answers instead says more than that it does not answer.
    let failing = record
        .cells
        .iter()
        .filter_map(|cell| cell.observed.as_ref());
    let seen = failing
        .filter(|observed| observed.status.is_some_and(|status| status >= 500))
        .map(|observed| observed.line());
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    seen.for_each(|line| *lines.entry(line).or_default() += 1);
    let most = lines.into_iter().max_by_key(|(_, count)| *count);
    let most = most.map_or(String::new(), |(line, count)| {
        format!("; {count} cells are answered {line}")
    });
    Some(format!(
        "the positive control reached no model in {missing} launches, nor did anything else{most}"
    ))
}
