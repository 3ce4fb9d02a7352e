//! A reproduction as one script: comments, what is asked as data, then the driver that asks it.

use std::collections::BTreeSet;

use super::comments::comments;
use super::literal::{Literal, constant, quoted, texts};
use super::{Repro, Step};
use base::template::{Part, parts};
use contract::request::SESSION;
use contract::scenario::model::{Kept, Kind, Outcome, Protocol, Start};

/// What follows the data; [`Piece`] says what `//@` is about.
const DRIVER: &str = include_str!("driver.js");

/// The end of the here-document around the program. No line of the program can be it: data stands between quotes.
const END: &str = "END_OF_PROGRAM";

/// Renders a reproduction as a script. Pure: the same reproduction is always the same text.
pub fn script(repro: &Repro) -> String {
    let comments = comments(repro);
    let data = data(repro).concat();
    let driver = driver(repro);
    format!(
        r#"#!/bin/sh
{comments}program() {{
  cat <<'{END}'
{data}{driver}{END}
}}
node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' || {{ echo 'cannot tell: no node' >&2; exit 125; }}
exec node -e "$(program)"
"#
    )
}

/// What is asked and what is expected, as constants that the driver reads.
fn data(repro: &Repro) -> Vec<String> {
    let mut lines = Vec::new();
    match repro.steps.as_slice() {
        [] => {}
        [step] => lines.extend([
            "// The request, byte for byte.\n".to_owned(),
            constant("request", &Literal::Table(request(step))),
        ]),
        steps => {
            let steps = steps.iter().map(|step| Literal::Table(in_sequence(step)));
            lines.extend([
                "// The requests, byte for byte and in this order; the last one is in question.\n"
                    .to_owned(),
                constant("steps", &Literal::List(steps.collect())),
            ]);
        }
    }
    let expected = outcome(repro, &repro.expectation.outcome);
    lines.push(constant("expected", &expected));
    if let Some(explanation) = &repro.issue {
        let known = outcome(repro, &explanation.observed);
        lines.push(constant("known", &known));
    }
    if let Some(control) = &repro.control {
        lines.extend([
            "// A caller who must be let in: if the model does not hear of it, a denial proves nothing.\n".to_owned(),
            constant("control", &Literal::Table(request(control))),
        ]);
    }
    let launch = &repro.launch;
    let variable = |(name, value): (&String, &String)| (name.clone(), value.as_str().into());
    let env = Literal::Table(launch.env.iter().map(variable).collect());
    lines.extend([
        "// The gateway's configuration, environment and arguments.\n".to_owned(),
        constant("config", &Literal::from(&launch.config)),
        constant("env", &env),
        constant("args", &texts(&launch.args)),
    ]);
    if !launch.files.is_empty() {
        let file = |(name, text): (&String, &String)| (name.clone(), text.as_str().into());
        let files = Literal::Table(launch.files.iter().map(file).collect());
        lines.push(constant("files", &files));
    }
    if repro.kind == Kind::Start {
        lines.push(constant("refusals", &texts(&repro.refusals)));
    }
    let secrets: BTreeSet<String> = secrets(repro).into_iter().map(|(name, _)| name).collect();
    let beside = repro
        .packages
        .iter()
        .map(|package| format!(", {}", quoted(package)));
    lines.extend([
        constant("probes", &texts(&repro.ready)),
        constant("secrets", &texts(secrets)),
        format!(
            "const {{ REPRO_GATEWAY, REPRO_VERSION = {}, REPRO_WAIT = 180 }} = process.env;\n",
            quoted(&repro.release.to_string())
        ),
        format!(
            "const packages = [`openclaw@${{REPRO_VERSION}}`, `node@npm:node-${{process.platform}}-${{process.arch}}@{}`{}];\n",
            repro.node,
            beside.collect::<String>()
        ),
    ]);
    lines
}

fn in_sequence(step: &Step) -> Vec<(String, Literal)> {
    let mut entries = vec![("title".to_owned(), step.title.as_str().into())];
    if !step.change.is_empty() {
        let own = |(name, value): (&String, &serde_json::Value)| (name.clone(), value.into());
        entries.push((
            "set".to_owned(),
            Literal::Table(step.change.iter().map(own).collect()),
        ));
    }
    if !step.wait.is_zero() {
        entries.push((
            "wait".to_owned(),
            Literal::Plain(step.wait.as_secs_f64().to_string()),
        ));
    }
    if step.repeat > 1 {
        entries.push(("repeat".to_owned(), Literal::Plain(step.repeat.to_string())));
    }
    if let Some(status) = step.must {
        entries.push(("must".to_owned(), Literal::Plain(status.to_string())));
    }
    let kept = step.keep.iter();
    let places = kept.clone();
    let places = places.map(|(name, kept)| (name.clone(), kept.place.as_str().into()));
    let part = |of: fn(&Kept) -> Option<&String>| {
        let parts = kept.clone();
        let parts =
            parts.filter_map(move |(name, kept)| Some((name.clone(), of(kept)?.as_str().into())));
        parts.collect()
    };
    let (after, until) = (
        part(|kept| kept.after.as_ref()),
        part(|kept| kept.until.as_ref()),
    );
    for (name, table) in [
        ("keep", places.collect()),
        ("after", after),
        ("until", until),
    ] {
        let table: Vec<(String, Literal)> = table;
        if !table.is_empty() {
            entries.push((name.to_owned(), Literal::Table(table)));
        }
    }
    if let Some(port) = &step.port {
        entries.push(("at".to_owned(), port.as_str().into()));
    }
    if step.stays {
        entries.push(("stays".to_owned(), Literal::Plain("true".to_owned())));
    }
    entries.extend(request(step));
    entries
}

/// The lines of the head as they go out, and the body or the frames.
fn request(step: &Step) -> Vec<(String, Literal)> {
    let request = &step.request;
    let named = |name: &str| {
        request.headers.iter().any(|line| {
            line.split(':')
                .next()
                .is_some_and(|own| own.eq_ignore_ascii_case(name))
        })
    };
    let mut head = vec![format!("{} {} HTTP/1.1", request.method, request.target)];
    if !named("host") {
        let port = step.port.as_deref().unwrap_or("port");
        head.push(format!("Host: 127.0.0.1:${{{port}}}"));
    }
    match step.protocol {
        Protocol::Http => {
            head.push("Connection: close".to_owned());
            if !request.body.is_empty() || request.method == "POST" {
                head.push("Content-Length: ${length}".to_owned());
            }
        }
        Protocol::Websocket => head.extend(
            [
                "Connection: Upgrade",
                "Upgrade: websocket",
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
            ]
            .map(str::to_owned),
        ),
    }
    head.extend(request.headers.iter().cloned());
    let mut entries = vec![("head".to_owned(), texts(head))];
    match (
        step.protocol,
        serde_json::from_str::<serde_json::Value>(&request.body),
    ) {
        (Protocol::Websocket, Ok(frames)) => {
            entries.push(("frames".to_owned(), Literal::from(&frames)))
        }
        _ if request.body.is_empty() => {}
        _ => entries.push(("body".to_owned(), request.body.as_str().into())),
    }
    entries
}

/// What is compared of an outcome.
fn outcome(repro: &Repro, outcome: &Outcome) -> Literal {
    let mut entries = Vec::new();
    let mut add = |name: &str, value: Literal| entries.push((name.to_owned(), value));
    if let Some(start) = outcome.start {
        add(
            "start",
            match start {
                Start::Up => "up".into(),
                Start::Refused => "refused".into(),
            },
        );
    }
    if let Some(status) = outcome.status {
        add("status", Literal::Plain(status.to_string()));
    }
    if let Some(exit) = outcome.exit {
        add("exit code", Literal::Plain(exit.to_string()));
    }
    for (name, text) in [
        ("content type", &outcome.content_type),
        ("/error/type", &outcome.error_type),
        ("/error/message", &outcome.message),
        ("says", &outcome.message_has),
    ] {
        if let Some(text) = text {
            add(name, text.as_str().into());
        }
    }
    for (pointer, value) in &outcome.json {
        add(pointer, value.into());
    }
    // A denial is known by its error; another answer may be known by what it does not tell.
    if outcome.status.is_some_and(|status| status < 400) {
        for pointer in &outcome.without {
            add(pointer, Literal::Plain("null".to_owned()));
        }
    }
    if outcome.empty {
        add("text", "".into());
    }
    if has_model(repro) {
        add(
            "model calls",
            Literal::Plain(outcome.model_calls.to_string()),
        );
    }
    Literal::Table(entries)
}

/// Whether the model is part of it: where a request can be recognised by it.
fn has_model(repro: &Repro) -> bool {
    placeholders_of(repro.texts()).any(|(name, _)| name == "canary")
}

fn placeholders_of(
    texts: impl IntoIterator<Item = String>,
) -> impl Iterator<Item = (String, Option<String>)> {
    texts.into_iter().flat_map(|text| {
        let parts = parts(&text).unwrap_or_default();
        let own = parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Placeholder { name, filter } => {
                Some(((*name).to_owned(), filter.map(str::to_owned)))
            }
        });
        own.collect::<Vec<_>>()
    })
}

/// The secrets that occur, each with the filters that are applied to it.
fn secrets(repro: &Repro) -> BTreeSet<(String, Option<String>)> {
    placeholders_of(repro.texts())
        .filter(|(name, _)| repro.secrets.contains(name))
        .collect()
}

/// The values that filters make of secrets, as assignments.
fn derived(repro: &Repro) -> Vec<String> {
    let filtered = secrets(repro).into_iter();
    filtered
        .filter_map(|(name, filter)| {
            let secret = format!("values[{}]", quoted(&name));
            let made = match filter.as_deref()? {
                "upper" => format!("{secret}.toUpperCase()"),
                "url" => format!("{secret}.replace(/-/g, \"%2D\")"),
                "basic" => format!("Buffer.from(`operator:${{{secret}}}`).toString(\"base64\")"),
                _ => format!("{secret}.repeat(Math.ceil(8000 / {secret}.length))"),
            };
            let both = format!("{name}|{}", filter.unwrap_or_default());
            Some(format!("values[{}] = {made};", quoted(&both)))
        })
        .collect()
}

/// The driver with the pieces that this script needs.
///
/// What stands between `//@ if NAME` and `//@ end` is one; `//@ derived` is where the secrets are made into more.
fn driver(repro: &Repro) -> String {
    let says = |outcome: &Outcome| outcome.message_has.is_some();
    let holds = |name: &str| match name {
        "model" => has_model(repro),
        "embeddings" => repro
            .steps
            .iter()
            .any(|step| step.request.target.contains("/embeddings")),
        "socket" => repro
            .steps
            .iter()
            .any(|step| step.protocol == Protocol::Websocket),
        "device" => repro
            .steps
            .iter()
            .any(|step| step.request.body.contains("\"$device")),
        "silence" => repro
            .steps
            .iter()
            .any(|step| step.request.body.contains("\"$silence\"")),
        "start" => repro.steps.is_empty(),
        "asks" => !repro.steps.is_empty(),
        "one" => repro.steps.len() == 1,
        "sequence" => repro.steps.len() > 1,
        "set" => repro.steps.iter().any(|step| !step.change.is_empty()),
        "before" => repro.steps.iter().any(|step| step.must.is_some()),
        "keep" => repro.steps.iter().any(|step| !step.keep.is_empty()),
        "header" => repro
            .steps
            .iter()
            .any(|step| step.keep.values().any(|kept| !kept.place.starts_with('/'))),
        "part" => {
            let mut kept = repro.steps.iter().flat_map(|step| step.keep.values());
            kept.any(|kept| kept.after.is_some() || kept.until.is_some())
        }
        "port" => repro.steps.iter().any(|step| step.port.is_some()),
        "session" => placeholders_of(repro.texts()).any(|(name, _)| name == SESSION),
        "control" => repro.control.is_some(),
        "files" => !repro.launch.files.is_empty(),
        "exit" => repro.expectation.outcome.exit.is_some(),
        "later" => has_model(repro) && repro.expectation.outcome.runs_later,
        "again" => has_model(repro) && repro.steps.iter().any(|step| step.repeat > 1),
        "known" => repro.issue.is_some(),
        "says" => {
            says(&repro.expectation.outcome)
                || repro
                    .issue
                    .as_ref()
                    .is_some_and(|issue| says(&issue.observed))
        }
        other => unreachable!("driver.js has no piece {other}"),
    };
    let mut out = String::new();
    let mut shown = vec![true];
    for line in DRIVER.lines() {
        let (indent, command) = match line.split_once("//@ ") {
            Some((indent, command)) => (indent, command),
            None if shown.iter().all(|shown| *shown) => {
                out.push_str(line);
                out.push('\n');
                continue;
            }
            None => continue,
        };
        match command.split_once(' ') {
            Some(("if", name)) => {
                shown.push(name.split(' ').all(|name| match name.strip_prefix('!') {
                    Some(name) => !holds(name),
                    None => holds(name),
                }))
            }
            _ if command == "end" => drop(shown.pop()),
            _ if command == "derived" => out.extend(
                derived(repro)
                    .iter()
                    .map(|line| format!("{indent}{line}\n")),
            ),
            _ => unreachable!("driver.js has no command {command}"),
        }
    }
    out
}
