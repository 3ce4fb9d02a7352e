//! Launch profiles: how a gateway is configured and started, as data.

use std::collections::BTreeMap;
use std::iter;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use toml::Spanned;

use super::parse::{
    check_id, check_variables, parse_range, parse_toml, read_fixture, schema_version,
};
use super::{Problem, Problems, SourceFile};
use crate::data::Data;
use crate::release::{Version, VersionRange};

/// The header line that stands for those of the profile's caller.
pub const CALLER: &str = "${caller}";

/// What every launch has in common.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// Version of this file format; 1.
    #[schemars(with = "u32")]
    pub(crate) schema: Spanned<u32>,
    /// Arguments of the gateway, with placeholders.
    pub args: Vec<String>,
    /// Paths to probe; a 200 from any of them means ready.
    pub ready: Vec<String>,
    /// Environment variables, with placeholders.
    pub env: BTreeMap<String, String>,
    /// Configuration, with placeholders.
    pub config: Map<String, Value>,
    /// Names of the random secrets that every launch has, as placeholders.
    pub secrets: Vec<String>,
    /// The positive control, sent with the profile's own `${caller}`.
    pub control: Control,
    /// Lines by which a gateway says that it will not start; some releases stay for a while after them.
    pub refusals: Vec<String>,
}

/// A request that must reach the model, or a launch's denials prove nothing.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// HTTP method.
    pub method: String,
    /// Path.
    pub path: String,
    /// Header lines.
    pub headers: Vec<String>,
    /// Body, with placeholders.
    pub body: String,
}

/// Launch profiles that belong together.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProfilesFile {
    /// Version of this file format; 1.
    #[schemars(with = "u32")]
    schema: Spanned<u32>,
    /// What all launches of the file have on top of the base; a launch's own part goes on top of it.
    #[serde(default)]
    common: Part,
    /// The profiles.
    profile: Vec<ProfileTable>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ProfileTable {
    /// Name of the profile.
    #[schemars(with = "String")]
    id: Spanned<String>,
    /// What it is, in one line.
    title: String,
    /// The gateway's auth mode.
    mode: String,
    /// At most five characters for the head of a matrix column.
    short: Option<String>,
    /// Header lines by which a caller identifies itself as the mode asks for; `${caller}` in requests stands for them.
    caller: Vec<String>,
    /// Why such a caller cannot reach the model: there is no positive control then, and denials stand for themselves.
    no_control: Option<String>,
    /// Whether caller, proxy and gateway have network namespaces of their own instead of the machine's loopback. What no proxy
    /// forwards comes from where the proxy is.
    #[serde(default)]
    own_network: bool,
    /// Calls that the gateway makes of its model's address by itself, as method and path: without anybody's words in them they do
    /// not void the launch's denials.
    #[serde(default)]
    own_calls: Vec<String>,
    /// How the gateway is started, by release.
    launch: Vec<LaunchTable>,
    /// Releases on which the profile cannot be tested.
    #[serde(default)]
    not_applicable: Vec<NotApplicableTable>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct LaunchTable {
    /// First release that is started this way.
    #[schemars(with = "Option<String>")]
    since: Option<Spanned<String>>,
    /// First release that is no longer started this way.
    #[schemars(with = "Option<String>")]
    until: Option<Spanned<String>>,
    /// Arguments after those of the base.
    #[serde(default)]
    args: Vec<String>,
    /// Environment on top of the base's.
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Files in `${home}`, by name; a name may begin with folders.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, FileText>")]
    files: BTreeMap<String, Spanned<FileText>>,
    /// Configuration on top of the base's.
    #[serde(default)]
    config: Map<String, Value>,
    /// JSON pointers into the configuration that are taken out of it.
    #[serde(default)]
    unset: Vec<String>,
}

/// What several launches have in common.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Part {
    /// Arguments after those of the base.
    #[serde(default)]
    args: Vec<String>,
    /// Environment on top of the base's.
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Files in `${home}`, by name; a name may begin with folders.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, FileText>")]
    files: BTreeMap<String, Spanned<FileText>>,
    /// Configuration on top of the base's.
    #[serde(default)]
    config: Map<String, Value>,
}

/// What a file of a launch holds; placeholders are replaced in both.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
enum FileText {
    /// The text itself.
    Text(String),
    /// The text of a file of the data.
    Fixture {
        /// Its name, relative to `fixtures/`.
        fixture: String,
    },
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NotApplicableTable {
    /// First release it holds for.
    #[schemars(with = "Option<String>")]
    since: Option<Spanned<String>>,
    /// First release it no longer holds for.
    #[schemars(with = "Option<String>")]
    until: Option<Spanned<String>>,
    /// Why the profile cannot be tested there.
    reason: String,
}

/// A launch configuration: an auth mode and what goes with it.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Name of the profile.
    pub id: String,
    /// What it is, in one line.
    pub title: String,
    /// The gateway's auth mode.
    pub mode: String,
    /// Head of a matrix column.
    pub short: Option<String>,
    /// Header lines of a caller whom the mode lets in.
    pub caller: Vec<String>,
    /// Why such a caller cannot reach the model, so that there is no positive control.
    pub no_control: Option<String>,
    /// Whether caller, proxy and gateway have network namespaces of their own.
    pub own_network: bool,
    /// Method and path of calls that the gateway makes of its model's address by itself.
    pub own_calls: Vec<String>,
    /// The ways to start it, by release.
    pub launches: Vec<Launch>,
    /// Where it cannot be tested.
    pub not_applicable: Vec<NotApplicable>,
    /// `file:line` of the profile.
    pub origin: String,
}

/// One way to start a profile, complete: the base's part is merged in.
#[derive(Debug, Clone, PartialEq)]
pub struct Launch {
    /// The releases that are started this way.
    pub range: VersionRange,
    /// All arguments, with placeholders.
    pub args: Vec<String>,
    /// All environment variables, with placeholders.
    pub env: BTreeMap<String, String>,
    /// Files in the launch's home folder: name, which may begin with folders, to text with placeholders.
    pub files: BTreeMap<String, String>,
    /// The whole configuration, with placeholders.
    pub config: Value,
}

/// What the texts of a launch may name, beside its secrets.
const IN_LAUNCH: [&str; 9] = [
    "port",
    "proxy-address",
    "upstream",
    "home",
    "state",
    "tmp",
    "workspace",
    "config",
    "log",
];

impl Launch {
    /// The first placeholder that stands for nothing, and where it is.
    fn wrong_placeholder(&self, secrets: &[String]) -> Option<String> {
        let known: Vec<&str> = IN_LAUNCH
            .into_iter()
            .chain(secrets.iter().map(String::as_str))
            .collect();
        let config = self.config.to_string();
        let config = iter::once(("the configuration".to_owned(), &config));
        let args = self.args.iter();
        let args = args.map(|text| ("the arguments".to_owned(), text));
        let env = self.env.iter();
        let env = env.map(|(name, text)| (format!("the variable {name}"), text));
        let files = self.files.iter();
        let files = files.map(|(name, text)| (format!("the file {name}"), text));
        let mut texts = config.chain(args).chain(env).chain(files);
        texts.find_map(|(place, text)| {
            let error = base::template::check(text, &known).err()?;
            Some(format!("in {place}: {error}"))
        })
    }

    /// Whether the gateway is told where the model is: whoever is not cannot call it.
    pub fn knows_model(&self) -> bool {
        let named = |text: &String| text.contains("${upstream}");
        self.args.iter().any(named)
            || self.env.values().any(named)
            || named(&self.config.to_string())
    }
}

/// Releases on which a profile cannot be tested.
#[derive(Debug, Clone)]
pub struct NotApplicable {
    /// The releases.
    pub range: VersionRange,
    /// Why.
    pub reason: String,
}

impl Profile {
    /// How to start the profile on a release, or why it cannot be tested there.
    ///
    /// # Errors
    /// The reason why the profile is not applicable.
    pub fn launch_for(&self, release: &Version) -> Result<&Launch, String> {
        if let Some(entry) = self
            .not_applicable
            .iter()
            .find(|entry| entry.range.contains(release))
        {
            return Err(entry.reason.clone());
        }
        self.launches
            .iter()
            .find(|launch| launch.range.contains(release))
            .ok_or_else(|| format!("profile {} says nothing about {release}", self.id))
    }

    /// Whether the profile is tested on any release of a range.
    pub fn is_tested_within(&self, range: &VersionRange) -> bool {
        let begin = range.since.iter();
        let begins = begin.chain(
            self.launches
                .iter()
                .filter_map(|launch| launch.range.since.as_ref()),
        );
        let mut releases = begins.filter(|release| range.contains(release));
        releases.any(|release| self.launch_for(release).is_ok())
    }

    /// Reads one file of profiles and merges each onto the base.
    pub(super) fn parse(
        file: &SourceFile,
        base: &Base,
        data: &Data,
    ) -> Result<Vec<Self>, Problems> {
        let raw: ProfilesFile = parse_toml(file)?;
        let mut problems = Problems::default();
        schema_version(file, &raw.schema, &mut problems);
        let common = raw.common;
        check_variables(file, common.env.keys(), &mut problems);
        let mut bottom = Launch {
            range: VersionRange::default(),
            args: [base.args.as_slice(), &common.args].concat(),
            env: base.env.clone(),
            files: read_files(file, data, common.files, &mut problems),
            config: Value::Object(base.config.clone()),
        };
        bottom.env.extend(common.env);
        merge(&mut bottom.config, Value::Object(common.config));
        let profiles = raw
            .profile
            .into_iter()
            .map(|table| Self::resolve(file, &bottom, table, base, data, &mut problems))
            .collect();
        problems.into_result(profiles)
    }

    /// Merges one profile onto what all launches of its file have in common.
    fn resolve(
        file: &SourceFile,
        bottom: &Launch,
        raw: ProfileTable,
        base: &Base,
        data: &Data,
        problems: &mut Problems,
    ) -> Self {
        check_id(file, &raw.id, problems);
        let mut launches = Vec::new();
        for table in raw.launch {
            let mut launch = bottom.clone();
            launch.range = parse_range(file, table.since.as_ref(), table.until.as_ref(), problems);
            check_variables(file, table.env.keys(), problems);
            launch.args.extend(table.args);
            launch.env.extend(table.env);
            let files = read_files(file, data, table.files, problems);
            launch.files.extend(files);
            merge(&mut launch.config, Value::Object(table.config));
            for pointer in &table.unset {
                unset(&mut launch.config, pointer);
            }
            if let Some(message) = launch.wrong_placeholder(&base.secrets) {
                let problem = Problem::at(file, raw.id.span(), message, "of this profile");
                problems.0.push(problem.help("$${ stands for ${ itself"));
            }
            launches.push(launch);
        }
        let not_applicable: Vec<NotApplicable> = raw
            .not_applicable
            .into_iter()
            .map(|table| NotApplicable {
                range: parse_range(file, table.since.as_ref(), table.until.as_ref(), problems),
                reason: table.reason,
            })
            .collect();
        check_ranges(file, &raw.id, &launches, &not_applicable, problems);
        Self {
            origin: format!("{}:{}", file.name, file.line(raw.id.span().start)),
            id: raw.id.into_inner(),
            title: raw.title,
            mode: raw.mode,
            short: raw.short,
            caller: raw.caller,
            no_control: raw.no_control,
            own_network: raw.own_network,
            own_calls: raw.own_calls,
            launches,
            not_applicable,
        }
    }
}

/// The files of a launch by name, with their texts. Each stays in the home folder.
fn read_files(
    file: &SourceFile,
    data: &Data,
    files: BTreeMap<String, Spanned<FileText>>,
    problems: &mut Problems,
) -> BTreeMap<String, String> {
    let letter = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let plain = |part: &str| part.chars().all(letter) && !part.trim_matches('.').is_empty();
    for name in files.keys().filter(|name| !name.split('/').all(plain)) {
        let message = format!("{name:?} cannot be the name of a file in the home folder");
        let problem = match file.find(name, 0) {
            Some(span) => Problem::at(file, span, message, "this name"),
            None => Problem::nowhere(format!("{}: {message}", file.name)),
        };
        let help = "use letters, digits, dots, dashes and underscores, and slashes between folders";
        problems.0.push(problem.help(help));
    }
    let mut read = |text: Spanned<FileText>| {
        let span = text.span();
        match text.into_inner() {
            FileText::Text(text) => text,
            FileText::Fixture { fixture } => {
                read_fixture(file, data, &Spanned::new(span, fixture), problems)
            }
        }
    };
    let files = files.into_iter();
    files.map(|(name, text)| (name, read(text))).collect()
}

/// Every release must be started in exactly one way, or be not applicable.
fn check_ranges(
    file: &SourceFile,
    id: &Spanned<String>,
    launches: &[Launch],
    not_applicable: &[NotApplicable],
    problems: &mut Problems,
) {
    let ranges: Vec<&VersionRange> = launches
        .iter()
        .map(|launch| &launch.range)
        .chain(not_applicable.iter().map(|entry| &entry.range))
        .collect();
    for release in super::breakpoints(ranges.iter().copied(), None) {
        let ways = ranges
            .iter()
            .filter(|range| range.contains(&release))
            .count();
        if ways != 1 {
            let what = if ways == 0 {
                "no way to start"
            } else {
                "more than one way to start"
            };
            problems.0.push(
                Problem::at(file, id.span(), format!("{what} profile {} on {release}", id.get_ref()), "this profile")
                    .help("give every release exactly one [[launch]] or [[not-applicable]]; `until` is the first release that is out"),
            );
        }
    }
}

/// Takes a value out of a table.
fn unset(config: &mut Value, pointer: &str) {
    let (parent, name) = pointer.rsplit_once('/').unwrap_or(("", pointer));
    if let Some(Value::Object(table)) = config.pointer_mut(parent) {
        table.remove(name);
    }
}

/// Merges `top` into `bottom`: tables merge, everything else replaces.
pub fn merge(bottom: &mut Value, top: Value) {
    match (bottom, top) {
        (Value::Object(bottom), Value::Object(top)) => {
            for (key, value) in top {
                match bottom.get_mut(&key) {
                    Some(slot) => merge(slot, value),
                    None => {
                        bottom.insert(key, value);
                    }
                }
            }
        }
        (bottom, top) => *bottom = top,
    }
}

/// Profiles by name, in the order of their file names.
pub(super) type Profiles = IndexMap<String, Profile>;
