//! What is found in a run, cause by cause: the unit of the reports for people and for code scanning. A run of thousands of
//! cells has a handful.

use sha2::{Digest as _, Sha256};

use super::facts::{Facts, Group};
use super::words::{conditions, seen};
use base::text::{count, one_line};
use record::judge::{Deviation, Severity, VerdictKind};
use record::{CauseRecord, Record, RelationRecord};

/// Something that was found.
#[derive(Debug)]
pub(super) struct Finding<'a> {
    /// What it is about.
    pub(super) about: About<'a>,
    /// What is broken, in a name that stays: `scenario/rule`, `relations/id`, `known-issues/id`, `snapshots/scenario`.
    pub(super) rule: String,
    /// The gateway as the caller named it.
    pub(super) gateway: &'a str,
    /// How severe it is.
    pub(super) severity: Severity,
    /// How many cells show it; of a relation, pairs.
    pub(super) cells: usize,
    /// Whether it makes the run fail, or what excuses it.
    pub(super) excuse: Option<Excuse<'a>>,
    /// A cell that shows it.
    pub(super) example: &'a str,
    /// Where the rule stands.
    pub(super) file: &'a str,
    /// The line there.
    pub(super) line: Option<usize>,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum About<'a> {
    /// Cells that deviate.
    Cause(&'a CauseRecord),
    /// A relation between cells that does not hold.
    Relation(&'a RelationRecord),
    /// Cells that are as ruled although a known issue says otherwise.
    Stale(&'a str),
    /// Cells of a scenario that no snapshot holds.
    New(&'a str),
}

/// Why a finding does not make the run fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Excuse<'a> {
    /// A known issue says so.
    Known(&'a str),
    /// The gateway answered the same in the baseline.
    AsInBaseline,
    /// It is less severe than what was asked for.
    BelowSeverity,
}

impl<'a> Finding<'a> {
    /// Everything that was found, in the record's order.
    pub(super) fn all(record: &'a Record, facts: &'a Facts) -> Vec<Self> {
        let causes = record.causes.iter().map(|cause| Self::cause(cause, facts));
        let relations = record.relations.iter();
        // What known issues explain altogether is told with them.
        let relations = relations
            .filter(|relation| relation.failing || relation.unexplained > 0)
            .map(|relation| Self::relation(record, relation));
        let stale = facts.stale.iter().map(|((gateway, issue), group)| {
            let file = record.known_issue(issue);
            let file = file.map_or("", |issue| issue.file.as_str());
            let rule = format!("known-issues/{issue}");
            Self::group(About::Stale(issue), rule, gateway, group, file)
        });
        let new = facts.new.iter().map(|((gateway, scenario), group)| {
            let file = record.scenario(scenario);
            let file = file.map_or("", |scenario| scenario.file.as_str());
            let rule = format!("snapshots/{scenario}");
            Self::group(About::New(scenario), rule, gateway, group, file)
        });
        causes.chain(relations).chain(stale).chain(new).collect()
    }

    fn cause(cause: &'a CauseRecord, facts: &Facts) -> Self {
        let (file, line) = place(&cause.origin);
        // Cells of several rules that share an answer stand under the first, where their place is.
        let rule = cause.rule.split(", ").next().unwrap_or_default();
        let excused = facts.excused.get(&cause.id).copied();
        let excuse = match (cause.failing, &cause.known_issue, excused) {
            (1.., _, _) => None,
            // A known issue excuses unless known issues were asked to fail; then the gate's own excuses count.
            (0, _, Some((1.., _))) => Some(Excuse::AsInBaseline),
            (0, _, Some((0, 1..))) => Some(Excuse::BelowSeverity),
            (0, Some(issue), _) => Some(Excuse::Known(issue)),
            (0, None, _) => None,
        };
        Self {
            about: About::Cause(cause),
            rule: format!("{}/{rule}", cause.scenario),
            gateway: &cause.gateway,
            severity: cause.severity,
            cells: cause.cells,
            excuse,
            example: &cause.example,
            file,
            line,
        }
    }

    fn relation(record: &Record, relation: &'a RelationRecord) -> Self {
        let (file, line) = place(&relation.origin);
        // The gate weighs a broken relation as a change of shape.
        let severity = Severity::Shape;
        let excuse = match (relation.failing, severity < record.run.severity) {
            (true, _) => None,
            (false, true) => Some(Excuse::BelowSeverity),
            (false, false) => Some(Excuse::AsInBaseline),
        };
        Self {
            about: About::Relation(relation),
            rule: format!("relations/{}", relation.id),
            gateway: &relation.gateway,
            severity,
            cells: relation.unexplained,
            excuse,
            example: &relation.example.0,
            file,
            line,
        }
    }

    fn group(
        about: About<'a>,
        rule: String,
        gateway: &'a str,
        group: &'a Group,
        file: &'a str,
    ) -> Self {
        let excuse = match (group.failing, group.as_in_baseline) {
            (1.., _) => None,
            (0, 1..) => Some(Excuse::AsInBaseline),
            (0, 0) => Some(Excuse::BelowSeverity),
        };
        Self {
            about,
            rule,
            gateway,
            severity: Severity::Cosmetic,
            cells: group.cells,
            excuse,
            example: &group.example,
            file,
            line: None,
        }
    }

    /// What it is, in one word.
    pub(super) fn kind(&self) -> &'static str {
        match self.about {
            About::Cause(cause) => cause.direction.name(),
            About::Relation(_) => "broken-relation",
            About::Stale(_) => VerdictKind::Stale.name(),
            About::New(_) => VerdictKind::New.name(),
        }
    }

    /// Whether somebody gets in who must not.
    pub(super) fn is_security(&self) -> bool {
        match self.about {
            About::Cause(cause) => cause.direction == Deviation::UnexpectedAllow,
            About::Relation(_) | About::Stale(_) | About::New(_) => false,
        }
    }

    /// How many cells show it, in a few words.
    pub(super) fn amount(&self) -> String {
        match self.about {
            About::Cause(cause) => {
                let cells = count(cause.cells, "cell");
                let scenarios = match cause.scenarios().as_slice() {
                    [first, rest @ ..] if !rest.is_empty() => {
                        format!("{first} and {}", count(rest.len(), "other scenario"))
                    }
                    _ => cause.scenario.clone(),
                };
                one_line(&format!("{cells} of {scenarios}"))
            }
            About::Relation(relation) => count(relation.unexplained, "pair"),
            About::Stale(_) | About::New(_) => count(self.cells, "cell"),
        }
    }

    /// Which cells show it, in half a line.
    pub(super) fn cells_words(&self, record: &Record) -> String {
        match self.about {
            About::Cause(cause) => {
                one_line(&format!("{}: {}", self.amount(), conditions(record, cause)))
            }
            About::Relation(_) | About::Stale(_) | About::New(_) => self.amount(),
        }
    }

    /// What was expected and what is, in one line.
    pub(super) fn difference(&self) -> String {
        let line = match self.about {
            About::Cause(cause) => match &cause.difference {
                None => {
                    let seen = seen(&cause.observed, &cause.answer);
                    format!("expected {}, observed {seen}", cause.expected)
                }
                Some(difference) => format!(
                    "{}, but not the accepted answer ({})",
                    cause.observed, difference.snapshot
                ),
            },
            About::Relation(relation) => format!("does not hold: {}", relation.title),
            About::Stale(issue) => {
                format!("as the rules say, although known issue {issue} says otherwise")
            }
            About::New(_) => "as the rules say, but no snapshot holds them yet".to_owned(),
        };
        one_line(&line)
    }

    /// A name that is the same in every run that finds the same, on whatever gateway and in however many cells.
    pub(super) fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        };
        add(&self.rule);
        add(self.kind());
        match self.about {
            About::Cause(cause) => {
                for text in [
                    &cause.scenario,
                    &cause.rule,
                    &cause.expected,
                    &cause.observed,
                ] {
                    add(text);
                }
                let mut conditions: Vec<_> = match cause.by.is_empty() {
                    true => cause.conditions.iter().collect(),
                    false => cause.by.iter().collect(),
                };
                conditions.sort();
                for (axis, values) in conditions {
                    add(axis);
                    let mut values: Vec<_> = values.iter().collect();
                    values.sort();
                    values.into_iter().for_each(|value| add(value));
                }
                // Two changes of one accepted answer are two findings.
                if let Some(difference) = &cause.difference {
                    add(&difference.observed);
                }
            }
            About::Relation(_) | About::Stale(_) | About::New(_) => {}
        }
        let digest = hash.finalize();
        digest[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// Where a file of the contract lies in the repository that holds it; `None` where that is not the caller's.
pub(super) fn in_repository(record: &Record, file: &str) -> Option<String> {
    match record.run.data.as_deref()? {
        "" => Some(file.to_owned()),
        folder => Some(format!("{folder}/{file}")),
    }
}

/// File and line of `file:line`.
pub(super) fn place(origin: &str) -> (&str, Option<usize>) {
    match origin.rsplit_once(':') {
        Some((file, line)) => match line.parse() {
            Ok(line) if line > 0 => (file, Some(line)),
            Ok(_) | Err(_) => (file, None),
        },
        None => (origin, None),
    }
}

/// What went wrong around the run, which is no finding about the contract: gateways that could not be used, launches that
/// failed, cells that could not run or could not be asked on this machine. Each is one line.
pub(super) fn troubles(record: &Record, facts: &Facts) -> Vec<String> {
    let mut troubles = Vec::new();
    for gateway in &record.gateways {
        let name = &gateway.reference;
        if let Some(error) = &gateway.error {
            troubles.push(one_line(&format!("{name} could not be used: {error}")));
        }
        for launch in gateway.last_launches() {
            if let Some(failure) = &launch.failure {
                let text = format!("{name}, profile {}: {failure}", launch.profile);
                troubles.push(one_line(&text));
            }
        }
    }
    for (reason, cells) in &facts.reasons {
        if reason.red {
            troubles.push(one_line(&reason.words(*cells)));
        }
    }
    if record.run.interrupted {
        troubles.push("the run was interrupted".to_owned());
    }
    troubles
}
