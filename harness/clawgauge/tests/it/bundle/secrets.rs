//! No secret and nothing of the machine is in a bundle.

use super::*;

/// All shapes of a secret that are looked for.
fn shapes(secret: &str) -> Vec<String> {
    let escaped: String = secret.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut shapes = vec![
        secret.to_owned(),
        secret.to_uppercase(),
        secret.to_lowercase(),
        secret.replace('-', "%2D"),
        escaped,
    ];
    for text in [secret.to_owned(), format!("operator:{secret}")] {
        for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
            shapes.push(engine.encode(&text));
        }
    }
    shapes
}

/// A gateway that tells its configuration, its secrets in many shapes, and all that it knows of the machine, leaves none of
/// it in a bundle, a report or a script.
#[test]
fn no_secret_and_nothing_of_the_machine() {
    let sandbox = Sandbox::new();
    let binary = assert_cmd::cargo::cargo_bin!("clawgauge");
    let home = sandbox.folder.path();
    let script = format!(
        "#!/bin/sh\n\
         if [ -n \"$OPENCLAW_CONFIG_PATH\" ]; then\n\
           cat \"$OPENCLAW_CONFIG_PATH\"; env; pwd; uname -n; id\n\
           for secret in $(env | cat - \"$OPENCLAW_CONFIG_PATH\" | grep -o 'cG-[A-Za-z0-9]*' | sort -u); do\n\
             echo $secret | tr a-z A-Z; echo $secret | tr A-Z a-z\n\
             printf %s $secret | base64; printf 'operator:%s' $secret | base64 -w 0; echo\n\
             echo \"GET /?token=$secret&x=1 cG%2D${{secret#cG-}}\" >&2\n\
           done\n\
           echo 'reading {}/.profile of zelda-tester at castle-of-hyrule in {}'\n\
         fi\n\
         exec '{}' reference-gateway --misbehave ignores-scopes \"$@\"\n",
        home.display(),
        sandbox.temp().display(),
        binary.display()
    );
    sandbox.script("tells-everything", &script);
    let formats = clawgauge::reports::Format::value_variants();
    let reports: Vec<String> = formats
        .iter()
        .map(|format| format!("{0}=report.{0}", format.name()))
        .collect();
    let reports: Vec<&str> = reports
        .iter()
        .flat_map(|report| ["--report", report])
        .collect();
    let mut command = sandbox.clawgauge();
    let output = command
        .env("USER", "zelda-tester")
        .env("HOSTNAME", "castle-of-hyrule")
        .args([
            "run",
            "--bundle",
            FILE,
            "--keep-temp",
            "--gateway",
            "./tells-everything",
        ])
        .args(reports)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    verify(&sandbox).code(0);

    let mut artefacts: Vec<(String, Vec<u8>)> = open(&sandbox).members.into_iter().collect();
    artefacts.push(("stdout".to_owned(), output.stdout));
    for format in formats {
        let name = format!("report.{}", format.name());
        let text = fs::read(home.join(&name)).unwrap();
        artefacts.push((name, text));
    }
    let repro = ["repro", "openclaw#58357", "--gateway", "openclaw@2026.3.28"];
    let script = sandbox.clawgauge().args(repro).output().unwrap();
    artefacts.push(("repro".to_owned(), script.stdout));

    let secrets = secrets_below(&sandbox.temp());
    assert!(secrets.len() >= 4, "{secrets:?}");
    let mut hidden: Vec<String> = secrets.iter().flat_map(|secret| shapes(secret)).collect();
    // Half a secret is one, too.
    let halves = secrets.iter().map(|secret| secret[3..15].to_owned());
    hidden.extend(halves);
    let machine = rustix::system::uname();
    let machine = machine.nodename().to_string_lossy().into_owned();
    hidden.extend([
        home.display().to_string(),
        sandbox.temp().display().to_string(),
        std::env::current_dir().unwrap().display().to_string(),
        "zelda-tester".to_owned(),
        "castle-of-hyrule".to_owned(),
    ]);
    if machine != "localhost" && machine.len() > 4 {
        hidden.push(machine);
    }
    for (name, bytes) in &artefacts {
        let text = String::from_utf8_lossy(bytes);
        for hidden in &hidden {
            assert!(!text.contains(hidden), "{hidden} is in {name}");
        }
    }
    // The log is there, and would tell them.
    let log = &open(&sandbox).members["logs/tells-everything/token.log"];
    let log = String::from_utf8_lossy(log);
    for told in [
        "[secret:secret]",
        "[home]",
        "[user]",
        "[host]",
        "[launch]",
        "PATH=[path]",
    ] {
        assert!(log.contains(told), "{told}:\n{log}");
    }
}
