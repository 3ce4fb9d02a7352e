//! Strays: processes that a gateway started outside its group.
//!
//! They are known by the launch's folder in their environment, which every descendant inherits. Linux only; elsewhere
//! the process group is all there is.

use std::path::Path;

use rustix::process::{Pid, Signal, kill_process};

/// Kills what still runs for the launch in `folder`, and says how many there were.
pub(super) fn sweep(folder: &Path) -> usize {
    let needle = folder.as_os_str().as_encoded_bytes();
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return 0;
    };
    let own = i32::try_from(std::process::id()).ok();
    let mut count = 0;
    for entry in processes.filter_map(Result::ok) {
        let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<i32>().ok())
        else {
            continue;
        };
        if Some(id) == own {
            continue;
        }
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        if contains(&environment, needle)
            && let Some(pid) = Pid::from_raw(id)
            && kill_process(pid, Signal::KILL).is_ok()
        {
            count += 1;
        }
    }
    count
}

/// Whether a variable holds the folder or something below it.
fn contains(environment: &[u8], folder: &[u8]) -> bool {
    environment.split(|byte| *byte == 0).any(|variable| {
        let value = variable
            .iter()
            .position(|byte| *byte == b'=')
            .map_or(&[][..], |equals| &variable[equals + 1..]);
        value
            .strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_launchs_own_folder_counts() {
        let environment = b"HOME=/tmp/run-1/none/home\0PATH=/usr/bin\0";
        assert!(contains(environment, b"/tmp/run-1/none"));
        assert!(contains(environment, b"/tmp/run-1/none/home"));
        assert!(!contains(environment, b"/tmp/run-1/no"));
        assert!(!contains(environment, b"/tmp/run-2"));
    }
}
