//! What is defined once and used by name: axis values and outcomes.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;
use toml::Spanned;

use super::files::{AxisFile, OutcomesFile};
use super::model::{AxisValue, Outcome};
use super::parse::{check_header, check_id, check_placeholders, parse_toml, schema_version};
use super::profile::Profiles;
use super::{Problem, Problems, SourceFile};

/// Axis name to its values by id.
pub(super) type Axes = BTreeMap<String, IndexMap<String, Arc<AxisValue>>>;
/// Outcomes by id, in the order of the file.
pub(super) type Outcomes = IndexMap<String, Arc<Outcome>>;

/// Reads one axis file into `axes`.
pub(super) fn axis(file: &SourceFile, axes: &mut Axes) -> Result<(), Problems> {
    let raw: AxisFile = parse_toml(file)?;
    let mut problems = Problems::default();
    schema_version(file, &raw.schema, &mut problems);
    if axes.contains_key(raw.axis.get_ref()) {
        problems.0.push(Problem::at(
            file,
            raw.axis.span(),
            format!(
                "axis `{}` is defined in more than one file",
                raw.axis.get_ref()
            ),
            "the second one",
        ));
    }
    let mut values = IndexMap::new();
    for table in raw.value {
        for text in table.headers.iter().chain(&table.query) {
            check_placeholders(file, text, &mut problems);
        }
        for header in &table.headers {
            check_header(file, header, &mut problems);
        }
        check_id(file, &table.id, &mut problems);
        let id = table.id.get_ref().clone();
        let value = AxisValue {
            short: table.short.unwrap_or_else(|| id.clone()),
            title: table.title,
            headers: table.headers.into_iter().map(Spanned::into_inner).collect(),
            query: table.query.map(Spanned::into_inner),
            origin: format!("{}:{}", file.name, file.line(table.id.span().start)),
            id: id.clone(),
        };
        if values.insert(id.clone(), Arc::new(value)).is_some() {
            problems.0.push(Problem::at(
                file,
                table.id.span(),
                format!("value `{id}` is defined twice"),
                "the second one",
            ));
        }
    }
    axes.insert(raw.axis.into_inner(), values);
    problems.into_result(())
}

/// Makes the profile axis out of the profiles.
pub(super) fn profile_axis(profiles: &Profiles) -> IndexMap<String, Arc<AxisValue>> {
    profiles
        .values()
        .map(|profile| {
            let value = AxisValue {
                id: profile.id.clone(),
                short: profile.short.clone().unwrap_or_else(|| profile.id.clone()),
                title: profile.title.clone(),
                headers: Vec::new(),
                query: None,
                origin: profile.origin.clone(),
            };
            (profile.id.clone(), Arc::new(value))
        })
        .collect()
}

/// Reads the outcomes and makes sure that no answer fits two of them.
pub(super) fn outcomes(file: &SourceFile) -> Result<Outcomes, Problems> {
    let raw: OutcomesFile = parse_toml(file)?;
    let mut problems = Problems::default();
    schema_version(file, &raw.schema, &mut problems);
    let mut outcomes = Outcomes::new();
    for table in raw.outcome {
        let span = table.id.span();
        check_id(file, &table.id, &mut problems);
        let outcome = Outcome {
            id: table.id.into_inner(),
            title: table.title,
            direction: table.direction,
            status: table.status,
            error_type: table.error_type,
            message: table.message,
            json: table.json,
            model_calls: table.model_calls,
        };
        if let Some(twin) = outcomes
            .values()
            .find(|other: &&Arc<Outcome>| may_both_fit(other, &outcome))
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
                    "let status, error-type, message, model-calls or a json value tell them apart",
                ),
            );
        }
        if let Some(other) = outcomes.insert(outcome.id.clone(), Arc::new(outcome)) {
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

fn may_both_fit(a: &Outcome, b: &Outcome) -> bool {
    fn differ<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
        matches!((a, b), (Some(a), Some(b)) if a != b)
    }
    a.status == b.status
        && a.model_calls == b.model_calls
        && !differ(a.error_type.as_ref(), b.error_type.as_ref())
        && !differ(a.message.as_ref(), b.message.as_ref())
        && !a
            .json
            .iter()
            .any(|(pointer, value)| b.json.get(pointer).is_some_and(|other| other != value))
}
