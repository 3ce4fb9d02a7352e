//! What holds for any two records.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::*;
use super::made::*;
use record::Ending;

/// Cells of both sides, by what each asks for and says.
fn worlds() -> impl Strategy<Value = (Vec<Made>, Vec<Made>)> {
    let one = (0..4_usize, 0..4_usize, 0..3_usize, any::<bool>(), 0..12_u8);
    let pair = (one.clone(), one);
    prop::collection::vec(pair, HEADERS.len() * PROFILES.len() * 2).prop_map(|pairs| {
        let mut places = Vec::new();
        for scenario in ["chat", "lists"] {
            for profile in PROFILES {
                places.extend(HEADERS.iter().map(|header| (scenario, profile, *header)));
            }
        }
        let build = |(asks, says, text, known, silent): (usize, usize, usize, bool, u8),
                     (scenario, profile, header)| {
            let made = made(header, OUTCOMES[asks])
                .says(OUTCOMES[says])
                .text(&"x".repeat(text));
            let made = made.at(scenario, profile).rule(
                &format!("rule-{asks}"),
                &format!("docs/{asks}.md; issue#{}", asks % 2),
            );
            let made = if known && asks != says {
                made.known("i#1")
            } else {
                made
            };
            match silent {
                0 => made.silent("not-applicable", "too old"),
                1 => made.silent("could-not-run", "no answer"),
                _ => made,
            }
        };
        let (a, b): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let make = |side: Vec<_>| {
            side.into_iter()
                .zip(&places)
                .map(|(one, place)| build(one, *place))
                .collect()
        };
        (make(a), make(b))
    })
}

fn kinds(comparison: &Comparison) -> BTreeMap<Kind, usize> {
    let mut kinds = BTreeMap::new();
    for (kind, cells) in comparison.causes.iter().flat_map(|cause| &cause.kinds) {
        *kinds.entry(*kind).or_default() += cells;
    }
    kinds
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A gateway is no different from itself.
    #[test]
    fn nothing_changes_between_a_record_and_itself((a, _) in worlds()) {
        let comparison = of(&a, &a);
        prop_assert_eq!(&comparison.causes, &[]);
        prop_assert_eq!(comparison.counts.changed, 0);
        prop_assert_ne!(comparison.ended().ending, Ending::Broken);
    }

    /// Whoever is let in one way is shut out the other way, and nothing else moves.
    #[test]
    fn directions_turn_round_when_sides_change((a, b) in worlds()) {
        let there = kinds(&of(&a, &b));
        let back = kinds(&of(&b, &a));
        let turned: BTreeMap<Kind, usize> = back.into_iter().map(|(kind, cells)| (kind.mirrored(), cells)).collect();
        prop_assert_eq!(there, turned);
    }

    /// Every cell is compared or told to be missing; every change is in one cause and in one place of it.
    #[test]
    fn nothing_is_dropped_or_told_twice((a, b) in worlds()) {
        let comparison = of(&a, &b);
        let counts = &comparison.counts;
        let gaps: usize = comparison.gaps.iter().map(|gap| gap.cells).sum();
        prop_assert_eq!(counts.compared + gaps, a.len());
        prop_assert_eq!(counts.changed + counts.unchanged, counts.compared);
        let told: usize = comparison.causes.iter().map(|cause| cause.cells).sum();
        prop_assert_eq!(told, counts.changed);
        for cause in &comparison.causes {
            let places: usize = cause.places.iter().map(|place| place.cells).sum();
            let kinds: usize = cause.kinds.values().sum();
            let before: usize = cause.before.iter().map(|answer| answer.cells).sum();
            prop_assert_eq!((places, kinds, before), (cause.cells, cause.cells, cause.cells));
            let helped = cause.advice.iter().map(Advice::cells).max().unwrap_or(0);
            prop_assert!(helped + cause.beyond_advice <= cause.cells);
        }
    }

    /// A blocker is told exactly where B is wrong about somebody and A was not wrong in the same way.
    #[test]
    fn blockers_are_found_and_not_invented((a, b) in worlds()) {
        let comparison = of(&a, &b);
        let wanted = a.iter().zip(&b).filter(|(a, b)| blocks(a, b)).count();
        let blockers = comparison.causes.iter().filter(|cause| cause.weight == ChangeSeverity::Blocker);
        let found: usize = blockers.map(|cause| cause.cells).sum();
        prop_assert_eq!(found, wanted);
        prop_assert_eq!(comparison.ended().ending == Ending::Broken, wanted > 0);
    }

    /// The order of the cells in a record does not matter.
    #[test]
    fn the_order_of_cells_does_not_matter((a, b) in worlds()) {
        let turned = |cells: &[Made]| -> Vec<Made> { cells.iter().rev().cloned().collect() };
        let there = serde_json::to_string(&of(&a, &b)).unwrap();
        prop_assert_eq!(there, serde_json::to_string(&of(&turned(&a), &turned(&b))).unwrap());
    }

    /// What is said to be let in is let in on B.
    #[test]
    fn advice_is_what_b_lets_in((a, b) in worlds()) {
        for advice in of(&a, &b).causes.iter().flat_map(|cause| &cause.advice) {
            let (Advice::Request { example, .. } | Advice::Configuration { example, .. }) = advice;
            let made = b.iter().find(|made| made.id() == *example).unwrap();
            prop_assert!(made.says.1 && made.silent.is_none(), "{} {:?}", example, made);
        }
    }
}
