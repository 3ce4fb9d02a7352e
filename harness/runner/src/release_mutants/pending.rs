//! A mutant that is not decided yet: what is still to be asked with it, and what became of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base::files::sha256;
use studies::mutation::{Chosen, Fate};

/// Who is told each fate once, by the position of the mutant.
pub(super) type Tell<'a> = &'a (dyn Fn(usize, &Fate) + Sync);

/// A mutant that is not decided yet.
#[derive(Debug)]
pub(super) struct Pending<'a> {
    pub(super) chosen: &'a Chosen,
    /// Its position among the chosen ones.
    pub(super) place: usize,
    /// Cells that are asked with it.
    asked: usize,
    state: Mutex<State>,
}

/// What is known of it so far.
#[derive(Debug)]
struct State {
    /// Whether it has been on without others.
    was_alone: bool,
    /// Its cells by launch; those that a launch has answered are gone.
    cells: BTreeMap<String, Vec<String>>,
    /// Launches that it has to be on from the start of, and was not yet.
    starts: BTreeSet<String>,
    fate: Option<Fate>,
}

impl<'a> Pending<'a> {
    /// A mutant by what it needs; `sequences` are the cells whose launch has to be their own, and `most` is how many cells are asked.
    pub(super) fn new(
        chosen: &'a Chosen,
        place: usize,
        most: usize,
        sequences: &HashMap<String, String>,
    ) -> Self {
        let asked = mixture(chosen.cells.iter().cloned(), &chosen.change.id, most);
        let mut cells: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut starts: BTreeSet<String> = chosen.starts.iter().cloned().collect();
        for cell in &asked {
            match sequences.get(cell) {
                Some(launch) => {
                    starts.insert(launch.clone());
                }
                None => {
                    let launch = contract::cell_id::CellId::of(cell).profile().to_owned();
                    cells.entry(launch).or_default().push(cell.clone());
                }
            }
        }
        let state = State {
            was_alone: false,
            cells,
            starts,
            fate: None,
        };
        Self {
            chosen,
            place,
            asked: asked.len(),
            state: Mutex::new(state),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether its fate is not known.
    pub(super) fn is_open(&self) -> bool {
        self.state().fate.is_none()
    }

    /// Whether it is on for the first time; it counts as having been on from now on.
    pub(super) fn begins(&self) -> bool {
        !std::mem::replace(&mut self.state().was_alone, true)
    }

    /// Whether cells of a launch are still to be asked.
    pub(super) fn has_cells(&self, launch: &str) -> bool {
        let state = self.state();
        state.fate.is_none() && state.cells.contains_key(launch)
    }

    /// The cells of a launch that are still to be asked.
    pub(super) fn cells(&self, launch: &str) -> Vec<String> {
        let state = self.state();
        state.cells.get(launch).cloned().unwrap_or_default()
    }

    /// All cells that are still to be asked.
    pub(super) fn all_cells(&self) -> Vec<String> {
        self.state().cells.values().flatten().cloned().collect()
    }

    /// Launches whose cells are still to be asked.
    pub(super) fn launches(&self) -> Vec<String> {
        self.state().cells.keys().cloned().collect()
    }

    /// Launches that it still has to be on from the start of; none once it is decided.
    pub(super) fn starts(&self) -> Vec<String> {
        let state = self.state();
        match state.fate {
            None => state.starts.iter().cloned().collect(),
            Some(_) => Vec::new(),
        }
    }

    /// All its cells of a launch have been asked, and none has noticed it.
    pub(super) fn is_asked(&self, launch: &str, tell: Tell<'_>) {
        self.state().cells.remove(launch);
        self.survives_if_done(tell);
    }

    /// It was on from the start of a launch, and nothing has noticed it.
    pub(super) fn is_started(&self, launch: &str, tell: Tell<'_>) {
        self.state().starts.remove(launch);
        self.survives_if_done(tell);
    }

    fn survives_if_done(&self, tell: Tell<'_>) {
        let state = self.state();
        let is_done = state.cells.is_empty() && state.starts.is_empty();
        drop(state);
        if is_done {
            self.decide(Fate::Survived { asked: self.asked }, tell);
        }
    }

    /// The first fate counts: another launch may bring one at the same time.
    pub(super) fn decide(&self, fate: Fate, tell: Tell<'_>) {
        let mut state = self.state();
        if state.fate.is_none() {
            tell(self.place, &fate);
            state.fate = Some(fate);
        }
    }

    /// What became of it, if that is known.
    pub(super) fn fate(&self) -> Option<Fate> {
        self.state().fate.clone()
    }
}

/// Mutants in groups of at most so many, with others in each launch: what one of them hides from a caller shows beside another.
pub(super) fn groups<'p, 'a>(
    mut mutants: Vec<&'p Pending<'a>>,
    launch: &str,
    most: usize,
) -> Vec<Vec<&'p Pending<'a>>> {
    mutants
        .sort_by_cached_key(|one| sha256(format!("{launch} {}", one.chosen.change.id).as_bytes()));
    mutants.chunks(most).map(<[_]>::to_vec).collect()
}

/// The numbers of mutants, as a copy knows them.
pub(super) fn numbers(group: &[&Pending<'_>]) -> Vec<u32> {
    group.iter().map(|one| one.chosen.number).collect()
}

/// A group that could not be asked.
pub(super) fn give_up(group: &[&Pending<'_>], why: &str, tell: Tell<'_>) {
    for one in group {
        let why = why.to_owned();
        one.decide(Fate::Undecided { why }, tell);
    }
}

/// The one of a group that a cell objects to: half of the group is tried, until one is left. It may be the wrong one, where two of them
/// have to be on.
///
/// # Errors
/// What trying a half says.
pub(super) async fn culprit<T>(
    mut group: Vec<T>,
    mut objects: impl AsyncFnMut(&[T]) -> Result<bool, String>,
) -> Result<Option<T>, String> {
    while group.len() > 1 {
        let rest = group.split_off(group.len().div_ceil(2));
        if !objects(&group).await? {
            group = rest;
        }
    }
    Ok(group.pop())
}

/// So many cells at most, in an order that depends on them and on `of` alone: the first are a mixture.
pub(super) fn mixture(cells: impl Iterator<Item = String>, of: &str, most: usize) -> Vec<String> {
    let mut cells: Vec<String> = cells.collect();
    cells.sort_by_cached_key(|cell| sha256(format!("{of} {cell}").as_bytes()));
    cells.truncate(most);
    cells
}

#[cfg(test)]
mod tests {
    use studies::mutation::Change;

    use super::*;

    fn chosen(id: &str, cells: &[&str], starts: &[&str]) -> Chosen {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Chosen {
            change: Change {
                id: id.to_owned(),
                region: String::new(),
                line: 1,
                function: None,
                operator: String::new(),
                was: String::new(),
                is: String::new(),
            },
            number: 1,
            cells: owned(cells),
            starts: owned(starts),
        }
    }

    /// The one that objects is found by halves, wherever it stands; where only two together object, one of them is named.
    #[tokio::test]
    async fn a_group_is_halved_until_one_is_left() {
        for guilty in 0..11 {
            let mut tries = 0;
            let objects = async |some: &[usize]| {
                tries += 1;
                Ok(some.contains(&guilty))
            };
            let found = culprit((0..11).collect(), objects).await;
            assert_eq!(found, Ok(Some(guilty)));
            assert!(tries <= 4, "{tries}");
        }
        let both = async |some: &[usize]| Ok(some.contains(&2) && some.contains(&7));
        let found = culprit((0..11).collect(), both).await.unwrap();
        assert!(found.is_some());
        let broken = async |_: &[usize]| Err("it is down".to_owned());
        let found = culprit((0..11).collect(), broken).await;
        assert_eq!(found, Err("it is down".to_owned()));
        assert_eq!(culprit::<u32>(vec![], async |_| Ok(true)).await, Ok(None));
    }

    /// Each is in one group, and has other neighbours in another launch.
    #[test]
    fn groups_differ_from_launch_to_launch() {
        let chosen: Vec<Chosen> = (0..20)
            .map(|n| chosen(&format!("m{n}"), &[], &[]))
            .collect();
        let none = HashMap::new();
        let pending: Vec<Pending<'_>> = (0..)
            .zip(&chosen)
            .map(|(place, one)| Pending::new(one, place, 9, &none))
            .collect();
        let places = |launch: &str| -> Vec<Vec<usize>> {
            let groups = groups(pending.iter().collect(), launch, 8);
            let places = groups.iter().map(|group| {
                let mut places: Vec<usize> = group.iter().map(|one| one.place).collect();
                places.sort();
                places
            });
            places.collect()
        };
        let (token, none) = (places("token"), places("none"));
        assert_eq!(token.iter().map(Vec::len).collect::<Vec<_>>(), [8, 8, 4]);
        let mut all: Vec<usize> = token.concat();
        all.sort();
        assert_eq!(all, (0..20).collect::<Vec<_>>());
        assert_ne!(token, none);
    }

    /// It survives when all its cells have been asked and all its launches started, and not before; only the first fate counts.
    #[test]
    fn a_mutant_survives_when_nothing_is_left_to_ask() {
        let cell = "s/profile=token/credential=valid";
        let (sequence, launch) = ("s/profile=none/step=twice", "none".to_owned());
        let one = chosen("m", &[cell, sequence], &["password"]);
        let sequences = HashMap::from([(sequence.to_owned(), launch)]);
        let told = Mutex::new(Vec::new());
        let tell = |place: usize, fate: &Fate| told.lock().unwrap().push((place, fate.clone()));
        let pending = Pending::new(&one, 5, 9, &sequences);
        assert!(pending.begins() && !pending.begins());
        assert_eq!(pending.starts(), ["none", "password"]);
        assert_eq!(pending.cells("token"), [cell]);
        pending.is_asked("token", &tell);
        pending.is_started("password", &tell);
        assert!(pending.is_open() && !pending.has_cells("token"));
        pending.is_started("none", &tell);
        let survived = Fate::Survived { asked: 2 };
        pending.decide(Fate::NotReached, &tell);
        assert_eq!(*told.lock().unwrap(), [(5, survived.clone())]);
        assert_eq!((pending.fate(), pending.starts()), (Some(survived), vec![]));
    }
}
