//! Packages that are installed, and what they run.

use super::*;

/// An archive of this build.
pub(crate) fn release(sandbox: &Sandbox) -> PathBuf {
    let output = command(sandbox, repository().join("ci/release.sh"))
        .args(["--target", "x86_64-unknown-linux-musl", "--binary"])
        .arg(binary())
        .arg(sandbox.folder.path().join("dist"))
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    String::from_utf8(output.stdout).unwrap().trim().into()
}

/// Somebody on a machine with npm alone: the tarballs into an empty folder, without a registry.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
#[ignore = "packs the whole binary with npm"]
fn the_npm_packages_install_and_run() {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder.path();
    command(&sandbox, repository().join("ci/npm/pack.sh"))
        .args(["--out", "packages"])
        .arg(format!("x86_64-unknown-linux-musl={}", binary().display()))
        .assert()
        .success();
    let version = env!("CARGO_PKG_VERSION");
    let main = folder.join(format!("packages/clawgauge-{version}.tgz"));
    let platform = folder.join(format!("packages/clawgauge-linux-x64-{version}.tgz"));
    let empty = folder.join("empty");
    fs::create_dir(&empty).unwrap();
    let npm = |args: &[&str], packages: &[&Path]| {
        command(&sandbox, "npm")
            .args(args)
            .args(packages)
            .current_dir(&empty)
            .assert()
            .success();
    };
    let npx = |args: &[&str]| {
        let mut command = command(&sandbox, "npx");
        command
            .args(["--offline", "clawgauge"])
            .args(args)
            .current_dir(&empty);
        command
    };

    // Without the platform's package it says which one is missing, and nothing passes.
    npm(
        &["install", "--offline", "--no-audit", "--no-fund"],
        &[&main],
    );
    npx(&["--version"])
        .assert()
        .code(4)
        .stderr(contains("@clawgauge/linux-x64 is not installed"));
    npm(
        &["install", "--offline", "--no-audit", "--no-fund"],
        &[&main, &platform],
    );
    npx(&["--version"])
        .assert()
        .success()
        .stdout(format!("clawgauge {version}\n"));
    let run = ["run", "chat-completions", "--gateway"];
    npx(&run)
        .arg("reference")
        .assert()
        .code(0)
        .stdout(contains("650 conform"));
    npx(&run)
        .arg(sandbox.broken_gateway("ignores-scopes"))
        .assert()
        .code(1);
    npx(&["run", "--gateway", "nonsense"]).assert().code(2);

    // Whoever ends the launcher ends the run, and it has the time to stop its gateways.
    executable(
        &folder.join("slow"),
        "#!/bin/sh\n[ \"$1\" != --version ] || { echo 2026.9.6; exit; }\nexec sleep 100\n",
    );
    for signal in [
        rustix::process::Signal::TERM,
        rustix::process::Signal::INT,
        rustix::process::Signal::HUP,
    ] {
        let mut child = std::process::Command::new("node")
            .arg(empty.join("node_modules/.bin/clawgauge"))
            .args(run)
            .arg(folder.join("slow"))
            .env("TMPDIR", sandbox.temp())
            .current_dir(&empty)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut progress = child.stderr.take().unwrap();
        let mut seen = until_said(&mut progress, "starting profile");
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), signal).unwrap();
        progress.read_to_string(&mut seen).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{seen}");
        sandbox.assert_clean();
    }
}

/// `cargo install` gives a binary that needs nothing of the checkout.
#[test]
#[ignore = "builds with optimisation"]
fn cargo_installs_it() {
    let sandbox = Sandbox::new();
    let root = sandbox.folder.path().join("installed");
    support::cargo()
        .args([
            "install",
            "--quiet",
            "--locked",
            "--path",
            "harness/clawgauge",
            "--target-dir",
            "target",
            "--root",
        ])
        .arg(&root)
        .current_dir(repository())
        .assert()
        .success();
    command(&sandbox, root.join("bin/clawgauge"))
        .args(["run", "chat-completions"])
        .assert()
        .code(0)
        .stdout(contains("650 conform"));
}

/// With no clawgauge anywhere, the gate builds its checkout's once and keeps the binary for the next run.
#[test]
#[ignore = "builds with optimisation"]
fn the_gate_builds_clawgauge_once() {
    let sandbox = Sandbox::new();
    let gate = |path: &str| {
        let mut command = Command::new(repository().join("ci/gate.sh"));
        command
            .env("PATH", path)
            .env("XDG_CACHE_HOME", sandbox.folder.path().join("cache"))
            .env("CLAWGAUGE_SCENARIOS", "chat-completions")
            .current_dir(sandbox.folder.path())
            .arg("reference");
        command
    };
    let cargo = Path::new(env!("CARGO")).parent().unwrap().display();
    gate(&format!("{cargo}:/usr/bin:/bin"))
        .assert()
        .code(0)
        .stderr(contains("building clawgauge"));
    // No cargo is needed any more.
    gate("/usr/bin:/bin")
        .assert()
        .code(0)
        .stderr(contains("building clawgauge").not());
}
