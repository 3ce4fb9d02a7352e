use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::data::Data;

/// The contract as it is.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap();
    Catalogue::load(&Data::Folder(root.to_path_buf())).unwrap()
});

fn gateway(name: &str) -> (GatewayRef, Version) {
    let release = name.strip_prefix("openclaw@").unwrap_or("2026.9.6");
    (name.parse().unwrap(), release.parse().unwrap())
}

fn shares(wheres: &[&str], names: &[&str], shard: &str) -> Shares {
    let wheres: Vec<String> = wheres.iter().map(|text| (*text).to_owned()).collect();
    let selection = Selection::parse(&CATALOGUE, &[], &wheres).unwrap();
    let gateways: Vec<_> = names.iter().map(|name| gateway(name)).collect();
    Shares::new(&CATALOGUE, &selection, &gateways, shard.parse().unwrap())
}

/// Milliseconds of a launch, by the estimate.
fn cost(name: &str, launch: &PlannedLaunch) -> u64 {
    let (reference, release) = gateway(name);
    let estimates = Estimates::anywhere(CATALOGUE.timings.of(&reference, &release));
    estimate(&estimates, launch, &release)
}

/// Milliseconds of each shard, by the estimate.
fn loads(names: &[&str], of: u32) -> Vec<u64> {
    let whole = shares(&[], names, &format!("1/{of}"));
    let plans: BTreeMap<String, Plan> = names
        .iter()
        .map(|name| {
            let plan = Plan::new(&CATALOGUE, &gateway(name).1, &Selection::default());
            ((*name).to_owned(), plan)
        })
        .collect();
    let mut loads = vec![0; of as usize];
    for share in &whole.launches {
        let mut launches = plans[&share.gateway].launches.iter();
        let launch = launches.find(|launch| launch.profile == share.profile);
        loads[share.shard as usize - 1] += cost(&share.gateway, launch.unwrap());
    }
    loads
}

/// Nobody has much more to do than the others: at most what one launch takes.
#[test]
fn shards_take_about_as_long() {
    for of in 2..=6 {
        let loads = loads(&["reference"], of);
        let plan = Plan::new(&CATALOGUE, &gateway("reference").1, &Selection::default());
        let launches = plan.launches.iter();
        let largest = launches.map(|launch| cost("reference", launch));
        let mean = loads.iter().sum::<u64>() / u64::from(of);
        let most = loads.iter().max().unwrap();
        assert!(*most <= mean + largest.max().unwrap(), "{of}: {loads:?}");
        assert!(loads.iter().all(|load| *load > 0), "{of}: {loads:?}");
    }
}

/// A release is installed on as many machines as pays: two of the same size stay on one each, and one alone does not.
#[test]
fn a_release_stays_together() {
    let machines = |names: &[&str], of: u32| -> Vec<usize> {
        let whole = shares(&[], names, &format!("1/{of}"));
        let of = |name: &&str| {
            let mine = whole.launches.iter().filter(|share| share.gateway == *name);
            mine.map(|share| share.shard)
                .collect::<BTreeSet<u32>>()
                .len()
        };
        names.iter().map(of).collect()
    };
    assert_eq!(
        machines(&["openclaw@2026.9.4", "openclaw@2026.9.5"], 2),
        [1, 1]
    );
    assert_eq!(machines(&["openclaw@2026.9.6"], 2), [2]);
}

/// A shard that has nothing to do is no reason for another to have more.
#[test]
fn more_shards_than_launches() {
    let whole = shares(&["profile=none,token"], &["reference"], "5/5");
    assert_eq!((whole.launches.len(), whole.busy()), (2, 2));
    assert_eq!(whole.mine().count(), 0);
    assert!(!whole.has_gateway("reference"));
}

#[test]
fn the_order_of_what_is_asked_for_does_not_matter() {
    let names = ["openclaw@2026.9.6", "reference", "openclaw@2026.3.28"];
    let (one, two) = (
        shares(&["profile!=none", "scopes=absent"], &names, "2/4"),
        shares(
            &["scopes=absent", "profile!=none"],
            &[names[2], names[0], names[1]],
            "2/4",
        ),
    );
    let places = |shares: &Shares| -> BTreeMap<(String, String), u32> {
        let of = |share: &Share| ((share.gateway.clone(), share.profile.clone()), share.shard);
        shares.launches.iter().map(of).collect()
    };
    assert_eq!(places(&one), places(&two));
    assert_eq!(one.selected, two.selected);
}

proptest! {
    // The whole contract each time.
    #![proptest_config(ProptestConfig::with_cases(8))]

    /// The shards of any number cut the plan into pieces that make it up again: no cell is lost, none comes twice, and
    /// none changes its id or its order.
    #[test]
    fn shards_are_a_partition(of in prop_oneof![1u32..12, 55u32..65], wheres in prop::sample::select(vec![
        vec![], vec!["profile=none"], vec!["profile!=none"], vec!["credential=valid,wrong"],
    ])) {
        let owned: Vec<String> = wheres.iter().map(|text: &&str| (*text).to_owned()).collect();
        let selection = Selection::parse(&CATALOGUE, &[], &owned).unwrap();
        let release = gateway("reference").1;
        let whole = Plan::new(&CATALOGUE, &release, &selection);
        let first = shares(&wheres, &["reference"], &format!("1/{of}"));
        prop_assert_eq!(first.selected, whole.len());
        let mut pieces: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for number in 1..=of {
            let mine = shares(&wheres, &["reference"], &format!("{number}/{of}"));
            prop_assert_eq!(&mine.launches, &first.launches);
            let mut plan = whole.clone();
            mine.cut("reference", &mut plan);
            prop_assert_eq!(plan.launches.len(), mine.mine().count());
            for launch in plan.launches {
                let cells = launch.cells.iter().map(|planned| planned.cell.id()).collect();
                prop_assert!(pieces.insert(launch.profile, cells).is_none(), "twice");
            }
        }
        for launch in &whole.launches {
            let cells: Vec<String> = launch.cells.iter().map(|planned| planned.cell.id()).collect();
            prop_assert_eq!(pieces.remove(&launch.profile), Some(cells));
        }
        prop_assert!(pieces.is_empty());
    }
}
