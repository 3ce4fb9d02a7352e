//! Whatever stands in the data, a script treats it as data.

use std::collections::BTreeMap;

use super::wire::captured;
use super::*;

/// What would run something, or end a quotation, in a shell, in JavaScript or in a here-document.
const HOSTILE: &str = "EOF\nEND_OF_PROGRAM\n`touch pwned` $(touch pwned) '; touch pwned; '\" + require('fs') + \"\\\r\t\u{2028}\u{1}*/ // #";

fn seed() -> Repro {
    let catalogue = catalogue();
    let cell = cells(&catalogue).find(|known| known.id() == SEED).unwrap();
    Repro::new(&catalogue, &cell, &"2026.9.6".parse().unwrap()).unwrap()
}

/// The body arrives as it is, and so does a header line, whose line breaks are the only ones that a server must refuse.
#[test]
fn data_is_data_wherever_it_stands() {
    let sandbox = Sandbox::new();
    let mut repro = seed();
    let line = format!("X-Odd: {}", HOSTILE.replace(['\r', '\n'], " "));
    let step = &mut repro.steps[0];
    step.request.body = format!("{HOSTILE}\n$${{port}}\n");
    step.request.headers.push(line.clone());
    repro.cell = HOSTILE.to_owned();
    repro.question = HOSTILE.to_owned();
    repro.expectation.title = HOSTILE.to_owned();
    repro.expectation.source = HOSTILE.to_owned();
    repro.packages = vec![HOSTILE.to_owned()];
    repro
        .launch
        .env
        .insert("ODD".to_owned(), HOSTILE.to_owned());
    repro.launch.args.push(HOSTILE.to_owned());
    repro.launch.config[HOSTILE] = serde_json::json!({ "__proto__": HOSTILE });
    let text = script(&repro);
    assert_eq!(
        text.lines()
            .filter(|line| *line == "END_OF_PROGRAM")
            .count(),
        1
    );

    let (sent, _, told) = captured(&sandbox, &text);
    let sent = String::from_utf8(sent).unwrap();
    let (head, body) = sent.split_once("\r\n\r\n").unwrap();
    assert!(
        head.split("\r\n").any(|sent| sent == line),
        "{head}: {told}"
    );
    assert_eq!(body, format!("{HOSTILE}\n${{port}}\n"), "{told}");
    assert!(!sandbox.folder.path().join("pwned").exists(), "{told}");
    assert!(markdown(&repro).contains(&text));
}

/// What the gateway gets: its whole environment, its arguments and its configuration, to the letter.
#[test]
fn the_gateway_gets_data_to_the_letter() {
    let sandbox = Sandbox::new();
    let mut repro = seed();
    let odd = HOSTILE.replace('\u{1}', "");
    repro.launch.env = BTreeMap::from([
        ("ODD".to_owned(), odd.clone()),
        ("OPENCLAW_CONFIG_PATH".to_owned(), "${config}".to_owned()),
    ]);
    repro.launch.args = vec!["run".to_owned(), odd.clone()];
    repro.launch.config =
        serde_json::json!({ "port": "${port}", &odd: { "__proto__": [odd, "$${port}"] } });
    let seen = sandbox.folder.path().join("seen.json");
    let gateway = format!(
        "#!/usr/bin/env node\nconst config = JSON.parse(require('fs').readFileSync(process.env.OPENCLAW_CONFIG_PATH));\n\
         require('fs').writeFileSync('{}', JSON.stringify({{ env: process.env, args: process.argv.slice(2), config }}));\n",
        seen.display()
    );
    let gateway = sandbox.script("tells", &gateway);
    let path = write(&sandbox, &script(&repro));
    let output = command(&sandbox, &path, &gateway).output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(125),
        "it ends at once: {output:?}"
    );
    let seen: serde_json::Value = serde_json::from_slice(&std::fs::read(&seen).unwrap()).unwrap();
    let names: Vec<&String> = seen["env"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["ODD", "OPENCLAW_CONFIG_PATH", "PATH"]);
    assert_eq!(seen["env"]["ODD"], odd.as_str());
    assert_eq!(seen["args"], serde_json::json!(["run", odd]));
    assert!(seen["config"]["port"].is_u64(), "{seen}");
    assert_eq!(
        seen["config"][&odd]["__proto__"],
        serde_json::json!([odd, "${port}"])
    );
    sandbox.assert_clean();
}

#[rstest]
#[case::line_break("GET /\r\nX: y")]
#[case::command("$(id)")]
#[case::quote("GET'")]
#[case::nothing("")]
fn an_odd_method_is_refused(#[case] method: &str) {
    let catalogue = catalogue();
    let mut cell = cells(&catalogue).find(|known| known.id() == SEED).unwrap();
    let mut scenario = (*cell.scenario).clone();
    scenario.request.method = method.to_owned();
    cell.scenario = scenario.into();
    let error = Repro::new(&catalogue, &cell, &"2026.9.6".parse().unwrap()).unwrap_err();
    assert!(matches!(error, ReproError::OddName { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains(&format!("with the method {method:?}")),
        "{error}"
    );
}

#[rstest]
#[case::command("X$(touch pwned)")]
#[case::assignment("X=Y")]
#[case::digit("1X")]
fn an_odd_variable_is_refused(#[case] name: &str) {
    let mut catalogue = catalogue();
    let cell = cells(&catalogue).find(|known| known.id() == SEED).unwrap();
    let profile = catalogue.profiles.get_mut("none").unwrap();
    profile.launches[0]
        .env
        .insert(name.to_owned(), String::new());
    let error = Repro::new(&catalogue, &cell, &"2026.9.6".parse().unwrap()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&format!("with the environment variable {name:?}")),
        "{error}"
    );
}
