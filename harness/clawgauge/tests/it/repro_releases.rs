//! Scripts of `clawgauge repro` on published releases. Ignored unless asked for: they take minutes and a network.

use std::process::{Command, Stdio};
use std::sync::Mutex;

use crate::support::installed::installed;
use crate::support::{Sandbox, repository};
use clawgauge::contract::plan::cells;
use clawgauge::contract::scenario::Catalogue;
use clawgauge::machine::install::Program;
use clawgauge::reports::repro::{Repro, first_affected, script};
use rstest::rstest;

const SEED: &str = "chat-completions/profile=none/credential=absent/scopes=absent";

fn catalogue() -> Catalogue {
    Catalogue::load(&clawgauge::contract::data::Data::Folder(repository())).unwrap()
}

/// A script alone in an empty folder, on what it installs by itself or on what is installed already.
fn run(text: &str, version: Option<&str>, program: Option<&Program>) -> (Option<i32>, String) {
    let sandbox = Sandbox::new();
    let folder = sandbox.folder.path().join("empty");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("repro.sh"), text).unwrap();
    let mut command = Command::new("sh");
    command
        .arg("repro.sh")
        .current_dir(&folder)
        .env("TMPDIR", sandbox.temp())
        .stdin(Stdio::null());
    if let Some(version) = version {
        command.env("REPRO_VERSION", version);
    }
    if let Some(program) = program {
        let path = std::env::var_os("PATH").unwrap();
        let folders = program.path_dirs.iter().cloned();
        let folders = folders.chain(std::env::split_paths(&path));
        command
            .env("PATH", std::env::join_paths(folders).unwrap())
            .env("REPRO_GATEWAY", &program.args[0]);
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    sandbox.assert_clean();
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
    assert_eq!(left.len(), 1, "the folder holds the script only: {left:?}");
    (output.status.code(), text)
}

fn seed() -> String {
    let catalogue = catalogue();
    let cell = cells(&catalogue).find(|cell| cell.id() == SEED).unwrap();
    script(&Repro::new(&catalogue, &cell, &"2026.3.28".parse().unwrap()).unwrap())
}

/// openclaw#58357 on a machine that has nothing: the script installs what it needs, and shows the bug.
#[test]
#[ignore = "installs openclaw@2026.3.28 from npm"]
fn the_seeds_script_installs_its_own_gateway() {
    let (code, text) = run(&seed(), None, None);
    assert_eq!(code, Some(1), "{text}");
    assert!(
        text.contains(
            "observed  403 forbidden: missing scope: operator.write; calls to the model: 0\n"
        ),
        "{text}"
    );
    assert!(
        text.contains("does not hold, as the issue says: "),
        "{text}"
    );
}

/// The same script, told of another release, installs that one.
#[rstest]
#[case::fixed("2026.4.1")]
#[case::newest("2026.9.6")]
#[ignore = "installs releases from npm"]
fn the_seeds_script_installs_another_release(#[case] release: &str) {
    let (code, text) = run(&seed(), Some(release), None);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("observed  200 ") && text.contains("; calls to the model: 1\n"),
        "{text}"
    );
}

/// The same script on releases that are there already.
#[rstest]
#[case::broken("2026.3.28", 1)]
#[case::fixed("2026.4.1", 0)]
#[case::newest("2026.9.6", 0)]
#[ignore = "launches published releases"]
fn the_seeds_script_takes_what_is_installed(#[case] release: &str, #[case] code: i32) {
    let program = installed(release);
    let (ended, text) = run(&seed(), None, Some(&program));
    assert_eq!(ended, Some(code), "{text}");
    assert!(!text.contains("installing"), "{text}");
}

/// Each known issue shows on the release on which it was seen, and the script for the release on which it was looked for says
/// that it is gone.
#[rstest]
#[case::on_2026_3_24("2026.3.24")]
#[case::on_2026_3_28("2026.3.28")]
#[case::on_2026_3_31("2026.3.31")]
#[case::on_2026_4_1("2026.4.1")]
#[case::on_2026_5_28("2026.5.28")]
#[case::on_2026_6_11("2026.6.11")]
#[case::on_2026_7_1("2026.7.1")]
#[case::on_2026_8_2("2026.8.2")]
#[case::on_2026_9_6("2026.9.6")]
#[ignore = "launches published releases"]
fn known_issues_show_and_are_gone(#[case] release: &str) {
    let catalogue = catalogue();
    let here = release.parse().unwrap();
    let mut wanted = Vec::new();
    for issue in &catalogue.known_issues {
        let code = match (&issue.shows_on, &issue.gone_on) {
            (Some(shows), _) if *shows == here => 1,
            (_, Some(gone)) if *gone == here => 0,
            _ => continue,
        };
        let shows_on = issue.shows_on.as_ref().unwrap();
        let cell = first_affected(&catalogue, issue, shows_on).unwrap();
        let text = script(&Repro::new(&catalogue, &cell, &here).unwrap());
        wanted.push((issue.id.clone(), text, code));
    }
    assert!(!wanted.is_empty(), "no known issue names {release}");
    let program = installed(release);
    let queue = Mutex::new(wanted.into_iter());
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().next();
                    let Some((issue, text, code)) = next else {
                        break;
                    };
                    let (ended, told) = run(&text, None, Some(&program));
                    let named = code == 0 || told.contains("does not hold, as the issue says: ");
                    if ended != Some(code) || !named {
                        let failure = format!("{issue} on {release}: {ended:?}\n{told}");
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
