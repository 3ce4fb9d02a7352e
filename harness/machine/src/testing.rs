//! What the tests of this crate share.

/// Makes an executable file.
pub(crate) fn executable(path: &std::path::Path, script: &str) {
    // Its writer is another process: a thread of this one that forks meanwhile would hold the file open for writing, and
    // whoever executes it then hears "Text file busy".
    let mut shell = std::process::Command::new("sh")
        .args(["-c", "cat >\"$1\" && chmod 755 \"$1\"", "sh"])
        .arg(path)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut shell.stdin.take().unwrap(), script.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success());
}
