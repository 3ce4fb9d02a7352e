//! What `clawgauge routes` looks for and asks: `scenarios/routes.toml`.
//!
//! No cell is judged by it, so it is no part of what a record is judged by.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::catalogue::own_or_embedded;
use super::parse::{parse_range, parse_toml, schema_version};
use super::profile::Profile;
use super::{Catalogue, Problem, Problems};
use crate::data::ROUTES;
use crate::release::{Version, VersionRange};
use base::template::expand;

/// What is looked for in a release, what is asked, and who may be let in without a credential.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoutesFile {
    /// Version of this file format; 1.
    #[schemars(with = "u32")]
    schema: Spanned<u32>,
    /// Where paths are looked for.
    inventory: InventoryRules,
    /// What is asked.
    ask: AskTable,
    /// What anybody may have.
    #[serde(default)]
    public: Vec<PublicTable>,
}

/// Where paths are looked for, in the code and the documentation of a release.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InventoryRules {
    /// Globs over the names of the regions in which each path counts.
    pub regions: Vec<String>,
    /// Globs over those of them in which none does.
    #[serde(default)]
    pub never: Vec<String>,
    /// Functions by which a route is registered: in whatever region, their first `path` counts.
    pub registers: Vec<String>,
    /// The first segments of paths of a file system.
    #[serde(default)]
    pub files: Vec<String>,
    /// Hosts that stand for the gateway in the documentation.
    pub hosts: Vec<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AskTable {
    /// The profiles to launch, in this order; each gateway is asked everything.
    #[schemars(with = "Vec<String>")]
    profiles: Vec<Spanned<String>>,
    /// HTTP methods.
    methods: Vec<String>,
    /// The statuses that tell a caller without the credential nothing.
    denied: Vec<u16>,
    /// Header lines of a wrong credential.
    wrong: Vec<String>,
    /// A path that no release serves: what is answered there is no route.
    nothing: String,
    /// The ways to write a path.
    spelling: Vec<SpellingTable>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SpellingTable {
    /// Its name.
    id: String,
    /// The target that is sent: `${path}` is the path, `${encoded}` the path with its second byte percent-encoded.
    #[schemars(with = "String")]
    target: Spanned<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PublicTable {
    /// The route, as the inventory names it.
    path: String,
    /// The statuses that it answers without a credential.
    answers: Vec<u16>,
    /// Why anybody may have them.
    reason: String,
    /// On whose authority.
    source: String,
    /// The first release of which that holds.
    #[schemars(with = "Option<String>")]
    since: Option<Spanned<String>>,
    /// The first release of which it does not hold any more.
    #[schemars(with = "Option<String>")]
    until: Option<Spanned<String>>,
}

/// What is looked for and asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteRules {
    /// Where paths are looked for.
    pub inventory: InventoryRules,
    /// The profiles to launch.
    pub profiles: Vec<String>,
    /// HTTP methods.
    pub methods: Vec<String>,
    /// The statuses that tell a caller without the credential nothing.
    pub denied: Vec<u16>,
    /// Header lines of a wrong credential.
    pub wrong: Vec<String>,
    /// A path that no release serves.
    pub nothing: String,
    /// The ways to write a path; the first one is the path itself.
    pub spellings: Vec<Spelling>,
    /// What anybody may have.
    pub public: Vec<Public>,
}

/// A way to write a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spelling {
    /// Its name.
    pub id: String,
    /// What is sent, with placeholders.
    target: String,
}

/// What anybody may have of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Public {
    /// The route.
    pub path: String,
    /// The statuses that it answers without a credential.
    pub answers: Vec<u16>,
    /// Why anybody may have them.
    pub reason: String,
    /// On whose authority.
    pub source: String,
    range: VersionRange,
}

impl Spelling {
    /// A path as it is sent. The path itself holds no placeholders.
    ///
    /// # Errors
    /// A placeholder that stands for nothing, in words; [`RouteRules::load`] rules that out.
    pub fn of(&self, path: &str) -> Result<String, String> {
        let lookup = |name: &str| match name {
            "path" => Some(path.to_owned()),
            "encoded" => Some(encoded(path)),
            _ => None,
        };
        expand(&self.target, &lookup).map_err(|error| error.to_string())
    }
}

/// A path whose second byte is percent-encoded; servers take both for the same.
fn encoded(path: &str) -> String {
    let mut chars = path.chars();
    let slash = chars.next().map(String::from).unwrap_or_default();
    match chars.next() {
        Some(second) if second.is_ascii() => {
            format!("{slash}%{:02x}{}", u32::from(second), chars.as_str())
        }
        _ => path.to_owned(),
    }
}

impl RouteRules {
    /// Reads the file; a data root without it takes the binary's.
    ///
    /// # Errors
    /// It cannot be read, or is not valid.
    pub fn load(catalogue: &Catalogue) -> Result<Self, Problems> {
        let file = own_or_embedded(&catalogue.data, ROUTES)?;
        let raw: RoutesFile = parse_toml(&file)?;
        let mut problems = Problems::default();
        schema_version(&file, &raw.schema, &mut problems);
        for profile in &raw.ask.profiles {
            if !catalogue.profiles.contains_key(profile.get_ref()) {
                let message = format!("there is no profile `{}`", profile.get_ref());
                let problem = Problem::at(&file, profile.span(), message, "this profile");
                problems.0.push(problem);
            }
        }
        let mut spellings = Vec::new();
        for table in raw.ask.spelling {
            let span = table.target.span();
            let spelling = Spelling {
                id: table.id,
                target: table.target.into_inner(),
            };
            match spelling.of("/path") {
                Ok(_) => spellings.push(spelling),
                Err(why) => problems
                    .0
                    .push(Problem::at(&file, span, why, "this target")),
            }
        }
        let mut public = Vec::new();
        for table in raw.public {
            let (since, until) = (table.since.as_ref(), table.until.as_ref());
            let range = parse_range(&file, since, until, &mut problems);
            public.push(Public {
                path: table.path,
                answers: table.answers,
                reason: table.reason,
                source: table.source,
                range,
            });
        }
        let profiles = raw.ask.profiles.into_iter().map(Spanned::into_inner);
        problems.into_result(Self {
            inventory: raw.inventory,
            profiles: profiles.collect(),
            methods: raw.ask.methods,
            denied: raw.ask.denied,
            wrong: raw.ask.wrong,
            nothing: raw.ask.nothing,
            spellings,
            public,
        })
    }

    /// What anybody may have of a release.
    pub fn public_on(&self, release: &Version) -> Vec<Public> {
        let known = self.public.iter();
        let known = known.filter(|public| public.range.contains(release));
        known.cloned().collect()
    }

    /// The profiles to launch, as far as a release knows them.
    pub fn profiles_on<'a>(
        &'a self,
        catalogue: &'a Catalogue,
        release: &'a Version,
    ) -> impl Iterator<Item = &'a Profile> {
        let profiles = self.profiles.iter();
        let profiles = profiles.filter_map(move |id| catalogue.profiles.get(id));
        profiles.filter(move |profile| profile.launch_for(release).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;
    use rstest::rstest;

    #[rstest]
    #[case("${path}/", "/v1/models/")]
    #[case("/${path}", "//v1/models")]
    #[case("${path|upper};x", "/V1/MODELS;x")]
    #[case("${encoded}", "/%761/models")]
    fn a_spelling_is_made_of_the_path(#[case] target: &str, #[case] sent: &str) {
        let spelling = Spelling {
            id: String::new(),
            target: target.to_owned(),
        };
        assert_eq!(spelling.of("/v1/models").unwrap(), sent);
    }

    #[test]
    fn the_file_of_the_binary_is_valid_and_each_entry_has_a_reason() {
        let rules = RouteRules::load(&Catalogue::load(&Data::Embedded).unwrap()).unwrap();
        assert_eq!(rules.spellings[0].of("/x").unwrap(), "/x");
        assert!(!rules.public.is_empty());
        for public in &rules.public {
            assert!(public.reason.len() > 10 && public.source.len() > 5);
        }
    }
}
