//! How severe a finding is, in four steps: by what a caller gets, and by what a denial tells or lacks.

use std::collections::BTreeSet;

use contract::scenario::model::Outcome;
use contract::scenario::{HeaderRule, Outcomes, told};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Deviation, Verdict};
use crate::answer::{self, Body};
use crate::events::Facts;
use crate::headers;
use crate::observe::Observation;
use crate::sameness::shape;

/// How severe a finding is; later is more severe.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The outcome is the right one and only the text of the answer differs; or the files are out of date.
    #[default]
    Cosmetic,
    /// Another reason or another shape: a client that reads more than "in" or "out" notices.
    Shape,
    /// A denial tells more than it should, or lacks what a client needs.
    Severe,
    /// Somebody gets in who must not, or gets more than it may, or is kept out who must get in, or is told a secret.
    Blocker,
}

impl Severity {
    /// The word that files, flags and reports use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cosmetic => "cosmetic",
            Self::Shape => "shape",
            Self::Severe => "severe",
            Self::Blocker => "blocker",
        }
    }

    /// How severe what came of a cell is; `None` where there is nothing to weigh.
    pub fn of(facts: &Facts, outcomes: &Outcomes) -> Option<Self> {
        let (Verdict::Deviates(deviation) | Verdict::Known(deviation)) = &facts.verdict else {
            let is_out_of_date = matches!(facts.verdict, Verdict::Stale | Verdict::New);
            return is_out_of_date.then_some(Self::Cosmetic);
        };
        // More or fewer fields in the answer are another shape, whatever they say.
        let same_shape = facts.difference.as_ref();
        let same_shape = same_shape
            .is_none_or(|difference| shape(&difference.accepted) == shape(&difference.observed));
        let least = Self::of_deviation(*deviation, facts.by_rule() && same_shape);
        let (Some(expected), Some(observed)) = (&facts.expected, &facts.observed) else {
            return Some(least);
        };
        let denial = Denial {
            expected: &expected.outcome,
            accepted: facts.accepted.as_deref(),
            observed,
            outcomes,
        };
        Some(match deviation {
            Deviation::WrongDenial if denial.lacks() || denial.tells_more() => Self::Severe,
            _ => least,
        })
    }

    /// How severe a deviation is at least; `as_ruled` says that the outcome is the one that the rule asks for.
    pub fn of_deviation(deviation: Deviation, as_ruled: bool) -> Self {
        match (deviation, as_ruled) {
            (Deviation::UnexpectedAllow | Deviation::UnexpectedDeny, _) => Self::Blocker,
            (Deviation::WrongDenial | Deviation::WrongBody, false) => Self::Shape,
            (Deviation::WrongDenial | Deviation::WrongBody, true) => Self::Cosmetic,
        }
    }
}

/// A denial that is not the one that was asked for.
struct Denial<'a> {
    expected: &'a Outcome,
    /// The accepted answer, where there is one.
    accepted: Option<&'a str>,
    observed: &'a Observation,
    outcomes: &'a Outcomes,
}

impl Denial<'_> {
    /// Whether a header is gone on which clients act.
    fn lacks(&self) -> bool {
        let Some(accepted) = self.accepted else {
            return false;
        };
        let rules = &self.expected.headers;
        let needed = rules
            .iter()
            .filter(|(_, rule)| **rule == HeaderRule::Needed);
        let lines = |text| headers::read(text, answer::CALLS, rules);
        let (accepted, observed) = (lines(accepted), lines(&self.observed.answer));
        needed
            .map(|(name, _)| name)
            .any(|name| accepted.contains_key(name) && !observed.contains_key(name))
    }

    /// Whether it tells what its rule does not. Nobody knows that where an outcome does not say what it tells.
    fn tells_more(&self) -> bool {
        let Some(may) = &self.expected.tells else {
            return false;
        };
        let other = self.observed.outcome.as_ref();
        let other = other.filter(|id| **id != self.expected.id);
        if let Some(tells) = other.and_then(|id| self.outcomes.get(id)?.tells.as_ref()) {
            return !tells.is_subset(may);
        }
        let words = |text| told(&self.outcomes.tellable, text);
        let before = self.accepted.map(words).unwrap_or_default();
        let now: BTreeSet<&str> = words(&self.observed.answer);
        let new = |name: &&str| !before.contains(name) && !may.contains(*name);
        now.iter().any(new)
            || self
                .accepted
                .is_some_and(|accepted| adds(accepted, &self.observed.answer))
    }
}

/// Whether an answer says all that another one does, and more: a field that is new, or a text that goes on.
fn adds(before: &str, after: &str) -> bool {
    match (answer::body(before), answer::body(after)) {
        (Some(Body::Json(before, _)), Some(Body::Json(after, _))) => adds_json(&before, &after),
        (Some(Body::Text(before)), Some(Body::Text(after))) => goes_on(&before, &after),
        _ => false,
    }
}

fn adds_json(before: &Value, after: &Value) -> bool {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => after.iter().any(|(key, value)| {
            let known = before.get(key);
            known.is_none_or(|known| adds_json(known, value))
        }),
        (Value::Array(before), Value::Array(after)) => {
            after.len() > before.len()
                || after
                    .iter()
                    .zip(before)
                    .any(|(now, then)| adds_json(then, now))
        }
        (Value::String(before), Value::String(after)) => goes_on(before, after),
        _ => false,
    }
}

fn goes_on(before: &str, after: &str) -> bool {
    after.len() > before.len() && after.contains(before.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn answer(body: &str) -> String {
        format!("status: 401\nmodel-calls: 0\nbody: json\n  {body}\n")
    }

    #[rstest]
    #[case::the_same(r#"{"error": "Unauthorized"}"#, false)]
    #[case::other_words(r#"{"error": "Denied"}"#, false)]
    #[case::fewer_words(r#"{"error": "Un"}"#, false)]
    #[case::a_text_that_goes_on(r#"{"error": "Unauthorized: 36 characters"}"#, true)]
    #[case::a_new_field(r#"{"error": "Unauthorized", "length": 36}"#, true)]
    #[case::a_new_field_and_other_words(r#"{"error": "Denied", "length": 36}"#, true)]
    #[case::a_field_less("{}", false)]
    fn what_a_denial_adds(#[case] observed: &str, #[case] adds: bool) {
        let accepted = answer(r#"{"error": "Unauthorized"}"#);
        assert_eq!(super::adds(&accepted, &answer(observed)), adds);
    }

    #[test]
    fn a_text_that_goes_on_tells_more() {
        let text = |body: &str| format!("status: 401\nmodel-calls: 0\nbody: text\n  {body}\n");
        assert!(adds(&text("Unauthorized"), &text("Unauthorized: expired")));
        assert!(!adds(&text("Unauthorized"), &text("Denied")));
        assert!(!adds(&text("Unauthorized"), &answer("{}")));
    }
}
