//! The table of faults: ways in which a gateway, the machine, a file, the registry or a person does not do what a command counts
//! on. The rows are in `faults/*.toml`; each says the exit code and the last line that the command must end with, and nothing
//! may be left behind. The guide's page of faults shows the same rows.
//!
//! This program is also the gateway of many rows: the reference gateway behind a relay that misbehaves in one way, see [`relay`].

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "faults/relay.rs"]
mod relay;
#[path = "faults/row.rs"]
mod row;
mod support;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};

fn main() -> ExitCode {
    if std::env::var_os("STUB_FAULT").is_some() {
        relay::stub();
        return ExitCode::SUCCESS;
    }
    let mut arguments = Arguments::from_args();
    let threads = std::env::var("RUST_TEST_THREADS").ok();
    let threads = threads.and_then(|count| count.parse().ok());
    arguments.test_threads = arguments.test_threads.or(threads);
    let times = Arc::new(Mutex::new(Vec::new()));
    let mut trials = Vec::new();
    for row in row::all() {
        let times = Arc::clone(&times);
        let (name, ignored) = (row.name(), !row.can_be_run());
        let trial = Trial::test(name.clone(), move || {
            let took = row.check().map_err(libtest_mimic::Failed::from)?;
            times.lock().unwrap().push((name, row.code, took));
            Ok(())
        });
        trials.push(trial.with_ignored_flag(ignored));
    }
    trials.push(Trial::test("the_guide_shows_the_same_rows", || {
        let guide = support::repository().join("harness/guide/src/faults.md");
        let (guide, page) = (std::fs::read_to_string(guide).unwrap(), row::page());
        match guide.contains(&page) {
            true => Ok(()),
            false => Err(format!("the guide's page must hold this:\n{page}").into()),
        }
    }));
    let conclusion = libtest_mimic::run(&arguments, trials);
    print(&mut times.lock().unwrap());
    conclusion.exit_code()
}

/// What was seen, in the order of the rows' names.
fn print(times: &mut Vec<(String, Option<i32>, Duration)>) {
    times.sort();
    let mut out = std::io::stdout();
    for (name, code, took) in times {
        let code = code.map_or("killed".to_owned(), |code| code.to_string());
        let seconds = took.as_secs_f64();
        let _ = writeln!(
            out,
            "{name:<60} exit {code:<6} {seconds:>5.1} s, nothing left"
        );
    }
}
