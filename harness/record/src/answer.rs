//! The typed answer: what a gateway said to one request or at its start, and whether that fits an outcome.
//!
//! There is one [`fits`](Answer::fits), whether the answer came over the wire ([`mod@crate::observe`]) or is read back from a
//! record ([`Answer::recorded`]), and one place that says what the caller got ([`Answer::grants`]).

use contract::exchange::SERVED_AFTER;
use contract::scenario::model::{Direction, ModelSaw, Outcome, Start};
use contract::scenario::{Headers, Outcomes, Privilege};
use serde_json::Value;

use crate::ObservedRecord;
use crate::headers::{self, Lines};

/// What a gateway said.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// HTTP status; none where no request was sent.
    pub status: Option<u16>,
    /// Whether the gateway started; none where a request was sent.
    pub start: Option<Start>,
    /// The values of its header lines, redacted, by name in small letters; none where it is not known which lines there were.
    pub headers: Option<Lines>,
    /// The exit code of a gateway that refused to start, if it has ended.
    pub exit: Option<i32>,
    /// `Content-Type`; may be empty.
    pub content_type: String,
    /// `error.type` of a JSON body, redacted.
    pub error_type: Option<String>,
    /// `error.message` of a JSON body, redacted and cut.
    pub message: Option<String>,
    /// Calls that reached the model; none where nobody counts them.
    pub model_calls: Option<u32>,
    /// What the model saw of the request, where that is part of the answer.
    pub model_saw: Option<ModelSaw>,
    /// Whether it tells a secret of the launch: then it fits no outcome, and its caller got more than in.
    pub tells_secret: bool,
    /// Whether more came than it: bytes after its end, or an interim answer that nobody asked for. Then it fits no outcome.
    pub surplus: bool,
    /// The body; of a start, what the gateway wrote.
    pub body: Body,
}

/// A body, as far as it is known.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Nothing.
    Empty,
    /// JSON, and its text.
    Json(Value, String),
    /// Text that is no JSON.
    Text(String),
    /// The record only names it: it varies, was too long, or is no text.
    Named,
}

/// How the line of a normalised answer begins that says that it tells a secret.
pub(crate) const TELLS: &str = "tells";
/// How the line begins that names the model which was asked for.
pub(crate) const MODEL: &str = "model";
/// How the line begins that says whether the words of an earlier request came along to the model.
pub(crate) const EARLIER: &str = "earlier-words";
/// That they did.
pub(crate) const CAME_ALONG: &str = "came along";
/// How the line begins that says that more came after the answer's end.
pub(crate) const SURPLUS: &str = "after-the-end";
/// How the line begins that names interim answers that nobody asked for.
pub(crate) const UNASKED: &str = "unasked-interim";
/// What stands for a part of a body that differs from run to run.
pub(crate) const VARIES: &str = "[varies]";
/// How the line begins that says how often the model was called; header lines stand above it.
pub(crate) const CALLS: &str = "model-calls";

impl Body {
    /// A body as it came over the wire.
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::Empty;
        }
        let text = String::from_utf8_lossy(bytes).into_owned();
        match serde_json::from_slice(bytes) {
            Ok(json) => Self::Json(json, text),
            Err(_) => Self::Text(text),
        }
    }

    /// What it is, where it is JSON.
    pub fn json(&self) -> Option<&Value> {
        match self {
            Self::Json(json, _) => Some(json),
            Self::Empty | Self::Text(_) | Self::Named => None,
        }
    }
}

/// Whether a caller got in, as far as status, start and calls to the model show it: calls that reached the model say so, whatever the answer does, and so
/// does `more`: a call that came late, or a secret that was told.
pub fn direction(
    status: Option<u16>,
    start: Option<Start>,
    model_calls: Option<u32>,
    more: bool,
) -> Direction {
    let served = status.is_some_and(|status| (200..300).contains(&status));
    match served || more || model_calls > Some(0) || start == Some(Start::Up) {
        true => Direction::Allow,
        false => Direction::Deny,
    }
}

impl Answer {
    /// The answer that a record holds; `text` is the normalised one, `log` what the gateway wrote, if that is at hand and the
    /// cell is about a start, `headers` what an answer does not say of its header lines; none where not all of them were
    /// known. `None` where the text is not as [`mod@crate::observe`] writes one.
    pub fn recorded(
        observed: &ObservedRecord,
        text: &str,
        log: Option<&str>,
        headers: Option<&Headers>,
    ) -> Option<Self> {
        let line = |name: &str| {
            let mut lines = text.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        let (status, start, model_calls, body) = match line("start") {
            Some("up") => (None, Some(Start::Up), None, Body::Text(String::new())),
            Some("refused") => {
                let said = line("says").unwrap_or_default();
                let body = log.map_or(Body::Named, |log| Body::Text(format!("{log}\n{said}")));
                (None, Some(Start::Refused), None, body)
            }
            Some(_) => return None,
            None => {
                let status = line("status")?.parse().ok()?;
                let calls = match line(CALLS)? {
                    "not counted" => None,
                    calls => Some(calls.parse().ok()?),
                };
                (Some(status), None, calls, body(text)?)
            }
        };
        Some(Self {
            status,
            start,
            headers: headers.map(|headers| headers::read(text, CALLS, headers)),
            exit: line("exit").and_then(|code| code.parse().ok()),
            content_type: line("content-type").unwrap_or_default().to_owned(),
            error_type: observed.error_type.clone(),
            message: observed.message.clone(),
            model_calls,
            model_saw: line(MODEL).map(|model| ModelSaw {
                model: model.to_owned(),
                earlier_words: line(EARLIER) == Some(CAME_ALONG),
            }),
            tells_secret: line(TELLS).is_some(),
            surplus: line(SURPLUS).is_some() || line(UNASKED).is_some(),
            body,
        })
    }

    /// What the caller got: what the outcome says that the answer fits; where it fits none, the most that it shows. `late` says that
    /// the model was called after it.
    pub fn grants(&self, fitting: Option<&Outcome>, late: bool, outcomes: &Outcomes) -> Privilege {
        if let Some(outcome) = fitting {
            return outcome.grants;
        }
        // Whoever knows a secret of the launch can be whoever it likes.
        if self.tells_secret {
            return Privilege::Owner;
        }
        let called = late || self.model_calls > Some(0);
        let calls = called.then_some(Privilege::Write);
        let served = direction(self.status, self.start, None, false);
        let bodies = outcomes.values().filter(|outcome| self.shows(outcome));
        let bodies = bodies.map(|outcome| outcome.grants);
        let connected = self.is_served().then_some(Privilege::Access);
        let shown = bodies.chain(calls).chain(connected).chain([served.into()]);
        shown.max().unwrap_or_default()
    }

    /// Whether a WebSocket client was served: connected without being refused anything then, or answered whatever else it asked for.
    fn is_served(&self) -> bool {
        let answers = self.body.json().and_then(Value::as_object);
        let ok = |answer: &Value| answer.get("ok").and_then(Value::as_bool);
        self.status == Some(101)
            && answers.is_some_and(|answers| {
                let connected = answers.get("connect").and_then(ok) == Some(true);
                let rest = || answers.iter().filter(|(id, _)| *id != "connect");
                let served = rest().any(|(_, answer)| ok(answer) == Some(true));
                let refused = rest().any(|(_, answer)| ok(answer) == Some(false));
                served || connected && !refused
            })
    }

    /// Whether a WebSocket client was served after the gateway had refused to connect it.
    fn is_served_after_all(&self) -> bool {
        let answers = self.body.json().and_then(Value::as_object);
        let mut ids = answers.into_iter().flat_map(serde_json::Map::keys);
        self.status == Some(101) && ids.any(|id| id.ends_with(SERVED_AFTER))
    }

    /// Whether the body is that of an outcome which lets the caller in, whatever is around it. That nothing but access was given is
    /// only believed where status and error say so, too.
    fn shows(&self, outcome: &Outcome) -> bool {
        let says = !outcome.json.is_empty() || outcome.message_has.is_some();
        let asks = match outcome.grants {
            Privilege::None => false,
            Privilege::Access => outcome.status == self.status && self.is_error_of(outcome),
            Privilege::Read | Privilege::Write | Privilege::Admin | Privilege::Owner => says,
        };
        asks && self.start.is_none()
            && outcome.status.is_some()
            && self.body_fits(outcome) == Some(true)
    }

    /// Whether type and message of the error are those that an outcome asks for.
    fn is_error_of(&self, outcome: &Outcome) -> bool {
        let agrees =
            |wanted: &Option<String>, seen: &Option<String>| wanted.is_none() || wanted == seen;
        agrees(&outcome.error_type, &self.error_type) && agrees(&outcome.message, &self.message)
    }

    /// Whether an outcome fits; `None` where the record only names what it asks about.
    pub fn fits(&self, outcome: &Outcome) -> Option<bool> {
        let head = outcome.start == self.start
            && (outcome.exit.is_none() || outcome.exit == self.exit)
            && (self.start.is_some() || outcome.status == self.status)
            && (self.start.is_some()
                || self
                    .model_calls
                    .is_none_or(|calls| calls == outcome.model_calls))
            && outcome.model_saw == self.model_saw
            && !self.is_served_after_all()
            && self.is_error_of(outcome)
            && outcome
                .content_type
                .as_ref()
                .is_none_or(|kind| self.content_type.starts_with(kind.as_str()))
            && (self.start.is_some()
                || self
                    .headers
                    .as_ref()
                    .is_none_or(|headers| outcome.headers.kept_by(headers)));
        if !head || self.tells_secret || self.surplus {
            return Some(false);
        }
        self.body_fits(outcome)
    }

    /// Whether the body is as an outcome asks for; `None` where the record only names what it asks about.
    fn body_fits(&self, outcome: &Outcome) -> Option<bool> {
        let words = outcome.message_has.iter().map(|words| self.says(words));
        let is_empty = match self.body {
            Body::Named => None,
            Body::Empty => Some(true),
            Body::Json(..) | Body::Text(_) => Some(false),
        };
        let empty = outcome.empty.then_some(is_empty);
        let without = outcome.without.iter().map(|pointer| {
            let part = self.part(pointer).ok()?;
            Some(part.is_none())
        });
        let fields = outcome.json.iter().map(|(pointer, value)| {
            let part = self.part(pointer).ok()?;
            Some(part == Some(value))
        });
        let lacks = outcome.lacks.iter().map(|words| self.lacks(words));
        let checks = words.chain(lacks).chain(empty).chain(without).chain(fields);
        let mut all = Some(true);
        for check in checks {
            match check {
                Some(true) => {}
                Some(false) => return Some(false),
                None => all = None,
            }
        }
        all
    }

    /// Whether a field of the body is what the record says it is; `None` where the answer only names it.
    pub fn has_field(&self, pointer: &str, recorded: Option<&str>) -> Option<bool> {
        let seen = self.part(pointer).ok()?.and_then(Value::as_str);
        match (seen, recorded) {
            (Some(seen), Some(recorded)) => match recorded.strip_suffix("...") {
                Some(cut) => Some(seen == recorded || seen.starts_with(cut)),
                None => Some(seen == recorded),
            },
            (seen, recorded) => Some(seen == recorded),
        }
    }

    /// What a pointer leads to; `Err` where the record only names it.
    fn part(&self, pointer: &str) -> Result<Option<&Value>, ()> {
        let root = match &self.body {
            Body::Json(json, _) => json,
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

    /// Whether words are nowhere in the body.
    fn lacks(&self, words: &str) -> Option<bool> {
        match &self.body {
            Body::Empty => Some(true),
            Body::Text(text) | Body::Json(_, text) => Some(!text.contains(words)),
            Body::Named => None,
        }
    }

    fn says(&self, words: &str) -> Option<bool> {
        if let Some(message) = &self.message
            && self.start.is_none()
        {
            return Some(message.contains(words));
        }
        match &self.body {
            Body::Empty => Some(words.is_empty()),
            Body::Text(text) => Some(text.contains(words)),
            Body::Json(json, text) => {
                if text.contains(words) {
                    return Some(true);
                }
                let whole = json.to_string();
                match whole.contains(words) {
                    true => Some(true),
                    // The words may stand in what is only named.
                    false => (!whole.contains(VARIES)).then_some(false),
                }
            }
            Body::Named => None,
        }
    }
}

/// The body of a normalised answer.
pub(crate) fn body(text: &str) -> Option<Body> {
    let (_, body) = text.split_once("body: ")?;
    let (kind, rest) = body.split_once('\n')?;
    let lines: Option<Vec<&str>> = rest.lines().map(|line| line.strip_prefix("  ")).collect();
    let inner = lines?.join("\n");
    Some(match kind {
        "empty" => Body::Empty,
        "json" => Body::Json(serde_json::from_str(&inner).ok()?, inner),
        "text" => Body::Text(inner),
        _ => Body::Named,
    })
}

/// Whether a text stands for another: a name in square brackets, such as `[varies]` or `[device token]`.
fn is_placeholder(text: &str) -> bool {
    let name = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let is_name = |name: &str| {
        let mut bytes = name.bytes();
        !name.is_empty() && bytes.all(|byte| byte.is_ascii_lowercase() || b"- ".contains(&byte))
    };
    name.is_some_and(is_name) || text.contains("[secret:")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("[varies]", true)]
    #[case("[earlier canary]", true)]
    #[case("[device-token]", true)]
    #[case("Bearer [secret:secret]", true)]
    #[case("[]", false)]
    #[case("[1]", false)]
    #[case("as [varies]", false)]
    fn what_stands_for_another_text(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_placeholder(text), expected);
    }
}
