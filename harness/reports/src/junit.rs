//! JUnit XML, for what draws test results: a suite a gateway and profile, a case a cell.
//!
//! A suite's head tells its counts, and the cells come scenario by scenario, not suite by suite. So the cases are written
//! once, in chunks, to a [`spool`], and put in order at the end: one pass over the cells, and memory that does not grow
//! with them.

mod spool;
mod xml;

use std::io::{self, Write};

use spool::{Chunks, Spool};
use xml::{element, empty, write_event, written};

use super::test_status::{
    Besides, TestStatus, details, headline, kind, relation_details, relation_headline,
};
use base::text::one_line;
use record::{CellRecord, Record, RelationRecord, Results, ResultsError};

/// Writes the report.
pub(super) fn write(results: &Results<'_>, out: &mut dyn Write) -> Result<(), ResultsError> {
    let record = results.head();
    let mut suites = Suites {
        record,
        suites: Vec::new(),
        last: 0,
        spool: Spool::default(),
    };
    results.each_cell(&mut |cell| suites.cell(cell))?;
    let total = suites.total();
    let besides = Besides::of(record, total.failures + total.errors);
    for relation in &besides.relations {
        suites.relation(relation)?;
    }
    if let Some(why) = &besides.ending {
        suites.ending(why)?;
    }
    suites.finish(out)?;
    Ok(())
}

struct Suites<'a> {
    record: &'a Record,
    suites: Vec<Suite>,
    /// The suite of the last case: mostly that of the next, too.
    last: usize,
    spool: Spool,
}

struct Suite {
    name: String,
    gateway: String,
    profile: String,
    counts: Counts,
    chunks: Chunks,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
    ms: f64,
}

/// What stands in a case that did not simply pass.
enum Mark {
    Failure {
        kind: &'static str,
        message: String,
        body: String,
    },
    Error {
        kind: &'static str,
        message: String,
        body: String,
    },
    Skipped {
        message: String,
    },
}

struct Case {
    class: String,
    name: String,
    ms: f64,
    properties: Vec<(String, String)>,
    mark: Option<Mark>,
}

impl Suites<'_> {
    fn cell(&mut self, cell: &CellRecord) -> io::Result<()> {
        let suite = self.suite(&cell.gateway, cell.profile());
        let axes = cell.axes.iter();
        let mut properties: Vec<(String, String)> = axes
            .map(|(axis, value)| (axis.to_owned(), value.to_owned()))
            .collect();
        for (number, attempt) in (1..).zip(&cell.attempts) {
            properties.push((format!("attempt {number}"), one_line(attempt)));
        }
        let observed = cell.observed.as_ref();
        let case = Case {
            class: self.class(&cell.gateway, cell.scenario()),
            name: match cell.without_scenario() {
                "" => cell.id.clone(),
                key => key.to_owned(),
            },
            ms: observed.map_or(0.0, |observed| observed.ms),
            properties,
            mark: mark(self.record, cell),
        };
        self.case(suite, &case)
    }

    fn relation(&mut self, relation: &RelationRecord) -> io::Result<()> {
        let suite = self.suite(&relation.gateway, "");
        let case = Case {
            class: self.class(&relation.gateway, "relations"),
            name: relation.id.clone(),
            ms: 0.0,
            properties: Vec::new(),
            mark: Some(Mark::Failure {
                kind: "broken-relation",
                message: relation_headline(relation),
                body: relation_details(relation),
            }),
        };
        self.case(suite, &case)
    }

    fn ending(&mut self, why: &str) -> io::Result<()> {
        let suite = self.suite("", "");
        let case = Case {
            class: "run".to_owned(),
            name: "ending".to_owned(),
            ms: 0.0,
            properties: Vec::new(),
            mark: Some(Mark::Error {
                kind: "run",
                message: one_line(why),
                body: why.to_owned(),
            }),
        };
        self.case(suite, &case)
    }

    /// The class of a case: consumers take dots for levels of packages.
    fn class(&self, gateway: &str, scenario: &str) -> String {
        let plain = |text: &str| text.replace('.', "_");
        match self.record.gateways.len() {
            0 | 1 => plain(scenario),
            // Consumers that know a case by class and name must not take one gateway for another.
            _ => format!("{}.{}", plain(gateway), plain(scenario)),
        }
    }

    fn suite(&mut self, gateway: &str, profile: &str) -> usize {
        let same = |suite: &Suite| suite.gateway == gateway && suite.profile == profile;
        if self.suites.get(self.last).is_some_and(same) {
            return self.last;
        }
        self.last = match self.suites.iter().position(same) {
            Some(place) => place,
            None => {
                self.suites.push(Suite {
                    name: match (gateway, profile) {
                        ("", _) => "the run".to_owned(),
                        (gateway, "") => format!("{gateway}: relations between cells"),
                        (gateway, profile) => format!("{gateway}: {profile}"),
                    },
                    gateway: gateway.to_owned(),
                    profile: profile.to_owned(),
                    counts: Counts::default(),
                    chunks: Chunks::default(),
                });
                self.suites.len() - 1
            }
        };
        self.last
    }

    fn case(&mut self, suite: usize, case: &Case) -> io::Result<()> {
        let suite = &mut self.suites[suite];
        suite.counts.add(case);
        let bytes = written(|writer| {
            let attributes = [
                ("classname", case.class.as_str()),
                ("name", case.name.as_str()),
                ("time", &seconds(case.ms)),
            ];
            element(writer, "testcase", &attributes, |writer| {
                properties(writer, &case.properties)?;
                match &case.mark {
                    None => Ok(()),
                    Some(Mark::Skipped { message }) => {
                        empty(writer, "skipped", &[("message", message)])
                    }
                    Some(Mark::Failure {
                        kind,
                        message,
                        body,
                    }) => {
                        let attributes = [("type", *kind), ("message", message)];
                        element(writer, "failure", &attributes, |writer| {
                            xml::text(writer, body)
                        })
                    }
                    Some(Mark::Error {
                        kind,
                        message,
                        body,
                    }) => {
                        let attributes = [("type", *kind), ("message", message)];
                        element(writer, "error", &attributes, |writer| {
                            xml::text(writer, body)
                        })
                    }
                }
            })
        })?;
        self.spool.add(&mut suite.chunks, &bytes)
    }

    fn total(&self) -> Counts {
        let mut total = Counts::default();
        for suite in &self.suites {
            total.tests += suite.counts.tests;
            total.failures += suite.counts.failures;
            total.errors += suite.counts.errors;
            total.skipped += suite.counts.skipped;
            total.ms += suite.counts.ms;
        }
        total
    }

    fn finish(mut self, out: &mut dyn Write) -> io::Result<()> {
        let total = self.total();
        let name = match self.record.headline() {
            Some(headline) => format!("clawgauge: {headline}"),
            None => "clawgauge".to_owned(),
        };
        out.write_all(b"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
        write_event(out, xml::start("testsuites", &head(&name, &total)))?;
        out.write_all(b"\n")?;
        for (number, suite) in self.suites.iter().enumerate() {
            let mut attributes = head(&suite.name, &suite.counts);
            attributes.extend([
                ("id", number.to_string()),
                ("skipped", suite.counts.skipped.to_string()),
                ("timestamp", self.record.run.started.clone()),
            ]);
            write_event(out, xml::start("testsuite", &attributes))?;
            out.write_all(b"\n")?;
            let bytes = written(|writer| properties(writer, &self.facts(suite)))?;
            out.write_all(&bytes)?;
            self.spool.copy(&suite.chunks, out)?;
            out.write_all(b"</testsuite>\n")?;
        }
        out.write_all(b"</testsuites>\n")
    }

    /// What was tested.
    fn facts(&self, suite: &Suite) -> Vec<(String, String)> {
        let run = &self.record.run;
        let mut facts = vec![
            ("clawgauge", Some(run.harness.clone())),
            ("run", Some(run.id.clone())),
            ("contract", Some(run.table_hash.clone())),
        ];
        let gateways = self.record.gateways.iter();
        let mut gateways = gateways.filter(|gateway| gateway.reference == suite.gateway);
        if let Some(gateway) = gateways.next() {
            facts.extend([
                ("gateway", Some(gateway.reference.clone())),
                ("version", gateway.version.clone()),
                ("integrity", gateway.integrity.clone()),
                ("node", gateway.node.clone()),
            ]);
            let mut launches = gateway.last_launches();
            let launch = launches.find(|launch| launch.profile == suite.profile);
            if let Some(launch) = launch {
                facts.extend([
                    ("profile", Some(suite.profile.clone())),
                    ("ready-ms", launch.ready_ms.map(|ms| ms.to_string())),
                    ("launches", Some(launch.attempt.to_string())),
                ]);
            }
        }
        let told = facts.into_iter();
        told.filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect()
    }
}

impl Counts {
    fn add(&mut self, case: &Case) {
        self.tests += 1;
        self.ms += case.ms;
        match &case.mark {
            None => {}
            Some(Mark::Failure { .. }) => self.failures += 1,
            Some(Mark::Error { .. }) => self.errors += 1,
            Some(Mark::Skipped { .. }) => self.skipped += 1,
        }
    }
}

fn mark(record: &Record, cell: &CellRecord) -> Option<Mark> {
    let status = TestStatus::of(cell);
    match status {
        TestStatus::Passes => None,
        TestStatus::Fails => Some(Mark::Failure {
            kind: kind(cell),
            message: headline(record, cell),
            body: details(record, cell),
        }),
        TestStatus::CouldNotRun => Some(Mark::Error {
            kind: kind(cell),
            message: headline(record, cell),
            body: details(record, cell),
        }),
        TestStatus::NotApplicable
        | TestStatus::NotAsked
        | TestStatus::Known
        | TestStatus::AsInBaseline
        | TestStatus::BelowSeverity => {
            let message = status.excuse(record, cell).unwrap_or_default();
            Some(Mark::Skipped { message })
        }
    }
}

fn properties(writer: &mut xml::Xml<'_>, properties: &[(String, String)]) -> io::Result<()> {
    if properties.is_empty() {
        return Ok(());
    }
    element(writer, "properties", &[], |writer| {
        for (name, value) in properties {
            let attributes = [("name", name.as_str()), ("value", value.as_str())];
            empty(writer, "property", &attributes)?;
        }
        Ok(())
    })
}

/// The attributes of a suite, or of all of them.
fn head(name: &str, counts: &Counts) -> Vec<(&'static str, String)> {
    vec![
        ("name", name.to_owned()),
        ("tests", counts.tests.to_string()),
        ("failures", counts.failures.to_string()),
        ("errors", counts.errors.to_string()),
        ("time", seconds(counts.ms)),
    ]
}

/// Milliseconds as JUnit has them: seconds, to the third place.
fn seconds(ms: f64) -> String {
    format!("{:.3}", ms / 1_000.0)
}
