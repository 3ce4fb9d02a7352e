//! A reproduction as one POSIX shell script: first what is asked, then how.
//!
//! The parts that are the same in every script are files beside this one, so that they can be read, checked and formatted as what they
//! are. A script has only those that its cell needs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::comments::comments;
use super::json::pretty;
use super::shell::{Place, assignments, shell};
use super::{Repro, Step};
use crate::release::{NODES, VersionRange};
use crate::request::Written;
use crate::scenario::Launch;
use crate::scenario::model::{Kind, Outcome, Protocol, Start};

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

const CHANGE: &str = r#"# Merges what is on stdin into the gateway's configuration while it runs.
change_config() {
  cat >"$WORK/change"
  node -e '
    const fs = require("fs");
    const [file, change] = process.argv.slice(1);
    const merge = (bottom, top) => {
      for (const [key, value] of Object.entries(top)) {
        const both = [bottom[key], value].every((each) => each && typeof each === "object" && !Array.isArray(each));
        if (both) merge(bottom[key], value);
        else bottom[key] = value;
      }
      return bottom;
    };
    const config = merge(JSON.parse(fs.readFileSync(file)), JSON.parse(fs.readFileSync(change)));
    fs.writeFileSync(`${file}.new`, JSON.stringify(config), { mode: 0o600 });
    fs.renameSync(`${file}.new`, file);' "$WORK/openclaw.json" "$WORK/change" || unsure "the configuration cannot be changed"
}
"#;

/// How a request leaves the script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Curl,
    Raw,
    Socket,
}

/// Renders a reproduction as a script. Pure: the same reproduction is always the same text.
pub fn script(repro: &Repro) -> String {
    let body = [
        applies(repro),
        secrets(repro),
        config(repro),
        gateway(repro),
        ask(repro),
        control(repro),
        expected(repro),
    ]
    .concat();
    let start = format!(
        "#!/bin/sh\n{}set -u\nCELL='{}'\nRELEASE={}\nWORK='' JOB='' GATEWAY='' MODEL='' MODEL_URL=http://127.0.0.1:9/v1\n\n\
         # ---------- What is asked ----------\n\n",
        comments(repro),
        repro.cell,
        repro.release
    );
    let machinery = format!(
        "# ---------- How it is asked ----------\n\n{}",
        machinery(repro)
    );
    start + &body + &machinery
}

/// The steps' ways, and the control's.
fn ways(repro: &Repro) -> Vec<Way> {
    let steps = repro
        .steps
        .iter()
        .map(|step| way(step.protocol, &step.request));
    steps
        .chain(
            repro
                .control
                .iter()
                .map(|request| way(Protocol::Http, request)),
        )
        .collect()
}

/// Whether the model stand-in is part of the script: where a request can be recognised by it.
fn has_model(repro: &Repro) -> bool {
    let canary = |request: &Written| {
        request
            .headers
            .iter()
            .chain([&request.body])
            .any(|text| text.contains("${canary}"))
    };
    repro.control.is_some() || repro.steps.last().is_some_and(|step| canary(&step.request))
}

/// curl takes a header line as it is, unless its value is nothing but blanks or holds control characters.
fn way(protocol: Protocol, request: &Written) -> Way {
    let fine = |line: &String| {
        let token = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        let Some((name, value)) = line.split_once(':') else {
            return false;
        };
        let control = value
            .chars()
            .any(|letter| letter.is_control() && letter != '\t');
        !name.is_empty()
            && name.chars().all(token)
            && !control
            && (value.is_empty() || !value.trim().is_empty())
    };
    let plain = |text: &str| !text.chars().any(char::is_control);
    match protocol {
        Protocol::Websocket => Way::Socket,
        Protocol::Http
            if request.headers.iter().all(fine)
                && plain(&request.target)
                && (request.method != "HEAD" || request.body.is_empty()) =>
        {
            Way::Curl
        }
        Protocol::Http => Way::Raw,
    }
}

/// A condition of the shell for a range.
fn within(range: &VersionRange) -> String {
    let bound = |version: Option<&crate::release::Version>| {
        version.map_or("''".to_owned(), ToString::to_string)
    };
    format!(
        "within {} {}",
        bound(range.since.as_ref()),
        bound(range.until.as_ref())
    )
}

fn is_whole(range: &VersionRange) -> bool {
    range.since.is_none() && range.until.is_none()
}

/// The same thing on every release, or one of several by release.
fn by_release(cases: &[(&VersionRange, String)]) -> String {
    if let [(range, text)] = cases
        && is_whole(range)
    {
        return text.clone();
    }
    let mut out = String::new();
    for (index, (range, text)) in cases.iter().enumerate() {
        let word = if index == 0 { "if" } else { "elif" };
        let _ = writeln!(out, "  {word} {}; then\n{}", within(range), text.trim_end());
    }
    out + "  fi\n"
}

fn applies(repro: &Repro) -> String {
    let mut lines = Vec::new();
    if let Some(since) = &repro.since {
        lines.push(format!(
            "within {since} '' || unsure \"the contract in question begins with {since}\""
        ));
    }
    for (range, reason) in &repro.not_applicable {
        lines.push(format!(
            "! {} || unsure \"{}\"",
            within(range),
            shell(reason, Place::Quotes)
        ));
    }
    let rules: Vec<_> = repro.expectations.iter().map(|one| &one.range).collect();
    if !rules.iter().any(|range| is_whole(range)) {
        let any: Vec<String> = rules.iter().map(|range| within(range)).collect();
        lines.push(format!(
            "{} || unsure \"no rule speaks about this cell on $VERSION\"",
            any.join(" || ")
        ));
    }
    let lines: Vec<String> = lines.iter().map(|line| format!("  {line}\n")).collect();
    format!(
        "# Whether the question can be asked of $VERSION at all.\napplies() {{\n{}  return 0\n}}\n\n",
        lines.concat()
    )
}

fn secrets(repro: &Repro) -> String {
    let configs: Vec<String> = repro
        .launches
        .iter()
        .map(|launch| launch.config.to_string())
        .collect();
    let changes: Vec<String> = repro
        .steps
        .iter()
        .map(|step| step.change.to_string())
        .collect();
    let launches = repro
        .launches
        .iter()
        .flat_map(|launch| launch.args.iter().chain(launch.env.values()));
    let requests = repro
        .steps
        .iter()
        .map(|step| &step.request)
        .chain(&repro.control);
    let requests = requests.flat_map(|request| {
        request
            .headers
            .iter()
            .chain([&request.target, &request.body])
    });
    let texts = configs
        .iter()
        .chain(&changes)
        .chain(launches)
        .chain(requests);
    let lines = assignments(texts.map(String::as_str), &repro.secrets).join("\n");
    if lines.is_empty() {
        return String::new();
    }
    let lines = lines.replace('\n', "\n  ");
    format!("# Made up anew every time.\nsecrets() {{\n  {lines}\n}}\n\n")
}

/// A JSON text in a here-document; `${port}` alone is a number.
fn document(value: &Value) -> String {
    let text = pretty(value);
    let text = text.replace("\"${port}\"", "${port}");
    shell(&text, Place::Document)
}

fn config(repro: &Repro) -> String {
    let cases: Vec<_> = repro
        .launches
        .iter()
        .map(|launch| {
            (
                &launch.range,
                format!("  cat <<EOF\n{}\nEOF\n", document(&launch.config)),
            )
        })
        .collect();
    format!(
        "# The gateway's configuration.\nconfig() {{\n{}}}\n\n",
        by_release(&cases)
    )
}

/// A word of a command line, quoted where it must be.
fn word(text: &str) -> String {
    let text = shell(text, Place::Quotes);
    let safe = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:".contains(letter);
    if !text.is_empty() && text.chars().all(safe) {
        text
    } else {
        format!("\"{text}\"")
    }
}

fn gateway(repro: &Repro) -> String {
    let command = |launch: &Launch| {
        let mut out = String::from("  exec env -i PATH=\"$(dirname \"$NODE\"):$PATH\" \\\n");
        for (name, value) in &launch.env {
            let _ = writeln!(out, "    {name}={} \\", word(value));
        }
        let args: Vec<String> = launch.args.iter().map(|arg| word(arg)).collect();
        let _ = writeln!(out, "    \"$@\" {}", args.join(" "));
        out
    };
    let mut cases: Vec<(VersionRange, String)> = Vec::new();
    for launch in &repro.launches {
        cases.push((launch.range.clone(), command(launch)));
    }
    if cases.windows(2).all(|pair| pair[0].1 == pair[1].1) {
        cases.truncate(1);
        cases
            .iter_mut()
            .for_each(|case| case.0 = VersionRange::default());
    }
    let cases: Vec<_> = cases
        .iter()
        .map(|(range, text)| (range, text.clone()))
        .collect();
    format!(
        "# The gateway's whole environment and its command line; what runs it comes before.\ngateway() {{\n{}}}\n\n",
        by_release(&cases)
    )
}

/// One request: its body and what sends it to `name`.
fn request(way: Way, written: &Written, name: &str) -> String {
    let mut out = String::new();
    if way != Way::Curl {
        let what = if way == Way::Raw {
            "send_raw"
        } else {
            "send_frames"
        };
        let value = json!({
            "method": written.method, "target": written.target, "headers": written.headers, "body": written.body,
        });
        let text = pretty(&value);
        if way == Way::Raw {
            out.push_str("  # curl cannot send such a line, so node writes the request to the socket as it stands here.\n");
        }
        let _ = write!(
            out,
            "  {what} {name} <<EOF\n{}\nEOF\n",
            shell(&text, Place::Document)
        );
        return out;
    }
    let post = written.method == "POST";
    let mut lines = Vec::new();
    match written.method.as_str() {
        "HEAD" => lines.push("head".to_owned()),
        method => lines.push(format!("request = \"{method}\"")),
    }
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._~%?=&:-${}|".contains(letter);
    let target = shell(&written.target, Place::Curl);
    if written.target.starts_with('/')
        && !written.target.starts_with("//")
        && written.target.chars().all(plain)
    {
        lines.push(format!("url = \"http://127.0.0.1:$PORT{target}\""));
    } else {
        lines.push("url = \"http://127.0.0.1:$PORT/\"".to_owned());
        lines.push(format!("request-target = \"{target}\""));
    }
    let typed = |line: &String| line.to_ascii_lowercase().starts_with("content-type:");
    if (post || !written.body.is_empty()) && !written.headers.iter().any(typed) {
        lines.push("header = \"Content-Type:\"".to_owned());
    }
    for line in &written.headers {
        let line = shell(line, Place::Curl);
        match line.strip_suffix(':') {
            // curl's way to write a header without a value.
            Some(name) if !name.contains(':') => lines.push(format!("header = \"{name};\"")),
            _ => lines.push(format!("header = \"{line}\"")),
        }
    }
    if !written.body.is_empty() {
        let _ = write!(
            out,
            "  payload <<EOF\n{}\nEOF\n",
            shell(&written.body, Place::Document)
        );
        lines.push("data-binary = \"@$WORK/body\"".to_owned());
    } else if post {
        lines.push("data-binary = \"\"".to_owned());
    }
    let _ = write!(out, "  send {name} <<EOF\n{}\nEOF\n", lines.join("\n"));
    out
}

fn ask(repro: &Repro) -> String {
    let Some((last, earlier)) = repro.steps.split_last() else {
        return String::new();
    };
    let mut out = String::from(
        "# The request. A header that ends in a semicolon is sent with an empty value: that is how curl writes it.\n",
    );
    if !earlier.is_empty() {
        out = "# The requests, in order; the last one is the one in question.\n".to_owned();
    } else if way(last.protocol, &last.request) != Way::Curl {
        out = "# The request.\n".to_owned();
    }
    out.push_str("ask() {\n");
    for (index, step) in earlier.iter().enumerate() {
        out.push_str(&one(step, index + 1, repro.steps.len(), "step"));
    }
    out.push_str(&one(last, repro.steps.len(), repro.steps.len(), "answer"));
    out + "}\n\n"
}

fn one(step: &Step, number: usize, of: usize, name: &str) -> String {
    let mut out = String::new();
    if of > 1 {
        let _ = writeln!(
            out,
            "  # {number} of {of}: {}\n  say \"{number} of {of}: {}\"",
            step.title,
            shell(&step.title, Place::Quotes)
        );
    }
    if step
        .change
        .as_object()
        .is_some_and(|table| !table.is_empty())
    {
        let _ = write!(
            out,
            "  change_config <<EOF\n{}\nEOF\n",
            document(&step.change)
        );
    }
    if !step.wait.is_zero() {
        let _ = writeln!(out, "  sleep {}", step.wait.as_secs_f64().ceil());
    }
    let way = way(step.protocol, &step.request);
    let text = format!(
        "  CANARY=$(random_canary)\n{}",
        request(way, &step.request, name)
    );
    let failed = "  [ \"$SENT\" -eq 0 ] || unsure \"the gateway did not answer\"\n";
    let text = text + failed;
    if step.repeat > 1 {
        let times: Vec<String> = (1..=step.repeat).map(|time| time.to_string()).collect();
        let _ = write!(out, "  for _ in {}; do\n{text}  done\n", times.join(" "));
    } else {
        out.push_str(&text);
    }
    if of > 1 && name == "step" {
        out.push_str("  say \"  $(head -n 1 \"$WORK/step.seen\")\"\n");
    }
    out
}

fn control(repro: &Repro) -> String {
    let Some(written) = &repro.control else {
        return String::new();
    };
    format!(
        "# A caller who must be let in. If the model does not hear of it, a refusal proves nothing.\ncontrol() {{\n{}}}\n\n",
        request(way(Protocol::Http, written), written, "control")
    )
}

/// An outcome as the script's judge reads it.
fn outcome(outcome: &Outcome) -> Value {
    let mut value =
        json!({ "id": outcome.id, "title": outcome.title, "direction": outcome.direction });
    if let Some(start) = outcome.start {
        value["start"] = json!(match start {
            Start::Up => "up",
            Start::Refused => "refused",
        });
    }
    if let Some(status) = outcome.status {
        value["status"] = json!(status);
        value["modelCalls"] = json!(outcome.model_calls);
    }
    for (name, text) in [
        ("errorType", &outcome.error_type),
        ("message", &outcome.message),
        ("messageHas", &outcome.message_has),
        ("contentType", &outcome.content_type),
    ] {
        if let Some(text) = text {
            value[name] = json!(text);
        }
    }
    if !outcome.json.is_empty() {
        value["json"] = json!(outcome.json);
    }
    if !outcome.without.is_empty() {
        value["without"] = json!(outcome.without);
    }
    if outcome.empty {
        value["empty"] = json!(true);
    }
    value
}

fn expected(repro: &Repro) -> String {
    let cases: Vec<_> = repro
        .expectations
        .iter()
        .map(|one| {
            let mut value = outcome(&one.outcome);
            if repro.kind == Kind::Start {
                value["refusals"] = json!(repro.refusals);
            }
            if let Some(explanation) = &repro.issue {
                value["known"] = outcome(&explanation.observed);
                value["known"]["issue"] = json!(explanation.issue.id);
            }
            let text = pretty(&value);
            (&one.range, format!("  cat <<'EOF'\n{text}\nEOF\n"))
        })
        .collect();
    format!(
        "# What the rule asks for.\nexpected() {{\n{}}}\n\n",
        by_release(&cases)
    )
}

/// A word between single quotes.
fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn machinery(repro: &Repro) -> String {
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
