use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use rstest::rstest;

use super::choose::Choice;
use super::*;
use crate::data::Data;
use crate::plan::Selection;
use crate::release::GatewayRef;
use crate::scenario::Typical;

/// The contract as it is.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap();
    Catalogue::load(&Data::Folder(root.to_path_buf())).unwrap()
});

/// The plan of a release, without what takes programs, clients or networks that not every machine has.
fn plan(release: &str) -> Plan {
    let plan = Plan::new(&CATALOGUE, &release.parse().unwrap(), &Selection::default());
    let needs = plan.needs(&CATALOGUE);
    let senders = CATALOGUE.senders.keys();
    let names = needs.programs.keys().chain(senders).cloned();
    let mut missing: BTreeMap<String, String> =
        names.map(|name| (name, "not here".to_owned())).collect();
    missing.insert(super::super::NETWORK.to_owned(), "not here".to_owned());
    plan.without(&missing, &CATALOGUE)
}

/// Two cores, two launches at a time, nothing measured.
fn estimates(release: &str) -> Estimates {
    let gateway: GatewayRef = format!("openclaw@{release}").parse().unwrap();
    let release = release.parse().unwrap();
    Estimates::anywhere(CATALOGUE.timings.of(&gateway, &release))
}

fn fitted(release: &str, seconds: u64) -> Fitted {
    fit(
        &plan(release),
        &CATALOGUE,
        &estimates(release),
        Duration::from_secs(seconds),
    )
}

fn shown(fitted: &Fitted) -> Shown {
    Shown::of(&fitted.plan, &CATALOGUE)
}

#[rstest]
#[case("2m", Some(120.0))]
#[case("90s", Some(90.0))]
#[case("1m30s", Some(90.0))]
#[case("45", Some(45.0))]
#[case("0.5", Some(0.5))]
#[case("0", None)]
#[case("-5", None)]
#[case("-5m", None)]
#[case("8d", None)]
#[case("nan", None)]
#[case("two minutes", None)]
fn what_is_a_budget(#[case] text: &str, #[case] seconds: Option<f64>) {
    let budget = text.parse::<Budget>().ok();
    assert_eq!(budget.map(|budget| budget.time().as_secs_f64()), seconds);
}

/// What two minutes on the heaviest release must ask: every rule of chat-completions that speaks about the modes none and token, each
/// in both where it speaks about both.
#[test]
fn two_minutes_on_the_heaviest_release() {
    let fitted = fitted("2026.9.6", 120);
    assert!(
        fitted.takes <= Duration::from_secs(120),
        "{:?}",
        fitted.takes
    );
    let rules = |plan: &Plan| -> BTreeSet<(String, String)> {
        let cells = plan
            .launches
            .iter()
            .flat_map(|launch| launch.cells.askable());
        let cells = cells.filter(|cell| {
            cell.scenario.id == "chat-completions" && ["none", "token"].contains(&cell.profile())
        });
        let rule = |cell: &Cell| cell.rule(&plan.release).unwrap().id.clone();
        cells
            .map(|cell| (cell.profile().to_owned(), rule(&cell)))
            .collect()
    };
    let whole = rules(&plan("2026.9.6"));
    assert_eq!(whole.len(), 6, "{whole:?}");
    assert_eq!(rules(&fitted.plan), whole);
    assert!(
        shown(&fitted).rules.len() > 50,
        "{}",
        shown(&fitted).rules.len()
    );
}

/// The reported break is among what the launches ask that are under way at first, and these are short.
#[test]
fn the_first_launches_show_the_reported_break() {
    let fitted = fitted("2026.3.28", 120);
    let at_first = estimates("2026.3.28").launches;
    let launches = fitted.plan.launches.iter().take(at_first);
    let shown = Shown::by(
        launches.flat_map(|launch| launch.cells.iter().map(|planned| planned.cell)),
        &CATALOGUE,
        &fitted.plan.release,
    );
    assert!(shown.issues.contains("openclaw#58357"), "{shown:?}");
    for launch in fitted.launches.iter().take(at_first) {
        assert!(launch.takes < Duration::from_secs(30), "{launch:?}");
    }
}

/// A sequence is asked as a whole or not at all, and what cannot be asked of the release is told whatever the time.
#[test]
fn a_cell_keeps_what_it_needs() {
    for seconds in [1, 30, 60, 120, 300, 600] {
        let fitted = fitted("2026.9.6", seconds);
        let steps = |plan: &Plan| {
            let mut steps: BTreeMap<(String, String), usize> = BTreeMap::new();
            for planned in plan.launches.iter().flat_map(|launch| launch.cells.iter()) {
                let scenario = &planned.cell.scenario;
                if scenario.kind == Kind::Sequence {
                    let place = (planned.cell.profile().to_owned(), scenario.id.clone());
                    *steps.entry(place).or_default() += 1;
                }
            }
            steps
        };
        let whole = steps(&plan("2026.9.6"));
        for (place, count) in steps(&fitted.plan) {
            assert_eq!(whole[&place], count, "{place:?} in {seconds} s");
        }
        let barred = |plan: &Plan| {
            let cells = plan.launches.iter().flat_map(|launch| launch.cells.iter());
            cells.filter(|planned| planned.barred.is_some()).count()
        };
        assert_eq!(barred(&fitted.plan), barred(&plan("2026.9.6")));
    }
}

/// What fits altogether is the plan as it is, in its order.
#[test]
fn where_everything_fits_nothing_is_moved() {
    let fitted = fitted("2026.9.6", 24 * 3600);
    let ids = |plan: &Plan| -> Vec<Vec<String>> {
        let launches = plan.launches.iter();
        launches
            .map(|launch| launch.cells.iter().map(|it| it.cell.id()).collect())
            .collect()
    };
    assert_eq!(ids(&fitted.plan), ids(&plan("2026.9.6")));
    assert_eq!(shown(&fitted), fitted.whole);
}

/// A launch is made with at least one cell, and every rule, known issue and relation that it could show under its profile.
#[test]
fn what_a_whole_launch_shows_is_all_that_it_could() {
    let fitted = fitted("2026.9.6", 120);
    let whole = plan("2026.9.6");
    let made: Vec<_> = fitted.made().collect();
    assert!(made.len() > 2);
    // The last one may be made in part.
    for made in &made[..made.len() - 1] {
        let show = |plan: &Plan| {
            let mut launches = plan.launches.iter();
            let launch = launches
                .find(|launch| launch.profile == made.profile)
                .unwrap();
            let shown = Shown::by(launch.cells.askable(), &CATALOGUE, &plan.release);
            let rules: Vec<_> = shown.rules.into_keys().collect();
            (rules, shown.issues, shown.relations)
        };
        assert_eq!(show(&fitted.plan), show(&whole), "{}", made.profile);
    }
}

#[test]
fn what_was_measured_goes_before_what_is_known() {
    let typical = Typical {
        start: 20.0,
        stop: 3.0,
        processor: 10.0,
        refused: 9.0,
        request: 1.0,
        ..Typical::default()
    };
    let whole = plan("2026.9.6");
    let launch = |profile: &str| {
        let mut launches = whole.launches.iter();
        launches.find(|launch| launch.profile == profile).unwrap()
    };
    let mut estimates = Estimates::anywhere(typical);
    let release = whole.release.clone();
    assert_eq!(
        estimates.launch(launch("none"), &release),
        (23_000, Origin::Data)
    );
    let taken = Taken {
        profile: "none".to_owned(),
        up: Some(Duration::from_secs(6)),
        refused: None,
        asking: Duration::from_secs(4),
        requests: vec![(RequestKind::Plain, Duration::from_secs(2)); 4],
    };
    let measured = estimates.learn(std::slice::from_ref(&taken));
    let again = Measured::read(&measured.write()).unwrap();
    assert_eq!(again, measured);
    estimates.measured = Some(again);
    assert_eq!(
        estimates.launch(launch("none"), &release),
        (6_000, Origin::Launch(1))
    );
    assert_eq!(
        estimates.launch(launch("token"), &release),
        (6_000, Origin::Release(1))
    );
    // Four requests beside each other in four seconds took one each.
    let cell = &whole.launches[0].cells;
    let plain = cell
        .iter()
        .find(|it| RequestKind::of(&it.cell, &release) == RequestKind::Plain);
    let plain = plain.unwrap().cell;
    assert_eq!(estimates.cell(&plain, &release), 1_000);
    // Twice as many at a time take twice as long each; another run counts as much as the first.
    estimates.launches = 4;
    assert_eq!(estimates.launch(launch("none"), &release).0, 12_000);
    let slower = Taken {
        up: Some(Duration::from_secs(8)),
        asking: Duration::from_secs(6),
        requests: vec![(RequestKind::Plain, Duration::from_secs(6))],
        ..taken
    };
    estimates.measured = Some(estimates.learn(&[slower]));
    // One that took six seconds beside the four that took one.
    assert_eq!(estimates.cell(&plain, &release), 2_000);
    assert_eq!(
        estimates.launch(launch("none"), &release),
        (7_000, Origin::Launch(2))
    );
    for text in ["", "{}", "{\"schema\":\"clawgauge.timings/1\"}"] {
        assert_eq!(Measured::read(text), None, "{text}");
    }
}

fn offers() -> impl Strategy<Value = Vec<Offer>> {
    let unit = (0..4_000_u64, prop::collection::btree_set(0..30_usize, 0..4));
    let unit = unit.prop_map(|(cost, marks)| Unit {
        cost,
        marks: marks.into_iter().collect(),
    });
    let units = prop::collection::vec(unit, 1..12);
    let offer = (
        0..30_000_u64,
        units,
        prop::collection::vec(
            (
                30..40_usize,
                any::<prop::sample::Index>(),
                any::<prop::sample::Index>(),
            ),
            0..6,
        ),
    );
    let offer = offer.prop_map(|(cost, units, pairs)| {
        let place = |index: prop::sample::Index| index.index(units.len());
        let pairs = pairs.into_iter();
        let pairs = pairs
            .map(|(mark, one, two)| (mark, place(one), place(two)))
            .collect();
        Offer { cost, units, pairs }
    });
    prop::collection::vec(offer, 0..14)
}

/// Marks of what is chosen: rules only.
fn rules_of(offers: &[Offer], choice: &Choice, rules: usize) -> usize {
    let units = choice.launches.iter().flat_map(|chosen| {
        let units = &offers[chosen.offer].units;
        chosen.units.iter().map(|unit| &units[*unit])
    });
    let marks: BTreeSet<usize> = units.flat_map(|unit| &unit.marks).copied().collect();
    marks.range(..rules).count()
}

/// Milliseconds on so many lanes, each launch on the one that is free first: written anew, to hold the chooser against.
fn on_lanes(offers: &[Offer], choice: &Choice, lanes: usize) -> u64 {
    let mut ends = vec![0; lanes];
    for chosen in &choice.launches {
        let offer = &offers[chosen.offer];
        let asking: u64 = chosen
            .units
            .iter()
            .map(|unit| offer.units[*unit].cost)
            .sum();
        ends.sort_unstable();
        ends[0] += offer.cost + asking;
    }
    ends.into_iter().max().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_choice_keeps_its_promises(offers in offers(), lanes in 1..5_usize, rules in 0..30_usize, times in (0..120_000_u64, 0..60_000_u64)) {
        let market = Market { offers: &offers, rules, lanes };
        let (less, more) = (times.0, times.0 + times.1);
        let (small, large) = (market.choose(less), market.choose(more));
        // Never over the time by its own estimate, and each launch and unit once.
        for (choice, time) in [(&small, less), (&large, more)] {
            prop_assert!(choice.takes <= time);
            prop_assert_eq!(choice.takes, on_lanes(&offers, choice, lanes));
            let made: BTreeSet<usize> = choice.launches.iter().map(|chosen| chosen.offer).collect();
            prop_assert_eq!(made.len(), choice.launches.len());
        }
        // A larger time asks no fewer rules.
        prop_assert!(rules_of(&offers, &small, rules) <= rules_of(&offers, &large, rules));
        // The same is chosen from the same.
        prop_assert_eq!(&market.choose(less), &small);
        // All of it where all fits, and not where it does not.
        let whole = market.choose(u64::MAX);
        let units = |choice: &Choice| choice.launches.iter().map(|chosen| chosen.units.len()).sum::<usize>();
        prop_assert_eq!(units(&whole), offers.iter().map(|offer| offer.units.len()).sum::<usize>());
        prop_assert_eq!(market.choose(whole.takes), whole);
    }
}

proptest! {
    // The whole contract each time.
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// The contract itself, in whatever time: never over it, and never fewer rules in more time.
    #[test]
    fn the_contract_in_any_time(release in prop::sample::select(vec!["2026.9.6", "2026.3.28"]), less in 1..900_u64, more in 0..900_u64) {
        let (small, large) = (fitted(release, less), fitted(release, less + more));
        prop_assert!(small.takes <= Duration::from_secs(less));
        prop_assert!(large.takes <= Duration::from_secs(less + more));
        prop_assert!(shown(&small).rules.len() <= shown(&large).rules.len());
    }
}
