//! Asks a release its own routes: launches it under each profile, and asks each path without a credential, with a wrong one and
//! with the right one.
//!
//! Read [`RouteRun::carry_out`]. The cells of the contract are not asked here; what the answers mean, [`judge`] says.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio_util::sync::CancellationToken;

use crate::attempt::Attempt;
use crate::gateway::prepare;
use crate::live::Live;
use crate::target::Target;
use crate::{Context, Events, RunOptions};
use base::files::sha256;
use base::text::{count, one_line};
use contract::exchange::Exchange;
use contract::plan::PlannedCells;
use contract::release::GatewayRef;
use contract::request::{Place, Written, fill};
use contract::scenario::{Catalogue, Profile, RouteRules};
use contract::snapshots::Snapshots;
use machine::instrument::InstrumentError;
use machine::send::{SendError, send};
use machine::sources::{Source, read_sources};
use record::events::LaunchLog;
use record::observe::tells;
use studies::routes::{Asked, Found, Piece, Reply, Routes, Wanted, inventory, judge};

/// A request takes no longer; streams that stay open are cut off.
const PATIENCE: Duration = Duration::from_secs(30);
/// So many bytes of a body are shown.
const SHOWN: usize = 120;
/// What stands in a path for a segment that may be anything, and what is sent.
const ANY: (&str, &str) = (":x", "clawgauge");

/// The routes cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum RoutesError {
    /// The gateway cannot be used; an event has said why.
    #[error("{0} cannot be used")]
    NoGateway(String),
    /// Its code cannot be read.
    #[error(transparent)]
    Sources(#[from] InstrumentError),
    /// A pattern of regions is none.
    #[error("scenarios/routes.toml: {0}")]
    Pattern(String),
}

/// What is needed to ask a release its routes.
#[derive(Debug)]
pub struct RouteRun<'a> {
    /// The profiles, and what scenarios ask.
    pub catalogue: &'a Catalogue,
    /// How gateways are launched and asked.
    pub options: &'a RunOptions,
    /// What is looked for and asked.
    pub rules: &'a RouteRules,
    /// The release.
    pub gateway: &'a GatewayRef,
    /// Whether it is launched and asked; else only what it names is told.
    pub asks: bool,
}

/// A path on its way: its position among the routes, `None` for the one that nobody serves, and how it is written.
type Path = (Option<usize>, String);

impl RouteRun<'_> {
    /// Reads what the release names, and asks it.
    ///
    /// # Errors
    /// A [`RoutesError`]. Profiles that do not start, and requests without an answer, are told in the document.
    pub async fn carry_out(
        &self,
        events: Events,
        cancel: CancellationToken,
    ) -> Result<Routes, RoutesError> {
        let context = Arc::new(Context {
            catalogue: self.catalogue.clone(),
            snapshots: Snapshots::default(),
            options: RunOptions {
                clients: false,
                ..self.options.clone()
            },
            events,
            cancel: cancel.clone(),
            interrupted: cancel,
            ends: OnceLock::new(),
        });
        let name = self.gateway.to_string();
        let prepared = prepare(&context, self.gateway).await;
        let (target, _folder) = prepared.ok_or_else(|| RoutesError::NoGateway(name.clone()))?;
        let found = self.found(&target)?;
        let mut paths: Vec<Path> = vec![(None, self.rules.nothing.clone())];
        let written = found.iter().map(|one| one.path.replace(ANY.0, ANY.1));
        paths.extend(written.enumerate().map(|(place, path)| (Some(place), path)));
        let (mut asked, mut profiles, mut not_asked) = (Vec::new(), Vec::new(), Vec::new());
        let known = self.rules.profiles_on(self.catalogue, &target.version);
        for profile in known.filter(|_| self.asks) {
            match self.ask(&context, &target, profile, &paths).await {
                Ok((answers, silence)) => {
                    profiles.push(profile.id.clone());
                    asked.extend(answers);
                    not_asked.extend(silence);
                }
                Err(why) => not_asked.push(why),
            }
        }
        let public = self.rules.public_on(&target.version);
        let judged = judge(&name, found, &asked, self.rules, &public, self.catalogue);
        Ok(Routes {
            version: target.version.to_string(),
            profiles,
            not_asked,
            ..judged
        })
    }

    /// What the release names.
    fn found(&self, target: &Target) -> Result<Vec<Found>, RoutesError> {
        let rules = &self.rules.inventory;
        let wanted = Wanted::new(rules).map_err(|error| RoutesError::Pattern(error.to_string()))?;
        let is_wanted = |region: &str, file: &str| wanted.has(region, file);
        let sources = read_sources(&target.program, &is_wanted)?;
        let pieces: Vec<Piece<'_>> = sources.iter().map(piece).collect();
        Ok(inventory(&pieces, rules, &wanted))
    }

    /// Launches a profile and asks each path; also what got no answer.
    async fn ask(
        &self,
        context: &Arc<Context>,
        target: &Target,
        profile: &Profile,
        paths: &[Path],
    ) -> Result<(Vec<Asked>, Option<String>), String> {
        let not_started = || format!("profile {} did not start", profile.id);
        let config = profile.launch_for(&target.version);
        let attempt = Attempt {
            context,
            target,
            profile: &profile.id,
            config: config.map_err(|_| not_started())?,
            number: 1,
            again: false,
        };
        let started = attempt.start(&PlannedCells::default()).await;
        let mut live = started.map_err(|_| not_started())?;
        let mut asked: Vec<Asked> = Vec::new();
        for (route, path) in paths {
            for (spelling, written) in self.rules.spellings.iter().enumerate() {
                let target = written.of(path)?;
                asked.extend(self.rules.methods.iter().map(|method| Asked {
                    profile: profile.id.clone(),
                    open: profile.mode == "none",
                    route: *route,
                    method: method.clone(),
                    spelling,
                    target: target.clone(),
                    absent: None,
                    wrong: None,
                    right: None,
                }));
            }
        }
        let all: Vec<usize> = (0..asked.len()).collect();
        let mut silence = Vec::new();
        let right = &profile.caller;
        for (place, reply) in self
            .send(context, &live, &asked, &all, &[], &mut silence)
            .await
        {
            asked[place].absent = Some(reply);
        }
        for (place, reply) in self
            .send(context, &live, &asked, &all, right, &mut silence)
            .await
        {
            asked[place].right = Some(reply);
        }
        // Last, since a wrong credential may lock out its caller; and only where something answers, since it may take seconds.
        let nothing: Vec<&Asked> = asked.iter().filter(|one| one.route.is_none()).collect();
        let is_served = |one: &Asked| {
            let mut nothing = nothing.iter();
            one.route.is_none() || !nothing.any(|other| other.is_beside(one) && one.is_as(other))
        };
        let served: Vec<usize> = (all.into_iter())
            .filter(|place| is_served(&asked[*place]))
            .collect();
        let wrong = &self.rules.wrong;
        let replies = self.send(context, &live, &asked, &served, wrong, &mut silence);
        for (place, reply) in replies.await {
            asked[place].wrong = Some(reply);
        }
        if !live.is_up().await {
            silence.push("the gateway ended".to_owned());
        }
        let stopped = live.stop().await;
        attempt.ended(stopped.exit_code, None, LaunchLog::default());
        let silence = silence.first().map(|first| {
            let requests = count(silence.len(), "request");
            format!(
                "profile {}: {requests} without an answer, such as {first}",
                profile.id
            )
        });
        Ok((asked, silence))
    }

    /// Sends some of the requests with these header lines; what got no answer is told.
    async fn send(
        &self,
        context: &Context,
        live: &Live,
        asked: &[Asked],
        places: &[usize],
        headers: &[String],
        silence: &mut Vec<String>,
    ) -> Vec<(usize, Reply)> {
        let options = &context.options;
        let at_a_time = options.jobs + options.denials;
        let replies = places.iter().map(async |place| {
            let one = &asked[*place];
            if context.cancel.is_cancelled() {
                return Err("interrupted".to_owned());
            }
            let reply = self.reply(live, one, headers, options.timeout.min(PATIENCE));
            let reply = reply.await;
            let reply = reply.map_err(|why| format!("{} {}: {why}", one.method, one.target))?;
            Ok((*place, reply))
        });
        let replies: Vec<Result<(usize, Reply), String>> = stream::iter(replies)
            .buffer_unordered(at_a_time.max(1))
            .collect()
            .await;
        let mut answered = Vec::new();
        for reply in replies {
            match reply {
                Ok(reply) => answered.push(reply),
                Err(why) => silence.push(why),
            }
        }
        answered
    }

    async fn reply(
        &self,
        live: &Live,
        asked: &Asked,
        headers: &[String],
        timeout: Duration,
    ) -> Result<Reply, String> {
        let peer = live.gateway.peer();
        let place = Place {
            secrets: &live.secrets,
            canary: "",
            port: peer.address.port(),
            words: &BTreeMap::new(),
        };
        let body = match asked.method.as_str() {
            "GET" | "HEAD" => "",
            _ => "{}",
        };
        let kind = (!body.is_empty()).then(|| "Content-Type: application/json".to_owned());
        let written = Written {
            method: asked.method.clone(),
            target: asked.target.clone(),
            headers: kind.into_iter().chain(headers.iter().cloned()).collect(),
            body: body.to_owned(),
        };
        let request = fill(written, &place).map_err(|error| error.to_string())?;
        let exchange = match send(peer, request, timeout).await {
            Ok(exchange) => exchange,
            // Whoever begins to answer has answered.
            Err(SendError::Unfinished { exchange, .. }) => *exchange,
            Err(error) => return Err(error.to_string()),
        };
        Ok(reply(&exchange, live, &asked.target))
    }
}

fn piece(source: &Source) -> Piece<'_> {
    Piece {
        region: source.region.as_deref(),
        file: &source.file,
        line: source.line,
        text: &source.text,
    }
}

fn reply(exchange: &Exchange, live: &Live, target: &str) -> Reply {
    let (response, redactor) = (&exchange.response, live.gateway.redactor());
    let body = String::from_utf8_lossy(&response.body);
    let body = redactor.text(&body).replace(target, "[target]");
    let headers = response.headers.iter();
    let kind = headers
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        .flat_map(|(_, value)| value.iter().copied())
        .collect::<Vec<u8>>();
    Reply {
        status: response.status,
        says: sha256(&[&kind[..], b"\n", body.as_bytes()].concat()),
        tells_secret: tells(response, redactor),
        body: one_line(&body).chars().take(SHOWN).collect(),
    }
}
