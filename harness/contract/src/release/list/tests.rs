//! Walks and ranges over the releases that were published when this was written.

use proptest::prelude::*;
use rstest::rstest;

use super::*;

/// In the registry's order, which is nobody's.
const KNOWN: &str = include_str!("known.txt");

fn known() -> Releases {
    let versions = KNOWN.lines().filter_map(|line| line.parse().ok());
    let latest = "2026.9.6".parse().ok();
    Releases::new(versions, latest, BTreeMap::new())
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn texts(versions: &[Version]) -> Vec<String> {
    versions.iter().map(Version::to_string).collect()
}

const BETAS: Walk = Walk {
    betas: true,
    long_term: false,
};
const LONG_TERM: Walk = Walk {
    betas: false,
    long_term: true,
};

#[test]
fn every_release_that_was_published_is_one() {
    let strange: Vec<&str> = KNOWN
        .lines()
        .filter(|line| line.parse::<Version>().is_err())
        .collect();
    assert_eq!(strange, ["0.0.1"], "a place-holder of the package's name");
    assert_eq!(known().all().len(), KNOWN.lines().count() - 1);
}

#[test]
fn the_real_list_in_order() {
    insta::assert_snapshot!(texts(known().all()).join("\n"));
}

#[rstest]
#[case::across_a_republish(
    "2026.3.22",
    "2026.3.28",
    Walk::default(),
    "2026.3.22 2026.3.23 2026.3.23-1 2026.3.23-2 2026.3.24 2026.3.28"
)]
#[case::with_betas(
    "2026.3.23-2",
    "2026.3.28",
    BETAS,
    "2026.3.23-2 2026.3.24-beta.2 2026.3.24 2026.3.28"
)]
#[case::the_other_way_round(
    "2026.4.1",
    "2026.3.28",
    Walk::default(),
    "2026.3.28 2026.3.31 2026.4.1"
)]
#[case::past_the_long_term_lines(
    "2026.6.11",
    "2026.8.1",
    Walk::default(),
    "2026.6.11 2026.7.1 2026.7.1-1 2026.7.1-2 2026.8.1"
)]
#[case::through_them_if_asked(
    "2026.6.11",
    "2026.8.1",
    LONG_TERM,
    "2026.6.11 2026.6.33 2026.6.34 2026.6.35 2026.7.1 2026.7.1-1 2026.7.1-2 2026.7.33 2026.7.34 2026.7.35 2026.8.1"
)]
#[case::along_one(
    "2026.6.33",
    "2026.6.35",
    Walk::default(),
    "2026.6.33 2026.6.34 2026.6.35"
)]
#[case::out_onto_one(
    "2026.6.9",
    "2026.6.34",
    Walk::default(),
    "2026.6.9 2026.6.10 2026.6.11 2026.6.33 2026.6.34"
)]
#[case::past_one_onto_another(
    "2026.6.11",
    "2026.7.34",
    Walk::default(),
    "2026.6.11 2026.7.1 2026.7.1-1 2026.7.1-2 2026.7.33 2026.7.34"
)]
#[case::back_from_one("2026.6.35", "2026.7.1", Walk::default(), "2026.6.35 2026.7.1")]
#[case::a_beta_is_an_end(
    "2026.8.1-beta.2",
    "2026.8.2",
    Walk::default(),
    "2026.8.1-beta.2 2026.8.1 2026.8.2"
)]
#[case::one_release("2026.9.6", "2026.9.6", Walk::default(), "2026.9.6")]
#[case::an_unpublished_end(
    "2026.9.5",
    "2026.10.1",
    Walk::default(),
    "2026.9.5 2026.9.6 2026.10.1"
)]
fn between(#[case] one: &str, #[case] other: &str, #[case] walk: Walk, #[case] path: &str) {
    let found = known().between(&version(one), &version(other), walk);
    assert_eq!(texts(&found).join(" "), path);
}

#[rstest]
#[case("latest", "2026.9.6")]
#[case("latest-0", "2026.9.6")]
#[case("latest-1", "2026.9.5")]
#[case("latest-5", "2026.9.1")]
#[case("latest-6", "2026.8.2")]
#[case("latest-8", "2026.7.1-2")]
#[case("beta", "2026.9.1-beta.1")]
#[case("2026.6.35", "2026.6.35")]
fn names(#[case] name: &str, #[case] meant: &str) {
    assert_eq!(known().named(name).unwrap(), version(meant));
}

#[rstest]
#[case::both_bounds(">=2026.3.28, <2026.4.1", Walk::default(), "2026.3.28 2026.3.31")]
#[case::without_blanks(">2026.3.28,<=2026.4.1", Walk::default(), "2026.3.31 2026.4.1")]
#[case::a_month(
    "2026.3.*",
    Walk::default(),
    "2026.3.1 2026.3.2 2026.3.7 2026.3.8 2026.3.11 2026.3.13 2026.3.22 2026.3.23 2026.3.23-1 2026.3.23-2 2026.3.24 2026.3.28 2026.3.31"
)]
#[case::a_month_without_its_line("2026.7.*", Walk::default(), "2026.7.1 2026.7.1-1 2026.7.1-2")]
#[case::a_month_with_its_line(
    "2026.7.*",
    LONG_TERM,
    "2026.7.1 2026.7.1-1 2026.7.1-2 2026.7.33 2026.7.34 2026.7.35"
)]
#[case::named_ones("2026.9.6, 2026.3.24,2026.9.6", Walk::default(), "2026.3.24 2026.9.6")]
#[case::a_range_and_more(
    ">=2026.8.1, <2026.9.1, latest",
    Walk::default(),
    "2026.8.1 2026.8.2 2026.9.6"
)]
#[case::relative_bounds(">=latest-2", Walk::default(), "2026.9.4 2026.9.5 2026.9.6")]
#[case::a_bound_that_is_no_release(">=2026.9.5, <2026.12.1", Walk::default(), "2026.9.5 2026.9.6")]
#[case::a_long_term_line(">=2026.6.33, <=2026.6.34", Walk::default(), "2026.6.33 2026.6.34")]
#[case::past_a_long_term_line(">=2026.6.11, <=2026.7.1", Walk::default(), "2026.6.11 2026.7.1")]
#[case::betas_if_asked(">2026.8.2, <2026.9.2", BETAS, "2026.9.1-beta.1 2026.9.1")]
fn ranges(#[case] range: &str, #[case] walk: Walk, #[case] selected: &str) {
    let range: ReleaseRange = range.parse().unwrap();
    assert_eq!(
        texts(&known().select(&range, walk).unwrap()).join(" "),
        selected
    );
}

#[rstest]
#[case("", "is no range of releases")]
#[case("2026.3.28,,2026.4.1", "is no range of releases")]
#[case("2026.13.*", "is no range of releases")]
#[case(">=lastest", "`lastest` names no release")]
#[case(
    "2026.3.29",
    "there is no release 2026.3.29; the closest: 2026.3.28 and 2026.3.31"
)]
#[case("latest-500", "there is no latest-500: ")]
#[case(">2026.9.6", "`>2026.9.6` selects no release")]
#[case(">=2026.4.1, <2026.3.28", "selects no release")]
fn refused(#[case] range: &str, #[case] message: &str) {
    let selected = range
        .parse()
        .and_then(|range: ReleaseRange| known().select(&range, Walk::default()));
    let error = selected.unwrap_err().to_string();
    assert!(error.contains(message), "{error}");
}

#[test]
fn latest_is_the_last_of_the_main_line_where_the_registry_names_none() {
    let versions = ["2026.9.6", "2026.10.1-beta.1", "2026.9.33"].map(version);
    let releases = Releases::new(versions, None, BTreeMap::new());
    assert_eq!(releases.latest(), Some(&version("2026.9.6")));
}

proptest! {
    /// A path begins and ends where it should, is in order, and passes nothing that the walk does not pass.
    #[test]
    fn paths(one in 0usize..130, other in 0usize..130, betas: bool, long_term: bool) {
        let releases = known();
        let all = releases.all();
        let (one, other) = (&all[one % all.len()], &all[other % all.len()]);
        let walk = Walk { betas, long_term };
        let path = releases.between(one, other, walk);
        prop_assert_eq!(path.first(), Some(one.min(other)));
        prop_assert_eq!(path.last(), Some(one.max(other)));
        prop_assert!(path.windows(2).all(|pair| pair[0] < pair[1]));
        let ends = [one.line(), other.line()];
        for passed in path.iter().filter(|version| *version != one && *version != other) {
            prop_assert!(betas || !passed.is_beta());
            prop_assert!(long_term || !passed.is_long_term() || ends.contains(&passed.line()));
        }
        prop_assert_eq!(path, releases.between(other, one, walk));
    }

    /// What two bounds select is what a walk between them passes, where both ends are on the main line.
    #[test]
    fn ranges_and_walks_agree(one in 0usize..130, other in 0usize..130) {
        let releases = known();
        let main: Vec<&Version> = releases.main().collect();
        let (one, other) = (main[one % main.len()], main[other % main.len()]);
        let range: ReleaseRange = format!(">={}, <={}", one.min(other), one.max(other)).parse().unwrap();
        prop_assert_eq!(
            releases.select(&range, Walk::default()).unwrap(),
            releases.between(one, other, Walk::default())
        );
    }
}
