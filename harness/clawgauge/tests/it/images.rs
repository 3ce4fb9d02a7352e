//! Container images as gateways: with a client of Docker that runs, on this machine, what a container would run.

use std::fs;

use crate::support::Sandbox;
use assert_cmd::Command;
use predicates::str::contains;
use rstest::rstest;
use serde_json::Value;

/// A client of Docker, as far as clawgauge needs it. It takes the variables that it is told, and no others.
const CLIENT: &str = r#"#!/bin/sh
case "$1" in
image) echo '[{"Id":"sha256:5ca1ab1e","Config":{"Entrypoint":["CLAWGAUGE"],"Cmd":["reference-gateway","gateway"]}}]' ;;
info) echo '[name=seccomp,profile=builtin]' ;;
run)
  shift
  variables=PATH=$PATH
  while [ "$1" != sh ]; do
    case "$1" in
    --env) eval "variables=\"\$variables
$2=\$$2\""; shift 2 ;;
    --rm | --interactive) shift ;;
    --volume) [ -d "${2%%:*}" ] && [ "${2%%:*}" = "${2#*:}" ] || exit 125; shift 2 ;;
    --entrypoint) shift ;;
    *) shift 2 ;;
    esac
  done
  [ "$2" = sha256:5ca1ab1e ] || exit 125
  shift 2
  IFS='
'
  exec env -i $variables sh "$@"
  ;;
esac
"#;

/// With the client of Docker before all others.
fn clawgauge(sandbox: &Sandbox, client: &str) -> Command {
    let folder = sandbox.folder.path().join("bin");
    fs::create_dir_all(&folder).unwrap();
    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    let client = client.replace("CLAWGAUGE", binary.to_str().unwrap());
    sandbox.script("bin/docker", &client);
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::split_paths(&path);
    let path = std::env::join_paths(std::iter::once(folder).chain(path)).unwrap();
    let mut command = sandbox.clawgauge();
    command
        .env("PATH", path)
        .env("DOCKER_HOST", "unix:///nowhere");
    command
}

#[test]
fn an_image_is_a_gateway() {
    let sandbox = Sandbox::whole();
    let args = ["run", "chat-completions/**", "--where", "profile=token"];
    let args = [
        &args[..],
        &[
            "--gateway",
            "docker:openclaw:test",
            "--report",
            "json=r.json",
        ],
    ];
    let run = clawgauge(&sandbox, CLIENT).args(args.concat()).assert();
    run.success();
    let record = fs::read(sandbox.folder.path().join("r.json")).unwrap();
    let record: Value = serde_json::from_slice(&record).unwrap();
    let gateway = &record["gateways"][0];
    assert_eq!(gateway["integrity"], "sha256:5ca1ab1e", "{gateway:#}");
    assert_eq!(gateway["version"], "2026.9.6", "{gateway:#}");
    sandbox.assert_clean();
}

/// A start that is refused ends the container with the gateway's own code.
#[test]
fn starts_are_refused_as_elsewhere() {
    let sandbox = Sandbox::whole();
    let cells = ["run", "start/**", "--where", "profile=refuse-unknown-flag"];
    let gateway = ["--gateway", "docker:openclaw:test"];
    let mut command = clawgauge(&sandbox, CLIENT);
    command.args(cells).args(gateway).assert().success();
    sandbox.assert_clean();
}

/// What takes a network of its own cannot be asked, and says so.
#[test]
fn a_container_has_the_machines_network() {
    let sandbox = Sandbox::whole();
    let cells = [
        "run",
        "proxy-identity/**",
        "--where",
        "profile=proxy-own-network",
    ];
    let gateway = ["--gateway", "docker:openclaw:test"];
    let mut command = clawgauge(&sandbox, CLIENT);
    let run = command.args(cells).args(gateway).assert().code(4);
    run.stdout(contains("a container runs in the machine's own network"));
}

#[rstest]
#[case::no_such_image(
    "#!/bin/sh\necho 'Error response from daemon: No such image: openclaw:test' >&2\nexit 1\n",
    "No such image",
    "docker pull openclaw:test"
)]
#[case::no_engine(
    "#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2\nexit 1\n",
    "Cannot connect to the Docker daemon",
    "start the engine"
)]
#[case::no_gateway(
    "#!/bin/sh\necho '[{\"Id\":\"sha256:1\",\"Config\":{\"Cmd\":[\"bash\"]}}]'\n",
    "does not say how a gateway is started in it",
    "name an image with an entry point"
)]
fn what_is_no_gateway(#[case] client: &str, #[case] why: &str, #[case] help: &str) {
    let sandbox = Sandbox::new();
    let mut command = clawgauge(&sandbox, client);
    let run = command.args(["run", "--gateway", "docker:openclaw:test"]);
    run.assert()
        .code(3)
        .stderr(contains(why))
        .stderr(contains(help));
}

/// Without Docker it says what to install.
#[test]
fn no_docker() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.clawgauge();
    command.env("PATH", sandbox.folder.path());
    let run = command.args(["run", "--gateway", "docker:openclaw:test"]);
    let run = run.assert().code(3);
    run.stderr(contains("there is no `docker` on PATH"))
        .stderr(contains("apt-get install docker.io"));
    let mut doctor = sandbox.clawgauge();
    doctor.env("PATH", sandbox.folder.path());
    let doctor = doctor.args(["doctor", "--gateway", "docker:openclaw:test"]);
    let doctor = doctor.assert().code(4);
    doctor.stdout(contains("apt-get install docker.io"));
}

/// An image that an engine of this machine has: what a real container answers, and that nothing stays of a run that is killed.
#[test]
#[ignore = "needs a Docker engine, and an image of OpenClaw by the name CLAWGAUGE_IMAGE"]
fn a_real_container() {
    let image = std::env::var("CLAWGAUGE_IMAGE").unwrap();
    let sandbox = Sandbox::whole();
    let run = |sandbox: &Sandbox| {
        let mut command = sandbox.clawgauge();
        if let Some(host) = std::env::var_os("DOCKER_HOST") {
            command.env("DOCKER_HOST", host);
        }
        command
            .args(["run", "chat-completions/**", "start/**", "--where"])
            .args([
                "profile=token,choice-token-flag-over-none,refuse-unknown-flag",
                "--gateway",
            ])
            .arg(format!("docker:{image}"));
        command
    };
    run(&sandbox).assert().success();
    sandbox.assert_clean();
    assert_eq!(containers(), "");

    let binary = run(&sandbox);
    let mut killed = std::process::Command::new(binary.get_program());
    killed.args(binary.get_args());
    for (name, value) in binary.get_envs() {
        killed.env(name, value.unwrap_or_default());
    }
    let mut killed = killed.spawn().unwrap();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while containers().is_empty() && std::time::Instant::now() < until {
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_ne!(containers(), "");
    killed.kill().unwrap();
    killed.wait().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(5));
    assert_eq!(containers(), "");
}

/// The containers of launches that run.
fn containers() -> String {
    let mut docker = std::process::Command::new("docker");
    docker.args(["ps", "--all", "--quiet", "--filter", "label=clawgauge"]);
    String::from_utf8(docker.output().unwrap().stdout).unwrap()
}
