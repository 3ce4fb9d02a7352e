//! Which requests a launch is asked: combinations of the values of an ask's axes.
//!
//! First the plainest request, then each value by itself, then combinations that cover pairs of values which no launch had yet.

use std::collections::{BTreeMap, BTreeSet};

use contract::scenario::model::Kind;
use contract::scenario::{Ask, ExploreRules};

use super::Tried;
use super::laws::is_among;

/// Of so many combinations at random the best is taken.
const CANDIDATES: usize = 12;

/// The place of a value on each axis of an ask.
pub type Combo = Vec<usize>;

/// What launches are asked; the same seed asks the same.
#[derive(Debug)]
pub struct Requests<'a> {
    rules: &'a ExploreRules,
    random: fastrand::Rng,
    /// Pairs of values by ask: axis and value of either.
    covered: BTreeMap<&'a str, BTreeSet<[usize; 4]>>,
}

impl<'a> Requests<'a> {
    /// Of these rules.
    pub fn new(rules: &'a ExploreRules, seed: u64) -> Self {
        Self {
            rules,
            random: fastrand::Rng::with_seed(seed),
            covered: BTreeMap::new(),
        }
    }

    /// What a launch of an auth mode is asked: combinations by ask.
    pub fn asked_of(&mut self, tried: &Tried, mode: &str) -> Vec<(&'a Ask, Vec<Combo>)> {
        let rules = self.rules;
        let asks = rules.asks.iter().filter(|ask| {
            let of_mode = is_among(mode, &ask.modes);
            let with = ask.with.is_empty() || tried.has_option(&ask.with, rules);
            of_mode && with && !tried.has_option(&ask.without, rules)
        });
        asks.map(|ask| (ask, self.sample(ask, mode))).collect()
    }

    fn sample(&mut self, ask: &'a Ask, mode: &str) -> Vec<Combo> {
        if ask.kind == Kind::Sequence {
            return product(ask);
        }
        let sizes: Vec<usize> = ask.axes.values().map(Vec::len).collect();
        let mut chosen: BTreeSet<Combo> = singles(ask);
        let covered = self.covered.entry(&ask.id).or_default();
        for combo in &chosen {
            covered.extend(pairs(combo));
        }
        let all = sizes.iter().product::<usize>();
        // Whatever comes out of chance twice is no reason to go on for ever.
        for _ in 0..4 * ask.most {
            if chosen.len() >= ask.most.min(all) {
                break;
            }
            let random = &mut self.random;
            let candidates = (0..CANDIDATES).map(|_| {
                let combo: Combo = sizes.iter().map(|size| random.usize(0..*size)).collect();
                let new = pairs(&combo).filter(|pair| !covered.contains(pair)).count();
                (new, combo)
            });
            let Some((_, best)) = candidates.max_by_key(|(new, _)| *new) else {
                break;
            };
            covered.extend(pairs(&best));
            chosen.extend(partner(ask, &best, mode, self.rules));
            chosen.insert(best);
        }
        chosen.into_iter().collect()
    }
}

/// The plainest request, and each value of each axis by itself.
pub(super) fn singles(ask: &Ask) -> BTreeSet<Combo> {
    let plain: Combo = vec![0; ask.axes.len()];
    let axes = ask.axes.values().enumerate();
    let singles = axes.flat_map(|(axis, values)| {
        let plain = &plain;
        (0..values.len()).map(move |value| {
            let mut combo = plain.clone();
            combo[axis] = value;
            combo
        })
    });
    singles.collect()
}

/// Every combination of an ask, the last axis running fastest.
pub(super) fn product(ask: &Ask) -> Vec<Combo> {
    ask.axes.values().fold(vec![Vec::new()], |combos, values| {
        let longer = combos.into_iter().flat_map(|combo| {
            (0..values.len()).map(move |value| [combo.as_slice(), &[value]].concat())
        });
        longer.collect()
    })
}

fn pairs(combo: &[usize]) -> impl Iterator<Item = [usize; 4]> + '_ {
    combo.iter().enumerate().flat_map(move |(axis, value)| {
        let later = combo.iter().enumerate().skip(axis + 1);
        later.map(move |(other, its)| [axis, *value, other, *its])
    })
}

/// The request that a relation compares with this one, if one does.
fn partner(ask: &Ask, combo: &[usize], mode: &str, rules: &ExploreRules) -> Option<Combo> {
    let meant = rules.relations.iter();
    let mut meant = meant.filter(|relation| is_among(mode, &relation.modes));
    meant.find_map(|relation| {
        let (axis, _, values) = ask.axes.get_full(&relation.axis)?;
        let own = &values[combo[axis]];
        let other = relation.pairs.iter().find_map(|(one, two)| {
            let beside = [(one, two), (two, one)];
            let other = beside.into_iter().find(|(here, _)| *here == own);
            values
                .iter()
                .position(|value| Some(value) == other.map(|(_, there)| there))
        })?;
        let mut partner = combo.to_vec();
        partner[axis] = other;
        Some(partner)
    })
}
