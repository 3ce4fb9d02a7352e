//! What is kept of a record: each cell in a few words, texts once each.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher as _};
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

/// A record of which it is not clear what to compare.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
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
pub(super) struct Texts {
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
    a: &'a Cells<'_>,
    b: &'a Cells<'_>,
) -> impl Iterator<Item = (&'a str, CellPair<'a>)> {
    b.cells.iter().filter_map(|(id, cell)| {
        let other = a.cells.get(id)?;
        Some((id.as_str(), CellPair::of(other, cell)?))
    })
}

/// One side of a comparison: a record, the gateway in it, and which of its cells count.
pub struct RecordSide<'a> {
    results: &'a Results<'a>,
    gateway: &'a GatewayRecord,
    keep: &'a dyn Fn(&CellRecord) -> bool,
}

impl<'a> RecordSide<'a> {
    /// The gateway that is named, or the only one. `keep` says which cells count, by id and values.
    ///
    /// # Errors
    /// It is not clear which gateway is meant.
    pub fn new(
        results: &'a Results<'a>,
        gateway: Option<&str>,
        keep: &'a dyn Fn(&CellRecord) -> bool,
    ) -> Result<Self, CompareError> {
        let gateway = choose(results.head(), gateway)?;
        Ok(Self {
            results,
            gateway,
            keep,
        })
    }

    /// The release, where it is known.
    pub fn version(&self) -> Option<&str> {
        self.gateway.version.as_deref()
    }

    /// Shows every cell that counts.
    pub(super) fn each_cell(&self, visit: &mut dyn FnMut(&CellRecord)) -> Result<(), ResultsError> {
        self.results.each_cell(&mut |cell| {
            if cell.gateway == self.gateway.reference && (self.keep)(cell) {
                visit(cell);
            }
            Ok(())
        })
    }

    /// A hash of a cell's id, and one of all that a comparison looks at: where both are the same on two sides, nothing changed.
    pub(super) fn marks(&self, cell: &CellRecord) -> Marks {
        let head = self.results.head();
        let text = head.observed(cell).unwrap_or_default();
        let answer = cell.observed.as_ref();
        let answer = answer.map(|observed| RecordedAnswer::of(observed, text.into()));
        let judged = (
            cell.verdict.name(),
            cell.direction.map(Deviation::name),
            cell.severity.map(Severity::name),
            &cell.known_issue,
            &cell.reason,
            cell.expected.as_ref().map(|expected| &expected.outcome),
        );
        Marks {
            id: hash(&cell.id),
            says: hash(&(answer, judged, head.request(cell))),
        }
    }
}

/// What a cell is found by, and what it is told from another by. 64 bits each: of a million cells, two have one hash by chance once in
/// thirty million records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Marks {
    pub(super) id: u64,
    pub(super) says: u64,
}

fn hash(what: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    what.hash(&mut hasher);
    hasher.finish()
}

/// Cells of one gateway of a record.
#[derive(Debug)]
pub(super) struct Cells<'a> {
    pub(super) side: Side,
    pub(super) cells: BTreeMap<String, Cell>,
    head: &'a Record,
    places: HashMap<&'a str, AxisPlaces<'a>>,
    /// Places of the record's answers and requests among the texts of both sides, as they are needed.
    answers: HashMap<usize, usize>,
    requests: HashMap<usize, usize>,
}

impl<'a> Cells<'a> {
    /// None yet.
    pub(super) fn of(input: &RecordSide<'a>) -> Self {
        let head = input.results.head();
        let scenarios = head.scenarios.iter();
        let places = scenarios.map(|scenario| (scenario.id.as_str(), AxisPlaces::of(scenario)));
        Self {
            side: side(head, input.gateway),
            cells: BTreeMap::new(),
            head,
            places: places.collect(),
            answers: HashMap::new(),
            requests: HashMap::new(),
        }
    }

    /// Counts a cell.
    pub(super) fn count(&mut self, cell: &CellRecord) {
        *match (is_answered(cell), cell.verdict) {
            (true, _) => &mut self.side.ran,
            (false, VerdictKind::NotApplicable) => &mut self.side.not_applicable,
            (false, VerdictKind::NotAsked) => &mut self.side.not_asked,
            (false, _) => &mut self.side.could_not_run,
        } += 1;
    }

    /// Keeps a cell.
    pub(super) fn keep(&mut self, cell: &CellRecord, texts: &mut Texts) {
        let now = self.cell(cell, texts);
        self.cells.insert(cell.id.clone(), now);
    }

    /// What becomes of a cell.
    pub(super) fn cell(&mut self, cell: &CellRecord, texts: &mut Texts) -> Cell {
        let combination = self.combination(cell);
        let mut place = |known: &mut HashMap<usize, usize>, list: &[String], at: Option<usize>| {
            let (at, text) = at.and_then(|at| Some((at, list.get(at)?)))?;
            Some(*known.entry(at).or_insert_with(|| texts.place(text)))
        };
        let observed = cell.observed.as_ref().and_then(|observed| observed.answer);
        let answer = place(&mut self.answers, &self.head.answers, observed);
        let request = place(&mut self.requests, &self.head.requests, cell.request);
        let own = cell.own_request.as_deref().map(|text| texts.place(text));
        if let Some(seen) = seen(cell, texts, answer) {
            return Cell::Answered(Seen {
                request: own.or(request),
                combination,
                ..seen
            });
        }
        let reason = texts.place(cell.reason.as_deref().unwrap_or_default());
        match cell.verdict {
            VerdictKind::NotApplicable => Cell::NotApplicable(reason),
            VerdictKind::NotAsked => Cell::NotAsked(reason),
            _ => Cell::CouldNotRun(reason),
        }
    }

    /// The places of a cell's values.
    pub(super) fn combination(&self, cell: &CellRecord) -> Combination {
        let places = self.places.get(cell.scenario());
        places
            .map(|places| places.combination(&cell.id))
            .unwrap_or_default()
    }

    pub(super) fn scenario(&self, id: &str) -> Option<&'a ScenarioRecord> {
        self.head
            .scenarios
            .iter()
            .find(|scenario| scenario.id == id)
    }

    pub(super) fn rule(&self, scenario: &str, id: &str) -> Option<&'a RuleRecord> {
        let same = |rule: &&RuleRecord| rule.scenario == scenario && rule.id == id;
        self.head.rules.iter().find(same)
    }

    pub(super) fn issue(&self, id: &str) -> Option<&'a IssueRecord> {
        self.head.known_issues.iter().find(|issue| issue.id == id)
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

/// Whether a cell conforms, or in which way it does not; none where its answer proves nothing.
fn judged(cell: &CellRecord) -> Option<Option<Deviation>> {
    match (cell.verdict, cell.direction) {
        (VerdictKind::Conforms | VerdictKind::Stale | VerdictKind::New, _) => Some(None),
        (VerdictKind::Deviates | VerdictKind::Known, Some(deviation)) => Some(Some(deviation)),
        (VerdictKind::Deviates | VerdictKind::Known, None)
        | (VerdictKind::NotApplicable | VerdictKind::NotAsked | VerdictKind::CouldNotRun, _) => {
            None
        }
    }
}

/// Whether a cell was answered and its answer proves something.
pub(super) fn is_answered(cell: &CellRecord) -> bool {
    cell.observed.is_some() && judged(cell).is_some()
}

/// A cell that was answered and whose answer proves something; `text` is the place of the answer.
fn seen(cell: &CellRecord, texts: &mut Texts, text: Option<usize>) -> Option<Seen> {
    let observed = cell.observed.as_ref()?;
    let expected = cell.expected.as_ref();
    let as_ruled =
        expected.map(|expected| expected.outcome.as_str()) == observed.outcome.as_deref();
    let keeps = match judged(cell)? {
        None => Conformance::Holds,
        Some(deviation) => {
            let severity = cell.severity;
            Conformance::Breaks(
                deviation,
                severity.unwrap_or_else(|| Severity::of_deviation(deviation, as_ruled)),
            )
        }
    };
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
