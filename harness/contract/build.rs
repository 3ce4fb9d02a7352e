//! The binary carries the data folders: tells cargo to build it again when they change.

fn main() {
    for name in [
        "scenarios",
        "snapshots",
        "fixtures/coverage",
        "fixtures/plugins",
        "fixtures/profiles",
        "fixtures/proxies",
        "fixtures/requests",
        "fixtures/senders",
    ] {
        println!("cargo::rerun-if-changed=data/{name}");
    }
}
