//! One launch: start the gateway, ask every cell, judge, stop.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::gateway::{Target, partition};
use super::{CellResult, Context, Expected, LaunchInfo, RunEvent};
use crate::judge::{Difference, Proof, SnapshotView, Verdict, judge};
use crate::launch::{Gateway, LaunchSpec, launch};
use crate::observe::{Observation, observe};
use crate::plan::{Cell, PlannedCell};
use crate::redact::Redactor;
use crate::scenario::Launch;
use crate::send::{SendError, send};
use crate::snapshots::Snapshot;
use crate::upstream::{Upstream, new_canary};

/// Names of the random secrets that every launch has.
const SECRETS: [&str; 2] = ["secret", "model-key"];
/// How long after the last request a gateway's end is still noticed.
const EXIT_NOTICE: Duration = Duration::from_millis(50);
/// So many requests in a row without any answer, beyond those in flight, and the launch is given up.
const SILENCES: usize = 3;

/// Launches one profile of a gateway and asks its cells; everything is told in events.
pub(super) async fn run_launch(
    context: &Arc<Context>,
    target: &Arc<Target>,
    profile: String,
    cells: &[PlannedCell],
) {
    let (asked, skipped) = partition(cells);
    for planned in skipped {
        let reason = planned.not_applicable.clone().unwrap_or_default();
        emit_unseen(
            context,
            target,
            &planned.cell,
            Verdict::NotApplicable(reason),
        );
    }
    let Some(config) = context
        .catalogue
        .profiles
        .get(&profile)
        .and_then(|profile| profile.launch_for(&target.version).ok())
    else {
        return;
    };
    if asked.is_empty() {
        return;
    }
    let unseen = |reason: &str| {
        for planned in &asked {
            emit_unseen(
                context,
                target,
                &planned.cell,
                Verdict::CouldNotRun(reason.to_owned()),
            );
        }
    };
    if context.cancel.is_cancelled() {
        unseen("interrupted before it was asked");
        return;
    }

    context.emit(RunEvent::LaunchStarted {
        gateway: target.gateway.clone(),
        profile: profile.clone(),
    });
    let upstream = Upstream::start().await;
    let secrets: BTreeMap<String, String> = SECRETS
        .iter()
        .map(|name| ((*name).to_owned(), crate::launch::random_secret()))
        .collect();
    let spec = launch_spec(context, target, &profile, config, &secrets, &upstream);

    let mut gateway = match launch(&spec, &target.folder, &context.cancel).await {
        Ok(gateway) => gateway,
        Err(_) if context.cancel.is_cancelled() => {
            unseen("interrupted before it was asked");
            return;
        }
        Err(error) => {
            context.emit(RunEvent::LaunchFailed {
                gateway: target.gateway.clone(),
                profile: profile.clone(),
                error: error.to_string(),
                help: error.help(),
            });
            unseen("the gateway did not start");
            context.emit(RunEvent::LaunchEnded(LaunchInfo {
                gateway: target.gateway.clone(),
                profile,
                ready: None,
                stop: None,
                exit: error.exit_code(),
                killed: false,
                failure: Some("did not start".to_owned()),
            }));
            return;
        }
    };
    let ready = gateway.ready_after();
    context.emit(RunEvent::LaunchReady {
        gateway: target.gateway.clone(),
        profile: profile.clone(),
        after: ready,
    });

    let asker = Asker {
        context,
        target,
        profile: &profile,
        address: gateway.address(),
        redactor: Redactor::new(&secrets),
        upstream: &upstream,
        secrets: &secrets,
        ended: CancellationToken::new(),
        why: std::sync::OnceLock::new(),
        silences: AtomicUsize::new(0),
    };
    let answers = asker.ask_all(&asked, &mut gateway).await;
    let died = match asker.why.get() {
        None => None,
        Some(reason) => match tokio::time::timeout(EXIT_NOTICE, gateway.exited()).await {
            Ok(exit) => Some(format!("the gateway ended while it was asked: {exit}")),
            Err(_) => Some(reason.clone()),
        },
    };
    let control = answers.control;
    if let Some(reason) = &died
        && !context.cancel.is_cancelled()
    {
        let log = gateway.log_tail(12).join("\n");
        context.emit(RunEvent::LaunchFailed {
            gateway: target.gateway.clone(),
            profile: profile.clone(),
            error: format!("profile {profile}: {reason}\nlast lines of its log:\n{log}"),
            help: Some(format!("look at it alone: clawgauge run --where profile={profile} --gateway {} --keep-temp", target.gateway)),
        });
    }
    let stopped = gateway.stop().await;
    asker.judge_all(&asked, answers.cells, control);
    context.emit(RunEvent::LaunchEnded(LaunchInfo {
        gateway: target.gateway.clone(),
        profile,
        ready: Some(ready),
        stop: Some(stopped.duration),
        exit: stopped.exit_code,
        killed: stopped.killed,
        failure: died,
    }));
}

fn launch_spec(
    context: &Context,
    target: &Target,
    profile: &str,
    config: &Launch,
    secrets: &BTreeMap<String, String>,
    upstream: &Upstream,
) -> LaunchSpec {
    LaunchSpec {
        profile: profile.to_owned(),
        command: target.program.command.clone(),
        args: target.program.args.clone(),
        path_dirs: target.program.path_dirs.clone(),
        profile_args: config.args.clone(),
        env: config.env.clone(),
        config: config.config.clone(),
        secrets: secrets.clone(),
        upstream_url: upstream.base_url(),
        ready: context.catalogue.base.ready.clone(),
        ready_timeout: context.options.ready_timeout,
        stop_grace: context.options.stop_grace,
    }
}

/// The canary that a request carried, and what was seen, or why nothing was.
type Answer = (String, Result<Observation, String>);

/// What came of a launch's requests.
struct Answers {
    /// By position of the asked cell.
    cells: Vec<Answer>,
    /// Whether the positive control reached the model.
    control: bool,
}

/// Asks the cells of one running gateway.
struct Asker<'a> {
    context: &'a Arc<Context>,
    target: &'a Target,
    profile: &'a str,
    address: std::net::SocketAddr,
    redactor: Redactor,
    upstream: &'a Upstream,
    secrets: &'a BTreeMap<String, String>,
    /// Fires when asking on is pointless.
    ended: CancellationToken,
    /// Why it is pointless.
    why: std::sync::OnceLock<String>,
    silences: AtomicUsize,
}

impl Asker<'_> {
    async fn ask_all(&self, asked: &[&PlannedCell], gateway: &mut Gateway) -> Answers {
        let next = AtomicUsize::new(0);
        let workers = futures_util::future::join_all(
            (0..self.context.options.jobs.max(1)).map(|_| self.work(asked, &next)),
        );
        let work = async { tokio::join!(workers, self.control(asked)) };
        let mut work = std::pin::pin!(work);
        let (done, control) = tokio::select! {
            biased;
            done = &mut work => done,
            exit = gateway.exited() => {
                self.give_up(format!("the gateway ended while it was asked: {exit}"));
                work.await
            }
        };
        let mut cells: Vec<_> = done.into_iter().flatten().collect();
        cells.sort_by_key(|(index, _)| *index);
        Answers {
            cells: cells.into_iter().map(|(_, answer)| answer).collect(),
            control,
        }
    }

    /// Asks one cell after the other until there is none left.
    async fn work(&self, asked: &[&PlannedCell], next: &AtomicUsize) -> Vec<(usize, Answer)> {
        let mut answers = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(planned) = asked.get(index) else {
                return answers;
            };
            answers.push((index, self.ask(&planned.cell).await));
        }
    }

    /// The positive control: a request that must reach the model. Without it a denial proves nothing.
    async fn control(&self, asked: &[&PlannedCell]) -> bool {
        let Some(first) = asked.first() else {
            return false;
        };
        let Some(profile) = self.context.catalogue.profiles.get(self.profile) else {
            return false;
        };
        let canary = new_canary();
        let template = &first.cell.scenario.request;
        let Ok(request) =
            crate::request::build_control(template, &profile.control, self.secrets, &canary)
        else {
            return false;
        };
        let sent = send(self.address, request, self.context.options.timeout);
        tokio::select! {
            biased;
            () = self.ended.cancelled() => {}
            () = self.context.cancel.cancelled() => {}
            _ = sent => {}
        }
        self.upstream.calls(&canary) > 0
    }

    async fn ask(&self, cell: &Cell) -> Answer {
        let canary = new_canary();
        let request = match crate::request::build(cell, self.secrets, &canary) {
            Ok(request) => request,
            Err(error) => return (canary, Err(error.to_string())),
        };
        let sent = tokio::select! {
            biased;
            () = self.context.cancel.cancelled() => return (canary, Err("interrupted".to_owned())),
            () = self.ended.cancelled() => return (canary, Err(self.why.get().cloned().unwrap_or_default())),
            sent = send(self.address, request, self.context.options.timeout) => sent,
        };
        self.context.emit(RunEvent::Asked {
            gateway: self.target.gateway.clone(),
            profile: self.profile.to_owned(),
        });
        let seen = match sent {
            Ok(exchange) => {
                self.silences.store(0, Ordering::Relaxed);
                let calls = self.upstream.calls(&canary);
                let outcomes = self.context.catalogue.outcomes.values().map(Arc::as_ref);
                Ok(observe(&exchange, calls, &canary, &self.redactor, outcomes))
            }
            Err(error) => {
                // Whoever refuses connections is about to be seen to have ended.
                if matches!(error, SendError::Connect(_)) {
                    tokio::time::sleep(EXIT_NOTICE).await;
                }
                self.note_silence(&error);
                Err(self.redactor.text(&error.to_string()).into_owned())
            }
        };
        (canary, seen)
    }

    fn note_silence(&self, error: &SendError) {
        if !error.is_silence() {
            return;
        }
        let silences = 1 + self.silences.fetch_add(1, Ordering::Relaxed);
        if silences >= SILENCES + self.context.options.jobs {
            self.give_up(format!("given up after {silences} requests in a row without an answer; the last one: {error}"));
        }
    }

    fn give_up(&self, reason: String) {
        let _ = self.why.set(reason);
        self.ended.cancel();
    }

    /// Judges once the gateway has stopped: calls that reached the model after the answer count too.
    fn judge_all(&self, asked: &[&PlannedCell], answers: Vec<Answer>, control: bool) {
        let answers: Vec<Result<Observation, String>> = answers
            .into_iter()
            .map(|(canary, seen)| {
                seen.map(|observation| {
                    let calls = self.upstream.calls(&canary);
                    if calls == observation.model_calls {
                        observation
                    } else {
                        observation.with_late_calls(calls)
                    }
                })
            })
            .collect();
        let reached = control
            || answers
                .iter()
                .flatten()
                .any(|observation| observation.model_calls > 0);
        let proof = if reached {
            Proof::Shown
        } else {
            Proof::Missing
        };
        for (planned, seen) in asked.iter().zip(answers) {
            let cell = &planned.cell;
            let snapshot =
                self.context
                    .snapshots
                    .find(&cell.scenario, self.profile, &self.target.version);
            let Some(expected) = expected(self.target, cell) else {
                let reason = format!("no rule speaks about it on {}", self.target.version);
                emit_unseen(
                    self.context,
                    self.target,
                    cell,
                    Verdict::CouldNotRun(reason),
                );
                continue;
            };
            let (verdict, difference, observed) = match seen {
                Err(reason) => (Verdict::CouldNotRun(reason), None, None),
                Ok(observed) => {
                    let (verdict, difference) =
                        self.verdict(cell, &expected, &observed, snapshot, proof);
                    (verdict, difference, Some(observed))
                }
            };
            self.context.emit(RunEvent::Cell(Box::new(CellResult {
                gateway: self.target.gateway.clone(),
                cell: Arc::clone(cell),
                expected: Some(expected),
                observed,
                verdict,
                difference,
            })));
        }
    }

    fn verdict(
        &self,
        cell: &Cell,
        expected: &Expected,
        observed: &Observation,
        snapshot: Option<&Snapshot>,
        proof: Proof,
    ) -> (Verdict, Option<Difference>) {
        let accepted =
            snapshot.and_then(|snapshot| Some((snapshot, snapshot.cells.get(&cell.key())?)));
        let view = accepted.map_or(SnapshotView::Absent, |(_, answer)| SnapshotView::Accepted {
            answer: &answer.text,
            direction: answer.direction(&self.context.catalogue),
        });
        let verdict = judge(&expected.outcome, observed, view, proof);
        let by_rule = observed.outcome.as_deref() == Some(expected.outcome.id.as_str());
        let difference = match (&verdict, accepted) {
            (Verdict::Deviates(_), Some((snapshot, answer))) if by_rule => Some(Difference {
                snapshot: format!("{}:{}", snapshot.path(), answer.line),
                accepted: answer.text.clone(),
                observed: observed.answer.clone(),
            }),
            _ => None,
        };
        (verdict, difference)
    }
}

fn expected(target: &Target, cell: &Cell) -> Option<Expected> {
    cell.rule(&target.version).map(|rule| Expected {
        rule: rule.id.clone(),
        title: rule.title.clone(),
        origin: rule.origin.clone(),
        source: rule.source.clone(),
        outcome: Arc::clone(&rule.expect),
    })
}

fn emit_unseen(context: &Context, target: &Target, cell: &Arc<Cell>, verdict: Verdict) {
    context.emit(RunEvent::Cell(Box::new(CellResult {
        gateway: target.gateway.clone(),
        cell: Arc::clone(cell),
        expected: expected(target, cell),
        observed: None,
        verdict,
        difference: None,
    })));
}
