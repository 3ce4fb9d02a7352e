//! The part of a script that is the same for every cell, and the order in which it all happens.
//!
//! Its pieces are files beside this one, so that they can be read, checked and formatted as what they are. A script has only those that its
//! cell needs.

use std::fmt::Write as _;

use super::Repro;
use super::request::{Way, has_model, ways};
use super::script::{secrets, within};
use contract::scenario::model::Kind;
use machine::install::NODES;

const TOOLS: &str = include_str!("tools.sh");
const INSTALL: &str = include_str!("install.sh");
const LAUNCH: &str = include_str!("launch.sh");
const SEND: &str = include_str!("send.sh");
const MODEL: &str = include_str!("model.sh");

const ENGINES: &str = include_str!("engines.js");
const KEEPER: &str = include_str!("keeper.js");
const JUDGE: &str = include_str!("judge.js");
const STAND_IN: &str = include_str!("stand-in.js");
const RAW: &str = include_str!("raw.js");
const SOCKET: &str = include_str!("socket.js");

const MERGE: &str = include_str!("merge.js");

const CHANGE: &str = r#"# What is on stdin becomes part of the gateway's configuration.
change_config() {
  cat >"$WORK/change"
  node "$WORK/merge.js" "$WORK/openclaw.json" "$WORK/change" || unsure "the configuration cannot be changed"
}
"#;

/// A word between single quotes.
fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Everything that follows what is asked.
pub(super) fn machinery(repro: &Repro) -> String {
    let ways = ways(repro);
    let model = has_model(repro);
    let refusals: Vec<String> = repro
        .refusals
        .iter()
        .map(|line| format!("-e {}", single(line)))
        .collect();
    let mut needs = Vec::new();
    for need in &repro.needs {
        let packages: Vec<String> = need
            .packages
            .iter()
            .map(|package| single(package))
            .collect();
        needs.push(format!(
            "# {}\n    ! {} || set -- \"$@\" {}",
            need.reason,
            within(&need.range),
            packages.join(" ")
        ));
    }
    let mut pieces = vec![
        TOOLS.to_owned(),
        INSTALL
            .replace("@nodes@", &NODES.join(" "))
            .replace("#@ needs", &needs.join("\n    ")),
        LAUNCH
            .replace("@ready@", &repro.ready.join(" "))
            .replace("@refusals@", &refusals.join(" ")),
    ];
    let mut helpers = vec![
        ("engines.js", ENGINES),
        ("keeper.js", KEEPER),
        ("judge.js", JUDGE),
    ];
    if model {
        pieces.push(MODEL.to_owned());
        helpers.push(("stand-in.js", STAND_IN));
    }
    if ways.contains(&Way::Curl) {
        pieces.push(SEND.to_owned());
    }
    for (way, function, file, text) in [
        (Way::Raw, "send_raw", "raw.js", RAW),
        (Way::Socket, "send_frames", "socket.js", SOCKET),
    ] {
        if ways.contains(&way) {
            pieces.push(format!(
                "{function}() {{\n  cat >\"$WORK/request\"\n  run '' node \"$WORK/{file}\" \"$WORK\" \"$1\" \"$PORT\"\n  SENT=$?\n}}\n"
            ));
            helpers.push((file, text));
        }
    }
    if repro.steps.iter().any(|step| {
        step.change
            .as_object()
            .is_some_and(|table| !table.is_empty())
    }) {
        pieces.push(CHANGE.to_owned());
        helpers.push(("merge.js", MERGE));
    }
    let mut out = String::from("write_helpers() {\n");
    for (name, text) in helpers {
        let _ = write!(out, "  cat >\"$WORK/{name}\" <<'JS'\n{text}JS\n");
    }
    out.push_str("}\n");
    pieces.push(out);
    pieces.push(main(repro, model));
    pieces.join("\n")
}

fn main(repro: &Repro, model: bool) -> String {
    let mut out = String::from(
        "# ---------- Go ----------\n\ntrap cleanup EXIT\ntrap 'exit 129' HUP\ntrap 'exit 130' INT\ntrap 'exit 143' TERM\nprepare\n",
    );
    if !secrets(repro).is_empty() {
        out.push_str("secrets\n");
    }
    if model {
        out.push_str("start_model\n");
    }
    out.push_str("start_gateway\nexpected >\"$WORK/expected.json\"\n");
    if repro.kind == Kind::Start {
        return out + "stop_gateway\nnode \"$WORK/judge.js\" \"$WORK\" \"$STARTED\" 0 0 ''\n";
    }
    out.push_str("if [ \"$STARTED\" != up ]; then\n  log_tail\n  unsure \"the gateway does not start\"\nfi\nsay \"asking\"\nask\n");
    let (then, now) = if model {
        out.push_str("CALLS=$(calls \"$CANARY\")\n");
        ("\"$CALLS\"", "\"$(calls \"$CANARY\")\"")
    } else {
        ("0", "0")
    };
    out.push_str("REACHED=''\n");
    if repro.control.is_some() {
        out.push_str(
            "if grep -q '\"direction\": \"deny\"' \"$WORK/expected.json\"; then\n  ASKED=$CANARY\n  CANARY=$(random_canary)\n  control\n  [ \"$(calls \"$CANARY\")\" -gt 0 ] || REACHED=no\n  CANARY=$ASKED\nfi\n",
        );
    }
    let _ = write!(
        out,
        "stop_gateway\nnode \"$WORK/judge.js\" \"$WORK\" asked {then} {now} \"$REACHED\"\n"
    );
    out
}
