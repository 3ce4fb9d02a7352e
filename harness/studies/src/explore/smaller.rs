//! From a finding to the smallest launch and request that still show it.

use std::collections::{BTreeMap, BTreeSet};

use contract::cell_id::CellId;
use contract::scenario::model::{Kind, PROFILE_AXIS};
use contract::scenario::{Ask, Catalogue, ExploreRules};
use record::events::CellResult;
use record::judge::Severity;

use super::explain::Settings;
use super::findings::{ASK, World, plain};
use super::requests::product;
use super::{Combo, Finding, Questions, STARTS, Tried};

/// A cell: its launch, and its request where the start is not the answer.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// The launch.
    pub tried: Tried,
    /// The request.
    pub request: Option<(&'a Ask, Combo)>,
}

impl<'a> Candidate<'a> {
    /// The cell with this id, if it is one that exploring asks.
    pub fn of(id: &str, rules: &'a ExploreRules) -> Option<Self> {
        let id = CellId::of(id);
        let tried = Tried::of(id.profile(), rules)?;
        let values: BTreeMap<&str, &str> = id.values().collect();
        let ask = rules.asks.iter().find(|ask| ask.id == id.scenario());
        let request = ask.map(|ask| {
            let places = ask.axes.iter().map(|(axis, ids)| {
                let value = values.get(axis.as_str());
                let place = value.and_then(|value| ids.iter().position(|id| id == value));
                place.unwrap_or_default()
            });
            (ask, places.collect())
        });
        Some(Self { tried, request })
    }

    /// Its id.
    pub fn id(&self) -> String {
        let profile = self.tried.id();
        let values = self.request.iter().flat_map(|(ask, combo)| {
            let values = ask.axes.iter().zip(combo);
            values
                .filter_map(|((axis, ids), place)| Some((axis.as_str(), ids.get(*place)?.as_str())))
        });
        let values = [(PROFILE_AXIS, profile.as_str())].into_iter().chain(values);
        let scenario = self.request.as_ref().map_or(STARTS, |(ask, _)| &ask.id);
        CellId::text(scenario, values)
    }

    /// The options of its launch, each `name=value`.
    fn options(&self, rules: &ExploreRules) -> impl Iterator<Item = String> {
        self.tried.values.iter().filter_map(|value| {
            let (option, _) = rules.value(value)?;
            Some(format!("{}={value}", option.id))
        })
    }

    /// What it is made of, each `name=value`.
    pub fn settings(&self, rules: &ExploreRules) -> Settings {
        let profile = format!("{PROFILE_AXIS}={}", self.tried.profile);
        let options = self.options(rules);
        let request = self.request.iter().flat_map(|(ask, combo)| {
            let values = ask.axes.iter().zip(combo);
            let values = values
                .filter_map(|((axis, ids), place)| Some(format!("{axis}={}", ids.get(*place)?)));
            values.chain([format!("{ASK}={}", ask.id)])
        });
        [profile]
            .into_iter()
            .chain(options)
            .chain(request)
            .collect()
    }

    /// What is asked so that all of these cells are: of a sequence all steps.
    pub fn together(cells: impl IntoIterator<Item = Self>) -> Questions<'a> {
        let mut launches: BTreeMap<Tried, BTreeMap<&str, (&Ask, BTreeSet<Combo>)>> =
            BTreeMap::new();
        for cell in cells {
            let asks = launches.entry(cell.tried).or_default();
            let Some((ask, combo)) = cell.request else {
                continue;
            };
            let (_, combos) = asks.entry(&ask.id).or_insert((ask, BTreeSet::new()));
            match ask.kind {
                Kind::Sequence => combos.extend(product(ask)),
                Kind::Requests | Kind::Start => {
                    combos.insert(combo);
                }
            }
        }
        let launches = launches.into_iter().map(|(tried, asks)| {
            let asks = asks.into_values();
            let asks = asks.map(|(ask, combos)| (ask, combos.into_iter().collect()));
            (tried, asks.collect())
        });
        launches.collect()
    }
}

impl<'a> World<'a> {
    /// What may show a finding, the smallest first, in three steps: what its cells have in common and nothing else; of the
    /// example's launch one option at a time; the example as it is.
    pub fn candidates(&self, finding: &Finding) -> [Vec<Candidate<'a>>; 3] {
        let Some(whole) = Candidate::of(&finding.example, self.rules) else {
            return [Vec::new(), Vec::new(), Vec::new()];
        };
        let settings = finding.by.iter().filter_map(|one| one.split_once('='));
        let by: BTreeMap<&str, &str> = settings.collect();
        let is_common = |value: &&String| by.values().any(|common| common == value);
        let values = whole.tried.values.iter().filter(is_common).cloned();
        let launch = Candidate {
            tried: Tried {
                values: values.collect(),
                ..whole.tried.clone()
            },
            ..whole.clone()
        };
        let mut request = launch.clone();
        if let Some((ask, combo)) = &mut request.request {
            for (place, axis) in combo.iter_mut().zip(ask.axes.keys()) {
                if !by.contains_key(axis.as_str()) {
                    *place = 0;
                }
            }
        }
        let singles = whole.tried.values.iter().map(|value| Candidate {
            tried: whole.tried.with_only(Some(value)),
            ..whole.clone()
        });
        let singles = singles.filter(|single| single.tried != launch.tried);
        let singles: Vec<Candidate<'a>> = singles.collect();
        [vec![request, launch], singles, vec![whole]]
    }

    /// Replaces a finding's example by the first of its candidates that shows the same. Of a finding whose example itself was among them
    /// and has another answer now, it says so; what got no answer says nothing.
    pub fn take_smallest(
        &self,
        finding: &mut Finding,
        candidates: &[Candidate<'_>],
        (catalogue, results): (&Catalogue, &[CellResult]),
    ) {
        for candidate in candidates {
            let id = candidate.id();
            let mut answered = results.iter();
            let result = answered.find(|one| one.facts.observed.is_some() && one.cell.id() == id);
            let Some(result) = result else {
                continue;
            };
            let shown = self.example(catalogue, result);
            if shown.deviation.is_none() || shown.deviation != finding.deviation {
                if id == finding.example {
                    finding.again = Some(false);
                }
                continue;
            }
            // What the launch has is known now; what the request has, as it was.
            let options = candidate.options(self.rules);
            let others = finding.by.iter();
            let others = others.filter(|setting| !is_option(setting, self.rules));
            let by: BTreeSet<String> = others.cloned().chain(options).collect();
            *finding = Finding {
                by: by.into_iter().collect(),
                expected: shown.expected,
                observed: shown.observed,
                answer: shown.answer,
                example: shown.example,
                configuration: shown.configuration,
                request: shown.request,
                again: Some(true),
                ..finding.clone()
            };
            return;
        }
    }
}

/// Whether a setting, `name=value`, is one of an option.
fn is_option(setting: &str, rules: &ExploreRules) -> bool {
    let parts = setting.split_once('=');
    parts.is_some_and(|(name, value)| {
        rules
            .value(value)
            .is_some_and(|(option, _)| option.id == name)
    })
}

/// Makes one finding of several that show where one does: what else is wrong there is told in a line each.
///
/// A finding goes into one before it, if both need the same options of a launch; if its example has all that the other's cells
/// have in common and it has less than a third of them; or if its example has what is odd about the other's requests and the same
/// was expected or observed. A blocker of another kind stays by itself.
pub fn fold_into_larger(findings: Vec<Finding>, rules: &ExploreRules) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::new();
    let plain = plain(rules);
    let options = |finding: &Finding| -> Vec<String> {
        let of_option = finding
            .by
            .iter()
            .filter(|setting| is_option(setting, rules));
        of_option.cloned().collect()
    };
    for finding in findings {
        let settings = Candidate::of(&finding.example, rules).map(|cell| cell.settings(rules));
        let settings = settings.unwrap_or_default();
        let own = options(&finding);
        let larger = kept.iter_mut().find(|larger| {
            let same_launch = !own.is_empty() && own == options(larger);
            let has = |setting: &String| settings.contains(setting);
            let inside = !larger.by.is_empty()
                && larger.cells >= 3 * finding.cells
                && larger.by.iter().all(has);
            let odd: Vec<&String> = larger
                .by
                .iter()
                .filter(|one| !plain.contains(*one) && !is_option(one, rules))
                .collect();
            let same_words =
                finding.expected == larger.expected || finding.observed == larger.observed;
            let same_request = !odd.is_empty() && same_words && odd.into_iter().all(has);
            let other_blocker = finding.severity == Severity::Blocker
                && finding.deviation != larger.deviation
                && !inside;
            (same_launch || inside || same_request)
                && !other_blocker
                && larger.like.is_empty() == finding.like.is_empty()
        });
        match larger {
            Some(larger) => larger.also.push(finding.in_a_line()),
            None => kept.push(finding),
        }
    }
    for (number, finding) in kept.iter_mut().enumerate() {
        finding.id = number + 1;
    }
    kept
}
