//! The report for people at a terminal: a matrix a profile, causes, counts, and what the exit code says.

mod causes;
mod relations;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use super::Paint;
use super::facts::{Facts, IssueOn, Tally};
use super::matrix::{LEGEND, Layout, Matrices, Matrix};
use super::part;
use base::text::count;
use record::judge::VerdictKind;
use record::{GatewayRecord, Record, Results, ResultsError, ScenarioRecord, Summary};

/// A run of at most so many scenarios shows every matrix.
const FEW_SCENARIOS: usize = 2;

/// At most so many reasons are spelled out.
const MAX_REASONS: usize = 20;

/// How much is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// What makes the run fail, and the counts.
    Quiet,
    /// A line a scenario, matrices where something is wrong, known issues.
    #[default]
    Normal,
    /// Every matrix, every cause, how long each launch took.
    Verbose,
}

/// Renders the whole report. Every cell is looked at once.
///
/// # Errors
/// The record cannot be read any more.
pub fn terminal(
    results: &Results<'_>,
    detail: Detail,
    paint: Paint,
) -> Result<String, ResultsError> {
    let record = results.head();
    let mut facts = Facts::default();
    let mut matrices = Matrices::of(record);
    results.each_cell(&mut |cell| {
        facts.cell(cell);
        if detail > Detail::Quiet {
            matrices.cell(cell);
        }
        Ok(())
    })?;
    let mut out = part::head(record, paint);
    if detail > Detail::Quiet {
        for gateway in &record.gateways {
            gateway_part(
                &mut out,
                record,
                (&facts, &mut matrices),
                gateway,
                detail,
                paint,
            );
        }
        known_issues(&mut out, record, &facts, paint);
    }
    causes::causes(&mut out, record, detail, paint);
    relations::two_answers(&mut out, record, detail, paint);
    relations::broken(&mut out, record, paint);
    let incomplete = record.summary.could_not_run + record.summary.skipped_unexpectedly() > 0;
    if detail > Detail::Quiet || incomplete {
        reasons(&mut out, &facts, detail, paint);
    }
    // Of gateways that could not be installed there is nothing to count.
    if record.summary.selected > 0
        || record
            .gateways
            .iter()
            .any(|gateway| gateway.error.is_none())
    {
        let gap = if out.is_empty() { "" } else { "\n" };
        let _ = writeln!(out, "{gap}{}", counts(&record.summary, paint));
    }
    out.push_str(&part::foot(record, detail));
    if let Some(shares) = &record.run.shard {
        let _ = writeln!(
            out,
            "shard {} of {}: {} of the {} cells of the run; `clawgauge merge` judges the whole, and the relations between cells",
            shares.number, shares.of, record.summary.selected, shares.selected
        );
    }
    Ok(out)
}

fn gateway_part(
    out: &mut String,
    record: &Record,
    (facts, matrices): (&Facts, &mut Matrices<'_>),
    gateway: &GatewayRecord,
    detail: Detail,
    paint: Paint,
) {
    let version = gateway
        .version
        .as_ref()
        .filter(|version| !gateway.reference.contains(version.as_str()));
    let version = version
        .map(|version| format!(", judged as {version}"))
        .unwrap_or_default();
    let node = gateway
        .node
        .as_ref()
        .map(|node| format!(", Node {node}"))
        .unwrap_or_default();
    let _ = writeln!(out, "\n{}{version}{node}", paint.bold(&gateway.reference));
    for note in gateway.remarks() {
        let _ = writeln!(out, "  {}", paint.warn(&note));
    }
    launches(out, gateway, detail, paint);
    let blocks = record.scenarios.iter().filter_map(|scenario| {
        let place = (gateway.reference.clone(), scenario.id.clone());
        Some((scenario, facts.scenarios.get(&place)?))
    });
    let blocks: Vec<_> = blocks.collect();
    // A run of few scenarios shows every matrix; one of many shows those in which something is not as it should be.
    let all = blocks.len() <= FEW_SCENARIOS || detail == Detail::Verbose;
    let widths = blocks.iter().map(|(scenario, ..)| scenario.id.len());
    let width = widths.max().unwrap_or(0);
    out.push('\n');
    for (scenario, counts) in &blocks {
        let name = format!("{:<width$}", scenario.id);
        let _ = writeln!(out, "  {}  {}", paint.bold(&name), tally(counts, paint));
    }
    let mut any = false;
    for (scenario, counts) in &blocks {
        let suites = facts.suites.iter();
        let suites = suites.filter(|suite| suite.gateway == gateway.reference);
        let suites = suites.filter(|suite| suite.scenario == scenario.id);
        let suites = suites.map(|suite| (suite.profile.as_str(), &suite.cells));
        let mut take = |profile: &str| {
            let matrix = matrices.take(&gateway.reference, &scenario.id, profile)?;
            (matrix.seen && (all || matrix.trouble)).then_some(matrix)
        };
        any |= scenario_part(out, scenario, &mut take, (counts, suites.collect()), paint);
    }
    if any {
        let _ = writeln!(out, "{}", paint.dim(LEGEND));
    }
}

/// Launches that needed another attempt; all of them where everything is told.
fn launches(out: &mut String, gateway: &GatewayRecord, detail: Detail, paint: Paint) {
    let many = |profile: &str| {
        let mut launches = gateway.launches.iter();
        launches.any(|launch| launch.profile == profile && launch.attempt > 1)
    };
    for launch in &gateway.launches {
        if detail < Detail::Verbose && !many(&launch.profile) {
            continue;
        }
        let (profile, attempt) = (&launch.profile, launch.attempt);
        let times = [
            ("ready after", launch.ready_ms),
            ("stopped in", launch.stop_ms),
        ];
        let mut told: Vec<String> = times
            .iter()
            .filter_map(|(what, ms)| Some(format!("{what} {} ms", (*ms)?)))
            .collect();
        if launch.killed {
            told.push(paint.warn("had to be killed"));
        }
        if let Some(failure) = &launch.failure {
            told.push(paint.bad(failure));
        }
        let number = if many(profile) {
            format!(", attempt {attempt}")
        } else {
            String::new()
        };
        let _ = writeln!(out, "  profile {profile}{number}: {}", told.join(", "));
    }
}

/// The matrices of a scenario in which there is something to see, which `take` gives by profile; whether there were any.
fn scenario_part<'a>(
    out: &mut String,
    scenario: &ScenarioRecord,
    take: &mut dyn FnMut(&str) -> Option<Matrix<'a>>,
    (counts, profiles): (&Tally, HashMap<&str, &Tally>),
    paint: Paint,
) -> bool {
    let mut any = false;
    let mut show = |name: &str, matrix: Option<Matrix<'_>>, counts: &Tally| {
        if let Some(matrix) = matrix {
            any = true;
            let _ = writeln!(out, "\n{}: {}", paint.bold(name), tally(counts, paint));
            out.push_str(&matrix.text(paint));
        }
    };
    match Layout::of(scenario) {
        Layout::Whole(_) => show(&scenario.id, take(""), counts),
        Layout::PerProfile(_) => {
            for profile in &scenario.axes[scenario.profile_axis()].values {
                let Some(counts) = profiles.get(profile.id.as_str()) else {
                    continue;
                };
                let name = format!("{} under {}", scenario.id, profile.id);
                show(&name, take(&profile.id), counts);
            }
        }
    }
    any
}

/// The verdicts of some cells in words.
fn tally(counts: &Tally, paint: Paint) -> String {
    let parts = counts.words();
    let parts = parts.iter().map(|(verdict, text)| match verdict {
        VerdictKind::Conforms => paint.good(text),
        VerdictKind::Known | VerdictKind::NotApplicable | VerdictKind::NotAsked => paint.warn(text),
        VerdictKind::Deviates
        | VerdictKind::Stale
        | VerdictKind::New
        | VerdictKind::CouldNotRun => paint.bad(text),
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// What known issues explain, and what to do about it.
fn known_issues(out: &mut String, record: &Record, facts: &Facts, paint: Paint) {
    let issues = facts.known_issues(record);
    if issues.is_empty() {
        return;
    }
    let heading = count(issues.len(), "known issue");
    let _ = writeln!(out, "\n{}", paint.bold(&heading));
    for IssueOn {
        gateway, id, cells, ..
    } in issues
    {
        let Some(issue) = record.known_issue(id) else {
            continue;
        };
        let on = match record.gateways.len() {
            0 | 1 => String::new(),
            _ => format!(" on {gateway}"),
        };
        let known = cells.of(VerdictKind::Known);
        let stale = cells.of(VerdictKind::Stale);
        let kind = issue.kind.name();
        let _ = writeln!(
            out,
            "  {} {kind}, {known} cell{}{on}: {}",
            paint.warn(id),
            if known == 1 { "" } else { "s" },
            issue.title
        );
        if stale > 0 {
            let _ = writeln!(
                out,
                "     {}",
                paint.bad(&format!(
                    "stale: {stale} cells are as they should be although it says otherwise"
                ))
            );
        }
        let releases = match issue.url.as_str() {
            "" => issue.releases.clone(),
            url => format!("{}; {url}", issue.releases),
        };
        let lines = [
            ("", issue.means.as_str()),
            ("workaround: ", issue.workaround.as_str()),
            ("releases: ", &releases),
            ("the bytes say: ", issue.bytes_say.as_str()),
            ("upstream: ", issue.upstream.as_str()),
        ];
        for (what, text) in lines.iter().filter(|(_, text)| !text.is_empty()) {
            let _ = writeln!(out, "{}", paint.dim(&format!("     {what}{text}")));
        }
    }
}

/// Why cells were not asked: each reason once.
fn reasons(out: &mut String, facts: &Facts, detail: Detail, paint: Paint) {
    let mut groups: BTreeMap<(bool, VerdictKind, &str, &str), usize> = BTreeMap::new();
    for (reason, cells) in &facts.reasons {
        let key = (
            reason.red,
            reason.verdict,
            reason.profile.as_str(),
            reason.text.as_str(),
        );
        *groups.entry(key).or_default() += cells;
    }
    if !groups.is_empty() {
        out.push('\n');
    }
    // What makes the run incomplete comes first.
    let most = if detail == Detail::Verbose {
        usize::MAX
    } else {
        MAX_REASONS
    };
    for ((red, verdict, profile, reason), count) in groups.iter().rev().take(most) {
        let verdict = match red {
            true => paint.bad(verdict.name()),
            false => paint.warn(verdict.name()),
        };
        let under = match *profile {
            "" => String::new(),
            profile => format!(" under {profile}"),
        };
        let _ = writeln!(out, "  {verdict} {count}{under}: {reason}");
    }
}

/// The counts in one line; zeros are left out, but for what conforms.
fn counts(summary: &Summary, paint: Paint) -> String {
    let mut parts = vec![
        format!("{} selected", summary.selected),
        paint.good(&format!("{} conform", summary.conforms)),
    ];
    let rest = [
        (summary.deviates, "deviate", true),
        (summary.known, "known", false),
        (summary.stale, "stale", true),
        (summary.new, "new", true),
        (summary.not_applicable, "not applicable", false),
        (summary.skipped_unexpectedly(), "not asked", true),
        (summary.expected_skips, "not asked, as expected", false),
        (summary.could_not_run, "could not run", true),
    ];
    for (count, what, bad) in rest {
        if count > 0 {
            let text = format!("{count} {what}");
            parts.push(if bad {
                paint.bad(&text)
            } else {
                paint.warn(&text)
            });
        }
    }
    for (count, what) in [
        (summary.as_in_baseline, "as in the baseline"),
        (summary.below_severity, "less severe than asked for"),
    ] {
        if count > 0 {
            parts.push(paint.warn(&format!("{count} {what}")));
        }
    }
    if summary.better > 0 {
        let better = format!("{} better than the baseline", summary.better);
        parts.push(paint.good(&better));
    }
    parts.join(", ")
}
