//! The rounds of an exploration: some launches and what each is asked, the oracle first; then findings once more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::{ExploreArgs, interrupted};
use crate::cli::launching::drive::RecordedRun;
use crate::cli::launching::tuning::TuningArgs;
use crate::cli::output::{Failure, Output};
use base::text::count;
use contract::plan::Selection;
use contract::release::{GatewayRef, Version};
use contract::scenario::model::Start;
use contract::scenario::{Catalogue, ExploreRules, Problems};
use contract::snapshots::Snapshots;
use record::events::CellResult;
use record::judge::Verdict;
use record::{Ending, Gate};
use runner::RunOptions;
use studies::explore::{
    Candidate, Expected, Exploration, ExploredProject, Finding, Launches, Maker, Questions,
    Requests, SCHEMA, STARTS, Tried, World, affordable, expected, fold_into_larger, known_on,
};

/// Launches of a real gateway in a round.
const ROUND: usize = 6;
/// Launches of the reference gateway in a round: it starts in no time.
const LIGHT_ROUND: usize = 32;
/// So much of the budget goes into launches that were not tried before; in the rest findings are tried again.
const EXPLORING: f64 = 0.8;
/// A request takes no longer, although an old release may let in many at a time whom the oracle denies.
const PATIENCE: Duration = Duration::from_secs(60);
/// So many launches of findings are tried again in one round.
const AGAIN: usize = 8;

/// An exploration under way.
pub(super) struct Explore<'a> {
    pub(super) args: &'a ExploreArgs,
    pub(super) tuning: &'a TuningArgs,
    pub(super) catalogue: &'a Catalogue,
    pub(super) rules: &'a ExploreRules,
    pub(super) output: &'a Output,
    pub(super) maker: Maker<'a>,
    /// What the answers are held against, in words.
    pub(super) authority: &'a str,
    /// What the oracle has said so far.
    pub(super) said: Expected,
    pub(super) begun: Instant,
}

/// What a round brought: the scenarios that were asked, and the answers.
struct Round {
    project: ExploredProject,
    results: Vec<CellResult>,
    not_judged: Vec<String>,
}

impl Explore<'_> {
    /// Tries launches until the budget or the launches are at an end; what ends by the budget is ended by `cancel`, too.
    pub(super) async fn carry_out(
        &mut self,
        earlier: Option<Exploration>,
        interrupted: &CancellationToken,
        cancel: &CancellationToken,
    ) -> Result<Exploration, Failure> {
        let version = self.version(&self.args.gateway, cancel).await?;
        let oracle = self.version(&self.args.against, cancel).await?;
        let mut launches = Launches::new(self.catalogue, self.rules, &version, self.args.seed);
        let refused = self.refused(&launches, cancel).await?;
        launches = launches.refusing(refused);
        let mut tried: Vec<Tried> = earlier.map(|earlier| earlier.launches).unwrap_or_default();
        let skipped = tried.len();
        launches.leave_out(tried.iter().cloned());
        let mut requests = Requests::new(self.rules, self.args.seed);
        for launch in &tried {
            let _ = requests.asked_of(launch, launch.mode(self.catalogue));
        }
        let world = World {
            rules: self.rules,
            contract: self.catalogue,
            authority: self.authority,
            known: known_on(self.catalogue, &version, &oracle),
        };
        let mut rounds: Vec<Round> = Vec::new();
        let (mut longest, mut answered) = (Duration::ZERO, 0);
        let size = match self.args.gateway {
            GatewayRef::Reference => LIGHT_ROUND,
            _ => ROUND,
        };
        while !cancel.is_cancelled() && self.has_time_for(longest, EXPLORING) {
            let left = self
                .args
                .launches_at_most
                .saturating_sub(tried.len() - skipped);
            let next: Vec<Tried> = launches.by_ref().take(size.min(left)).collect();
            if next.is_empty() {
                break;
            }
            let asked: Questions<'_> = next
                .iter()
                .map(|launch| {
                    (
                        launch.clone(),
                        requests.asked_of(launch, launch.mode(self.catalogue)),
                    )
                })
                .collect();
            let begun = Instant::now();
            let asked = self.affordable(asked, cancel).await?;
            let round = self.round(&asked, cancel).await?;
            longest = longest.max(begun.elapsed());
            // What was not asked is tried the next time.
            let Some(round) = round.filter(|_| !interrupted.is_cancelled()) else {
                break;
            };
            tried.extend(next);
            answered += round
                .results
                .iter()
                .filter(|result| result.facts.observed.is_some())
                .count();
            rounds.push(round);
            self.output.note(&format!(
                "{} of {} tried, {}",
                count(tried.len() - skipped, "launch"),
                self.args.gateway,
                count(answered, "answer"),
            ));
        }
        let mut findings = world.findings(&answers(&rounds));
        self.try_again(&world, &mut findings, longest, cancel)
            .await?;
        let found = Exploration {
            schema: SCHEMA.to_owned(),
            gateway: self.args.gateway.to_string(),
            version: version.to_string(),
            against: self.args.against.to_string(),
            seed: self.args.seed,
            interrupted: interrupted.is_cancelled(),
            seconds: self.begun.elapsed().as_secs(),
            earlier: skipped,
            launches: tried,
            started: started(&rounds),
            answered,
            not_judged: rounds
                .iter()
                .flat_map(|round| round.not_judged.iter().cloned())
                .collect(),
            not_asked: not_asked(&rounds),
            findings: fold_into_larger(findings, self.rules),
        };
        Ok(found)
    }

    fn has_time_for(&self, next: Duration, share: f64) -> bool {
        self.begun.elapsed() + next < self.args.budget.time().mul_f64(share)
    }

    /// The release that a gateway is.
    async fn version(
        &self,
        gateway: &GatewayRef,
        cancel: &CancellationToken,
    ) -> Result<Version, Failure> {
        let selection = Selection::only([]);
        let (head, _) = self.run(self.catalogue, gateway, selection, cancel).await?;
        let found = head.gateways.first();
        let version = found.and_then(|found| found.version.as_ref());
        match version.and_then(|version| version.parse().ok()) {
            Some(version) => Ok(version),
            None if cancel.is_cancelled() => Err(interrupted()),
            None => {
                let why = found.and_then(|found| found.error.clone());
                Err(Failure::new(
                    Ending::Gateway,
                    why.unwrap_or_else(|| gateway.to_string()),
                ))
            }
        }
    }

    /// Runs cells on a gateway; what happens is told in its events, and the results come back.
    async fn run(
        &self,
        catalogue: &Catalogue,
        gateway: &GatewayRef,
        selection: Selection,
        cancel: &CancellationToken,
    ) -> Result<(record::Record, Vec<CellResult>), Failure> {
        let options = self
            .tuning
            .options(catalogue, std::slice::from_ref(gateway), selection)?;
        let options = RunOptions {
            // Odd requests may hang a gateway.
            timeout: options.timeout.min(PATIENCE),
            clients: false,
            known_issues: None,
            ..options
        };
        let snapshots = Snapshots::default();
        let quiet = *gateway == GatewayRef::Reference && *gateway != self.args.gateway;
        let recorded = RecordedRun {
            catalogue,
            snapshots: &snapshots,
            output: self.output,
            progress: (!quiet).then(|| self.args.loudness.detail()),
            globs: &[],
            conditions: &[],
            fail_fast: false,
            keep_launches: false,
        };
        let run = recorded.drive(options, Gate::default(), cancel).await.run;
        Ok((run.head, run.results))
    }

    /// The single options that the reference gateway does not start with.
    async fn refused(
        &self,
        launches: &Launches<'_>,
        cancel: &CancellationToken,
    ) -> Result<Vec<Tried>, Failure> {
        let singles: Questions<'_> = launches
            .singles()
            .into_iter()
            .map(|tried| (tried, Vec::new()))
            .collect();
        let results = self
            .answers(&singles, &GatewayRef::Reference, cancel)
            .await?;
        let refused: BTreeSet<&str> = results
            .iter()
            .filter(|result| !is_up(result))
            .map(|result| result.cell.profile())
            .collect();
        let singles = singles.iter().map(|(tried, _)| tried);
        let refused = singles.filter(|tried| refused.contains(tried.id().as_str()));
        Ok(refused.cloned().collect())
    }

    /// What real gateways are asked, without most of what reaches the model: which kinds of requests do, the reference gateway tells at once.
    async fn affordable<'b>(
        &self,
        asked: Questions<'b>,
        cancel: &CancellationToken,
    ) -> Result<Questions<'b>, Failure> {
        let light = [&self.args.gateway, &self.args.against];
        if light
            .iter()
            .all(|gateway| **gateway == GatewayRef::Reference)
        {
            return Ok(asked);
        }
        let answers = self.answers(&asked, &GatewayRef::Reference, cancel).await?;
        let most = self.rules.model_requests_at_most;
        Ok(affordable(asked, &answers, most, self.args.seed))
    }

    /// What a gateway answers, whatever is expected.
    async fn answers(
        &self,
        asked: &Questions<'_>,
        gateway: &GatewayRef,
        cancel: &CancellationToken,
    ) -> Result<Vec<CellResult>, Failure> {
        let open = self.maker.open(asked)?;
        let selection = Selection::only(open.cells);
        let (_, answers) = self
            .run(&open.catalogue, gateway, selection, cancel)
            .await?;
        Ok(answers)
    }

    /// Asks the oracle first, then the gateway what the oracle has answered; nothing where it was ended before it answered.
    async fn round(
        &mut self,
        asked: &Questions<'_>,
        cancel: &CancellationToken,
    ) -> Result<Option<Round>, Failure> {
        let answers = self.answers(asked, &self.args.against, cancel).await?;
        let (expected, not_judged) =
            expected(self.catalogue, self.rules, &answers).map_err(Problems::from)?;
        if expected.is_empty() || cancel.is_cancelled() {
            return Ok(None);
        }
        let project = self.maker.judged(asked, &expected)?;
        self.said.extend(expected);
        let selection = Selection::only(project.cells.clone());
        let (_, results) = self
            .run(&project.catalogue, &self.args.gateway, selection, cancel)
            .await?;
        let round = Round {
            project,
            results,
            not_judged,
        };
        Ok(Some(round).filter(|round| !round.results.is_empty()))
    }

    /// Tries findings again on fresh launches: first what may be smallest, then, of what did not show, the cell as it was.
    async fn try_again(
        &mut self,
        world: &World<'_>,
        findings: &mut [Finding],
        round: Duration,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        for step in 0..3 {
            let is_open =
                |finding: &&mut Finding| finding.deviation.is_some() && finding.again.is_none();
            let mut open: Vec<&mut Finding> = findings.iter_mut().filter(is_open).collect();
            while !open.is_empty() && !cancel.is_cancelled() && self.has_time_for(round, 1.0) {
                let mut launches: BTreeSet<Tried> = BTreeSet::new();
                let (mut taken, mut left) = (Vec::new(), Vec::new());
                for finding in open {
                    let wanted = world.candidates(finding)[step].clone();
                    if wanted.is_empty() {
                        continue;
                    }
                    let more = launches.iter().chain(wanted.iter().map(|one| &one.tried));
                    let more: BTreeSet<Tried> = more.cloned().collect();
                    match more.len() <= AGAIN || launches.is_empty() {
                        true => {
                            launches = more;
                            taken.push((finding, wanted));
                        }
                        false => left.push(finding),
                    }
                }
                if taken.is_empty() {
                    break;
                }
                self.output.note(&format!(
                    "trying {} again on {}",
                    count(taken.len(), "finding"),
                    count(launches.len(), "fresh launch")
                ));
                let cells = taken.iter().flat_map(|(_, wanted)| wanted.clone());
                let together = Candidate::together(cells);
                if let Some(found) = self.round(&together, cancel).await? {
                    let answers = (&found.project.catalogue, &found.results[..]);
                    for (finding, wanted) in taken {
                        world.take_smallest(finding, &wanted, answers);
                    }
                }
                open = left;
            }
        }
        Ok(())
    }
}

fn answers(rounds: &[Round]) -> Vec<(&Catalogue, &[CellResult])> {
    let answers = rounds
        .iter()
        .map(|round| (&round.project.catalogue, &round.results[..]));
    answers.collect()
}

fn is_up(result: &CellResult) -> bool {
    let observed = result.facts.observed.as_ref();
    observed.is_some_and(|observed| observed.start == Some(Start::Up))
}

fn started(rounds: &[Round]) -> usize {
    let results = rounds.iter().flat_map(|round| &round.results);
    let up = results.filter(|result| result.cell.scenario.id == STARTS && is_up(result));
    up.count()
}

/// Why cells have no answer, each reason once for a launch, with the first cell and how many more there are.
fn not_asked(rounds: &[Round]) -> Vec<String> {
    let results = rounds.iter().flat_map(|round| &round.results);
    let mut reasons: BTreeMap<(String, &str), (String, usize)> = BTreeMap::new();
    for result in results {
        let Verdict::CouldNotRun(reason) = &result.facts.verdict else {
            continue;
        };
        // A gateway that does not start is told by the cell that asks for it.
        if !reason.contains("did not start") {
            let launch = (result.cell.profile().to_owned(), reason.as_str());
            let first = reasons
                .entry(launch)
                .or_insert_with(|| (result.cell.id(), 0));
            first.1 += 1;
        }
    }
    let reasons = reasons.into_iter().map(|((_, reason), (cell, cells))| {
        let more = match cells {
            1 => String::new(),
            _ => format!(", and {}", count(cells - 1, "more cell")),
        };
        format!("{cell}{more}: {reason}")
    });
    reasons.collect()
}
