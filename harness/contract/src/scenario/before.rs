//! What a cell sends before the request that is judged.

use std::collections::BTreeMap;

use toml::Spanned;

use super::files::BeforeTable;
use super::model::Protocol;
use super::parse::{check_header, check_placeholders, check_word, read_body};
use super::{Problem, Problems, SourceFile};
use crate::data::Data;

/// A request that a cell sends before the one that is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Before {
    /// What it is for, in a few words.
    pub title: String,
    /// How it is sent.
    pub protocol: Protocol,
    /// HTTP method.
    pub method: String,
    /// Path and query, with placeholders.
    pub path: String,
    /// Header lines with placeholders.
    pub headers: Vec<String>,
    /// The body, with placeholders; empty where there is none.
    pub body: String,
    /// The status that it must have: otherwise the cell cannot be asked.
    pub status: u16,
    /// How often it is sent.
    pub repeat: u32,
    /// Placeholders for what comes later, each with what it stands for.
    pub keep: BTreeMap<String, Kept>,
    /// Whether its connection stays open until the request that is judged is answered.
    pub stays: bool,
}

/// A text of an answer that is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kept {
    /// Where it is: a JSON pointer, or the name of a header.
    pub place: String,
    /// Only what follows this is kept.
    pub after: Option<String>,
    /// Only what stands before this is kept.
    pub until: Option<String>,
}

impl Kept {
    /// The part of a text that is kept; nothing where it has no such part.
    pub fn part<'t>(&self, text: &'t str) -> Option<&'t str> {
        let rest = match &self.after {
            Some(after) => text.split_once(after)?.1,
            None => text,
        };
        match &self.until {
            Some(until) => Some(rest.split_once(until)?.0),
            None => Some(rest),
        }
    }
}

/// Resolves the steps of one list; `known` are the placeholders that may stand in them. Names that they keep are added to
/// `kept`.
pub(super) fn steps(
    file: &SourceFile,
    tables: Vec<BeforeTable>,
    data: &Data,
    known: &[&str],
    kept: &mut Vec<String>,
    problems: &mut Problems,
) -> Vec<Before> {
    let mut steps = Vec::new();
    for table in tables {
        let mut known = known.to_vec();
        known.extend(kept.iter().map(String::as_str));
        for text in table.headers.iter().chain([&table.path]) {
            check_placeholders(file, text, &known, problems);
        }
        for header in &table.headers {
            check_header(file, header, problems);
        }
        for (text, what) in [
            (table.method.as_ref(), "method"),
            (Some(&table.path), "path"),
        ] {
            if let Some(text) = text {
                check_word(file, text, what, problems);
            }
        }
        let body = table.body.as_ref().map_or_else(String::new, |name| {
            let body = read_body(file, data, name, problems);
            let text = Spanned::new(name.span(), body.clone());
            check_placeholders(file, &text, &known, problems);
            body
        });
        for (name, place) in &table.keep {
            let is_header = |name: &str| {
                let of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
                !name.is_empty() && name.bytes().all(of_a_name)
            };
            if !place.get_ref().starts_with('/') && !is_header(place.get_ref()) {
                let what = format!("`{}` is no place in an answer", place.get_ref());
                let problem = Problem::at(file, place.span(), what, "this place");
                problems.0.push(problem.help(
                    "it is a JSON pointer into the body (\"/id\"), or the name of a header (\"set-cookie\")",
                ));
            }
            kept.push(name.clone());
        }
        for (name, part) in table.after.iter().chain(&table.until) {
            if !table.keep.contains_key(name) {
                let what = format!("`{name}` is not kept here");
                let problem = Problem::at(file, part.span(), what, "this part");
                problems.0.push(
                    problem.help("`after` and `until` say which part of a text in `keep` is meant"),
                );
            }
        }
        let stays = table.stays.as_ref();
        if let Some(stays) = stays.filter(|stays| *stays.get_ref())
            && table.protocol != Protocol::Websocket
        {
            let what = "only a WebSocket connection can stay open";
            let problem = Problem::at(file, stays.span(), what, "this step");
            problems
                .0
                .push(problem.help("say protocol = \"websocket\", or leave `stays` out"));
        }
        let text = |part: &Spanned<String>| part.get_ref().clone();
        let keep = table.keep.iter().map(|(name, place)| {
            let kept = Kept {
                place: text(place),
                after: table.after.get(name).map(text),
                until: table.until.get(name).map(text),
            };
            (name.clone(), kept)
        });
        steps.push(Before {
            title: table.title,
            protocol: table.protocol,
            method: table
                .method
                .map_or_else(|| "GET".to_owned(), Spanned::into_inner),
            path: table.path.into_inner(),
            headers: table.headers.into_iter().map(Spanned::into_inner).collect(),
            body,
            status: table.status,
            repeat: table.repeat,
            keep: keep.collect(),
            stays: stays.is_some_and(|stays| *stays.get_ref()),
        });
    }
    steps
}
