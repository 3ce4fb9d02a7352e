//! The matrix of one profile as text: equal rows folded, one symbol a cell.

use std::collections::HashMap;
use std::fmt::Write as _;

use indexmap::IndexMap;

use crate::Paint;
use record::judge::VerdictKind;
use record::symbol::CellSymbol;
use record::{AxisRecord, CellRecord, GateEffect, Record, ScenarioRecord};

/// What the symbols mean, for the foot of a report.
pub(super) const LEGEND: &str = "  + let in   . refused   as expected      A let in, must not   D refused, must not   x other denial   b other body\n  a d k as a known issue says   s a known issue that does not show   n no snapshot yet   ? could not run   / not applicable   - not asked on this machine";

/// So many columns of text the heads of a matrix may take.
const WIDEST: usize = 100;
/// With more profiles than this they are rows of one matrix instead of a matrix each.
const MANY_PROFILES: usize = 6;

/// How the cells of a scenario are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// A matrix a profile, with this axis across.
    PerProfile(usize),
    /// One matrix, with this axis across; `None` for a single column.
    Whole(Option<usize>),
}

impl Layout {
    /// What suits a scenario: the last axis across if it fits, the profiles otherwise.
    pub(super) fn of(scenario: &ScenarioRecord) -> Self {
        let profiles = scenario.profile_axis();
        let fits = |axis: &usize| {
            let heads = scenario.axes[*axis].values.iter();
            heads
                .map(|value| value.short.chars().count() + 1)
                .sum::<usize>()
                <= WIDEST
        };
        let last = (0..scenario.axes.len()).rfind(|axis| *axis != profiles);
        match last.filter(fits) {
            Some(last) if scenario.axes[profiles].values.len() <= MANY_PROFILES => {
                Self::PerProfile(last)
            }
            Some(last) => Self::Whole(Some(last)),
            None => Self::Whole(Some(profiles).filter(|axis| last.is_some() && fits(axis))),
        }
    }
}

/// A matrix has so many rows by name; cells of further ones are only counted.
const MOST_ROWS: usize = 10_000;

/// Cells of one scenario: one axis across, the others down, one symbol a cell.
#[derive(Debug)]
pub(super) struct Matrix<'a> {
    across: Option<&'a AxisRecord>,
    down: Vec<&'a AxisRecord>,
    places: HashMap<&'a str, usize>,
    /// By name, in the order in which they come.
    rows: IndexMap<String, Row>,
    /// Cells that are in none of the rows.
    beyond: usize,
    /// Whether anything was answered.
    pub(super) seen: bool,
    /// Whether a cell is neither as it should be nor explained.
    pub(super) trouble: bool,
}

type Row = Vec<Option<CellSymbol>>;

impl<'a> Matrix<'a> {
    /// Without cells; of a layout by profile it is for those of one.
    pub(super) fn new(scenario: &'a ScenarioRecord, layout: Layout) -> Self {
        let (across, hidden) = match layout {
            Layout::PerProfile(across) => (Some(across), Some(scenario.profile_axis())),
            Layout::Whole(across) => (across, None),
        };
        let down = (0..scenario.axes.len())
            .filter(|axis| Some(*axis) != across && Some(*axis) != hidden)
            .map(|axis| &scenario.axes[axis]);
        let across = across.map(|axis| &scenario.axes[axis]);
        let values = across.into_iter().flat_map(|axis| &axis.values);
        let values = values.enumerate();
        Self {
            across,
            down: down.collect(),
            places: values.map(|(at, value)| (value.id.as_str(), at)).collect(),
            rows: IndexMap::new(),
            beyond: 0,
            seen: false,
            trouble: false,
        }
    }

    /// Takes in a cell.
    pub(super) fn cell(&mut self, cell: &CellRecord) {
        self.seen |= cell.observed.is_some();
        // What the machine lacks is told once, not cell by cell.
        let fine = cell.verdict.passes() || cell.verdict == VerdictKind::NotAsked;
        self.trouble |= !fine || cell.standing == Some(GateEffect::Fails);
        let name: Vec<&str> = self
            .down
            .iter()
            .filter_map(|axis| cell.axes.get(&axis.name))
            .collect();
        let name = if name.is_empty() {
            "all".to_owned()
        } else {
            name.join(" ")
        };
        if self.rows.len() >= MOST_ROWS && !self.rows.contains_key(&name) {
            self.beyond += 1;
            return;
        }
        let column = self.across.map_or(Some(0), |axis| {
            self.places.get(cell.axes.get(&axis.name)?).copied()
        });
        let columns = self.columns();
        let row = self.rows.entry(name).or_insert_with(|| vec![None; columns]);
        if let Some(column) = column {
            row[column] = Some(CellSymbol::of(cell));
        }
    }

    fn columns(&self) -> usize {
        self.across.map_or(1, |axis| axis.values.len())
    }

    /// As text, equal rows as one.
    pub(super) fn text(self, paint: Paint) -> String {
        let columns = self.columns();
        let Self {
            across,
            down,
            rows,
            beyond,
            ..
        } = self;
        // Rows that look the same are one row with several names.
        let mut folded: IndexMap<Row, Vec<String>> = IndexMap::new();
        for (name, row) in rows {
            folded.entry(row).or_default().push(name);
        }
        let mut out = rendered(across, &down, columns, &folded, paint);
        if beyond > 0 {
            let _ = writeln!(
                out,
                "  and {beyond} cells in rows beyond the first {MOST_ROWS}; the JSON report has all of them"
            );
        }
        out
    }
}

/// The matrices of a run: by gateway, scenario, and profile where each has its own.
pub(super) struct Matrices<'a> {
    scenarios: HashMap<&'a str, (&'a ScenarioRecord, Layout)>,
    by_place: HashMap<(String, String, String), Matrix<'a>>,
}

impl<'a> Matrices<'a> {
    /// Of a run; it has no cells yet.
    pub(super) fn of(record: &'a Record) -> Self {
        let scenarios = record.scenarios.iter();
        let scenarios =
            scenarios.map(|scenario| (scenario.id.as_str(), (scenario, Layout::of(scenario))));
        Self {
            scenarios: scenarios.collect(),
            by_place: HashMap::new(),
        }
    }

    /// Takes in a cell.
    pub(super) fn cell(&mut self, cell: &CellRecord) {
        let Some((scenario, layout)) = self.scenarios.get(cell.scenario()) else {
            return;
        };
        let profile = match layout {
            Layout::Whole(_) => "",
            Layout::PerProfile(_) => cell.profile(),
        };
        let place = (
            cell.gateway.clone(),
            scenario.id.clone(),
            profile.to_owned(),
        );
        let new = || Matrix::new(scenario, *layout);
        self.by_place.entry(place).or_insert_with(new).cell(cell);
    }

    /// Hands one out; `profile` is empty where the scenario has one for all.
    pub(super) fn take(
        &mut self,
        gateway: &str,
        scenario: &str,
        profile: &str,
    ) -> Option<Matrix<'a>> {
        let place = [gateway, scenario, profile].map(str::to_owned);
        self.by_place.remove(&place.into())
    }
}

fn rendered(
    across: Option<&AxisRecord>,
    down: &[&AxisRecord],
    columns: usize,
    folded: &IndexMap<Row, Vec<String>>,
    paint: Paint,
) -> String {
    // A column that nobody asked for would only push the others aside.
    let asked: Vec<bool> = (0..columns)
        .map(|column| folded.keys().any(|row| row[column].is_some()))
        .collect();
    let heads: Vec<&str> = across.map_or(vec![""], |axis| {
        axis.values
            .iter()
            .map(|value| value.short.as_str())
            .zip(&asked)
            .filter_map(|(head, asked)| asked.then_some(head))
            .collect()
    });
    let widths: Vec<usize> = heads
        .iter()
        .map(|head| head.chars().count().max(1))
        .collect();
    let mut out = String::new();
    if let Some(across) = across {
        out.push_str("  ");
        for (head, width) in heads.iter().zip(&widths) {
            out.push_str(&paint.dim(&format!("{head:^width$}")));
            out.push(' ');
        }
        let down: Vec<&str> = down.iter().map(|axis| axis.name.as_str()).collect();
        let down = match down.is_empty() {
            true => String::new(),
            false => format!(", {} below", down.join(", ")),
        };
        out.push_str(&paint.dim(&format!(" {} across{down}", across.name)));
        out.push('\n');
    }
    for (row, names) in folded {
        out.push_str("  ");
        let row = row.iter().zip(&asked).filter(|(_, asked)| **asked);
        for ((symbol, _), width) in row.zip(&widths) {
            let (left, right) = ((width - 1) / 2, width - 1 - (width - 1) / 2);
            out.push_str(&" ".repeat(left));
            out.push_str(&symbol.map_or_else(|| " ".to_owned(), |symbol| painted(symbol, paint)));
            out.push_str(&" ".repeat(right + 1));
        }
        out.push(' ');
        out.push_str(&names_line(names));
        out.push('\n');
    }
    out
}

/// Several names in one line: the first ones, and how many more.
fn names_line(names: &[String]) -> String {
    let shown = if names.len() <= 3 { names.len() } else { 2 };
    let mut line = names[..shown].join(", ");
    if names.len() > shown {
        line.push_str(&format!(" and {} more", names.len() - shown));
    }
    line
}

fn painted(symbol: CellSymbol, paint: Paint) -> String {
    let text = symbol.sign();
    match symbol {
        CellSymbol::In => paint.good(text),
        CellSymbol::Out => paint.dim(text),
        CellSymbol::Allow
        | CellSymbol::Deny
        | CellSymbol::Denial
        | CellSymbol::Body
        | CellSymbol::Stale => paint.bad(text),
        CellSymbol::KnownAllow
        | CellSymbol::KnownDeny
        | CellSymbol::Known
        | CellSymbol::New
        | CellSymbol::Lost
        | CellSymbol::NotApplicable
        | CellSymbol::NotAsked => paint.warn(text),
    }
}
