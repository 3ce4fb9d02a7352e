//! The search against made-up histories.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

/// Runs a search to its end; the releases that it tested, in order.
fn run(search: &mut Search, truth: &[Known]) -> Vec<usize> {
    let mut tested = Vec::new();
    while let Some(step) = search.next() {
        assert!(!tested.contains(&step.test), "{tested:?}, then {step:?}");
        assert!(step.ahead.len() <= 2 && !step.ahead.contains(&step.test));
        search.answer(step.test, truth[step.test]);
        if let (Some(next), Known::Answers(class)) = (search.next(), truth[step.test]) {
            let [before, after] = search.neighbours(step.test);
            // What was prepared is what comes next, unless the answer is one that nobody has seen before.
            if [before, after].contains(&Some(class)) {
                assert!(step.ahead.contains(&next.test), "{step:?}, then {next:?}");
            }
        }
        tested.push(step.test);
    }
    tested
}

/// `?` is a release that does not tell, any other letter is an answer.
fn history(text: &str) -> Vec<Known> {
    let known = |letter| match letter {
        '?' => Known::Untestable,
        letter => Known::Answers(letter as usize),
    };
    text.chars().map(known).collect()
}

fn between(truth: &[Known], hints: &[usize], probes: Probes) -> Search {
    let ends = [0, truth.len() - 1];
    Search::new(truth.len(), ends, hints.iter().copied(), None, probes)
}

fn edges(search: &Search) -> Vec<(usize, usize)> {
    let changes = search.changes();
    changes.iter().map(|one| (one.before, one.after)).collect()
}

#[rstest]
#[case::adjacent(".b", &[(0, 1)], 2)]
#[case::in_the_middle(".....bbbb", &[(4, 5)], 5)]
#[case::at_once(".bbbbbbbb", &[(0, 1)], 5)]
#[case::at_the_end("........b", &[(7, 8)], 5)]
#[case::none_at_all(".........", &[], 2)]
#[case::hole_before_the_change("....?bbbb", &[(3, 5)], 7)]
#[case::nothing_tells_between(".???b", &[(0, 4)], 5)]
fn from_one_end_to_the_other(
    #[case] text: &str,
    #[case] changes: &[(usize, usize)],
    #[case] tests: usize,
) {
    let truth = history(text);
    let mut search = between(&truth, &[], Probes::None);
    let tested = run(&mut search, &truth);
    assert_eq!(edges(&search), changes);
    assert!(tested.len() <= tests, "{tested:?}");
    assert_eq!(&tested[..2], [0, truth.len() - 1], "both ends come first");
}

/// openclaw#58357: bad for two releases, good on both ends of a long line. Hints are where something is said to begin.
#[rstest]
#[case::hints_are_right(&[1, 3], 5)]
#[case::only_the_fix_is_known(&[3], 40)]
#[case::hints_are_wrong(&[9, 17], 40)]
#[case::no_hints(&[], 40)]
fn a_stretch_between_ends_that_agree(#[case] hints: &[usize], #[case] most: usize) {
    let truth = history(&format!(".bb{}", ".".repeat(60)));
    let mut search = between(&truth, hints, Probes::UntilAChange(32));
    let tested = run(&mut search, &truth);
    assert_eq!(edges(&search), [(0, 1), (2, 3)], "{tested:?}");
    assert!(tested.len() <= most, "{tested:?}");
}

#[test]
fn probes_are_counted() {
    let truth = history(&".".repeat(40));
    for (probes, tests) in [
        (Probes::None, 2),
        (Probes::UntilAChange(5), 7),
        (Probes::Exactly(5), 7),
        (Probes::Exactly(100), 40),
    ] {
        let mut search = between(&truth, &[], probes);
        assert_eq!(run(&mut search, &truth).len(), tests, "{probes:?}");
        assert_eq!(search.assumed().len(), 40 - tests);
    }
}

#[test]
fn exactly_goes_on_after_a_change() {
    let truth = history("....bb..........................");
    let mut search = between(&truth, &[4], Probes::Exactly(6));
    let more = run(&mut search, &truth).len();
    assert_eq!(edges(&search), [(3, 4), (5, 6)]);
    let mut search = between(&truth, &[4], Probes::UntilAChange(6));
    assert_eq!(run(&mut search, &truth).len() + 6, more);
}

#[rstest]
#[case::backwards(".......bbb", 9, Towards::Earlier, &[(6, 7)])]
#[case::backwards_to_the_first(".bbbbbbbbb", 9, Towards::Earlier, &[(0, 1)])]
#[case::forwards("bbbbb.....", 0, Towards::Later, &[(4, 5)])]
#[case::over_a_hole("bb???.....", 0, Towards::Later, &[(1, 5)])]
#[case::there_is_none("bbbbbbbbbb", 3, Towards::Later, &[])]
fn from_one_release(
    #[case] text: &str,
    #[case] from: usize,
    #[case] towards: Towards,
    #[case] changes: &[(usize, usize)],
) {
    let truth = history(text);
    let mut search = Search::new(truth.len(), [from], [], Some(towards), Probes::None);
    let tested = run(&mut search, &truth);
    assert_eq!(edges(&search), changes, "{tested:?}");
    let away = |place: &usize| match towards {
        Towards::Earlier => *place <= from,
        Towards::Later => *place >= from,
    };
    assert!(tested.iter().all(away));
}

#[test]
fn what_is_known_is_not_tested_again() {
    let truth = history("....bbbb");
    let mut search = between(&truth, &[], Probes::None);
    for place in [0, 3, 4, 7] {
        search.learn(place, truth[place]);
    }
    assert_eq!(search.next(), None);
    assert_eq!(edges(&search), [(3, 4)]);
}

/// A line whose answer changes at some releases, with holes anywhere but at its ends.
fn histories(changes: usize) -> impl Strategy<Value = (Vec<Known>, Vec<usize>)> {
    (2usize..200).prop_flat_map(move |length| {
        let at = prop::collection::btree_set(1..length, 1..=changes.min(length - 1));
        let holes = prop::collection::vec(prop::bool::weighted(0.2), length);
        (at, holes).prop_map(move |(at, holes)| {
            let truth = (0..length).map(|place| {
                if holes[place] && place != 0 && place != length - 1 {
                    return Known::Untestable;
                }
                Known::Answers(at.iter().filter(|change| **change <= place).count() % 2)
            });
            (truth.collect(), at.into_iter().collect())
        })
    })
}

fn log2(length: usize) -> usize {
    usize::try_from(length.next_power_of_two().ilog2()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The answer is as narrow as the holes permit, whatever the hints say; and it is found in a logarithmic number of tests.
    #[test]
    fn one_change_is_bracketed((truth, at) in histories(1), hints in prop::collection::vec(0usize..200, 0..4)) {
        let mut search = between(&truth, &hints, Probes::None);
        let tested = run(&mut search, &truth);
        let changes = search.changes();
        prop_assert_eq!(changes.len(), 1);
        let change = &changes[0];
        prop_assert!(change.before < at[0] && at[0] <= change.after);
        prop_assert!(change.unclear.iter().all(|place| truth[*place] == Known::Untestable));
        let holes = tested.iter().filter(|place| truth[**place] == Known::Untestable).count();
        prop_assert!(tested.len() - holes <= 2 + 2 * log2(truth.len()) + 2 * hints.len(), "{:?}", tested);
    }

    /// Without holes it is the number that everybody knows.
    #[test]
    fn without_holes_it_is_the_logarithm(length in 2usize..500, at in 1usize..500) {
        let at = at.min(length - 1);
        let truth: Vec<Known> = (0..length).map(|place| Known::Answers(usize::from(place >= at))).collect();
        let tested = run(&mut between(&truth, &[], Probes::None), &truth);
        prop_assert!(tested.len() <= 2 + log2(length - 1), "{:?}", tested);
    }

    /// With a probe for every release all changes are found, and each is bracketed.
    #[test]
    fn every_change_is_found((truth, at) in histories(5), hints in prop::collection::vec(0usize..200, 0..4)) {
        let mut search = between(&truth, &hints, Probes::Exactly(truth.len()));
        run(&mut search, &truth);
        prop_assert!(search.assumed().is_empty());
        let answers: Vec<(usize, Known)> = truth.iter().copied().enumerate().filter(|(_, known)| *known != Known::Untestable).collect();
        let wanted: Vec<(usize, usize)> = answers.windows(2).filter(|pair| pair[0].1 != pair[1].1).map(|pair| (pair[0].0, pair[1].0)).collect();
        prop_assert_eq!(edges(&search), wanted);
        for (before, after) in edges(&search) {
            prop_assert!(at.iter().any(|place| before < *place && *place <= after));
        }
    }

    /// A hint on the first release of a stretch is enough to find both ends of it.
    #[test]
    fn a_hint_finds_the_stretch(length in 4usize..300, from in 1usize..300, long in 1usize..20) {
        let from = from.min(length - 3);
        let until = (from + long).min(length - 1);
        let truth: Vec<Known> = (0..length).map(|place| Known::Answers(usize::from(from <= place && place < until))).collect();
        let mut search = between(&truth, &[from], Probes::UntilAChange(0));
        let tested = run(&mut search, &truth);
        prop_assert_eq!(edges(&search), [(from - 1, from), (until - 1, until)]);
        prop_assert!(tested.len() <= 4 + log2(length), "{:?}", tested);
    }
}
