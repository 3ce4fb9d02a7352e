//! The stand-in as a gateway sees it, over raw connections.

use super::*;
use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Sends bytes and reads to the end of the connection.
async fn exchange(upstream: &Upstream, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(upstream.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

fn post(path: &str, body: &serde_json::Value) -> Vec<u8> {
    let body = body.to_string();
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: m\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

fn chat(stream: bool, content: impl Into<serde_json::Value>) -> serde_json::Value {
    serde_json::json!({ "stream": stream, "messages": [{ "role": "user", "content": content.into() }] })
}

#[tokio::test]
async fn the_last_words_of_the_user_are_counted() {
    let upstream = Upstream::start().unwrap();
    let ((first, earlier), (number, own)) = (upstream.new_canary(), upstream.new_canary());
    let ask = |content: serde_json::Value| post("/v1/chat/completions", &chat(false, content));
    let plain = exchange(&upstream, &ask(format!("ping {earlier}").into())).await;
    assert!(plain.contains("chat.completion\"") && plain.contains("pong"));
    let body = serde_json::json!({ "stream": true, "messages": [
        { "role": "user", "content": earlier },
        { "role": "user", "content": [{ "type": "text", "text": format!("[now] ping {own}") }] },
        { "role": "assistant", "content": earlier },
    ] });
    let streamed = exchange(&upstream, &post("/v1/chat/completions", &body)).await;
    assert!(streamed.ends_with("data: [DONE]\n\n") && streamed.contains("pong"));
    assert_eq!(upstream.calls(number), 1);
    assert_eq!(upstream.calls(first), 1, "an earlier turn is no new call");
    assert_eq!(
        upstream.tally(),
        Tally {
            calls: 2,
            ..Tally::default()
        }
    );
}

/// Wherever a canary arrives, the call is its own.
#[rstest]
#[case::in_the_system_message(&|canary: &str| post("/v1/chat/completions", &serde_json::json!({ "messages": [{ "role": "system", "content": canary }] })))]
#[case::on_another_path(&|canary: &str| post("/v1/responses", &chat(false, canary)))]
#[case::in_the_path(&|canary: &str| format!("GET /v1/models?{canary} HTTP/1.1\r\nConnection: close\r\n\r\n").into_bytes())]
#[case::in_a_header(&|canary: &str| format!("GET /v1/models HTTP/1.1\r\nConnection: close\r\nx: {canary}\r\n\r\n").into_bytes())]
#[case::in_what_is_no_request(&|canary: &str| format!("hello: {canary}\r\n\r\n").into_bytes())]
#[case::across_chunks(&|canary: &str| format!("POST /x HTTP/1.1\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}\r\ne\r\n{}\r\n0\r\n\r\n", &canary[..9], &canary[9..]).into_bytes())]
#[tokio::test]
async fn canaries_are_found_anywhere(#[case] bytes: &dyn Fn(&str) -> Vec<u8>) {
    let upstream = Upstream::start().unwrap();
    let ((number, canary), (other, _)) = (upstream.new_canary(), upstream.new_canary());
    exchange(&upstream, &bytes(&canary)).await;
    assert_eq!((upstream.calls(number), upstream.calls(other)), (1, 0));
    assert_eq!(
        upstream.tally(),
        Tally {
            calls: 1,
            ..Tally::default()
        }
    );
}

#[tokio::test]
async fn calls_without_a_canary_are_named() {
    let upstream = Upstream::start().unwrap();
    let models = b"GET /v1/models?x=1 HTTP/1.1\r\nConnection: close\r\n\r\n";
    let answer = exchange(&upstream, models).await;
    assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{answer}");
    assert_eq!(upstream.tally().before, 1, "nobody has been asked yet");
    let _ = upstream.new_canary();
    exchange(&upstream, models).await;
    exchange(&upstream, models).await;
    exchange(&upstream, b"what is this\r\n\r\n").await;
    let places = ["GET /v1/models", "bytes that are no HTTP request"];
    let tally = Tally {
        calls: 4,
        before: 1,
        unexplained: 3,
        places: places.map(str::to_owned).into(),
    };
    assert_eq!(upstream.tally(), tally);
}

#[tokio::test]
async fn a_connection_serves_call_after_call_until_it_is_closed() {
    let upstream = Upstream::start().unwrap();
    let (number, canary) = upstream.new_canary();
    let body = chat(false, canary.as_str()).to_string();
    let call = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut stream = TcpStream::connect(upstream.address).await.unwrap();
    let mut seen = vec![0; 4096];
    for _ in 0..2 {
        stream.write_all(call.as_bytes()).await.unwrap();
        let mut answer = String::new();
        while !answer.contains("pong") {
            let count = stream.read(&mut seen).await.unwrap();
            answer.push_str(std::str::from_utf8(&seen[..count]).unwrap());
        }
        assert!(
            answer.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"),
            "{answer}"
        );
    }
    assert_eq!(upstream.calls(number), 2);
    assert_eq!(upstream.closed(Duration::from_millis(20)).await, 1);
    drop(stream);
    assert_eq!(upstream.closed(Duration::from_secs(5)).await, 0);
}

#[tokio::test]
async fn every_input_of_an_embedding_counts() {
    let upstream = Upstream::start().unwrap();
    let ((first, one), (second, two)) = (upstream.new_canary(), upstream.new_canary());
    let body = serde_json::json!({ "input": [one, two, one] });
    let answer = exchange(&upstream, &post("/v1/embeddings", &body)).await;
    assert!(answer.contains("\"index\":2"), "{answer}");
    assert_eq!((upstream.calls(first), upstream.calls(second)), (2, 1));
}

/// What a gateway asks of its provider by itself is no denied caller's, unless it carries their words.
#[tokio::test]
async fn a_gateways_own_calls_are_explained() {
    let upstream = Upstream::start().unwrap();
    upstream.expect_own(&["GET /v1/models".to_owned()]);
    let (number, canary) = upstream.new_canary();
    let get = |path: &str| {
        let head = format!("GET {path} HTTP/1.1\r\nConnection: close\r\nX-Note: {canary}\r\n\r\n");
        (head.replace(&format!("X-Note: {canary}\r\n"), ""), head)
    };
    let (bare, telling) = get("/v1/models");
    exchange(&upstream, bare.as_bytes()).await;
    assert_eq!(
        (upstream.tally().calls, upstream.tally().unexplained),
        (1, 0)
    );
    exchange(&upstream, telling.as_bytes()).await;
    assert_eq!(
        (upstream.calls(number), upstream.tally().unexplained),
        (1, 0)
    );
    exchange(&upstream, get("/v1/files").0.as_bytes()).await;
    assert_eq!(upstream.tally().unexplained, 1);
}
