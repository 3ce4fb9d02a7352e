use super::*;
use crate::coverage::{Coverage, CoverageHead, Map, Ranks, Reach};
use contract::scenario::KnownMutant;

fn map() -> Map {
    let mutants: Vec<serde_json::Value> = (0..40)
        .map(|number| {
            serde_json::json!({ "region": 0, "operator": "equality", "line": number, "column": 1,
                "point": if number == 39 { None } else { Some(number % 2) },
                "was": format!("a === {number}"), "is": "b", "nth": 1 })
        })
        .collect();
    let map = serde_json::json!({
        "parsed": 1, "held": [], "mutants": mutants,
        "regions": [{ "name": "src/auth.ts", "file": "a.mjs", "line": 1, "depth": 0, "text": "" }],
        "points": [
            { "region": 0, "kind": "function", "line": 1, "lines": 4, "function": "reached", "text": "one" },
            { "region": 0, "kind": "function", "line": 9, "lines": 4, "function": "never", "text": "two" },
        ],
    });
    Map::read(map.to_string().as_bytes()).unwrap()
}

fn coverage(map: &Map) -> Coverage {
    let mut reach = Reach::new(2);
    reach.asked("token", "s/profile=token/n=1", &[4000]);
    reach
        .read("{\"place\":\"/r/token/workspace\",\"port\":4000,\"nth\":0,\"points\":[0]}\n")
        .unwrap();
    let head = CoverageHead::new("openclaw@2026.9.6", "2026.9.6", "acorn".to_owned());
    Coverage::new(head, map, &reach, &Ranks::default())
}

fn ids(chosen: &[Chosen]) -> Vec<&str> {
    chosen.iter().map(|one| one.change.id.as_str()).collect()
}

/// The same seed takes the same ones, another seed others, and more only adds.
#[test]
fn a_sample_is_known_by_its_seed() {
    let map = map();
    let coverage = coverage(&map);
    let take = |sample, seed| choose(&map, &coverage, sample, seed).unwrap();
    assert_eq!(take(Some(8), 1), take(Some(8), 1));
    assert_ne!(ids(&take(Some(8), 1)), ids(&take(Some(8), 2)));
    assert_eq!(ids(&take(Some(20), 1))[..8], ids(&take(Some(8), 1))[..]);
    assert_eq!(take(None, 1).len(), 40);
}

#[test]
fn who_reaches_a_mutant_is_who_reaches_the_point_around_it() {
    let map = map();
    let chosen = choose(&map, &coverage(&map), None, 1).unwrap();
    let of = |number: u32| chosen.iter().find(|one| one.number == number).unwrap();
    assert_eq!(of(2).cells, ["s/profile=token/n=1"]);
    assert_eq!(of(2).change.function.as_deref(), Some("reached"));
    assert!(!of(3).is_reached());
    // What stands in no function runs at the start.
    assert_eq!(of(39).starts, ["token"]);
}

#[test]
fn coverage_of_other_code_is_refused() {
    let map = map();
    let mut coverage = coverage(&map);
    coverage.regions[0].points[1].text = "changed".to_owned();
    let error = choose(&map, &coverage, None, 1).unwrap_err();
    assert!(error.to_string().contains("src/auth.ts"), "{error}");
}

#[test]
fn the_score_counts_what_is_reached_and_decided() {
    let map = map();
    let chosen = choose(&map, &coverage(&map), None, 1).unwrap();
    let fates = [
        Fate::Killed {
            cell: "s/profile=token/n=1".to_owned(),
            how: "unexpected-allow".to_owned(),
        },
        Fate::Killed {
            cell: "s/profile=token/n=1".to_owned(),
            how: "no answer".to_owned(),
        },
        Fate::Broken {
            why: "x".to_owned(),
        },
        Fate::Survived { asked: 1 },
        Fate::Survived { asked: 1 },
        Fate::NotReached,
        Fate::Undecided {
            why: "y".to_owned(),
        },
    ];
    let results = chosen
        .iter()
        .zip(fates)
        .map(|(one, fate)| MutantResult::new(one, fate));
    let head = MutantHead::new("openclaw@2026.9.6", "2026.9.6", 40, 1);
    let known = |place: usize, reason: &str, observable| KnownMutant {
        id: chosen[place].change.id.clone(),
        reason: reason.to_owned(),
        observable,
    };
    let known = [
        known(4, "the same", false),
        known(3, "it takes an hour", true),
        known(0, "wrong", false),
    ];
    let report = MutantReport::new(head, results.collect(), &known);
    let unasked = report.mutants.iter().find_map(|one| one.unasked.as_deref());
    assert_eq!(unasked, Some("it takes an hour"));
    // Whoever survives for a reason does not count; whoever is noticed does, and is named.
    assert_eq!((report.score.survived, report.score.explained), (1, 1));
    let after_all: Vec<&str> = report
        .told_after_all()
        .map(|one| one.change.id.as_str())
        .collect();
    assert_eq!(after_all, [chosen[0].change.id.as_str()]);
    assert_eq!(report.score.reached(), (3, 4));
    assert_eq!(report.score.at_least(), (3, 5));
    assert_eq!(report.score.all(), (3, 5));
    assert_eq!(Score::percent(report.score.reached()), 75.0);
    let json = serde_json::to_vec(&report).unwrap();
    let read = MutantReport::read(&json).unwrap();
    assert_eq!(read, report);
    // What is not decided is tried again.
    assert!(read.decided(&chosen[0], usize::MAX).is_some());
    assert_eq!(read.decided(&chosen[6], usize::MAX), None);
    assert_eq!(read.decided(&chosen[9], usize::MAX), None);
    // So is what survived, where more cells are asked now.
    let more = Chosen {
        cells: vec![String::new(); 2],
        ..chosen[3].clone()
    };
    let mut read = read;
    for mutant in &mut read.mutants {
        mutant.cells = 2;
    }
    assert_eq!(read.decided(&more, usize::MAX), None);
    assert!(read.decided(&more, 1).is_some());
}
