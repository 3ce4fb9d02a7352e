//! The answers that rules may expect, and what holds for the header lines of each.

use std::collections::BTreeSet;
use std::sync::Arc;

use indexmap::IndexMap;

use super::files::{OutcomeTable, OutcomesFile};
use super::headers::{HeaderRule, Headers};
use super::model::{Direction, Outcome};
use super::parse::{check_id, parse_toml, schema_version};
use super::{Privilege, Problem, Problems, SourceFile, Tellable};
use base::nearest::advice;

/// The outcomes, by id and in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    by_id: IndexMap<String, Arc<Outcome>>,
    /// What holds for the header lines of every answer, unless an outcome says something else.
    pub headers: Headers,
    /// What denials may tell.
    pub tellable: Tellable,
    /// Outcomes that do not say what they grant or tell, as files did before there was `grants`: they are understood, and `check`
    /// refuses them.
    pub unsaid: Vec<Problem>,
}

impl Outcomes {
    /// The outcome of that name.
    pub fn get(&self, id: &str) -> Option<&Arc<Outcome>> {
        self.by_id.get(id)
    }

    /// The one that an answer fits.
    pub fn fitting(&self, fits: impl Fn(&Outcome) -> bool) -> Option<&Outcome> {
        self.values().map(Arc::as_ref).find(|outcome| fits(outcome))
    }

    /// All of them.
    pub fn values(&self) -> impl Iterator<Item = &Arc<Outcome>> {
        self.by_id.values()
    }

    /// Their names.
    pub fn ids(&self) -> impl Iterator<Item = &str> + Clone {
        self.by_id.keys().map(String::as_str)
    }
}

impl FromIterator<Outcome> for Outcomes {
    fn from_iter<T: IntoIterator<Item = Outcome>>(outcomes: T) -> Self {
        let named = |outcome: Outcome| (outcome.id.clone(), Arc::new(outcome));
        Self {
            by_id: outcomes.into_iter().map(named).collect(),
            ..Self::default()
        }
    }
}

/// Reads the outcomes and makes sure that no answer fits two of them.
pub(super) fn outcomes(file: &SourceFile) -> Result<Outcomes, Problems> {
    let raw: OutcomesFile = parse_toml(file)?;
    let mut problems = Problems::default();
    schema_version(file, &raw.schema, &mut problems);
    let own = raw.outcome.iter().flat_map(|table| table.headers.iter());
    for (name, _) in raw.headers.iter().chain(own) {
        if name.chars().any(|letter| letter.is_ascii_uppercase()) {
            let small = name.to_ascii_lowercase();
            let span = file.find(name, 0).unwrap_or(0..0);
            problems.0.push(
                Problem::at(
                    file,
                    span,
                    format!("header `{name}` in capital letters"),
                    "here",
                )
                .help(format!(
                    "names of headers are written in small letters here: `{small}`"
                )),
            );
        }
    }
    let mut outcomes = Outcomes {
        by_id: IndexMap::new(),
        headers: raw.headers,
        tellable: raw.tells,
        unsaid: Vec::new(),
    };
    for table in raw.outcome {
        let span = table.id.span();
        check_id(file, &table.id, &mut problems);
        let grants = grants(file, &table, &mut outcomes.unsaid, &mut problems);
        let tells = tells(file, &table, &outcomes.tellable, &mut problems);
        if grants == Privilege::None && table.status.is_some() && tells.is_none() {
            let message = format!(
                "outcome `{}` does not say what it tells",
                table.id.get_ref()
            );
            let problem = Problem::at(file, span.clone(), message, "needs `tells`");
            outcomes.unsaid.push(problem.help(format!(
                "tells = [] if it tells no more than that the caller is denied; else some of {}",
                outcomes.tellable.keys().cloned().collect::<Vec<_>>().join(", ")
            )));
        }
        let outcome = Outcome {
            id: table.id.into_inner(),
            title: table.title,
            origin: format!("{}:{}", file.name, file.line(span.start)),
            direction: grants.direction(),
            grants,
            tells,
            status: table.status,
            start: table.start,
            exit: table.exit,
            error_type: table.error_type,
            message: table.message,
            message_has: table.message_has,
            lacks: table.lacks,
            content_type: table.content_type,
            volatile: table.volatile,
            json: table.json,
            without: table.without,
            empty: table.empty,
            headers: outcomes.headers.with(&table.headers),
            model_calls: table.model_calls,
            runs_later: table.runs_later,
            model_saw: table.model_saw,
        };
        if outcome.status.is_some() == outcome.start.is_some() {
            problems.0.push(
                Problem::at(
                    file,
                    span.clone(),
                    format!("outcome `{}` needs a status or a start", outcome.id),
                    "this outcome",
                )
                .help("status = 403 for a request, start = \"refused\" for a launch; not both"),
            );
        }
        for (name, _) in table.headers.iter() {
            let common = outcomes.headers.rule(name).map(|(_, rule)| rule);
            if !matches!(common, None | Some(HeaderRule::Free)) {
                continue;
            }
            let problem =
                format!("header `{name}` is no part of an answer, so nothing can be asked of it");
            problems.0.push(
                Problem::at(file, span.clone(), problem, "this outcome").help(format!(
                    "let [headers] say `{name} = \"shown\"`; names are in small letters"
                )),
            );
        }
        if let Some(twin) = outcomes
            .values()
            .find(|other| may_both_fit(other, &outcome))
        {
            problems.0.push(
                Problem::at(
                    file,
                    span.clone(),
                    format!(
                        "one answer could fit both `{}` and `{}`",
                        twin.id, outcome.id
                    ),
                    "the second one",
                )
                .help(
                    "let status, error-type, message, model-calls, a header or a json value tell them apart",
                ),
            );
        }
        if let Some(other) = outcomes.by_id.insert(outcome.id.clone(), Arc::new(outcome)) {
            problems.0.push(Problem::at(
                file,
                span,
                format!("outcome `{}` is defined twice", other.id),
                "the second one",
            ));
        }
    }
    problems.into_result(outcomes)
}

/// What an outcome lets its caller do.
fn grants(
    file: &SourceFile,
    table: &OutcomeTable,
    unsaid: &mut Vec<Problem>,
    problems: &mut Problems,
) -> Privilege {
    let id = &table.id;
    let (message, found) = match (table.grants, table.direction) {
        (Some(grants), None) => return grants,
        (Some(grants), Some(_)) => {
            let message = format!("outcome `{}` says `grants` and `direction`", id.get_ref());
            let problem = Problem::at(file, id.span(), message, "this outcome");
            let word = "`grants` is enough: whoever is granted nothing is denied";
            problems.0.push(problem.help(word));
            return grants;
        }
        (None, direction) => (
            format!("outcome `{}` does not say what it grants", id.get_ref()),
            direction,
        ),
    };
    let names = Privilege::ALL.map(Privilege::name).join(", ");
    let problem = Problem::at(file, id.span(), message, "needs `grants`");
    let problem = problem.help(format!("what its caller can do: one of {names}"));
    match found {
        Some(_) => unsaid.push(problem),
        None => problems.0.push(problem),
    }
    found.unwrap_or(Direction::Deny).into()
}

/// What an outcome tells; `None` where it does not say.
fn tells(
    file: &SourceFile,
    table: &OutcomeTable,
    tellable: &Tellable,
    problems: &mut Problems,
) -> Option<BTreeSet<String>> {
    let names = table.tells.as_ref()?;
    for name in names
        .iter()
        .filter(|name| !tellable.contains_key(name.get_ref()))
    {
        let message = format!("`{}` is nothing that a denial may tell", name.get_ref());
        let known = tellable.keys().map(String::as_str);
        problems.0.push(
            Problem::at(file, name.span(), message, "not under [tells]")
                .help(advice(name.get_ref(), known)),
        );
    }
    Some(names.iter().map(|name| name.get_ref().clone()).collect())
}

fn may_both_fit(a: &Outcome, b: &Outcome) -> bool {
    fn differ<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
        matches!((a, b), (Some(a), Some(b)) if a != b)
    }
    // What an empty body cannot.
    let tells = |outcome: &Outcome| {
        let words = [&outcome.error_type, &outcome.message, &outcome.message_has];
        !outcome.json.is_empty() || words.iter().any(|words| words.is_some())
    };
    // One asks for what must not be there in the other.
    let excludes = |a: &Outcome, b: &Outcome| {
        let error = a.error_type.is_some() || a.message.is_some();
        let gone = |pointer: &String| {
            let mut without = b.without.iter();
            without.any(|gone| match pointer.strip_prefix(gone.as_str()) {
                Some(rest) => rest.is_empty() || rest.starts_with('/'),
                None => false,
            })
        };
        a.json.keys().any(gone) || (error && b.without.iter().any(|pointer| pointer == "/error"))
    };
    let says = |a: &Outcome, b: &Outcome| match (&a.message_has, &b.message) {
        (Some(words), Some(message)) => message.contains(words.as_str()),
        _ => true,
    };
    let both_say = match (&a.message_has, &b.message_has) {
        // Two phrases may stand in one message, but whoever writes them means two messages.
        (Some(a), Some(b)) => a.contains(b.as_str()) || b.contains(a.as_str()),
        _ => true,
    };
    a.status == b.status
        && a.start == b.start
        && !differ(a.exit.as_ref(), b.exit.as_ref())
        && a.model_calls == b.model_calls
        && a.model_saw == b.model_saw
        && says(a, b)
        && says(b, a)
        && both_say
        && !(tells(a) && b.empty)
        && !(tells(b) && a.empty)
        && !excludes(a, b)
        && !excludes(b, a)
        && !a.headers.exclude(&b.headers)
        && !b.headers.exclude(&a.headers)
        && !differ(a.content_type.as_ref(), b.content_type.as_ref())
        && !differ(a.error_type.as_ref(), b.error_type.as_ref())
        && !differ(a.message.as_ref(), b.message.as_ref())
        && !a
            .json
            .iter()
            .any(|(pointer, value)| b.json.get(pointer).is_some_and(|other| other != value))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    /// What must not be there takes along everything below it, and nothing beside it.
    #[rstest]
    #[case("/connect", "/connect", false)]
    #[case("/connect", "/connect/ok", false)]
    #[case("/connect", "/connected", true)]
    #[case("/connect/ok", "/connect", true)]
    fn what_must_not_be_there(#[case] without: &str, #[case] pointer: &str, #[case] both: bool) {
        let one = Outcome {
            without: vec![without.to_owned()],
            ..Outcome::default()
        };
        let other = Outcome {
            json: [(pointer.to_owned(), json!(true))].into(),
            ..Outcome::default()
        };
        assert_eq!(may_both_fit(&one, &other), both);
        assert_eq!(may_both_fit(&other, &one), both);
    }
}
