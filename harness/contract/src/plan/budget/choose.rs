//! What is asked within a time: pure, over launches and what they would newly ask.
//!
//! A *mark* is a thing that a run should have asked: a rule, a rule under an auth mode, a known issue, a relation. A *unit* is what is asked together or not
//! at all: a cell, all steps of a sequence. Of each launch a *core* is found first: units that together have all its marks, under
//! that launch, for as little time as possible. Then launches are taken by marks newly had per second of launch and core, in
//! order, and put on as many lanes as launches run at a time. What of the time is then left goes to the other units of the chosen
//! launches, the last launch first, so that the first findings come early.
//!
//! A larger time never has fewer rules: the order does not depend on the time, which only says how far it is followed. Where
//! not even the first launch of the order fits, those that take less are an order of their own.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet as Marks;

/// What a launch offers.
#[derive(Debug, Clone, Default)]
pub(super) struct Offer {
    /// Milliseconds of start and stop.
    pub(super) cost: u64,
    /// What can be asked in it.
    pub(super) units: Vec<Unit>,
    /// Marks that two of its units have together, and which.
    pub(super) pairs: Vec<(usize, usize, usize)>,
}

/// What is asked together or not at all.
#[derive(Debug, Clone, Default)]
pub(super) struct Unit {
    /// Milliseconds.
    pub(super) cost: u64,
    /// Marks that it has.
    pub(super) marks: Vec<usize>,
}

/// What is chosen of one launch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    /// Which launch.
    pub(super) offer: usize,
    /// Which of its units, each once, in the order in which they are asked: what is new first, for the time may end early.
    pub(super) units: Vec<usize>,
}

/// A choice, in the order in which launches are made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Choice {
    pub(super) launches: Vec<Chosen>,
    /// Milliseconds until the last launch has ended.
    pub(super) takes: u64,
}

/// What there is to choose from.
#[derive(Debug)]
pub(super) struct Market<'a> {
    pub(super) offers: &'a [Offer],
    /// The marks below this are rules: what counts first.
    pub(super) rules: usize,
    /// Launches at a time.
    pub(super) lanes: usize,
}

/// Units that bring something new, asked one group after the other.
#[derive(Debug)]
struct Core {
    groups: Vec<Group>,
    cost: u64,
    marks: Marks,
}

#[derive(Debug, Clone)]
struct Group {
    units: Vec<usize>,
    /// Milliseconds, given that what comes before it is asked.
    cost: u64,
    marks: Marks,
    /// Whether it is there for what two units have together.
    pair: bool,
}

/// How far an order is followed: launches that are whole, and groups of the core of the next one.
#[derive(Debug, Clone, Copy)]
struct Reach {
    order: usize,
    launches: usize,
    groups: usize,
}

/// One order of launches, each with the groups of its core in the order in which they are asked.
#[derive(Debug)]
struct Order {
    launches: Vec<(usize, Vec<Group>)>,
}

impl Market<'_> {
    /// The most that fits into so many milliseconds.
    pub(super) fn choose(&self, time: u64) -> Choice {
        let whole = self.whole();
        if whole.takes <= time {
            return whole;
        }
        let cores: Vec<Core> = self.offers.iter().map(Core::of).collect();
        let first = self.order(&cores, u64::MAX);
        let least = first.least(self.offers);
        let orders = [first, self.order(&cores, least.saturating_sub(1))];
        let best = orders
            .iter()
            .enumerate()
            .filter_map(|(place, order)| self.furthest(place, order, time))
            .max_by_key(|(worth, reach)| (*worth, Reverse(reach.order)));
        let Some((_, reach)) = best else {
            return Choice::default();
        };
        let order = &orders[reach.order].launches;
        let mut chosen: Vec<Chosen> = order[..reach.launches].iter().map(all_groups).collect();
        if reach.groups > 0 {
            let (offer, groups) = &order[reach.launches];
            chosen.push(all_groups(&(*offer, groups[..reach.groups].to_vec())));
        }
        self.fill(chosen, time)
    }

    /// Everything, in the order in which it is offered.
    fn whole(&self) -> Choice {
        let launches = self.offers.iter().enumerate().map(|(offer, it)| Chosen {
            offer,
            units: (0..it.units.len()).collect(),
        });
        let launches: Vec<Chosen> = launches.collect();
        let costs: Vec<u64> = launches.iter().map(|chosen| self.cost(chosen)).collect();
        let takes = self.takes(&costs);
        Choice { launches, takes }
    }

    /// Milliseconds of a launch with these units.
    fn cost(&self, chosen: &Chosen) -> u64 {
        let offer = &self.offers[chosen.offer];
        let units = chosen.units.iter().map(|unit| offer.units[*unit].cost);
        units.fold(offer.cost, u64::saturating_add)
    }

    /// Milliseconds until the last of launches that take so long has ended: each begins when a lane is free.
    fn takes(&self, costs: &[u64]) -> u64 {
        let mut lanes = vec![0_u64; self.lanes.max(1)];
        for cost in costs {
            if let Some(lane) = lanes.iter_mut().min() {
                *lane = lane.saturating_add(*cost);
            }
        }
        lanes.into_iter().max().unwrap_or(0)
    }

    /// The launches that take no more than a bound, by what they newly have per time; first all that have something new at all.
    fn order(&self, cores: &[Core], bound: u64) -> Order {
        let mut left: Vec<usize> = (0..self.offers.len())
            .filter(|offer| self.offers[*offer].cost.saturating_add(cores[*offer].cost) <= bound)
            .filter(|offer| !self.offers[*offer].units.is_empty())
            .collect();
        let mut had = Marks::new();
        let mut launches = Vec::new();
        while !left.is_empty() {
            let worth = |offer: &usize| {
                let core = &cores[*offer];
                let new = core.marks.difference_count(&had);
                let cost = self.offers[*offer].cost.saturating_add(core.cost).max(1);
                // Where nothing is new anywhere, what is asked under another profile still counts.
                let per_time = |count: usize| per(count, cost);
                (per_time(new), per_time(core.groups.len()), Reverse(*offer))
            };
            let Some(place) = (0..left.len()).max_by_key(|place| worth(&left[*place])) else {
                break;
            };
            let offer = left.remove(place);
            let mut groups = cores[offer].groups.clone();
            // Rules that are new come first, the cheapest first: where the time ends, nothing that would still fit follows.
            groups.sort_by_key(|group| {
                let new = self.has_a_new_rule(&group.marks, &had);
                (group.pair, !new, group.cost)
            });
            had.union_with(&cores[offer].marks);
            launches.push((offer, groups));
        }
        Order { launches }
    }

    fn has_a_new_rule(&self, marks: &Marks, had: &Marks) -> bool {
        marks.difference(had).any(|mark| mark < self.rules)
    }

    /// How far an order can be followed in that time, and what it then has: rules, all marks, groups. Launches that come after one
    /// that does not fit are not made.
    fn furthest(
        &self,
        order: usize,
        Order { launches }: &Order,
        time: u64,
    ) -> Option<((usize, usize, usize), Reach)> {
        let mut lanes = vec![0_u64; self.lanes.max(1)];
        let mut had = Marks::new();
        let mut asked = 0;
        let mut reach = None;
        for (place, (offer, groups)) in launches.iter().enumerate() {
            let Some(lane) = lanes.iter_mut().min() else {
                break;
            };
            *lane = lane.saturating_add(self.offers[*offer].cost);
            let mut fit = 0;
            for group in groups {
                let with = lane.saturating_add(group.cost);
                if with > time {
                    break;
                }
                *lane = with;
                had.union_with(&group.marks);
                fit += 1;
            }
            if fit == 0 {
                break;
            }
            asked += fit;
            let whole = fit == groups.len();
            let worth = (
                had.count_ones(..had.len().min(self.rules)),
                had.count_ones(..),
                asked,
            );
            let (launches, groups) = match whole {
                true => (place + 1, 0),
                false => (place, fit),
            };
            reach = Some((
                worth,
                Reach {
                    order,
                    launches,
                    groups,
                },
            ));
            if !whole {
                break;
            }
        }
        reach
    }

    /// Gives the time that is left to further units of the chosen launches: of the last launch first, and of that one more for each
    /// of its rules before two more for one.
    fn fill(&self, mut launches: Vec<Chosen>, time: u64) -> Choice {
        let mut had = Marks::new();
        for chosen in &launches {
            for unit in &chosen.units {
                had.union_with(&marks_of(&self.offers[chosen.offer].units[*unit].marks));
            }
        }
        let mut costs: Vec<u64> = launches.iter().map(|chosen| self.cost(chosen)).collect();
        for place in (0..launches.len()).rev() {
            let offer = &self.offers[launches[place].offer];
            let chosen: BTreeSet<usize> = launches[place].units.iter().copied().collect();
            let mut depths: BTreeMap<Option<usize>, usize> = BTreeMap::new();
            let mut left: Vec<(usize, usize)> = Vec::new();
            for (index, unit) in offer.units.iter().enumerate() {
                // What has a new rule did not fit where it belongs; a larger time must not have fewer.
                if chosen.contains(&index) || self.has_a_new_rule(&marks_of(&unit.marks), &had) {
                    continue;
                }
                let depth = depths.entry(unit.marks.first().copied()).or_default();
                left.push((*depth, index));
                *depth += 1;
            }
            left.sort_unstable();
            for (_, unit) in left {
                let cost = costs[place];
                costs[place] = cost.saturating_add(offer.units[unit].cost);
                match self.takes(&costs) <= time {
                    true => launches[place].units.push(unit),
                    false => costs[place] = cost,
                }
            }
        }
        let takes = self.takes(&costs);
        Choice { launches, takes }
    }
}

fn all_groups((offer, groups): &(usize, Vec<Group>)) -> Chosen {
    Chosen {
        offer: *offer,
        units: groups
            .iter()
            .flat_map(|group| group.units.clone())
            .collect(),
    }
}

impl Order {
    /// The least that its first launch takes with anything asked in it.
    fn least(&self, offers: &[Offer]) -> u64 {
        let Some((offer, groups)) = self.launches.first() else {
            return 0;
        };
        let first = groups.first().map_or(0, |group| group.cost);
        offers[*offer].cost.saturating_add(first)
    }
}

impl Core {
    /// Units that have all marks of a launch: each time those that newly have the most per time.
    fn of(offer: &Offer) -> Self {
        let mut had = Marks::new();
        let mut left: Vec<usize> = (0..offer.units.len()).collect();
        let mut groups: Vec<Group> = Vec::new();
        let mut taken: BTreeSet<usize> = BTreeSet::new();
        let marks: Vec<Marks> = offer
            .units
            .iter()
            .map(|unit| marks_of(&unit.marks))
            .collect();
        loop {
            left.retain(|unit| !marks[*unit].is_subset(&had));
            let worth = |unit: &usize| {
                let cost = offer.units[*unit].cost.max(1);
                (
                    per(marks[*unit].difference_count(&had), cost),
                    Reverse(*unit),
                )
            };
            let Some(unit) = left.iter().copied().max_by_key(worth) else {
                break;
            };
            had.union_with(&marks[unit]);
            taken.insert(unit);
            groups.push(Group {
                units: vec![unit],
                cost: offer.units[unit].cost,
                marks: marks[unit].clone(),
                pair: false,
            });
        }
        // What two units have together: the cheapest of its pairs, given what is asked in any case.
        let wanted: BTreeSet<usize> = offer.pairs.iter().map(|(mark, ..)| *mark).collect();
        for mark in wanted {
            let missing = |(_, one, two): &(usize, usize, usize)| {
                let both: BTreeSet<usize> = [*one, *two].into();
                let missing: Vec<usize> = both.difference(&taken).copied().collect();
                let cost: u64 = missing.iter().map(|unit| offer.units[*unit].cost).sum();
                (cost, missing)
            };
            let pairs = offer.pairs.iter().filter(|(of, ..)| *of == mark);
            let Some((cost, units)) = pairs.map(missing).min() else {
                continue;
            };
            taken.extend(&units);
            let mut marks: Marks = marks_of(&[mark]);
            units
                .iter()
                .for_each(|unit| marks.union_with(&marks_of(&offer.units[*unit].marks)));
            had.union_with(&marks);
            groups.push(Group {
                units,
                cost,
                marks,
                pair: true,
            });
        }
        Self {
            cost: groups.iter().map(|group| group.cost).sum(),
            groups,
            marks: had,
        }
    }
}

/// Things per time, as a whole number that orders.
fn per(count: usize, cost: u64) -> u128 {
    u128::try_from(count).unwrap_or(0) * u128::from(u64::MAX) / u128::from(cost)
}

fn marks_of(marks: &[usize]) -> Marks {
    marks.iter().copied().collect()
}
