//! From a scenario file to the model: names become references, and every slip becomes a [`Problem`] with its place.

use std::collections::BTreeSet;
use std::sync::Arc;

use toml::Spanned;

use super::before;
use super::conditions::Resolver;
use super::definitions::Axes;
use super::files::{ScenarioFile, WithinTable};
use super::model::{
    Answer, AxisValue, Exclude, Expect, Kind, PROFILE_AXIS, RequestTemplate, Rule, Scenario,
    ScenarioAxis, ValueSet, Within, first_values,
};
use super::outcomes::Outcomes;
use super::parse::{
    check_header, check_id, check_placeholders, check_word, parse_range, parse_toml, parse_version,
    placeholders, read_body, schema_version, unknown_axis, unknown_outcome, unknown_value,
};
use super::{Problem, Problems, SourceFile};
use crate::data::Data;
use base::nearest::advice;

/// A scenario has no more cells than this: each takes some 60 bytes in a run, and a check looks at every one.
const MAX_CELLS: u128 = 1_000_000;

/// Resolves one scenario file.
pub(super) fn scenario(
    file: &SourceFile,
    data: &Data,
    secrets: &[String],
    axes: &Axes,
    outcomes: &Outcomes,
) -> Result<Scenario, Problems> {
    let mut raw: ScenarioFile = parse_toml(file)?;
    let mut problems = Problems::default();
    schema_version(file, &raw.schema, &mut problems);
    check_id(file, &raw.id, &mut problems);
    let before = std::mem::take(&mut raw.request.before);
    let body = raw
        .request
        .body
        .as_ref()
        .map(|name| read_body(file, data, name, &mut problems));
    let used = used_axes(file, &raw, axes, &mut problems);
    let vars = used.iter().flat_map(|axis| &axis.values);
    let vars: BTreeSet<String> = vars
        .flat_map(|value| value.vars.iter().map(|(name, _)| name.clone()))
        .collect();
    let known = placeholders(secrets, &vars);
    let mut kept = Vec::new();
    let before = before::steps(file, before, data, &known, &mut kept, &mut problems);
    let steps = used
        .iter()
        .flat_map(|axis| &axis.values)
        .flat_map(|value| &value.before);
    kept.extend(steps.flat_map(|step| step.keep.keys().cloned()));
    if let Some(port) = &raw.request.port
        && !kept.contains(port.get_ref())
    {
        let what = format!("no request before keeps `{}`", port.get_ref());
        let problem = Problem::at(file, port.span(), what, "this placeholder");
        problems.0.push(
            problem
                .help("the port of a request is what a [[request.before]] keeps under that name"),
        );
    }
    let known: Vec<&str> = known
        .into_iter()
        .chain(kept.iter().map(String::as_str))
        .collect();
    check_request(file, &raw, body.as_deref(), &used, &known, &mut problems);
    // Before anything is made of them.
    let values = used.iter().map(|axis| axis.values.len() as u128);
    let cells = values.fold(1_u128, u128::saturating_mul);
    if cells > MAX_CELLS {
        let message = format!("{cells} cells, and a scenario may have {MAX_CELLS}");
        let problem = Problem::at(file, raw.id.span(), message, "this scenario");
        problems
            .0
            .push(problem.help("split it, or leave out values of its axes"));
        return Err(problems);
    }
    let resolver = Resolver {
        file,
        axes: &used,
        sets: &raw.sets,
        resolved: &[],
    };
    resolver.check_sets(&mut problems);
    let sets = raw
        .sets
        .iter()
        .flat_map(|(axis, sets)| sets.iter().map(move |(name, values)| (axis, name, values)))
        .map(|(axis, name, values)| ValueSet {
            axis: axis.get_ref().clone(),
            name: name.get_ref().clone(),
            values: values.iter().map(|value| value.get_ref().clone()).collect(),
        })
        .collect();
    let excludes = raw
        .exclude
        .iter()
        .map(|table| Exclude {
            when: resolver.conditions(&table.when, &mut problems),
            reason: table.reason.clone(),
            span: table.when.span(),
        })
        .collect();
    let answers = answers(file, &raw, &used, outcomes, &mut problems);
    let mut rules: Vec<Rule> = Vec::new();
    for table in &raw.rule {
        check_id(file, &table.id, &mut problems);
        if let Some(twin) = rules.iter().find(|rule| rule.id == *table.id.get_ref()) {
            problems.0.push(Problem::at(
                file,
                table.id.span(),
                format!("rule `{}` is defined twice", twin.id),
                format!("the first one is at {}", twin.origin),
            ));
        }
        let range = parse_range(
            file,
            table.since.as_ref(),
            table.until.as_ref(),
            &mut problems,
        );
        let when = resolver.conditions(&table.when, &mut problems);
        if let Some(expect) = expect(file, &table.expect, &answers, outcomes, &mut problems) {
            rules.push(Rule {
                id: table.id.get_ref().clone(),
                title: table.title.clone(),
                first: first_values(&when, used.first().map_or(0, |axis| axis.values.len())),
                when,
                expect,
                range,
                within: table
                    .within
                    .as_ref()
                    .and_then(|table| within(file, table, raw.kind, &used, &mut problems)),
                source: table.source.clone(),
                span: table.id.span(),
                origin: format!("{}:{}", file.name, file.line(table.id.span().start)),
            });
        }
    }
    let since = raw
        .since
        .as_ref()
        .and_then(|text| parse_version(file, text, &mut problems));
    problems.into_result(Scenario {
        id: raw.id.into_inner(),
        title: raw.title,
        file: file.clone(),
        since,
        kind: raw.kind,
        own_gateway: raw.own_gateway,
        history: raw.history,
        request: RequestTemplate {
            protocol: raw.request.protocol,
            before,
            model_view: raw.request.model_view,
            port: raw.request.port.map(Spanned::into_inner),
            keep_alive: raw.request.keep_alive,
            method: raw
                .request
                .method
                .map_or_else(|| "GET".to_owned(), Spanned::into_inner),
            path: raw
                .request
                .path
                .map(Spanned::into_inner)
                .unwrap_or_default(),
            headers: raw
                .request
                .headers
                .into_iter()
                .map(Spanned::into_inner)
                .collect(),
            body: body.unwrap_or_default(),
        },
        vars,
        axes: used,
        sets,
        answers,
        excludes,
        rules,
    })
}

/// The outcome that a rule or a known issue names: one of `outcomes.toml`, or `@name` of the scenario's answers.
pub(super) fn expect(
    file: &SourceFile,
    name: &Spanned<String>,
    answers: &[Answer],
    outcomes: &Outcomes,
    problems: &mut Problems,
) -> Option<Expect> {
    let found = match name.get_ref().strip_prefix('@') {
        None => outcomes
            .get(name.get_ref())
            .map(|outcome| Expect::One(Arc::clone(outcome))),
        Some(answer) => {
            let known = answers.iter().find(|known| known.name == answer);
            known.map(|known| known.expect.clone())
        }
    };
    if found.is_none() {
        problems.0.push(match name.get_ref().strip_prefix('@') {
            None => unknown_outcome(file, name, outcomes),
            Some(answer) => Problem::at(
                file,
                name.span(),
                format!("unknown answer `@{answer}`"),
                "not under [answers] of the scenario",
            )
            .help(advice(
                answer,
                answers.iter().map(|known| known.name.as_str()),
            )),
        });
    }
    found
}

/// How soon a rule's cells must have answers: in sequences only, and after one of their steps.
fn within(
    file: &SourceFile,
    table: &WithinTable,
    kind: Kind,
    axes: &[ScenarioAxis],
    problems: &mut Problems,
) -> Option<Within> {
    let mut fail = |message: String, help: &str| {
        let span = table.after.span();
        problems.0.push(Problem::at(file, span, message, help));
    };
    let after = table.after.get_ref();
    let mut values = axes.iter().flat_map(|axis| &axis.values);
    if kind != Kind::Sequence {
        fail(
            "`within` is for the steps of a sequence".to_owned(),
            "its cells are asked in any order; take it out",
        );
        return None;
    }
    if !values.any(|value| value.id == *after) {
        fail(
            format!("no step is called `{after}`"),
            "`after` is a value of the scenario's axis of steps",
        );
        return None;
    }
    let Ok(time) = std::time::Duration::try_from_secs_f64(table.seconds) else {
        fail(
            format!("`within` takes {} seconds", table.seconds),
            "write a number of seconds above 0",
        );
        return None;
    };
    Some(Within {
        time,
        after: after.clone(),
    })
}

/// The named outcomes by axis value.
fn answers(
    file: &SourceFile,
    raw: &ScenarioFile,
    axes: &[ScenarioAxis],
    outcomes: &Outcomes,
    problems: &mut Problems,
) -> Vec<Answer> {
    let mut answers = Vec::new();
    for (name, tables) in &raw.answers {
        let Some((axis_name, table)) = tables.first().filter(|_| tables.len() == 1) else {
            problems.0.push(
                Problem::at(
                    file,
                    name.span(),
                    format!("answer `{}` needs exactly one axis", name.get_ref()),
                    "this answer",
                )
                .help("write [answers.NAME.AXIS] and one line for each value"),
            );
            continue;
        };
        let Some(position) = axes
            .iter()
            .position(|axis| axis.name == *axis_name.get_ref())
        else {
            problems.0.push(unknown_axis(file, axis_name, axes));
            continue;
        };
        let axis = &axes[position];
        let mut by = vec![None; axis.values.len()];
        for (value, outcome) in table {
            let index = axis
                .values
                .iter()
                .position(|known| known.id == *value.get_ref());
            match (index, outcomes.get(outcome.get_ref())) {
                (Some(index), Some(outcome)) => by[index] = Some(Arc::clone(outcome)),
                (None, _) => problems.0.push(unknown_value(file, value, axis)),
                (_, None) => problems.0.push(unknown_outcome(file, outcome, outcomes)),
            }
        }
        answers.push(Answer {
            name: name.get_ref().clone(),
            expect: Expect::By(position, by),
        });
    }
    answers
}

/// What the request needs: a path from somewhere, known placeholders, whole header lines.
fn check_request(
    file: &SourceFile,
    raw: &ScenarioFile,
    body: Option<&str>,
    axes: &[ScenarioAxis],
    known: &[&str],
    problems: &mut Problems,
) {
    let values = || axes.iter().flat_map(|axis| &axis.values);
    for text in raw.request.headers.iter().chain(&raw.request.path) {
        check_placeholders(file, text, known, problems);
    }
    for header in &raw.request.headers {
        check_header(file, header, problems);
    }
    // What goes out odd on purpose is a value of an axis.
    for (text, what) in [(&raw.request.method, "method"), (&raw.request.path, "path")] {
        if let Some(text) = text {
            check_word(file, text, what, problems);
        }
    }
    if let (Some(text), Some(name)) = (body, &raw.request.body) {
        let text = Spanned::new(name.span(), text.to_owned());
        check_placeholders(file, &text, known, problems);
    }
    for axis in axes {
        let needs = axis.values.iter().flat_map(|value| &*value.needs);
        let missing: BTreeSet<&String> = needs
            .filter(|name| !known.contains(&name.as_str()))
            .collect();
        for name in missing {
            let message = format!(
                "axis `{}` needs `${{{name}}}`, which no request before keeps",
                axis.name
            );
            let problem = Problem::at(file, raw.id.span(), message, "used by this scenario");
            problems.0.push(problem.help(format!(
                "let a [[request.before]] keep it: keep = {{ {name} = \"/id\" }}"
            )));
        }
    }
    for value in values() {
        if let Some(Err(error)) = value
            .body
            .as_deref()
            .map(|body| base::template::check(body, known))
        {
            let span = raw.id.span();
            problems.0.push(Problem::at(
                file,
                span,
                format!("in the body of {}: {error}", value.origin),
                "used by this scenario",
            ));
        }
    }
    let has_path = |axis: &ScenarioAxis| axis.values.iter().all(|value| value.path.is_some());
    if raw.kind != Kind::Start && raw.request.path.is_none() && !axes.iter().any(has_path) {
        problems.0.push(
            Problem::at(
                file,
                raw.id.span(),
                "the request has no path",
                "this scenario",
            )
            .help("give [request] a path, or use an axis of which every value has one"),
        );
    }
}

/// The axes of a scenario with the values it uses.
fn used_axes(
    file: &SourceFile,
    raw: &ScenarioFile,
    axes: &Axes,
    problems: &mut Problems,
) -> Vec<ScenarioAxis> {
    let mut used = Vec::new();
    for (name, values) in &raw.axes {
        let Some(defined) = axes.get(name.get_ref()) else {
            problems.0.push(
                Problem::at(
                    file,
                    name.span(),
                    format!("unknown axis `{}`", name.get_ref()),
                    "no file in scenarios/axes defines it",
                )
                .help(advice(name.get_ref(), axes.keys().map(String::as_str))),
            );
            continue;
        };
        let mut chosen: Vec<Arc<AxisValue>> = Vec::new();
        for value in values {
            match defined.get(value.get_ref()) {
                None => problems.0.push(
                    Problem::at(
                        file,
                        value.span(),
                        format!(
                            "unknown value `{}` of axis `{}`",
                            value.get_ref(),
                            name.get_ref()
                        ),
                        "not defined",
                    )
                    .help(advice(value.get_ref(), defined.keys().map(String::as_str))),
                ),
                Some(found) if chosen.iter().any(|other| other.id == found.id) => {
                    problems.0.push(Problem::at(
                        file,
                        value.span(),
                        format!("value `{}` is listed twice", found.id),
                        "the second one",
                    ))
                }
                Some(found) => chosen.push(Arc::clone(found)),
            }
        }
        if values.is_empty() {
            problems.0.push(Problem::at(
                file,
                name.span(),
                format!("axis `{}` has no values", name.get_ref()),
                "empty",
            ));
        }
        used.push(ScenarioAxis {
            name: name.get_ref().clone(),
            values: chosen,
        });
    }
    if !raw.axes.keys().any(|name| name.get_ref() == PROFILE_AXIS) {
        let span = raw.id.span();
        problems.0.push(
            Problem::at(
                file,
                span,
                "the scenario has no axis `profile`",
                "this scenario",
            )
            .help("every cell needs a launch: add profile = [\"none\"] under [axes]"),
        );
    }
    used
}
