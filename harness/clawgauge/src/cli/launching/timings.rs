//! What a run's launches and requests take, kept beside the release for the estimates of later runs.

use std::collections::BTreeMap;
use std::time::Instant;

use contract::plan::budget::{RequestKind, Taken};
use contract::release::{GatewayRef, Version};
use contract::scenario::Catalogue;
use machine::install::timings;
use record::events::{CellResult, LaunchInfo, RunEvent};
use runner::RunOptions;

/// Measures the launches of a run by its events. Only of published releases: whoever builds a gateway has another one each time.
#[derive(Debug)]
pub(super) struct Stopwatch {
    gateways: Vec<GatewayRef>,
    releases: BTreeMap<String, Version>,
    /// By gateway and profile.
    launches: BTreeMap<(String, String), Lap>,
}

/// A launch.
#[derive(Debug)]
struct Lap {
    started: Instant,
    ready: Option<Instant>,
    taken: Taken,
    /// Whether it came to its end as it should.
    ended: bool,
}

impl Stopwatch {
    pub(super) fn new(options: &RunOptions) -> Self {
        let published = |gateway: &&GatewayRef| matches!(gateway, GatewayRef::Published(_));
        Self {
            gateways: options.gateways.iter().filter(published).cloned().collect(),
            releases: BTreeMap::new(),
            launches: BTreeMap::new(),
        }
    }

    /// Takes in one event, when it happens.
    pub(super) fn event(&mut self, event: &RunEvent) {
        match event {
            RunEvent::GatewayReady(info) => {
                let release = info.version.clone();
                if self
                    .gateways
                    .iter()
                    .any(|known| known.to_string() == info.gateway)
                {
                    self.releases.insert(info.gateway.clone(), release);
                }
            }
            RunEvent::LaunchStarted { gateway, profile } => {
                let lap = Lap {
                    started: Instant::now(),
                    ready: None,
                    taken: Taken {
                        profile: profile.clone(),
                        ..Taken::default()
                    },
                    ended: false,
                };
                self.launches
                    .insert((gateway.clone(), profile.clone()), lap);
            }
            RunEvent::LaunchReady {
                gateway, profile, ..
            } => {
                let place = (gateway.clone(), profile.clone());
                if let Some(lap) = self.launches.get_mut(&place) {
                    lap.ready = Some(Instant::now());
                }
            }
            RunEvent::LaunchEnded(info) => self.ended(info),
            RunEvent::Cell(result) => self.cell(result),
            _ => {}
        }
    }

    fn ended(&mut self, info: &LaunchInfo) {
        let place = (info.gateway.clone(), info.profile.clone());
        let Some(lap) = self.launches.get_mut(&place) else {
            return;
        };
        lap.ended = info.failure.is_none() && !info.killed;
        match (info.ready, info.stop, lap.ready) {
            (Some(ready), Some(stop), Some(since)) => {
                lap.taken.up = Some(ready + stop);
                lap.taken.asking = since.elapsed().saturating_sub(stop);
            }
            // What neither got up nor failed was refused, as it should be, or stopped on the way: its cells tell.
            _ => {
                lap.taken.refused = Some(lap.started.elapsed());
                lap.ended = false;
            }
        }
    }

    fn cell(&mut self, result: &CellResult) {
        let gateway = &result.facts.gateway;
        let Some(release) = self.releases.get(gateway) else {
            return;
        };
        let place = (gateway.clone(), result.cell.profile().to_owned());
        let Some(lap) = self.launches.get_mut(&place) else {
            return;
        };
        match &result.facts.observed {
            Some(observed) if observed.start.is_none() => {
                let kind = RequestKind::of(&result.cell, release);
                lap.taken.requests.push((kind, result.took()));
            }
            Some(_) => lap.ended |= lap.taken.refused.is_some(),
            None => {}
        }
    }

    /// Keeps what was measured, where that can be done: nothing depends on it.
    pub(super) fn keep(&self, catalogue: &Catalogue, options: &RunOptions) {
        let Some(cache) = &options.install.cache else {
            return;
        };
        for gateway in &self.gateways {
            let name = gateway.to_string();
            let Some(release) = self.releases.get(&name) else {
                continue;
            };
            let mine = self.launches.iter().filter(|((of, _), _)| *of == name);
            let ended = mine.filter(|(_, lap)| lap.ended);
            let taken: Vec<Taken> = ended.map(|(_, lap)| lap.taken.clone()).collect();
            if taken.is_empty() {
                continue;
            }
            let at_a_time = options.launches;
            let known = runner::estimates(catalogue, Some(cache), gateway, release, at_a_time);
            let measured = known.learn(&taken);
            if let Err(error) = timings::keep(cache, release, &measured) {
                tracing::debug!(%error, "what {name} took is not kept");
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_launch_that_failed_is_no_measure() {
        let mut watch = Stopwatch {
            gateways: Vec::new(),
            releases: BTreeMap::new(),
            launches: BTreeMap::new(),
        };
        let profile = |name: &str| (String::from("g"), String::from(name));
        for name in ["up", "killed", "failed", "stopped on the way"] {
            let (gateway, profile) = profile(name);
            let (of, named) = (gateway.clone(), profile.clone());
            watch.event(&RunEvent::LaunchStarted { gateway, profile });
            watch.event(&RunEvent::LaunchReady {
                gateway: of.clone(),
                profile: named.clone(),
                after: Duration::from_secs(3),
            });
            watch.event(&RunEvent::LaunchEnded(LaunchInfo {
                gateway: of,
                profile: named,
                attempt: 1,
                ready: (name != "stopped on the way").then(|| Duration::from_secs(3)),
                stop: Some(Duration::from_secs(1)),
                exit: None,
                killed: name == "killed",
                failure: (name == "failed").then(|| "it ended".to_owned()),
                proof: None,
                model: None,
                log: record::events::LaunchLog::default(),
            }));
        }
        let ended: Vec<&str> = watch
            .launches
            .iter()
            .filter(|(_, lap)| lap.ended)
            .map(|((_, profile), _)| profile.as_str())
            .collect();
        assert_eq!(ended, ["up"]);
        let up = &watch.launches[&profile("up")].taken;
        assert_eq!(up.up, Some(Duration::from_secs(4)));
    }
}
