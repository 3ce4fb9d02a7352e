//! What is left of a run whose keepers died with it, and of the question for a version. The table of faults holds the rest.

#![cfg(target_os = "linux")]

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::support::{Sandbox, processes_of};

/// So many seconds sleep the processes of one test: they are known by the number.
struct Mark(String);

impl Mark {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Self(format!("4{:07}{number}.5", std::process::id()))
    }

    /// Processes that sleep so long.
    fn sleepers(&self) -> Vec<String> {
        let entries = fs::read_dir("/proc").unwrap().flatten();
        let sleeps = |line: &[u8]| line == format!("sleep\0{}\0", self.0).as_bytes();
        entries
            .filter(|entry| fs::read(entry.path().join("cmdline")).is_ok_and(|line| sleeps(&line)))
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect()
    }
}

/// A gateway that starts a process which leaves its group, its session and its environment, and another one that does so twice.
fn gateway(sandbox: &Sandbox, mark: &Mark, flags: &str) -> String {
    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" != --version ]; then\n\
         env -i setsid sleep {0} >/dev/null 2>&1 &\n\
         env -i setsid sh -c 'setsid sleep {0} >/dev/null 2>&1 & exit' &\n\
         flags='{flags}'\nfi\nexec '{1}' reference-gateway $flags \"$@\"\n",
        mark.0,
        binary.display()
    );
    sandbox.script("hiding", &script)
}

fn start(sandbox: &Sandbox, gateway: &str) -> Child {
    Command::new(assert_cmd::cargo::cargo_bin!("clawgauge"))
        .env("TMPDIR", sandbox.temp())
        .env("HOME", sandbox.folder.path())
        .env_remove("CI")
        .arg("--root")
        .arg(sandbox.root())
        .args(["run", "--gateway", gateway, "chat-completions/**"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// If its keepers are killed, too, the next run clears away.
#[test]
fn the_next_run_removes_the_folder_of_a_dead_one() {
    let (sandbox, mark) = (Sandbox::new(), Mark::new());
    let gateway = gateway(&sandbox, &mark, "--misbehave hangs");
    let mut run = start(&sandbox, &gateway);
    wait_until("no gateway was started", || mark.sleepers().len() >= 2);
    let keepers = Command::new("pkill")
        .args([
            "-KILL",
            "-f",
            "--",
            &format!("keep-together {}", sandbox.temp().display()),
        ])
        .status();
    assert!(keepers.unwrap().success());
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(fs::read_dir(sandbox.temp()).unwrap().next().is_some());
    for id in processes_of(&sandbox.temp())
        .into_iter()
        .chain(mark.sleepers())
    {
        let _ = Command::new("kill").args(["-KILL", &id]).status();
    }
    let cells = ["--where", "profile=none", "--where", "scopes=absent"];
    sandbox.clawgauge().arg("run").args(cells).assert().code(0);
    sandbox.assert_clean();
}

/// An executable is asked for its version as in a launch.
#[test]
fn the_question_for_the_version_is_hermetic() {
    let (sandbox, mark) = (Sandbox::new(), Mark::new());
    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    let told = sandbox.folder.path().join("told");
    let script = format!(
        "#!/bin/sh\nif [ \"$1\" = --version ]; then\n\
         env > '{0}'; pwd >> '{0}'; env -i setsid sleep {1} >/dev/null 2>&1 &\nfi\n\
         exec '{2}' reference-gateway \"$@\"\n",
        told.display(),
        mark.0,
        binary.display()
    );
    let gateway = sandbox.script("curious", &script);
    let cells = ["--where", "profile=none", "--where", "scopes=absent"];
    sandbox
        .clawgauge()
        .env("A_KEY_OF_MINE", "hunter2")
        .args(["run", "--gateway", &gateway])
        .args(cells)
        .assert()
        .code(0);
    let told = fs::read_to_string(told).unwrap();
    assert!(!told.contains("hunter2"), "{told}");
    let temp = sandbox.temp().display().to_string();
    let home = told
        .lines()
        .find_map(|line| line.strip_prefix("HOME="))
        .unwrap();
    assert!(home.starts_with(&temp), "{told}");
    assert!(told.lines().last().unwrap().starts_with(&temp), "{told}");
    assert_eq!(mark.sleepers(), [""; 0]);
    sandbox.assert_clean();
}
