//! `clawgauge explore`: launches and requests that no scenario knows, held against another gateway and against what must always hold.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::drive::RecordedRun;
use super::session::Session;
use super::tuning::TuningArgs;
use crate::cli::guard::Stdout;
use crate::cli::output::{Failure, Loudness, Output, Shape};
use base::text::count;
use clawgauge::project::Project;
use contract::cell_id::CellId;
use contract::plan::Selection;
use contract::plan::budget::Budget;
use contract::release::{GatewayRef, Version};
use contract::scenario::model::{Kind, Start};
use contract::scenario::{Catalogue, ExploreRules, Problems};
use contract::snapshots::Snapshots;
use record::events::CellResult;
use record::judge::Verdict;
use record::{Ending, Gate};
use reports::{explore_markdown, explore_text};
use runner::RunOptions;
use studies::explore::{
    Candidate, Expected, Exploration, ExploredProject, Finding, Launches, Questions, Requests,
    SCHEMA, STARTS, Shared, Tried, World, expected, fold_into_larger, known_on, project,
};

/// Launches of a real gateway in a round.
const ROUND: usize = 6;
/// Launches of the reference gateway in a round: it starts in no time.
const LIGHT_ROUND: usize = 32;
/// So much of the budget goes into launches that were not tried before; in the rest findings are tried again.
const EXPLORING: f64 = 0.8;
/// No more launches are tried than this, unless the command line says so.
const MOST: usize = 400;
/// A request takes no longer.
const PATIENCE: Duration = Duration::from_secs(20);
/// So many launches of findings are tried again in one round.
const AGAIN: usize = 8;

/// Arguments of `explore`.
#[derive(Debug, Args)]
pub(in crate::cli) struct ExploreArgs {
    /// The gateway: `openclaw@VERSION`, the openclaw.mjs of a build, `reference`, or a program
    #[arg(long, value_name = "REF", default_value = "reference")]
    gateway: GatewayRef,

    /// What its answers are held against: `reference`, or another gateway, which is then launched as often
    #[arg(long, value_name = "REF", default_value = "reference")]
    against: GatewayRef,

    /// The same seed tries the same launches and requests
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// How long it may take, as 90s, 15m or 2h
    #[arg(long, value_name = "TIME", default_value = "15m")]
    budget: Budget,

    /// Try no more launches than this
    #[arg(long, value_name = "N", default_value_t = MOST)]
    launches_at_most: usize,

    /// Go on where the last exploration that this folder holds stopped, and write there what was found: scenario files whose
    /// cells show each finding
    #[arg(long, value_name = "DIR")]
    corpus: Option<PathBuf>,

    /// Show all findings, not only the most severe
    #[arg(long)]
    all: bool,

    /// What to print: for a terminal, a page to paste, or everything for programs
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Shape,

    #[command(flatten)]
    tuning: TuningArgs,

    #[command(flatten)]
    loudness: Loudness,
}

impl ExploreArgs {
    pub(super) fn stdout(&self) -> Stdout {
        self.format.stdout()
    }
}

/// Explores a gateway.
pub(super) fn explore(
    args: &ExploreArgs,
    project: &Project,
    catalogue: &Catalogue,
    session: &Session,
    output: &Output,
) -> Result<(), Failure> {
    let tuning = args.tuning.clone().with_defaults(project)?;
    tuning.start_log()?;
    let rules = ExploreRules::load(catalogue)?;
    let earlier = match &args.corpus {
        Some(folder) => read_corpus(folder)?,
        None => None,
    };
    let run = Explore {
        args,
        tuning: &tuning,
        catalogue,
        rules: &rules,
        output,
        shared: Shared::of(catalogue).map_err(Problems::from)?,
        authority: match &args.against {
            GatewayRef::Reference => "the reference gateway".to_owned(),
            other => other.to_string(),
        },
        said: RefCell::default(),
        begun: Instant::now(),
    };
    let found = session.run(async |cancel| {
        // Whatever is under way when the budget is over is ended.
        let ends = cancel.child_token();
        let (over, left) = (ends.clone(), args.budget.time());
        let clock = tokio::spawn(async move {
            tokio::time::sleep(left).await;
            over.cancel();
        });
        let found = run.carry_out(earlier, cancel, &ends).await;
        clock.abort();
        found
    })?;
    let written = match args.format {
        Shape::Text => output.result(&explore_text(&found, args.all, output.paint())),
        Shape::Json => output.json(&found),
        Shape::Markdown => output.data(&explore_markdown(&found)),
    };
    let new = found
        .findings
        .iter()
        .filter(|finding| finding.is_new())
        .count();
    let failed = match new {
        0 => Ok(()),
        _ => Err(Failure::new(
            Ending::Broken,
            format!("{} of {}", count(new, "finding"), found.gateway),
        )
        .help("look at each: a known issue, a rule, or a mistake in scenarios/explore.toml")),
    };
    if found.interrupted {
        return output.first([Err(interrupted()), written]);
    }
    let asked = match found.answered {
        0 => Err(Failure::new(
            Ending::Incomplete,
            found
                .not_asked
                .first()
                .cloned()
                .unwrap_or_else(|| "nothing was asked".to_owned()),
        )),
        _ => Ok(()),
    };
    output.first([failed, asked, written])
}

struct Explore<'a> {
    args: &'a ExploreArgs,
    tuning: &'a TuningArgs,
    catalogue: &'a Catalogue,
    rules: &'a ExploreRules,
    output: &'a Output,
    shared: Shared,
    /// What the answers are held against, in words.
    authority: String,
    /// What the oracle has said so far.
    said: RefCell<Expected>,
    begun: Instant,
}

/// What a round brought: the scenarios that were asked, and the answers.
struct Round {
    project: ExploredProject,
    results: Vec<CellResult>,
    not_judged: Vec<String>,
}

impl Explore<'_> {
    async fn carry_out(
        &self,
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
        let mut world = World {
            rules: self.rules,
            contract: self.catalogue,
            launches: BTreeMap::new(),
            authority: &self.authority,
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
            let round = self.round(&asked, cancel).await?;
            longest = longest.max(begun.elapsed());
            if interrupted.is_cancelled() {
                break;
            }
            world
                .launches
                .extend(next.iter().map(|launch| (launch.id(), launch.clone())));
            tried.extend(next);
            answered += round
                .results
                .iter()
                .filter(|result| result.facts.observed.is_some())
                .count();
            rounds.push(round);
            let news = world.findings(&answers(&rounds)).len();
            self.output.note(&format!(
                "{} of {} tried, {}, {} so far",
                count(tried.len() - skipped, "launch"),
                self.args.gateway,
                count(answered, "answer"),
                count(news, "finding"),
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
        if let Some(folder) = &self.args.corpus {
            self.keep(folder, &found)?;
        }
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
        let asked = self.project(&singles, None, false)?;
        let selection = Selection::only(asked.cells);
        let (_, results) = self
            .run(&asked.catalogue, &GatewayRef::Reference, selection, cancel)
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

    /// Asks the oracle first, then the gateway what the oracle has answered.
    async fn round(
        &self,
        asked: &Questions<'_>,
        cancel: &CancellationToken,
    ) -> Result<Round, Failure> {
        let open = self.project(asked, None, false)?;
        let selection = Selection::only(open.cells);
        let (_, answers) = self
            .run(&open.catalogue, &self.args.against, selection, cancel)
            .await?;
        let (expected, not_judged) =
            expected(self.catalogue, self.rules, &answers).map_err(Problems::from)?;
        self.said.borrow_mut().extend(expected.clone());
        let project = self.project(asked, Some(&expected), false)?;
        let selection = Selection::only(project.cells.clone());
        let (_, results) = self
            .run(&project.catalogue, &self.args.gateway, selection, cancel)
            .await?;
        Ok(Round {
            project,
            results,
            not_judged,
        })
    }

    /// Tries findings again on fresh launches: first what may be smallest, then, of what did not show, the cell as it was.
    async fn try_again(
        &self,
        world: &World<'_>,
        findings: &mut [Finding],
        round: Duration,
        cancel: &CancellationToken,
    ) -> Result<(), Failure> {
        for step in 0..3 {
            let is_open =
                |finding: &&mut Finding| finding.deviation.is_some() && finding.again != Some(true);
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
                self.output.note(&format!(
                    "trying {} again on {}",
                    count(taken.len(), "finding"),
                    count(launches.len(), "fresh launch")
                ));
                let cells = taken.iter().flat_map(|(_, wanted)| wanted.clone());
                let found = self.round(&Candidate::together(cells), cancel).await?;
                for (finding, wanted) in taken {
                    let answers = (&found.project.catalogue, &found.results[..]);
                    if !world.take_smallest(finding, &wanted, answers) {
                        finding.again = Some(false);
                    }
                }
                open = left;
            }
        }
        Ok(())
    }

    /// Writes the document, and scenario files whose cells show each finding.
    fn keep(&self, folder: &Path, found: &Exploration) -> Result<(), Failure> {
        let wrong = |error: std::io::Error| {
            Failure::usage(format!("{}: {error}", folder.display()))
                .help("name a folder that can be written: --corpus DIR")
        };
        let shown = || {
            let findings = found.findings.iter();
            findings.filter(|finding| finding.deviation.is_some())
        };
        let cells = shown().filter_map(|finding| Candidate::of(&finding.example, self.rules));
        let asked = Candidate::together(cells);
        let mut known: Expected = self.said.borrow().clone();
        let steps: BTreeSet<&str> = (self.rules.asks.iter())
            .filter(|ask| ask.kind == Kind::Sequence)
            .map(|ask| ask.id.as_str())
            .collect();
        // Of a sequence all steps are kept, of others what shows a finding.
        let examples: BTreeSet<&String> = shown().map(|finding| &finding.example).collect();
        known.retain(|id, _| examples.contains(id) || steps.contains(CellId::of(id).scenario()));
        let mut files = BTreeMap::new();
        if !asked.is_empty() {
            files = self.project(&asked, Some(&known), true)?.files;
        }
        let document = serde_json::to_string_pretty(found).map_err(|error| wrong(error.into()))?;
        files.insert(DOCUMENT.to_owned(), document);
        files.insert("clawgauge.toml".to_owned(), PROJECT.to_owned());
        for (name, text) in &files {
            let path = folder.join(name);
            fs_err::create_dir_all(path.parent().unwrap_or(folder)).map_err(wrong)?;
            base::files::replace_bytes(&path, text.as_bytes()).map_err(wrong)?;
        }
        Ok(())
    }

    fn project(
        &self,
        asked: &Questions<'_>,
        expected: Option<&Expected>,
        kept: bool,
    ) -> Result<ExploredProject, Failure> {
        Ok(project(
            self.catalogue,
            &self.shared,
            self.rules,
            asked,
            expected,
            (&self.authority, kept),
        )?)
    }
}

/// A corpus is a project of its own: what the one around it says of cells means others.
const PROJECT: &str = "# Scenarios that `clawgauge explore` has made; no defaults hold for them.\n";
/// The document in a corpus.
const DOCUMENT: &str = "exploration.json";

fn read_corpus(folder: &Path) -> Result<Option<Exploration>, Failure> {
    let path = folder.join(DOCUMENT);
    let wrong = |why: String| {
        Failure::usage(format!("{}: {why}", path.display()))
            .help("name the folder of an earlier exploration, or one that is not there yet")
    };
    match fs_err::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(wrong(error.to_string())),
        Ok(bytes) => Exploration::read(&bytes).map(Some).map_err(wrong),
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

fn interrupted() -> Failure {
    Failure::new(Ending::Interrupted, "interrupted")
}
