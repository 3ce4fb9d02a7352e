//! Whether two recorded answers are the same: the one place that says so, in three strengths.
//!
//! Read [`RecordedAnswer`] first. The gate's baseline asks for the same text, a comparison for text and then shape, a
//! bisection for the same outcome.

use std::sync::Arc;

use contract::scenario::Privilege;
use contract::scenario::model::{Direction, Start};
use serde_json::Value;

use crate::ObservedRecord;
use crate::observe::Observation;

/// The line after which a JSON body stands.
const JSON_BODY: &str = "body: json";

/// How much of two answers must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sameness {
    /// The outcome that they fit; status, error type and message where they fit none.
    Outcome,
    /// Also the calls to the model, the header lines, and of a JSON body the keys with the kinds of their values.
    Shape,
    /// The normalised answer, letter by letter.
    Text,
}

/// An answer as a record holds it, with its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordedAnswer {
    /// Name of the outcome, if it fits one.
    pub outcome: Option<String>,
    /// Whether the caller got in.
    pub direction: Direction,
    /// What the caller got; where the answer fits no outcome, at least that.
    pub grants: Privilege,
    /// HTTP status; none where no request was sent.
    pub status: Option<u16>,
    /// Whether the gateway started; none where a request was sent.
    pub start: Option<Start>,
    /// `error.type` of the body.
    pub error_type: Option<String>,
    /// `error.message` of the body, redacted.
    pub message: Option<String>,
    /// Calls that reached the model; none where nobody counts them.
    pub model_calls: Option<u32>,
    /// Whether calls came after the answer.
    pub late_calls: bool,
    /// The normalised, redacted answer; empty where the record does not hold it.
    pub text: Arc<str>,
}

impl RecordedAnswer {
    /// What a record holds about a cell, and the answer that it refers to.
    pub fn of(observed: &ObservedRecord, text: Arc<str>) -> Self {
        Self {
            outcome: observed.outcome.clone(),
            direction: observed.direction.unwrap_or_default(),
            grants: observed.granted(),
            status: observed.status,
            start: observed.start,
            error_type: observed.error_type.clone(),
            message: observed.message.clone(),
            model_calls: observed.model_calls,
            late_calls: observed.late_calls,
            text,
        }
    }

    /// Status, type and message in one line.
    pub fn line(&self) -> String {
        answer_line(
            self.status,
            self.start,
            self.error_type.as_deref(),
            self.message.as_deref(),
        )
    }

    /// Whether another answer is the same.
    pub fn same(&self, other: &Self, strength: Sameness) -> bool {
        let late = self.late_calls == other.late_calls;
        match strength {
            Sameness::Outcome => match (&self.outcome, &other.outcome) {
                (Some(one), Some(two)) => one == two,
                (None, None) => self.said() == other.said(),
                (Some(_), None) | (None, Some(_)) => false,
            },
            Sameness::Shape => {
                let named = |answer: &Self| (answer.status, answer.start, answer.model_calls);
                late && self.outcome == other.outcome
                    && named(self) == named(other)
                    && shape(&self.text) == shape(&other.text)
            }
            // Without a text there is only what was picked out of it.
            Sameness::Text => {
                let calls = self.model_calls == other.model_calls;
                late && self.text == other.text
                    && (!self.text.is_empty() || calls && self.said() == other.said())
            }
        }
    }

    fn said(&self) -> (Option<u16>, Option<Start>, Option<&str>, Option<&str>) {
        let (kind, message) = (self.error_type.as_deref(), self.message.as_deref());
        (self.status, self.start, kind, message)
    }
}

impl From<&Observation> for RecordedAnswer {
    fn from(observed: &Observation) -> Self {
        Self {
            outcome: observed.outcome.clone(),
            direction: observed.direction,
            grants: observed.grants,
            status: observed.status,
            start: observed.start,
            error_type: observed.error_type.clone(),
            message: observed.message.clone(),
            model_calls: observed.model_calls,
            late_calls: observed.late_calls,
            text: observed.answer.as_str().into(),
        }
    }
}

/// Status, type and message in one line.
pub(crate) fn answer_line(
    status: Option<u16>,
    start: Option<Start>,
    error_type: Option<&str>,
    message: Option<&str>,
) -> String {
    let mut line = match (status, start) {
        (Some(status), _) => status.to_string(),
        (None, Some(Start::Up)) => "starts".to_owned(),
        (None, Some(Start::Refused) | None) => "does not start".to_owned(),
    };
    if let Some(kind) = error_type {
        line.push_str(&format!(" {kind}"));
    }
    if let Some(message) = message {
        line.push_str(&format!(": {message}"));
    }
    line
}

/// What is left of a normalised answer when texts and numbers do not count: the lines above the body, and of a JSON body
/// the keys with the kinds of their values.
pub fn shape(answer: &str) -> String {
    let Some((head, body)) = answer.split_once(JSON_BODY) else {
        // Of a body that is text, only that it is text.
        let lines = answer.lines().take_while(|line| !line.starts_with(' '));
        return lines.collect::<Vec<_>>().join("\n");
    };
    match serde_json::from_str::<Value>(body) {
        Ok(mut value) => {
            flatten(&mut value);
            format!("{head}{JSON_BODY}\n{value:#}\n")
        }
        Err(_) => answer.to_owned(),
    }
}

fn flatten(value: &mut Value) {
    match value {
        Value::Null => {}
        Value::Bool(_) => *value = "bool".into(),
        Value::Number(_) => *value = "number".into(),
        Value::String(_) => *value = "text".into(),
        Value::Array(list) => {
            list.iter_mut().for_each(flatten);
            list.dedup();
        }
        Value::Object(map) => map.values_mut().for_each(flatten),
    }
}

#[cfg(test)]
mod tests {
    use super::{RecordedAnswer, Sameness, shape};
    use contract::scenario::model::Direction;

    #[test]
    fn texts_do_not_count_and_keys_do() {
        let a = "status: 403\nbody: json\n  {\"error\": {\"message\": \"x\", \"code\": 1}}\n";
        assert_eq!(
            shape(a),
            shape(&a.replace("\"x\"", "\"y\"").replace(": 1", ": 2"))
        );
        assert_ne!(shape(a), shape(&a.replace("message", "reason")));
        assert_ne!(shape(a), shape(&a.replace(": 1", ": null")));
        assert_ne!(shape(a), shape(&a.replace("403", "401")));
    }

    #[test]
    fn a_text_is_a_text() {
        let a = "status: 404\nbody: text\n  Not Found\n";
        assert_eq!(shape(a), shape("status: 404\nbody: text\n  Gone\n"));
        assert_ne!(shape(a), shape("status: 404\nbody: empty\n"));
    }

    fn answer(outcome: Option<&str>, message: &str) -> RecordedAnswer {
        RecordedAnswer {
            outcome: outcome.map(str::to_owned),
            direction: Direction::Deny,
            grants: contract::scenario::Privilege::None,
            status: Some(403),
            start: None,
            error_type: Some("forbidden".to_owned()),
            message: Some(message.to_owned()),
            model_calls: Some(0),
            late_calls: false,
            text: format!(
                "status: 403\nbody: json\n  {{\"error\": {{\"message\": \"{message}\"}}}}\n"
            )
            .into(),
        }
    }

    /// The strengths in which two answers are the same.
    fn strengths(a: &RecordedAnswer, b: &RecordedAnswer) -> Vec<Sameness> {
        let all = [Sameness::Outcome, Sameness::Shape, Sameness::Text];
        all.into_iter()
            .filter(|strength| a.same(b, *strength))
            .collect()
    }

    #[test]
    fn each_strength_asks_for_more() {
        use Sameness::{Outcome, Shape, Text};
        let a = answer(Some("denied"), "no");
        assert_eq!(strengths(&a, &a), [Outcome, Shape, Text]);
        assert_eq!(
            strengths(&a, &answer(Some("denied"), "never")),
            [Outcome, Shape]
        );
        let keys = RecordedAnswer {
            text: "status: 403\nbody: json\n  {\"reason\": \"no\"}\n".into(),
            ..a.clone()
        };
        assert_eq!(strengths(&a, &keys), [Outcome]);
        // The contract may call the same text another outcome.
        assert_eq!(strengths(&a, &answer(Some("refused"), "no")), [Text]);
    }

    #[test]
    fn without_an_outcome_the_message_decides() {
        let a = answer(None, "no");
        assert!(a.same(&answer(None, "no"), Sameness::Outcome));
        assert!(!a.same(&answer(None, "never"), Sameness::Outcome));
        assert!(!a.same(&answer(Some("denied"), "no"), Sameness::Outcome));
    }

    #[test]
    fn calls_count_where_the_text_does_not_tell() {
        let silent = RecordedAnswer {
            text: "".into(),
            ..answer(None, "no")
        };
        let called = RecordedAnswer {
            model_calls: Some(1),
            ..silent.clone()
        };
        let late = RecordedAnswer {
            late_calls: true,
            ..answer(None, "no")
        };
        assert!(silent.same(&silent.clone(), Sameness::Text));
        assert!(!silent.same(&called, Sameness::Text));
        assert!(!silent.same(&called, Sameness::Shape));
        assert!(!late.same(&answer(None, "no"), Sameness::Text));
    }
}
