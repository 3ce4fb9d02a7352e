//! The table as Markdown, for a README or an issue: how releases fared, and since when what holds.

use std::fmt::Write as _;

use super::words;
use crate::markdown::escape::text as plain;
use studies::survey::{Row, StateKind, Table, access};

/// Renders it. Rows in which no release differs and none deviates are counted, not listed.
pub fn markdown(table: &Table) -> String {
    let mut out = String::new();
    let (first, last) = (table.releases.first(), table.releases.last());
    if let (Some(first), Some(last)) = (first, last) {
        let asked = table.releases.iter();
        let asked = asked.filter(|release| release.summary.ran() > 0).count();
        let _ = writeln!(
            out,
            "# OpenClaw's HTTP auth, {} to {}\n\n{} releases, {asked} of them launched and asked; made by `clawgauge survey` from their \
             records, scenario files `{}`.",
            first.version,
            last.version,
            table.releases.len(),
            table.table_hash
        );
    }
    releases(&mut out, table);
    who_gets_in(&mut out, table);
    changes(&mut out, table);
    issues(&mut out, table);
    out
}

fn releases(out: &mut String, table: &Table) {
    out.push_str("\n## Releases\n\n| release | | conform | known | deviate | not run |\n|---|---|---:|---:|---:|---:|\n");
    for release in &table.releases {
        let state = &release.state;
        let mut remarks = vec![state.kind.words().to_owned()];
        if state.kind != StateKind::Ran {
            let reason = state.reason.as_deref().unwrap_or_default();
            remarks.extend(reason.lines().next().map(plain));
        }
        remarks.extend(state.workarounds.iter().map(|note| plain(note)));
        let summary = &release.summary;
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} |",
            release.version,
            remarks.join(": "),
            summary.conforms,
            summary.known,
            summary.deviates + summary.stale + summary.new,
            summary.could_not_run + summary.not_asked
        );
    }
}

fn who_gets_in(out: &mut String, table: &Table) {
    for access in access(table) {
        let Some(scenario) = table
            .scenarios
            .iter()
            .find(|known| known.id == access.scenario)
        else {
            continue;
        };
        let routes: Vec<String> = access.routes.iter().map(|route| plain(route)).collect();
        let _ = writeln!(
            out,
            "\n## Who gets in: {}\n\n| mode | releases | the least to send | everybody who gets in |\n|---|---|---|---|",
            routes.join(", ")
        );
        for (mode, spans) in &access.modes {
            for span in spans {
                let wrong = span.seen.wrong.as_ref();
                let wrong = wrong.map_or(String::new(), |wrong| format!("; {wrong}"));
                let _ = writeln!(
                    out,
                    "| {} | {}{wrong} | {} | {} |",
                    plain(mode),
                    span.when(),
                    plain(&words::send(&span.seen)),
                    plain(&words::who(scenario, &span.seen))
                );
            }
        }
    }
}

fn changes(out: &mut String, table: &Table) {
    out.push_str("\n## What differs between releases\n");
    for (place, scenario) in table.scenarios.iter().enumerate() {
        let own = |row: &&Row| row.scenario == place;
        let rows: Vec<&Row> = table.rows.iter().filter(own).collect();
        let told: Vec<&&Row> = rows
            .iter()
            .filter(|row| row.changes() || row.deviates())
            .collect();
        if told.is_empty() {
            continue;
        }
        let _ = writeln!(
            out,
            "\n### {}\n\n{}.\n\n| cells | | since when |\n|---|---:|---|",
            plain(&scenario.id),
            plain(&scenario.title)
        );
        for row in &told {
            let _ = writeln!(
                out,
                "| {} | {} | {} |",
                plain(&words::conditions_line(
                    scenario,
                    &row.conditions,
                    "every cell"
                )),
                row.cells.len(),
                plain(&words::sentence(row))
            );
        }
        let (quiet, cells) = rows
            .iter()
            .filter(|row| !row.changes() && !row.deviates())
            .fold((0, 0), |(rows, cells), row| {
                (rows + 1, cells + row.cells.len())
            });
        if quiet > 0 {
            let _ = writeln!(
                out,
                "\nThe other {} conform on every release that was asked, and answer the same.",
                words::cells(cells)
            );
        }
    }
}

fn issues(out: &mut String, table: &Table) {
    if table.issues.is_empty() {
        return;
    }
    out.push_str("\n## Known issues\n\n| issue | what | shows |\n|---|---|---|\n");
    for issue in &table.issues {
        let shows: Vec<String> = issue
            .spans
            .iter()
            .map(studies::survey::Span::when)
            .collect();
        let name = plain(&issue.issue.id);
        let name = match crate::html::issues::is_web(&issue.issue.url) {
            true => format!("[{name}]({})", issue.issue.url),
            false => name,
        };
        let _ = writeln!(
            out,
            "| {name} | {} | {} |",
            plain(&issue.issue.title),
            shows.join(", ")
        );
    }
}
