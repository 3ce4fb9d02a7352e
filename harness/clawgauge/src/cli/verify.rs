//! `clawgauge verify`: an evidence bundle judged again.

use std::path::PathBuf;

use clap::Args;

use super::output::{Failure, Output};
use contract::scenario::Catalogue;
use record::{Ending, PartRecord};
use studies::bundle::{Bundle, By, Checked, verify as judge_again};

/// Differences that are shown.
const SHOWN: usize = 20;

/// Arguments of `verify`.
#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// What `run --bundle FILE` wrote
    bundle: PathBuf,

    /// What to judge by: the data in the bundle, or those at hand, to see what would change
    #[arg(long, value_name = "WHICH", default_value = "bundle")]
    data: Which,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Which {
    Bundle,
    Here,
}

/// Judges a bundle again: 0 everything follows, 1 something does not, 2 it is no bundle.
pub(super) fn verify(
    args: &VerifyArgs,
    here: &dyn Fn() -> Result<Catalogue, Failure>,
    output: &Output,
) -> Result<(), Failure> {
    let fail = |error: studies::bundle::BundleError| {
        let name = args.bundle.display();
        Failure::usage(format!("{name}: {error}"))
            .help("a bundle is what `clawgauge run --bundle FILE` wrote")
    };
    let (bundle, sha256) = Bundle::open(&args.bundle).map_err(fail)?;
    let by = match args.data {
        Which::Bundle => By::Itself,
        Which::Here => By::Other(here()?.data),
    };
    let checked = judge_again(&bundle, &by).map_err(fail)?;
    let text = told(&checked, &sha256, args.data);
    let shown = output.result(&text);
    let agrees = match checked.differences.len() {
        0 => Ok(()),
        count => {
            let what = match args.data {
                Which::Bundle => "do not follow from what was recorded",
                Which::Here => "would change",
            };
            Err(Failure::new(
                Ending::Broken,
                format!("{count} statements {what}"),
            ))
        }
    };
    output.first([agrees, shown])
}

/// What the run was asked for, and how much of the contract that leaves out.
fn selection(checked: &Checked) -> String {
    let run = &checked.record.run;
    let mut asked = match run.cells.is_empty() {
        true => "every cell".to_owned(),
        false => run.cells.join(" "),
    };
    if !run.conditions.is_empty() {
        asked = format!("{asked} where {}", run.conditions.join(", "));
    }
    let left_out: usize = checked.left_out.values().map(|(left, _)| left).sum();
    if left_out == 0 {
        return format!("asked for {asked}");
    }
    let (whole, parts): (Vec<_>, Vec<_>) = checked
        .left_out
        .iter()
        .partition(|(_, (left, all))| left == all);
    let parts = parts
        .iter()
        .map(|(scenario, (left, all))| format!("{left} of {all} of {scenario}"));
    let whole = match whole.len() {
        0 => None,
        _ => {
            let names: Vec<&str> = whole.iter().map(|(name, _)| name.as_str()).collect();
            Some(format!("all of {}", names.join(", ")))
        }
    };
    let what: Vec<String> = parts.chain(whole).collect();
    format!(
        "asked for {asked}; {left_out} other cells of its contract were left out: {}",
        what.join(", ")
    )
}

/// Whether the data in the bundle are those that everybody has.
fn judged_by(checked: &Checked) -> String {
    let foreign = &checked.foreign;
    let shown = foreign.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    let more = match foreign.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    match foreign.is_empty() {
        true => "judged by the data that this clawgauge carries".to_owned(),
        false => format!(
            "judged by other data than this clawgauge carries: {}{more}",
            shown.join(", ")
        ),
    }
}

fn told(checked: &Checked, sha256: &str, by: Which) -> String {
    let Checked {
        record, manifest, ..
    } = checked;
    let mut lines = Vec::new();
    let total: usize = checked.verdicts.values().sum();
    let verdicts = checked.verdicts.iter();
    let verdicts: Vec<String> = verdicts
        .map(|(verdict, count)| format!("{count} {}", verdict.name()))
        .collect();
    let verdicts = verdicts.join(", ");
    let differences = &checked.differences;
    for difference in differences.iter().take(SHOWN) {
        lines.push(difference.to_string());
    }
    if differences.len() > SHOWN {
        lines.push(format!("... and {} more", differences.len() - SHOWN));
    }
    if !checked.causes {
        lines.push(
            "its causes are those that an older clawgauge folded, and were not checked".to_owned(),
        );
    }
    lines.push(match (differences.is_empty(), by) {
        (true, Which::Bundle) => {
            format!("{total} verdicts follow from the recorded answers: {verdicts}")
        }
        (true, Which::Here) => {
            format!("{total} verdicts are the same by the data at hand: {verdicts}")
        }
        (false, _) => format!("judged again: {verdicts}"),
    });
    if checked.as_recorded > 0 {
        lines.push(format!(
            "of these {} outcomes are taken as recorded: the normalised answers only name what they ask about",
            checked.as_recorded
        ));
    }
    let (ending, why) = record.ending();
    let (causes, relations) = (record.causes.len(), record.relations.len());
    lines.push(format!(
        "causes {causes}, known issues {}, broken relations {relations}; the run ended with exit code {}: {why}",
        record.known_issues.len(),
        ending.code()
    ));
    for gateway in &record.gateways {
        let or = |text: &Option<String>, none: &str| text.as_deref().unwrap_or(none).to_owned();
        lines.push(format!(
            "gateway {}: release {}, integrity {}, node {}, {} launches",
            gateway.reference,
            or(&gateway.version, "unknown"),
            or(&gateway.integrity, "unknown"),
            or(&gateway.node, "none"),
            gateway.launches.len()
        ));
    }
    lines.push(format!(
        "run {} of {}, clawgauge {}",
        record.run.id, record.run.finished, record.run.harness
    ));
    if let Some(part) = record.run.budget.as_ref().and_then(PartRecord::is_a_part) {
        lines.push(part);
    }
    lines.push(selection(checked));
    lines.push(judged_by(checked));
    lines.push(format!("table hash {}", checked.table_hash));
    let members = manifest.members.len();
    lines.push(format!("bundle of {members} members, SHA-256 {sha256}"));
    lines.join("\n") + "\n"
}
