//! What was seen of one release, taken from the record of its run.

use std::collections::BTreeMap;

use base::text::one_line;
use contract::release::Version;
use record::sameness::{RecordedAnswer, Sameness};
use record::{CellRecord, GatewayRecord, Record};

/// What a release answers to one cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What was seen; its text is left out.
    pub seen: RecordedAnswer,
    /// Name of the outcome that the rule asks for on this release.
    pub expected: Option<String>,
    /// The known issue that says so.
    pub known_issue: Option<String>,
}

impl Answer {
    /// Whether another answer is the same.
    pub fn same(&self, other: &Self) -> bool {
        self.seen.same(&other.seen, Sameness::Outcome)
    }

    /// Whether it fits this outcome.
    pub fn fits(&self, outcome: &str) -> bool {
        self.seen.outcome.as_deref() == Some(outcome)
    }

    /// Status, error type and message in one line, fit to be shown.
    pub fn line(&self) -> String {
        one_line(&self.seen.line())
    }

    /// Whether it is what the rule asks for.
    pub fn conforms(&self) -> bool {
        self.seen.outcome.is_some() && self.seen.outcome == self.expected
    }
}

/// What was seen of one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// The release.
    pub release: Version,
    /// Integrity of its package.
    pub integrity: Option<String>,
    /// Version of Node.
    pub node: Option<String>,
    /// What was done so that it runs.
    pub notes: Vec<String>,
    /// What it answers, by cell.
    pub answers: BTreeMap<String, Answer>,
    /// Why some of the cells have no answer, and whether that is because it did not install, start or stay up.
    pub trouble: Option<Trouble>,
    /// Whether that was read from an earlier record.
    pub kept: bool,
}

/// Why a release does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// In one line.
    pub why: String,
    /// Whether the gateway did not install, start or stay up.
    pub gateway: bool,
}

impl Tested {
    /// A release of which nothing was seen.
    pub fn nothing(release: Version, why: String, gateway: bool) -> Self {
        Self {
            release,
            integrity: None,
            node: None,
            notes: Vec::new(),
            answers: BTreeMap::new(),
            trouble: Some(Trouble { why, gateway }),
            kept: false,
        }
    }

    /// What a record says of a release about these cells; `None` where it does not speak about all of them.
    pub fn of(
        record: &Record,
        release: &Version,
        cells: impl IntoIterator<Item = String>,
    ) -> Option<Self> {
        let mut gateways = record.gateways.iter();
        let text = release.to_string();
        let gateway = gateways.find(|gateway| {
            gateway.version.as_ref() == Some(&text)
                || gateway.reference == format!("openclaw@{text}")
        })?;
        let mine: BTreeMap<&str, &CellRecord> = record
            .cells
            .iter()
            .filter(|cell| cell.gateway == gateway.reference)
            .map(|cell| (cell.id.as_str(), cell))
            .collect();
        let mut tested = Self {
            release: release.clone(),
            integrity: gateway.integrity.clone(),
            node: gateway.node.clone(),
            notes: gateway.notes.clone(),
            answers: BTreeMap::new(),
            trouble: gateway.error.as_deref().map(|error| Trouble {
                why: first_line(error),
                gateway: true,
            }),
            kept: false,
        };
        if tested.trouble.is_some() {
            return Some(tested);
        }
        for id in cells {
            let cell = *mine.get(id.as_str())?;
            match answer(cell) {
                Ok(answer) => {
                    tested.answers.insert(id, answer);
                }
                Err(why) => {
                    let failure = failure(gateway, cell.profile());
                    tested.trouble.get_or_insert(Trouble {
                        gateway: failure.is_some(),
                        why: failure.map_or(why, |failure| one_line(&failure)),
                    });
                }
            }
        }
        Some(tested)
    }
}

/// What was seen of a cell; a refusal that proves nothing is nothing.
fn answer(cell: &CellRecord) -> Result<Answer, String> {
    use record::judge::VerdictKind as Kind;
    let reason = || {
        cell.reason
            .clone()
            .unwrap_or_else(|| "it was not asked".to_owned())
    };
    match (cell.verdict, &cell.observed) {
        (Kind::CouldNotRun | Kind::NotApplicable | Kind::NotAsked, _) | (_, None) => {
            Err(first_line(&reason()))
        }
        (
            Kind::Conforms | Kind::Deviates | Kind::Known | Kind::Stale | Kind::New,
            Some(observed),
        ) => Ok(Answer {
            seen: RecordedAnswer::of(observed, "".into()),
            expected: cell
                .expected
                .as_ref()
                .map(|expected| expected.outcome.clone()),
            known_issue: cell.known_issue.clone(),
        }),
    }
}

fn failure(gateway: &GatewayRecord, profile: &str) -> Option<String> {
    let mut launches = gateway.last_launches();
    let launch = launches.find(|launch| launch.profile == profile)?;
    Some(format!("profile {profile}: {}", launch.failure.as_ref()?))
}

/// The first line of a text, fit to be shown.
fn first_line(text: &str) -> String {
    one_line(text.lines().next().unwrap_or_default())
}

/// What several cells answer, in one line.
pub(super) fn digest<'a>(answers: impl Iterator<Item = &'a Answer>) -> String {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for line in answers.map(Answer::line) {
        match counts.iter_mut().find(|(known, _)| *known == line) {
            Some((_, count)) => *count += 1,
            None => counts.push((line, 1)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    match &counts[..] {
        [] => "nothing".to_owned(),
        [(line, _)] => line.clone(),
        [(line, count), rest @ ..] => {
            let others: usize = rest.iter().map(|(_, count)| count).sum();
            format!("{line} ({count} cells; {others} answer otherwise)")
        }
    }
}
