//! The smallest configuration and request that still show a deviation, found by launching the gateway again and again.
//!
//! [`ddmin`] is the search, and knows nothing of gateways; [`minimize`] asks it about the leaves of the configuration, then
//! takes header lines and fields of the body away one at a time.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::Repro;
use crate::launch::{Gateway, LaunchError, LaunchSpec, launch, random_secret};
use crate::observe::{Observation, observe, observe_start};
use crate::redact::Redactor;
use crate::release::{Program, Version};
use crate::request::{Place, Written, fill};
use crate::scenario::model::{Kind, Outcome, Protocol, Start};
use crate::send::{send, websocket};
use crate::upstream::{Upstream, new_canary};

/// Without these a gateway might call somebody or write outside its folder, whatever it answers.
const KEPT: [&str; 5] = [
    "/logging/file",
    "/gateway/bind",
    "/update/checkOnStart",
    "/update/auto/enabled",
    "/discovery/mdns/mode",
];

/// Nothing can be made smaller.
#[derive(Debug, thiserror::Error)]
pub enum MinimizeError {
    /// The cell is a step of a sequence.
    #[error(
        "{0} is a step of a sequence, and its steps belong together: nothing of it can be taken away"
    )]
    Sequence(String),
    /// Nothing deviates.
    #[error("{cell} answers as it must ({seen}): there is no deviation to be kept")]
    Conforms {
        /// The cell.
        cell: String,
        /// What was seen.
        seen: String,
    },
    /// The whole thing cannot even be asked.
    #[error("{cell} could not be asked: {why}")]
    Unasked {
        /// The cell.
        cell: String,
        /// Why.
        why: String,
    },
    /// Somebody pressed Ctrl-C.
    #[error("interrupted")]
    Cancelled,
}

/// Where and how it is tried.
pub struct Bench<'a> {
    /// The gateway that deviates.
    pub program: &'a Program,
    /// One that does not, with the release that it is judged as: the small thing must not deviate there. Without one nobody
    /// knows whether it could.
    pub mended: Option<(&'a Program, &'a Version)>,
    /// The names of answers.
    pub outcomes: Vec<Arc<Outcome>>,
    /// A folder for the launches.
    pub folder: &'a Path,
    /// How long a gateway may take to get ready.
    pub ready_timeout: Duration,
    /// How long a request may take.
    pub timeout: Duration,
    /// Told of what is being tried.
    pub say: &'a (dyn Fn(&str) + Send + Sync),
    /// Stops it.
    pub cancel: &'a CancellationToken,
}

/// What must stay the same.
#[derive(Debug, Clone, PartialEq)]
struct Sight {
    outcome: Option<String>,
    status: Option<u16>,
    start: Option<Start>,
    error_type: Option<String>,
    message: Option<String>,
    model_calls: Option<u32>,
}

impl From<Observation> for Sight {
    fn from(seen: Observation) -> Self {
        Self {
            // Why a gateway does not start is told with paths and places, so only the named reason counts.
            message: seen.message.filter(|_| seen.start.is_none()),
            outcome: seen.outcome,
            status: seen.status,
            start: seen.start,
            error_type: seen.error_type,
            model_calls: seen.model_calls,
        }
    }
}

/// Finds a small reproduction that shows what the whole one shows, and says in [`Repro::removed`] what it took away.
///
/// # Errors
/// A [`MinimizeError`] where there is nothing to be kept or nothing can be asked.
pub async fn minimize(repro: &Repro, bench: &Bench<'_>) -> Result<Repro, MinimizeError> {
    if repro.kind == Kind::Sequence {
        return Err(MinimizeError::Sequence(repro.cell.clone()));
    }
    let trial = Trial { repro, bench };
    let Some(launch) = repro
        .launches
        .iter()
        .find(|launch| launch.range.contains(&repro.release))
    else {
        return Err(trial.unasked("no launch is known".to_owned()));
    };
    let mut small = repro.clone();
    small.launches = vec![launch.clone()];
    small.passes_on = bench.mended.map(|(_, release)| release.clone());
    for other in &repro.launches {
        if other.range != launch.range {
            let why = format!(
                "this script has the minimal configuration of {}",
                repro.release
            );
            small.not_applicable.push((other.range.clone(), why));
        }
    }

    (bench.say)("looking at the whole cell first");
    let whole = trial
        .see(bench.program, &launch.config, &small)
        .await
        .map_err(|why| trial.unasked(why))?;
    let expected = repro.expectation().map(|one| one.outcome.id.as_str());
    if whole.outcome.as_deref() == expected {
        return Err(MinimizeError::Conforms {
            cell: repro.cell.clone(),
            seen: expected.unwrap_or_default().to_owned(),
        });
    }
    let mut sides = vec![(bench.program, Want::Same(whole))];
    if let Some((program, release)) = bench.mended {
        let want = repro
            .expectations
            .iter()
            .find(|one| one.range.contains(release));
        let want = Want::Outcome(want.map(|one| one.outcome.id.clone()));
        let seen = trial.see(program, &launch.config, &small).await;
        match seen {
            Ok(seen) if want.is_met(&seen) => sides.push((program, want)),
            Ok(_) | Err(_) => {
                return Err(trial.unasked(format!("{release} does not answer as it must, either")));
            }
        }
    }

    let mut all = Vec::new();
    leaves(&launch.config, "", &mut all);
    let (kept, free): (Vec<String>, Vec<String>) = all
        .into_iter()
        .partition(|leaf| KEPT.contains(&leaf.as_str()));
    let mut launches = 0;
    let needed = ddmin(&free, async |part: &[String]| {
        if bench.cancel.is_cancelled() {
            return false;
        }
        launches += 1;
        let config = with_leaves(&launch.config, &[part, &kept].concat());
        let same = trial.holds(&sides, &config, &small).await;
        let word = if same { "still shows" } else { "too little" };
        (bench.say)(&format!(
            "try {launches}: {} of {} keys: {word}",
            part.len(),
            free.len()
        ));
        same
    })
    .await;
    trial.check()?;
    let gone = free.iter().filter(|leaf| !needed.contains(leaf));
    small.removed = gone.map(|leaf| leaf[1..].replace('/', ".")).collect();
    small.launches[0].config = with_leaves(&launch.config, &[&needed[..], &kept].concat());
    if !small.steps.is_empty() {
        trial.requests(&mut small, &sides).await?;
    }
    // What was found together is looked at once more by itself.
    if trial.holds(&sides, &small.launches[0].config, &small).await {
        Ok(small)
    } else {
        Err(trial.unasked("the small one answers otherwise on a fresh gateway".to_owned()))
    }
}

/// What a gateway must answer.
enum Want {
    /// The same as the whole cell.
    Same(Sight),
    /// What the rule asks for.
    Outcome(Option<String>),
}

impl Want {
    fn is_met(&self, seen: &Sight) -> bool {
        match self {
            Self::Same(whole) => seen == whole,
            Self::Outcome(outcome) => outcome.is_some() && seen.outcome == *outcome,
        }
    }
}

struct Trial<'a> {
    repro: &'a Repro,
    bench: &'a Bench<'a>,
}

/// A running gateway with what is needed to ask it.
struct Running {
    gateway: Gateway,
    upstream: Upstream,
    secrets: BTreeMap<String, String>,
    /// Removed as soon as this is dropped: releases leave thousands of files, and there are dozens of launches.
    _folder: tempfile::TempDir,
}

impl Trial<'_> {
    fn unasked(&self, why: String) -> MinimizeError {
        if self.bench.cancel.is_cancelled() {
            return MinimizeError::Cancelled;
        }
        MinimizeError::Unasked {
            cell: self.repro.cell.clone(),
            why,
        }
    }

    fn check(&self) -> Result<(), MinimizeError> {
        if self.bench.cancel.is_cancelled() {
            return Err(MinimizeError::Cancelled);
        }
        Ok(())
    }

    fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.bench.outcomes.iter().map(Arc::as_ref)
    }

    /// Whether every gateway answers as it must.
    async fn holds(&self, sides: &[(&Program, Want)], config: &Value, repro: &Repro) -> bool {
        for (program, want) in sides {
            let seen = self.see(program, config, repro).await;
            if !seen.is_ok_and(|seen| want.is_met(&seen)) {
                return false;
            }
        }
        true
    }

    /// Launches a configuration and asks what a reproduction asks.
    async fn see(&self, program: &Program, config: &Value, repro: &Repro) -> Result<Sight, String> {
        let running = match self.start(program, config, repro).await {
            Ok(running) => running,
            Err(LaunchError::Refused {
                reason, said, took, ..
            }) if repro.steps.is_empty() => {
                let seen = observe_start(Start::Refused, &reason, &said, took, self.outcomes());
                return Ok(seen.into());
            }
            Err(error) => return Err(error.to_string()),
        };
        let seen = match repro.steps.last() {
            None => Ok(observe_start(Start::Up, "", "", Duration::ZERO, self.outcomes()).into()),
            Some(step) => self.ask(&running, &step.request, step.protocol).await,
        };
        running.gateway.stop().await;
        seen
    }

    async fn start(
        &self,
        program: &Program,
        config: &Value,
        repro: &Repro,
    ) -> Result<Running, LaunchError> {
        let upstream = Upstream::start().await;
        let secrets: BTreeMap<String, String> = repro
            .secrets
            .iter()
            .map(|name| (name.clone(), random_secret()))
            .collect();
        let how = &repro.launches[0];
        let spec = LaunchSpec {
            profile: "minimal".to_owned(),
            command: program.command.clone(),
            args: program.args.clone(),
            path_dirs: program.path_dirs.clone(),
            profile_args: how.args.clone(),
            env: how.env.clone(),
            config: config.clone(),
            secrets: secrets.clone(),
            upstream_url: upstream.base_url(),
            ready: repro.ready.clone(),
            refusals: repro.refusals.clone(),
            ready_timeout: self.bench.ready_timeout,
            stop_grace: Duration::from_secs(5),
        };
        // A folder of its own for each launch: what one leaves behind is no part of the next.
        let folder =
            tempfile::tempdir_in(self.bench.folder).map_err(|error| LaunchError::Prepare {
                profile: spec.profile.clone(),
                what: "a folder",
                error: error.to_string(),
            })?;
        let gateway = launch(&spec, folder.path(), self.bench.cancel).await?;
        Ok(Running {
            gateway,
            upstream,
            secrets,
            _folder: folder,
        })
    }

    async fn ask(
        &self,
        running: &Running,
        request: &Written,
        protocol: Protocol,
    ) -> Result<Sight, String> {
        let canary = new_canary();
        let address = running.gateway.address();
        let place = Place {
            secrets: &running.secrets,
            canary: &canary,
            port: address.port(),
        };
        let request = fill(request.clone(), &place).map_err(|error| error.to_string())?;
        let timeout = self.bench.timeout;
        let sent = async {
            match protocol {
                Protocol::Http => send(address, request, timeout).await,
                Protocol::Websocket => websocket(address, request, timeout).await,
            }
        };
        let exchange = tokio::select! {
            () = self.bench.cancel.cancelled() => return Err("interrupted".to_owned()),
            sent = sent => sent.map_err(|error| error.to_string())?,
        };
        let calls = running.upstream.calls(&canary);
        let redactor = Redactor::new(&running.secrets);
        Ok(observe(&exchange, calls, &canary, &redactor, self.outcomes()).into())
    }

    /// Takes header lines and fields of the body away, one at a time, on one launch of each gateway.
    async fn requests(
        &self,
        small: &mut Repro,
        sides: &[(&Program, Want)],
    ) -> Result<(), MinimizeError> {
        let config = small.launches[0].config.clone();
        let mut running = Vec::new();
        for (program, want) in sides {
            let gateway = self.start(program, &config, small).await;
            running.push((
                gateway.map_err(|error| self.unasked(error.to_string()))?,
                want,
            ));
        }
        let Some(step) = small.steps.last_mut() else {
            return Ok(());
        };
        for (name, candidate) in candidates(&step.request) {
            // Later candidates must go without what earlier ones have done without.
            let mut smaller = step.request.clone();
            candidate(&mut smaller);
            if smaller == step.request {
                continue;
            }
            let mut same = true;
            for (gateway, want) in &running {
                same = same
                    && self
                        .ask(gateway, &smaller, step.protocol)
                        .await
                        .is_ok_and(|seen| want.is_met(&seen));
            }
            let word = if same { "still shows" } else { "too little" };
            (self.bench.say)(&format!("without {name}: {word}"));
            if same {
                step.request = smaller;
                small.removed.push(name);
            }
        }
        for (running, _) in running {
            running.gateway.stop().await;
        }
        self.check()
    }
}

type Candidate = (String, Box<dyn Fn(&mut Written) + Send>);

/// What can be taken from a request, by name: header lines, then fields of a JSON body that do not hold the canary.
fn candidates(request: &Written) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for line in &request.headers {
        let line = line.clone();
        found.push((
            format!(
                "the header {:?}",
                line.split(':').next().unwrap_or_default()
            ),
            Box::new(move |request| {
                if let Some(at) = request.headers.iter().position(|other| *other == line) {
                    request.headers.remove(at);
                }
            }),
        ));
    }
    let Ok(body) = serde_json::from_str::<Value>(&request.body) else {
        return found;
    };
    let mut fields = Vec::new();
    leaves(&body, "", &mut fields);
    for field in fields {
        let canary = body
            .pointer(&field)
            .is_some_and(|value| value.to_string().contains("${canary}"));
        if canary || !body.is_object() {
            continue;
        }
        found.push((
            format!("{} in the body", field[1..].replace('/', ".")),
            Box::new(move |request| {
                if let Ok(mut body) = serde_json::from_str::<Value>(&request.body) {
                    take_out(&mut body, &field);
                    request.body = body.to_string();
                }
            }),
        ));
    }
    found
}

/// JSON pointers of everything that is no table; an empty table and a list count as one.
fn leaves(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                leaves(value, &format!("{pointer}/{key}"), found);
            }
        }
        _ if pointer.is_empty() => {}
        _ => found.push(pointer.to_owned()),
    }
}

/// A value with only some of its leaves; tables that lose everything are gone.
fn with_leaves(value: &Value, kept: &[String]) -> Value {
    let mut all = Vec::new();
    leaves(value, "", &mut all);
    let mut small = value.clone();
    for leaf in all.iter().filter(|leaf| !kept.contains(leaf)) {
        take_out(&mut small, leaf);
    }
    small
}

/// Takes a leaf out, and the tables that are empty without it.
fn take_out(value: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        return;
    };
    let key = key.replace("~1", "/").replace("~0", "~");
    let Some(Value::Object(table)) = value.pointer_mut(parent) else {
        return;
    };
    table.remove(&key);
    if table.is_empty() {
        take_out(value, parent);
    }
}

/// A small part of the items for which the test still holds; it holds for all of them, and nothing more can be taken from
/// the result alone (delta debugging, after Zeller and Hildebrandt).
pub(crate) async fn ddmin<T: Clone + PartialEq>(
    items: &[T],
    mut holds: impl AsyncFnMut(&[T]) -> bool,
) -> Vec<T> {
    if holds(&[]).await {
        return Vec::new();
    }
    let mut rest = items.to_vec();
    let mut parts = 2;
    while rest.len() >= 2 {
        let size = rest.len().div_ceil(parts);
        let chunks: Vec<Vec<T>> = rest.chunks(size).map(<[T]>::to_vec).collect();
        let mut smaller = None;
        for index in 0..chunks.len() {
            let others: Vec<T> = chunks
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index)
                .flat_map(|(_, chunk)| chunk.clone())
                .collect();
            if holds(&others).await {
                smaller = Some((others, (parts - 1).max(2)));
                break;
            }
        }
        match smaller {
            Some((found, next)) => (rest, parts) = (found, next),
            None if size <= 1 => break,
            None => parts = (parts * 2).min(rest.len()),
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(&[], 1)]
    #[case(&[7], 20)]
    #[case(&[0, 39], 60)]
    #[case(&[3, 4, 5, 20, 31], 120)]
    #[tokio::test]
    async fn finds_exactly_what_is_needed(#[case] needed: &[u32], #[case] at_most: usize) {
        let items: Vec<u32> = (0..40).collect();
        let mut tries = 0;
        let found = ddmin(&items, async |part: &[u32]| {
            tries += 1;
            needed.iter().all(|item| part.contains(item))
        })
        .await;
        assert_eq!(found, needed);
        assert!(tries <= at_most, "{tries} tries");
    }

    #[test]
    fn leaves_come_and_go() {
        let config = json!({ "a": { "b": 1, "c": [1, 2] }, "d/e": { "f": {} }, "g": null });
        let mut found = Vec::new();
        leaves(&config, "", &mut found);
        found.sort();
        assert_eq!(found, ["/a/b", "/a/c", "/d~1e/f", "/g"]);
        let small = with_leaves(&config, &["/a/c".to_owned()]);
        assert_eq!(small, json!({ "a": { "c": [1, 2] } }));
        assert_eq!(with_leaves(&config, &found), config);
        assert_eq!(with_leaves(&config, &[]), json!({}));
    }

    #[test]
    fn the_canary_stays_in_the_body() {
        let request = Written {
            method: "POST".to_owned(),
            target: "/x".to_owned(),
            headers: vec!["A: 1".to_owned(), "A: 2".to_owned()],
            body: r#"{"model":"m","text":"ping ${canary}","more":{"x":1}}"#.to_owned(),
        };
        let names: Vec<String> = candidates(&request)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names.len(), 4, "{names:?}");
        assert!(!names.iter().any(|name| name.contains("text")));
        let mut smaller = request.clone();
        for (_, candidate) in candidates(&request) {
            candidate(&mut smaller);
        }
        assert_eq!(
            (smaller.headers.len(), smaller.body.as_str()),
            (0, r#"{"text":"ping ${canary}"}"#)
        );
    }
}
