//! The table of faults: ways in which a gateway, or the machine, does not do what a run counts on. A row names the fault,
//! the exit code and the last line that a run must end with; nothing may be left behind. Rows are added to [`faults`].
//!
//! The gateway of a row is the reference gateway behind a relay that misbehaves in one way: this very program, see [`relay`].

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "faults/relay.rs"]
mod relay;
mod support;

use std::time::Duration;

use relay::{faulty, faulty_with};
use rstest::rstest;
use support::Sandbox;

/// The cells that a row asks: four callers who are let in, ten who are denied.
const CELLS: [&str; 4] = ["--where", "profile=token", "--where", "scopes=absent"];
/// A user who owns nothing.
const NOBODY: u32 = 65_534;
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
#[case::dropped(
    "dropped once: user {text}",
    3,
    "(for a request to be denied that got no answer): its denials prove nothing (exit code 3)"
)]
#[case::broken_off("broken off once: user {text}", 1, LET_IN)]
#[case::let_in_and_broken_off("lets in, and breaks off", 1, LET_IN)]
#[case::out_of_files("starves and sends", 1, LET_IN)]
#[case::no_http("garbles once: -", 4, "10 cells could not run (exit code 4)")]
fn a_retry_forgives_no_call(#[case] fault: &str, #[case] code: i32, #[case] last_line: &str) {
    let sandbox = Sandbox::new();
    let gateway = faulty(&sandbox, fault);
    let mut args = vec!["run", "--gateway", &gateway, "--retries", "1"];
    args.extend(CELLS);
    ends(&sandbox, &args, code, last_line);
}

/// What was wrong until the time was over is wrong.
#[rstest]
#[case::under_way("lets in, and holds", &CELLS)]
#[case::within_a_sequence("lets the first wrong one in, and hangs", &["lockout/**", "--where", "profile=lockout"])]
fn the_end_of_the_time_forgives_nothing(#[case] fault: &str, #[case] cells: &[&str]) {
    let sandbox = Sandbox::whole();
    sandbox.timings(0.1, 0.0);
    let gateway = faulty(&sandbox, fault);
    let args = ["run", "--gateway", &gateway, "--budget", "8s"];
    let args = [&args[..], cells].concat();
    ends(&sandbox, &args, 1, "(exit code 1)");
}

/// A sequence sends some requests several times: each is judged.
#[rstest]
#[case::first_let_in("lets the first wrong one in", 1, "deviate (exit code 1)")]
#[case::last_dropped("drops the third wrong one", 4, "2 cells could not run (exit code 4)")]
#[case::lock_without_a_time("locks for no time", 1, "deviate (exit code 1)")]
fn streaks(#[case] fault: &str, #[case] code: i32, #[case] last_line: &str) {
    let sandbox = Sandbox::whole();
    let gateway = faulty(&sandbox, fault);
    let args = ["run", "--gateway", &gateway, "lockout/**", "--quiet"];
    ends(&sandbox, &args, code, last_line);
}

/// Whatever an outcome leaves open, a secret is told to nobody.
#[rstest]
#[case::probe("tells its token when it is ready", "probes/**")]
#[case::reason("tells its token beside the status", "chat-completions/**")]
#[case::header("tells its token as a header", "chat-completions/**")]
#[case::early("tells its token early", "chat-completions/**")]
fn secrets(#[case] fault: &str, #[case] cells: &str) {
    let sandbox = Sandbox::whole();
    let gateway = faulty(&sandbox, fault);
    let args = ["run", "--gateway", &gateway, cells, "--severity", "blocker"];
    let args = [&args[..], &["--where", "profile=token"]].concat();
    ends(&sandbox, &args, 1, "deviate (exit code 1)");
}

/// More, or less, in a refusal than its contract says is another shape.
#[rstest]
#[case::field("says more to strangers")]
#[case::cookie("adds Set-Cookie: a=b")]
#[case::origins("adds Access-Control-Allow-Origin: *")]
#[case::no_nosniff("lets browsers guess")]
#[case::after_the_end("sends more than it says")]
fn a_refusal_that_says_more(#[case] fault: &str) {
    let sandbox = Sandbox::new();
    let gateway = faulty(&sandbox, fault);
    let args = ["run", "--gateway", &gateway, "--severity", "shape"];
    ends(&sandbox, &[&args[..], &CELLS].concat(), 1, LET_IN);
}

/// A header of which nothing is said is a part of the answer.
#[test]
fn a_header_that_is_new() {
    let sandbox = Sandbox::whole();
    let gateway = faulty(&sandbox, "adds X-Served-By: me");
    let args = ["run", "--gateway", &gateway, "chat-completions/**"];
    let args = [&args[..], &["--where", "profile=token"]].concat();
    ends(&sandbox, &args, 1, "deviate (exit code 1)");
}

/// A webhook whose turn runs again after the answer: for the sender who was let in, and for the one who was not.
#[rstest]
#[case::once("nothing", 0, "")]
#[case::again(
    "runs a webhook again later",
    1,
    "of 20 cells that ran, 2 deviate (exit code 1)"
)]
fn turns_of_webhooks(#[case] fault: &str, #[case] code: i32, #[case] last_line: &str) {
    let sandbox = Sandbox::whole();
    let gateway = faulty(&sandbox, fault);
    let args = ["run", "--gateway", &gateway, "hooks-paths/**", "--quiet"];
    ends(&sandbox, &args, code, last_line);
}

/// It ends while late calls of its model are waited for.
#[test]
fn an_end_that_nobody_asked_for() {
    let sandbox = Sandbox::new();
    let gateway = faulty(&sandbox, "dies late");
    let mut args = vec!["run", "--gateway", &gateway];
    args.extend(CELLS);
    let last_line = "the gateway ended while late calls of its model were waited for: exit code 9 (exit code 3)";
    ends(&sandbox, &args, 3, last_line);
}

/// What a gateway says that it is goes into the record, where it is judged as something else.
#[test]
fn judged_as_another_release() {
    let sandbox = Sandbox::new();
    let gateway = faulty(&sandbox, "nothing");
    let args = ["run", "--gateway", &gateway, "--release", "2026.7.1"];
    let mut command = sandbox.clawgauge();
    let output = command.args(args).args(CELLS).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let note = "it says that it is 2026.9.6, and is judged as 2026.7.1";
    assert!(told.contains(note), "{told}");
}

/// A known issue excuses the answer that is known, and nothing that comes with it.
#[rstest]
#[case::as_known("nothing", 0, "")]
#[case::with_more("says more", 1, "of 14 cells that ran, 4 deviate (exit code 1)")]
fn more_than_what_is_known(#[case] fault: &str, #[case] code: i32, #[case] last_line: &str) {
    let sandbox = Sandbox::whole();
    let flags = " --misbehave forgets-scope-default";
    let gateway = faulty_with(&sandbox, fault, flags);
    let release = ["--gateway", &gateway, "--release", "2026.3.28"];
    let args = [&["run", "chat-completions/**"], &release[..], &CELLS].concat();
    ends(&sandbox, &args, code, last_line);
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

/// What a gateway makes of its own configuration is not waited for when that is to change.
#[test]
fn a_configuration_that_is_a_pipe() {
    let sandbox = Sandbox::whole();
    let gateway = faulty(&sandbox, "has a pipe for its configuration");
    let mut command = sandbox.clawgauge();
    let ask = ["run", "--gateway", &gateway, "rotation/**", "--quiet"];
    let command = command.args(ask).timeout(Duration::from_secs(120));
    let last_line = "of 9 cells that ran, 2 deviate (exit code 1)";
    assert_ends(&sandbox, command, 1, last_line);
}

/// The release is that of the package, not of whatever lies above it.
#[test]
fn a_version_of_something_else() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder.path();
    let other = r#"{ "name": "other", "version": "2026.3.28" }"#;
    std::fs::write(folder.join("package.json"), other).unwrap();
    std::fs::write(folder.join("gateway.mjs"), "process.exit(1)").unwrap();
    let mut command = sandbox.clawgauge();
    let output = command
        .arg("run")
        .arg("--gateway")
        .arg(folder.join("gateway.mjs"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("does not say which release it is"), "{said}");
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

/// So few threads may run: root has no such limit, so that another user runs it.
#[test]
fn too_few_threads() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;
    let sandbox = Sandbox::new();
    let open = std::fs::Permissions::from_mode(0o777);
    for folder in [sandbox.folder.path(), &sandbox.temp()] {
        std::fs::set_permissions(folder, open.clone()).unwrap();
    }
    let mut command = std::process::Command::new("bash");
    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    // It is of another user than the one who runs here.
    std::fs::remove_file(sandbox.folder.path().join("clawgauge.toml")).unwrap();
    let limited = format!("ulimit -u 3; exec '{}' run", binary.display());
    command.args(["-c", &limited]);
    if rustix::process::getuid().is_root() {
        command.uid(NOBODY);
    }
    let mut command = assert_cmd::Command::from_std(command);
    command
        .env("TMPDIR", sandbox.temp())
        .current_dir(sandbox.temp());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("threads"), "{said}");
    sandbox.assert_clean();
}

/// Nothing that is written replaces something else that was asked for.
#[test]
fn two_things_for_one_file() {
    let sandbox = Sandbox::new();
    let twice = "both the bundle and the json report go to ./r.json (exit code 2)";
    let args = ["run", "--report", "json=r.json", "--bundle", "./r.json"];
    ends(&sandbox, &args, 2, twice);
    let twice = "both the json and the tap report go to ./r.json (exit code 2)";
    let args = ["run", "--report", "json=r.json", "--report", "tap=./r.json"];
    ends(&sandbox, &args, 2, twice);
}

/// A log on a full disk is said once, and changes nothing.
#[test]
fn a_log_on_a_full_disk() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.clawgauge();
    let output = command.args(["run", "--log", "/dev/full"]).args(CELLS);
    let output = output.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(said.matches("No space left on device").count(), 1, "{said}");
    assert!(said.contains("the log is not whole: "), "{said}");
}

/// Two gateways of one name are told apart by what they are.
#[test]
fn the_record_says_what_a_path_was() {
    let sandbox = Sandbox::new();
    let integrity = |fault: &str| {
        let gateway = faulty(&sandbox, fault);
        let mut args = vec!["run", "--gateway", &gateway, "--report", "json=r.json"];
        args.extend(CELLS);
        sandbox.clawgauge().args(&args).output().unwrap();
        let record = std::fs::read(sandbox.folder.path().join("r.json")).unwrap();
        let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
        record["gateways"][0]["integrity"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (sound, other) = (integrity("nothing"), integrity("says more"));
    assert!(sound.starts_with("sha256:"), "{sound}");
    assert_ne!(sound, other);
}

/// A record that says anything is no bug.
#[test]
fn a_record_with_endless_counts() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.clawgauge();
    let run = ["run", "--report", "json=r.json", "--where", "profile=none"];
    command.args(run).assert().code(0);
    let path = sandbox.folder.path().join("r.json");
    let mut record: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    record["summary"]["conforms"] = (u64::MAX).into();
    record["summary"]["known"] = (u64::MAX).into();
    std::fs::write(&path, record.to_string()).unwrap();
    let output = sandbox
        .clawgauge()
        .args(["report", "r.json", "--exit-code"])
        .output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
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
