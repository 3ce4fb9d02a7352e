//! From a cell to the request that asks it. Pure.

use std::collections::BTreeMap;

use crate::exchange::Request;
use crate::plan::Cell;
use crate::scenario::CALLER;
use crate::scenario::model::{AxisValue, Before};
use crate::scenario::{Catalogue, Control};
use base::secret::{ExposeSecret as _, Secrets};
use base::template::{TemplateError, expand};

/// The placeholder for a word of one cell, the same in all its requests: for the name of a session.
pub const SESSION: &str = "session";

/// A cell's request as its files have it: placeholders of secrets are not filled, those of axis values are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// HTTP method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Header lines: the scenario's own, then those of each axis value in the order of the axes.
    pub headers: Vec<String>,
    /// The body.
    pub body: String,
}

impl Written {
    fn of(before: &Before) -> Self {
        Self {
            method: before.method.clone(),
            target: before.path.clone(),
            headers: before.headers.clone(),
            body: before.body.clone(),
        }
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The query, without the question mark, where there is one.
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }
}

/// What a cell sends before its request, in this order: what the scenario says, then what each axis value says.
pub fn before(cell: &Cell) -> impl Iterator<Item = (&Before, Written)> {
    let own = cell.values().flat_map(|value| &value.before);
    let steps = cell.scenario.request.before.iter().chain(own);
    steps.map(|step| (step, with_vars(cell, Written::of(step))))
}

/// Puts a cell's request together. What an axis value says goes before what the scenario says; later axes go first.
pub fn written(cell: &Cell) -> Written {
    let template = &cell.scenario.request;
    let pick = |choose: fn(&AxisValue) -> Option<&String>, fallback: &String| {
        let chosen = cell.values().filter_map(|value| choose(value)).last();
        chosen.unwrap_or(fallback).clone()
    };
    let mut target = pick(|value| value.path.as_ref(), &template.path);
    for query in cell.values().filter_map(|value| value.query.as_ref()) {
        target.push(if target.contains('?') { '&' } else { '?' });
        target.push_str(query);
    }
    let headers = cell.values().flat_map(|value| &value.headers);
    let written = Written {
        method: pick(|value| value.method.as_ref(), &template.method),
        target,
        headers: template.headers.iter().chain(headers).cloned().collect(),
        body: pick(|value| value.body.as_ref(), &template.body),
    };
    with_vars(cell, written)
}

/// Fills the placeholders that the cell's axis values define; those that only other values define are empty.
fn with_vars(cell: &Cell, written: Written) -> Written {
    let names = &cell.scenario.vars;
    if names.is_empty() {
        return written;
    }
    let mut vars: BTreeMap<&str, &str> = names.iter().map(|name| (name.as_str(), "")).collect();
    for value in cell.values() {
        let own = value.vars.iter();
        vars.extend(own.map(|(name, text)| (name.as_str(), text.as_str())));
    }
    let fill = |text: &String| {
        vars.iter().fold(text.clone(), |text, (name, value)| {
            text.replace(&format!("${{{name}}}"), value)
        })
    };
    Written {
        target: fill(&written.target),
        headers: written.headers.iter().map(fill).collect(),
        body: fill(&written.body),
        ..written
    }
}

/// What the placeholders of a request stand for.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The launch's secrets by name.
    pub secrets: &'a Secrets,
    /// The word by which the model stand-in recognises this request.
    pub canary: &'a str,
    /// Where the gateway listens.
    pub port: u16,
    /// Texts by the placeholder that stands for them: the cell's word for a session, and what it keeps of earlier answers.
    pub words: &'a BTreeMap<String, String>,
}

/// Puts the caller's header lines where [`CALLER`] stands.
pub fn with_caller(written: Written, caller: &[String]) -> Written {
    let lines = |line: &String| match line.as_str() {
        CALLER => caller.to_vec(),
        _ => vec![line.clone()],
    };
    Written {
        headers: written.headers.iter().flat_map(lines).collect(),
        ..written
    }
}

/// Builds a cell's request.
///
/// `caller` are the header lines of the profile's caller.
///
/// # Errors
/// A placeholder that stands for nothing; the catalogue's checks rule that out.
pub fn build(cell: &Cell, caller: &[String], place: &Place<'_>) -> Result<Request, TemplateError> {
    fill(with_caller(written(cell), caller), place)
}

/// Builds a launch's positive control.
///
/// # Errors
/// A placeholder that stands for nothing.
pub fn build_control(
    control: &Control,
    caller: &[String],
    place: &Place<'_>,
) -> Result<Request, TemplateError> {
    let written = Written {
        method: control.method.clone(),
        target: control.path.clone(),
        headers: control.headers.clone(),
        body: control.body.clone(),
    };
    fill(with_caller(written, caller), place)
}

/// Fills a request's placeholders.
///
/// # Errors
/// A placeholder that stands for nothing.
pub fn fill(written: Written, place: &Place<'_>) -> Result<Request, TemplateError> {
    let lookup = |name: &str| match name {
        "canary" => Some(place.canary.to_owned()),
        "port" => Some(place.port.to_string()),
        name => {
            let secret = place.secrets.get(name);
            let secret = secret.map(|secret| secret.expose_secret().to_owned());
            secret.or_else(|| place.words.get(name).cloned())
        }
    };
    Ok(Request {
        method: written.method,
        target: expand(&written.target, &lookup)?,
        headers: written
            .headers
            .iter()
            .map(|line| expand(line, &lookup).map(String::into_bytes))
            .collect::<Result<_, _>>()?,
        body: expand(&written.body, &lookup)?.into_bytes(),
    })
}

/// A cell's request as people read it: request line, header lines, body. Placeholders of secrets are not filled, bytes that
/// do not print are escaped.
pub fn as_text(cell: &Cell, catalogue: &Catalogue) -> String {
    let profile = catalogue.profiles.get(cell.profile());
    let caller = profile.map_or(&[][..], |profile| &profile.caller);
    let written = with_caller(written(cell), caller);
    let mut text = String::new();
    for (step, written) in before(cell) {
        let times = if step.repeat > 1 {
            format!(", {} times", step.repeat)
        } else {
            String::new()
        };
        let stays = if step.stays {
            ", its connection stays open"
        } else {
            ""
        };
        text.push_str(&format!(
            "before it{times}{stays}, and it must answer {}: {}\n",
            step.status, step.title
        ));
        text.push_str(&one_as_text(&with_caller(written, caller)));
        let kept: Vec<String> = step
            .keep
            .keys()
            .map(|name| format!("${{{name}}}"))
            .collect();
        if !kept.is_empty() {
            text.push_str(&format!("\nof its answer {} is kept", kept.join(", ")));
        }
        text.push_str("\n\n");
    }
    if let Some(port) = &cell.scenario.request.port {
        text.push_str(&format!("to the port ${{{port}}}:\n"));
    }
    text + &one_as_text(&written)
}

fn one_as_text(written: &Written) -> String {
    let mut text = format!("{} {} HTTP/1.1\n", written.method, written.target);
    for line in &written.headers {
        text.push_str(&format!("{}\n", line.escape_debug()));
    }
    text.push('\n');
    text.push_str(&written.body);
    text
}
