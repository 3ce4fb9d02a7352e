//! The reference gateway behind a relay that misbehaves in one way: this very program.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::support::Sandbox;

/// An executable that runs the reference gateway, with more flags, behind the relay.
pub(super) fn faulty_with(sandbox: &Sandbox, fault: &str, flags: &str) -> String {
    let relay = std::env::current_exe().unwrap();
    let gateway = assert_cmd::cargo::cargo_bin!("clawgauge");
    let script = format!(
        "#!/bin/sh\ncase $1 in --version) exec '{0}' reference-gateway --version;; esac\n\
         STUB_FAULT='{fault}' STUB_MARK=\"${{0%/*}}/mark\" STUB_GATEWAY='{0}' STUB_ARGS=\"$* {flags}\" exec '{1}'\n",
        gateway.display(),
        relay.display()
    );
    sandbox.script("faulty-gateway", &script)
}

/// The relay before the reference gateway; what it does wrong is said in STUB_FAULT.
pub(super) fn stub() {
    let variable = |name: &str| std::env::var(name).unwrap();
    let args = variable("STUB_ARGS");
    let mut args: Vec<String> = args.split_whitespace().map(str::to_owned).collect();
    let port = 1 + args.iter().position(|word| word == "--port").unwrap();
    let public: u16 = args[port].parse().unwrap();
    // The last one of the block of ports that a launch owns.
    let inner = public + 3;
    args[port] = inner.to_string();
    let mut gateway = std::process::Command::new(variable("STUB_GATEWAY"))
        .arg("reference-gateway")
        .args(args)
        .spawn()
        .unwrap();
    let fault: Arc<str> = variable("STUB_FAULT").into();
    if let Some(what) = fault.strip_prefix("start: ") {
        call_model(what, "");
    }
    if &*fault == "has a pipe for its configuration" {
        let config = variable("OPENCLAW_CONFIG_PATH");
        std::thread::sleep(Duration::from_millis(500));
        std::fs::remove_file(&config).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&config).status();
        assert!(made.unwrap().success());
    }
    if &*fault == "refuses and serves" {
        let _ = writeln!(std::io::stderr(), "Gateway start blocked: no token");
    }
    let mark = variable("STUB_MARK");
    let first = !std::path::Path::new(&mark).exists();
    std::fs::write(mark, "").unwrap();
    let fault: Arc<str> = match fault.split_once(" once: ") {
        Some((how, what)) if first => format!("{how}: {what}").into(),
        Some(_) => "nothing".into(),
        None => fault,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, public)).unwrap();
    for client in listener.incoming() {
        let fault = Arc::clone(&fault);
        if &*fault == "refuses and serves" {
            let mut client = client.unwrap();
            let _ = client.read(&mut [0; 4096]);
            // The probes say "not yet".
            let _ = client.write_all(b"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\n{}");
            continue;
        }
        // Until it is up, nobody is answered.
        let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, inner)) else {
            assert!(
                gateway.try_wait().unwrap().is_none(),
                "the gateway has ended"
            );
            continue;
        };
        std::thread::spawn(move || relay(client.unwrap(), server, &fault));
    }
}

/// The last answer to somebody who was let in, and to somebody who was denied.
static OTHERS: Mutex<[Option<Vec<u8>>; 2]> = Mutex::new([None, None]);
/// Whether somebody was let in who must not.
static LET_IN: AtomicBool = AtomicBool::new(false);

/// One request and its answer.
fn relay(mut client: TcpStream, mut server: TcpStream, fault: &str) {
    let request = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&request);
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            seen.lock().unwrap().extend_from_slice(&bytes[..count]);
            to.write_all(&bytes[..count]).unwrap();
        }
        let _ = to.shutdown(Shutdown::Write);
    });
    let mut piece = [0; 64 * 1024];
    let mut first = true;
    while let Ok(count @ 1..) = server.read(&mut piece) {
        let mut answer = piece[..count].to_vec();
        if first && !answer.starts_with(b"HTTP/1.1 101") {
            let _ = server.read_to_end(&mut answer);
        }
        let request = String::from_utf8_lossy(&request.lock().unwrap()).into_owned();
        let begins = std::mem::take(&mut first);
        if begins
            && fault == "runs a webhook again later"
            && request.starts_with("POST /hooks//agent")
        {
            let text = words(&request).to_owned();
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(500));
                call_model("user {text}", &text);
            });
        }
        if begins && request.starts_with("POST /v1/chat/completions") {
            let denied = answer.starts_with(b"HTTP/1.1 401");
            // The control is no cell.
            let own = !request.contains("control canary-");
            if fault == "starves" && !denied && own || fault == "starves and sends" && denied {
                let _ = writeln!(std::io::stderr(), "accept: EMFILE, too many open files");
                if denied {
                    call_model("user {text}", words(&request));
                }
                let _ = client.write_all(b"HTTP/1.1 500 Oh No\r\nContent-Length: 0\r\n\r\n");
                return;
            }
            misbehave(fault, denied, &request);
        }
        let denied = answer.starts_with(b"HTTP/1.1 401");
        let chat = request.starts_with("POST /v1/chat/completions");
        if denied && chat && fault.starts_with("garbles: ") {
            let _ = client.write_all(b"whatever you want\r\n");
            break;
        }
        if denied && chat && (fault.starts_with("dropped: ") || fault.starts_with("broken off: ")) {
            if fault.starts_with("broken off: ") {
                let _ = client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nanswer");
            }
            break;
        }
        let Some(answer) = changed(fault, &request, &answer) else {
            break;
        };
        if chat && fault.ends_with(" without end") {
            let (begin, again): (&[u8], &[u8]) = match fault {
                "heads without end" => (b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n"),
                _ => (b"HTTP/1.1 200 OK\r\n\r\n", b"and so on "),
            };
            let _ = client.write_all(begin);
            while client.write_all(&again.repeat(100)).is_ok() {}
            return;
        }
        let holds = fault.ends_with(", and holds") && answer.starts_with(b"HTTP/1.1 200");
        let hangs =
            fault.ends_with(", and hangs") && denied && !answer.starts_with(b"HTTP/1.1 200");
        if hangs && LET_IN.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_secs(600));
        }
        if holds && denied {
            let _ = client.write_all(&answer);
            std::thread::sleep(Duration::from_secs(600));
        }
        if client.write_all(&answer).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}

/// What the relay makes of the beginning of an answer; nothing where it drops it.
fn changed(fault: &str, request: &str, answer: &[u8]) -> Option<Vec<u8>> {
    static WRONG: AtomicUsize = AtomicUsize::new(0);
    let text = String::from_utf8_lossy(answer);
    let denied = text.starts_with("HTTP/1.1 401");
    let is_wrong = || request.contains("Authorization: Bearer ") && !request.contains(&token());
    let list = "{\"object\":\"list\",\"data\":[]}";
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ";
    let plain = Some(answer.to_vec());
    match fault {
        "says more" if text.starts_with("HTTP/1.1 403") => {
            Some(with_a_field(answer, "at /srv/app"))
        }
        "says more to strangers" if denied => Some(with_a_field(answer, "at /srv/app")),
        "tells its token when it is ready" if request.starts_with("GET /ready") => {
            Some(with_a_field(answer, &token()))
        }
        "tells its token beside the status" if denied => {
            Some(text.replacen("Unauthorized", &token(), 1).into_bytes())
        }
        "tells its token as a header" if denied => {
            let line = format!("\r\nX-{}: 1\r\n", token());
            Some(text.replacen("\r\n", &line, 1).into_bytes())
        }
        _ if denied && fault.starts_with("tells its token: ") => {
            let spelling = fault.trim_start_matches("tells its token: ");
            Some(with_a_field(answer, &spelled(spelling, &token())))
        }
        "answers by halves" if request.starts_with("POST /v1/chat") => Some(answer[..answer.len() - 1 - answer.len() / 8].to_vec()),
        "answers somebody else" if request.starts_with("POST /v1/chat") => {
            let mut others = OTHERS.lock().unwrap();
            let given = others[usize::from(!denied)].clone();
            others[usize::from(denied)] = Some(answer.to_vec());
            Some(given.unwrap_or_else(|| answer.to_vec()))
        }
        "redirects" if request.starts_with("POST /v1/chat") => Some(
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/login\r\nContent-Length: 0\r\n\r\n"
                .to_vec(),
        ),
        "lets browsers guess" if denied => {
            let line = "x-content-type-options: nosniff\r\n";
            Some(text.replacen(line, "", 1).into_bytes())
        }
        "sends more than it says" if denied => Some([answer, b"HTTP/1.1 200 OK\r\n\r\n"].concat()),
        _ if denied && fault.starts_with("adds ") => {
            let line = fault.trim_start_matches("adds ");
            Some(
                text.replacen("\r\n", &format!("\r\n{line}\r\n"), 1)
                    .into_bytes(),
            )
        }
        "tells its token early" if denied => {
            let early = format!("HTTP/1.1 103 Early\r\nLink: <{}>\r\n\r\n", token());
            Some([early.as_bytes(), answer].concat())
        }
        "answers late while it locks" if text.starts_with("HTTP/1.1 429") => {
            std::thread::sleep(Duration::from_millis(8500));
            plain
        }
        "locks for no time" => {
            let line = text
                .lines()
                .find(|line| line.to_lowercase().starts_with("retry-after"));
            line.map_or(plain, |line| {
                Some(text.replace(line, "Retry-After: 0").into_bytes())
            })
        }
        "lets the first wrong one in"
        | "lets the first wrong one in, and hangs"
        | "drops the third wrong one"
            if denied && is_wrong() =>
        {
            match (fault, WRONG.fetch_add(1, Ordering::SeqCst)) {
                ("lets the first wrong one in" | "lets the first wrong one in, and hangs", 0) => {
                    LET_IN.store(true, Ordering::SeqCst);
                    Some(format!("{head}27\r\n\r\n{list}").into_bytes())
                }
                ("drops the third wrong one", 6) => None,
                _ => plain,
            }
        }
        "lets in, and breaks off" | "lets in, and holds" if denied => {
            Some(format!("{head}28\r\n\r\n{list}").into_bytes())
        }
        "dies late" if denied => {
            std::thread::spawn(|| {
                std::thread::sleep(Duration::from_millis(700));
                #[expect(clippy::exit, reason = "it dies")]
                std::process::exit(9);
            });
            plain
        }
        _ => plain,
    }
}

/// The token that the gateway is configured with.
fn token() -> String {
    let config = std::fs::read(std::env::var("OPENCLAW_CONFIG_PATH").unwrap()).unwrap();
    let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
    let token = config["gateway"]["auth"]["token"].as_str();
    token.unwrap_or_default().to_owned()
}

/// The same answer, with one more field in its JSON body.
fn with_a_field(answer: &[u8], value: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let lines = head.lines();
    let head: Vec<&str> = lines
        .filter(|line| !line.to_lowercase().starts_with("content-length"))
        .collect();
    let body = body.replacen('{', &format!("{{\"stack\":\"{value}\","), 1);
    let length = body.len();
    format!(
        "{}\r\nContent-Length: {length}\r\n\r\n{body}",
        head.join("\r\n")
    )
    .into_bytes()
}

/// What a request says to the model.
fn words(request: &str) -> &str {
    request.find("ping canary-").map_or("", |start| {
        let rest = &request[start..];
        &rest[..rest.find('"').unwrap()]
    })
}

fn misbehave(fault: &str, denied: bool, request: &str) {
    let text = words(request);
    match fault.split_once(": ") {
        Some(("denied" | "dropped" | "broken off", what)) if denied => call_model(what, text),
        Some(("let in", what)) if !denied && !text.is_empty() => call_model(what, text),
        Some((when, what)) if denied && when.starts_with("after ") => {
            let wait = when.split(' ').nth(1).unwrap().parse().unwrap();
            let (what, text) = (what.to_owned(), text.to_owned());
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(wait));
                call_model(&what, &text);
            });
        }
        _ => {}
    }
}

/// Words with a text in them, in the spelling that they ask for.
fn spelled(words: &str, text: &str) -> String {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    words
        .replace("{text}", text)
        .replace("{base64}", &base64(text.as_bytes()))
        .replace("{hex}", &hex)
        .replace("{percent}", &percent)
        .replace("{upper}", &text.to_uppercase())
        .replace("{backwards}", &text.chars().rev().collect::<String>())
        .replace("{end}", &text[text.len().saturating_sub(8)..])
}

/// Calls the model as `what` says: a role or a path, and the words.
fn call_model(what: &str, text: &str) {
    let (role, words) = what.split_once(' ').unwrap();
    let words = spelled(words, text);
    let (path, body) = match role {
        "system" => (
            "/v1/chat/completions",
            serde_json::json!({ "messages": [{ "role": "system", "content": words }, { "role": "user", "content": "go on" }] }),
        ),
        "user" => (
            "/v1/chat/completions",
            serde_json::json!({ "messages": [{ "role": "user", "content": words }] }),
        ),
        path => (path, serde_json::json!({ "input": words })),
    };
    let config = std::fs::read(std::env::var("OPENCLAW_CONFIG_PATH").unwrap()).unwrap();
    let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
    let url = config["models"]["providers"]["mock"]["baseUrl"]
        .as_str()
        .unwrap();
    let address = url.trim_start_matches("http://").trim_end_matches("/v1");
    let body = body.to_string();
    let length = body.len();
    let mut model = TcpStream::connect(address).unwrap();
    write!(
        model,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let _ = model.read_to_end(&mut Vec::new());
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let bits = group
            .iter()
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - group.len()));
        for place in 0..4 {
            out.push(match place <= group.len() {
                true => char::from(DIGITS[(bits >> (18 - 6 * place) & 63) as usize]),
                false => '=',
            });
        }
    }
    out
}
