//! Which outcome a recorded answer fits, as far as a normalised answer can tell.

use serde_json::Value;

use crate::record::ObservedRecord;
use crate::scenario::model::{Outcome, Start};

/// A normalised answer, taken apart again.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) model_calls: u32,
    content_type: String,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Empty,
    Json(Value),
    Text(String),
    /// Only named: it varies, was too long, or is no text.
    Named,
}

impl Answer {
    /// Takes apart what [`crate::observe::observe`] puts together.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("body: ")?;
        let line = |name: &str| {
            let mut lines = head.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        let (kind, rest) = body.split_once('\n')?;
        let lines = rest.lines().map(|line| line.strip_prefix("  "));
        let inner: Option<Vec<&str>> = lines.collect();
        let inner = inner?.join("\n");
        let body = match kind {
            "empty" => Body::Empty,
            "json" => Body::Json(serde_json::from_str(&inner).ok()?),
            "text" => Body::Text(inner),
            _ => Body::Named,
        };
        Some(Self {
            status: line("status")?.parse().ok()?,
            model_calls: line("model-calls")?.parse().ok()?,
            content_type: line("content-type").unwrap_or_default().to_owned(),
            body,
        })
    }

    /// What a pointer leads to; `Err` where the answer only names it.
    fn part(&self, pointer: &str) -> Result<Option<&Value>, ()> {
        let root = match &self.body {
            Body::Json(json) => json,
            Body::Named => return Err(()),
            Body::Empty | Body::Text(_) => return Ok(None),
        };
        let mut ends: Vec<usize> = pointer.match_indices('/').map(|(at, _)| at).collect();
        ends.push(pointer.len());
        for end in ends {
            match root.pointer(&pointer[..end]) {
                Some(Value::String(text)) if is_placeholder(text) => return Err(()),
                Some(_) => {}
                None => return Ok(None),
            }
        }
        Ok(root.pointer(pointer))
    }

    /// Whether a field of the body is what the record says it is; `None` where the answer only names it.
    pub(super) fn has_field(&self, pointer: &str, recorded: Option<&str>) -> Option<bool> {
        let seen = self.part(pointer).ok()?.and_then(Value::as_str);
        match (seen, recorded) {
            (Some(seen), Some(recorded)) => match recorded.strip_suffix("...") {
                Some(cut) => Some(seen == recorded || seen.starts_with(cut)),
                None => Some(seen == recorded),
            },
            (seen, recorded) => Some(seen == recorded),
        }
    }

    /// Whether an outcome fits; `None` where the answer only names what it asks about.
    pub(super) fn fits(&self, outcome: &Outcome, observed: &ObservedRecord) -> Option<bool> {
        let agrees =
            |wanted: &Option<String>, seen: &Option<String>| wanted.is_none() || wanted == seen;
        let certain = outcome.start.is_none()
            && outcome.status == Some(self.status)
            && outcome.model_calls == self.model_calls
            && agrees(&outcome.error_type, &observed.error_type)
            && agrees(&outcome.message, &observed.message)
            && outcome
                .content_type
                .as_ref()
                .is_none_or(|kind| self.content_type.starts_with(kind.as_str()));
        if !certain {
            return Some(false);
        }
        let empty = match &self.body {
            Body::Named => None,
            body => Some(matches!(body, Body::Empty)),
        };
        let mut checks = Vec::new();
        if outcome.empty {
            checks.push(empty);
        }
        if let Some(words) = &outcome.message_has {
            checks.push(self.says(words, observed));
        }
        for pointer in &outcome.without {
            checks.push(self.part(pointer).ok().map(|part| part.is_none()));
        }
        for (pointer, value) in &outcome.json {
            checks.push(self.part(pointer).ok().map(|part| part == Some(value)));
        }
        match checks {
            checks if checks.contains(&Some(false)) => Some(false),
            checks if checks.contains(&None) => None,
            _ => Some(true),
        }
    }

    fn says(&self, words: &str, observed: &ObservedRecord) -> Option<bool> {
        if let Some(message) = &observed.message {
            return Some(message.contains(words));
        }
        match &self.body {
            Body::Empty => Some(words.is_empty()),
            Body::Text(text) => Some(text.contains(words)),
            Body::Json(json) => {
                let pretty = serde_json::to_string_pretty(json).unwrap_or_default();
                Some(pretty.contains(words) || json.to_string().contains(words))
            }
            Body::Named => None,
        }
    }
}

/// Whether an outcome about a start fits; `log` is what the gateway wrote.
pub(super) fn start_fits(outcome: &Outcome, start: Start, answer: &str, log: &str) -> bool {
    let said = |words: &String| {
        start == Start::Refused
            && (log.contains(words.as_str()) || answer.contains(&format!("\nsays: {words}\n")))
    };
    outcome.start == Some(start) && outcome.message_has.as_ref().is_none_or(said)
}

/// Whether a text stands for another.
fn is_placeholder(text: &str) -> bool {
    ["[varies]", "[id]", "[unix-time]", "[count]", "[canary]"].contains(&text)
        || text.contains("[secret:")
}
