//! The first paragraph of the report: what it is, who gets in, what is wrong with it, what to do. Pure.

use std::collections::BTreeMap;

use super::infer::resembles;
use super::{AttachOptions, Capabilities, Likeness, Mode};
use contract::release::Version;
use contract::scenario::model::Direction;
use contract::scenario::{Catalogue, KnownIssue};
use record::events::CellResult;
use record::judge::Verdict;

/// What there is to tell.
pub(super) struct Told<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) options: &'a AttachOptions,
    pub(super) capabilities: &'a Capabilities,
    pub(super) likeness: &'a Likeness,
    pub(super) release: &'a Version,
    pub(super) results: &'a [CellResult],
    /// Cells that were chosen.
    pub(super) asked: usize,
    /// Requests that were sent, those of the probe included.
    pub(super) sent: u32,
}

/// One finding a line.
pub(super) fn summary(told: &Told<'_>) -> Vec<String> {
    let mode = told.capabilities.mode;
    let mut lines = vec![format!("an OpenClaw gateway, {}", mode.words())];
    lines.push(release(told));
    lines.extend(who_gets_in(told));
    lines.extend(issues(told));
    if !told.capabilities.off.is_empty() {
        let off: Vec<&str> = told.capabilities.off.iter().copied().collect();
        lines.push(format!("switched off there: {}", off.join(", ")));
    }
    if told.capabilities.credential_unused {
        lines.push("nobody is asked for the credential that you gave".to_owned());
    }
    if !told.options.address.loopback && told.options.credential.is_some() {
        lines.push(
            "your credential went over the network in plain text, since this is http".to_owned(),
        );
    }
    lines.push(format!(
        "{} requests for {} cells; verdicts are about outcomes: nobody counts calls to its model, so a denial has no further proof",
        told.sent, told.asked
    ));
    lines
}

fn release(told: &Told<'_>) -> String {
    let likeness = told.likeness;
    if likeness.answers == 0 {
        return "no answer tells its release".to_owned();
    }
    let mut line = match (likeness.any, likeness.unlike) {
        (true, _) => {
            "its answers are those of every release, so they do not tell which it is".to_owned()
        }
        (false, 0) => format!("answers like {likeness}"),
        (false, unlike) => format!(
            "answers most like {likeness}, but for {unlike} of {} answers",
            likeness.answers
        ),
    };
    match &told.options.release {
        Some(said) => line.push_str(&format!("; judged as {said}, as you say")),
        None => line.push_str(&format!(
            "; judged as {}, --release VERSION judges as another",
            told.release
        )),
    }
    line
}

/// Whether callers without a credential get in. Probes of life answer everybody, and do not count.
fn who_gets_in(told: &Told<'_>) -> Vec<String> {
    let address = &told.options.address;
    let shows_none = |result: &&CellResult| {
        let mut axes = result.cell.axes();
        axes.any(|(axis, value)| axis == "credential" && value == "absent")
    };
    let got_in = told.results.iter().filter(|result| {
        let seen = result.facts.observed.as_ref();
        seen.is_some_and(|seen| seen.direction == Direction::Allow)
            && result.cell.scenario.id != "probes"
    });
    let without = got_in.clone().filter(shows_none).count();
    let wrong = got_in
        .filter(|result| {
            matches!(
                result.facts.verdict,
                Verdict::Deviates(_) | Verdict::Known(_)
            )
        })
        .filter(|result| {
            let expected = result.facts.expected.as_ref();
            expected.is_some_and(|expected| expected.outcome.id == "unauthorized")
        })
        .count();
    let mut lines = Vec::new();
    if told.capabilities.mode == Mode::None || without > 0 {
        let mut line = "callers without a credential get in".to_owned();
        match address.loopback {
            true => line.push_str(
                ": every program on that machine, and whoever reaches it through a proxy or tunnel",
            ),
            false => {
                line = format!(
                    "OPEN TO THE NETWORK: {line} at {}, which is not loopback; set gateway.auth.mode to token and restart it now",
                    address.socket
                )
            }
        }
        lines.push(line);
    } else {
        lines.push("no caller without a credential got in".to_owned());
    }
    if wrong > 0 {
        lines.push(format!("{wrong} callers got in who show no valid credential: restart it with another release, or take it off the network"));
    }
    lines
}

/// Known issues that it has, and those of other releases that it looks as if it had.
fn issues(told: &Told<'_>) -> Vec<String> {
    let mut affected: BTreeMap<&str, (&KnownIssue, usize)> = BTreeMap::new();
    let mut alike: BTreeMap<&str, (&KnownIssue, usize)> = BTreeMap::new();
    let mut unexplained = 0;
    for result in told.results {
        match (
            &result.facts.verdict,
            &result.facts.known_issue,
            &result.facts.observed,
        ) {
            (Verdict::Known(_), Some(issue), _) => {
                affected.entry(&issue.id).or_insert((issue, 0)).1 += 1;
            }
            (Verdict::Deviates(_), _, Some(seen)) => {
                let found = resembles(told.catalogue, &result.cell, seen);
                unexplained += usize::from(found.is_empty());
                for issue in found {
                    alike.entry(&issue.id).or_insert((issue, 0)).1 += 1;
                }
            }
            _ => {}
        }
    }
    let mut lines = Vec::new();
    for (id, (issue, cells)) in &affected {
        lines.push(format!(
            "affected by {id} ({cells} cells): {} What to do: {}",
            issue.means, issue.workaround
        ));
    }
    for (id, (issue, cells)) in &alike {
        lines.push(format!(
            "{cells} cells deviate as by {id}, an issue of releases {}: {}",
            issue.range(),
            issue.means
        ));
    }
    if unexplained > 0 {
        lines.push(format!("{unexplained} cells deviate as by no known issue"));
    }
    if affected.is_empty() && alike.is_empty() && told.likeness.answers > 0 {
        lines.push("no known issue shows in what was asked".to_owned());
    }
    lines
}
