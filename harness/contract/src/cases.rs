//! The map of questions: what somebody else's test suite asks, and which cells ask it here, in `scenarios/cases.toml`.
//!
//! Nothing is judged by it, so it is no part of what a record is judged by; only [`Cases::load`] reads it, for `clawgauge
//! cases` and `clawgauge check`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::cell_id::CellId;
use crate::data::CASES;
use crate::plan::{Selection, SelectionError, glob_of};
use crate::region::Combination;
use crate::release::{Version, VersionRange};
use crate::scenario::model::{Rule, Scenario, any_matches};
use crate::scenario::{
    Catalogue, Problem, Problems, Profile, SourceFile, breakpoints, is_there, parse_toml,
    schema_version,
};
use base::parallel;

/// The questions and where they are asked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CasesFile {
    /// Version of this file format; 1.
    #[schemars(with = "u32")]
    schema: Spanned<u32>,
    /// The questions.
    case: Vec<CaseTable>,
}

/// A question: `asked` by some cells, `partly` if something is missing there, or `not-asked` for a reason.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct CaseTable {
    /// Name of the suite, a slash, and its number there.
    #[schemars(with = "String")]
    id: Spanned<String>,
    /// The question in our own words.
    question: String,
    /// Whose question it is: a test file, a document of a release, an issue.
    source: String,
    /// Globs over the ids of the cells that ask it.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    asked: Vec<Spanned<String>>,
    /// What of it those cells do not ask.
    partly: Option<String>,
    /// Why no cell asks it.
    not_asked: Option<String>,
}

/// Whether a question is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Coverage {
    /// Cells ask all of it.
    Asked,
    /// Cells ask a part of it.
    Partly,
    /// No cell asks it.
    NotAsked,
}

/// A question, and the cells that ask it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Case {
    /// Name of the suite, a slash, and its number there.
    pub id: String,
    /// The question.
    pub question: String,
    /// Whose question it is.
    pub source: String,
    /// Whether it is asked.
    pub coverage: Coverage,
    /// What is missing, or why it is not asked; empty where all of it is asked.
    pub reason: String,
    /// Globs over the ids of the cells that ask it.
    pub globs: Vec<String>,
    /// How many cells that are.
    pub cells: usize,
    /// The releases on which at least one of them can be asked.
    pub releases: Vec<String>,
    /// The rules that decide them, each as `scenario/rule` with its releases.
    pub rules: Vec<String>,
    /// `file:line`.
    pub origin: String,
}

/// How many questions are asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CasesSummary {
    /// All questions.
    pub questions: usize,
    /// Those of which all is asked.
    pub asked: usize,
    /// Those of which a part is asked.
    pub partly: usize,
    /// Those that no cell asks.
    pub not_asked: usize,
}

/// The map of questions.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Cases {
    /// How many are asked.
    pub summary: CasesSummary,
    /// The questions, in the order of the file.
    pub cases: Vec<Case>,
}

impl Cases {
    /// Reads the map and finds the cells of each question. `None` where the data have no map.
    ///
    /// # Errors
    /// Every row that points at nothing, names no cells and no reason, or repeats an id.
    pub fn load(catalogue: &Catalogue) -> Result<Option<Self>, Problems> {
        if !is_there(&catalogue.data, CASES) {
            return Ok(None);
        }
        let file = SourceFile::read(&catalogue.data, CASES)?;
        let raw: CasesFile = parse_toml(&file)?;
        let mut problems = Problems::default();
        schema_version(&file, &raw.schema, &mut problems);
        let matrix = Matrix::of(catalogue);
        let mut seen = BTreeSet::new();
        for table in &raw.case {
            if !seen.insert(table.id.get_ref()) {
                let message = format!("case `{}` is there twice", table.id.get_ref());
                let problem = Problem::at(&file, table.id.span(), message, "this id");
                problems.0.push(problem);
            }
        }
        let found = parallel::map(&raw.case, |table| case(&file, table, &matrix));
        let mut cases = Vec::new();
        for (case, found) in found {
            cases.push(case);
            problems.0.extend(found.0);
        }
        let count = |wanted| cases.iter().filter(|case| case.coverage == wanted).count();
        let summary = CasesSummary {
            questions: cases.len(),
            asked: count(Coverage::Asked),
            partly: count(Coverage::Partly),
            not_asked: count(Coverage::NotAsked),
        };
        problems.into_result(Some(Self { summary, cases }))
    }
}

/// The cells of all scenarios, with their ids.
struct Matrix<'a> {
    catalogue: &'a Catalogue,
    cells: Vec<Vec<(String, Combination)>>,
}

/// A cell: the position of its scenario, and its own in that.
type Place = (usize, usize);

impl<'a> Matrix<'a> {
    fn of(catalogue: &'a Catalogue) -> Self {
        let cells_of = |scenario: &Arc<Scenario>| {
            let cells = scenario.combinations();
            cells.map(|cell| (scenario.cell_id(&cell), cell)).collect()
        };
        let cells = catalogue.scenarios.iter().map(cells_of).collect();
        Self { catalogue, cells }
    }

    /// The cells that a glob matches: the same that commands take it for.
    fn find(&self, glob: &str) -> Result<BTreeSet<Place>, SelectionError> {
        let globs = [glob.to_owned()];
        let wrong = || Selection::parse(self.catalogue, &globs, &[]).err();
        let named = CellId::of(glob).scenario();
        let (_, matcher) = glob_of(glob)?;
        let mut found = BTreeSet::new();
        // A glob that names its scenario is held against no others.
        let scenarios = self.catalogue.scenarios.iter();
        let is_named = scenarios.clone().any(|scenario| scenario.id == named);
        for (place, scenario) in scenarios.enumerate() {
            if !is_named || scenario.id == named {
                let cells = self.cells[place].iter().enumerate();
                let matching = cells.filter(|(_, (id, _))| matcher.is_match(id));
                found.extend(matching.map(|(cell, _)| (place, cell)));
            }
        }
        match found.is_empty().then(wrong).flatten() {
            Some(error) => Err(error),
            None => Ok(found),
        }
    }

    /// The releases on which at least one of some cells can be asked, and the rules that decide them.
    fn facts(&self, found: &BTreeSet<Place>) -> (Vec<String>, Vec<String>) {
        let mut rules = Vec::new();
        let mut launches: BTreeMap<(usize, &str), &Profile> = BTreeMap::new();
        for (place, scenario) in self.catalogue.scenarios.iter().enumerate() {
            let mine = found.range((place, 0)..(place + 1, 0));
            let mine: Vec<&Combination> =
                mine.map(|(_, cell)| &self.cells[place][*cell].1).collect();
            let decides = |rule: &&Rule| mine.iter().any(|cell| any_matches(&rule.when, cell));
            let deciding = scenario.rules.iter().filter(decides);
            rules.extend(
                deciding.map(|rule| format!("{}/{}, {}", scenario.id, rule.id, rule.range)),
            );
            let axis = scenario.profile_axis();
            for cell in mine {
                let name = scenario.axes[axis].values[usize::from(cell[axis])]
                    .id
                    .as_str();
                launches.extend(
                    self.catalogue
                        .profiles
                        .get(name)
                        .map(|profile| ((place, name), profile)),
                );
            }
        }
        let since = |place: usize| self.catalogue.scenarios[place].since.as_ref();
        // A decision table is total from the scenario's first release on, so only starts stand in the way.
        let can_ask = |release: &Version| {
            launches.iter().any(|((place, _), profile)| {
                since(*place).is_none_or(|since| since <= release)
                    && profile.launch_for(release).is_ok()
            })
        };
        let begins = launches
            .keys()
            .filter_map(|(place, _)| since(*place))
            .cloned();
        let ranges = launches.values().flat_map(|profile| {
            let launches = profile.launches.iter().map(|launch| &launch.range);
            launches.chain(profile.not_applicable.iter().map(|entry| &entry.range))
        });
        let mut points = breakpoints(ranges, None);
        points.extend(begins);
        let releases = runs(points, can_ask)
            .iter()
            .map(ToString::to_string)
            .collect();
        (releases, rules)
    }
}

/// The ranges in which something holds that changes at these releases only.
fn runs(points: BTreeSet<Version>, holds: impl Fn(&Version) -> bool) -> Vec<VersionRange> {
    let mut ranges: Vec<VersionRange> = Vec::new();
    let mut open = false;
    for point in points {
        match (open, holds(&point)) {
            (false, true) => ranges.push(VersionRange {
                since: (point != Version::earliest()).then_some(point),
                until: None,
            }),
            (true, false) => {
                if let Some(last) = ranges.last_mut() {
                    last.until = Some(point);
                }
            }
            (true, true) | (false, false) => continue,
        }
        open = !open;
    }
    ranges
}

/// A question with its cells, and what is wrong with it.
fn case(file: &SourceFile, table: &CaseTable, matrix: &Matrix<'_>) -> (Case, Problems) {
    let mut problems = Problems::default();
    let (coverage, reason) = match (table.asked.is_empty(), &table.partly, &table.not_asked) {
        (false, None, None) => (Coverage::Asked, String::new()),
        (false, Some(missing), None) => (Coverage::Partly, missing.clone()),
        (true, None, Some(reason)) => (Coverage::NotAsked, reason.clone()),
        (false, _, Some(_)) | (true, _, _) => {
            let message = format!(
                "case `{}` must say one of `asked` and `not-asked`",
                table.id.get_ref()
            );
            problems.0.push(
                Problem::at(file, table.id.span(), message, "this question")
                    .help("give it `asked`, a list of cells (and `partly`, what they do not ask), or `not-asked`, a reason"),
            );
            (Coverage::NotAsked, String::new())
        }
    };
    let mut found = BTreeSet::new();
    for glob in &table.asked {
        match matrix.find(glob.get_ref()) {
            Ok(ids) => found.extend(ids),
            Err(error) => problems.0.push(Problem::at(
                file,
                glob.span(),
                error.to_string(),
                "points at nothing",
            )),
        }
    }
    let texts = [
        Some(&table.question),
        Some(&table.source),
        (coverage != Coverage::Asked).then_some(&reason),
    ];
    if texts
        .into_iter()
        .flatten()
        .any(|text| text.trim().is_empty())
    {
        let message = format!("case `{}` has an empty text", table.id.get_ref());
        problems
            .0
            .push(Problem::at(file, table.id.span(), message, "this question"));
    }
    let (releases, rules) = matrix.facts(&found);
    let case = Case {
        origin: format!("{}:{}", file.name, file.line(table.id.span().start)),
        id: table.id.get_ref().clone(),
        question: table.question.clone(),
        source: table.source.clone(),
        coverage,
        reason,
        globs: table
            .asked
            .iter()
            .map(|glob| glob.get_ref().clone())
            .collect(),
        cells: found.len(),
        releases,
        rules,
    };
    (case, problems)
}
