//! `clawgauge list`, `show` and `contract`: what would be asked, without asking it.

use std::fmt::Write as _;

use clap::Args;

use super::output::{Failure, Output};
use super::reference::REFERENCE_RELEASE;
use base::nearest::nearest;
use contract::plan::{Cell, Selection, Way, cells};
use contract::release::Version;
use contract::request::as_text;
use contract::scenario::Catalogue;
use contract::scenario::model::Kind;
use contract::snapshots::Snapshots;

/// Which cells, as which release.
#[derive(Debug, Args)]
pub(super) struct SelectArgs {
    /// Only cells whose id matches; `*` stops at a slash, `**` does not
    #[arg(value_name = "CELL-GLOB")]
    pub(super) globs: Vec<String>,

    /// Only cells with these values: axis=value,value or axis!=value
    #[arg(long = "where", value_name = "EXPR")]
    pub(super) conditions: Vec<String>,

    /// The release whose contract is meant
    #[arg(long, value_name = "VERSION", default_value = REFERENCE_RELEASE)]
    pub(super) release: Version,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    select: SelectArgs,

    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Arguments of `show`.
#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// Id of the cell
    cell: String,

    /// The release whose contract is meant
    #[arg(long, value_name = "VERSION", default_value = REFERENCE_RELEASE)]
    release: Version,
}

/// Lists the selected cells with the outcome that each must have.
pub(super) fn list(args: &ListArgs, catalogue: &Catalogue, output: &Output) -> Result<(), Failure> {
    let selection = Selection::parse(catalogue, &args.select.globs, &args.select.conditions)?;
    let mut out = String::new();
    for cell in cells(catalogue).filter(|cell| selection.accepts(cell)) {
        if args.json {
            let rule = cell.rule(&args.select.release);
            let line = serde_json::json!({
                "id": cell.id(),
                "axes": cell.axes().collect::<std::collections::BTreeMap<_, _>>(),
                "rule": rule.map(|rule| &rule.id),
                "outcome": cell.expected(&args.select.release).map(|outcome| &outcome.id),
            });
            let _ = writeln!(out, "{line}");
        } else {
            let _ = writeln!(out, "{}", cell.id());
        }
    }
    if out.is_empty() {
        return Err(Failure::no_cell());
    }
    output.data(&out)
}

/// Arguments of `contract`.
#[derive(Debug, Args)]
pub(super) struct ContractArgs {
    /// The release whose contract it is
    #[arg(long, default_value = REFERENCE_RELEASE, value_name = "VERSION")]
    release: Version,
}

/// Prints the contract for people.
pub(super) fn contract(
    args: &ContractArgs,
    catalogue: &Catalogue,
    output: &Output,
) -> Result<(), Failure> {
    output.data(&reports::contract(catalogue, &args.release))
}

/// Explains one cell.
pub(super) fn show(args: &ShowArgs, catalogue: &Catalogue, output: &Output) -> Result<(), Failure> {
    let Some(cell) = cells(catalogue).find(|cell| cell.id() == args.cell) else {
        let ids: Vec<String> = cells(catalogue).map(|cell| cell.id()).collect();
        let failure = Failure::usage(format!("there is no cell {}", args.cell));
        return Err(match nearest(&args.cell, ids.iter().map(String::as_str)) {
            Some(id) => failure.help(format!("the closest is {id}")),
            None => failure.help("clawgauge list shows every cell"),
        });
    };
    let snapshots = Snapshots::load(&catalogue.data)?;
    output.result(&explain(&cell, &args.release, catalogue, &snapshots))
}

fn explain(cell: &Cell, release: &Version, catalogue: &Catalogue, snapshots: &Snapshots) -> String {
    let mut out = format!("{}\n{}\n\n", cell.id(), cell.scenario.title);
    for (axis, value) in cell.scenario.axes.iter().zip(cell.values()) {
        let _ = writeln!(
            out,
            "{:<12} {}: {} ({})",
            axis.name, value.id, value.title, value.origin
        );
    }
    match cell.rule(release) {
        Some(rule) => {
            let _ = writeln!(
                out,
                "\nrule         {} ({}), {}",
                rule.id, rule.origin, rule.range
            );
            if !rule.title.is_empty() {
                let _ = writeln!(out, "             {}", rule.title);
            }
            let _ = writeln!(out, "source       {}", rule.source);
            if let Some(outcome) = cell.expected(release) {
                let what = outcome.what();
                let _ = writeln!(
                    out,
                    "expected     {} ({what}): {}",
                    outcome.id, outcome.title
                );
            }
        }
        None => {
            let _ = writeln!(out, "\nno rule speaks about it on {release}");
        }
    }

    let profile = catalogue.profiles.get(cell.profile());
    match profile.map(|profile| profile.launch_for(release)) {
        Some(Ok(launch)) => {
            let _ = writeln!(out, "\nlaunch       {}", launch.args.join(" "));
            let auth = launch
                .config
                .pointer("/gateway")
                .map(|gateway| serde_json::to_string_pretty(gateway).unwrap_or_default());
            for line in auth.unwrap_or_default().lines() {
                let _ = writeln!(out, "  {line}");
            }
            let base = &catalogue.base.config;
            let sections = launch.config.as_object().into_iter().flatten();
            for (name, section) in sections {
                if name != "gateway" && base.get(name) != Some(section) {
                    let section = serde_json::to_string_pretty(section).unwrap_or_default();
                    let _ = writeln!(out, "  {name}: {}", section.replace('\n', "\n  "));
                }
            }
        }
        Some(Err(reason)) => {
            let _ = writeln!(out, "\nnot applicable on {release}: {reason}");
        }
        None => {}
    }

    if let Some(sender) = cell.sender().and_then(|id| catalogue.senders.get(id)) {
        let _ = writeln!(out, "\nsender       {}", sender.full_title());
        let _ = writeln!(
            out,
            "             {} makes the call that is this request; what the library tells is the answer",
            sender.file
        );
    }
    if let Way::Through(id) = cell.way()
        && let Some(proxy) = catalogue.proxies.get(id)
    {
        let _ = writeln!(
            out,
            "\nproxy        {} {}",
            proxy.program,
            proxy.args.join(" ")
        );
        for line in proxy.config.lines() {
            let _ = writeln!(out, "{}", format!("  {line}").trim_end());
        }
    }
    if cell.scenario.kind != Kind::Start {
        out.push_str("\nrequest\n");
        for line in as_text(cell, catalogue).lines() {
            let _ = writeln!(out, "{}", format!("  {line}").trim_end());
        }
    }

    let accepted = snapshots.find(&cell.scenario, cell.profile(), release);
    match accepted.and_then(|snapshot| Some((snapshot, snapshot.cells.get(&cell.key())?))) {
        Some((snapshot, answer)) => {
            let _ = writeln!(
                out,
                "\naccepted answer ({}:{})",
                snapshot.path(),
                answer.line
            );
            for line in answer.text.lines() {
                let _ = writeln!(out, "  {line}");
            }
        }
        None => out.push_str("\nno snapshot holds this cell yet\n"),
    }
    let gateway = if release.to_string() == REFERENCE_RELEASE {
        String::new()
    } else {
        format!(" --gateway openclaw@{release}")
    };
    if cell.scenario.kind == Kind::Sequence {
        out.push_str("\na step of a sequence: all steps of its profile are sent, in order\n");
    }
    let _ = writeln!(out, "\nreplay       clawgauge run '{}'{gateway}", cell.id());
    out
}
