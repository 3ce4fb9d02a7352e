//! `clawgauge attach` against gateways that somebody else started, and against servers that are none.

mod front;
mod secrets;
mod strangers;

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::Sandbox;
use crate::support::operator::{Operator, free_port};
use base64::Engine as _;
use clap::ValueEnum as _;
use clawgauge::reports::Format;
use rstest::rstest;
use serde_json::{Value, json};

const TOKEN: &str = "an-Operators-own+Token/7";

/// The reference gateway, as an operator would start it.
fn gateway(flags: &[&str], auth: Value, more: Value) -> Operator {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("clawgauge"));
    command.arg("reference-gateway").args(flags);
    Operator::start(command, auth, more)
}

fn open(flags: &[&str]) -> Operator {
    gateway(flags, json!({ "mode": "none" }), json!({}))
}

fn closed(flags: &[&str]) -> Operator {
    gateway(flags, json!({ "mode": "token", "token": TOKEN }), json!({}))
}

/// How attaching ended and all that it wrote.
struct Attached {
    code: Option<i32>,
    text: String,
    record: Value,
    sandbox: Sandbox,
}

impl Attached {
    fn counts(&self, verdict: &str) -> u64 {
        self.record["summary"][verdict].as_u64().unwrap_or_default()
    }

    #[track_caller]
    fn says(&self, words: &str) {
        assert!(self.text.contains(words), "no {words:?} in\n{}", self.text);
    }

    #[track_caller]
    fn ends(&self, code: i32) {
        assert_eq!(self.code, Some(code), "{}", self.text);
        let last = self.text.trim_end().lines().last().unwrap();
        assert!(code == 0 || last.starts_with("clawgauge:"), "{last}");
    }
}

/// Attaches with every report that there is.
fn attach(url: &str, secret: Option<&str>, flags: &[&str]) -> Attached {
    attach_with(Sandbox::whole(), url, secret, flags)
}

/// The same, with data of somebody's own.
fn attach_with(sandbox: Sandbox, url: &str, secret: Option<&str>, flags: &[&str]) -> Attached {
    let mut command = sandbox.clawgauge();
    if let Some(secret) = secret {
        command.env("CLAWGAUGE_ATTACH_SECRET", secret);
    }
    command.args(["attach", url]);
    if !flags.contains(&"--timeout") {
        command.args(["--timeout", "5"]);
    }
    if !flags.contains(&"--rate") {
        command.args(["--rate", "1000"]);
    }
    for format in Format::value_variants() {
        let path = sandbox.folder.path().join(format!("report.{format}"));
        let path = path.display();
        command.arg("--report").arg(format!("{format}={path}"));
    }
    let log = sandbox.folder.path().join("attach.log");
    command.arg("--log").arg(log).args(flags);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let record = std::fs::read(sandbox.folder.path().join("report.json")).unwrap_or_default();
    Attached {
        code: output.status.code(),
        text,
        record: serde_json::from_slice(&record).unwrap_or_default(),
        sandbox,
    }
}

/// A scenario whose contract begins late says nothing about older releases, and makes nobody forget them.
#[test]
fn a_contract_that_begins_late() {
    let sandbox = Sandbox::whole();
    let file = "scenarios/large-bodies.toml";
    sandbox.edit(file, "own-gateway = ", "# own-gateway = ");
    let gateway = gateway(&[], json!({ "mode": "none" }), json!({}));
    let got = attach_with(sandbox, &gateway.url(), None, &[]);
    got.ends(0);
    got.says("large-bodies");
    got.says("answers like 2026.");
    got.says("and later");
}

#[rstest]
#[case::none(json!({ "mode": "none" }), None, "mode none", 90)]
#[case::token(json!({ "mode": "token", "token": TOKEN }), Some(TOKEN), "mode token or password", 100)]
#[case::password(json!({ "mode": "password", "password": TOKEN }), Some(TOKEN), "mode token or password", 100)]
#[case::stranger(json!({ "mode": "token", "token": TOKEN }), None, "a credential is asked for", 50)]
fn a_sound_gateway(
    #[case] auth: Value,
    #[case] secret: Option<&str>,
    #[case] mode: &str,
    #[case] least: u64,
) {
    let is_open = auth["mode"] == "none";
    let gateway = gateway(&[], auth, json!({}));
    let got = attach(&gateway.url(), secret, &[]);
    got.ends(0);
    got.says(mode);
    got.says("and later");
    got.says("no known issue shows");
    got.says("nobody counts calls to its model");
    assert_eq!(
        got.text.contains("callers without a credential get in"),
        is_open
    );
    assert!(got.counts("conforms") >= least, "{}", got.text);
    assert_eq!(
        got.counts("could_not_run") + got.counts("deviates"),
        0,
        "{}",
        got.text
    );
    assert_eq!(gateway.model_calls(), 0);
    let answers = got.record["answers"].to_string();
    assert!(answers.contains("model-calls: not counted"), "{answers}");
    assert!(
        !answers.contains("\\\"data\\\""),
        "the operator's models: {answers}"
    );
}

#[test]
fn a_trusted_proxy_s_own_lines() {
    let auth = json!({ "mode": "trusted-proxy", "trustedProxy": {
        "userHeader": "x-auth-user", "allowUsers": ["me@example.com"], "allowLoopback": true } });
    let gateway = gateway(&[], auth, json!({ "trustedProxies": ["127.0.0.1"] }));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("identity");
    std::fs::write(
        &file,
        "X-Forwarded-For: 203.0.113.77\nX-Auth-User: me@example.com\n",
    )
    .unwrap();
    let got = attach(
        &gateway.url(),
        None,
        &["--identity-file", file.to_str().unwrap()],
    );
    got.ends(0);
    got.says("mode trusted-proxy");
    got.says("others on this machine can read");
    assert!(got.counts("conforms") > 80, "{}", got.text);
    assert!(!got.text.contains("me@example.com"), "{}", got.text);
    assert_eq!(gateway.model_calls(), 0);
}

#[rstest]
#[case::seed("absent-scopes-mean-none", None, "affected by openclaw#58357")]
#[case::unscoped_models("models-unscoped", None, "GHSA-68f8")]
#[case::any_password("password-accepts-any", Some(TOKEN), "show no valid credential")]
fn a_faulty_gateway(#[case] fault: &str, #[case] secret: Option<&str>, #[case] words: &str) {
    let auth = match secret {
        Some(secret) => json!({ "mode": "password", "password": secret }),
        None => json!({ "mode": "none" }),
    };
    let gateway = gateway(&["--fault", fault], auth, json!({}));
    let got = attach(&gateway.url(), secret, &[]);
    got.ends(1);
    got.says(words);
    assert_eq!(gateway.model_calls(), 0, "{}", got.text);
}

/// Judged as the release that the operator names, a gateway deviates; and what it looks like is said.
#[test]
fn a_release_that_is_said() {
    let gateway = open(&["--fault", "absent-scopes-mean-none"]);
    let got = attach(&gateway.url(), None, &["--release", "2026.9.6"]);
    got.ends(1);
    got.says("judged as 2026.9.6, as you say");
    got.says("deviate as by openclaw#58357");
    assert!(got.counts("deviates") > 0);
}

/// Whoever gives a credential takes the gateway for guarded.
#[rstest]
#[case::credential(&[], 3)]
#[case::mode(&["--mode", "token"], 3)]
#[case::meant(&["--mode", "none"], 0)]
fn a_credential_that_nobody_asks_for(#[case] flags: &[&str], #[case] code: i32) {
    let gateway = open(&[]);
    let got = attach(&gateway.url(), Some(TOKEN), flags);
    got.ends(code);
    got.says("nobody is asked for the credential that you gave");
}

/// Whatever lets in whom, nothing reaches the model: what is asked has nothing to answer.
#[rstest]
#[case("history-unscoped")]
#[case("body-before-credential")]
#[case("agent-known-before-credential")]
#[case("api-key-header-accepted")]
fn no_model_call_whoever_is_let_in(#[case] fault: &str) {
    let gateway = closed(&["--fault", fault]);
    attach(&gateway.url(), Some(TOKEN), &["--wrong-credentials", "100"]);
    assert_eq!(gateway.model_calls(), 0);
}

#[test]
fn model_calls_that_are_permitted() {
    let gateway = open(&[]);
    let got = attach(&gateway.url(), None, &["--allow-model-calls", "3"]);
    let calls = gateway.model_calls();
    assert!((1..=3).contains(&calls), "{calls} calls\n{}", got.text);
}

#[test]
fn what_is_switched_off_is_not_asked() {
    let off = json!({ "http": { "endpoints": { "chatCompletions": { "enabled": false }, "responses": { "enabled": false } } } });
    let gateway = gateway(&[], json!({ "mode": "none" }), off);
    let got = attach(&gateway.url(), None, &[]);
    got.ends(0);
    got.says("switched off there: /v1/chat/completions");
    got.says("the route is switched off there");
}

/// Pages that do not exist are answered with a page, as by the Control UI: it says nothing against a gateway whose release
/// does not have that probe. An answer of the gateway's own does.
#[rstest]
#[case::page("text/html", "<!doctype html>", false)]
#[case::probe(
    "application/json",
    r#"{"ok":true,"status":"started","version":"2026.7.1","uptimeMs":5}"#,
    true
)]
fn what_answers_where_the_release_has_nothing(
    #[case] kind: &'static str,
    #[case] body: &'static str,
    #[case] deviates: bool,
) {
    let gateway = closed(&[]);
    let port = gateway.port;
    let front = Server::start(move |head, stream| {
        let mut inner = TcpStream::connect(("127.0.0.1", port)).unwrap();
        inner.write_all(head.as_bytes()).unwrap();
        let mut answer = Vec::new();
        let _ = inner.read_to_end(&mut answer);
        let start_up = head.starts_with("GET /startup");
        match (start_up, answer.starts_with(b"HTTP/1.1 404")) {
            (true, _) => reply(stream, "200 OK", kind, body),
            (false, true) if head.starts_with("GET") => {
                reply(stream, "200 OK", "text/html", "<!doctype html>");
            }
            (false, _) => drop(stream.write_all(&answer)),
        }
    });
    let flags = ["--release", "2026.7.1", "--verbose"];
    let got = attach(&front.url(), Some(TOKEN), &flags);
    got.says("something else, such as the Control UI");
    let found = got.text.contains("expected not-found");
    assert_eq!(found, deviates, "{}", got.text);
}

// ---- limits

/// A server that answers every request by a function of its head, and notes when and what it was asked.
struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<(Instant, String)>>>,
}

impl Server {
    fn start(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<(Instant, String)>>> = Arc::default();
        let (notes, answer) = (Arc::clone(&asked), Arc::new(answer));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let (notes, answer) = (Arc::clone(&notes), Arc::clone(&answer));
                std::thread::spawn(move || {
                    let mut head = [0; 16 * 1024];
                    let count = stream.read(&mut head).unwrap_or(0);
                    let text = String::from_utf8_lossy(&head[..count]).into_owned();
                    notes.lock().unwrap().push((Instant::now(), text.clone()));
                    answer(&text, &mut stream);
                });
            }
        });
        Self { address, asked }
    }

    /// In front of a gateway: passes everything on.
    fn before(gateway: &Operator) -> Self {
        let port = gateway.port;
        Self::start(move |head, stream| {
            let mut inner = TcpStream::connect(("127.0.0.1", port)).unwrap();
            inner.write_all(head.as_bytes()).unwrap();
            let _ = std::io::copy(&mut inner, stream);
        })
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn asked(&self) -> Vec<(Instant, String)> {
        self.asked.lock().unwrap().clone()
    }
}

fn reply(stream: &mut TcpStream, status: &str, kind: &str, body: &str) {
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    let _ = stream.write_all(text.as_bytes());
}

#[rstest]
#[case::cells(30)]
#[case::probe(5)]
#[case::nothing(0)]
fn a_budget(#[case] most: usize) {
    let gateway = open(&[]);
    let front = Server::before(&gateway);
    let got = attach(&front.url(), None, &["--max-requests", &most.to_string()]);
    got.ends(4);
    assert_eq!(front.asked().len(), most, "{}", got.text);
    got.says("budget");
}

#[test]
fn a_rate() {
    let gateway = open(&[]);
    let front = Server::before(&gateway);
    attach(
        &front.url(),
        None,
        &["--max-requests", "20", "--rate", "20"],
    );
    let asked = front.asked();
    let took = asked[19].0 - asked[0].0;
    // 19 pauses of 50 ms, less what the first takes longer to arrive than the last.
    assert!(took >= Duration::from_millis(850), "{took:?}");
}

/// A gateway that locks out after three wrong credentials, loopback not exempt, never has a reason to.
#[rstest]
#[case::stranger(None)]
#[case::operator(Some(TOKEN))]
fn stays_below_a_lockout(#[case] secret: Option<&str>) {
    let limit =
        json!({ "maxAttempts": 3, "windowMs": 60000, "lockoutMs": 60000, "exemptLoopback": false });
    let auth = json!({ "mode": "token", "token": TOKEN, "rateLimit": limit });
    let gateway = gateway(&[], auth, json!({}));
    let front = Server::before(&gateway);
    let got = attach(&front.url(), secret, &[]);
    got.ends(0);
    let wrong = |head: &str| head.contains("Authorization: Bearer wrong");
    let asked = front.asked();
    let count = asked.iter().filter(|(_, head)| wrong(head)).count();
    assert!(
        count > 0 && count <= if secret.is_some() { 8 } else { 2 },
        "{count}"
    );
    assert_eq!(got.counts("could_not_run"), 0, "{}", got.text);
}

/// Even if it counts what it must not count: the first 429 is the last answer.
#[test]
fn stops_at_a_lockout() {
    let limit = json!({ "maxAttempts": 12, "windowMs": 60000, "lockoutMs": 60000, "exemptLoopback": false });
    let auth = json!({ "mode": "token", "token": TOKEN, "rateLimit": limit });
    let gateway = gateway(&["--fault", "lockout-counts-missing"], auth, json!({}));
    let front = Server::before(&gateway);
    let got = attach(&front.url(), None, &[]);
    got.ends(4);
    got.says("429");
    assert!(front.asked().len() <= 20, "{}", front.asked().len());
}

// ---- who is not asked

#[rstest]
#[case::network("http://192.0.2.1:1", "not loopback")]
#[case::everywhere("http://0.0.0.0:1", "not loopback")]
#[case::secret("http://me:hunter2@127.0.0.1:1", "no credentials in it")]
#[case::scheme("ftp://127.0.0.1:1", "it begins with neither http:// nor https://")]
#[case::network_over_tls("https://192.0.2.1", "not loopback")]
#[case::path("http://127.0.0.1:1/v1?token=hunter2", "no path")]
fn addresses_that_are_refused(#[case] url: &str, #[case] words: &str) {
    let got = attach(url, None, &[]);
    got.ends(2);
    got.says(words);
    assert!(!got.text.contains("hunter2"), "{}", got.text);
    let log = std::fs::read_to_string(got.sandbox.folder.path().join("attach.log"));
    assert!(!log.unwrap_or_default().contains("hunter2"));
}

#[test]
fn nobody_there() {
    let got = attach(&format!("http://127.0.0.1:{}", free_port()), None, &[]);
    got.ends(3);
    got.says("is not reachable");
    assert_eq!(
        got.record["gateways"][0]["error"]
            .as_str()
            .unwrap()
            .matches("reachable")
            .count(),
        1
    );
}

type Answer = fn(&str, &mut TcpStream);

#[test]
fn a_wrong_credential_is_shown_once() {
    let gateway = closed(&[]);
    let front = Server::before(&gateway);
    let got = attach(&front.url(), Some("not-the-Token"), &[]);
    got.ends(4);
    got.says("refuses the credential that you gave");
    let asked = front.asked();
    assert_eq!(
        asked
            .iter()
            .filter(|(_, head)| head.contains("not-the-Token"))
            .count(),
        1
    );
}

#[test]
fn a_dry_run_sends_nothing() {
    let server = Server::start(|_, _| {});
    let got = attach(
        &server.url(),
        Some(TOKEN),
        &["--dry-run", "--mode", "token"],
    );
    got.ends(0);
    got.says("nothing is sent");
    got.says("credential-shapes/profile=token/odd-credential=");
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn ctrl_c() {
    let gateway = open(&[]);
    let sandbox = Sandbox::whole();
    let report = sandbox.folder.path().join("r.json");
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("clawgauge"))
        .arg("--root")
        .arg(sandbox.root())
        .args(["attach", &gateway.url(), "--rate", "5", "--report"])
        .arg(format!("json={}", report.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(4));
    let id = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    let asked = Instant::now();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(asked.elapsed() < Duration::from_secs(5));
    let record: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    assert_eq!(record["run"]["interrupted"], true);
}
