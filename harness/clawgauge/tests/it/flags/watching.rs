//! `run --watch`.

use super::*;

/// A watching run judges again when a file changes, sends only what changed, survives a file that is wrong, and stops
/// everything at the end.
#[test]
fn watching_sends_only_what_changed() {
    let sandbox = Sandbox::new();
    let scenario = "scenarios/chat-completions.toml";
    let mut watching = Watching::start(&sandbox);
    watching.wait_for("650 cells asked, 4 gateways started");

    sandbox.edit(
        scenario,
        "expect = \"missing-scope-write\"",
        "expect = \"unauthorized\"",
    );
    watching.wait_for("of 650 cells that ran, 105 deviate");
    watching.wait_for(
        "after a change of scenarios/chat-completions.toml: 0 cells asked, 0 gateways started",
    );

    sandbox.edit(
        scenario,
        "expect = \"unauthorized\"",
        "expect = \"unauthorised\"",
    );
    watching.wait_for("did you mean `unauthorized`?");

    sandbox.edit(
        scenario,
        "expect = \"unauthorised\"",
        "expect = \"missing-scope-write\"",
    );
    watching.wait_for("the contract holds on all 650 cells that ran");

    // One credential is sent in another way: its cells are asked again, all others are not.
    sandbox.edit(
        "scenarios/axes/credential.toml",
        "headers = [\"Authorization: Bearer ${secret}\"]",
        "headers = [\"Authorization: bearer ${secret}\"]",
    );
    let line = watching.wait_for("after a change of scenarios/axes/credential.toml: ");
    let asked: usize = line
        .split(": ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .and_then(|count| count.parse().ok())
        .unwrap();
    assert!(0 < asked && asked < 650, "{line}");
    assert!(line.contains(" 0 gateways started"), "{line}");

    // One profile is configured in another way: it alone is launched again.
    sandbox.edit(
        "fixtures/profiles/modes.toml",
        "id = \"token\"",
        "id = \"token\"\nshort = \"tok\"",
    );
    let line = watching.wait_for("after a change of fixtures/profiles/modes.toml: ");
    assert!(
        line.contains(" 0 cells asked, 0 gateways started"),
        "{line}"
    );

    assert_eq!(watching.interrupt(), Some(130));
    sandbox.assert_clean();
}

/// A running `run --watch`.
struct Watching {
    child: std::process::Child,
    lines: std::sync::mpsc::Receiver<String>,
    seen: Vec<String>,
}

impl Watching {
    fn start(sandbox: &Sandbox) -> Self {
        let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin!("clawgauge"))
            .args(["run", "--watch", "--root"])
            .arg(sandbox.root())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("TMPDIR", sandbox.temp())
            .current_dir(sandbox.folder.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = std::io::BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in std::io::BufRead::lines(stderr).map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// The next line that holds the words.
    fn wait_for(&mut self, words: &str) -> String {
        let patience = std::time::Duration::from_secs(60);
        loop {
            let Ok(line) = self.lines.recv_timeout(patience) else {
                panic!("{words:?} was not said, but:\n{}", self.seen.join("\n"));
            };
            self.seen.push(line.clone());
            if line.contains(words) {
                return line;
            }
        }
    }

    fn interrupt(&mut self) -> Option<i32> {
        let id = i32::try_from(self.child.id()).unwrap();
        let id = rustix::process::Pid::from_raw(id).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
