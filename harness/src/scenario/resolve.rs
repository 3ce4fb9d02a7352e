//! From files to the model: names become references, and every slip becomes a [`Problem`] with its place.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;
use serde::de::DeserializeOwned;
use toml::Spanned;

use super::files::{
    AxisFile, OneOrMany, OutcomesFile, ScenarioFile, Selector, SetTables, WhenTable,
};
use super::model::{
    AxisValue, Condition, Exclude, Outcome, PROFILE_AXIS, RequestTemplate, Rule, Scenario,
    ScenarioAxis, ValueSet,
};
use super::nearest::advice;
use super::profile::Profiles;
use super::{Problem, Problems, SourceFile};
use crate::release::{Version, VersionRange};

/// Axis name to its values by id.
pub(super) type Axes = BTreeMap<String, IndexMap<String, Arc<AxisValue>>>;
/// Outcomes by id, in the order of the file.
pub(super) type Outcomes = IndexMap<String, Arc<Outcome>>;

/// Parses a TOML file; an unknown key gets its nearest valid name.
pub(super) fn parse_toml<T: DeserializeOwned>(file: &SourceFile) -> Result<T, Problem> {
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
pub(super) fn schema_version(file: &SourceFile, schema: &Spanned<u32>, problems: &mut Problems) {
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

fn parse_version(
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

/// Resolves one scenario file.
pub(super) fn scenario(
    file: &SourceFile,
    fixtures: &Path,
    axes: &Axes,
    outcomes: &Outcomes,
) -> Result<Scenario, Problems> {
    let raw: ScenarioFile = parse_toml(file)?;
    let mut problems = Problems::default();
    schema_version(file, &raw.schema, &mut problems);
    check_id(file, &raw.id, &mut problems);
    let body = raw
        .request
        .body
        .as_ref()
        .map(|name| body(file, fixtures, name, &mut problems));
    for header in &raw.request.headers {
        check_placeholders(file, header, &mut problems);
        check_header(file, header, &mut problems);
    }
    let used = used_axes(file, &raw, axes, &mut problems);
    let resolver = Resolver {
        file,
        axes: &used,
        sets: &raw.sets,
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
        match outcomes.get(table.expect.get_ref()) {
            None => problems.0.push(
                Problem::at(
                    file,
                    table.expect.span(),
                    format!("unknown outcome `{}`", table.expect.get_ref()),
                    "not in outcomes.toml",
                )
                .help(advice(
                    table.expect.get_ref(),
                    outcomes.keys().map(String::as_str),
                )),
            ),
            Some(outcome) => rules.push(Rule {
                id: table.id.get_ref().clone(),
                title: table.title.clone(),
                when,
                expect: Arc::clone(outcome),
                range,
                source: table.source.clone(),
                span: table.id.span(),
                origin: format!("{}:{}", file.name, file.line(table.id.span().start)),
            }),
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
        request: RequestTemplate {
            method: raw.request.method,
            path: raw.request.path,
            headers: raw
                .request
                .headers
                .into_iter()
                .map(Spanned::into_inner)
                .collect(),
            body: body.unwrap_or_default(),
        },
        axes: used,
        sets,
        excludes,
        rules,
    })
}

fn body(
    file: &SourceFile,
    fixtures: &Path,
    name: &Spanned<String>,
    problems: &mut Problems,
) -> String {
    match std::fs::read_to_string(fixtures.join(name.get_ref())) {
        Ok(text) => {
            if let Err(error) = crate::template::check(&text, &PLACEHOLDERS) {
                problems.0.push(Problem::at(
                    file,
                    name.span(),
                    format!("in the body: {error}"),
                    "this file",
                ));
            }
            text.trim_end_matches('\n').to_owned()
        }
        Err(error) => {
            problems.0.push(
                Problem::at(
                    file,
                    name.span(),
                    format!("cannot read fixtures/{}: {error}", name.get_ref()),
                    "no such file",
                )
                .help("bodies lie under fixtures/; the name is relative to that folder"),
            );
            String::new()
        }
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

/// Resolves conditions against the axes and sets of one scenario.
struct Resolver<'a> {
    file: &'a SourceFile,
    axes: &'a [ScenarioAxis],
    sets: &'a SetTables,
}

impl Resolver<'_> {
    fn conditions(
        &self,
        when: &Spanned<OneOrMany<WhenTable>>,
        problems: &mut Problems,
    ) -> Vec<Condition> {
        if when.get_ref().0.is_empty() {
            problems.0.push(Problem::at(
                self.file,
                when.span(),
                "an empty list of conditions",
                "nothing can match",
            ));
        }
        when.get_ref()
            .0
            .iter()
            .map(|table| self.condition(table, problems))
            .collect()
    }

    fn condition(&self, table: &WhenTable, problems: &mut Problems) -> Condition {
        let mut accepted = vec![None; self.axes.len()];
        for (name, selector) in table {
            let Some(position) = self
                .axes
                .iter()
                .position(|axis| axis.name == *name.get_ref())
            else {
                problems.0.push(
                    Problem::at(
                        self.file,
                        name.span(),
                        format!("the scenario has no axis `{}`", name.get_ref()),
                        "not under [axes]",
                    )
                    .help(advice(
                        name.get_ref(),
                        self.axes.iter().map(|axis| axis.name.as_str()),
                    )),
                );
                continue;
            };
            let axis = &self.axes[position];
            let mut mask = vec![false; axis.values.len()];
            let negated = match selector.get_ref() {
                Selector::One(value) => {
                    self.accept(
                        axis,
                        &Spanned::new(selector.span(), value.clone()),
                        &mut mask,
                        problems,
                    );
                    false
                }
                Selector::Many(values) => {
                    values
                        .iter()
                        .for_each(|value| self.accept(axis, value, &mut mask, problems));
                    false
                }
                Selector::Not(values) => {
                    values
                        .iter()
                        .for_each(|value| self.accept(axis, value, &mut mask, problems));
                    true
                }
            };
            if negated {
                mask.iter_mut().for_each(|accepted| *accepted = !*accepted);
            }
            if !mask.contains(&true) {
                problems.0.push(Problem::at(
                    self.file,
                    selector.span(),
                    format!("no value of axis `{}` is left", axis.name),
                    "accepts nothing",
                ));
            }
            accepted[position] = Some(mask);
        }
        Condition(accepted)
    }

    fn accept(
        &self,
        axis: &ScenarioAxis,
        name: &Spanned<String>,
        mask: &mut [bool],
        problems: &mut Problems,
    ) {
        if let Some(set) = name.get_ref().strip_prefix('@') {
            let sets = self
                .sets
                .iter()
                .find(|(key, _)| *key.get_ref() == axis.name)
                .map(|(_, sets)| sets);
            match sets.and_then(|sets| sets.iter().find(|(key, _)| key.get_ref() == set)) {
                Some((_, values)) => values
                    .iter()
                    .for_each(|value| self.accept(axis, value, mask, problems)),
                None => {
                    let known: Vec<&str> = sets
                        .into_iter()
                        .flatten()
                        .map(|(key, _)| key.get_ref().as_str())
                        .collect();
                    problems.0.push(
                        Problem::at(
                            self.file,
                            name.span(),
                            format!("unknown set `@{set}` of axis `{}`", axis.name),
                            "not under [sets]",
                        )
                        .help(advice(set, known.iter().copied())),
                    );
                }
            }
            return;
        }
        match axis
            .values
            .iter()
            .position(|value| value.id == *name.get_ref())
        {
            Some(index) => mask[index] = true,
            None => problems.0.push(
                Problem::at(
                    self.file,
                    name.span(),
                    format!(
                        "the scenario's axis `{}` has no value `{}`",
                        axis.name,
                        name.get_ref()
                    ),
                    "not listed under [axes]",
                )
                .help(advice(
                    name.get_ref(),
                    axis.values.iter().map(|value| value.id.as_str()),
                )),
            ),
        }
    }

    /// Sets may hold plain values of their axis only, so that no set can contain itself.
    fn check_sets(&self, problems: &mut Problems) {
        for (axis_name, sets) in self.sets {
            let Some(axis) = self
                .axes
                .iter()
                .find(|axis| axis.name == *axis_name.get_ref())
            else {
                problems.0.push(
                    Problem::at(
                        self.file,
                        axis_name.span(),
                        format!(
                            "sets for an axis `{}` that the scenario has not",
                            axis_name.get_ref()
                        ),
                        "not under [axes]",
                    )
                    .help(advice(
                        axis_name.get_ref(),
                        self.axes.iter().map(|axis| axis.name.as_str()),
                    )),
                );
                continue;
            };
            for value in sets.values().flatten() {
                if !axis.values.iter().any(|known| known.id == *value.get_ref()) {
                    problems.0.push(
                        Problem::at(
                            self.file,
                            value.span(),
                            format!(
                                "axis `{}` has no value `{}` here",
                                axis.name,
                                value.get_ref()
                            ),
                            "not listed under [axes]",
                        )
                        .help(advice(
                            value.get_ref(),
                            axis.values.iter().map(|known| known.id.as_str()),
                        )),
                    );
                }
            }
        }
    }
}

/// Placeholders that a request may use: the profile's secret and the request's own canary.
const PLACEHOLDERS: [&str; 2] = ["secret", "canary"];

fn check_placeholders(file: &SourceFile, text: &Spanned<String>, problems: &mut Problems) {
    if let Err(error) = crate::template::check(text.get_ref(), &PLACEHOLDERS) {
        problems.0.push(Problem::at(
            file,
            text.span(),
            error.to_string(),
            "in this text",
        ));
    }
}

/// A header line must have a colon and must not end the line itself.
fn check_header(file: &SourceFile, header: &Spanned<String>, problems: &mut Problems) {
    let text = header.get_ref();
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

/// Ids are part of cell ids and file names: small letters, digits, dots and dashes.
fn check_id(file: &SourceFile, id: &Spanned<String>, problems: &mut Problems) {
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
