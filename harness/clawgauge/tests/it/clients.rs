//! Other clients as senders, against the reference gateway: what is not installed, what breaks, what leaks. Nothing here is
//! downloaded; curl is the machine's.

use std::fs;
use std::process::{Command as Process, Stdio};

use crate::support;
use crate::support::{Sandbox, until_said};
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use serde_json::Value;

const SCENARIO: &str = "client-libraries/**";

/// Runs with these flags: exit code, record, and what was said.
fn run(sandbox: &Sandbox, flags: &[&str]) -> (Option<i32>, Value, String) {
    let output = sandbox
        .clawgauge()
        .args(["run", "--report", "json=r.json"])
        .args(flags)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    let record = fs::read(sandbox.folder.path().join("r.json")).unwrap();
    (
        output.status.code(),
        serde_json::from_slice(&record).unwrap(),
        said,
    )
}

/// Cells of a sender.
fn cells<'a>(record: &'a Value, sender: &str) -> Vec<&'a Value> {
    let cells = record["cells"].as_array().unwrap();
    let mine = cells.iter().filter(|cell| cell["axes"]["sender"] == sender);
    let mine: Vec<&Value> = mine.collect();
    assert!(!mine.is_empty(), "no cell is asked by {sender}");
    mine
}

/// A machine without the libraries: their cells are not asked and say what to do, and nothing is downloaded.
#[test]
fn a_library_that_is_not_installed_is_said_to_be_so() {
    let sandbox = Sandbox::whole();
    let (code, record, said) = run(&sandbox, &[SCENARIO]);
    assert_eq!(code, Some(0), "{said}");
    for sender in ["openai-python", "openai-node"] {
        let reason = format!("clawgauge clients install {sender}");
        for cell in cells(&record, sender) {
            assert_eq!(cell["verdict"], "not-asked");
            assert!(
                cell["reason"].as_str().unwrap().ends_with(&reason),
                "{cell}"
            );
        }
        assert!(said.contains(&reason), "{said}");
    }
    for sender in ["harness", "curl"] {
        for cell in cells(&record, sender) {
            assert_eq!(cell["verdict"], "conforms", "{cell}");
        }
    }
    let gateway = &record["gateways"][0];
    assert_eq!(gateway["senders"][0]["id"], "curl");
    let runtime = gateway["senders"][0]["runtime"].as_str().unwrap();
    assert!(
        runtime.starts_with("curl ") && runtime.len() > 6,
        "{runtime}"
    );
    assert_eq!(gateway["missing"].as_object().unwrap().len(), 2);
    assert!(!sandbox.folder.path().join(".cache").exists());
    sandbox.assert_clean();
}

/// Where no cell that is selected is sent by others, nobody is looked for, and a record says nothing of them.
#[test]
fn who_is_not_needed_is_not_looked_for() {
    let sandbox = Sandbox::whole();
    let (code, record, said) = run(&sandbox, &["probes/**"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(record["gateways"][0].get("senders").is_none());
    assert!(record["gateways"][0].get("missing").is_none());
}

#[test]
fn a_machine_without_curl_is_told_how_to_get_it() {
    let sandbox = Sandbox::whole();
    let mut command = sandbox.clawgauge();
    let flags = ["plan", SCENARIO, "--where", "sender=curl"];
    let assert = command.env("PATH", sandbox.folder.path()).args(flags);
    let reason = "not asked: curl is not installed: apt-get install curl";
    assert.assert().code(0).stdout(contains(reason));
}

/// The record of a machine without the libraries is judged the same again elsewhere.
#[test]
fn a_bundle_is_judged_again_with_what_was_missing_then() {
    let sandbox = Sandbox::whole();
    let flags = [SCENARIO, "--bundle", "evidence.tar.gz"];
    let (code, _, said) = run(&sandbox, &flags);
    assert_eq!(code, Some(0), "{said}");
    let verify = ["verify", "evidence.tar.gz"];
    sandbox.clawgauge().args(verify).assert().code(0);
}

/// A client of somebody's own: a file, a script, and its name in the scenario.
#[test]
fn a_new_sender_is_files_only() {
    let sandbox = Sandbox::whole();
    let senders = sandbox.root().join("fixtures/senders");
    let text = fs::read_to_string(senders.join("curl.toml")).unwrap();
    let text = text
        .replace("id = \"curl\"", "id = \"mine\"")
        .replace("senders/curl.sh", "senders/mine.sh");
    fs::write(senders.join("mine.toml"), text).unwrap();
    fs::copy(senders.join("curl.sh"), senders.join("mine.sh")).unwrap();
    let scenario = "scenarios/client-libraries.toml";
    sandbox.edit(
        scenario,
        "[\"harness\", \"curl\",",
        "[\"harness\", \"mine\", \"curl\",",
    );
    sandbox.edit(
        scenario,
        "= [\"harness\", \"curl\"]",
        "= [\"harness\", \"mine\", \"curl\"]",
    );
    for outcome in ["unauthorized", "missing-scope-write", "missing-scope-read"] {
        let line = format!("curl = \"{outcome}\"");
        sandbox.edit(scenario, &line, &format!("{line}\nmine = \"{outcome}\""));
    }
    let flags = [
        SCENARIO,
        "--where",
        "sender=mine",
        "--where",
        "profile=token",
    ];
    let (_, record, said) = run(&sandbox, &flags);
    for cell in cells(&record, "mine") {
        // No snapshot can hold what was never sent.
        assert_eq!(cell["verdict"], "new", "{said}");
        let expected = &cell["expected"]["outcome"];
        assert_eq!(cell["observed"]["outcome"], *expected, "{cell}");
    }
}

/// Junk, crashes and silence are no answers: the run is incomplete, and says which client it was and what it did.
#[test]
fn a_sender_that_breaks_is_no_answer_and_not_waited_for_again_and_again() {
    for (script, why) in [
        (
            "cat > /dev/null; echo 'Traceback (most recent call last)'",
            "curl: it must print one JSON line",
        ),
        (
            "cat > /dev/null; echo 'no such module' >&2; exit 1",
            "curl: it ended with exit status: 1: no such module",
        ),
        ("sleep 600", "curl: it did not answer within 5 s"),
        (
            "cat > /dev/null; echo '{\"no_answer\":\"ConnectError\"}'",
            "curl: ConnectError",
        ),
    ] {
        let sandbox = Sandbox::whole();
        fs::write(sandbox.root().join("fixtures/senders/curl.sh"), script).unwrap();
        let flags = [
            SCENARIO,
            "--where",
            "sender=curl,harness",
            "--where",
            "profile=token",
            "--timeout",
            "5",
        ];
        let begun = std::time::Instant::now();
        let (code, record, said) = run(&sandbox, &flags);
        assert_eq!(code, Some(4), "{said}");
        let reasons: Vec<&str> = cells(&record, "curl")
            .iter()
            .map(|cell| cell["reason"].as_str().unwrap())
            .collect();
        assert!(
            reasons.iter().any(|reason| reason.starts_with(why)),
            "{reasons:?}"
        );
        let given_up = "curl: given up after 3 failures in a row";
        assert!(reasons.contains(&given_up), "{reasons:?}");
        // The gateway is not to blame, and clawgauge's own requests are answered.
        for cell in cells(&record, "harness") {
            assert_eq!(cell["verdict"], "conforms", "{said}");
        }
        assert!(begun.elapsed().as_secs() < 60);
        sandbox.assert_clean();
    }
}

/// A gateway that is silent: no answer, whatever the client says of it.
#[test]
fn a_silent_gateway_is_no_refusal() {
    let sandbox = Sandbox::whole();
    let gateway = sandbox.broken_gateway("hangs");
    let flags = [
        "client-libraries/profile=none/sender=curl/endpoint=chat/**",
        "--gateway",
        &gateway,
        "--timeout",
        "3",
    ];
    let (code, record, said) = run(&sandbox, &flags);
    assert_eq!(code, Some(4), "{said}");
    for cell in cells(&record, "curl") {
        assert_eq!(cell["verdict"], "could-not-run", "{cell}");
        assert!(cell["observed"].is_null(), "{cell}");
    }
    sandbox.assert_clean();
}

/// Whoever shouts the request out tells no secret: neither in the record nor to anybody who looks at processes.
#[test]
fn no_secret_is_told() {
    let sandbox = Sandbox::whole();
    let script = "tr '\\n' ' ' >&2; exit 3";
    fs::write(sandbox.root().join("fixtures/senders/curl.sh"), script).unwrap();
    let flags = [
        SCENARIO,
        "--where",
        "sender=curl",
        "--where",
        "profile=token",
        "--keep-temp",
    ];
    let (_, record, said) = run(&sandbox, &flags);
    let text = record.to_string();
    assert!(
        text.contains("Authorization: Bearer [secret:secret]"),
        "{text}"
    );
    let secrets = support::secrets_below(&sandbox.temp());
    assert!(!secrets.is_empty());
    for secret in secrets {
        assert!(!text.contains(&secret) && !said.contains(&secret), "{said}");
    }
    // Nor does the record know where the launch was.
    assert!(!text.contains(sandbox.temp().to_str().unwrap()), "{text}");
}

/// While curl works, no process has a secret among its arguments or in its environment.
#[test]
fn no_secret_is_an_argument() {
    let sandbox = Sandbox::whole();
    let path = sandbox.root().join("fixtures/senders/curl.sh");
    let script = fs::read_to_string(&path).unwrap();
    let seen = sandbox.folder.path().join("seen");
    // A curl in front of curl that writes down what it was called with.
    let wrapper = sandbox.folder.path().join("bin/curl");
    let real = ["/usr/bin/curl", "/usr/local/bin/curl", "/bin/curl"];
    let real = real.iter().find(|path| fs::metadata(path).is_ok()).unwrap();
    support::executable(
        &wrapper,
        &format!(
            "#!/bin/sh\n{{ echo \"$0 $*\"; env; }} >> '{}'\nexec {real} \"$@\"\n",
            seen.display()
        ),
    );
    fs::write(
        &path,
        format!(
            "PATH={}:$PATH\n{script}",
            wrapper.parent().unwrap().display()
        ),
    )
    .unwrap();
    let flags = [
        SCENARIO,
        "--where",
        "sender=curl",
        "--where",
        "profile=token",
        "--keep-temp",
    ];
    let (code, _, said) = run(&sandbox, &flags);
    assert_eq!(code, Some(0), "{said}");
    let seen = fs::read_to_string(seen).unwrap();
    assert!(seen.contains("--config -"), "{seen}");
    for secret in support::secrets_below(&sandbox.temp()) {
        assert!(!seen.contains(&secret), "{seen}");
    }
}

/// Ctrl-C while a client hangs: it ends with the run, and leaves neither processes nor files.
#[test]
fn an_interrupt_ends_the_clients_too() {
    let sandbox = Sandbox::whole();
    let marker = sandbox.folder.path().join("began");
    let script = format!("sleep 600 & touch '{}'; sleep 600", marker.display());
    fs::write(sandbox.root().join("fixtures/senders/curl.sh"), script).unwrap();
    let mut child = Process::new(assert_cmd::cargo::cargo_bin!("clawgauge"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", sandbox.folder.path())
        .env("TMPDIR", sandbox.temp())
        .arg("--root")
        .arg(sandbox.root())
        .args(["run", "client-libraries/profile=none/**"])
        .current_dir(sandbox.folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    for _ in 0..600 {
        if marker.exists() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(marker.exists(), "no client was started");
    let interrupted = Process::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupted.unwrap().success());
    let mut stderr = child.stderr.take().unwrap();
    until_said(&mut stderr, "interrupted");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    sandbox.assert_clean();
}

const BY_PYTHON: &str = "client-libraries/profile=token/sender=openai-python/endpoint=chat/credential=proper/scopes=absent";

#[test]
fn show_tells_the_pin_and_the_script() {
    let sandbox = Sandbox::whole();
    let shown = sandbox.clawgauge().args(["show", BY_PYTHON]).assert();
    let text =
        fs::read_to_string(sandbox.root().join("fixtures/senders/openai-python.toml")).unwrap();
    let pin = text
        .lines()
        .find_map(|line| line.strip_prefix("version = "))
        .unwrap();
    let pin = format!(
        "OpenAI's library for Python: openai {}",
        pin.trim_matches('"')
    );
    shown
        .code(0)
        .stdout(contains(pin).and(contains("fixtures/senders/openai-python.py")))
        .stdout(contains("Authorization: Bearer ${secret}"));
}

#[test]
fn a_script_for_a_librarys_cell_is_refused_with_the_cell_to_ask_instead() {
    let sandbox = Sandbox::whole();
    let own = BY_PYTHON.replace("openai-python", "harness");
    let flags = ["repro", BY_PYTHON, "--gateway", "openclaw@2026.3.28"];
    let refused = sandbox.clawgauge().args(flags).assert();
    refused
        .code(2)
        .stderr(contains("is sent by openai-python").and(contains(&own)));
    let flags = ["repro", &own, "--gateway", "openclaw@2026.3.28"];
    sandbox.clawgauge().args(flags).assert().code(0);
}

#[test]
fn senders_are_listed_and_a_slip_is_told() {
    let sandbox = Sandbox::whole();
    let listed = sandbox.clawgauge().args(["clients", "list"]).assert();
    listed.code(0).stdout(
        contains("curl: curl, as the machine has it\n  ready, on curl ")
            .and(contains("missing: OpenAI's library for Node: openai 7.")),
    );
    let slip = sandbox
        .clawgauge()
        .args(["clients", "install", "openai-pyton"])
        .assert();
    slip.code(2)
        .stderr(contains("did you mean `openai-python`?"));
}

/// npm and Python are not there, or the registry is not: exit code 3 and the next thing to do.
#[test]
fn what_cannot_be_installed_says_why() {
    let sandbox = Sandbox::whole();
    for (sender, why) in [
        ("openai-python", "python3 cannot be started"),
        ("openai-node", "npm cannot be started"),
    ] {
        let mut command = sandbox.clawgauge();
        let command = command.env("PATH", sandbox.folder.path());
        let assert = command.args(["clients", "install", sender]).assert();
        assert
            .code(3)
            .stderr(contains(why).and(contains("help: install")));
    }
}
