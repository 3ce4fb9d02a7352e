//! Which launches are tried: profiles, alone and with a few options.
//!
//! First every profile as it is, then rows that cover each value of an option soon, and each pair of them: of many rows at random,
//! each with a value that no row had yet, the one with the most pairs that no row had.

use std::collections::BTreeSet;

use contract::release::Version;
use contract::scenario::{Catalogue, ExploreRules, Profile};
use serde::{Deserialize, Serialize};

/// Of so many rows at random the best is taken.
const CANDIDATES: usize = 60;
/// Of so many launches one has a value that the reference gateway refuses, until each such value was tried.
const REFUSED_EVERY: usize = 2;
/// And then one of so many, under the other profiles.
const REFUSED_AGAIN_EVERY: usize = 6;

/// A launch: a profile, and values of options on top of it.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Tried {
    /// The profile that it begins with.
    pub profile: String,
    /// Names of the values, in the order of the options.
    pub values: Vec<String>,
}

impl Tried {
    /// A profile as it is.
    pub fn plain(profile: &str) -> Self {
        Self {
            profile: profile.to_owned(),
            values: Vec::new(),
        }
    }

    /// The launch whose profile has this name.
    pub fn of(id: &str, rules: &ExploreRules) -> Option<Self> {
        rules.profiles.iter().find_map(|profile| {
            let values = id.strip_prefix(profile.as_str())?;
            let values = match values.strip_prefix('.') {
                Some(values) => values.split('.').map(str::to_owned).collect(),
                None if values.is_empty() => Vec::new(),
                None => return None,
            };
            Some(Self {
                profile: profile.clone(),
                values,
            })
        })
    }

    /// The auth mode of its profile.
    pub fn mode<'a>(&self, catalogue: &'a Catalogue) -> &'a str {
        let profile = catalogue.profiles.get(&self.profile);
        profile.map_or("", |profile| &profile.mode)
    }

    /// The name of the profile that is made of it.
    pub fn id(&self) -> String {
        let parts = [&self.profile].into_iter().chain(&self.values);
        let parts: Vec<&str> = parts.map(String::as_str).collect();
        parts.join(".")
    }

    /// The same profile with one of its values alone, or with none.
    #[must_use]
    pub fn with_only(&self, value: Option<&String>) -> Self {
        Self {
            profile: self.profile.clone(),
            values: value.into_iter().cloned().collect(),
        }
    }

    /// Whether it has a value of one of these options.
    pub fn has_option(&self, options: &[String], rules: &ExploreRules) -> bool {
        let mut known = self.values.iter().filter_map(|value| rules.value(value));
        known.any(|(option, _)| options.contains(&option.id))
    }
}

/// Two settings of one launch: values of options, or a profile and a value.
type Pair = (String, String);

/// The launches, one after the other; the same seed tries the same ones.
#[derive(Debug)]
pub struct Launches<'a> {
    rules: &'a ExploreRules,
    profiles: Vec<&'a Profile>,
    release: &'a Version,
    random: fastrand::Rng,
    covered: BTreeSet<Pair>,
    told: BTreeSet<Tried>,
    /// What the reference gateway does not start with, by itself.
    refused: BTreeSet<Tried>,
    waiting: Vec<Tried>,
    /// So many of those that wait have a value that was tried under another profile.
    again: usize,
    count: usize,
}

impl<'a> Launches<'a> {
    /// Launches of a release.
    pub fn new(
        catalogue: &'a Catalogue,
        rules: &'a ExploreRules,
        release: &'a Version,
        seed: u64,
    ) -> Self {
        Self {
            rules,
            profiles: rules.profiles_on(catalogue, release).collect(),
            release,
            random: fastrand::Rng::with_seed(seed),
            covered: BTreeSet::new(),
            told: BTreeSet::new(),
            refused: BTreeSet::new(),
            waiting: Vec::new(),
            again: 0,
            count: 0,
        }
    }

    /// Every profile with every value that it may have, one at a time.
    pub fn singles(&self) -> Vec<Tried> {
        let profiles = self.profiles.iter();
        let singles = profiles.flat_map(|profile| {
            let plain = Tried::plain(&profile.id);
            let values = self.values_of(&profile.id).into_iter().flatten();
            let singles: Vec<Tried> = values.map(|value| plain.with_only(Some(value))).collect();
            singles
        });
        singles.collect()
    }

    /// Notes which of the singles the reference gateway does not start with: such a value is tried by itself, since nothing could
    /// be asked of a launch that has it.
    #[must_use]
    pub fn refusing(mut self, refused: impl IntoIterator<Item = Tried>) -> Self {
        self.refused.extend(refused);
        // The last one is taken first: each value under one profile.
        let mut waiting: Vec<Tried> = self.refused.iter().cloned().collect();
        self.random.shuffle(&mut waiting);
        let mut values = BTreeSet::new();
        let (first, later): (Vec<Tried>, Vec<Tried>) =
            (waiting.into_iter()).partition(|tried| values.insert(tried.values.clone()));
        self.again = later.len();
        self.waiting = [later, first].concat();
        self
    }

    /// Skips the launches of an earlier exploration.
    pub fn leave_out(&mut self, earlier: impl IntoIterator<Item = Tried>) {
        for tried in earlier {
            self.cover(&tried);
            self.waiting.retain(|waiting| *waiting != tried);
            self.told.insert(tried);
            self.count += 1;
        }
    }

    /// The values of each option that a profile may have.
    fn values_of(&self, profile: &str) -> Vec<Vec<&'a String>> {
        let options = self.rules.options.iter().filter(|option| {
            option.profiles.is_empty() || option.profiles.iter().any(|id| id == profile)
        });
        let values = options.map(|option| {
            let values = option.values.iter();
            let known = values.filter(|value| value.range.contains(self.release));
            known.map(|value| &value.id).collect()
        });
        values.collect()
    }

    fn cover(&mut self, tried: &Tried) -> usize {
        let before = self.covered.len();
        self.covered.extend(pairs(tried));
        self.covered.len() - before
    }

    /// Profiles with a value each that they start with and that no launch has had yet.
    fn untried(&self) -> Vec<(&'a Profile, &'a String)> {
        let profiles = self.profiles.iter();
        let all = profiles.flat_map(|profile| {
            let values = self.values_of(&profile.id).into_iter().flatten();
            values.map(|value| (*profile, value)).collect::<Vec<_>>()
        });
        let untried = all.filter(|(profile, value)| {
            let pair = (profile.id.clone(), (*value).clone());
            !self.covered.contains(&pair) && self.starts_with(profile, value)
        });
        let untried: Vec<(&Profile, &String)> = untried.collect();
        // What no launch has had under any profile comes first.
        let is_new = |value: &String| !self.told.iter().any(|tried| tried.values.contains(value));
        let new = untried.iter().copied().filter(|(_, value)| is_new(value));
        let new: Vec<(&Profile, &String)> = new.collect();
        if new.is_empty() { untried } else { new }
    }

    fn starts_with(&self, profile: &Profile, value: &String) -> bool {
        let alone = Tried::plain(&profile.id).with_only(Some(value));
        !self.refused.contains(&alone)
    }

    /// A profile with a few values that it starts with, one of `untried` among them.
    fn at_random(&mut self, untried: &[(&'a Profile, &'a String)]) -> Option<Tried> {
        let first = self.random.choice(untried).copied();
        let profile = match first {
            Some((profile, _)) => profile,
            None => *self.random.choice(&self.profiles)?,
        };
        let options = self.values_of(&profile.id);
        let most = self.rules.options_at_most.max(1);
        let wanted = self.random.usize(1..=most);
        let mut places: Vec<usize> = (0..options.len()).collect();
        self.random.shuffle(&mut places);
        let mut chosen: Vec<(usize, &String)> = Vec::new();
        if let Some((_, value)) = first
            && let Some(place) = options.iter().position(|values| values.contains(&value))
        {
            places.retain(|other| *other != place);
            chosen.push((place, value));
        }
        for place in places {
            if chosen.len() >= wanted {
                break;
            }
            let starting = options[place].iter().copied();
            let starting: Vec<&String> = starting
                .filter(|value| self.starts_with(profile, value))
                .collect();
            let is_new = |value: &&&String| untried.iter().any(|(_, new)| new == *value);
            let new: Vec<&String> = starting.iter().filter(is_new).copied().collect();
            let from = if new.is_empty() { &starting } else { &new };
            chosen.extend(self.random.choice(from).map(|value| (place, *value)));
        }
        chosen.sort_unstable();
        let values = chosen.into_iter().map(|(_, value)| value.clone());
        Some(Tried {
            values: values.collect(),
            ..Tried::plain(&profile.id)
        })
    }
}

fn pairs(tried: &Tried) -> impl Iterator<Item = Pair> + '_ {
    let settings = || [&tried.profile].into_iter().chain(&tried.values);
    settings().enumerate().flat_map(move |(place, one)| {
        let later = settings().skip(place + 1);
        later.map(move |other| (one.clone(), other.clone()))
    })
}

impl Iterator for Launches<'_> {
    type Item = Tried;

    fn next(&mut self) -> Option<Tried> {
        let number = self.count;
        self.count += 1;
        let plain = self
            .profiles
            .get(number)
            .map(|profile| Tried::plain(&profile.id));
        let every = match self.waiting.len() > self.again {
            true => REFUSED_EVERY,
            false => REFUSED_AGAIN_EVERY,
        };
        let refused = || (number % every == every - 1).then_some(());
        let chosen = match plain {
            Some(plain) if !self.told.contains(&plain) => Some(plain),
            _ => refused().and_then(|()| self.waiting.pop()),
        };
        let chosen = chosen.or_else(|| {
            let untried = self.untried();
            let mut best: Option<((usize, usize), Tried)> = None;
            for _ in 0..CANDIDATES {
                let tried = self.at_random(&untried);
                let Some(tried) = tried.filter(|tried| !self.told.contains(tried)) else {
                    continue;
                };
                let new = |pair: &Pair| !self.covered.contains(pair);
                let more = tried
                    .values
                    .iter()
                    .filter(|value| untried.iter().any(|(_, new)| new == value));
                let new = (more.count(), pairs(&tried).filter(new).count());
                if best.as_ref().is_none_or(|(most, _)| new > *most) {
                    best = Some((new, tried));
                }
            }
            best.map(|(_, tried)| tried)
        })?;
        self.cover(&chosen);
        self.told.insert(chosen.clone());
        Some(chosen)
    }
}
