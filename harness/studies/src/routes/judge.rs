//! What the answers of a release say about its routes.
//!
//! The relation needs no expected value: whoever has no credential gets nothing but a denial that tells nothing, and what the
//! public list names. What is answered as on a path that nobody serves is no route.

use std::collections::BTreeMap;

use super::document::{
    Credential, Finding, FindingKind, Guard, Route, RouteVerdict, Routes, SCHEMA,
};
use super::inventory::Found;
use super::paths::ANY;
use contract::plan::cells;
use contract::request::written;
use contract::scenario::{Catalogue, Public, RouteRules};

/// The status of an answer to whoever asked too often.
pub(super) const TOO_MANY: u16 = 429;

/// A request that was asked three times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The profile.
    pub profile: String,
    /// Whether the profile asks for no credential.
    pub open: bool,
    /// The route by position; `None` for the path that no release serves.
    pub route: Option<usize>,
    /// The method.
    pub method: String,
    /// The spelling by position.
    pub spelling: usize,
    /// What was sent.
    pub target: String,
    /// The answer without a credential.
    pub absent: Option<Reply>,
    /// The answer with a wrong one; not asked where the others are as on the path that nobody serves.
    pub wrong: Option<Reply>,
    /// The answer with the right one.
    pub right: Option<Reply>,
}

/// An answer, as far as it counts here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// A hash of what it says, without the target: two answers that say the same have the same.
    pub says: String,
    /// Whether it holds a secret of the launch.
    pub tells_secret: bool,
    /// The beginning of the body, without secrets.
    pub body: String,
}

impl Asked {
    /// Whether it is answered as the same request for a path that nobody serves.
    pub fn is_as(&self, nothing: &Self) -> bool {
        let same = |one: &Option<Reply>, other: &Option<Reply>| match (one, other) {
            (Some(one), Some(other)) => one.status == other.status && one.says == other.says,
            _ => false,
        };
        same(&self.absent, &nothing.absent) && same(&self.right, &nothing.right)
    }

    /// Whether it asks the same of another path.
    pub fn is_beside(&self, other: &Self) -> bool {
        self.profile == other.profile
            && self.method == other.method
            && self.spelling == other.spelling
    }

    fn findings(&self, rules: &RouteRules, public: Option<&Public>) -> Vec<Finding> {
        let replies = [
            (Credential::Absent, &self.absent),
            (Credential::Wrong, &self.wrong),
        ];
        let found = replies.into_iter().filter_map(|(credential, reply)| {
            let reply = reply.as_ref()?;
            let may = |status| public.is_some_and(|public| public.answers.contains(&status));
            let kind = match reply.status {
                _ if reply.tells_secret => FindingKind::Secret,
                _ if self.open => return None,
                status if may(status) || rules.denied.contains(&status) => return None,
                200..400 => FindingKind::LetsIn,
                _ => FindingKind::Tells,
            };
            Some(Finding {
                kind,
                profile: self.profile.clone(),
                method: self.method.clone(),
                spelling: rules.spellings[self.spelling].id.clone(),
                target: self.target.clone(),
                credential,
                status: reply.status,
                body: reply.body.clone(),
            })
        });
        found.collect()
    }

    /// Whether the right credential makes a difference. That there were too many is none.
    fn is_guarded(&self) -> bool {
        let (Some(absent), Some(right)) = (&self.absent, &self.right) else {
            return false;
        };
        let too_many = [absent.status, right.status].contains(&TOO_MANY);
        !too_many && (absent.status != right.status || absent.says != right.says)
    }
}

/// Puts together what a release names and what it answers.
pub fn judge(
    gateway: &str,
    found: Vec<Found>,
    asked: &[Asked],
    rules: &RouteRules,
    public: &[Public],
    catalogue: &Catalogue,
) -> Routes {
    let known = known(catalogue);
    let mut of: BTreeMap<Option<usize>, Vec<&Asked>> = BTreeMap::new();
    for one in asked {
        of.entry(one.route).or_default().push(one);
    }
    let nothing = of.remove(&None).unwrap_or_default();
    let mut used = vec![false; public.len()];
    let mut routes: Vec<Route> = Vec::new();
    for (place, found) in found.into_iter().enumerate() {
        let entry = public.iter().position(|entry| entry.path == found.path);
        let asked = of.remove(&Some(place)).unwrap_or_default();
        let (verdict, findings, is_public) =
            verdict(&asked, &nothing, rules, entry.map(|entry| &public[entry]));
        if let Some(entry) = entry.filter(|_| is_public) {
            used[entry] = true;
        }
        let scenarios = scenarios(&found.path, &known);
        let why = entry.map(|entry| public[entry].reason.clone());
        routes.push(Route {
            new: verdict.is_served() && scenarios.is_empty() && why.is_none(),
            path: found.path,
            sources: found.sources,
            scenarios,
            public: why,
            verdict,
            guard: guard(&asked),
            findings,
        });
    }
    if !nothing.is_empty() {
        let (verdict, findings, _) = verdict(&nothing, &[], rules, None);
        routes.push(Route {
            path: rules.nothing.clone(),
            sources: Vec::new(),
            scenarios: Vec::new(),
            public: None,
            new: false,
            verdict: match verdict {
                wrong if wrong.is_wrong() => wrong,
                _ => RouteVerdict::Nothing,
            },
            guard: guard(&nothing),
            findings,
        });
    }
    let unused = public.iter().zip(used).filter(|(_, used)| !used);
    Routes {
        schema: SCHEMA.to_owned(),
        gateway: gateway.to_owned(),
        version: String::new(),
        profiles: Vec::new(),
        not_asked: Vec::new(),
        spellings: rules.spellings.iter().map(|one| one.id.clone()).collect(),
        unused: match asked.is_empty() {
            true => Vec::new(),
            false => unused.map(|(entry, _)| entry.path.clone()).collect(),
        },
        routes,
    }
}

/// What a route came to, what is wrong with it, and whether the public list lets anybody in.
fn verdict(
    asked: &[&Asked],
    nothing: &[&Asked],
    rules: &RouteRules,
    public: Option<&Public>,
) -> (RouteVerdict, Vec<Finding>, bool) {
    let is_nothing = |one: &Asked| {
        let mut nothing = nothing.iter();
        nothing.any(|nothing| nothing.is_beside(one) && one.is_as(nothing))
    };
    let served: Vec<&&Asked> = asked.iter().filter(|one| !is_nothing(one)).collect();
    let findings: Vec<Finding> = served
        .iter()
        .flat_map(|one| one.findings(rules, public))
        .collect();
    let is_public = served.iter().any(|one| {
        let replies = [&one.absent, &one.wrong].into_iter().flatten();
        let mut statuses = replies.map(|reply| reply.status);
        public.is_some_and(|public| statuses.any(|status| public.answers.contains(&status)))
    });
    let answered = asked.iter().any(|one| one.absent.is_some());
    // What a path means is told by how it is written: another spelling may be another route (`//x/v1` is `/v1` of the host x).
    let plain: Vec<&&&Asked> = served.iter().filter(|one| one.spelling == 0).collect();
    let verdict = match &findings[..] {
        [] if !answered => RouteVerdict::NotAsked,
        [] if plain.is_empty() => RouteVerdict::Nothing,
        [] if is_public => RouteVerdict::Public,
        [] if plain.iter().any(|one| one.is_guarded()) => RouteVerdict::Guarded,
        [] => RouteVerdict::Denied,
        some if some.iter().all(|one| one.kind == FindingKind::Tells) => RouteVerdict::Tells,
        _ => RouteVerdict::Open,
    };
    (verdict, findings, is_public)
}

/// What is answered to the path as it is written.
fn guard(asked: &[&Asked]) -> Vec<Guard> {
    let status = |reply: &Option<Reply>| reply.as_ref().map(|reply| reply.status);
    let plain = asked.iter().filter(|one| one.spelling == 0);
    let guards = plain.map(|one| Guard {
        profile: one.profile.clone(),
        method: one.method.clone(),
        absent: status(&one.absent),
        wrong: status(&one.wrong),
        right: status(&one.right),
    });
    guards.collect()
}

/// The paths that scenarios ask, by segments, and which scenarios.
fn known(catalogue: &Catalogue) -> BTreeMap<Vec<String>, Vec<String>> {
    let mut known: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for cell in cells(catalogue) {
        let target = written(&cell).target;
        let path = target.split('?').next().unwrap_or_default();
        let Some(path) = path.strip_prefix('/') else {
            continue;
        };
        let segments = path.split('/').map(str::to_owned).collect();
        let scenarios = known.entry(segments).or_default();
        if !scenarios.contains(&cell.scenario.id) {
            scenarios.push(cell.scenario.id.clone());
        }
    }
    known
}

/// The scenarios that ask a route.
fn scenarios(route: &str, known: &BTreeMap<Vec<String>, Vec<String>>) -> Vec<String> {
    let segments: Vec<&str> = route.trim_start_matches('/').split('/').collect();
    let is_it = |asked: &[String]| {
        let mut pairs = segments.iter().zip(asked);
        let is_same = |(segment, asked): (&&str, &String)| {
            (*segment == ANY && !asked.is_empty()) || segment == asked
        };
        asked.len() == segments.len() && pairs.all(is_same)
    };
    let asking = known.iter().filter(|(asked, _)| is_it(asked));
    let mut scenarios: Vec<String> = asking.flat_map(|(_, names)| names.clone()).collect();
    scenarios.sort();
    scenarios.dedup();
    scenarios
}
