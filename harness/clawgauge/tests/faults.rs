//! The table of faults: ways in which a gateway, or the machine, does not do what a run counts on. A row names the fault,
//! the exit code and the last line that a run must end with; nothing may be left behind. Rows are added to [`faults`].
//!
//! The gateway of a row is the reference gateway behind a relay that misbehaves in one way: this very program, see [`stub`].

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rstest::rstest;
use support::Sandbox;

/// The cells that a row asks: four callers who are let in, ten who are denied.
const CELLS: [&str; 4] = ["--where", "profile=token", "--where", "scopes=absent"];
const LET_IN: &str = "of 14 cells that ran, 10 deviate (exit code 1)";
const UNEXPLAINED: &str = "profile token: 10 calls of the model that no request explains which was let in (POST /v1/chat/completions): its denials prove nothing (exit code 3)";

/// What the gateway does beside answering as it must.
#[rstest]
#[case::sound("nothing", 0, "")]
#[case::denied_but_sent_without_the_canary("denied: user ping", 3, UNEXPLAINED)]
#[case::denied_but_sent("denied: user {text}", 1, LET_IN)]
#[case::denied_but_sent_in_base64("denied: user {base64}", 1, LET_IN)]
#[case::denied_but_sent_in_hexadecimal("denied: user {hex}", 1, LET_IN)]
#[case::denied_but_sent_percent_encoded("denied: user {percent}", 1, LET_IN)]
#[case::denied_but_sent_in_upper_case("denied: user {upper}", 1, LET_IN)]
#[case::denied_but_sent_backwards("denied: user {backwards}", 1, LET_IN)]
#[case::denied_but_its_end_sent("denied: user {end}", 1, LET_IN)]
#[case::denied_but_sent_as_system_message("denied: system {text}", 1, LET_IN)]
#[case::denied_but_sent_on_another_path("denied: /v1/responses {text}", 1, LET_IN)]
#[case::denied_but_sent_after_0_2_s("after 200 ms: user {text}", 1, LET_IN)]
#[case::denied_but_sent_after_0_6_s("after 600 ms: user {text}", 1, LET_IN)]
#[case::denied_but_sent_after_1_s("after 1000 ms: user {text}", 1, LET_IN)]
#[case::denied_but_sent_after_1_s_without_the_canary("after 1000 ms: user ping", 3, UNEXPLAINED)]
#[case::called_before_anybody_asked("start: user ping", 0, "")]
#[case::called_again_for_who_was_let_in("let in: system title of {text}", 0, "")]
#[case::out_of_files(
    "starves",
    3,
    "profile token: this machine ran out of something: accept: EMFILE, too many open files (exit code 3)"
)]
fn faults(#[case] fault: &str, #[case] code: i32, #[case] last_line: &str) {
    let sandbox = Sandbox::new();
    let gateway = faulty(&sandbox, fault);
    let mut args = vec!["run", "--gateway", &gateway, "--report", "json=record.json"];
    args.extend(CELLS);
    ends(&sandbox, &args, code, last_line);
    let record = std::fs::read(sandbox.folder.path().join("record.json")).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    let launch = &record["gateways"][0]["launches"][0];
    let (proof, unexplained) = match last_line == UNEXPLAINED {
        true => ("void", 10),
        false => ("shown", 0),
    };
    assert_eq!(launch["proof"], proof, "{launch}");
    let counted = launch["model"]["unexplained"].as_u64();
    assert_eq!(counted.unwrap_or(0), unexplained, "{launch}");
    // Where every caller is seen to have got in, nobody was denied, and there is nothing to wait for.
    let denied = last_line != LET_IN || fault.starts_with("after ");
    let settled = if denied { 1500 } else { 0 };
    assert_eq!(launch["model"]["settled_ms"], settled, "{launch}");
}

/// What happened in a launch stays, whatever a later one answers.
#[rstest]
#[case::dropped("dropped once: user {text}")]
#[case::broken_off("broken off once: user {text}")]
fn a_retry_forgives_no_call(#[case] fault: &str) {
    let sandbox = Sandbox::new();
    let gateway = faulty(&sandbox, fault);
    let mut args = vec!["run", "--gateway", &gateway, "--retries", "1"];
    args.extend(CELLS);
    let told =
        "(for a request to be denied that got no answer): its denials prove nothing (exit code 3)";
    ends(&sandbox, &args, 3, told);
}

/// A sequence sends some requests several times: each is judged.
#[test]
fn the_first_of_a_streak_is_let_in() {
    let sandbox = Sandbox::whole();
    let gateway = faulty(&sandbox, "lets the first wrong one in");
    let args = ["run", "--gateway", &gateway, "lockout/**", "--quiet"];
    ends(&sandbox, &args, 1, "deviate (exit code 1)");
}

/// It says that it will not start, and serves.
#[test]
fn a_refusal_that_serves() {
    let sandbox = Sandbox::whole();
    let gateway = faulty(&sandbox, "refuses and serves");
    let profile = ["--where", "profile=refuse-empty-token"];
    let args = ["run", "--gateway", &gateway, "start/**"];
    ends(
        &sandbox,
        &[&args[..], &profile].concat(),
        1,
        "of 1 cells that ran, 1 deviate (exit code 1)",
    );
}

/// So few files may be open.
#[rstest]
#[case::files_24(24)]
#[case::files_64(64)]
#[case::files_256(256)]
fn starvation(#[case] files: u32) {
    let sandbox = Sandbox::new();
    let last_line = format!(
        "clawgauge: nothing ran: only {files} files may be open at a time here, and a run takes at least 512 (exit code 4)"
    );
    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    let limited = format!("ulimit -n {files}; exec '{}' \"$@\"", binary.display());
    let root = sandbox.root().to_str().unwrap().to_owned();
    let args = ["-c", &limited, "sh", "--root", &root, "run"];
    let mut command = assert_cmd::Command::new("sh");
    command
        .env("TMPDIR", sandbox.temp())
        .env("NO_COLOR", "1")
        .env_remove("CI")
        .args(args);
    assert_ends(&sandbox, &mut command, 4, &last_line);
}

/// What is too large, too deep or not there is refused by name, before anything is made of it.
#[rstest]
#[case::nested_glob("", &["list", "{900}"], 2, "is not a glob")]
#[case::deeply_nested_glob("", &["list", "{5000}"], 2, "longer than 2000 characters")]
#[case::no_gateway("[run]\ngateway = []\n", &["run"], 2, "names no gateway")]
fn bounds(#[case] project: &str, #[case] args: &[&str], #[case] code: i32, #[case] told: &str) {
    let sandbox = Sandbox::new();
    if !project.is_empty() {
        std::fs::write(sandbox.folder.path().join("clawgauge.toml"), project).unwrap();
    }
    // So many braces.
    let nested = |text: &str| -> Option<String> {
        let depth = text.strip_prefix('{')?.strip_suffix('}')?.parse().ok()?;
        Some(format!("{}a{}", "{".repeat(depth), "}".repeat(depth)))
    };
    let args = args
        .iter()
        .map(|arg| nested(arg).unwrap_or((*arg).to_owned()));
    let mut command = sandbox.clawgauge();
    let output = command.args(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(told), "{said}");
    assert!(!said.contains("a bug in clawgauge"), "{said}");
}

/// A matrix is counted before it is made.
#[rstest]
#[case::check(&["check"])]
#[case::list(&["list"])]
#[case::plan(&["plan"])]
#[case::run(&["run"])]
fn a_matrix_without_end(#[case] args: &[&str]) {
    use std::fmt::Write as _;
    let sandbox = Sandbox::new();
    let root = sandbox.root();
    let mut scenario = "schema = 1\nid = \"endless\"\ntitle = \"x\"\n[request]\npath = \"/\"\n[axes]\nprofile = [\"none\"]\n".to_owned();
    for axis in ["a", "b", "c"] {
        let values: String = (0..1000).fold(String::new(), |mut text, number| {
            let _ = write!(text, "[[value]]\nid = \"{axis}{number}\"\ntitle = \"x\"\n");
            text
        });
        let file = format!("schema = 1\naxis = \"{axis}\"\ntitle = \"x\"\n{values}");
        std::fs::write(root.join(format!("scenarios/axes/{axis}.toml")), file).unwrap();
        let names: Vec<String> = (0..1000)
            .map(|number| format!("\"{axis}{number}\""))
            .collect();
        let _ = writeln!(scenario, "{axis} = [{}]", names.join(", "));
    }
    let rule =
        "[[rule]]\nid = \"r\"\ntitle = \"x\"\nwhen = {}\nexpect = \"answered\"\nsource = \"x\"\n";
    std::fs::write(root.join("scenarios/endless.toml"), scenario + rule).unwrap();
    let mut command = sandbox.clawgauge();
    let output = command
        .args(args)
        .timeout(Duration::from_secs(30))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("1000000000 cells, and a scenario may have 1000000"),
        "{said}"
    );
}

/// Configurations name files in the temporary folder, and are text.
#[test]
fn a_temporary_folder_that_is_no_text() {
    use std::os::unix::ffi::OsStrExt as _;
    let sandbox = Sandbox::new();
    let odd = sandbox.temp().join(std::ffi::OsStr::from_bytes(b"\xff"));
    std::fs::create_dir(&odd).unwrap();
    let mut command = sandbox.clawgauge();
    let output = command
        .env("TMPDIR", &odd)
        .arg("run")
        .args(CELLS)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("is not UTF-8"), "{said}");
    assert!(said.contains("set TMPDIR"), "{said}");
}

/// Whatever is asked for at a time, no more is done than files may be open.
#[test]
fn a_wish_for_endless_work_is_bounded() {
    let sandbox = Sandbox::new();
    let mut args = vec![
        "run",
        "--jobs",
        "1000000000",
        "--launches",
        "18446744073709551615",
    ];
    args.extend(CELLS);
    ends(&sandbox, &args, 0, "");
}

fn ends(sandbox: &Sandbox, args: &[&str], code: i32, last_line: &str) {
    assert_ends(sandbox, sandbox.clawgauge().args(args), code, last_line);
}

fn assert_ends(sandbox: &Sandbox, command: &mut assert_cmd::Command, code: i32, last_line: &str) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{said}");
    let last = said.trim_end().lines().last().unwrap_or_default();
    assert!(last.ends_with(last_line), "{last:?}\nof\n{said}");
    sandbox.assert_clean();
}

/// An executable that runs the reference gateway behind the relay.
fn faulty(sandbox: &Sandbox, fault: &str) -> String {
    let relay = std::env::current_exe().unwrap();
    let gateway = assert_cmd::cargo::cargo_bin!("clawgauge");
    let script = format!(
        "#!/bin/sh\ncase $1 in --version) exec '{0}' reference-gateway --version;; esac\n\
         STUB_FAULT='{fault}' STUB_MARK=\"${{0%/*}}/mark\" STUB_GATEWAY='{0}' STUB_ARGS=\"$*\" exec '{1}' --exact stub --ignored --nocapture\n",
        gateway.display(),
        relay.display()
    );
    sandbox.script("faulty-gateway", &script)
}

/// The relay before the reference gateway; what it does wrong is said in STUB_FAULT.
#[test]
#[ignore = "a gateway for the rows above"]
fn stub() {
    let variable = |name: &str| std::env::var(name).unwrap();
    let args = variable("STUB_ARGS");
    let mut args: Vec<String> = args.split(' ').map(str::to_owned).collect();
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
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
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
    let mut answer = [0; 64 * 1024];
    let mut first = true;
    while let Ok(count @ 1..) = server.read(&mut answer) {
        let request = String::from_utf8_lossy(&request.lock().unwrap()).into_owned();
        if std::mem::take(&mut first) && request.starts_with("POST /v1/chat/completions") {
            let denied = answer.starts_with(b"HTTP/1.1 401");
            // The control is no cell.
            let own = !request.contains("control canary-");
            if fault == "starves" && !denied && own {
                let _ = writeln!(std::io::stderr(), "accept: EMFILE, too many open files");
                let _ = client.write_all(b"HTTP/1.1 500 Oh No\r\nContent-Length: 0\r\n\r\n");
                return;
            }
            misbehave(fault, denied, &request);
        }
        static WRONG: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        if fault == "lets the first wrong one in"
            && answer.starts_with(b"HTTP/1.1 401")
            && request.contains("Authorization: Bearer ")
        {
            let list = "{\"object\":\"list\",\"data\":[]}";
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 27\r\n\r\n";
            if WRONG.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 {
                let _ = client.write_all(format!("{head}{list}").as_bytes());
                break;
            }
        }
        let denied = answer.starts_with(b"HTTP/1.1 401");
        let chat = request.starts_with("POST /v1/chat/completions");
        if denied && chat && (fault.starts_with("dropped: ") || fault.starts_with("broken off: ")) {
            if fault.starts_with("broken off: ") {
                let _ = client.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nanswer");
            }
            break;
        }
        if client.write_all(&answer[..count]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
}

fn misbehave(fault: &str, denied: bool, request: &str) {
    let text = request.find("ping canary-").map_or("", |start| {
        let rest = &request[start..];
        &rest[..rest.find('"').unwrap()]
    });
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

/// Calls the model as `what` says: a role or a path, and the words.
fn call_model(what: &str, text: &str) {
    let (role, words) = what.split_once(' ').unwrap();
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let words = words
        .replace("{text}", text)
        .replace("{base64}", &base64(text.as_bytes()))
        .replace("{hex}", &hex)
        .replace("{percent}", &percent)
        .replace("{upper}", &text.to_uppercase())
        .replace("{backwards}", &text.chars().rev().collect::<String>())
        .replace("{end}", &text[text.len().saturating_sub(8)..]);
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
