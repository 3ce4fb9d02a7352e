//! `clawgauge explore`: launches and requests that no scenario knows, held against another gateway and against what must always hold.

mod corpus;
mod rounds;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use tokio_util::sync::CancellationToken;

use self::rounds::Explore;
use super::session::Session;
use super::tuning::TuningArgs;
use crate::cli::guard::Stdout;
use crate::cli::output::{Failure, Loudness, Output, Shape};
use base::text::count;
use clawgauge::project::Project;
use contract::plan::budget::Budget;
use contract::release::GatewayRef;
use contract::scenario::{Catalogue, ExploreRules};
use record::Ending;
use reports::{explore_markdown, explore_text};
use studies::explore::{Expected, Exploration, Maker};

/// No more launches are tried than this, unless the command line says so.
const MOST: usize = 400;

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
        Some(folder) => corpus::read(folder)?,
        None => None,
    };
    let authority = match &args.against {
        GatewayRef::Reference => "the reference gateway".to_owned(),
        other => other.to_string(),
    };
    let mut run = Explore {
        args,
        tuning: &tuning,
        catalogue,
        rules: &rules,
        output,
        maker: Maker::new(catalogue, &rules, &authority)?,
        authority: &authority,
        said: Expected::new(),
        begun: Instant::now(),
    };
    let found = session.run(async |cancel| within(&mut run, earlier, cancel).await)?;
    if let Some(folder) = &args.corpus {
        corpus::keep(folder, &found, &rules, &run.maker, &run.said)?;
    }
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
    let asked = match (found.interrupted, found.answered) {
        (true, _) => return output.first([Err(interrupted()), written]),
        (false, 0) => Err(too_short(
            (found.not_asked.first()).map_or("nothing was asked", String::as_str),
        )),
        (false, _) => Ok(()),
    };
    output.first([failed, asked, written])
}

/// Explores until the budget is over: whatever is under way then is ended.
async fn within(
    run: &mut Explore<'_>,
    earlier: Option<Exploration>,
    cancel: &CancellationToken,
) -> Result<Exploration, Failure> {
    let ends = cancel.child_token();
    let (over, left) = (ends.clone(), run.args.budget.time());
    let clock = tokio::spawn(async move {
        tokio::time::sleep(left).await;
        over.cancel();
    });
    let found = run.carry_out(earlier, cancel, &ends).await;
    clock.abort();
    match found {
        Err(_) if ends.is_cancelled() && !cancel.is_cancelled() => {
            Err(too_short("the budget was over before anything was asked"))
        }
        found => found,
    }
}

fn too_short(why: &str) -> Failure {
    Failure::new(Ending::Incomplete, why).help("give it more time: --budget 15m")
}

fn interrupted() -> Failure {
    Failure::new(Ending::Interrupted, "interrupted")
}
