//! Scenario files made of launches and requests: what is explored is asked, judged and reported as any other scenario is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use contract::cell_id::CellId;
use contract::data::Data;
use contract::region::{Combination, minimize_conditions};
use contract::scenario::model::{Kind, PROFILE_AXIS, Start};
use contract::scenario::{Ask, Catalogue, ExploreRules, Launch, Problem, Problems, Profile, merge};
use indexmap::IndexMap;
use record::events::CellResult;
use serde_json::{Map, Value};

use super::requests::singles;
use super::texts::{
    ExcludeText, LaunchText, NotApplicableText, ProfileText, ProfilesText, RuleText, ScenarioText,
    UsedAxes, text,
};
use super::{Combo, Tried};

/// The scenario that asks whether launches start.
pub const STARTS: &str = "explore-start";
/// Why launches with options have no positive control.
const NO_CONTROL: &str = "its options may keep every caller out";

/// What is asked: launches, and of each combinations by ask.
pub type Questions<'a> = Vec<(Tried, Vec<(&'a Ask, Vec<Combo>)>)>;

/// The outcome that an oracle gave, by id of the cell.
pub type Expected = BTreeMap<String, String>;

/// Scenario files, ready to be asked.
#[derive(Debug)]
pub struct ExploredProject {
    /// What they say.
    pub catalogue: Catalogue,
    /// Their texts by name, as they lie in a folder.
    pub files: BTreeMap<String, String>,
    /// Ids of the cells that are asked.
    pub cells: BTreeSet<String>,
}

/// Makes scenario files of what is asked.
#[derive(Debug)]
pub struct Maker<'a> {
    catalogue: &'a Catalogue,
    rules: &'a ExploreRules,
    /// The files that all scenarios share: axes, outcomes, bodies, and what every launch has.
    shared: BTreeMap<String, String>,
    /// Who says what is expected, in words.
    authority: &'a str,
}

impl<'a> Maker<'a> {
    /// Of a contract; `authority` says what is expected, in words.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn new(
        catalogue: &'a Catalogue,
        rules: &'a ExploreRules,
        authority: &'a str,
    ) -> Result<Self, Problems> {
        let folders = ["scenarios/axes/", "fixtures/requests/", "fixtures/proxies/"];
        let single = [
            "scenarios/outcomes.toml",
            "fixtures/profiles/base.toml",
            "fixtures/releases.toml",
        ];
        let shared = catalogue.data.judged_by();
        let mut shared = shared.map_err(|error| Problem::nowhere(error.to_string()))?;
        shared.retain(|name, _| {
            folders.iter().any(|folder| name.starts_with(folder)) || single.contains(&name.as_str())
        });
        Ok(Self {
            catalogue,
            rules,
            shared,
            authority,
        })
    }

    /// The scenarios that ask this, before anybody has said what is expected.
    ///
    /// # Errors
    /// What is wrong with `scenarios/explore.toml`, as it shows in the files that are made of it.
    pub fn open(&self, asked: &Questions<'_>) -> Result<ExploredProject, Problems> {
        self.make(asked, None, false)
    }

    /// The scenarios that ask what an oracle has answered: that is what is expected.
    ///
    /// # Errors
    /// As [`Maker::open`]; also that nothing was answered.
    pub fn judged(
        &self,
        asked: &Questions<'_>,
        expected: &Expected,
    ) -> Result<ExploredProject, Problems> {
        self.make(asked, Some(expected), false)
    }

    /// As [`Maker::judged`]: scenarios for a folder, which say of each of their cells that it is asked, or that it is not. The others hold
    /// many that nobody asks.
    ///
    /// # Errors
    /// As [`Maker::judged`].
    pub fn kept(
        &self,
        asked: &Questions<'_>,
        expected: &Expected,
    ) -> Result<ExploredProject, Problems> {
        self.make(asked, Some(expected), true)
    }

    fn make(
        &self,
        asked: &Questions<'_>,
        expected: Option<&Expected>,
        kept: bool,
    ) -> Result<ExploredProject, Problems> {
        let mut files = self.shared.clone();
        let unknown = refused(self.catalogue)?;
        let mut cells: BTreeSet<String> = BTreeSet::new();
        let profiles = asked.iter().filter_map(|(tried, _)| {
            let profile = self.catalogue.profiles.get(&tried.profile)?;
            Some(self.profile(tried, profile))
        });
        let profiles = ProfilesText {
            schema: 1,
            profile: profiles.collect(),
        };
        files.insert(
            "fixtures/profiles/explore.toml".to_owned(),
            text(&profiles)?,
        );

        let starts = Ask {
            id: STARTS.to_owned(),
            title: "Whether a gateway starts with a configuration".to_owned(),
            kind: Kind::Start,
            request: Map::new(),
            axes: IndexMap::new(),
            most: 1,
            with: Vec::new(),
            without: Vec::new(),
            modes: Vec::new(),
            has_oracle: true,
        };
        let asks = [&starts].into_iter().chain(&self.rules.asks);
        for ask in asks {
            let of_launch = |(tried, asked): &(Tried, Vec<(&Ask, Vec<Combo>)>)| match ask.kind {
                Kind::Start => Some((tried.id(), vec![Combo::new()])),
                Kind::Requests | Kind::Sequence => {
                    let (_, combos) = asked.iter().find(|(one, _)| one.id == ask.id)?;
                    Some((tried.id(), combos.clone()))
                }
            };
            let launches: Vec<(String, Vec<Combo>)> = asked.iter().filter_map(of_launch).collect();
            let before = cells.len();
            let rule = self.rules(ask, &launches, expected, unknown, &mut cells);
            if cells.len() == before {
                continue;
            }
            let axes = used_axes(ask, &launches);
            let exclude = match kept {
                true => excludes(ask, &axes, &cells),
                false => Vec::new(),
            };
            let scenario = ScenarioText {
                schema: 1,
                id: &ask.id,
                title: &ask.title,
                kind: match ask.kind {
                    Kind::Requests => "requests",
                    Kind::Sequence => "sequence",
                    Kind::Start => "start",
                },
                request: &ask.request,
                axes,
                exclude,
                rule,
            };
            files.insert(format!("scenarios/{}.toml", ask.id), text(&scenario)?);
        }
        let catalogue = Catalogue::load(&Data::Memory(Arc::new(files.clone())))?;
        Ok(ExploredProject {
            catalogue,
            files,
            cells,
        })
    }

    /// The rules by which an ask's cells are judged: one for each launch and outcome.
    fn rules(
        &self,
        ask: &Ask,
        launches: &[(String, Vec<Combo>)],
        expected: Option<&Expected>,
        unknown: &str,
        cells: &mut BTreeSet<String>,
    ) -> Vec<RuleText> {
        // Cells that differ on the last axis only share a condition.
        let mut by_outcome: BTreeMap<(&str, &str), Grouped<'_>> = BTreeMap::new();
        let names: Vec<&str> = [PROFILE_AXIS]
            .into_iter()
            .chain(ask.axes.keys().map(String::as_str))
            .collect();
        for (profile, combos) in launches {
            for combo in combos {
                let values = ask
                    .axes
                    .values()
                    .zip(combo)
                    .map(|(ids, place)| ids[*place].as_str());
                let mut values: Vec<&str> = [profile.as_str()].into_iter().chain(values).collect();
                let id = CellId::text(&ask.id, names.iter().copied().zip(values.iter().copied()));
                let outcome = match expected {
                    None => unknown,
                    Some(_) if !ask.has_oracle => unknown,
                    // What the oracle gave no answer to that has a name, nobody is held against.
                    Some(expected) => match expected.get(&id) {
                        None => continue,
                        Some(outcome) => outcome,
                    },
                };
                cells.insert(id);
                let last = values.pop().unwrap_or_default();
                let conditions = by_outcome.entry((profile, outcome)).or_default();
                conditions.entry(values).or_default().push(last);
            }
        }
        let rules = by_outcome
            .into_iter()
            .map(|((profile, outcome), conditions)| {
                let when = conditions.into_iter().map(|(values, last)| {
                    let values = values.into_iter().map(|value| vec![value.to_owned()]);
                    let last = last.into_iter().map(str::to_owned).collect();
                    let names = names.iter().map(|name| (*name).to_owned());
                    names.zip(values.chain([last])).collect()
                });
                RuleText {
                    id: format!("{profile}.{outcome}"),
                    title: format!("as {} answers", self.authority),
                    when: when.collect(),
                    expect: outcome.to_owned(),
                    source: self.authority.to_owned(),
                }
            });
        rules.collect()
    }

    fn profile(&self, tried: &Tried, profile: &Profile) -> ProfileText {
        let values: Vec<_> = tried
            .values
            .iter()
            .filter_map(|id| self.rules.value(id))
            .collect();
        let words: Vec<String> = values.iter().flat_map(|(_, value)| value.words()).collect();
        let caller = values.iter().find_map(|(_, value)| value.caller.clone());
        let launch = profile.launches.iter().map(|launch: &Launch| {
            let mut config = launch.config.clone();
            merge(&mut config, Value::Object(self.rules.config.clone()));
            let mut args = launch
                .args
                .split_at(self.catalogue.base.args.len().min(launch.args.len()))
                .1
                .to_vec();
            let mut env = launch.env.clone();
            let mut unset = Vec::new();
            for (_, value) in &values {
                merge(&mut config, Value::Object(value.config.clone()));
                args.extend(value.args.iter().cloned());
                env.extend(value.env.clone());
                unset.extend(value.unset.iter().cloned());
            }
            LaunchText {
                since: launch.range.since.as_ref().map(ToString::to_string),
                until: launch.range.until.as_ref().map(ToString::to_string),
                args,
                env,
                files: launch.files.clone(),
                config,
                unset,
            }
        });
        let not_applicable = profile
            .not_applicable
            .iter()
            .map(|entry| NotApplicableText {
                since: entry.range.since.as_ref().map(ToString::to_string),
                until: entry.range.until.as_ref().map(ToString::to_string),
                reason: entry.reason.clone(),
            });
        let own_calls = values.iter().flat_map(|(_, value)| &value.own_calls);
        let own_calls = profile.own_calls.iter().chain(own_calls);
        ProfileText {
            id: tried.id(),
            title: match words.is_empty() {
                true => profile.title.clone(),
                false => format!("{}, with {}", profile.title, words.join(", ")),
            },
            mode: profile.mode.clone(),
            caller: caller.unwrap_or_else(|| profile.caller.clone()),
            no_control: match tried.values.is_empty() {
                true => profile.no_control.clone(),
                false => Some(NO_CONTROL.to_owned()),
            },
            own_network: profile.own_network,
            own_calls: own_calls.cloned().collect(),
            launch: launch.collect(),
            not_applicable: not_applicable.collect(),
        }
    }
}

/// The axes of an ask with those values that any launch is asked.
fn used_axes<'a>(ask: &'a Ask, launches: &[(String, Vec<Combo>)]) -> UsedAxes<'a> {
    let profiles = launches.iter().map(|(profile, _)| profile.clone());
    let mut used = UsedAxes::from([(PROFILE_AXIS, profiles.collect())]);
    for (axis, (name, values)) in ask.axes.iter().enumerate() {
        let combos = launches.iter().flat_map(|(_, combos)| combos);
        let places: BTreeSet<usize> = combos.map(|combo| combo[axis]).collect();
        let values = places.into_iter().map(|place| values[place].clone());
        used.insert(name, values.collect());
    }
    used
}

/// Conditions on all cells of these axes that are not asked.
fn excludes(ask: &Ask, axes: &UsedAxes<'_>, asked: &BTreeSet<String>) -> Vec<ExcludeText> {
    let all = axes.values().fold(vec![Vec::new()], |all, values| {
        let count = u16::try_from(values.len()).unwrap_or(u16::MAX);
        let longer = all.into_iter().flat_map(|combination: Combination| {
            (0..count).map(move |value| [combination.as_slice(), &[value]].concat())
        });
        longer.collect()
    });
    let is_asked = |combination: &Combination| {
        let values = axes.iter().zip(combination);
        let values = values.map(|((axis, ids), value)| (*axis, ids[usize::from(*value)].as_str()));
        asked.contains(&CellId::text(&ask.id, values))
    };
    let left: Vec<Combination> = all.iter().filter(|one| !is_asked(one)).cloned().collect();
    let regions = minimize_conditions(&left, &all);
    let named = regions.into_iter().map(|region| {
        let named = region.conditions.into_iter().filter_map(|(axis, values)| {
            let (name, ids) = axes.get_index(axis)?;
            let ids = values.iter().map(|value| ids[usize::from(*value)].clone());
            Some(((*name).to_owned(), ids.collect()))
        });
        ExcludeText {
            when: vec![named.collect()],
            reason: "nobody has asked it".to_owned(),
        }
    });
    named.collect()
}

/// An outcome of a start that is refused: it stands for all of them, and for what nobody knows yet.
fn refused(catalogue: &Catalogue) -> Result<&str, Problem> {
    let mut outcomes = catalogue.outcomes.values();
    let refused = outcomes.find(|outcome| outcome.start == Some(Start::Refused));
    let none =
        || Problem::nowhere("scenarios/outcomes.toml has no outcome of a start that is refused");
    Ok(&refused.ok_or_else(none)?.id)
}

/// What an oracle has answered, by cell, and the cells with answers that have no name.
///
/// # Errors
/// There is no outcome for a gateway that does not start.
pub fn expected(
    catalogue: &Catalogue,
    rules: &ExploreRules,
    answers: &[CellResult],
) -> Result<(Expected, Vec<String>), Problem> {
    let (mut expected, mut nameless) = (Expected::new(), Vec::new());
    for result in answers {
        let Some(observed) = &result.facts.observed else {
            continue;
        };
        let outcome = match (&observed.outcome, observed.start) {
            (Some(outcome), _) => outcome.clone(),
            // Why a gateway does not start, each says in its own words.
            (None, Some(_)) => refused(catalogue)?.to_owned(),
            (None, None) => {
                let mut asks = rules.asks.iter();
                if asks.any(|ask| !ask.has_oracle && ask.id == result.cell.scenario.id) {
                    continue;
                }
                let status = observed.status.unwrap_or_default();
                nameless.push(format!(
                    "{}: {status} {}",
                    result.cell.id(),
                    observed.message.as_deref().unwrap_or_default()
                ));
                continue;
            }
        };
        expected.insert(result.cell.id(), outcome);
    }
    Ok((expected, nameless))
}

/// Values on the last axis, by those on all axes before it.
type Grouped<'a> = BTreeMap<Vec<&'a str>, Vec<&'a str>>;

/// Checks that scenario files can be made of every option and every ask; says how many values of options there are, where the data
/// root has a file that says so.
///
/// # Errors
/// What is wrong with `scenarios/explore.toml`, as it shows in the files that are made of it.
pub fn check(catalogue: &Catalogue) -> Result<Option<usize>, Problems> {
    if !ExploreRules::are_own(catalogue) {
        return Ok(None);
    }
    let rules = ExploreRules::load(catalogue)?;
    let plain = |profile: &String| {
        let asks = rules.asks.iter();
        let asks = asks.map(|ask| (ask, singles(ask).into_iter().collect()));
        (Tried::plain(profile), asks.collect())
    };
    let mut asked: Questions<'_> = rules.profiles.first().map(plain).into_iter().collect();
    let mut values = 0;
    for option in &rules.options {
        let Some(profile) = option.profiles.first().or(rules.profiles.first()) else {
            continue;
        };
        for value in &option.values {
            values += 1;
            let tried = Tried::plain(profile).with_only(Some(&value.id));
            asked.push((tried, Vec::new()));
        }
    }
    Maker::new(catalogue, &rules, "nobody")?.open(&asked)?;
    Ok(Some(values))
}
