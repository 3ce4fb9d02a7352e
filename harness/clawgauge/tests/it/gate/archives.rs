//! Release archives: packed, fetched, unpacked.

use super::*;

/// Packs a stand-in as a release is packed.
fn archive(sandbox: &Sandbox, folder: &str) -> PathBuf {
    let binary = stand_in(&sandbox.folder.path().join("to-pack/clawgauge"), 0);
    let out = sandbox.folder.path().join(folder);
    bare(sandbox, &repository().join("ci/release.sh"))
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .args(["--target", "x86_64-unknown-linux-musl", "--binary"])
        .arg(binary)
        .arg(&out)
        .assert()
        .success();
    fs::read_dir(out)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "gz"))
        .unwrap()
}

#[test]
fn a_release_archive_is_unpacked_once_and_only_with_its_checksum() {
    let sandbox = Sandbox::new();
    let script = lonely_gate(&sandbox);
    let archive = archive(&sandbox, "dist");
    let gate = |sha256: &str| {
        let mut command = bare(&sandbox, &script);
        command
            .env("CLAWGAUGE_ARCHIVE", &archive)
            .env("CLAWGAUGE_SHA256", sha256)
            .arg("reference");
        command
    };
    let sums = fs::read_to_string(archive.with_file_name("SHA256SUMS")).unwrap();
    let right = sums.split(' ').next().unwrap();
    let wrong = "0".repeat(64);
    gate(&wrong)
        .assert()
        .code(4)
        .stderr(contains("is not what it should be"))
        .stdout("");
    gate("").assert().code(0).stdout(contains("--gateway"));
    // By its checksum it is known again, also when the archive is gone.
    fs::remove_file(&archive).unwrap();
    gate(right).assert().code(0);
    gate("").assert().code(4).stderr(contains("no archive"));
    let tools = sandbox.folder.path().join(".cache/clawgauge-gate");
    let left: Vec<_> = fs::read_dir(tools)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(left, [right]);
}

#[test]
fn a_damaged_archive_is_refused() {
    let sandbox = Sandbox::new();
    let archive = archive(&sandbox, "dist");
    let mut bytes = fs::read(&archive).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&archive, bytes).unwrap();
    bare(&sandbox, &lonely_gate(&sandbox))
        .arg("--archive")
        .arg(archive)
        .arg("reference")
        .assert()
        .code(4)
        .stderr(contains("is not what it should be"))
        .stdout("");
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn a_release_archive_is_fetched_for_this_machine() {
    let sandbox = Sandbox::new();
    let archive = archive(&sandbox, "dist");
    let folder = archive.parent().unwrap().to_path_buf();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    // Serves the folder's files, one request a connection, until the process ends.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 2048];
            let count = stream.read(&mut request).unwrap();
            let line = String::from_utf8_lossy(&request[..count]).into_owned();
            let name = line.split([' ', '/']).nth(2).unwrap_or_default();
            let (status, body) = match fs::read(folder.join(name)) {
                Ok(body) => ("200 OK", body),
                Err(_) => ("404 Not Found", Vec::new()),
            };
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&body).unwrap();
        }
    });
    let version = env!("CARGO_PKG_VERSION");
    let gate = |name: String| {
        let mut command = bare(&sandbox, &lonely_gate(&sandbox));
        command
            .env("CLAWGAUGE_ARCHIVE", format!("http://{address}/{name}"))
            .arg("reference");
        command
    };
    gate(format!("clawgauge-{version}-{{target}}.tar.gz"))
        .assert()
        .code(0)
        .stdout(contains("--gateway"));
    gate("clawgauge-0.0.9-{target}.tar.gz".to_owned())
        .assert()
        .code(4)
        .stderr(contains("cannot fetch"));
}

#[test]
fn a_release_archive_is_the_same_bytes_each_time() {
    let sandbox = Sandbox::new();
    let first = fs::read(archive(&sandbox, "one")).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    let second = fs::read(archive(&sandbox, "two")).unwrap();
    assert!(first == second);
}

/// `cargo binstall` looks for the archive, and in it for the binary, by these templates.
#[test]
fn the_archive_has_the_name_that_binstall_looks_for() {
    let sandbox = Sandbox::new();
    let archive = archive(&sandbox, "dist");
    let manifest = fs::read_to_string(repository().join("harness/clawgauge/Cargo.toml")).unwrap();
    let manifest: toml::Value = toml::from_str(&manifest).unwrap();
    let binstall = &manifest["package"]["metadata"]["binstall"];
    let expand = |template: &toml::Value| {
        template
            .as_str()
            .unwrap()
            .replace("{ name }", "clawgauge")
            .replace("{ version }", env!("CARGO_PKG_VERSION"))
            .replace("{ target }", "x86_64-unknown-linux-musl")
            .replace("{ bin }", "clawgauge")
            .replace("{ binary-ext }", "")
    };
    assert_eq!(
        expand(&binstall["pkg-url"]).rsplit('/').next().unwrap(),
        archive.file_name().unwrap().to_str().unwrap()
    );
    assert_eq!(binstall["pkg-fmt"].as_str(), Some("tgz"));
    let listing = Command::new("tar")
        .arg("-tzf")
        .arg(&archive)
        .output()
        .unwrap();
    let listing = String::from_utf8(listing.stdout).unwrap();
    let folder = format!(
        "clawgauge-{}-x86_64-unknown-linux-musl",
        env!("CARGO_PKG_VERSION")
    );
    assert!(
        listing
            .lines()
            .any(|line| line == expand(&binstall["bin-dir"])),
        "{listing}"
    );
    // The stand-in prints something for every argument, so here are completions and a man page, too.
    for file in [
        "README.md",
        "CHANGELOG.md",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "gate.sh",
        "completions/clawgauge.bash",
        "completions/_clawgauge",
        "completions/clawgauge.fish",
        "man/clawgauge.1",
    ] {
        assert!(
            listing
                .lines()
                .any(|line| line == format!("{folder}/{file}")),
            "no {file} in\n{listing}"
        );
    }
}
