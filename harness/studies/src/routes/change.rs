//! What differs between the routes of two releases.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Guard, Route, Routes};
use super::judge::TOO_MANY;

/// What differs between the routes of two releases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RoutesChange {
    /// `clawgauge.routes-change/1`.
    pub schema: String,
    /// The releases.
    pub before: Side,
    /// The other one.
    pub after: Side,
    /// Routes that only the second one names.
    pub came: Vec<Route>,
    /// Routes that only the first one names.
    pub went: Vec<Route>,
    /// Routes that both name, and that answer differently. Only what both were asked is compared.
    pub changed: Vec<Changed>,
    /// Routes that are the same.
    pub same: usize,
}

/// One of the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Side {
    /// The gateway.
    pub gateway: String,
    /// Its release.
    pub version: String,
    /// The profiles under which it was asked; none where only what it names is known.
    pub profiles: Vec<String>,
}

/// A route that answers differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Changed {
    /// As it was.
    pub before: Route,
    /// As it is.
    pub after: Route,
}

/// When a limit is reached depends on who asked before.
fn without_limits(mut guard: Guard) -> Guard {
    if [guard.absent, guard.wrong, guard.right].contains(&Some(TOO_MANY)) {
        (guard.absent, guard.wrong, guard.right) = (None, None, None);
    } else if guard.absent == guard.right {
        // It makes no difference, and may not have been asked.
        guard.wrong = None;
    }
    guard
}

impl RoutesChange {
    /// Compares two documents.
    pub fn between(before: &Routes, after: &Routes) -> Self {
        let by_path = |routes: &Routes| -> BTreeMap<String, Route> {
            let routes = routes.routes.iter().cloned();
            routes.map(|route| (route.path.clone(), route)).collect()
        };
        let side = |routes: &Routes| Side {
            gateway: routes.gateway.clone(),
            version: routes.version.clone(),
            profiles: routes.profiles.clone(),
        };
        let shared: Vec<&String> = before
            .profiles
            .iter()
            .filter(|profile| after.profiles.contains(profile))
            .collect();
        // A profile that only one of them knows says nothing about a change.
        let guard = |route: &Route| {
            let guards = route.guard.iter();
            let guards = guards.filter(|guard| shared.contains(&&guard.profile));
            guards.cloned().map(without_limits).collect::<Vec<_>>()
        };
        let is_asked = !shared.is_empty();
        let same_profiles = before.profiles == after.profiles;
        let (mut olds, news) = (by_path(before), by_path(after));
        let (mut came, mut changed, mut same) = (Vec::new(), Vec::new(), 0);
        for (path, after) in news {
            let Some(before) = olds.remove(&path) else {
                came.push(after);
                continue;
            };
            let differs = guard(&before) != guard(&after)
                || (same_profiles && before.verdict != after.verdict);
            match is_asked && differs {
                true => changed.push(Changed { before, after }),
                false => same += 1,
            }
        }
        Self {
            schema: "clawgauge.routes-change/1".to_owned(),
            before: side(before),
            after: side(after),
            came,
            went: olds.into_values().collect(),
            changed,
            same,
        }
    }

    /// The routes that must not answer as they do, and did not before.
    pub fn worse(&self) -> impl Iterator<Item = &Route> {
        let changed = self.changed.iter();
        let changed = changed.filter(|one| !one.before.verdict.is_wrong());
        let now = self.came.iter().chain(changed.map(|one| &one.after));
        now.filter(|route| route.verdict.is_wrong())
    }
}
