//! Coverage as one page: the regions, what nobody reached, and the source with who reaches each part beside it.

use askama::Template;

use super::{percent, share, shares};
use crate::html::assets::policy_for;
use base::text::count;
use studies::coverage::{Coverage, CoverageRegion, CoveredPoint, Map, PointKind};

/// The style.
const STYLE: &str = concat!(
    include_str!("../html/page/base.css"),
    include_str!("page/coverage.css"),
);
/// So many cells are named as examples.
const EXAMPLES: usize = 3;

#[derive(Debug, Template)]
#[template(path = "coverage.html")]
struct Page<'a> {
    style: &'static str,
    policy: String,
    harness: &'static str,
    coverage: &'a Coverage,
    shares: String,
    regions: Vec<RegionView<'a>>,
}

#[derive(Debug)]
struct RegionView<'a> {
    region: &'a CoverageRegion,
    functions: String,
    branches: String,
    percent: usize,
    lines: Vec<LineView<'a>>,
}

/// A line of the source.
#[derive(Debug)]
struct LineView<'a> {
    number: u32,
    text: &'a str,
    /// Whether it is reached: `hit`, `miss`, or nothing where no point is around it.
    class: &'static str,
    /// Who reaches it, where something begins.
    who: String,
    examples: String,
    /// What on it is never reached.
    missing: Vec<String>,
}

/// Renders the page.
///
/// # Errors
/// The template fails, which would be a bug.
pub fn coverage_html(coverage: &Coverage, map: &Map) -> Result<String, askama::Error> {
    let view = |region| view(coverage, map, region);
    Page {
        style: STYLE,
        policy: policy_for("", STYLE),
        harness: env!("CARGO_PKG_VERSION"),
        coverage,
        shares: shares(&coverage.total),
        regions: coverage.regions.iter().map(view).collect(),
    }
    .render()
}

fn view<'a>(coverage: &Coverage, map: &'a Map, region: &'a CoverageRegion) -> RegionView<'a> {
    let mut sources = map.regions.iter();
    let source = sources.find(|source| source.name == region.name && source.file == region.file);
    let text = source.map_or("", |source| source.text.as_str());
    let mut lines: Vec<LineView<'a>> = (1..)
        .zip(text.lines())
        .map(|(number, text)| LineView {
            number,
            text,
            class: "",
            who: String::new(),
            examples: String::new(),
            missing: Vec::new(),
        })
        .collect();
    // What lies within something comes after it.
    for point in &region.points {
        paint(coverage, point, &mut lines);
    }
    RegionView {
        region,
        functions: share(region.share.functions),
        branches: share(region.share.branches),
        percent: percent(region.share.branches),
        lines,
    }
}

fn paint(coverage: &Coverage, point: &CoveredPoint, lines: &mut [LineView<'_>]) {
    let first = (point.line as usize).saturating_sub(1);
    let end = (first + point.lines as usize).min(lines.len());
    let class = if point.is_reached() { "hit" } else { "miss" };
    let whole = point.kind == PointKind::Function;
    // The first line of a branch is the one with its condition.
    let from = if whole { first } else { first + 1 };
    for line in lines.get_mut(from..end).into_iter().flatten() {
        line.class = class;
    }
    let Some(line) = lines.get_mut(first) else {
        return;
    };
    if !point.is_reached() {
        line.missing.push(match point.kind {
            PointKind::Function => "function never called".to_owned(),
            kind => format!("{}: {}", kind.name(), point.text),
        });
    } else if whole || line.who.is_empty() && end > first + 1 {
        line.who = who(coverage, point);
        line.examples = coverage.cells_of(point.cells, EXAMPLES).join("\n");
    }
}

/// Who reaches a point, in words.
fn who(coverage: &Coverage, point: &CoveredPoint) -> String {
    let kinds = [
        (point.cells, "cell"),
        (point.launches, "start"),
        (point.others, "other request"),
    ];
    let told = kinds.iter().filter(|(set, _)| set.is_some());
    let told = told.map(|(set, noun)| count(coverage.size(*set), noun));
    told.collect::<Vec<_>>().join(", ")
}
