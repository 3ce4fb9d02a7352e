//! Proxies before a gateway: what a machine lacks, proxies that fail, and the real ones.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Sandbox, executable, processes_of, until_said};
use predicates::prelude::*;
use predicates::str::contains;
use rstest::rstest;
use serde_json::Value;

/// Cells of the seed's set-up: behind Tailscale Serve, nobody asked for anything.
const SERVED: &str = "tailscale-serve/profile=none/proxy=tailscale-serve/**";

/// A folder for `PATH`, with nothing on it but what the test puts there.
fn bin(sandbox: &Sandbox) -> PathBuf {
    let folder = sandbox.folder.path().join("bin");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn record(sandbox: &Sandbox) -> Value {
    serde_json::from_slice(&fs::read(sandbox.folder.path().join("r.json")).unwrap()).unwrap()
}

/// Network namespaces whose maker is no more.
fn left_behind() -> Vec<String> {
    let names = fs::read_dir("/run/netns").into_iter().flatten();
    let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let is_left = |name: &String| {
        let id = name
            .strip_prefix("clawgauge-")
            .and_then(|rest| rest.split('-').next());
        id.is_some_and(|id| !Path::new("/proc").join(id).exists())
    };
    names.filter(is_left).collect()
}

#[test]
fn what_the_machine_lacks_is_a_reason_that_says_how_to_install_it() {
    let sandbox = Sandbox::whole();
    let run = |args: &[&str]| {
        let mut command = sandbox.clawgauge();
        command.env("PATH", bin(&sandbox)).args(args);
        command.assert()
    };
    run(&[
        "run",
        "identity-proxy/**",
        "--where",
        "visitor=nick",
        "--report",
        "json=r.json",
        "--bundle",
        "b.tar.gz",
    ])
    .code(0);
    let record = record(&sandbox);
    let cells = record["cells"].as_array().unwrap();
    let reasons: BTreeSet<&str> = cells
        .iter()
        .filter_map(|cell| cell["reason"].as_str())
        .collect();
    let no_network = "it takes network namespaces, so root on Linux: no `ip` on PATH, which makes network namespaces; on Debian: apt-get install iproute2";
    assert_eq!(
        reasons,
        BTreeSet::from([
            "no `nginx` on PATH; on Debian: apt-get install --no-install-recommends nginx-light",
            "no `haproxy` on PATH; on Debian: apt-get install --no-install-recommends haproxy",
            no_network,
        ])
    );
    let conform = cells.iter().filter(|cell| cell["verdict"] == "conforms");
    assert!(conform.clone().count() > 0);
    for cell in conform {
        assert_eq!(
            (&cell["axes"]["proxy"], &cell["axes"]["profile"]),
            (&"direct".into(), &"trusted-proxy".into())
        );
    }
    // Another machine believes the record about what the first one lacked.
    sandbox
        .clawgauge()
        .args(["verify", "b.tar.gz"])
        .assert()
        .code(0);
    run(&["plan", SERVED]).code(0).stdout(contains(
        "not asked: no `nginx` on PATH; on Debian: apt-get install --no-install-recommends nginx-light",
    ));
    // Nothing that can be asked is not a pass.
    run(&["run", SERVED])
        .code(4)
        .stderr(contains("no cell ran"));
    sandbox.assert_clean();
}

/// A program in the place of nginx; `$6` is its configuration.
fn in_place_of_nginx(sandbox: &Sandbox, script: &str) -> String {
    sandbox.edit(
        "fixtures/proxies/nginx.toml",
        "program = \"nginx\"",
        "program = \"other-nginx\"",
    );
    // It names nginx, of which no cell asks any more.
    std::fs::remove_file(sandbox.folder.path().join("clawgauge.toml")).unwrap();
    let script = format!("#!/bin/sh\n{script}\n");
    executable(&bin(sandbox).join("other-nginx"), &script);
    let path = std::env::var("PATH").unwrap_or_default();
    format!("{}:{path}", bin(sandbox).display())
}

#[test]
fn a_proxy_that_does_not_start_is_no_answer() {
    let sandbox = Sandbox::whole();
    let script =
        "grep -c '' \"$6\" > lines; echo 'unknown directive \"servr\"' >&2; sleep 60 & exit 3";
    let path = in_place_of_nginx(&sandbox, script);
    let others = "tailscale-serve/profile=none/proxy=direct/**";
    sandbox
        .clawgauge()
        .env("PATH", path)
        .args(["run", SERVED, others, "--report", "json=r.json"])
        .assert()
        .code(3)
        .stderr(
            contains("proxy tailscale-serve did not start: exit code 3")
                .and(contains("unknown directive \"servr\""))
                .and(contains("other-nginx -p "))
                .and(contains("--keep-temp"))
                .and(contains(
                    "reference, profile none: proxy tailscale-serve did not start",
                )),
        );
    let record = record(&sandbox);
    assert_eq!(record["summary"]["could_not_run"], 10);
    // The cells that go past it are asked all the same.
    assert_eq!(record["summary"]["conforms"], 6);
    sandbox.assert_clean();
}

#[test]
fn a_proxy_that_dies_is_told_with_its_last_words() {
    let sandbox = Sandbox::whole();
    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    // It accepts connections, never answers, and is gone after a second.
    let script = format!(
        "port=$(sed -n 's/.*listen .*:\\([0-9]*\\);.*/\\1/p' \"$6\")\n\
         echo '{{\"gateway\":{{\"mode\":\"local\",\"auth\":{{\"mode\":\"none\"}},\"http\":{{\"endpoints\":{{\"chatCompletions\":{{\"enabled\":true}}}}}}}}}}' > c.json\n\
         OPENCLAW_CONFIG_PATH=c.json '{}' reference-gateway --misbehave hangs gateway run --port \"$port\" &\n\
         sleep 1; echo 'out of file handles'; kill -9 $!; exit 5",
        binary.display()
    );
    let path = in_place_of_nginx(&sandbox, &script);
    sandbox
        .clawgauge()
        .env("PATH", path)
        .args(["run", SERVED, "--report", "json=r.json"])
        .assert()
        .code(3)
        .stderr(
            contains("proxy tailscale-serve ended while it was asked: exit code 5")
                .and(contains("out of file handles")),
        );
    assert_eq!(record(&sandbox)["summary"]["could_not_run"], 10);
    sandbox.assert_clean();
}

#[rstest]
#[case::placeholder(
    "listen ${listen};",
    "listen ${listn};",
    "unknown placeholder `${listn}`; did you mean `listen`?"
)]
#[case::key("program = ", "programm = ", "programm")]
#[case::twin(
    "id = \"nginx-strips\"",
    "id = \"haproxy-strips\"",
    "proxy `haproxy-strips` is defined twice"
)]
#[case::direct(
    "id = \"nginx-strips\"",
    "id = \"direct\"",
    "the name of no proxy at all"
)]
fn slips_in_a_proxys_file(#[case] from: &str, #[case] to: &str, #[case] told: &str) {
    let sandbox = Sandbox::whole();
    sandbox.edit("fixtures/proxies/nginx.toml", from, to);
    sandbox
        .clawgauge()
        .arg("check")
        .assert()
        .code(2)
        .stderr(contains(told).and(contains("fixtures/proxies/nginx.toml")));
}

#[test]
fn a_proxy_is_shown_and_takes_no_script() {
    let sandbox = Sandbox::whole();
    let cell = "tailscale-serve/profile=none/proxy=tailscale-serve/credential=absent/claim=nothing";
    let run = |args: &[&str]| sandbox.clawgauge().args(args).assert();
    run(&["show", cell]).code(0).stdout(
        contains("proxy        nginx -p ${folder}")
            .and(contains("proxy_set_header X-Forwarded-For 100.64.0.9;"))
            .and(contains("(fixtures/proxies/nginx.toml:")),
    );
    let refused = |cell: &str, what: &str| {
        run(&["repro", cell, "--gateway", "openclaw@2026.3.28"])
            .code(2)
            .stderr(contains(what).and(contains("clawgauge run '")));
    };
    refused(
        cell,
        "takes the proxy tailscale-serve, which a script does not set up",
    );
    refused(
        "proxy-identity/profile=proxy-own-network/identity=complete",
        "takes network namespaces, which a script does not set up",
    );
    run(&["schema"])
        .code(0)
        .stdout(contains("\"proxies\"").and(contains("own-network")));
}

/// The seed's set-up has its own row, with what each release does about it.
#[test]
fn the_contract_tells_the_seeds_story() {
    let sandbox = Sandbox::whole();
    let row = "| none | proxy: tailscale-serve; claim: nothing, tailscale-user, client-loopback | 200 answered \
               | 403 missing-scope-write (openclaw#58357) | 403 missing-scope-write (openclaw#58357) | 200 answered \
               | 403 proxy-attribution-required |";
    sandbox.clawgauge().arg("contract").assert().code(0).stdout(
        contains("| profile | who | from 2026.3.22 | from 2026.3.28 | from 2026.3.31 | from 2026.4.1 | from 2026.8.1 |")
            .and(contains(row)),
    );
}

#[test]
#[ignore = "needs nginx, haproxy, iproute2 and root"]
fn the_reference_keeps_the_contract_behind_real_proxies() {
    let sandbox = Sandbox::whole();
    let scenarios = [
        "identity-proxy/**",
        "tailscale-serve/**",
        "proxy-identity/**",
    ];
    sandbox
        .clawgauge()
        .arg("run")
        .args(scenarios)
        .args(["--report", "json=r.json", "--bundle", "b.tar.gz"])
        .assert()
        .code(0);
    let record = record(&sandbox);
    assert_eq!(record["summary"]["not_applicable"], 0);
    assert_eq!(record["summary"]["not_asked"], 0);
    assert_eq!(record["summary"]["conforms"], record["summary"]["selected"]);
    assert!(record["summary"]["selected"].as_u64().unwrap() > 1_000);
    assert_eq!(record["relations"], serde_json::json!([]));
    sandbox
        .clawgauge()
        .args(["verify", "b.tar.gz"])
        .assert()
        .code(0);
    sandbox.assert_clean();
    assert_eq!(left_behind(), Vec::<String>::new());
}

/// A gateway that lets in whom it must not is found through a proxy, too, and so is a proxy that strips less than it says.
#[rstest]
#[case::gateway("--misbehave ignores-scopes", "", "", "unexpected-allow")]
#[case::proxy(
    "",
    "http-request del-header X-Forwarded- -m beg\n",
    "",
    "unexpected-allow"
)]
#[case::not_reached(
    "",
    "server gateway ${gateway}",
    "server gateway 127.0.0.1:1",
    "it says 503 itself"
)]
#[ignore = "needs nginx and haproxy"]
fn deviations_show(#[case] flags: &str, #[case] from: &str, #[case] to: &str, #[case] told: &str) {
    let sandbox = Sandbox::whole();
    if !from.is_empty() {
        sandbox.edit("fixtures/proxies/haproxy.toml", from, to);
        // The other proxy of the file has lines of its own.
        let strips = "http-request set-header X-Forwarded-User %[var(txn.visitor)] if { var(txn.visitor) -m found }\n";
        if to.is_empty() {
            sandbox.edit("fixtures/proxies/haproxy.toml", strips, "");
        }
    }
    let gateway = sandbox.gateway("gateway", flags);
    let output = sandbox
        .clawgauge()
        .args(["run", "identity-proxy/profile=trusted-proxy/**", "--where"])
        .args(["proxy=haproxy-strips,haproxy-adds", "--gateway", &gateway])
        .assert();
    let output = output.get_output();
    assert_ne!(output.status.code(), Some(0));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains(told), "{text}");
    sandbox.assert_clean();
}

#[test]
#[ignore = "needs nginx"]
fn a_configuration_that_nginx_refuses_is_told_in_its_words() {
    let sandbox = Sandbox::whole();
    sandbox.edit(
        "fixtures/proxies/nginx.toml",
        "proxy_http_version 1.1;",
        "proxy_http_verson 1.1;",
    );
    sandbox
        .clawgauge()
        .args(["run", SERVED])
        .assert()
        .code(3)
        .stderr(
            contains("proxy tailscale-serve did not start: exit code 1")
                .and(contains("unknown directive \"proxy_http_verson\"")),
        );
    sandbox.assert_clean();
}

/// Ctrl-C while a gateway is asked through proxies, in networks of their own and on the loopback: nothing is left.
#[test]
#[ignore = "needs nginx, haproxy, iproute2 and root"]
fn an_interrupted_run_leaves_no_proxy_and_no_network() {
    let sandbox = Sandbox::whole();
    // The control of the launch hangs, and so does every chat request through a proxy.
    let gateway = sandbox.broken_gateway("hangs");
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("clawgauge"))
        .env("TMPDIR", sandbox.temp())
        .args(["--root", sandbox.root().to_str().unwrap(), "run"])
        .args([
            "tailscale-serve/**",
            "identity-proxy/**",
            "--gateway",
            &gateway,
        ])
        .args([
            "--where",
            "profile=none,proxy-own-network",
            "--launches",
            "2",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = child.stderr.take().unwrap();
    until_said(&mut stderr, "profile none ready");
    let seen = |name: &str| {
        let of_the_run = processes_of(&sandbox.temp()).into_iter();
        of_the_run
            .filter_map(|id| fs::read_to_string(format!("/proc/{id}/comm")).ok())
            .any(|comm| comm.trim() == name)
    };
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while !(seen("nginx") && seen("haproxy")) {
        assert!(std::time::Instant::now() < deadline, "no proxy was started");
        std::thread::sleep(Duration::from_millis(50));
    }
    let id = i32::try_from(child.id()).unwrap();
    let mine = format!("clawgauge-{id}-");
    let names = || {
        let names = fs::read_dir("/run/netns").into_iter().flatten();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with(&mine)).count()
    };
    assert_eq!(names(), 3);
    let pid = rustix::process::Pid::from_raw(id).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(names(), 0);
    sandbox.assert_clean();
}

#[test]
#[ignore = "needs iproute2 and root"]
fn what_a_dead_run_left_is_removed_by_the_next() {
    let sandbox = Sandbox::whole();
    // No system gives a process this id.
    let stale = "clawgauge-4194305-deadbeef-proxy";
    let ip = |args: &[&str]| Command::new("ip").args(args).status().unwrap().success();
    assert!(ip(&["netns", "add", stale]));
    sandbox
        .clawgauge()
        .args(["run", "proxy-identity/profile=proxy-own-network/**"])
        .assert()
        .code(0)
        .stdout(contains("29 conform"));
    assert!(!Path::new("/run/netns").join(stale).exists());
}
