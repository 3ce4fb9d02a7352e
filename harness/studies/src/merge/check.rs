//! Whether records are the shards of one run, each once, and of the same gateways.

use std::collections::BTreeMap;

use super::error::Sides;
use super::{MergeError, Part};
use contract::plan::{Share, Shares};
use record::{GatewayRecord, Record};

/// What is the same in all shards of one run, and what to do where it is not.
const COMMON: [Common; 9] = [
    Common {
        what: "the numbers of shards",
        of: |record| shares(record, |shares| vec![shares.of.to_string()]),
        help: "run all shards with the same N of --shard K/N",
    },
    Common {
        what: "the scenario files (run.table_hash)",
        of: |record| vec![record.run.table_hash.clone()],
        help: "run all shards with the same checkout or release of clawgauge",
    },
    Common {
        what: "the snapshots (run.snapshots_hash)",
        of: |record| record.run.snapshots_hash.iter().cloned().collect(),
        help: "run all shards with the same checkout or release of clawgauge",
    },
    Common {
        what: "the versions of clawgauge",
        of: |record| vec![record.run.harness.clone()],
        help: "run all shards with the same clawgauge",
    },
    Common {
        what: "the cells asked for",
        of: |record| {
            let mut asked = [record.run.cells.clone(), record.run.conditions.clone()];
            asked.iter_mut().for_each(|words| words.sort());
            asked.concat()
        },
        help: "give all shards the same cells and --where",
    },
    Common {
        what: "the launches",
        of: |record| {
            shares(record, |shares| {
                let launches = shares.launches.iter();
                let launches = launches.map(|share| {
                    let Share {
                        gateway,
                        profile,
                        cells,
                        shard,
                    } = share;
                    format!("{gateway}, profile {profile}, {cells} cells, in shard {shard}")
                });
                launches.collect()
            })
        },
        help: "give all shards the same gateways, in the same order, and the same --release",
    },
    Common {
        what: "the days on which known issues are heeded",
        of: |record| {
            let day = record.run.known_issues_on.clone();
            day.into_iter().collect()
        },
        help: "give all shards the same --known-issues; where they may run past midnight (UTC), give them the same SOURCE_DATE_EPOCH",
    },
    Common {
        what: "what makes the run fail",
        of: |record| {
            let (fail_on, severity) = (record.run.fail_on, record.run.severity);
            vec![format!("{fail_on:?} and {severity:?}").to_lowercase()]
        },
        help: "give all shards the same --fail-on and --severity",
    },
    Common {
        what: "the baselines",
        of: |record| {
            let baseline = record.run.baseline.clone();
            baseline.into_iter().collect()
        },
        help: "give all shards the same --baseline",
    },
];

/// One thing that is the same in all shards.
struct Common {
    what: &'static str,
    /// In pieces, of which the first that differs is told.
    of: fn(&Record) -> Vec<String>,
    help: &'static str,
}

fn shares(record: &Record, of: impl Fn(&Shares) -> Vec<String>) -> Vec<String> {
    record.run.shard.as_ref().map(of).unwrap_or_default()
}

/// The first part and what it says of the whole, if the parts are all shards of one run, each once.
pub(super) fn whole<'a, 'b>(
    parts: &'a [Part<'b>],
) -> Result<(&'a Part<'b>, &'a Shares), MergeError> {
    let first = parts.first().ok_or(MergeError::Nothing)?;
    let shares = first.shares()?;
    for part in parts {
        let mine = part.shares()?;
        let shard = |shares: &Shares| format!("shard {} of {}", shares.number, shares.of);
        for common in &COMMON {
            let (said, other) = ((common.of)(first.head()), (common.of)(part.head()));
            if said != other {
                let pairs = said.iter().zip(&other);
                let place = pairs.take_while(|(said, other)| said == other).count();
                let word = |words: &[String]| {
                    let word = words.get(place);
                    word.map_or_else(|| "none".to_owned(), String::clone)
                };
                let (said, other) = (word(&said), word(&other));
                return Err(MergeError::Mixed {
                    what: common.what,
                    sides: Box::new(Sides {
                        first: format!("{}, {}", shard(shares), first.name),
                        said,
                        second: format!("{}, {}", shard(mine), part.name),
                        other,
                    }),
                    help: common.help,
                });
            }
        }
    }
    let mut by_number: BTreeMap<u32, &Part<'_>> = BTreeMap::new();
    for part in parts {
        let shard = part.shares()?.number;
        if let Some(other) = by_number.insert(shard, part) {
            return Err(MergeError::ShardTwice {
                shard,
                first: other.name.clone(),
                second: part.name.clone(),
            });
        }
    }
    let missing: Vec<(u32, Vec<String>)> = (1..=shares.of)
        .filter(|number| !by_number.contains_key(number))
        .map(|number| {
            let launches = shares.launches_of(number);
            let launches = launches.map(|share| format!("{} on {}", share.profile, share.gateway));
            (number, launches.collect())
        })
        .collect();
    match missing.is_empty() {
        true => Ok((first, shares)),
        false => Err(MergeError::Gap {
            missing,
            of: shares.of,
        }),
    }
}

/// The gateways of the whole run, in its order.
pub(super) fn gateways(shares: &Shares) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for share in &shares.launches {
        if !names.contains(&share.gateway.as_str()) {
            names.push(&share.gateway);
        }
    }
    names
}

/// The shard that makes a launch.
pub(super) fn shard_of(shares: &Shares, gateway: &str, profile: &str) -> Option<u32> {
    let mut launches = shares.launches.iter();
    let share = launches.find(|share| share.gateway == gateway && share.profile == profile)?;
    Some(share.shard)
}

/// Whether two shards asked the same gateway.
pub(super) fn same_gateway(
    first: (&str, &GatewayRecord),
    second: (&str, &GatewayRecord),
) -> Result<(), MergeError> {
    let ((first, known), (second, mine)) = (first, second);
    let lacks = |gateway: &GatewayRecord| {
        let reasons = gateway.missing.values().cloned();
        Some(reasons.collect::<Vec<_>>().join("; ")).filter(|text| !text.is_empty())
    };
    let senders = |gateway: &GatewayRecord| {
        let senders = gateway.senders.iter().map(|sender| {
            let library = sender.library.as_deref().unwrap_or(&sender.id);
            format!("{library} on {}", sender.runtime)
        });
        Some(senders.collect::<Vec<_>>().join("; ")).filter(|text| !text.is_empty())
    };
    for (what, said, other) in [
        ("release", &known.version, &mine.version),
        ("integrity", &known.integrity, &mine.integrity),
        ("Node", &known.node, &mine.node),
        ("lack of tools", &lacks(known), &lacks(mine)),
        ("client libraries", &senders(known), &senders(mine)),
    ] {
        if said != other {
            let word = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
            return Err(MergeError::Gateway {
                gateway: mine.reference.clone(),
                what,
                sides: Box::new(Sides {
                    first: first.to_owned(),
                    said: word(said),
                    second: second.to_owned(),
                    other: word(other),
                }),
            });
        }
    }
    Ok(())
}
