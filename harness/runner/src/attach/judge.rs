//! Verdicts about a running gateway: on the outcome alone, since nobody counts its calls to the model, and without its
//! operator's data.

use std::sync::Arc;

use super::probe::CATCH_ALL;
use super::{AttachOptions, Capabilities, Choice};
use base::redact::Redactor;
use contract::exchange::Exchange;
use contract::plan::Cell;
use contract::release::Version;
use contract::scenario::{Catalogue, Outcomes};
use record::events::{CellResult, Expected, Facts};
use record::judge::{Severity, Verdict, judge_outcome};
use record::observe::{CANARY, Observation, Reached, observe};

/// What was seen; of a body that may hold the operator's data only that there was one.
pub(super) fn observed(
    exchange: &Exchange,
    canary: &str,
    redactor: &Redactor,
    outcomes: &Outcomes,
) -> Observation {
    let mut seen = observe(
        exchange,
        &Reached::default(),
        &[(canary, CANARY.into())],
        redactor,
        outcomes,
    );
    let refused = matches!(exchange.response.status, 401 | 403 | 405);
    if !refused && let Some(body) = seen.answer.find("\nbody: ") {
        seen.answer.truncate(body);
        seen.answer
            .push_str("\nbody: not kept, it may hold data of the operator\n");
    }
    seen
}

/// One result a cell.
pub(super) fn results(
    catalogue: &Catalogue,
    options: &AttachOptions,
    capabilities: &Capabilities,
    release: &Version,
    choices: &[Choice],
    seen: &[Option<Result<Observation, String>>],
) -> Vec<CellResult> {
    let results = choices.iter().zip(seen).map(|(choice, seen)| {
        let mut facts = Facts::unseen(
            &options.address.reference,
            Expected::of(&choice.cell, release),
            Verdict::CouldNotRun("it was not asked".to_owned()),
        );
        match (&choice.what, seen) {
            (Err(reason), _) => facts.verdict = Verdict::NotApplicable(reason.clone()),
            (Ok(_), Some(Err(reason))) => {
                facts.verdict = Verdict::CouldNotRun(reason.clone());
            }
            // Another release may have something there: only now is it known which release this is.
            (Ok(_), Some(Ok(seen)))
                if capabilities
                    .answers_for(facts.expected.as_ref().map(|says| &*says.outcome), seen) =>
            {
                facts.verdict = Verdict::NotApplicable(CATCH_ALL.to_owned());
            }
            (Ok(_), Some(Ok(seen))) => {
                judge_seen(catalogue, options, release, &choice.cell, &mut facts, seen);
            }
            (Ok(_), None) => {}
        }
        CellResult::new(&choice.cell, facts)
    });
    results.collect()
}

fn judge_seen(
    catalogue: &Catalogue,
    options: &AttachOptions,
    release: &Version,
    cell: &Cell,
    facts: &mut Facts,
    seen: &Observation,
) {
    let Some(expected) = &facts.expected else {
        facts.verdict = Verdict::CouldNotRun(format!("no rule speaks about it on {release}"));
        return;
    };
    // A known issue that does not show is good news about somebody's gateway, not a stale file.
    let issue = options
        .known_issues
        .and_then(|today| cell.known(catalogue, release, today))
        .filter(|(_, outcome)| seen.outcome.as_deref() == Some(outcome.id.as_str()));
    let outcome = issue.map(|(_, outcome)| &**outcome);
    facts.verdict = judge_outcome(&expected.outcome, seen, outcome);
    if let (Verdict::Known(_), Some((issue, _))) = (&facts.verdict, issue) {
        facts.known_issue = Some(Arc::clone(issue));
    }
    facts.observed = Some(seen.clone());
    facts.severity = Severity::of(facts, &catalogue.outcomes);
}
