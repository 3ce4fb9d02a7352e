//! What a cell sends before the request that is judged.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::Asker;
use super::sending::send_and_hold;
use crate::seen::Missed;
use base::secret::new_session;
use contract::exchange::Response;
use contract::plan::Cell;
use contract::request::{SESSION, fill, with_caller};
use machine::send::{Held, Peer};
use record::observe::{CANARY, EARLIER_CANARY, Reached, cut, observe};

/// A text of so many bytes is no common word.
const LONG: usize = 12;

/// What came before a cell's request.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// The canaries of its requests, with their numbers.
    pub(super) canaries: Vec<(u32, String)>,
    /// The ports that they came from.
    pub(super) ports: Vec<u16>,
    /// Texts by the placeholder that stands for them.
    pub(super) words: BTreeMap<String, String>,
    /// Connections that stay open for as long as this is kept.
    held: Vec<Held>,
}

impl Before {
    /// The words that only this cell's requests carry, each with what stands for it in an answer. A short one is left alone: it may
    /// stand anywhere.
    pub(super) fn names<'a>(&'a self, canary: &'a str) -> Vec<(&'a str, Cow<'a, str>)> {
        let mut names = vec![(canary, CANARY.into())];
        let earlier = self.canaries.iter();
        names.extend(earlier.map(|(_, canary)| (canary.as_str(), EARLIER_CANARY.into())));
        let words = self.words.iter().filter(|(_, text)| text.len() >= LONG);
        names.extend(words.map(|(name, text)| (text.as_str(), format!("[{name}]").into())));
        names
    }

    /// The port that a cell's request goes to, where that is not the gateway's own.
    pub(super) fn port(&self, cell: &Cell) -> Result<Option<u16>, String> {
        let Some(name) = &cell.scenario.request.port else {
            return Ok(None);
        };
        let text = self.words.get(name).map_or("", String::as_str);
        let port = text.parse().ok().filter(|port| *port > 0);
        port.map(Some)
            .ok_or_else(|| format!("`{name}` is no port: what comes before it keeps {text:?}"))
    }

    /// The numbers of its requests' canaries.
    pub(super) fn numbers(&self) -> Vec<u32> {
        self.canaries.iter().map(|(number, _)| *number).collect()
    }
}

impl Asker<'_> {
    /// Sends what comes before a cell's request.
    pub(super) async fn before(&self, cell: &Cell, peer: &Peer) -> Result<Before, Missed> {
        let mut before = Before::default();
        before.words.insert(SESSION.to_owned(), new_session());
        for (step, written) in contract::request::before(cell) {
            let written = with_caller(written, self.caller());
            for _ in 0..step.repeat.max(1) {
                let (number, canary) = self.upstream.new_canary();
                let place = self.place(&canary, &before.words);
                let request = fill(written.clone(), &place).map_err(|error| error.to_string())?;
                let sent = tokio::select! {
                    biased;
                    () = self.context.cancel.cancelled() => return Err(Missed::Interrupted),
                    () = self.ended.cancelled() => return Err(self.why.get().cloned().unwrap_or_default().into()),
                    sent = send_and_hold(step.protocol, peer.clone(), request, self.context.options.timeout, step.stays) => sent,
                };
                let failed = |why: String| format!("what comes before it ({}) {why}", step.title);
                let (exchange, held) = sent.map_err(|error| {
                    failed(format!(
                        "has no answer: {}",
                        self.redactor.text(&error.to_string())
                    ))
                })?;
                before.held.extend(held);
                let reached = Reached {
                    calls: Some(self.upstream.calls(number)),
                    saw: None,
                };
                let outcomes = &self.context.catalogue.outcomes;
                let seen = observe(&exchange, &reached, &[], &self.redactor, outcomes);
                let told = cut(&seen.answer.split_whitespace().collect::<Vec<_>>().join(" "));
                self.earlier().push((number, Ok(seen)));
                before.canaries.push((number, canary));
                before.ports.push(exchange.response.port);
                let (status, wanted) = (exchange.response.status, step.status);
                if status != wanted {
                    return Err(
                        failed(format!("must answer {wanted}, and answers {status}")).into(),
                    );
                }
                let body: Value =
                    serde_json::from_slice(&exchange.response.body).unwrap_or_default();
                for (name, kept) in &step.keep {
                    let place = &kept.place;
                    let text = match place.starts_with('/') {
                        true => body
                            .pointer(place)
                            .and_then(Value::as_str)
                            .map(str::to_owned),
                        false => in_header(&exchange.response, place),
                    };
                    let part = |text: String| kept.part(&text).map(str::to_owned);
                    let text = text.and_then(part).ok_or_else(|| {
                        let near = nearest(&body, place).map(|(place, part)| {
                            let part = self.redactor.text(&part.to_string()).into_owned();
                            format!("{place} is {}", cut(&part))
                        });
                        let told = near.unwrap_or_else(|| format!("it answers {told}"));
                        failed(format!("has no text at {place}: {told}"))
                    })?;
                    before.words.insert(name.clone(), text);
                }
            }
        }
        Ok(before)
    }
}

/// The part of a body that leads to a place which is not there, as far as there is one.
fn nearest<'a>(body: &'a Value, pointer: &'a str) -> Option<(&'a str, &'a Value)> {
    let ends = pointer.match_indices('/').map(|(at, _)| &pointer[..at]);
    let mut parts = ends.filter_map(|place| Some((place, body.pointer(place)?)));
    parts.next_back().filter(|(place, _)| !place.is_empty())
}

/// The text of an answer's header: of `Set-Cookie`, what a browser sends back as `Cookie`; of another one, its first line.
fn in_header(response: &Response, name: &str) -> Option<String> {
    let lines = response.headers.iter();
    let mut values = lines
        .filter(|(line, _)| line.eq_ignore_ascii_case(name))
        .map(|(_, value)| String::from_utf8_lossy(value).trim().to_owned());
    if !name.eq_ignore_ascii_case("set-cookie") {
        return values.next();
    }
    let pairs: Vec<String> = values
        .filter_map(|value| value.split(';').next().map(str::to_owned))
        .collect();
    (!pairs.is_empty()).then(|| pairs.join("; "))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::cookies("set-cookie", Some("a=1; b=2"))]
    #[case::first_line("X-Request", Some("one"))]
    #[case::missing("etag", None)]
    fn a_header_is_kept(#[case] name: &str, #[case] kept: Option<&str>) {
        let lines = [
            ("Set-Cookie", "a=1; Path=/; HttpOnly"),
            ("x-request", " one "),
            ("x-request", "two"),
            ("set-cookie", "b=2"),
        ];
        let headers = lines.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
        let response = Response {
            headers: headers.to_vec(),
            ..Response::default()
        };
        assert_eq!(in_header(&response, name).as_deref(), kept);
    }
}
