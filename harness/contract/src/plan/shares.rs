//! Which shard of a run makes which launch.
//!
//! The unit is the launch, one gateway under one profile, because launching is what takes the time, and because the steps
//! of a sequence and the proof that a refusal proves something live within one. [`Shares::new`] is pure and the same in
//! every shard: it depends on what is asked for, not on the order in which that was said, nor on what a registry answers.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::budget::Estimates;
use super::{Plan, PlannedLaunch, Selection, Shard};
use crate::release::{GatewayRef, Version};
use crate::scenario::Catalogue;

/// Milliseconds to download and install a release. What launches and requests take, `fixtures/timings.toml` says.
const INSTALL: u64 = 60_000;

/// Which part of a run a shard is, and what the whole is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Shares {
    /// Which shard this is, from 1.
    pub number: u32,
    /// How many shards there are.
    pub of: u32,
    /// Cells that all shards together were asked for.
    pub selected: usize,
    /// Every launch of the whole run, by gateway, in the order of the run, and the shard that makes it.
    pub launches: Vec<Share>,
}

/// A launch and the shard that makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Share {
    /// The gateway as the caller named it.
    pub gateway: String,
    /// Id of the profile.
    pub profile: String,
    /// Its cells, those included that cannot be asked of the release.
    pub cells: usize,
    /// The shard that makes it, from 1.
    pub shard: u32,
}

/// A launch with what it is estimated to take.
struct Work {
    gateway: usize,
    launch: PlannedLaunch,
    cost: u64,
}

impl Shares {
    /// Gives each launch of the gateways to a shard, so that all shards take about as long.
    ///
    /// The release beside a gateway is the one that it is taken for where its name does not say it: an estimate only.
    pub fn new(
        catalogue: &Catalogue,
        selection: &Selection,
        gateways: &[(GatewayRef, Version)],
        shard: Shard,
    ) -> Self {
        let mut work = Vec::new();
        for (gateway, (reference, release)) in gateways.iter().enumerate() {
            // By nothing that only this machine knows: all shards must agree.
            let estimates = Estimates::anywhere(catalogue.timings.of(reference, release));
            for launch in Plan::new(catalogue, release, selection).launches {
                let cost = estimate(&estimates, &launch, release);
                work.push(Work {
                    gateway,
                    launch,
                    cost,
                });
            }
        }
        let names: Vec<String> = gateways.iter().map(|(name, _)| name.to_string()).collect();
        let installs: Vec<u64> = gateways
            .iter()
            .map(|(name, _)| match name.is_installed() {
                true => INSTALL,
                false => 0,
            })
            .collect();
        let mut order: Vec<usize> = (0..work.len()).collect();
        order.sort_by_key(|place| {
            let Work {
                gateway,
                launch,
                cost,
            } = &work[*place];
            // Gateways in turn: one of them alone would fill its shard until another install seems to pay.
            (Reverse(*cost), &launch.profile, &names[*gateway])
        });
        let mut loads = vec![Load::default(); shard.of() as usize];
        let mut shards = vec![0; work.len()];
        for place in order {
            let Work { gateway, cost, .. } = &work[place];
            let with = |load: &Load| load.with(*gateway, *cost, installs[*gateway]);
            let least = (0..loads.len()).min_by_key(|shard| with(&loads[*shard]));
            let least = least.unwrap_or(0);
            loads[least].take(*gateway, *cost, installs[*gateway]);
            shards[place] = u32::try_from(least + 1).unwrap_or(u32::MAX);
        }
        let launches = work.iter().zip(shards).map(|(work, shard)| Share {
            gateway: names[work.gateway].clone(),
            profile: work.launch.profile.clone(),
            cells: work.launch.cells.len(),
            shard,
        });
        Self {
            number: shard.number(),
            of: shard.of(),
            selected: work.iter().map(|work| work.launch.cells.len()).sum(),
            launches: launches.collect(),
        }
    }

    /// The launches of this shard.
    pub fn mine(&self) -> impl Iterator<Item = &Share> {
        self.launches_of(self.number)
    }

    /// The launches of a shard.
    pub fn launches_of(&self, number: u32) -> impl Iterator<Item = &Share> {
        self.launches
            .iter()
            .filter(move |share| share.shard == number)
    }

    /// Whether this shard makes a launch of the gateway.
    pub fn has_gateway(&self, gateway: &str) -> bool {
        self.mine().any(|share| share.gateway == gateway)
    }

    /// Whether this shard makes the launch.
    pub fn has(&self, gateway: &str, profile: &str) -> bool {
        self.mine()
            .any(|share| share.gateway == gateway && share.profile == profile)
    }

    /// How many shards have something to do.
    pub fn busy(&self) -> usize {
        let shards = self.launches.iter().map(|share| share.shard);
        shards.collect::<BTreeSet<u32>>().len()
    }

    /// Leaves out of a gateway's plan what other shards do.
    pub fn cut(&self, gateway: &str, plan: &mut Plan) {
        plan.launches
            .retain(|launch| self.has(gateway, &launch.profile));
    }
}

/// What a launch takes, in milliseconds.
fn estimate(estimates: &Estimates, launch: &PlannedLaunch, release: &Version) -> u64 {
    let cells = launch.cells.askable();
    let cells = cells.map(|cell| estimates.cell(&cell, release));
    match launch.needs_gateway() {
        true => cells.fold(estimates.launch(launch, release).0, u64::saturating_add),
        false => 0,
    }
}

/// What a shard has been given.
#[derive(Debug, Clone, Default)]
struct Load {
    /// Milliseconds.
    cost: u64,
    gateways: BTreeSet<usize>,
}

impl Load {
    /// What it would be with one launch more: a gateway that it does not have yet must be installed.
    fn with(&self, gateway: usize, cost: u64, install: u64) -> u64 {
        let install = match self.gateways.contains(&gateway) {
            true => 0,
            false => install,
        };
        self.cost + cost + install
    }

    fn take(&mut self, gateway: usize, cost: u64, install: u64) {
        self.cost = self.with(gateway, cost, install);
        self.gateways.insert(gateway);
    }
}

#[cfg(test)]
mod tests;
