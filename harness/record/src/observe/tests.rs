//! Observation: what is compared, what is left out, what is never shown.

use std::collections::BTreeMap;

use rstest::rstest;

use super::*;
use contract::exchange::{Request, Response};
use contract::scenario::model::Outcome;

fn exchange(status: u16, kind: &str, body: &[u8]) -> Exchange {
    Exchange {
        request: Request {
            method: String::new(),
            target: String::new(),
            headers: Vec::new(),
            body: Vec::new(),
        },
        response: Response {
            status,
            headers: vec![
                ("Content-Type".into(), kind.as_bytes().to_vec()),
                ("Date".into(), b"today".to_vec()),
            ],
            body: body.to_vec(),
            ..Response::default()
        },
        took: Duration::from_millis(3),
    }
}

fn outcomes() -> Outcomes {
    let outcome = |id: &str, direction, status, kind: Option<&str>, calls| Outcome {
        id: id.to_owned(),
        direction,
        status: Some(status),
        error_type: kind.map(str::to_owned),
        model_calls: calls,
        ..Outcome::default()
    };
    let mut outcomes: Outcomes = [
        outcome("answered", Direction::Allow, 200, None, 1),
        outcome(
            "unauthorized",
            Direction::Deny,
            401,
            Some("unauthorized"),
            0,
        ),
    ]
    .into_iter()
    .collect();
    let shown = "content-type = 'shown'\ndate = 'free'";
    outcomes.headers = toml::from_str(shown).expect("they can be read");
    outcomes
}

fn see(exchange: &Exchange, calls: u32) -> Observation {
    see_by(exchange, calls, &outcomes())
}

fn see_by(exchange: &Exchange, calls: u32, outcomes: &Outcomes) -> Observation {
    let secrets = BTreeMap::from([("secret".to_owned(), "hush-hush".into())]);
    observe(
        exchange,
        &Reached {
            calls: Some(calls),
            saw: None,
        },
        &[("canary-1", "[canary]".into())],
        &Redactor::new(&secrets),
        outcomes,
    )
}

/// What may be missing is left out, so that both answers are the same.
#[rstest]
#[case::there(br#"{"ok":true,"meta":{"cached":true},"payload":1}"#)]
#[case::missing(br#"{"ok":true,"payload":2}"#)]
fn volatile_parts(#[case] body: &[u8]) {
    let done = Outcome {
        id: "done".to_owned(),
        direction: Direction::Allow,
        status: Some(200),
        volatile: vec!["/payload".to_owned(), "/meta?".to_owned()],
        ..Outcome::default()
    };
    let outcomes: Outcomes = [done].into_iter().collect();
    let seen = see_by(&exchange(200, "application/json", body), 0, &outcomes);
    let (_, body) = seen.answer.split_once("body: json\n").unwrap();
    assert_eq!(
        body,
        "  {\n    \"ok\": true,\n    \"payload\": \"[varies]\"\n  }\n"
    );
}

#[test]
fn an_answer_is_normalised() {
    let body = br#"{"object":"chat.completion","id":"chatcmpl_8a7b6c5d4e3f","created":1700000000,"b":{"id":"short","total_tokens":3},"a":"hush-hush canary-1"}"#;
    let seen = see(&exchange(200, "application/json", body), 1);
    insta::assert_snapshot!(seen.answer, @r#"
    status: 200
    content-type: application/json
    model-calls: 1
    body: json
      {
        "a": "[secret:secret] [canary]",
        "b": {
          "id": "short",
          "total_tokens": "[count]"
        },
        "created": "[unix-time]",
        "id": "[id]",
        "object": "chat.completion"
      }
    "#);
    assert_eq!(seen.outcome.as_deref(), Some("answered"));
}

#[rstest]
#[case::denied(
    401,
    r#"{"error":{"type":"unauthorized"}}"#,
    0,
    Some("unauthorized"),
    Direction::Deny
)]
#[case::denied_and_called(401, r#"{"error":{"type":"unauthorized"}}"#, 1, None, Direction::Allow)]
#[case::denied_otherwise(401, r#"{"error":{"type":"nope"}}"#, 0, None, Direction::Deny)]
#[case::answered_without_a_model(200, "{}", 0, None, Direction::Allow)]
#[case::broken(500, "{}", 0, None, Direction::Deny)]
fn who_got_in(
    #[case] status: u16,
    #[case] body: &str,
    #[case] calls: u32,
    #[case] outcome: Option<&str>,
    #[case] direction: Direction,
) {
    let seen = see(
        &exchange(status, "application/json", body.as_bytes()),
        calls,
    );
    assert_eq!(
        (seen.outcome.as_deref(), seen.direction),
        (outcome, direction)
    );
}

/// An interim answer that the request asks for is nothing special; one that nobody asked for is no part of any answer.
#[rstest]
#[case::none(&[], &[], Some("unauthorized"), "")]
#[case::asked(&["Expect: 100-continue"], &[100], Some("unauthorized"), "")]
#[case::asked_in_capitals(&["EXPECT: 100-continue"], &[100], Some("unauthorized"), "")]
#[case::unasked(&["Expectation: 100-continue"], &[100], None, "unasked-interim: 100\n")]
fn interim_answers(
    #[case] headers: &[&str],
    #[case] interim: &[u16],
    #[case] outcome: Option<&str>,
    #[case] line: &str,
) {
    let mut exchange = exchange(
        401,
        "application/json",
        br#"{"error":{"type":"unauthorized"}}"#,
    );
    let headers = headers.iter().map(|line| line.as_bytes().to_vec());
    exchange.request.headers = headers.collect();
    exchange.response.interim = interim.to_vec();
    let seen = see(&exchange, 0);
    assert_eq!(seen.outcome.as_deref(), outcome);
    assert!(seen.answer.contains(line), "{}", seen.answer);
    assert_eq!(seen.answer.contains("interim"), !line.is_empty());
}

/// A stream that ends in an error is no whole answer, however it began.
#[rstest]
#[case::whole(r#"data: {"delta":"pong"}"#, Some("streamed"))]
#[case::failed("data: {\"delta\":\"pong\"}\n\ndata: {\"error\":{}}", None)]
fn a_stream_is_read_to_its_end(#[case] events: &str, #[case] outcome: Option<&str>) {
    let streamed = Outcome {
        id: "streamed".to_owned(),
        direction: Direction::Allow,
        status: Some(200),
        message_has: Some("data: [DONE]".to_owned()),
        lacks: Some("\"error\"".to_owned()),
        model_calls: 1,
        ..Outcome::default()
    };
    let outcomes: Outcomes = [streamed].into_iter().collect();
    let stream = format!("{events}\n\ndata: [DONE]\n\n");
    let seen = exchange(200, "text/event-stream", stream.as_bytes());
    let observed = see_by(&seen, 1, &outcomes);
    assert_eq!(observed.outcome.as_deref(), outcome);
    let cut = exchange(200, "text/event-stream", events.as_bytes());
    assert_eq!(see_by(&cut, 1, &outcomes).outcome, None);
}

#[test]
fn a_call_after_the_refusal_is_a_way_in() {
    let seen = see(
        &exchange(
            401,
            "application/json",
            br#"{"error":{"type":"unauthorized"}}"#,
        ),
        0,
    )
    .with_late_calls(2);
    assert_eq!(
        (seen.outcome, seen.direction, seen.model_calls),
        (None, Direction::Allow, Some(2))
    );
    assert!(seen.answer.contains("model-calls: 2\n"));
}

#[rstest]
#[case::text(b"Not Found", "body: text\n  Not Found\n")]
#[case::empty(b"", "body: empty\n")]
#[case::binary(b"\xff\xfe\x00", "body: 3 bytes that are not text\n")]
fn bodies(#[case] body: &[u8], #[case] shown: &str) {
    assert!(
        see(&exchange(404, "text/plain", body), 0)
            .answer
            .ends_with(shown)
    );
}

#[test]
fn messages_are_redacted_and_cut() {
    let message = format!("hush-hush {}", "x".repeat(1000));
    let body = serde_json::json!({ "error": { "message": message } }).to_string();
    let seen = see(&exchange(400, "application/json", body.as_bytes()), 0)
        .message
        .unwrap();
    assert!(
        seen.starts_with("[secret:secret] xxx") && seen.len() < 320,
        "{seen}"
    );
}

/// A start that is refused with another exit code, or whose exit code nobody knows, is another outcome.
#[rstest]
#[case::right(
    Some(78),
    Some("refuses"),
    "start: refused\nexit: 78\nsays: no token\n"
)]
#[case::other(Some(1), None, "start: refused\n")]
#[case::unknown(None, None, "start: refused\n")]
fn a_start_is_judged_by_its_exit_code(
    #[case] exit: Option<i32>,
    #[case] expected: Option<&str>,
    #[case] answer: &str,
) {
    let outcome = Outcome {
        id: "refuses".to_owned(),
        start: Some(Start::Refused),
        exit: Some(78),
        message_has: Some("no token".to_owned()),
        ..Outcome::default()
    };
    let (start, said) = (Start::Refused, "first\nno token\n");
    let seen = observe_start(
        start,
        exit,
        "no token",
        said,
        Duration::ZERO,
        &Outcomes::from_iter([outcome]),
    );
    assert_eq!((seen.outcome.as_deref(), &*seen.answer), (expected, answer));
}

/// A socket that is open is a way in, though no outcome says so: 101 alone is none, since a refusal comes as a frame.
#[rstest]
#[case::connected(br#"{"connect":{"ok":true,"payload":{}}}"#, Privilege::Access)]
#[case::called(br#"{"connect":{"ok":true},"call":{"ok":true}}"#, Privilege::Access)]
#[case::some_refused(
    br#"{"connect":{"ok":true},"read":{"ok":true},"admin":{"ok":false}}"#,
    Privilege::Access
)]
#[case::served_after_all(
    br#"{"connect":{"ok":false},"write, after the refusal":{"ok":true}}"#,
    Privilege::Access
)]
#[case::call_refused(br#"{"connect":{"ok":true},"call":{"ok":false}}"#, Privilege::None)]
#[case::refused(br#"{"connect":{"ok":false}}"#, Privilege::None)]
#[case::silent(br#"{"closed":1008}"#, Privilege::None)]
fn sockets_that_fit_no_outcome(#[case] body: &[u8], #[case] grants: Privilege) {
    let seen = see(&exchange(101, "application/json", body), 0);
    assert_eq!((seen.outcome, seen.grants), (None, grants));
}
