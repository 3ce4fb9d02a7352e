//! What is kept of a record: each cell in a few words, texts once each.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::model::Side;
use contract::region::Combination;
use record::judge::{Deviation, Severity, VerdictKind};
use record::region::Places as AxisPlaces;
use record::sameness::RecordedAnswer;
use record::{
    CellRecord, GatewayRecord, IssueRecord, PartRecord, Record, Results, ResultsError, RuleRecord,
    ScenarioRecord,
};

/// A record that cannot be compared.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ResultsError),
    /// It holds several gateways, and none was named.
    #[error("it holds several gateways: {}", .0.join(", "))]
    Several(Vec<String>),
    /// It does not hold the gateway that was named.
    #[error("it holds no gateway {named:?}; it holds {}", .held.join(", "))]
    Unknown {
        /// The one that was named.
        named: String,
        /// Those that it holds.
        held: Vec<String>,
    },
    /// It holds none.
    #[error("it holds no gateway")]
    Empty,
}

/// The texts of both sides, each once.
#[derive(Debug, Default)]
pub struct Texts {
    places: HashMap<Arc<str>, usize>,
    texts: Vec<Arc<str>>,
    answers: Vec<Arc<RecordedAnswer>>,
    answer_places: HashMap<Arc<RecordedAnswer>, usize>,
}

impl Texts {
    fn place(&mut self, text: &str) -> usize {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        let place = self.texts.len();
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.places.insert(text, place);
        place
    }

    fn answer_place(&mut self, answer: RecordedAnswer) -> usize {
        if let Some(place) = self.answer_places.get(&answer) {
            return *place;
        }
        let place = self.answers.len();
        let answer = Arc::new(answer);
        self.answers.push(Arc::clone(&answer));
        self.answer_places.insert(answer, place);
        place
    }

    pub(super) fn text(&self, place: usize) -> &str {
        self.texts.get(place).map_or("", |text| text)
    }

    /// The answer that was seen.
    pub(super) fn answer(&self, seen: &Seen) -> &RecordedAnswer {
        // Places are handed out by this table only.
        &self.answers[seen.answer]
    }
}

/// Whether a cell keeps its contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conformance {
    /// It does.
    Holds,
    /// It does not, in this way and so gravely; a known issue does not excuse that here.
    Breaks(Deviation, Severity),
}

/// A cell that was asked and answered.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) answer: usize,
    pub(super) keeps: Conformance,
    /// Place of the rule's id, and of the outcome that it asks for.
    pub(super) rule: Option<(usize, usize)>,
    /// Place of the known issue's id.
    pub(super) known_issue: Option<usize>,
    /// Place of the request.
    pub(super) request: Option<usize>,
    /// Values by axis, in the scenario's order.
    pub(super) combination: Combination,
}

/// What became of a cell.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Answered(Seen),
    NotApplicable(usize),
    NotAsked(usize),
    CouldNotRun(usize),
}

/// A cell that both sides answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct CellPair<'a> {
    pub(super) before: &'a Seen,
    pub(super) after: &'a Seen,
}

impl<'a> CellPair<'a> {
    /// Both answers, where there are two and they answer the same request.
    pub(super) fn of(a: &'a Cell, b: &'a Cell) -> Option<Self> {
        let (Cell::Answered(before), Cell::Answered(after)) = (a, b) else {
            return None;
        };
        // A record that was made compact holds no requests; its cells are called what they ask.
        match (before.request, after.request) {
            (Some(one), Some(other)) if one != other => None,
            (Some(_) | None, Some(_) | None) => Some(Self { before, after }),
        }
    }
}

/// The cells that can be compared, in the order of their ids.
pub(super) fn pairs<'a>(
    a: &'a Cells,
    b: &'a Cells,
) -> impl Iterator<Item = (&'a str, CellPair<'a>)> {
    b.cells.iter().filter_map(|(id, cell)| {
        let other = a.cells.get(id)?;
        Some((id.as_str(), CellPair::of(other, cell)?))
    })
}

/// The cells of one gateway of a record.
#[derive(Debug)]
pub struct Cells {
    pub(super) side: Side,
    pub(super) cells: BTreeMap<String, Cell>,
    pub(super) scenarios: Vec<ScenarioRecord>,
    pub(super) rules: Vec<RuleRecord>,
    pub(super) issues: Vec<IssueRecord>,
}

impl Cells {
    /// Reads a record's cells of one gateway: the one that is named, or the only one. `keep` says which cells count, by id
    /// and values.
    ///
    /// # Errors
    /// The record cannot be read any more, or it is not clear which gateway is meant.
    pub fn read(
        results: &Results<'_>,
        gateway: Option<&str>,
        keep: &dyn Fn(&CellRecord) -> bool,
        texts: &mut Texts,
    ) -> Result<Self, CompareError> {
        let head = results.head();
        let gateway = choose(head, gateway)?;
        let mut kept = Self {
            side: side(head, gateway),
            cells: BTreeMap::new(),
            scenarios: head.scenarios.clone(),
            rules: head.rules.clone(),
            issues: head.known_issues.clone(),
        };
        let scenarios = head.scenarios.iter();
        let scenarios = scenarios.map(|scenario| (scenario.id.as_str(), AxisPlaces::of(scenario)));
        let places: HashMap<&str, AxisPlaces<'_>> = scenarios.collect();
        let answers: Vec<usize> = head.answers.iter().map(|text| texts.place(text)).collect();
        let requests: Vec<usize> = head.requests.iter().map(|text| texts.place(text)).collect();
        let place = |places: &[usize], at: Option<usize>| places.get(at?).copied();
        results.each_cell(&mut |cell| {
            if cell.gateway != gateway.reference || !keep(cell) {
                return Ok(());
            }
            let now = match seen(cell, texts, &answers) {
                Some(seen) => {
                    kept.side.ran += 1;
                    let own = cell.own_request.as_deref().map(|text| texts.place(text));
                    Cell::Answered(Seen {
                        request: own.or_else(|| place(&requests, cell.request)),
                        combination: places
                            .get(cell.scenario())
                            .map(|places| places.combination(&cell.id))
                            .unwrap_or_default(),
                        ..seen
                    })
                }
                None => {
                    let reason = texts.place(cell.reason.as_deref().unwrap_or_default());
                    match cell.verdict {
                        VerdictKind::NotApplicable => {
                            kept.side.not_applicable += 1;
                            Cell::NotApplicable(reason)
                        }
                        VerdictKind::NotAsked => {
                            kept.side.not_asked += 1;
                            Cell::NotAsked(reason)
                        }
                        _ => {
                            kept.side.could_not_run += 1;
                            Cell::CouldNotRun(reason)
                        }
                    }
                }
            };
            kept.cells.insert(cell.id.clone(), now);
            Ok(())
        })?;
        Ok(kept)
    }

    /// The gateway.
    pub fn side(&self) -> &Side {
        &self.side
    }

    pub(super) fn scenario(&self, id: &str) -> Option<&ScenarioRecord> {
        self.scenarios.iter().find(|scenario| scenario.id == id)
    }

    pub(super) fn rule(&self, scenario: &str, id: &str) -> Option<&RuleRecord> {
        let same = |rule: &&RuleRecord| rule.scenario == scenario && rule.id == id;
        self.rules.iter().find(same)
    }

    pub(super) fn issue(&self, id: &str) -> Option<&IssueRecord> {
        self.issues.iter().find(|issue| issue.id == id)
    }
}

fn choose<'a>(head: &'a Record, named: Option<&str>) -> Result<&'a GatewayRecord, CompareError> {
    let names = || {
        let gateways = head.gateways.iter();
        gateways.map(|gateway| gateway.reference.clone()).collect()
    };
    match (named, head.gateways.as_slice()) {
        (_, []) => Err(CompareError::Empty),
        (None, [only]) => Ok(only),
        (None, _) => Err(CompareError::Several(names())),
        (Some(name), gateways) => {
            let mut gateways = gateways.iter();
            let found = gateways.find(|gateway| gateway.reference == name);
            found.ok_or_else(|| CompareError::Unknown {
                named: name.to_owned(),
                held: names(),
            })
        }
    }
}

fn side(head: &Record, gateway: &GatewayRecord) -> Side {
    Side {
        reference: gateway.reference.clone(),
        version: gateway.version.clone(),
        integrity: gateway.integrity.clone(),
        node: gateway.node.clone(),
        notes: gateway.notes.clone(),
        run: head.run.id.clone(),
        finished: head.run.finished.clone(),
        table_hash: head.run.table_hash.clone(),
        cells: head.run.cells.clone(),
        conditions: head.run.conditions.clone(),
        part: head.run.budget.as_ref().and_then(PartRecord::is_a_part),
        interrupted: head.run.interrupted,
        failure: gateway.failed(),
        ..Side::default()
    }
}

/// A cell that was answered and whose answer proves something.
fn seen(cell: &CellRecord, texts: &mut Texts, answers: &[usize]) -> Option<Seen> {
    let observed = cell.observed.as_ref()?;
    let expected = cell.expected.as_ref();
    let as_ruled =
        expected.map(|expected| expected.outcome.as_str()) == observed.outcome.as_deref();
    let keeps = match (cell.verdict, cell.direction) {
        (VerdictKind::Conforms | VerdictKind::Stale | VerdictKind::New, _) => Conformance::Holds,
        (VerdictKind::Deviates | VerdictKind::Known, Some(deviation)) => {
            let severity = cell.severity;
            Conformance::Breaks(
                deviation,
                severity.unwrap_or_else(|| Severity::of_deviation(deviation, as_ruled)),
            )
        }
        (VerdictKind::Deviates | VerdictKind::Known, None)
        | (VerdictKind::NotApplicable | VerdictKind::NotAsked | VerdictKind::CouldNotRun, _) => {
            return None;
        }
    };
    let text = observed
        .answer
        .and_then(|place| answers.get(place).copied());
    let text = text.unwrap_or_else(|| texts.place(""));
    let answer = RecordedAnswer::of(observed, Arc::clone(&texts.texts[text]));
    Some(Seen {
        answer: texts.answer_place(answer),
        keeps,
        rule: expected
            .map(|expected| (texts.place(&expected.rule), texts.place(&expected.outcome))),
        known_issue: cell.known_issue.as_ref().map(|issue| texts.place(issue)),
        request: None,
        combination: Combination::new(),
    })
}
