//! What all files have in common: TOML with places, format versions, ranges, ids, placeholders.

use serde::de::DeserializeOwned;
use toml::Spanned;

use super::model::ScenarioAxis;
use super::outcomes::Outcomes;
use super::{Problem, Problems, SourceFile};
use crate::data::Data;
use crate::release::{Version, VersionRange};
use base::nearest::advice;

/// Parses a TOML file; an unknown key gets its nearest valid name.
pub fn parse_toml<T: DeserializeOwned>(file: &SourceFile) -> Result<T, Problem> {
    toml::from_str(&file.text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        let message = error.message().to_owned();
        let problem = Problem::at(file, span, message.clone(), "here");
        match unknown_name(&message) {
            Some((wrong, known)) => problem.help(advice(wrong, known.iter().copied())),
            None => problem,
        }
    })
}

/// The offending name and the valid ones from serde's "unknown field" and "unknown variant" messages.
fn unknown_name(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message
        .strip_prefix("unknown field ")
        .or_else(|| message.strip_prefix("unknown variant "))?;
    let mut names = rest.split('`').skip(1).step_by(2);
    let wrong = names.next()?;
    Some((wrong, names.collect()))
}

/// Only format 1 exists.
pub fn schema_version(file: &SourceFile, schema: &Spanned<u32>, problems: &mut Problems) {
    if *schema.get_ref() != 1 {
        problems.0.push(
            Problem::at(
                file,
                schema.span(),
                format!("unknown file format {}", schema.get_ref()),
                "this clawgauge reads schema = 1",
            )
            .help("a newer clawgauge may read it"),
        );
    }
}

/// Reads a range of releases.
pub(super) fn parse_range(
    file: &SourceFile,
    since: Option<&Spanned<String>>,
    until: Option<&Spanned<String>>,
    problems: &mut Problems,
) -> VersionRange {
    let range = VersionRange {
        since: since.and_then(|text| parse_version(file, text, problems)),
        until: until.and_then(|text| parse_version(file, text, problems)),
    };
    if let (Some(since), Some(until), Some(text)) = (&range.since, &range.until, until)
        && since >= until
    {
        problems.0.push(
            Problem::at(
                file,
                text.span(),
                format!("the range from {since} until {until} is empty"),
                "not after `since`",
            )
            .help("`until` names the first release that is out of the range"),
        );
    }
    range
}

pub(super) fn parse_version(
    file: &SourceFile,
    text: &Spanned<String>,
    problems: &mut Problems,
) -> Option<Version> {
    text.get_ref()
        .parse()
        .map_err(|error| {
            problems.0.push(Problem::at(
                file,
                text.span(),
                format!("{error}"),
                "not a release",
            ))
        })
        .ok()
}

/// Placeholders that a request may use: the launch's secrets, the gateway's port, the request's own canary, and texts of axis values.
pub(super) fn placeholders<'a>(
    secrets: &'a [String],
    vars: impl IntoIterator<Item = &'a String>,
) -> Vec<&'a str> {
    ["canary", "port", crate::request::SESSION]
        .into_iter()
        .chain(secrets.iter().chain(vars).map(String::as_str))
        .collect()
}

pub(super) fn check_placeholders(
    file: &SourceFile,
    text: &Spanned<String>,
    known: &[&str],
    problems: &mut Problems,
) {
    // It stands for whole lines, not for a text.
    if text.get_ref() == super::CALLER {
        return;
    }
    if let Err(error) = base::template::check(text.get_ref(), known) {
        problems.0.push(Problem::at(
            file,
            text.span(),
            error.to_string(),
            "in this text",
        ));
    }
}

/// A header line must have a colon and must not end the line itself.
pub(super) fn check_header(file: &SourceFile, header: &Spanned<String>, problems: &mut Problems) {
    let text = header.get_ref();
    if text == super::CALLER {
        return;
    }
    let wrong = if text.contains(['\r', '\n']) {
        "a header line cannot contain a line break"
    } else if text.find(':').is_none_or(|colon| colon == 0) {
        "a header line needs a name and a colon"
    } else {
        return;
    };
    problems.0.push(
        Problem::at(file, header.span(), wrong, "this line")
            .help("write it as it goes over the wire: \"Name: value\""),
    );
}

/// A method or a path stands in the first line of a request: without blanks and control characters, and a method is a word.
pub(super) fn check_word(
    file: &SourceFile,
    text: &Spanned<String>,
    what: &str,
    problems: &mut Problems,
) {
    let word = text.get_ref();
    let in_word =
        |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter);
    let proper = match what {
        "method" => !word.contains(['\'', '`']) && word.chars().all(in_word),
        _ => !word.contains(|letter: char| letter.is_control() || letter == ' '),
    };
    if word.is_empty() || !proper {
        problems.0.push(
            Problem::at(
                file,
                text.span(),
                format!("{word:?} cannot be the {what} of a request"),
                "this text",
            )
            .help("a request that is odd on purpose is a value of an axis (scenarios/axes/)"),
        );
    }
}

/// Names of environment variables: letters, digits and `_`.
pub(super) fn check_variables<'a>(
    file: &SourceFile,
    names: impl Iterator<Item = &'a String>,
    problems: &mut Problems,
) {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    for name in names {
        if name.is_empty()
            || !name.chars().all(plain)
            || name.starts_with(|c: char| c.is_ascii_digit())
        {
            let message = format!("{name:?} cannot be the name of an environment variable");
            problems.0.push(match file.find(name, 0) {
                Some(span) => Problem::at(file, span, message, "this name"),
                None => Problem::nowhere(format!("{}: {message}", file.name)),
            });
        }
    }
}

/// Ids are part of cell ids and file names: small letters, digits, dots and dashes.
pub(super) fn check_id(file: &SourceFile, id: &Spanned<String>, problems: &mut Problems) {
    let text = id.get_ref();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    if text.is_empty() || !text.chars().all(plain) {
        problems.0.push(
            Problem::at(
                file,
                id.span(),
                format!("`{text}` cannot be an id"),
                "this id",
            )
            .help("ids are made of a-z, 0-9, dots and dashes"),
        );
    }
}

/// Reads a body from `fixtures/`; its placeholders are checked where it is used.
pub(super) fn read_body(
    file: &SourceFile,
    data: &Data,
    name: &Spanned<String>,
    problems: &mut Problems,
) -> String {
    let text = read_fixture(file, data, name, problems);
    text.trim_end_matches('\n').to_owned()
}

/// The text of a file below `fixtures/`; where it cannot be read, a problem and no text.
pub(super) fn read_fixture(
    file: &SourceFile,
    data: &Data,
    name: &Spanned<String>,
    problems: &mut Problems,
) -> String {
    match data.read_fixture(name.get_ref()) {
        Ok(text) => text,
        Err(error) => {
            problems.0.push(
                Problem::at(
                    file,
                    name.span(),
                    format!("cannot read fixtures/{}: {error}", name.get_ref()),
                    "this file",
                )
                .help("such files lie under fixtures/; the name is relative to that folder"),
            );
            String::new()
        }
    }
}

/// A name that is not in `outcomes.toml`.
pub(super) fn unknown_outcome(
    file: &SourceFile,
    name: &Spanned<String>,
    outcomes: &Outcomes,
) -> Problem {
    Problem::at(
        file,
        name.span(),
        format!("unknown outcome `{}`", name.get_ref()),
        "not in outcomes.toml",
    )
    .help(advice(name.get_ref(), outcomes.ids()))
}

/// An axis that a scenario has not.
pub(super) fn unknown_axis(
    file: &SourceFile,
    name: &Spanned<String>,
    axes: &[ScenarioAxis],
) -> Problem {
    let known = axes.iter().map(|axis| axis.name.as_str());
    Problem::at(
        file,
        name.span(),
        format!("the scenario has no axis `{}`", name.get_ref()),
        "not under [axes]",
    )
    .help(advice(name.get_ref(), known))
}

/// A value that a scenario's axis has not.
pub(super) fn unknown_value(
    file: &SourceFile,
    name: &Spanned<String>,
    axis: &ScenarioAxis,
) -> Problem {
    let known = axis.values.iter().map(|value| value.id.as_str());
    let value = name.get_ref();
    Problem::at(
        file,
        name.span(),
        format!("the scenario's axis `{}` has no value `{value}`", axis.name),
        "not listed under [axes]",
    )
    .help(advice(value, known))
}
