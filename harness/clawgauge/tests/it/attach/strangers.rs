//! Servers that are no OpenClaw gateway: told as such, not failed cell by cell.

use super::*;

const HELLO: Answer = |_, stream| reply(stream, "200 OK", "text/html", "<h1>hello</h1>");
const NOTHING: Answer = |_, stream| reply(stream, "404 Not Found", "text/plain", "Not Found");
const REDIRECT: Answer = |_, stream| {
    let head = "HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n";
    let _ = stream.write_all(head.as_bytes());
};
/// A server of the OpenAI API, open to everybody.
const OPENAI: Answer = |head, stream| {
    let body = match head.starts_with("GET /health") {
        true => r#"{"status":"ok"}"#,
        false => r#"{"object":"list","data":[{"id":"gpt","object":"model"}]}"#,
    };
    reply(stream, "200 OK", "application/json", body);
};
/// One that even lives as a gateway does.
const OPENAI_ALIVE: Answer = |head, stream| {
    let (status, body) = match head.split(' ').nth(1) {
        Some("/health") => ("200 OK", r#"{"ok":true,"status":"live"}"#),
        Some("/v1/models") => ("200 OK", r#"{"object":"list","data":[]}"#),
        _ => ("404 Not Found", r#"{"detail":"Not Found"}"#),
    };
    reply(stream, status, "application/json", body);
};
const JUNK: Answer = |_, stream| drop(stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n"));
const HANGS_UP: Answer = |_, _| {};
const DRIPS: Answer = |_, stream| {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n";
    for letter in head.iter().cycle() {
        if stream.write_all(&[*letter]).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
};
const ENDLESS: Answer = |_, stream| {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
    while stream.write_all(&[b'x'; 65536]).is_ok() {}
};

/// Whoever is no gateway is found out by its first answers, and is never shown the credential.
#[rstest]
#[case::yes_to_all(HELLO)]
#[case::nothing_here(NOTHING)]
#[case::redirect(REDIRECT)]
#[case::openai(OPENAI)]
#[case::openai_alive(OPENAI_ALIVE)]
#[case::junk(JUNK)]
#[case::hangs_up(HANGS_UP)]
#[case::drips(DRIPS)]
#[case::endless(ENDLESS)]
fn servers_that_are_no_gateway(#[case] answer: Answer) {
    let server = Server::start(answer);
    let began = Instant::now();
    let got = attach(&server.url(), Some(TOKEN), &["--timeout", "2"]);
    got.ends(3);
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    assert!(
        got.text.contains("is not an OpenClaw gateway") || got.text.contains("is not reachable"),
        "{}",
        got.text
    );
    let asked = server.asked();
    assert!(asked.len() <= 2, "{} requests", asked.len());
    assert!(asked.iter().all(|(_, head)| !head.contains(TOKEN)));
}
