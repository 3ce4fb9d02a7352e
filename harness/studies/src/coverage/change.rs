//! What differs between the code of two releases, and which cells come by there.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::document::{Coverage, CoveredPoint};
use super::map::PointKind;

/// So many cells are named as examples.
const EXAMPLES: usize = 3;

/// What differs between the code of two releases.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct CoverageChange {
    /// The first gateway.
    pub before: String,
    /// The second one.
    pub after: String,
    /// Functions that are the same in both.
    pub same: usize,
    /// Those that are not, by region.
    pub functions: Vec<ChangedFunction>,
}

/// A function that is not the same in two releases.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ChangedFunction {
    /// The region.
    pub region: String,
    /// The function.
    pub function: String,
    /// What happened to it.
    pub change: FunctionChange,
    /// Its line in the region: of the second release, or of the first where it went.
    pub line: u32,
    /// Cells that reach it there.
    pub cells: usize,
    /// Launches that reach it there, at the start or by other requests.
    pub launches: usize,
    /// Some of the cells.
    pub examples: Vec<String>,
}

/// What happened to a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FunctionChange {
    /// Its text is another one.
    Changed,
    /// It is new.
    Added,
    /// It is no more.
    Removed,
}

impl FunctionChange {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }
}

/// A region, a function, and which one of that name it is.
type Key<'a> = (&'a str, &'a str, usize);

impl CoverageChange {
    /// What differs: functions of the same region and name, in order.
    pub fn between(before: &Coverage, after: &Coverage) -> Self {
        let (was, is) = (functions(before), functions(after));
        let mut changed = Vec::new();
        let mut same = 0;
        for (key, point) in &is {
            match was.get(key) {
                Some(old) if old.digest == point.digest => same += 1,
                Some(_) => changed.push(describe(after, key, point, FunctionChange::Changed)),
                None => changed.push(describe(after, key, point, FunctionChange::Added)),
            }
        }
        for (key, point) in was.iter().filter(|(key, _)| !is.contains_key(*key)) {
            changed.push(describe(before, key, point, FunctionChange::Removed));
        }
        changed.sort_by(|a, b| (&a.region, a.change, a.line).cmp(&(&b.region, b.change, b.line)));
        Self {
            before: before.head.gateway.clone(),
            after: after.head.gateway.clone(),
            same,
            functions: changed,
        }
    }
}

fn functions(coverage: &Coverage) -> BTreeMap<Key<'_>, &CoveredPoint> {
    let mut found: BTreeMap<Key<'_>, &CoveredPoint> = BTreeMap::new();
    for region in &coverage.regions {
        let functions = region.points.iter();
        for point in functions.filter(|point| point.kind == PointKind::Function) {
            let name = point.function.as_deref().unwrap_or("anonymous");
            let mut nth = 0;
            while found.contains_key(&(region.name.as_str(), name, nth)) {
                nth += 1;
            }
            found.insert((&region.name, name, nth), point);
        }
    }
    found
}

fn describe(
    of: &Coverage,
    (region, function, _): &Key<'_>,
    point: &CoveredPoint,
    change: FunctionChange,
) -> ChangedFunction {
    let examples = of.cells_of(point.cells, EXAMPLES);
    ChangedFunction {
        region: (*region).to_owned(),
        function: (*function).to_owned(),
        change,
        line: point.line,
        cells: of.size(point.cells),
        launches: of.size(point.launches).max(of.size(point.others)),
        examples: examples.into_iter().map(str::to_owned).collect(),
    }
}
