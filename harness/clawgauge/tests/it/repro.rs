//! `clawgauge repro`: every cell has a script or a reason why not, and a script tells what a run would tell, by itself.

mod hostile;
mod installation;
mod subjects;
mod wire;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::support;
use crate::support::{Sandbox, processes_of, repository};
use clawgauge::contract::plan::cells;
use clawgauge::contract::scenario::Catalogue;
use clawgauge::reports::repro::{Repro, ReproError, markdown, script};
use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;

const SEED: &str = "chat-completions/profile=none/credential=absent/scopes=absent";

/// One cell of each kind.
const KINDS: [&str; 9] = [
    SEED,
    "start/profile=refuse-unknown-mode",
    "lockout/profile=lockout/step=right-after-the-lock",
    "rotation/profile=rotation/step=old-after",
    "websocket/profile=token/client=backend/login=token/asked-scopes=read",
    "device-tokens/profile=token/client=cli/reconnect=removed",
    "chat-completions/profile=token/credential=valid/scopes=spaces",
    "chat-completions/profile=trusted-proxy/credential=identity/scopes=read",
    "embeddings/profile=embeddings-provider/credential=absent/scopes=absent",
];

fn catalogue() -> Catalogue {
    Catalogue::load(&clawgauge::contract::data::Data::Folder(repository())).unwrap()
}

fn rendered(cell: &str, release: &str) -> String {
    let catalogue = catalogue();
    let cell = cells(&catalogue).find(|known| known.id() == cell).unwrap();
    script(&Repro::new(&catalogue, &cell, &release.parse().unwrap()).unwrap())
}

#[rstest]
#[case("2026.9.6", 10, 1)]
#[case("2026.3.28", 100, 5)]
fn every_cell_has_a_script_or_a_reason(
    #[case] release: &str,
    #[case] without: usize,
    #[case] every: usize,
) {
    let catalogue = catalogue();
    let release = release.parse().unwrap();
    let here = repository().to_string_lossy().into_owned();
    let (mut scripts, mut refused, mut beside) = (0, 0, 0);
    for cell in cells(&catalogue).step_by(every) {
        let repro = match Repro::new(&catalogue, &cell, &release) {
            Ok(repro) => repro,
            Err(error) => {
                assert!(error.to_string().len() > cell.id().len() + 30, "{error}");
                match error {
                    ReproError::Client { .. } | ReproError::Beside { .. } => beside += 1,
                    _ => refused += 1,
                }
                continue;
            }
        };
        scripts += 1;
        let text = script(&repro);
        let lines = text.lines().count();
        // A step takes the steps before it along.
        let most = 250 + 20 * repro.steps.len();
        // A device's identity takes its own part of the driver.
        let most = most + if text.contains("$device") { 60 } else { 0 };
        assert!(lines <= most, "{}: {lines} lines", cell.id());
        assert!(text.starts_with("#!/bin/sh\n# "), "{}", cell.id());
        assert!(text.contains(&format!("\n#   cell       {}\n", cell.id())));
        assert_eq!(
            text.lines()
                .filter(|line| *line == "END_OF_PROGRAM")
                .count(),
            1
        );
        assert!(!text.contains('\0'), "{}: a NUL in the script", cell.id());
        for left in ["//@", "${caller}", "${ws-", &here, "/home/"] {
            assert!(!text.contains(left), "{}: {left} in the script", cell.id());
        }
        assert!(!has_secret(&text), "{}: a secret in the script", cell.id());
    }
    assert!(scripts > 3_000 / every, "{scripts} scripts");
    assert!((refused > 0) == (without > 0), "{refused} refused");
    assert!(
        beside > 500 / every,
        "{beside} take a proxy, a network or a library"
    );
}

/// Whether a text holds something that was made like a secret.
fn has_secret(text: &str) -> bool {
    text.match_indices("cG-").any(|(at, _)| {
        text[at + 3..]
            .bytes()
            .take_while(u8::is_ascii_alphanumeric)
            .count()
            >= 16
    })
}

#[test]
fn scripts_are_what_a_shell_reads() {
    let folder = tempfile::tempdir().unwrap();
    for (index, cell) in KINDS.into_iter().enumerate() {
        let path = folder.path().join(format!("{index}.sh"));
        std::fs::write(&path, rendered(cell, "2026.9.6")).unwrap();
        for shell in ["dash", "bash"] {
            let output = Command::new(shell).arg("-n").arg(&path).output().unwrap();
            assert!(output.status.success(), "{shell}: {cell}: {output:?}");
        }
    }
}

#[test]
#[ignore = "needs shellcheck"]
fn shellcheck_finds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (index, cell) in KINDS.into_iter().enumerate() {
        for release in ["2026.3.24", "2026.9.6"] {
            let path = folder.path().join(format!("{index}-{release}.sh"));
            std::fs::write(&path, rendered(cell, release)).unwrap();
            let output = Command::new("shellcheck").arg(&path).output().unwrap();
            let told = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{cell} on {release}: {told}");
        }
    }
}

/// A maintainer reads at most 150 lines, and sees on the first screen what is sent to a gateway of which configuration.
#[test]
fn the_seeds_script() {
    let text = rendered(SEED, "2026.3.28");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.len() <= 150, "{} lines", lines.len());
    assert!(lines.iter().all(|line| line.chars().count() <= 120));
    let first_screen = lines[..55].join("\n");
    for part in [
        "const request = {",
        "const expected = {",
        "const config = {",
        "\n};\nconst env = {",
    ] {
        assert!(first_screen.contains(part), "{part}");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn the_seeds_report() {
    let catalogue = catalogue();
    let cell = cells(&catalogue).find(|known| known.id() == SEED).unwrap();
    let text = markdown(&Repro::new(&catalogue, &cell, &"2026.3.28".parse().unwrap()).unwrap());
    let (report, script) = text.split_once("```sh\n").unwrap();
    assert_eq!(
        script.strip_suffix("```\n").unwrap(),
        rendered(SEED, "2026.3.28")
    );
    insta::assert_snapshot!(report);
}

/// Runs a script with nothing of this machine's environment but the PATH.
fn command(sandbox: &Sandbox, script: &Path, gateway: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command
        .arg(script)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", sandbox.folder.path())
        .env("TMPDIR", sandbox.temp())
        .env("REPRO_GATEWAY", gateway)
        .env("REPRO_WAIT", "10")
        .current_dir(sandbox.folder.path())
        .stdin(Stdio::null());
    command
}

fn write(sandbox: &Sandbox, text: &str) -> PathBuf {
    let path = sandbox.folder.path().join("repro.sh");
    std::fs::write(&path, text).unwrap();
    path
}

/// Exit code and what was told; nothing may be left behind.
fn told(sandbox: &Sandbox, cell: &str, gateway: &str) -> (Option<i32>, String) {
    let path = write(sandbox, &rendered(cell, "2026.9.6"));
    let output: Output = command(sandbox, &path, gateway).output().unwrap();
    sandbox.assert_clean();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(!has_secret(&text), "{text}");
    (output.status.code(), text)
}

/// The same with the other shell that people have as `sh`.
#[test]
fn runs_under_bash() {
    let sandbox = Sandbox::new();
    let path = write(&sandbox, &rendered(SEED, "2026.9.6"));
    let gateway = sandbox.gateway("sound", "");
    let mut command = command(&sandbox, &path, &gateway);
    let mut bash = Command::new("bash");
    bash.arg(&path).env_clear().envs(
        command
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let output = bash.stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    command.arg("unused");
    sandbox.assert_clean();
}

/// A sound gateway keeps the contract, one with a seeded fault does not, whatever kind the cell is of.
#[rstest]
#[case::seed(SEED, "absent-scopes-mean-none")]
#[case::let_in(
    "chat-completions/profile=none/credential=absent/scopes=read",
    "read-implies-write"
)]
#[case::raw_line(
    "chat-completions/profile=none/credential=absent/scopes=spaces",
    "blank-scopes-as-absent"
)]
#[case::derived_secret(
    "chat-completions/profile=token/credential=basic/scopes=absent",
    "basic-accepted"
)]
#[case::upper_case(
    "chat-completions/profile=token/credential=upper-case-secret/scopes=absent",
    "secret-case-ignored"
)]
#[case::query(
    "chat-completions/profile=token/credential=query-token/scopes=absent",
    "query-token-accepted"
)]
#[case::proxy(
    "chat-completions/profile=trusted-proxy/credential=identity-user-blank/scopes=absent",
    "blank-user-accepted"
)]
#[case::head(
    "probes/profile=none/probe=healthz/method=head/credential=absent",
    "health-needs-credential"
)]
#[case::websocket(
    "websocket/profile=none/client=backend/login=absent/asked-scopes=absent",
    "socket-scopes-default-to-all"
)]
#[case::device(
    "device-tokens/profile=token/client=cli/reconnect=revoked",
    "revoked-device-token-kept"
)]
#[case::device_on_http(
    "device-bearer/profile=token/endpoint=models",
    "device-token-opens-api"
)]
#[case::kept_cookie(
    "page-grants/profile=pages-token/granted=page-changed",
    "plugin-cookie-unchecked"
)]
#[case::other_port(
    "mcp/profile=token/mcp-credential=revoked/mcp-request=tools/mcp-page=none",
    "mcp-grant-outlives-revocation"
)]
#[case::stays_connected(
    "capabilities/profile=pages-token/holder=removed/capability-route=shown/shown=in-path",
    "capability-outlives-device"
)]
#[case::hangs_up(
    "capabilities/profile=pages-token/holder=gone/capability-route=shown/shown=in-path",
    "capability-outlives-client"
)]
#[case::sequence("rotation/profile=rotation/step=old-after", "rotated-token-kept")]
#[case::lockout("lockout/profile=lockout/step=wrong-beyond", "lockout-never-locks")]
#[case::two_calls(
    "chat-completions/profile=none/credential=absent/scopes=write",
    "model-twice"
)]
#[case::model_before_the_check(
    "chat-completions/profile=token/credential=wrong/scopes=absent",
    "model-before-check"
)]
#[case::tells_more(
    "probe-details/profile=trusted-proxy/probe=ready/prober=forwarded",
    "probe-details-to-all"
)]
fn judges_as_a_run_does(#[case] cell: &str, #[case] fault: &str) {
    let sandbox = Sandbox::new();
    let sound = sandbox.gateway("sound", "");
    let (code, text) = told(&sandbox, cell, &sound);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("verdict   the contract holds\n"), "{text}");
    let (code, text) = told(&sandbox, cell, &sandbox.faulty_gateway(fault));
    assert_eq!(code, Some(1), "{fault}: {text}");
    assert!(
        text.contains("verdict   the contract does not hold: other "),
        "{text}"
    );
}

/// Whether it starts is the answer.
#[test]
fn judges_a_start() {
    let sandbox = Sandbox::new();
    let refused = "start/profile=refuse-unknown-mode";
    let (code, text) = told(&sandbox, refused, &sandbox.gateway("sound", ""));
    assert_eq!(code, Some(0), "{text}");
    let (code, text) = told(&sandbox, refused, &sandbox.open_gateway());
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("observed  the gateway starts\n"), "{text}");
    let sound = "start/profile=choice-none-flag";
    let (code, text) = told(&sandbox, sound, &sandbox.broken_gateway("dies-at-start"));
    assert_eq!(code, Some(1), "{text}");
}

/// What proves nothing is neither a pass nor a failure.
#[rstest]
#[case::dies("dies-at-start", SEED, "fatal: line 300 of 300")]
#[case::refuses("refuses-and-stays", SEED, "told to refuse")]
#[case::never_listens("never-listens", SEED, "the gateway does not start")]
#[case::junk("answers-junk", SEED, "the gateway does not answer")]
#[case::refuses_everybody(
    "refuses-everybody",
    "chat-completions/profile=token/credential=wrong/scopes=absent",
    "so was a caller who must be let in"
)]
fn cannot_tell(#[case] misbehaviour: &str, #[case] cell: &str, #[case] why: &str) {
    let sandbox = Sandbox::new();
    let (code, text) = told(&sandbox, cell, &sandbox.broken_gateway(misbehaviour));
    assert_eq!(code, Some(125), "{text}");
    assert!(
        text.contains("cannot tell: ") && text.contains(why),
        "{text}"
    );
}

/// Gateways that do not go when they are told to, or leave children behind, are gone nevertheless.
#[rstest]
#[case("ignores-sigterm")]
#[case("spawns-child")]
#[case("floods-output")]
fn takes_everything_down(#[case] misbehaviour: &str) {
    let sandbox = Sandbox::new();
    let (code, text) = told(&sandbox, SEED, &sandbox.broken_gateway(misbehaviour));
    assert_eq!(code, Some(0), "{text}");
}

/// Waits until the gateway of a script runs: it, the script and its keeper.
fn until_asked(sandbox: &Sandbox) {
    let deadline = Instant::now() + Duration::from_secs(60);
    let has_gateway = || {
        let folders = std::fs::read_dir(sandbox.temp()).unwrap();
        folders
            .into_iter()
            .any(|folder| folder.unwrap().path().join("state").read_dir().is_ok())
            && processes_of(&sandbox.temp()).len() >= 3
    };
    while !has_gateway() {
        assert!(
            Instant::now() < deadline,
            "the script does not get as far as the gateway"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    std::thread::sleep(Duration::from_secs(2));
}

/// Waits until nothing is left, whoever takes it away.
fn until_clean(sandbox: &Sandbox) {
    let deadline = Instant::now() + Duration::from_secs(30);
    let left =
        || std::fs::read_dir(sandbox.temp()).unwrap().count() + processes_of(&sandbox.temp()).len();
    while left() > 0 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(100));
    }
    sandbox.assert_clean();
}

fn kill(signal: &str, id: &str) {
    let killed = Command::new("kill").args([signal, "--", id]).status();
    assert!(killed.unwrap().success());
}

#[rstest]
#[case::interrupt("-INT", 130)]
#[case::terminate("-TERM", 143)]
#[case::hangup("-HUP", 129)]
fn a_signal_leaves_nothing(#[case] signal: &str, #[case] code: i32) {
    let sandbox = Sandbox::new();
    let path = write(&sandbox, &rendered(SEED, "2026.9.6"));
    let gateway = sandbox.broken_gateway("hangs");
    let mut child = command(&sandbox, &path, &gateway).spawn().unwrap();
    until_asked(&sandbox);
    kill(signal, &child.id().to_string());
    assert_eq!(child.wait().unwrap().code(), Some(code));
    sandbox.assert_clean();
}

/// Even a script that is killed leaves nothing, and neither does one that is killed with its whole process group.
#[rstest]
#[case::alone("")]
#[case::with_its_group("-")]
fn a_killed_script_leaves_nothing(#[case] whom: &str) {
    use std::os::unix::process::CommandExt as _;
    let sandbox = Sandbox::new();
    let path = write(&sandbox, &rendered(SEED, "2026.9.6"));
    let gateway = sandbox.broken_gateway("hangs");
    let mut command = command(&sandbox, &path, &gateway);
    let mut child = command.process_group(0).spawn().unwrap();
    until_asked(&sandbox);
    kill("-KILL", &format!("{whom}{}", child.id()));
    child.wait().unwrap();
    until_clean(&sandbox);
}

#[rstest]
#[case::tools("PATH", "/nowhere", "cannot tell: no node")]
#[case::old_node("PATH", "old", "cannot tell: no node")]
#[case::folder("TMPDIR", "/nowhere", "no such file or directory")]
#[case::path("REPRO_GATEWAY", "./nothing.mjs", "Cannot find module")]
#[case::executable("REPRO_GATEWAY", "./nothing", "nothing ENOENT")]
fn wrong_use_is_told(#[case] name: &str, #[case] value: &str, #[case] why: &str) {
    let sandbox = Sandbox::new();
    let path = write(&sandbox, &rendered(SEED, "2026.9.6"));
    support::executable(
        &sandbox.folder.path().join("old/node"),
        "#!/bin/sh\nexit 1\n",
    );
    let mut command = command(&sandbox, &path, "./unused");
    let output = command.env(name, value).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(125), "{text}");
    assert!(text.contains(why), "{text}");
    sandbox.assert_clean();
}

#[rstest]
#[case::unknown(&["chat-completions/profile=none/credential=absent/scopes=absnt"], "the closest is chat-completions/profile=none/credential=absent/scopes=absent")]
#[case::path(&[SEED, "--gateway", "./openclaw.mjs"], "REPRO_GATEWAY=PATH")]
#[case::latest(&[SEED, "--gateway", "openclaw@latest"], "what openclaw@latest is changes")]
#[case::too_early(&[SEED, "--gateway", "openclaw@2026.1.29"], "the scenario's contract begins with 2026.3.22")]
#[case::profile(&["chat-completions/profile=trusted-proxy/credential=identity/scopes=absent", "--gateway", "openclaw@2026.4.1"], "no caller can pass")]
#[case::fixed(&["openclaw#58357", "--gateway", "openclaw@2026.9.6"], "does not show on 2026.9.6; it was seen on 2026.3.28")]
#[case::no_cause(&["--record", "r.json"], "--cause")]
fn what_cannot_be_had_is_told(#[case] args: &[&str], #[case] why: &str) {
    let sandbox = Sandbox::whole();
    let run = sandbox.clawgauge().arg("repro").args(args).assert();
    run.code(2).stdout("").stderr(contains(why));
}
