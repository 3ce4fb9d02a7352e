//! What `clawgauge explore` may combine: `scenarios/explore.toml`.
//!
//! No cell of the contract is judged by it, so it is no part of what a record is judged by.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use super::catalogue::own_or_embedded;
use super::is_there;
use super::model::Kind;
use super::parse::{check_id, parse_range, parse_toml, schema_version};
use super::profile::Profile;
use super::{Catalogue, Holds, Privilege, Problem, Problems, SourceFile};
use crate::data::EXPLORE;
use crate::release::{Version, VersionRange};
use base::nearest::advice;

/// What launches and requests are made of, and what must hold whatever any gateway answers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExploreFile {
    /// Version of this file format; 1.
    #[schemars(with = "u32")]
    schema: Spanned<u32>,
    /// What every launch begins with.
    launches: LaunchesTable,
    /// What a launch may have on top of it.
    option: Vec<OptionTable>,
    /// What a launch is asked.
    ask: Vec<AskTable>,
    /// What must hold between two answers of one launch.
    #[serde(default)]
    relation: Vec<AskedRelation>,
    /// What no caller may ever get.
    #[serde(default)]
    never: Vec<Never>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LaunchesTable {
    /// Profiles that launches begin with.
    #[schemars(with = "Vec<String>")]
    profiles: Vec<Spanned<String>>,
    /// A launch has no more options than this at a time.
    options_at_most: usize,
    /// A launch is asked no more requests than this of a kind that reaches the model; sequences come on top of it.
    model_requests_at_most: usize,
    /// Configuration that every launch has on top of its profile's; options come on top of it.
    #[serde(default)]
    config: Map<String, Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OptionTable {
    /// Its name.
    #[schemars(with = "String")]
    id: Spanned<String>,
    /// The profiles that it makes sense with; all of them where nothing is said.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    profiles: Vec<Spanned<String>>,
    /// What it may be; a launch has one of them, or none.
    value: Vec<OptionValueTable>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct OptionValueTable {
    /// Its name, unique among all values, since launches are named by it.
    #[schemars(with = "String")]
    id: Spanned<String>,
    /// The first release that knows it.
    #[schemars(with = "Option<String>")]
    since: Option<Spanned<String>>,
    /// The first release that does not know it any more.
    #[schemars(with = "Option<String>")]
    until: Option<Spanned<String>>,
    /// Arguments after those of the profile.
    #[serde(default)]
    args: Vec<String>,
    /// Environment on top of the profile's.
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Configuration on top of the profile's.
    #[serde(default)]
    config: Map<String, Value>,
    /// JSON pointers into the configuration that are taken out of it.
    #[serde(default)]
    unset: Vec<String>,
    /// Header lines of the caller instead of the profile's.
    caller: Option<Vec<String>>,
    /// As in a profile, besides the profile's.
    #[serde(default)]
    own_calls: Vec<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AskTable {
    /// Name of the scenario that is made of it.
    #[schemars(with = "String")]
    id: Spanned<String>,
    /// The question in one sentence.
    title: String,
    /// As in a scenario.
    #[serde(default)]
    kind: Kind,
    /// As in a scenario.
    #[serde(default)]
    request: Map<String, Value>,
    /// The axes with the values that may be combined; of each the plainest comes first. A sequence takes all of them.
    axes: IndexMap<String, Vec<String>>,
    /// A launch is asked so many of the combinations.
    most: usize,
    /// Only launches that have one of these options are asked.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    with: Vec<Spanned<String>>,
    /// Launches that have one of these options are not asked.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    without: Vec<Spanned<String>>,
    /// The auth modes in which it is asked; all of them where nothing is said.
    #[serde(default)]
    modes: Vec<String>,
    /// Whether an oracle says what is expected. Else only relations and laws speak about it.
    #[serde(default = "yes")]
    held_against_oracle: bool,
}

fn yes() -> bool {
    true
}

/// What launches and requests are made of.
#[derive(Debug, Clone)]
pub struct ExploreRules {
    /// Profiles that launches begin with.
    pub profiles: Vec<String>,
    /// A launch has no more options than this at a time.
    pub options_at_most: usize,
    /// A launch is asked no more requests than this of a kind that reaches the model; sequences come on top of it.
    pub model_requests_at_most: usize,
    /// Configuration that every launch has on top of its profile's.
    pub config: Map<String, Value>,
    /// What a launch may have on top of its profile.
    pub options: Vec<ExploreOption>,
    /// What a launch is asked.
    pub asks: Vec<Ask>,
    /// What must hold between two answers of one launch.
    pub relations: Vec<AskedRelation>,
    /// What no caller may ever get.
    pub nevers: Vec<Never>,
}

/// What a launch may have on top of its profile.
#[derive(Debug, Clone)]
pub struct ExploreOption {
    /// Its name.
    pub id: String,
    /// The profiles that it makes sense with; none means all.
    pub profiles: Vec<String>,
    /// What it may be.
    pub values: Vec<OptionValue>,
}

/// What an option may be.
#[derive(Debug, Clone)]
pub struct OptionValue {
    /// Its name.
    pub id: String,
    /// The releases that know it.
    pub range: VersionRange,
    /// Arguments after those of the profile.
    pub args: Vec<String>,
    /// Environment on top of the profile's.
    pub env: BTreeMap<String, String>,
    /// Configuration on top of the profile's.
    pub config: Map<String, Value>,
    /// JSON pointers into the configuration that are taken out of it.
    pub unset: Vec<String>,
    /// Header lines of the caller instead of the profile's.
    pub caller: Option<Vec<String>>,
    /// Method and path of calls that the gateway makes of its model's address by itself.
    pub own_calls: Vec<String>,
}

/// What a launch is asked: a scenario without rules.
#[derive(Debug, Clone)]
pub struct Ask {
    /// Name of the scenario.
    pub id: String,
    /// The question in one sentence.
    pub title: String,
    /// What its cells do.
    pub kind: Kind,
    /// The request, as in a scenario.
    pub request: Map<String, Value>,
    /// The axes with the values that may be combined; of each the plainest comes first.
    pub axes: IndexMap<String, Vec<String>>,
    /// A launch is asked so many of the combinations.
    pub most: usize,
    /// Options of which a launch must have one, if there are any.
    pub with: Vec<String>,
    /// Options of which a launch must have none.
    pub without: Vec<String>,
    /// The auth modes in which it is asked; none means all.
    pub modes: Vec<String>,
    /// Whether an oracle says what is expected.
    pub has_oracle: bool,
}

/// What must hold between two answers of one launch to requests that differ on one axis.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskedRelation {
    /// Name of the relation.
    pub id: String,
    /// The relation in one sentence.
    pub title: String,
    /// What must hold.
    pub holds: Holds,
    /// The axis on which the two requests differ.
    pub axis: String,
    /// Pairs of its values.
    pub pairs: Vec<(String, String)>,
    /// The auth modes in which it holds; all of them where nothing is said.
    #[serde(default)]
    pub modes: Vec<String>,
    /// Values that other axes must have.
    #[serde(default)]
    pub when: BTreeMap<String, Vec<String>>,
}

/// What no caller may ever get.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Never {
    /// Its name.
    pub id: String,
    /// What must hold, in one sentence.
    pub title: String,
    /// The auth modes in which it holds; all of them where nothing is said.
    #[serde(default)]
    pub modes: Vec<String>,
    /// Values that axes of the request must have; a request without one of the axes is left out.
    #[serde(default)]
    pub when: BTreeMap<String, Vec<String>>,
    /// The most that the caller may get.
    pub grants: Privilege,
    /// A line of an answer, as records have it, that makes it harmless.
    pub unless_answer_has: Option<String>,
}

impl OptionValue {
    /// What it sets, one word each: `gateway.auth.token=""`, `NAME=text`, `--flag`.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        for (key, value) in &self.config {
            flatten(key, value, &mut words);
        }
        let dotted = |pointer: &String| pointer.trim_start_matches('/').replace('/', ".");
        words.extend(
            self.unset
                .iter()
                .map(|pointer| format!("{} left out", dotted(pointer))),
        );
        words.extend(
            self.env
                .iter()
                .map(|(name, text)| format!("{name}={text:?}")),
        );
        if !self.args.is_empty() {
            words.push(self.args.join(" "));
        }
        words
    }
}

fn flatten(name: &str, value: &Value, words: &mut Vec<String>) {
    match value {
        Value::Object(table) if !table.is_empty() => {
            for (key, value) in table {
                flatten(&format!("{name}.{key}"), value, words);
            }
        }
        _ => words.push(format!("{name}={value}")),
    }
}

/// What is wrong with names in the file.
struct Names<'a> {
    file: &'a SourceFile,
    problems: Problems,
}

impl Names<'_> {
    fn known<'b>(
        &mut self,
        names: Vec<Spanned<String>>,
        what: &str,
        known: impl Iterator<Item = &'b str> + Clone,
    ) -> Vec<String> {
        for name in &names {
            if !known.clone().any(|known| known == name.get_ref()) {
                let message = format!("there is no {what} `{}`", name.get_ref());
                let problem = Problem::at(self.file, name.span(), message, "this name");
                let help = advice(name.get_ref(), known.clone());
                self.problems.0.push(problem.help(help));
            }
        }
        names.into_iter().map(Spanned::into_inner).collect()
    }
}

impl ExploreRules {
    /// Reads the file; a data root without it takes the binary's.
    ///
    /// # Errors
    /// It cannot be read, or is not valid. Axes and values are looked up when scenarios are made of it.
    pub fn load(catalogue: &Catalogue) -> Result<Self, Problems> {
        let file = own_or_embedded(&catalogue.data, EXPLORE)?;
        let raw: ExploreFile = parse_toml(&file)?;
        let mut names = Names {
            file: &file,
            problems: Problems::default(),
        };
        schema_version(&file, &raw.schema, &mut names.problems);
        let profiles = catalogue.profiles.keys().map(String::as_str);
        let profiles = names.known(raw.launches.profiles, "profile", profiles);
        let mut options: Vec<ExploreOption> = Vec::new();
        for table in raw.option {
            check_id(&file, &table.id, &mut names.problems);
            let mut values: Vec<OptionValue> = Vec::new();
            for value in table.value {
                check_id(&file, &value.id, &mut names.problems);
                let known = options.iter().flat_map(|option| &option.values);
                let mut known = known.chain(&values);
                if known.any(|known| known.id == *value.id.get_ref()) {
                    let message = format!("there are two values `{}`", value.id.get_ref());
                    let problem = Problem::at(&file, value.id.span(), message, "the second one");
                    let help = "launches are named by the values of their options";
                    names.problems.0.push(problem.help(help));
                }
                let (since, until) = (value.since.as_ref(), value.until.as_ref());
                values.push(OptionValue {
                    range: parse_range(&file, since, until, &mut names.problems),
                    id: value.id.into_inner(),
                    args: value.args,
                    env: value.env,
                    config: value.config,
                    unset: value.unset,
                    caller: value.caller,
                    own_calls: value.own_calls,
                });
            }
            let known = catalogue.profiles.keys().map(String::as_str);
            options.push(ExploreOption {
                id: table.id.into_inner(),
                profiles: names.known(table.profiles, "profile", known),
                values,
            });
        }
        let ids: Vec<String> = options.iter().map(|option| option.id.clone()).collect();
        let known = || ids.iter().map(String::as_str);
        let mut asks = Vec::new();
        for table in raw.ask {
            check_id(&file, &table.id, &mut names.problems);
            asks.push(Ask {
                id: table.id.into_inner(),
                title: table.title,
                kind: table.kind,
                request: table.request,
                axes: table.axes,
                most: table.most,
                with: names.known(table.with, "option", known()),
                without: names.known(table.without, "option", known()),
                modes: table.modes,
                has_oracle: table.held_against_oracle,
            });
        }
        names.problems.into_result(Self {
            profiles,
            options_at_most: raw.launches.options_at_most,
            model_requests_at_most: raw.launches.model_requests_at_most,
            config: raw.launches.config,
            options,
            asks,
            relations: raw.relation,
            nevers: raw.never,
        })
    }

    /// Whether a data root has a file of its own; what the binary carries fits the scenarios that it carries.
    pub fn are_own(catalogue: &Catalogue) -> bool {
        is_there(&catalogue.data, EXPLORE)
    }

    /// The profiles that launches of a release begin with.
    pub fn profiles_on<'a>(
        &'a self,
        catalogue: &'a Catalogue,
        release: &'a Version,
    ) -> impl Iterator<Item = &'a Profile> {
        let profiles = self.profiles.iter();
        let profiles = profiles.filter_map(|id| catalogue.profiles.get(id));
        profiles.filter(|profile| profile.launch_for(release).is_ok())
    }

    /// An option's value by name.
    pub fn value(&self, id: &str) -> Option<(&ExploreOption, &OptionValue)> {
        self.options.iter().find_map(|option| {
            let mut values = option.values.iter();
            Some((option, values.find(|value| value.id == id)?))
        })
    }
}
