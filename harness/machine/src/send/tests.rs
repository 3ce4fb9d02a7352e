//! The sender against raw sockets (what goes out, byte for byte) and wiremock (what a real server makes of it).

use std::time::Duration;

use rstest::rstest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wiremock::matchers::{body_string, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use std::net::SocketAddr;

fn request(headers: &[&str], body: &str) -> Request {
    Request {
        method: "POST".to_owned(),
        target: "/v1/chat/completions?token=x".to_owned(),
        headers: headers
            .iter()
            .map(|line| line.as_bytes().to_vec())
            .collect(),
        body: body.as_bytes().to_vec(),
    }
}

/// Answers every connection with the same bytes; returns what the first one sent.
async fn answer_with(
    bytes: &'static [u8],
    keep_open: bool,
) -> (SocketAddr, tokio::task::JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut received = vec![0; 64 * 1024];
        let count = stream.read(&mut received).await.unwrap();
        received.truncate(count);
        stream.write_all(bytes).await.unwrap();
        if keep_open {
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        received
    });
    (address, task)
}

#[tokio::test]
async fn header_lines_go_out_byte_for_byte() {
    let (address, server) = answer_with(b"HTTP/1.1 204 No Content\r\n\r\n", false).await;
    let lines = [
        "aUTHORIZATION:Bearer  x  ",
        "X-Two: 1",
        "other: y",
        "X-Two: 2",
        "x-openclaw-scopes:",
    ];
    send(address, request(&lines, "{}"), Duration::from_secs(5))
        .await
        .unwrap();
    let sent = String::from_utf8(server.await.unwrap()).unwrap();
    let expected = format!(
        "POST /v1/chat/completions?token=x HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: 2\r\n\
         aUTHORIZATION:Bearer  x  \r\nX-Two: 1\r\nother: y\r\nX-Two: 2\r\nx-openclaw-scopes:\r\n\r\n{{}}"
    );
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn a_real_server_understands_it() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/chat/completions"))
        .and(query_param("token", "x"))
        .and(header("authorization", "Bearer s"))
        .and(body_string("{\"a\":1}"))
        .respond_with(ResponseTemplate::new(418).set_body_string("short and stout"))
        .mount(&server)
        .await;
    let exchange = send(
        *server.address(),
        request(&["Authorization: Bearer s"], "{\"a\":1}"),
        Duration::from_secs(5),
    )
    .await;
    let response = exchange.unwrap().response;
    assert_eq!(
        (response.status, response.body.as_slice()),
        (418, &b"short and stout"[..])
    );
}

#[rstest]
#[case::length(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong", "pong")]
#[case::chunks(
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\npo\r\n2;x=y\r\nng\r\n0\r\n\r\n",
    "pong"
)]
#[case::end(b"HTTP/1.0 200 OK\r\n\r\npong", "pong")]
#[case::continued(
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong",
    "pong"
)]
#[case::nothing(b"HTTP/1.1 204 No Content\r\n\r\n", "")]
#[tokio::test]
async fn bodies(#[case] bytes: &'static [u8], #[case] body: &str) {
    let (address, _server) = answer_with(bytes, false).await;
    let exchange = send(address, request(&[], ""), Duration::from_secs(5))
        .await
        .unwrap();
    assert_eq!(String::from_utf8(exchange.response.body).unwrap(), body);
    assert!(!exchange.response.cut);
}

#[tokio::test]
async fn what_comes_before_the_answer() {
    let bytes = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let (address, _server) = answer_with(bytes, false).await;
    let sent = send(address, request(&[], ""), Duration::from_secs(5)).await;
    let response = sent.unwrap().response;
    assert_eq!((response.status, response.interim), (200, vec![100, 103]));
}

#[rstest]
#[case::length(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong!", true)]
#[case::chunks(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npong\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", true)]
#[case::trailers(
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npong\r\n0;x\r\nTook: 1\r\n\r\n",
    false
)]
#[case::trailers_and_more(
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npong\r\n0;x\r\nTook: 1\r\n\r\n!",
    true
)]
#[tokio::test]
async fn what_comes_after_the_end(#[case] bytes: &'static [u8], #[case] surplus: bool) {
    let (address, _server) = answer_with(bytes, false).await;
    let sent = send(address, request(&[], ""), Duration::from_secs(5)).await;
    let response = sent.unwrap().response;
    assert_eq!(response.body, b"pong");
    assert_eq!(response.surplus, surplus);
}

#[rstest]
#[case::events(
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\ndata: [DONE]\n\n"
)]
#[case::chunked(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n17\r\ndata: 1\n\ndata: [DONE]\n\n\r\n")]
#[tokio::test]
async fn an_event_stream_ends_with_done(#[case] bytes: &'static [u8]) {
    let (address, _server) = answer_with(bytes, true).await;
    let exchange = send(address, request(&[], ""), Duration::from_secs(2))
        .await
        .unwrap();
    assert_eq!(exchange.response.body, b"data: 1\n\ndata: [DONE]\n\n");
}

#[rstest]
#[case::junk(
    b"\x16\x03\x01\x02\x00",
    "the answer is not HTTP: invalid HTTP version"
)]
#[case::silence(b"", "the connection was closed before it answered")]
#[case::half_a_head(
    b"HTTP/1.1 200 OK\r\nConte",
    "the connection was closed within the headers"
)]
#[case::half_a_body(
    b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npong",
    "the connection was closed within the body"
)]
#[case::bad_chunk(
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "the answer is not HTTP: a chunk has no size"
)]
#[case::no_length(
    b"HTTP/1.1 200 OK\r\nContent-Length: undefined\r\n\r\npong",
    "the answer is not HTTP: its Content-Length is \"undefined\""
)]
#[case::two_lengths(
    b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\npong",
    "the answer is not HTTP: its Content-Length is \"5\""
)]
#[tokio::test]
async fn broken_answers(#[case] bytes: &'static [u8], #[case] message: &str) {
    let (address, _server) = answer_with(bytes, false).await;
    let error = send(address, request(&[], ""), Duration::from_secs(5))
        .await
        .unwrap_err();
    assert!(error.to_string().starts_with(message), "{error}");
}

/// What has come counts, whether the answer goes on or has ended; of a chunk that is not whole what there is of it.
#[rstest]
#[case::goes_on(
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n9\r\n, sec",
    true,
    Ok("first, sec")
)]
#[case::has_ended(
    b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst",
    false,
    Ok("first")
)]
#[case::last_chunk(
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n",
    false,
    Ok("first")
)]
#[case::no_head(b"HTTP/1.1 200", true, Err("no full answer within 0.5 s"))]
#[case::breaks_off(
    b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfirst",
    false,
    Err("the connection was closed within the body")
)]
#[tokio::test]
async fn an_answer_is_listened_to_until_it_is_enough(
    #[case] bytes: &'static [u8],
    #[case] keep_open: bool,
    #[case] expected: Result<&str, &str>,
) {
    let (address, _server) = answer_with(bytes, keep_open).await;
    let enough = tokio::time::sleep(Duration::from_secs(1));
    let patience = Duration::from_millis(500);
    let heard = listen(address.into(), request(&[], "{}"), patience, enough).await;
    let heard = heard.map(|exchange| String::from_utf8(exchange.response.body).unwrap());
    let heard = heard.map_err(|error| error.to_string());
    assert_eq!(heard.as_deref().map_err(String::as_str), expected);
}

#[tokio::test]
async fn an_answer_that_does_not_come_times_out() {
    let (address, _server) = answer_with(b"HTTP/1.1 200 OK\r\n", true).await;
    let error = send(address, request(&[], ""), Duration::from_millis(200))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "no full answer within 0.2 s");
    assert!(error.is_silence());
}

#[tokio::test]
async fn nobody_listens() {
    let free = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let error = send(free, request(&[], ""), Duration::from_secs(5))
        .await
        .unwrap_err();
    assert!(matches!(error, SendError::Connect(_)), "{error}");
}

/// A gateway that refuses to connect and answers all the same has let the caller in.
#[rstest]
#[case::next_call(
    r#"{"type":"res","id":"call","ok":true,"payload":1}"#,
    "call, after the refusal"
)]
#[case::second_thoughts(
    r#"{"type":"res","id":"connect","ok":true}"#,
    "connect, after the refusal"
)]
#[case::refuses_again(r#"{"type":"res","id":"call","ok":false}"#, "")]
#[tokio::test]
async fn a_refusal_that_serves(#[case] more: &'static str, #[case] told: &str) {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio_tungstenite::tungstenite::Message;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        let no = r#"{"type":"res","id":"connect","ok":false}"#;
        for text in [r#"{"type":"event","event":"hello"}"#, no, more] {
            socket.send(Message::text(text)).await.unwrap();
        }
        while let Some(Ok(_)) = socket.next().await {}
    });
    let request = Request {
        method: "GET".to_owned(),
        target: "/".to_owned(),
        headers: Vec::new(),
        body: br#"[{"id":"connect"},{"id":"call"}]"#.to_vec(),
    };
    let seen = websocket(address, request, Duration::from_secs(5)).await;
    let body: serde_json::Value = serde_json::from_slice(&seen.unwrap().response.body).unwrap();
    let mut keys = body
        .as_object()
        .unwrap()
        .keys()
        .filter(|key| *key != "connect");
    assert_eq!(keys.next().map_or("", String::as_str), told);
    server.abort();
}

/// A handshake names one host: the request's own where it has one, and the address otherwise.
#[rstest]
#[case::own(&["Host: 127.0.0.1:1", "Origin: http://127.0.0.1:1"], Some("127.0.0.1:1"))]
#[case::none(&["Origin: http://127.0.0.1:1"], None)]
#[tokio::test]
async fn websocket_hosts(#[case] lines: &[&str], #[case] host: Option<&str>) {
    let refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
    let (address, server) = answer_with(refusal, false).await;
    let upgrade = Request {
        method: "GET".to_owned(),
        ..request(lines, "[]")
    };
    let seen = websocket(address, upgrade, Duration::from_secs(5)).await;
    assert_eq!(seen.unwrap().response.status, 403);
    let sent = String::from_utf8(server.await.unwrap()).unwrap();
    let hosts = sent.lines().filter_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("host").then_some(value)
    });
    let address = address.to_string();
    assert_eq!(hosts.collect::<Vec<_>>(), [host.unwrap_or(&address)]);
}

/// A refused upgrade is an answer like any other; frames are answered by the id of their request.
#[tokio::test]
async fn websocket_answers() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        use futures_util::{SinkExt as _, StreamExt as _};
        use tokio_tungstenite::tungstenite::Message;
        let say = |text: &str| Message::text(text.to_owned());
        socket
            .send(say(r#"{"type":"event","event":"hello"}"#))
            .await
            .unwrap();
        socket.next().await.unwrap().unwrap();
        socket
            .send(say(r#"{"type":"event","event":"tick"}"#))
            .await
            .unwrap();
        socket
            .send(say(r#"{"type":"res","id":"connect","ok":true}"#))
            .await
            .unwrap();
        socket.next().await.unwrap().unwrap();
        socket.close(None).await.unwrap();
        let (mut refused, _) = listener.accept().await.unwrap();
        let answer = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
        tokio::io::AsyncWriteExt::write_all(&mut refused, answer)
            .await
            .unwrap();
        let mut rest = Vec::new();
        let _ = tokio::io::AsyncReadExt::read_to_end(&mut refused, &mut rest).await;
    });
    let request = Request {
        method: "GET".to_owned(),
        target: "/".to_owned(),
        headers: vec![b"X-One: 1".to_vec()],
        body: br#"[{"id":"connect"},{"id":"call"},{"id":"never"}]"#.to_vec(),
    };
    let timeout = Duration::from_secs(5);
    let seen = websocket(address, request.clone(), timeout)
        .await
        .unwrap()
        .response;
    assert_eq!(seen.status, 101);
    let body: serde_json::Value = serde_json::from_slice(&seen.body).unwrap();
    assert_eq!(body["connect"], serde_json::json!({ "ok": true }));
    assert!(
        body.get("closed").is_some() && body.get("never").is_none(),
        "{body}"
    );
    let refused = websocket(address, request, timeout).await.unwrap().response;
    assert_eq!(
        (refused.status, refused.body.as_slice()),
        (403, b"no".as_slice())
    );
    server.abort();
}

/// A gateway that hangs up without a word, or that asks to come again, is asked again, a few times. One that always hangs up has not
/// answered.
#[rstest]
#[case::hung_up_on_at_first(&[None, None, Some(CONNECTED)], Ok(CONNECTED))]
#[case::always(&[None, None, None, None], Err(SendError::Closed("without a word")))]
#[case::put_off_at_first(&[Some(PUT_OFF), Some(CONNECTED)], Ok(CONNECTED))]
#[case::busy_at_first(&[Some(BUSY), Some(CONNECTED)], Ok(CONNECTED))]
#[case::refused(&[Some(REFUSED), Some(CONNECTED)], Ok(REFUSED))]
#[tokio::test]
async fn websocket_again(
    #[case] answers: &'static [Option<&'static str>],
    #[case] expected: Result<&str, SendError>,
) {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio_tungstenite::tungstenite::Message;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            if *answer == Some(BUSY) {
                let _ = tokio::io::AsyncWriteExt::write_all(&mut stream, BUSY.as_bytes()).await;
                let _ = tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut Vec::new()).await;
                continue;
            }
            let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
            let challenge =
                r#"{"type":"event","event":"connect.challenge","payload":{"nonce":"n"}}"#;
            socket.send(Message::text(challenge)).await.unwrap();
            socket.next().await.unwrap().unwrap();
            if let Some(answer) = answer {
                let answer = format!(r#"{{"type":"res","id":"connect",{answer}}}"#);
                socket.send(Message::text(answer)).await.unwrap();
            }
            let _ = socket.close(None).await;
        }
    });
    let request = Request {
        method: "GET".to_owned(),
        target: "/".to_owned(),
        headers: Vec::new(),
        body: br#"[{"id":"connect"}]"#.to_vec(),
    };
    let seen = websocket(address, request, Duration::from_secs(60)).await;
    let answer = seen.map(|seen| {
        let body: serde_json::Value = serde_json::from_slice(&seen.response.body).unwrap();
        body["connect"].clone()
    });
    let expected = expected.map(|members| {
        serde_json::from_str::<serde_json::Value>(&format!("{{{members}}}")).unwrap()
    });
    assert_eq!(answer, expected);
    server.abort();
}

const BUSY: &str = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
const CONNECTED: &str = r#""ok":true"#;
const PUT_OFF: &str = r#""ok":false,"error":{"code":"UNAVAILABLE","retryable":true}"#;
const REFUSED: &str = r#""ok":false,"error":{"code":"UNAVAILABLE","retryable":false}"#;

/// A frame that is a text goes out as it is, and to be hung up on is an answer to it.
#[tokio::test]
async fn websocket_texts() {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio_tungstenite::tungstenite::Message;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        socket.send(Message::text("{}")).await.unwrap();
        let text = socket.next().await.unwrap().unwrap();
        let _ = socket.close(None).await;
        text.into_text().unwrap().to_string()
    });
    let request = Request {
        method: "GET".to_owned(),
        target: "/".to_owned(),
        headers: Vec::new(),
        body: br#"["no JSON {", {"id":"connect"}]"#.to_vec(),
    };
    let seen = websocket(address, request, Duration::from_secs(60)).await;
    let body = seen.unwrap().response.body;
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body, serde_json::json!({ "closed": {} }));
    assert_eq!(server.await.unwrap(), "no JSON {");
}

/// Who says nothing waits for the gateway to hang up, and goes on with the next frame where it does not.
#[rstest]
#[case::hung_up(30, r#"{"closed":{"code":1000,"reason":""}}"#)]
#[case::kept(0, r#"{"connect":{"ok":true}}"#)]
#[tokio::test]
async fn websocket_silence(#[case] seconds: u64, #[case] told: &str) {
    use futures_util::{SinkExt as _, StreamExt as _};
    use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        socket.send(Message::text("{}")).await.unwrap();
        let frame = tokio::time::timeout(Duration::from_secs(1), socket.next()).await;
        if frame.is_ok() {
            let answer = Message::text(r#"{"type":"res","id":"connect","ok":true}"#);
            return socket.send(answer).await.unwrap();
        }
        let (code, reason) = (1000.into(), "".into());
        let _ = socket.close(Some(CloseFrame { code, reason })).await;
        while let Some(Ok(_)) = socket.next().await {}
    });
    let request = Request {
        method: "GET".to_owned(),
        target: "/".to_owned(),
        headers: Vec::new(),
        body: format!(r#"[{{"$silence":{seconds}}}, {{"id":"connect"}}]"#).into_bytes(),
    };
    let seen = websocket(address, request, Duration::from_secs(60)).await;
    let body = String::from_utf8(seen.unwrap().response.body).unwrap();
    assert_eq!(body, told);
    server.await.unwrap();
}
