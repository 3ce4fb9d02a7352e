use std::collections::BTreeMap;

use proptest::prelude::*;
use rstest::rstest;

use super::*;

#[rstest]
#[case("1/1", 1, 1)]
#[case("2/5", 2, 5)]
#[case("10000/10000", 10_000, 10_000)]
fn reads(#[case] text: &str, #[case] number: u32, #[case] of: u32) {
    let shard: Shard = text.parse().unwrap();
    assert_eq!((shard.number(), shard.of()), (number, of));
    assert_eq!(shard.to_string(), text);
}

#[rstest]
#[case("0/3", "no shard 0 of 3")]
#[case("4/3", "no shard 4 of 3")]
#[case("1/0", "of 0 shards")]
#[case("0/0", "of 0 shards")]
#[case("1/10001", "too many")]
#[case("1/99999999999", "too many")]
#[case("99999999999/3", "no shard 4294967295 of 3")]
#[case("", "not K/N")]
#[case("2", "not K/N")]
#[case("/3", "not K/N")]
#[case("2/", "not K/N")]
#[case("-1/3", "not K/N")]
#[case("+1/3", "not K/N")]
#[case("1/3/5", "not K/N")]
#[case("1 / 3", "not K/N")]
#[case("one/three", "not K/N")]
#[case("1of3", "not K/N")]
fn refuses(#[case] text: &str, #[case] why: &str) {
    let error = text.parse::<Shard>().unwrap_err().to_string();
    assert!(error.contains(why), "{error}");
    let error = text.parse::<ShardArg>().unwrap_err();
    assert!(
        error.contains(why) && error.contains("--shard K/N"),
        "{error}"
    );
}

fn auto(variables: &[(&str, &str)]) -> Result<(Shard, Option<String>), ShardError> {
    let variables: BTreeMap<&str, &str> = variables.iter().copied().collect();
    ShardArg::Auto.resolve(|name| variables.get(name).map(|value| (*value).to_owned()))
}

#[rstest]
#[case::own(&[("CLAWGAUGE_SHARD", "2/3")], "2/3", "CLAWGAUGE_SHARD")]
#[case::gitlab(&[("CI_NODE_INDEX", "1"), ("CI_NODE_TOTAL", "4")], "1/4", "CI_NODE_INDEX and CI_NODE_TOTAL")]
#[case::buildkite(
    &[("BUILDKITE_PARALLEL_JOB", "0"), ("BUILDKITE_PARALLEL_JOB_COUNT", "4")],
    "1/4", "BUILDKITE_PARALLEL_JOB and BUILDKITE_PARALLEL_JOB_COUNT"
)]
#[case::kubernetes(
    &[("JOB_COMPLETION_INDEX", "3"), ("CLAWGAUGE_SHARDS", "4")],
    "4/4", "JOB_COMPLETION_INDEX and CLAWGAUGE_SHARDS"
)]
#[case::completions(
    &[("JOB_COMPLETION_INDEX", "3"), ("JOB_COMPLETIONS", "4")],
    "4/4", "JOB_COMPLETION_INDEX and JOB_COMPLETIONS"
)]
#[case::ours_first(
    &[("JOB_COMPLETION_INDEX", "1"), ("JOB_COMPLETIONS", "9"), ("CLAWGAUGE_SHARDS", "2")],
    "2/2", "JOB_COMPLETION_INDEX and CLAWGAUGE_SHARDS"
)]
#[case::empty_is_not_set(
    &[("CLAWGAUGE_SHARD", ""), ("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "2")],
    "2/2", "CI_NODE_INDEX and CI_NODE_TOTAL"
)]
#[case::two_agree(
    &[("CLAWGAUGE_SHARD", "2/4"), ("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "4")],
    "2/4", "CLAWGAUGE_SHARD"
)]
fn variables_say(#[case] set: &[(&str, &str)], #[case] shard: &str, #[case] by: &str) {
    let (found, names) = auto(set).unwrap();
    assert_eq!(
        (found.to_string().as_str(), names.unwrap().as_str()),
        (shard, by)
    );
}

#[rstest]
#[case::nothing(&[], "no variable of a pipeline")]
#[case::gitlab_without_parallel(&[("CI_NODE_TOTAL", "1")], "no variable of a pipeline")]
#[case::no_total(&[("JOB_COMPLETION_INDEX", "0")], "CLAWGAUGE_SHARDS or JOB_COMPLETIONS does not say of how many")]
#[case::beyond(&[("CI_NODE_INDEX", "5"), ("CI_NODE_TOTAL", "4")], "no shard 5 of 4")]
#[case::counted_from_0(&[("BUILDKITE_PARALLEL_JOB", "4"), ("BUILDKITE_PARALLEL_JOB_COUNT", "4")], "no shard 5 of 4")]
#[case::gitlab_has_no_0(&[("CI_NODE_INDEX", "0"), ("CI_NODE_TOTAL", "4")], "no shard 0 of 4")]
#[case::largest(&[("JOB_COMPLETION_INDEX", "4294967295"), ("CLAWGAUGE_SHARDS", "4")], "no shard 4294967295 of 4")]
#[case::no_number(&[("CI_NODE_INDEX", "two"), ("CI_NODE_TOTAL", "4")], "CI_NODE_INDEX: `two` is no number")]
#[case::own_is_auto(&[("CLAWGAUGE_SHARD", "auto")], "CLAWGAUGE_SHARD: `auto` is not K/N")]
#[case::two_disagree(
    &[("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "4"), ("JOB_COMPLETION_INDEX", "2"), ("CLAWGAUGE_SHARDS", "4")],
    "CI_NODE_INDEX and CI_NODE_TOTAL says shard 2/4, and JOB_COMPLETION_INDEX and CLAWGAUGE_SHARDS says shard 3/4"
)]
fn variables_do_not_say(#[case] set: &[(&str, &str)], #[case] why: &str) {
    let error = auto(set).unwrap_err();
    assert!(error.to_string().contains(why), "{error}");
    assert!(error.help().contains("CLAWGAUGE_SHARD"), "{error:?}");
}

/// Whoever names the shard is not asked what a pipeline thinks.
#[test]
fn a_given_shard_heeds_no_variable() {
    let given: ShardArg = "2/3".parse().unwrap();
    let found = given.resolve(|_| Some("7".to_owned())).unwrap();
    assert_eq!(found, (Shard::new(2, 3).unwrap(), None));
}

proptest! {
    /// Of any list each thing is in exactly one part, and no part has more than one thing more than another.
    #[test]
    fn parts_are_a_partition(of in 1u32..40, things in 0usize..200) {
        let shards: Vec<Shard> = (1..=of).map(|number| Shard::new(number, of).unwrap()).collect();
        let mut sizes = vec![0usize; shards.len()];
        for place in 0..things {
            let takers: Vec<usize> = (0..shards.len()).filter(|shard| shards[*shard].takes(place)).collect();
            prop_assert_eq!(takers.len(), 1);
            sizes[takers[0]] += 1;
        }
        let (most, least) = (sizes.iter().max().unwrap(), sizes.iter().min().unwrap());
        prop_assert!(most - least <= 1);
    }
}
