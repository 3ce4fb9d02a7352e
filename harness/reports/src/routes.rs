//! The routes of a release, and what differs between those of two: for a terminal, and as Markdown.

use std::fmt::Write as _;

use base::text::{count, one_line};
use studies::routes::{
    Credential, Finding, FindingKind, Route, RouteVerdict, Routes, RoutesChange,
};

use crate::Paint;
use crate::access::cell_text;

/// A route as a row: path, spellings, the statuses without, with a wrong and with the right credential, verdict, source.
fn row(route: &Route, spellings: usize) -> [String; 7] {
    let statuses = route.statuses().map(|found| {
        let found: Vec<String> = found.iter().map(u16::to_string).collect();
        match found.is_empty() {
            true => "-".to_owned(),
            false => found.join(","),
        }
    });
    let [absent, wrong, right] = statuses;
    let verdict = match route.new {
        true => format!("{}, new", route.verdict.name()),
        false => route.verdict.name().to_owned(),
    };
    let source = route
        .sources
        .first()
        .map(|source| one_line(&source.place()));
    let asked = match route.verdict {
        RouteVerdict::NotAsked => 0,
        _ => spellings,
    };
    let source = source.unwrap_or_else(|| "no release serves it".to_owned());
    let path = one_line(&route.path);
    [
        path,
        asked.to_string(),
        absent,
        wrong,
        right,
        verdict,
        source,
    ]
}

const HEADS: [&str; 7] = [
    "route",
    "spellings",
    "without",
    "wrong",
    "right",
    "verdict",
    "source",
];

/// What it comes to, in one line.
fn summary(routes: &Routes) -> String {
    let named = count(
        routes
            .routes
            .iter()
            .filter(|one| !one.sources.is_empty())
            .count(),
        "path",
    );
    let named = format!("{named} named by {} ({})", routes.gateway, routes.version);
    if routes.profiles.is_empty() {
        return format!("{named}; nothing was asked");
    }
    let served = routes
        .routes
        .iter()
        .filter(|one| one.verdict.is_served())
        .count();
    let new = routes.routes.iter().filter(|one| one.new).count();
    let of = |verdict: RouteVerdict| routes.count(verdict);
    format!(
        "{named}; {served} served under {}: {} guarded, {} denied, {} public, {} open, {} tell more than a denial; {new} new",
        routes.profiles.join(", "),
        of(RouteVerdict::Guarded),
        of(RouteVerdict::Denied),
        of(RouteVerdict::Public),
        of(RouteVerdict::Open),
        of(RouteVerdict::Tells),
    )
}

/// A finding as a sentence.
fn finding(finding: &Finding) -> String {
    let caller = match finding.credential {
        Credential::Absent => "without a credential",
        Credential::Wrong => "with a wrong credential",
    };
    let what = match finding.kind {
        FindingKind::LetsIn => "",
        FindingKind::Tells => ", which is no denial that tells nothing",
        FindingKind::Secret => " with a secret in it",
    };
    format!(
        "profile {}: {} {} ({}) {caller} answers {}{what}: {}",
        finding.profile,
        finding.method,
        one_line(&finding.target),
        finding.spelling,
        finding.status,
        one_line(&finding.body),
    )
}

/// So many findings of a route are printed.
const MOST: usize = 6;

/// What is wrong, then every route that answers, for a terminal. Paths that nobody serves are counted, or told with `all`.
pub fn routes_text(routes: &Routes, all: bool, paint: Paint) -> String {
    let mut out = format!("{}\n", paint.bold(&summary(routes)));
    for route in routes.wrong() {
        let what = match route.verdict {
            RouteVerdict::Open => "open, and not on the public list",
            _ => "tells more than a denial",
        };
        let _ = writeln!(out, "\n{}  {}", paint.bad(what), one_line(&route.path));
        for source in route.sources.iter().take(2) {
            let _ = writeln!(out, "  {}", paint.dim(&one_line(&source.place())));
        }
        for one in route.findings.iter().take(MOST) {
            let _ = writeln!(out, "  {}", finding(one));
        }
        if route.findings.len() > MOST {
            let _ = writeln!(
                out,
                "  and {} more; --format json has all",
                route.findings.len() - MOST
            );
        }
    }
    for why in &routes.not_asked {
        let _ = writeln!(out, "\n{} {}", paint.warn("not asked:"), one_line(why));
    }
    let shown = |route: &&Route| all || route.verdict != RouteVerdict::Nothing;
    let rows: Vec<[String; 7]> = (routes.routes.iter().filter(shown))
        .map(|route| row(route, routes.spellings.len()))
        .collect();
    out.push('\n');
    out.push_str(&table(&rows, paint));
    let nothing = routes.count(RouteVerdict::Nothing);
    if nothing > 0 && !all {
        let line = format!(
            "besides {} that nobody serves here; --all shows them",
            count(nothing, "path")
        );
        let _ = writeln!(out, "{}", paint.dim(&line));
    }
    if !routes.unused.is_empty() {
        let line = format!(
            "on the public list, and nobody is let in there: {}",
            routes.unused.join(", ")
        );
        let _ = writeln!(out, "{}", paint.dim(&one_line(&line)));
    }
    out
}

fn table(rows: &[[String; 7]], paint: Paint) -> String {
    let heads = HEADS.map(str::to_owned);
    let width = |column: usize| {
        let cells = std::iter::once(&heads).chain(rows);
        cells
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..HEADS.len()).map(width).collect();
    let line = |row: &[String; 7]| {
        let cells = row.iter().zip(widths.iter().copied());
        let cells = cells.map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut out = format!("{}\n", paint.bold(&line(&heads)));
    for row in rows {
        out.push_str(&line(row));
        out.push('\n');
    }
    out
}

/// The same as a page to paste.
pub fn routes_markdown(routes: &Routes) -> String {
    let mut out = format!(
        "# Routes of {}\n\n{}.\n",
        cell_text(&routes.gateway),
        summary(routes)
    );
    for route in routes.wrong() {
        for one in &route.findings {
            let _ = writeln!(out, "\n- {}", cell_text(&finding(one)));
        }
    }
    for why in &routes.not_asked {
        let _ = writeln!(out, "\nNot asked: {}", cell_text(why));
    }
    let _ = writeln!(
        out,
        "\n| {} |\n|{}",
        HEADS.join(" | "),
        "---|".repeat(HEADS.len())
    );
    let served = routes
        .routes
        .iter()
        .filter(|one| one.verdict != RouteVerdict::Nothing);
    for route in served {
        let row = row(route, routes.spellings.len()).map(|cell| cell_text(&cell));
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
    out
}

/// What differs between the routes of two releases; with `bullets` as Markdown.
pub fn routes_change_text(change: &RoutesChange, bullets: bool, paint: Paint) -> String {
    let side = |one: &studies::routes::Side| match one.profiles.is_empty() {
        true => format!("{}, of which only what it names is known", one.gateway),
        false => format!("{}, asked under {}", one.gateway, one.profiles.join(", ")),
    };
    let head = format!(
        "from {} to {}: {} came, {} went, {} changed, {} are the same",
        side(&change.before),
        side(&change.after),
        change.came.len(),
        change.went.len(),
        change.changed.len(),
        change.same
    );
    let mut out = format!("{}\n\n", paint.bold(&head));
    let mark = if bullets { "- " } else { "" };
    let state = |route: &Route| {
        let [_, _, absent, wrong, right, verdict, _] = row(route, 0);
        match route.guard.is_empty() {
            true => verdict,
            false => format!("{verdict} ({absent} without, {wrong} wrong, {right} right)"),
        }
    };
    for one in &change.changed {
        let name = paint.warn("changed");
        let path = one_line(&one.after.path);
        let (before, after) = (state(&one.before), state(&one.after));
        let _ = writeln!(out, "{mark}{name}  {path}: {before} -> {after}");
    }
    for (name, routes) in [("came", &change.came), ("went", &change.went)] {
        let is_nothing = |route: &&Route| route.verdict == RouteVerdict::Nothing;
        let nothing = routes.iter().filter(is_nothing).count();
        for route in routes.iter().filter(|route| !is_nothing(route)) {
            let source = route.sources.first();
            let source = source.map_or(String::new(), |source| format!(", {}", source.place()));
            let (path, state) = (one_line(&route.path), state(route));
            let _ = writeln!(
                out,
                "{mark}{}  {path}: {state}{}",
                paint.bold(name),
                one_line(&source)
            );
        }
        if nothing > 0 {
            let line = format!("{} that nobody serves {name}, too", count(nothing, "path"));
            let _ = writeln!(out, "{mark}{}", paint.dim(&line));
        }
    }
    out
}
