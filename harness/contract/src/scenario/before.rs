//! What a cell sends before the request that is judged.

use std::collections::BTreeMap;

use toml::Spanned;

use super::files::BeforeTable;
use super::model::{Before, Kept, Protocol};
use super::parse::{check_header, check_placeholders, check_word, read_body};
use super::{Problem, Problems, SourceFile};
use crate::data::Data;

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
        for name in table.after.keys().chain(table.until.keys()) {
            if !table.keep.contains_key(name.get_ref()) {
                let what = format!("`{}` is not kept here", name.get_ref());
                let problem = Problem::at(file, name.span(), what, "this placeholder");
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
        let of = |parts: &BTreeMap<Spanned<String>, String>, name: &str| {
            let mut parts = parts.iter();
            parts.find_map(|(of, part)| (of.get_ref() == name).then(|| part.clone()))
        };
        let keep = table.keep.iter().map(|(name, place)| {
            let kept = Kept {
                place: place.get_ref().clone(),
                after: of(&table.after, name),
                until: of(&table.until, name),
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
            keep: keep.collect::<BTreeMap<_, _>>(),
            stays: stays.is_some_and(|stays| *stays.get_ref()),
        });
    }
    steps
}
