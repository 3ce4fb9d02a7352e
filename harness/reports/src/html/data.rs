//! The second pass: the cells as numbers, and the tables that the numbers point into.
//!
//! `cells` is a list of `[gateway, scenario, [cell...]]`; a cell is `[value of each axis..., expected, observed, judged,
//! request, ms]`, -1 where there is none, followed by its id where that cannot be told from its values. Equal parts of
//! cells are written once, so that ten thousand cells are a few hundred kilobytes.

use std::collections::HashMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::value::RawValue;

use super::layout::Layout;
use super::script_json;
use crate::words::judged_as;
use contract::cell_id::CellId;
use contract::scenario::model::{DIRECT, PROXY_AXIS};
use contract::scenario::sender::{OWN_SENDER, SENDER_AXIS};
use record::{
    CauseRecord, CellRecord, ExpectedRecord, IssueRecord, ObservedRecord, Results, ResultsError,
    RuleRecord, ScenarioRecord, Summary,
};

/// Writes both data blocks. Cells are written as they are read; what is kept is their distinct parts.
pub(super) fn write(
    results: &Results<'_>,
    layout: &Layout,
    out: &mut dyn Write,
) -> Result<(), ResultsError> {
    let mut encoder = Encoder {
        layout,
        expected: Pool::default(),
        observed: Pool::default(),
        judged: Pool::default(),
        group: None,
    };
    out.write_all(b"<script type=\"application/json\" id=\"cells\">[")?;
    results.each_cell(&mut |cell| encoder.cell(cell, out))?;
    let end: &[u8] = match encoder.group {
        Some(_) => b"\n]]]</script>\n",
        None => b"]</script>\n",
    };
    out.write_all(end)?;

    let head = results.head();
    let tables = Tables {
        gateways: layout.gateways.iter().map(String::as_str).collect(),
        judged_as: layout
            .gateways
            .iter()
            .map(|name| judged_as(head, name))
            .collect(),
        scenarios: &layout.scenarios,
        scripted: [(SENDER_AXIS, OWN_SENDER), (PROXY_AXIS, DIRECT)],
        summary: &head.summary,
        causes: &head.causes,
        rules: &head.rules,
        known_issues: &head.known_issues,
        requests: &head.requests,
        answers: &head.answers,
        expected: encoder.expected.texts,
        observed: encoder.observed.texts,
        judged: encoder.judged.texts,
    };
    out.write_all(b"<script type=\"application/json\" id=\"tables\">")?;
    script_json::write(out, &tables)?;
    out.write_all(b"</script>\n")?;
    Ok(())
}

/// What cells point into.
#[derive(Serialize)]
struct Tables<'a> {
    gateways: Vec<&'a str>,
    /// The release of a gateway whose name does not say it.
    judged_as: Vec<Option<&'a str>>,
    scenarios: &'a [ScenarioRecord],
    /// Of axes that say what a request passes, the value with which a script of `clawgauge repro` can send it.
    scripted: [(&'a str, &'a str); 2],
    summary: &'a Summary,
    causes: &'a [CauseRecord],
    rules: &'a [RuleRecord],
    known_issues: &'a [IssueRecord],
    requests: &'a [String],
    answers: &'a [String],
    expected: Vec<Box<RawValue>>,
    observed: Vec<Box<RawValue>>,
    judged: Vec<Box<RawValue>>,
}

/// An expectation, written once for all cells that share it.
#[derive(Serialize)]
struct Expected<'a> {
    #[serde(flatten)]
    expected: &'a ExpectedRecord,
    scenario: &'a str,
}

/// What was seen, but for how long it took.
#[derive(Serialize)]
struct Observed<'a> {
    outcome: &'a Option<String>,
    line: String,
    status: Option<u16>,
    model_calls: Option<u32>,
    answer: Option<usize>,
}

/// What is said about a cell.
#[derive(Serialize)]
struct Judged<'a> {
    verdict: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<record::GateEffect>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issue: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    attempts: &'a [String],
}

impl<'a> From<&'a ObservedRecord> for Observed<'a> {
    fn from(observed: &'a ObservedRecord) -> Self {
        Self {
            outcome: &observed.outcome,
            line: observed.line(),
            status: observed.status,
            model_calls: observed.model_calls,
            answer: observed.answer,
        }
    }
}

impl<'a> From<&'a CellRecord> for Judged<'a> {
    fn from(cell: &'a CellRecord) -> Self {
        Self {
            verdict: cell.verdict.name(),
            direction: cell.direction.map(|direction| direction.name()),
            severity: cell.severity.map(|severity| severity.name()),
            standing: cell.standing,
            issue: cell.known_issue.as_deref(),
            cause: cell.cause,
            reason: cell.reason.as_deref(),
            attempts: &cell.attempts,
        }
    }
}

struct Encoder<'a> {
    layout: &'a Layout,
    expected: Pool,
    observed: Pool,
    judged: Pool,
    /// Gateway and scenario of the cell before.
    group: Option<(usize, usize)>,
}

impl Encoder<'_> {
    fn cell(&mut self, cell: &CellRecord, out: &mut dyn Write) -> io::Result<()> {
        let layout = self.layout;
        let gateway = layout.gateway_place(&cell.gateway);
        let scenario = layout.scenario_place(cell.scenario());
        let (Some(gateway), Some(scenario)) = (gateway, scenario) else {
            return Err(io::Error::other("the record changed while it was read"));
        };
        let group = (gateway, scenario);
        if self.group == Some(group) {
            out.write_all(b",\n")?;
        } else {
            let end = if self.group.is_some() { "]]," } else { "" };
            write!(out, "{end}\n[{gateway},{scenario},[\n")?;
            self.group = Some(group);
        }

        let mut values = Vec::new();
        out.write_all(b"[")?;
        for axis in &layout.scenarios[scenario].axes {
            let value = cell.axes.get(&axis.name);
            let place = axis
                .values
                .iter()
                .position(|it| Some(it.id.as_str()) == value);
            write!(out, "{},", number(place))?;
            values.extend(value.map(|value| (axis.name.as_str(), value)));
        }
        let expected = match &cell.expected {
            Some(expected) => Some(self.expected.place(&Expected {
                expected,
                scenario: cell.scenario(),
            })?),
            None => None,
        };
        let observed = match &cell.observed {
            Some(observed) => Some(self.observed.place(&Observed::from(observed))?),
            None => None,
        };
        let judged = self.judged.place(&Judged::from(cell))?;
        let ms = cell.observed.as_ref().map(|seen| seen.ms);
        let ms = ms.filter(|ms| *ms > 0.0).unwrap_or(-1.0);
        write!(
            out,
            "{},{},{judged},{},",
            number(expected),
            number(observed),
            number(cell.request)
        )?;
        script_json::write(out, &((ms * 10.0).round() / 10.0))?;
        if CellId::text(cell.scenario(), values) != cell.id {
            out.write_all(b",")?;
            script_json::write(out, &cell.id)?;
        }
        out.write_all(b"]")
    }
}

fn number(place: Option<usize>) -> i64 {
    place
        .and_then(|place| i64::try_from(place).ok())
        .unwrap_or(-1)
}

/// Values by place, each once.
#[derive(Default)]
struct Pool {
    places: HashMap<String, usize>,
    texts: Vec<Box<RawValue>>,
}

impl Pool {
    fn place<T: Serialize>(&mut self, value: &T) -> io::Result<usize> {
        let text = script_json::text(value)?;
        if let Some(place) = self.places.get(&text) {
            return Ok(*place);
        }
        let place = self.texts.len();
        self.texts.push(RawValue::from_string(text.clone())?);
        self.places.insert(text, place);
        Ok(place)
    }
}
