//! How long reports of many cells take, and how much memory: figures, and the promise that memory does not grow.

#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::support::synthetic;

/// The binary: the release build where it is named, for figures that count.
fn binary() -> OsString {
    let named = std::env::var_os("CLAWGAUGE");
    named.unwrap_or_else(|| env!("CARGO_BIN_EXE_clawgauge").into())
}

/// Renders a record in a process of its own: seconds, and the most KiB that it held.
fn rendered(record: &Path, format: &str) -> (f64, u64) {
    let out = record.with_extension(format);
    let started = Instant::now();
    // The kernel's own account of a process is gone once it has been waited for, so that GNU time takes it.
    let output = Command::new("/usr/bin/time")
        .args(["-f", "%M"])
        .arg(binary())
        .arg("report")
        .arg(record)
        .args(["--report", &format!("{format}={}", out.display())])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let memory = String::from_utf8(output.stderr).unwrap();
    (
        started.elapsed().as_secs_f64(),
        memory.trim().parse().unwrap(),
    )
}

#[test]
#[ignore = "takes a while; name a release build in CLAWGAUGE, and run it with --ignored --nocapture"]
fn memory_is_flat() {
    let folder = tempfile::tempdir().unwrap();
    for format in [
        "junit",
        "json",
        "ctrf",
        "tap",
        "sarif",
        "markdown",
        "annotations",
    ] {
        let mut held = Vec::new();
        for cells in [1_000, 10_000, 50_000] {
            let record = folder.path().join(format!("{cells}.record"));
            if !record.exists() {
                synthetic::write_many(&record, cells);
            }
            let (seconds, kib) = rendered(&record, format);
            println!(
                "{format:<12} {cells:>7} cells {seconds:>6.2} s {:>6.1} MiB",
                kib as f64 / 1024.0
            );
            held.push(kib);
        }
        assert!(
            held[2] < held[1] * 2,
            "{format} holds more for more cells: {held:?}"
        );
    }
}
