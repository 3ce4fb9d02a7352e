//! From an exchange to an observation: normalised, redacted, named. Pure.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use crate::answer::{
    Answer, Body, CALLS, CAME_ALONG, EARLIER, MODEL, SURPLUS, TELLS, UNASKED, VARIES,
};
use crate::headers;
use base::redact::Redactor;
use base::secret::{CANARY_DIGITS, CANARY_PREFIX, is_canary_digit};
use contract::exchange::{Exchange, Response};
use contract::scenario::model::{Direction, ModelSaw, Start};
use contract::scenario::{Outcomes, Privilege};

/// Error messages are cut to this many characters in records and reports.
const MAX_MESSAGE: usize = 300;

/// What stands in a normalised answer for the canary of the request.
pub const CANARY: &str = "[canary]";
/// What stands there for the canaries of requests that came before it.
pub const EARLIER_CANARY: &str = "[earlier canary]";

/// What reached the model of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reached {
    /// How often; `None` where nobody counts.
    pub calls: Option<u32>,
    /// What the model saw, where that is part of the answer.
    pub saw: Option<ModelSaw>,
}

/// What a gateway did with one request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observation {
    /// Name of the outcome that the answer fits, if it fits one.
    pub outcome: Option<String>,
    /// Whether the caller got in.
    pub direction: Direction,
    /// What the caller got; where the answer fits no outcome, at least that.
    pub grants: Privilege,
    /// HTTP status; `None` where no request was sent.
    pub status: Option<u16>,
    /// Whether the gateway started; `None` where a request was sent.
    pub start: Option<Start>,
    /// `error.type` of a JSON body.
    pub error_type: Option<String>,
    /// `error.message` of a JSON body, redacted and cut.
    pub message: Option<String>,
    /// Calls that reached the model; `None` where nobody counts them.
    pub model_calls: Option<u32>,
    /// Whether calls came after the answer: it fits no outcome then, whatever it says.
    pub late_calls: bool,
    /// The normalised and redacted answer, as a snapshot holds it.
    pub answer: String,
    /// From connecting to the end of the answer.
    pub took: Duration,
}

impl Observation {
    /// The same answer, after more calls than were known when it came: whatever it says, the caller got in.
    #[must_use]
    pub fn with_late_calls(self, model_calls: u32) -> Self {
        let counted = calls_line(self.model_calls);
        let answer = self
            .answer
            .replacen(&counted, &calls_line(Some(model_calls)), 1);
        Self {
            outcome: None,
            direction: Direction::Allow,
            grants: self.grants.max(Privilege::Write),
            model_calls: Some(model_calls),
            late_calls: true,
            answer,
            ..self
        }
    }

    /// Whether the answer tells a secret of the launch.
    pub fn tells_secret(&self) -> bool {
        let mut lines = self.answer.lines();
        lines.any(|line| line.split_once(": ").is_some_and(|(name, _)| name == TELLS))
    }

    /// Whether the model was sent words of an earlier request, where that was looked at.
    pub fn goes_on_with_earlier_words(&self) -> bool {
        let came = format!("{EARLIER}: {CAME_ALONG}");
        self.answer.lines().any(|line| line == came)
    }

    /// Whether the answer shows words of another request, which no accepted answer does.
    pub fn shows_anothers_words(&self) -> bool {
        let mut parts = self.answer.split(CANARY_PREFIX).skip(1);
        parts.any(|part| {
            let digits = part.bytes().take_while(|byte| is_canary_digit(*byte));
            digits.count() >= CANARY_DIGITS
        })
    }

    /// The outcome's name, or status and error type where it fits none.
    pub fn label(&self) -> String {
        match (&self.outcome, &self.error_type, self.status) {
            (Some(outcome), _, _) => outcome.clone(),
            (None, Some(kind), Some(status)) => format!("{status} {kind}"),
            (None, None, Some(status)) => format!("{status} of another shape"),
            (None, _, None) => match self.start {
                Some(Start::Up) => "starts".to_owned(),
                Some(Start::Refused) | None => "does not start for another reason".to_owned(),
            },
        }
    }
}

/// Observes one exchange.
///
/// `words` are those that this cell alone carried, each with what stands for it in a normalised answer, and `reached` says what
/// reached the model.
pub fn observe(
    exchange: &Exchange,
    reached: &Reached,
    words: &[(&str, Cow<'_, str>)],
    redactor: &Redactor,
    outcomes: &Outcomes,
) -> Observation {
    let model_calls = reached.calls;
    let response = &exchange.response;
    let clean = |text: &str| {
        let mut text = redactor.text(text).into_owned();
        for (word, name) in words {
            text = text.replace(word, name);
        }
        text
    };
    let body = Body::of(&response.body);
    let field = |name: &str| body.json()?.pointer(&format!("/error/{name}"))?.as_str();
    let headers = headers::of(response, &outcomes.headers, &clean);
    let content_type = headers
        .get("content-type")
        .and_then(|lines| lines.first())
        .cloned();
    let header_text = headers::text(&headers, &outcomes.headers, !response.partial);
    let answer = Answer {
        status: Some(response.status),
        start: None,
        exit: None,
        content_type: content_type.unwrap_or_default(),
        headers: (!response.partial).then_some(headers),
        error_type: field("type").map(clean),
        message: field("message").map(|message| cut(&clean(message))),
        model_calls,
        model_saw: reached.saw.clone(),
        tells_secret: tells(response, redactor),
        surplus: response.surplus || !unasked(exchange).is_empty(),
        body,
    };
    let fitting = outcomes.fitting(|outcome| answer.fits(outcome) == Some(true));
    let volatile = fitting.map_or(&[][..], |outcome| &outcome.volatile);
    let text = answer_text(
        exchange,
        &header_text,
        reached,
        answer.tells_secret,
        answer.body.json().cloned(),
        volatile,
        &clean,
    );
    let grants = answer.grants(fitting, false, outcomes);
    Observation {
        direction: grants.direction(),
        grants,
        outcome: fitting.map(|outcome| outcome.id.clone()),
        status: answer.status,
        start: None,
        error_type: answer.error_type,
        message: answer.message,
        model_calls,
        late_calls: false,
        answer: text,
        took: exchange.took,
    }
}

/// The interim answers to a request that asks for none (RFC 9110, section 10.1.1). One that is asked for may be left out.
fn unasked(exchange: &Exchange) -> &[u16] {
    let mut names = exchange.request.headers.iter().map(|line| line.get(..7));
    match names.any(|name| name.is_some_and(|name| name.eq_ignore_ascii_case(b"expect:"))) {
        true => &[],
        false => &exchange.response.interim,
    }
}

/// Whether any part of an answer tells a secret.
pub fn tells(response: &Response, redactor: &Redactor) -> bool {
    // Also one that is spread over several lines.
    let values = response.headers.iter().map(|(_, value)| value.as_slice());
    let values = values.collect::<Vec<_>>().concat();
    let reason = response.reason.as_bytes();
    let parts = [reason, &response.body, &response.aside, &values];
    let mut parts = parts.into_iter();
    parts.any(|part| redactor.tells(&String::from_utf8_lossy(part)))
}

/// Observes a start: `log` is what the gateway wrote, redacted, `reason` the line by which it refused, `exit` its exit code, if
/// it has ended.
pub fn observe_start(
    start: Start,
    exit: Option<i32>,
    reason: &str,
    log: &str,
    took: Duration,
    outcomes: &Outcomes,
) -> Observation {
    let answer = Answer {
        status: None,
        start: Some(start),
        headers: None,
        exit,
        content_type: String::new(),
        error_type: None,
        message: None,
        model_calls: None,
        model_saw: None,
        tells_secret: false,
        surplus: false,
        body: Body::Text(log.to_owned()),
    };
    let fitting = outcomes.fitting(|outcome| answer.fits(outcome) == Some(true));
    let word = match start {
        Start::Up => "up",
        Start::Refused => "refused",
    };
    let words = fitting.and_then(|outcome| outcome.message_has.as_deref());
    let line = words.and_then(|words| log.lines().find(|line| line.contains(words)));
    let says = words.map(|words| format!("says: {words}\n"));
    let exit = fitting
        .and_then(|outcome| outcome.exit)
        .map(|code| format!("exit: {code}\n"));
    let grants = answer.grants(fitting, false, outcomes);
    Observation {
        outcome: fitting.map(|outcome| outcome.id.clone()),
        direction: grants.direction(),
        grants,
        status: None,
        start: Some(start),
        error_type: None,
        message: (start == Start::Refused).then(|| cut(without_time(line.unwrap_or(reason)))),
        model_calls: Some(0),
        late_calls: false,
        answer: format!(
            "start: {word}\n{}{}",
            exit.unwrap_or_default(),
            says.unwrap_or_default()
        ),
        took,
    }
}

/// A line of a log without the time at its beginning.
fn without_time(line: &str) -> &str {
    let is_time = |word: &str| word.parse::<jiff::Timestamp>().is_ok();
    match line.split_once(' ') {
        Some((first, rest)) if is_time(first) => rest,
        _ => line,
    }
}

/// A message of bounded length.
pub fn cut(message: &str) -> String {
    match message.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}...", &message[..end]),
        None => message.to_owned(),
    }
}

/// The answer as a snapshot holds it.
fn answer_text(
    exchange: &Exchange,
    header_text: &str,
    reached: &Reached,
    tells_secret: bool,
    mut json: Option<Value>,
    volatile: &[String],
    clean: &dyn Fn(&str) -> String,
) -> String {
    let response = &exchange.response;
    let mut answer = format!("status: {}\n{header_text}", response.status);
    answer.push_str(&calls_line(reached.calls));
    if let Some(saw) = &reached.saw {
        let earlier = if saw.earlier_words {
            CAME_ALONG
        } else {
            "none"
        };
        answer.push_str(&format!("{MODEL}: {}\n{EARLIER}: {earlier}\n", saw.model));
    }
    if tells_secret {
        answer.push_str(&format!("{TELLS}: a secret of the launch\n"));
    }
    for status in unasked(exchange) {
        answer.push_str(&format!("{UNASKED}: {status}\n"));
    }
    if response.surplus {
        answer.push_str(&format!("{SURPLUS}: more bytes\n"));
    }
    if let Some(json) = &mut json {
        for pointer in volatile {
            match pointer.strip_suffix('?') {
                Some(pointer) => remove(json, pointer),
                None => {
                    if let Some(part) = json.pointer_mut(pointer) {
                        *part = VARIES.into();
                    }
                }
            }
        }
    }
    // The whole body, of whatever kind.
    if volatile.iter().any(String::is_empty) {
        answer.push_str(&format!("body: {VARIES}\n"));
    } else {
        answer.push_str(&body_text(&response.body, response.cut, json, clean));
    }
    answer
}

/// Takes a member out of an object, if it is there.
fn remove(json: &mut Value, pointer: &str) {
    if let Some((parent, name)) = pointer.rsplit_once('/')
        && let Some(Value::Object(members)) = json.pointer_mut(parent)
    {
        members.remove(name);
    }
}

/// The line of an answer that says how often the model was called.
fn calls_line(calls: Option<u32>) -> String {
    match calls {
        Some(calls) => format!("{CALLS}: {calls}\n"),
        None => format!("{CALLS}: not counted\n"),
    }
}

fn body_text(
    body: &[u8],
    cut: bool,
    json: Option<Value>,
    clean: &dyn Fn(&str) -> String,
) -> String {
    if body.is_empty() {
        return "body: empty\n".to_owned();
    }
    let (kind, text) = match json {
        Some(mut json) => {
            name_volatile(&mut json);
            (
                "json",
                serde_json::to_string_pretty(&sorted(json)).unwrap_or_default(),
            )
        }
        None => match std::str::from_utf8(body) {
            Ok(text) => ("text", events(text)),
            Err(_) => {
                return format!(
                    "body: {} bytes that are not text{}\n",
                    body.len(),
                    if cut { ", cut" } else { "" }
                );
            }
        },
    };
    if cut {
        return format!(
            "body: {kind}, more than {} bytes\n",
            contract::exchange::MAX_BODY
        );
    }
    let mut out = format!("body: {kind}\n");
    for line in clean(&text).lines() {
        out.push_str("  ");
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// An event stream with what is volatile in its data named; any other text as it is.
fn events(text: &str) -> String {
    let line = |line: &str| -> Option<String> {
        let mut data = serde_json::from_str(line.strip_prefix("data: ")?).ok()?;
        name_volatile(&mut data);
        Some(format!("data: {}", sorted(data)))
    };
    let lines: Vec<String> = text
        .lines()
        .filter(|text| !text.is_empty())
        .map(|text| line(text).unwrap_or_else(|| text.to_owned()))
        .collect();
    lines.join("\n")
}

/// A text of so many bytes is no word.
const LONG: usize = 16;

/// Replaces what differs from request to request by named placeholders.
fn name_volatile(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                match (key.as_str(), &*value) {
                    (name, Value::String(id))
                        if id.len() >= 12 && (name == "id" || name.ends_with("_id")) =>
                    {
                        *value = "[id]".into();
                    }
                    // A credential that the gateway has made for this caller.
                    ("deviceToken", Value::String(_)) => *value = "[device token]".into(),
                    // One that has a name already is a secret of the launch, which nobody may be told.
                    ("token" | "OPENCLAW_MCP_TOKEN", Value::String(token))
                        if token.len() >= LONG && !token.starts_with('[') =>
                    {
                        *value = "[token]".into();
                    }
                    // Capabilities, which are credentials, too.
                    ("pluginSurfaceUrls", Value::Object(_)) => *value = "[capabilities]".into(),
                    ("created" | "created_at", Value::Number(_)) => *value = "[unix-time]".into(),
                    // How a release counts is not what its callers are let in by.
                    (name, Value::Number(_)) if name.ends_with("_tokens") => {
                        *value = "[count]".into()
                    }
                    _ => name_volatile(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(name_volatile),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Object keys in order, whatever features of `serde_json` another crate switched on.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map
                .into_iter()
                .map(|(key, value)| (key, sorted(value)))
                .collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests;
