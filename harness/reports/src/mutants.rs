//! What became of the mutants of a release, at a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::Paint;
use base::text::{count, one_line};
use studies::mutation::{Fate, MutantReport, MutantResult, Score};

/// Renders what became of mutants: the score, the regions, and each that nothing noticed.
pub fn mutants_text(report: &MutantReport, paint: Paint) -> String {
    let (head, score) = (&report.head, report.score);
    let mut out = format!(
        "{}\n{} killed, {} do not start, {} survived, {} survived for a known reason, {} not reached, {} undecided\n",
        paint.bold(&format!(
            "{} of {} mutants of {}, seed {}",
            report.mutants.len(),
            head.all,
            head.gateway,
            head.seed
        )),
        score.killed,
        score.broken,
        score.survived,
        score.explained,
        score.not_reached,
        score.undecided
    );
    let (reached, all) = (score.reached(), score.all());
    let _ = writeln!(
        out,
        "noticed: {:.1} % of those that are reached ({} of {}), {:.1} % of all ({} of {})",
        Score::percent(reached),
        reached.0,
        reached.1,
        Score::percent(all),
        all.0,
        all.1
    );
    if score.undecided > 0 {
        let _ = writeln!(
            out,
            "if nothing noticed those that are undecided: {:.1} % of those that are reached",
            Score::percent(score.at_least())
        );
    }
    let mut regions: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    for mutant in &report.mutants {
        let place = match mutant.fate {
            Fate::Killed { .. } | Fate::Broken { .. } => 0,
            Fate::Survived { .. } => 1,
            Fate::NotReached => 2,
            Fate::Undecided { .. } => 3,
        };
        regions.entry(&mutant.change.region).or_default()[place] += 1;
    }
    let width = regions.keys().map(|region| region.len()).max().unwrap_or(0);
    let titles = "  noticed  survived  not reached  undecided";
    let _ = writeln!(
        out,
        "\n{}",
        paint.dim(&format!("{:<width$}{titles}", "region"))
    );
    for (region, [noticed, survived, missed, open]) in regions {
        let _ = writeln!(
            out,
            "{region:<width$}  {noticed:>7}  {survived:>8}  {missed:>11}  {open:>9}"
        );
    }
    let survived = |mutant: &&MutantResult| {
        matches!(mutant.fate, Fate::Survived { .. }) && mutant.reason.is_none()
    };
    let undecided = |mutant: &&MutantResult| matches!(mutant.fate, Fate::Undecided { .. });
    list(
        &mut out,
        "Survived",
        report.mutants.iter().filter(survived),
        paint,
    );
    list(
        &mut out,
        "Undecided",
        report.mutants.iter().filter(undecided),
        paint,
    );
    out
}

fn list<'a>(
    out: &mut String,
    title: &str,
    mutants: impl Iterator<Item = &'a MutantResult>,
    paint: Paint,
) {
    let mut title = Some(title);
    for mutant in mutants {
        if let Some(title) = title.take() {
            let _ = writeln!(out, "\n{}", paint.bold(title));
        }
        let function = mutant.change.function.as_deref().unwrap_or("at the start");
        let _ = writeln!(
            out,
            "{}:{} {function}: {}  {}",
            mutant.change.region,
            mutant.change.line,
            paint.warn(&mutant.change.operator),
            paint.dim(&mutant.change.id)
        );
        let _ = writeln!(
            out,
            "  - {}\n  + {}",
            one_line(&mutant.change.was),
            one_line(&mutant.change.is)
        );
        let _ = writeln!(out, "    {}", paint.dim(&who(mutant)));
    }
}

/// Who reaches a mutant, and what became of it where that is not known.
fn who(mutant: &MutantResult) -> String {
    let mut told = Vec::new();
    if mutant.cells > 0 {
        let examples = mutant.examples.join(", ");
        told.push(format!(
            "{} reach it, such as {examples}",
            count(mutant.cells, "cell")
        ));
    }
    if mutant.starts > 0 {
        told.push(format!("{} at the start", count(mutant.starts, "launch")));
    }
    if let Fate::Survived { asked } = mutant.fate
        && asked < mutant.cells
    {
        told.push(format!("{asked} of them were asked"));
    }
    if let Fate::Undecided { why } = &mutant.fate {
        told.push(why.clone());
    }
    if let Some(unasked) = &mutant.unasked {
        told.push(format!("not asked: {unasked}"));
    }
    told.join("; ")
}
