//! A reproduction as one POSIX shell script: first what is asked, then how.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::Repro;
use super::comments::comments;
use super::json::pretty;
use super::machinery::machinery;
use super::request::{ask, control};
use super::shell::{Place, assignments, shell};
use contract::release::{Version, VersionRange};
use contract::scenario::Launch;
use contract::scenario::model::{Kind, Outcome, Start};

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

/// A condition of the shell for a range.
pub(super) fn within(range: &VersionRange) -> String {
    let bound = |version: Option<&Version>| version.map_or("''".to_owned(), ToString::to_string);
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
        let _ = writeln!(
            out,
            "  {word} {}; then\n  {}",
            within(range),
            text.trim_end()
        );
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
    if !repro.removed.is_empty() {
        // What is enough on the releases that it was tried on may be too little on another.
        let other = repro.passes_on.as_ref().unwrap_or(&repro.release);
        let (first, last) = (other.min(&repro.release), other.max(&repro.release));
        let why = format!("this minimal script was tried on {first} and {last} only");
        lines.push(format!("within {first} '' || unsure \"{why}\""));
        lines.push(format!(
            "[ \"$(rank \"$VERSION\")\" -le \"$(rank {last})\" ] || unsure \"{why}\""
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

pub(super) fn secrets(repro: &Repro) -> String {
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
pub(super) fn document(value: &Value) -> String {
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
