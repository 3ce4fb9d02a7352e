//! Everything that the data folders say, read at once.

use std::sync::Arc;

use indexmap::IndexMap;
use sha2::{Digest, Sha256};

use super::definitions::{self, Axes};
use super::figures::{Measured, figures};
use super::known_issue::{self, KnownIssue};
use super::model::Scenario;
use super::outcomes::{self, Outcomes};
use super::profile::{Base, Profile, Profiles};
use super::proxy::{self, Proxies, Proxy};
use super::relation::{self, Relation};
use super::sender::{self, SENDER_AXIS, Sender, Senders};
use super::survivors::{self, KnownMutant, Survivor};
use super::timings::{self, Timings};
use super::{Problem, Problems, SourceFile};
use super::{needs, parse, resolve};
use crate::data::{CASES, Data, EXPLORE, FIGURES, ROUTES, TIMINGS};
use crate::release::{Need, Version};
use base::parallel;

/// The validated contents of `scenarios/` and `fixtures/`.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// Where it was read from.
    pub data: Data,
    /// The scenarios, by file name.
    pub scenarios: Vec<Arc<Scenario>>,
    /// The outcomes.
    pub outcomes: Outcomes,
    /// The launch profiles by id.
    pub profiles: IndexMap<String, Profile>,
    /// The clients that can send in clawgauge's place, by id.
    pub senders: IndexMap<String, Arc<Sender>>,
    /// The proxies by id.
    pub proxies: IndexMap<String, Proxy>,
    /// The known issues, by file name.
    pub known_issues: Vec<Arc<KnownIssue>>,
    /// What must hold between two cells.
    pub relations: Vec<Relation>,
    /// Seeded faults that no scenario shows.
    pub survivors: Vec<Survivor>,
    /// Mutants of releases that survive, and were read.
    pub known_mutants: Vec<KnownMutant>,
    /// What some releases need that they do not bring along.
    pub needs: Vec<Need>,
    /// What launches and requests are known to take; nothing is judged by it.
    pub timings: Timings,
    /// What has been measured of releases; nothing is judged by it.
    pub figures: Vec<Measured>,
    /// What every launch has in common.
    pub base: Base,
    /// SHA-256 over all files that were read, in hex: what a run was judged by.
    pub table_hash: String,
    /// Where the files lie in somebody's repository, as [`Data::in_repository`] says.
    pub in_repository: Option<String>,
}

/// Relations between cells; optional.
const RELATIONS: &str = "scenarios/relations.toml";
/// Seeded faults that no scenario shows; optional.
const SURVIVORS: &str = "scenarios/survivors.toml";
/// Files beside the scenarios that are none.
const NOT_SCENARIOS: [&str; 6] = [
    "scenarios/outcomes.toml",
    RELATIONS,
    SURVIVORS,
    CASES,
    EXPLORE,
    ROUTES,
];
/// What no data root can do without.
const REQUIRED: [&str; 3] = [
    "fixtures/profiles/base.toml",
    "fixtures/releases.toml",
    "scenarios/outcomes.toml",
];

/// Whether a file of the data root is there, whatever is in it.
pub(crate) fn is_there(data: &Data, name: &str) -> bool {
    let missing = |error: &std::io::Error| error.kind() == std::io::ErrorKind::NotFound;
    !data.read(name).as_ref().is_err_and(missing)
}

/// A file of the data root, or the binary's where the root has none.
pub(super) fn own_or_embedded(data: &Data, name: &str) -> Result<SourceFile, Problem> {
    match is_there(data, name) {
        true => SourceFile::read(data, name),
        false => SourceFile::read(&Data::Embedded, name),
    }
}

impl Catalogue {
    /// What has been measured of a release.
    pub fn measured(&self, release: &Version) -> Option<&Measured> {
        let release = release.to_string();
        self.figures.iter().find(|known| known.version == release)
    }

    /// The answers of an outcome that known issues accept besides those in the snapshots.
    pub fn known_answers<'a>(&'a self, outcome: &str) -> impl Iterator<Item = &'a str> {
        let answers = self.known_issues.iter().flat_map(|issue| &issue.answers);
        let mine = answers.filter(move |(of, _)| of == outcome);
        mine.map(|(_, text)| text.as_str())
    }

    /// Reads and validates all files of a data root. Nothing is launched and nothing is written.
    ///
    /// # Errors
    /// All problems that were found, each with its place.
    pub fn load(data: &Data) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let mut hash = Sha256::new();
        let mut read = |relative: &str| -> Result<SourceFile, Problem> {
            let file = SourceFile::read(data, relative)?;
            for part in [file.name.as_bytes(), file.text.as_bytes()] {
                hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
                hash.update(part);
            }
            Ok(file)
        };

        let missing = REQUIRED.iter().filter(|name| !is_there(data, name));
        let missing: Vec<&str> = missing.copied().collect();
        if !missing.is_empty() {
            let what = format!("missing: {}", missing.join(", "));
            return Err(Problem::nowhere(what)
                .help("--root names the folder that holds scenarios/ and fixtures/; without it clawgauge takes what its binary carries")
                .into());
        }
        let base_file = read("fixtures/profiles/base.toml")?;
        let base: Base = parse::parse_toml(&base_file)?;
        parse::schema_version(&base_file, &base.schema, &mut problems);
        parse::check_variables(&base_file, base.env.keys(), &mut problems);

        let needs = needs::needs(&read("fixtures/releases.toml")?).unwrap_or_else(|found| {
            problems.0.extend(found.0);
            Vec::new()
        });
        let (survivors, known_mutants) = match is_there(data, SURVIVORS) {
            false => Default::default(),
            true => survivors::survivors(&read(SURVIVORS)?).unwrap_or_else(|found| {
                problems.0.extend(found.0);
                Default::default()
            }),
        };
        // Nothing is judged by it, so it is not part of the hash, and data without it take the binary's.
        let known = own_or_embedded(data, TIMINGS)?;
        let timings = timings::timings(&known).unwrap_or_else(|found| {
            problems.0.extend(found.0);
            Timings::default()
        });
        let figures = figures(&own_or_embedded(data, FIGURES)?).unwrap_or_else(|found| {
            problems.0.extend(found.0);
            Vec::new()
        });
        let mut profiles = Profiles::new();
        let names = toml_files(data, "fixtures/profiles")?.into_iter();
        let names = names.filter(|name| !name.ends_with("/base.toml"));
        let files = names
            .map(|name| read(&name))
            .collect::<Result<Vec<_>, _>>()?;
        for found in parallel::map(&files, |file| Profile::parse(file, &base, data)) {
            match found {
                Ok(found) => {
                    for profile in found {
                        if let Some(twin) = profiles.get(&profile.id) {
                            problems.0.push(Problem::nowhere(format!(
                                "profile `{}` is defined twice, at {} and {}",
                                profile.id, twin.origin, profile.origin
                            )));
                        }
                        profiles.insert(profile.id.clone(), profile);
                    }
                }
                Err(found) => problems.0.extend(found.0),
            }
        }

        let mut senders = Senders::new();
        for name in optional_toml_files(data, "fixtures/senders")? {
            let found = sender::sender(&read(&name)?, data);
            let Some(sender) = found.map_err(|found| problems.0.extend(found.0)).ok() else {
                continue;
            };
            if let Some(twin) = senders.get(&sender.id) {
                problems.0.push(Problem::nowhere(format!(
                    "sender `{}` is defined twice, at {} and {}",
                    sender.id, twin.origin, sender.origin
                )));
            }
            senders.insert(sender.id.clone(), Arc::new(sender));
        }

        let mut proxies = Proxies::new();
        for name in optional_toml_files(data, "fixtures/proxies")? {
            if let Err(found) = proxy::proxies(&read(&name)?, &base.secrets, &mut proxies) {
                problems.0.extend(found.0);
            }
        }

        let mut axes = Axes::new();
        axes.insert(SENDER_AXIS.to_owned(), definitions::sender_axis(&senders));
        axes.insert(
            super::model::PROFILE_AXIS.to_owned(),
            definitions::profile_axis(&profiles),
        );
        axes.insert(
            super::model::PROXY_AXIS.to_owned(),
            definitions::proxy_axis(&proxies),
        );
        for name in toml_files(data, "scenarios/axes")? {
            if let Err(found) = definitions::axis(&read(&name)?, data, &base.secrets, &mut axes) {
                problems.0.extend(found.0);
            }
        }
        let outcomes =
            outcomes::outcomes(&read("scenarios/outcomes.toml")?).unwrap_or_else(|found| {
                problems.0.extend(found.0);
                Outcomes::default()
            });
        // Names cannot be resolved against files that did not parse: say what is wrong with those first.
        let outcomes = Problems::into_result(problems, outcomes)?;
        let mut problems = Problems::default();

        let mut scenarios: Vec<Arc<Scenario>> = Vec::new();
        let names = toml_files(data, "scenarios")?.into_iter();
        let names = names.filter(|name| !NOT_SCENARIOS.contains(&name.as_str()));
        let files = names
            .map(|name| read(&name))
            .collect::<Result<Vec<_>, _>>()?;
        let resolve =
            |file: &SourceFile| resolve::scenario(file, data, &base.secrets, &axes, &outcomes);
        for (file, found) in files.iter().zip(parallel::map(&files, resolve)) {
            match found {
                Ok(scenario) => {
                    if let Some(twin) = scenarios.iter().find(|other| other.id == scenario.id) {
                        let span = file.find(&scenario.id, 0).unwrap_or(0..0);
                        problems.0.push(Problem::at(
                            file,
                            span,
                            format!("scenario `{}` is defined twice", scenario.id),
                            format!("also in {}", twin.file.name),
                        ));
                    }
                    problems
                        .0
                        .extend(source_without_network(file, &scenario, &profiles));
                    scenarios.push(Arc::new(scenario));
                }
                Err(found) => problems.0.extend(found.0),
            }
        }
        let mut relations = Vec::new();
        if is_there(data, RELATIONS) {
            let file = read(RELATIONS)?;
            // Without scenarios every name would be unknown.
            if problems.0.is_empty() {
                relations = relation::relations(&file, &scenarios).unwrap_or_else(|found| {
                    problems.0.extend(found.0);
                    Vec::new()
                });
            }
        }
        let mut known_issues: Vec<Arc<KnownIssue>> = Vec::new();
        let names = optional_toml_files(data, "scenarios/known-issues")?.into_iter();
        let files = names
            .map(|name| read(&name))
            .collect::<Result<Vec<_>, _>>()?;
        // Without scenarios every name would be unknown.
        if problems.0.is_empty() {
            let read = |file: &SourceFile| known_issue::known_issue(file, &scenarios, &outcomes);
            for found in parallel::map(&files, read) {
                match found {
                    Ok(issue) => known_issues.push(Arc::new(issue)),
                    Err(found) => problems.0.extend(found.0),
                }
            }
        }
        for scenario in &scenarios {
            let values = scenario.axes.iter().flat_map(|axis| &axis.values);
            for body in values.filter_map(|value| value.body.as_ref()) {
                hash.update(body.as_bytes());
            }
            hash.update(scenario.request.body.as_bytes());
        }
        for sender in senders.values() {
            hash.update(sender.script.as_bytes());
        }
        if scenarios.is_empty() && problems.0.is_empty() {
            problems
                .0
                .push(Problem::nowhere("there is no scenario file in scenarios/"));
        }
        let table_hash = hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        problems.into_result(Self {
            data: data.clone(),
            scenarios,
            outcomes,
            profiles,
            senders,
            proxies,
            known_issues,
            relations,
            survivors,
            known_mutants,
            needs,
            timings,
            figures,
            base,
            table_hash,
            in_repository: data.in_repository(),
        })
    }

    /// Proves every decision table.
    ///
    /// # Errors
    /// All gaps, overlaps and dead rules.
    pub fn check_tables(&self) -> Result<(), Problems> {
        let of = |scenario: &Arc<Scenario>| {
            let mut problems = super::check_table(scenario).err().unwrap_or_default();
            let issues = known_issue::check_known_issues(&self.known_issues, scenario);
            problems.0.extend(issues.err().unwrap_or_default().0);
            problems.0
        };
        let problems = parallel::map(&self.scenarios, of).into_iter();
        Problems(problems.flatten().collect()).into_result(())
    }
}

/// As [`toml_files`], of a folder that need not be there.
fn optional_toml_files(data: &Data, folder: &str) -> Result<Vec<String>, Problem> {
    match data.files(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Ok(_) | Err(_) => toml_files(data, folder),
    }
}

/// The TOML files of a folder, sorted, relative to the root.
fn toml_files(data: &Data, folder: &str) -> Result<Vec<String>, Problem> {
    let names = data
        .files(folder)
        .map_err(|error| Problem::nowhere(format!("cannot read {folder}/: {error}")))?;
    let is_toml = |name: &String| name.ends_with(".toml");
    Ok(names.into_iter().filter(is_toml).collect())
}

/// A value that says where a request comes from means nothing where callers and gateway share the loopback.
fn source_without_network(
    file: &SourceFile,
    scenario: &Scenario,
    profiles: &Profiles,
) -> Option<Problem> {
    let mut values = scenario.axes.iter().flat_map(|axis| &axis.values);
    let value = values.find(|value| value.from.is_some())?;
    let has_own = |id: &str| profiles.get(id).is_some_and(|profile| profile.own_network);
    let mut profiles = scenario.axes[scenario.profile_axis()].values.iter();
    let sharing = profiles.find(|profile| !has_own(&profile.id))?;
    let message = format!(
        "`{}` says where a request comes from, and profile `{}` has no network of its own",
        value.id, sharing.id
    );
    let span = file.find(&sharing.id, 0).unwrap_or(0..0);
    Some(Problem::at(
        file,
        span,
        message,
        "needs `own-network = true`",
    ))
}
