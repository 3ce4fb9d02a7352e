//! Which cells apply to a running gateway, and which of those are safe to ask. Pure.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::probe::CATCH_ALL;
use super::{AttachOptions, Capabilities, Mode, named};
use base::template::{Part, parts};
use contract::plan::{Cell, Way, cells};
use contract::request::{Written, with_caller, written};
use contract::scenario::CALLER;
use contract::scenario::Catalogue;
use contract::scenario::model::{Direction, Kind, Outcome, Protocol};
use contract::scenario::sender::SENDER_AXIS;

/// How the secrets begin that a launch is given.
const OWN_BEGINNING: &str = "Bearer cG-";

/// A cell of the found mode, and what is done about it.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The cell.
    pub cell: Cell,
    /// How it is asked, or why it is not.
    pub what: Result<Chosen, String>,
}

/// How a cell is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// It can do no harm.
    Harmless,
    /// It shows a wrong credential.
    Wrong,
    /// It may reach the model.
    Model,
}

impl Chosen {
    /// When it is asked.
    pub(super) fn turn(self) -> u8 {
        match self {
            Self::Harmless => 0,
            Self::Wrong => 1,
            Self::Model => 2,
        }
    }
}

impl Choice {
    /// How it is asked, if it is.
    pub fn asked(&self) -> Option<Chosen> {
        self.what.as_ref().ok().copied()
    }

    /// Whether it is asked.
    pub fn is_asked(&self) -> bool {
        self.what.is_ok()
    }
}

/// Method, path without query, and body: what decides whether a caller who is let in reaches the model.
type Key = (String, String, String);

/// Which requests may reach the model, from everything that rules and known issues say of any release.
#[derive(Debug)]
pub struct Safety {
    /// By request: whether a caller who was let in was ever seen to reach the model, and ever seen not to.
    seen: HashMap<Key, (bool, bool)>,
}

impl Safety {
    /// Reads the tables.
    pub fn new(catalogue: &Catalogue) -> Self {
        let mut seen: HashMap<Key, (bool, bool)> = HashMap::new();
        for cell in cells(catalogue).filter(|cell| cell.scenario.kind != Kind::Start) {
            let entry = seen.entry(key(&written(&cell))).or_default();
            for outcome in every_outcome(catalogue, &cell) {
                entry.0 |= outcome.model_calls > 0;
                entry.1 |= outcome.model_calls == 0 && outcome.direction == Direction::Allow;
            }
        }
        Self { seen }
    }

    /// Whether a request cannot reach a model, even if a broken gateway lets its caller in.
    pub fn is_safe(&self, request: &Written) -> bool {
        let key = key(request);
        let (reaches, stays) = self.seen.get(&key).copied().unwrap_or_default();
        // On a route to the model what was never seen to end before it might not.
        let to_model = self.seen.iter().any(|((method, path, _), (reaches, _))| {
            *reaches && *method == key.0 && *path == key.1
        });
        !reaches && (!to_model || stays)
    }
}

fn key(request: &Written) -> Key {
    (
        request.method.clone(),
        request.path().to_owned(),
        request.body.clone(),
    )
}

/// What any rule or known issue of any release says of a cell.
fn every_outcome<'a>(catalogue: &'a Catalogue, cell: &'a Cell) -> Vec<&'a Arc<Outcome>> {
    let at = &cell.combination();
    let rules = cell.scenario.rules.iter();
    let rules = rules.filter(|rule| rule.when.iter().any(|when| when.matches(at)));
    let issues = catalogue
        .known_issues
        .iter()
        .flat_map(|issue| &issue.affects);
    let issues = issues.filter(|part| {
        part.scenario == cell.scenario.id && part.when.iter().any(|when| when.matches(at))
    });
    rules
        .filter_map(|rule| rule.expect.of(at))
        .chain(issues.filter_map(|part| part.observed.of(at)))
        .collect()
}

/// Decides about every cell of the found mode.
pub fn select(
    catalogue: &Catalogue,
    capabilities: &Capabilities,
    options: &AttachOptions,
    safety: &Safety,
) -> Vec<Choice> {
    let profile = capabilities.mode.profile();
    let mut models = options.limits.model_calls;
    let mut choices: Vec<Choice> = cells(catalogue)
        .filter(|cell| cell.profile() == profile)
        .map(|cell| {
            let what = choose(catalogue, capabilities, options, safety, &cell, &mut models);
            Choice { cell, what }
        })
        .collect();
    spare_wrong(&mut choices, options);
    choices
}

fn choose(
    catalogue: &Catalogue,
    capabilities: &Capabilities,
    options: &AttachOptions,
    safety: &Safety,
    cell: &Cell,
    models: &mut u32,
) -> Result<Chosen, String> {
    let no = |reason: &str| Err(reason.to_owned());
    let scenario = &cell.scenario;
    if let Some(reason) = &scenario.own_gateway {
        return no(reason);
    }
    match (scenario.kind, scenario.request.protocol) {
        (Kind::Requests, _) if contract::request::before(cell).next().is_some() => {
            return no("it takes more than one request");
        }
        (Kind::Requests, Protocol::Http) => {}
        (Kind::Sequence | Kind::Start, _) => return no("it takes a gateway of its own"),
        (Kind::Requests, Protocol::Websocket) => {
            return no("only HTTP is asked of a running gateway");
        }
    }
    if scenario.axes.iter().any(|axis| axis.name == SENDER_AXIS) {
        return no(
            "client libraries are tried on gateways of their own; who gets in is asked without them",
        );
    }
    match cell.way() {
        Way::AsProxy => {}
        Way::PastProxies | Way::AtGateway | Way::Through(_) => {
            return no("it is about proxies that clawgauge starts itself");
        }
    }
    let profile = catalogue.profiles.get(cell.profile());
    let caller = profile.map_or(&[][..], |profile| &profile.caller);
    let raw = written(cell);
    let wants_caller = raw.headers.iter().any(|line| line == CALLER);
    let request = with_caller(raw, caller);
    let path = without_dots(request.path());

    if capabilities.off.iter().any(|off| path.starts_with(off)) {
        return no("the route is switched off there");
    }
    if let Some(reason) = set_up_elsewhere(&path) {
        return no(reason);
    }
    let expected = cell.expected(&options.newest);
    if capabilities.hides(expected.map(|outcome| &**outcome)) {
        return no(CATCH_ALL);
    }
    if path == "/sessions/nobody/kill" {
        return no("it orders the end of a session, though of one that does not exist");
    }
    let names_host = |line: &String| line.to_ascii_lowercase().starts_with("host:");
    if !request.target.starts_with('/') || request.headers.iter().any(names_host) {
        return no("it names another host, which may lead to another server");
    }
    let clashes = |line: &&String| options.is_the_proxys(named(line));
    if let Some(line) = request.headers.iter().find(clashes) {
        let name = named(line);
        return Err(format!("it sends {name}, which your --headers-file holds"));
    }
    let forwarded = |line: &String| {
        let line = line.to_ascii_lowercase();
        ["x-forwarded-", "forwarded:", "x-real-ip:", "tailscale-"]
            .iter()
            .any(|name| line.starts_with(name))
    };
    if request.headers.iter().any(forwarded) {
        return no("it depends on which proxies are trusted there");
    }
    let names = placeholders(&request);
    if names.iter().any(|name| name == "model-key") {
        return no("it takes the key that the gateway has for its model");
    }
    let needs_secret = names.iter().any(|name| name == super::SECRET);
    let known = match capabilities.mode {
        Mode::None | Mode::Closed => false,
        Mode::Token | Mode::Password => options.credential.is_some(),
        Mode::TrustedProxy => !options.identity.is_empty(),
    };
    if (needs_secret || wants_caller) && !known && capabilities.mode != Mode::None {
        return no(
            "it takes the gateway's credential: CLAWGAUGE_ATTACH_SECRET, --credential-file or --identity-file",
        );
    }
    if needs_secret && options.credential.is_none() {
        return no("it takes a secret, and none is configured in this mode");
    }
    if request.target.contains("${secret") {
        return no(
            "it would write your secret into the logs of the gateway and of every proxy before it",
        );
    }
    if request
        .headers
        .iter()
        .any(|line| line.ends_with(OWN_BEGINNING))
    {
        return no("it shows the beginning of a secret that clawgauge makes itself");
    }
    let wrong = shows_wrong(capabilities.mode, &request, caller, expected, needs_secret);
    if !safety.is_safe(&request) {
        if wrong {
            return no(
                "a wrong credential on a route to the model: the same is asked with a body that reaches none",
            );
        }
        if *models == 0 {
            return no("who is let in reaches the model: --allow-model-calls N permits it");
        }
        *models -= 1;
        return Ok(Chosen::Model);
    }
    match wrong {
        true => Ok(Chosen::Wrong),
        false => Ok(Chosen::Harmless),
    }
}

/// Where a path with dot segments leads.
fn without_dots(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            ".." => drop(segments.pop()),
            "." => {}
            segment => segments.push(segment),
        }
    }
    segments.join("/")
}

/// What a path answers by reason of something else than auth.
fn set_up_elsewhere(path: &str) -> Option<&'static str> {
    match path {
        "/" => Some("what is at the root depends on the Control UI"),
        "/ready" | "/readyz" => Some("whether it is ready depends on its channels"),
        path if path.starts_with("/__openclaw__/") => {
            Some("it depends on which of its pages are switched on")
        }
        path if path.starts_with("/api/channels") => Some("it depends on its channels"),
        _ => None,
    }
}

/// Whether the gateway may count it as a wrong credential. In doubt it does.
fn shows_wrong(
    mode: Mode,
    request: &Written,
    caller: &[String],
    expected: Option<&Arc<Outcome>>,
    has_secret: bool,
) -> bool {
    if mode == Mode::None {
        return false;
    }
    let says_who = |line: &&String| {
        let name = line
            .split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let says_not = [
            "content-type",
            "accept",
            "x-openclaw-scopes",
            "x-openclaw-agent-id",
            "origin",
        ];
        !says_not.contains(&name.as_str())
    };
    let shown: Vec<&String> = request.headers.iter().filter(says_who).collect();
    let is_caller = !caller.is_empty() && shown.iter().copied().eq(caller);
    // The right secret in another spelling. A probe of life lets in everybody, and what it makes of a wrong one is its own affair.
    let lets_in =
        has_secret && expected.is_some_and(|outcome| outcome.direction == Direction::Allow);
    let shows = !shown.is_empty() || request.target.contains('?');
    shows && !is_caller && !lets_in
}

fn placeholders(request: &Written) -> Vec<String> {
    let texts = request
        .headers
        .iter()
        .chain([&request.target, &request.body]);
    let mut names = Vec::new();
    for text in texts {
        for part in parts(text).unwrap_or_default() {
            if let Part::Placeholder { name, .. } = part {
                names.push(name.to_owned());
            }
        }
    }
    names
}

/// Of the cells with a wrong credential keeps as many as the margin allows: first one a scenario, then the second, and so on.
fn spare_wrong(choices: &mut [Choice], options: &AttachOptions) {
    let known = options.credential.is_some() || !options.identity.is_empty();
    let margin = usize::try_from(options.limits.wrong_for(known)).unwrap_or(usize::MAX);
    let mut turns: BTreeMap<String, u32> = BTreeMap::new();
    let mut order: Vec<(bool, u32, usize)> = Vec::new();
    for (index, choice) in choices.iter().enumerate() {
        if choice.asked() != Some(Chosen::Wrong) {
            continue;
        }
        let expected = choice.cell.expected(&options.newest);
        let refused = expected.is_some_and(|outcome| outcome.id == "unauthorized");
        let turn = turns.entry(choice.cell.scenario.id.clone()).or_default();
        order.push((!refused, *turn, index));
        *turn += 1;
    }
    order.sort_unstable();
    for (_, _, index) in order.into_iter().skip(margin) {
        choices[index].what = Err(format!(
            "one more wrong credential than the {margin} that are safe below a lockout: --wrong-credentials N"
        ));
    }
}

#[cfg(test)]
mod tests;
