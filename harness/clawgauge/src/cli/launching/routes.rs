//! `clawgauge routes`: what a release serves, and who is let in there.

use std::ops::ControlFlow;
use std::path::Path;
use std::str::FromStr;

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::session::Session;
use super::tuning::TuningArgs;
use crate::cli::output::{Failure, Loudness, Output, Shape};
use clawgauge::project::Project;
use contract::plan::Selection;
use contract::release::GatewayRef;
use contract::scenario::{Catalogue, RouteRules};
use record::Ending;
use reports::{Paint, routes_change_text, routes_markdown, routes_text};
use runner::drive;
use runner::routes::{RouteRun, RoutesError};
use studies::routes::{Routes, RoutesChange};

/// Arguments of `routes`.
#[derive(Debug, Args)]
pub(in crate::cli) struct RoutesArgs {
    /// The release, `openclaw@VERSION`, or the openclaw.mjs of a build
    #[arg(long, value_name = "REF", required_unless_present = "diff")]
    gateway: Option<GatewayRef>,

    /// Say which routes came, went or answer differently: each side is a gateway, or a file that `--format json` wrote
    #[arg(long, value_names = ["A", "B"], num_args = 2, conflicts_with = "gateway")]
    diff: Vec<Side>,

    /// Launch nothing: only what the release's code and documentation name
    #[arg(long)]
    named_only: bool,

    /// Show also the paths that nobody serves
    #[arg(long)]
    all: bool,

    /// What to print: for a terminal, a page to paste, or everything for programs
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(super) format: Shape,

    #[command(flatten)]
    tuning: TuningArgs,

    #[command(flatten)]
    loudness: Loudness,
}

/// One side of a difference.
#[derive(Debug, Clone)]
enum Side {
    Gateway(GatewayRef),
    File(std::path::PathBuf),
}

impl FromStr for Side {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.ends_with(".json") {
            true => Ok(Self::File(text.into())),
            false => text
                .parse()
                .map(Self::Gateway)
                .map_err(|error| format!("{error}; a file of routes ends with .json")),
        }
    }
}

/// Asks a release its routes, or compares those of two.
pub(super) fn routes(
    args: &RoutesArgs,
    project: &Project,
    catalogue: &Catalogue,
    session: &Session,
    output: &Output,
) -> Result<(), Failure> {
    let tuning = args.tuning.clone().with_defaults(project)?;
    tuning.start_log()?;
    let rules = RouteRules::load(catalogue)?;
    let task = Task {
        args,
        tuning: &tuning,
        catalogue,
        rules: &rules,
        session,
        output,
    };
    if let [a, b] = &args.diff[..] {
        // What can be read is read before anything is launched.
        let (a, b) = match (a, b) {
            (Side::Gateway(_), Side::File(_)) => {
                let b = task.side(b)?;
                (task.side(a)?, b)
            }
            _ => (task.side(a)?, task.side(b)?),
        };
        return task.compare(&a, &b);
    }
    match &args.gateway {
        Some(gateway) => task.tell(&task.ask(gateway)?),
        None => Ok(()),
    }
}

struct Task<'a> {
    args: &'a RoutesArgs,
    tuning: &'a TuningArgs,
    catalogue: &'a Catalogue,
    rules: &'a RouteRules,
    session: &'a Session,
    output: &'a Output,
}

impl Task<'_> {
    fn ask(&self, gateway: &GatewayRef) -> Result<Routes, Failure> {
        if *gateway == GatewayRef::Reference {
            return Err(Failure::usage(
                "the reference gateway is no package whose code could be read",
            )
            .help("name a release: --gateway openclaw@2026.9.6"));
        }
        let gateways = std::slice::from_ref(gateway);
        let selection = Selection::default();
        let options = self.tuning.options(self.catalogue, gateways, selection)?;
        let run = RouteRun {
            catalogue: self.catalogue,
            options: &options,
            rules: self.rules,
            gateway,
            asks: !self.args.named_only,
        };
        let mut progress = self.output.progress(self.args.loudness.detail());
        let ask = async |cancel: &CancellationToken| {
            let work = async |events, stop| run.carry_out(events, stop).await;
            let found = drive(work, cancel, |event| {
                progress.event(event);
                ControlFlow::Continue(())
            })
            .await;
            match cancel.is_cancelled() {
                true => Err(Failure::new(Ending::Interrupted, "interrupted")),
                false => Ok(found?),
            }
        };
        self.session.run(ask)
    }

    fn side(&self, side: &Side) -> Result<Routes, Failure> {
        match side {
            Side::Gateway(gateway) => self.ask(gateway),
            Side::File(path) => read(path),
        }
    }

    fn tell(&self, routes: &Routes) -> Result<(), Failure> {
        let written = match self.args.format {
            Shape::Json => self.output.json(routes),
            Shape::Markdown => self.output.data(&routes_markdown(routes)),
            Shape::Text => {
                let text = routes_text(routes, self.args.all, self.output.paint());
                self.output.result(&text)
            }
        };
        let wrong = routes.wrong().count();
        self.output
            .first([failed(wrong, ""), self.asked(routes), written])
    }

    fn compare(&self, a: &Routes, b: &Routes) -> Result<(), Failure> {
        let change = RoutesChange::between(a, b);
        let written = match self.args.format {
            Shape::Json => self.output.json(&change),
            Shape::Markdown => {
                let plain = Paint { color: false };
                let text = routes_change_text(&change, true, plain);
                self.output.data(&text)
            }
            Shape::Text => {
                let text = routes_change_text(&change, false, self.output.paint());
                self.output.result(&text)
            }
        };
        let worse = change.worse().count();
        self.output.first([
            failed(worse, " that came or changed"),
            self.asked(a),
            self.asked(b),
            written,
        ])
    }

    /// What could not be asked.
    fn asked(&self, routes: &Routes) -> Result<(), Failure> {
        let Some(first) = routes.not_asked.first() else {
            return Ok(());
        };
        let ending = match routes.profiles.is_empty() {
            true => Ending::Gateway,
            false => Ending::Incomplete,
        };
        Err(Failure::new(ending, format!("{}: {first}", routes.gateway)))
    }
}

fn failed(count: usize, what: &str) -> Result<(), Failure> {
    match count {
        0 => Ok(()),
        _ => {
            let routes = base::text::count(count, "route");
            let help =
                "close them, or write down in scenarios/routes.toml why anybody may have them";
            let message =
                format!("callers without the credential get too much from {routes}{what}");
            Err(Failure::new(Ending::Broken, message).help(help))
        }
    }
}

fn read(path: &Path) -> Result<Routes, Failure> {
    let wrong = |why: String| {
        Failure::usage(format!("{}: {why}", path.display()))
            .help("make one: clawgauge routes --gateway openclaw@VERSION --format json > FILE")
    };
    let bytes = fs_err::read(path).map_err(|error| wrong(error.to_string()))?;
    Routes::read(&bytes).map_err(wrong)
}

impl From<RoutesError> for Failure {
    fn from(error: RoutesError) -> Self {
        match error {
            RoutesError::Sources(error) => error.into(),
            RoutesError::NoGateway(_) => Self::new(Ending::Gateway, error.to_string()),
            RoutesError::Pattern(_) => Self::usage(error.to_string()),
        }
    }
}
