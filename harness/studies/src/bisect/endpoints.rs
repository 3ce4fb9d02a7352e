//! The ends of a search, held against what they are called. How releases are told apart follows from what they answer.

use super::bounds::Label;
use super::classifier::{Classifier, differing};
use super::tested::{Answer, Tested, digest};
use contract::release::Version;
use record::Ending;

/// Ids of cells that are not asked, and why.
type LeftOut = Vec<(String, String)>;

/// An end that is not as it was called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndError {
    /// It does not tell.
    #[error("{release} is called {} and cannot be told: {why}", .called.name())]
    Untold {
        /// The release.
        release: Version,
        /// What it is called.
        called: Label,
        /// Why.
        why: String,
        /// Whether it did not install, start or stay up.
        gateway: bool,
    },
    /// Two ends that are called the same answer differently.
    #[error("{one} and {other} are both called {} and answer differently: {} and {}", .called.name(), .answers.0, .answers.1)]
    Apart {
        /// One of them.
        one: Version,
        /// The other.
        other: Version,
        /// What they are called.
        called: Label,
        /// What they answer.
        answers: (String, String),
    },
    /// A good and a bad end answer the same.
    #[error("{good} is called good and {bad} bad, and both answer {answer}")]
    Alike {
        /// The good end.
        good: Version,
        /// The bad end.
        bad: Version,
        /// What both answer.
        answer: String,
    },
    /// The good end breaks the contract and the bad end keeps it.
    #[error("{good} is called good and answers {}, which is not what the rule asks for; {bad} is called bad and answers {}, which is", .answers.0, .answers.1)]
    Swapped {
        /// The good end.
        good: Version,
        /// The bad end.
        bad: Version,
        /// What they answer.
        answers: (String, String),
    },
    /// An end does not answer what was said to be good, or does although it is called bad.
    #[error("{release} is called {} and answers {answer}; --expect says that {expect} is good", .called.name())]
    Unexpected {
        /// The release.
        release: Version,
        /// What it is called.
        called: Label,
        /// What it answers.
        answer: String,
        /// The outcome that is good.
        expect: String,
    },
}

impl EndError {
    /// The next thing to do.
    pub fn help(&self) -> String {
        match self {
            Self::Untold { .. } => "name a release beside it".to_owned(),
            Self::Apart { one, other, .. } => {
                format!("see where it changes: --between {one} {other}")
            }
            Self::Alike { good, bad, .. } => {
                let (older, newer) = (good.min(bad), good.max(bad));
                format!(
                    "name other releases, or look for what changed between them and changed back: --between {older} {newer}"
                )
            }
            Self::Swapped { good, bad, .. } => {
                let found = if good < bad { "a fix" } else { "a break" };
                format!("swap them, and {found} is found: --good {bad} --bad {good}")
            }
            Self::Unexpected { called, .. } => format!(
                "name another release, leave out --expect, or do not call it {}",
                called.name()
            ),
        }
    }

    /// How a search ends that meets it: `None` where what was said is wrong, and not what was found.
    pub fn ending(&self) -> Option<Ending> {
        match self {
            Self::Untold { gateway: true, .. } => Some(Ending::Gateway),
            Self::Untold { gateway: false, .. } => Some(Ending::Incomplete),
            Self::Apart { .. }
            | Self::Alike { .. }
            | Self::Swapped { .. }
            | Self::Unexpected { .. } => None,
        }
    }
}

/// Holds the ends against what they are called. Cells that tell nothing are added to those left out.
pub(super) fn verify(
    ends: &[(Tested, Label)],
    expect: Option<&str>,
    left_out: &mut LeftOut,
) -> Result<Classifier, EndError> {
    for (end, called) in ends {
        if let Some(trouble) = &end.trouble {
            return Err(EndError::Untold {
                release: end.release.clone(),
                called: *called,
                why: trouble.why.clone(),
                gateway: trouble.gateway,
            });
        }
    }
    if let Some(expect) = expect {
        return verify_expected(ends, expect);
    }
    let good = agreed(ends, Label::Good, left_out)?;
    let bad = agreed(ends, Label::Bad, left_out)?;
    match (&good, &bad) {
        (None, None) => Ok(Classifier::Any(Vec::new())),
        (Some(good), None) => Ok(Classifier::OnlyGood(good.answers.clone())),
        (None, Some(bad)) => Ok(Classifier::only_bad(&bad.answers)),
        (Some(good), Some(bad)) => {
            let cells = differing(&good.answers, &bad.answers);
            let Some(cell) = cells.first() else {
                return Err(EndError::Alike {
                    good: good.release.clone(),
                    bad: bad.release.clone(),
                    answer: digest(good.answers.values()),
                });
            };
            let wrong = |end: &Tested| {
                cells
                    .iter()
                    .find(|cell| {
                        end.answers
                            .get(*cell)
                            .is_some_and(|answer| !answer.conforms())
                    })
                    .cloned()
            };
            if let (Some(cell), None) = (wrong(good), wrong(bad)) {
                return Err(EndError::Swapped {
                    good: good.release.clone(),
                    bad: bad.release.clone(),
                    answers: (line(good, &cell), line(bad, &cell)),
                });
            }
            Classifier::both(&good.answers, &bad.answers).ok_or_else(|| EndError::Alike {
                good: good.release.clone(),
                bad: bad.release.clone(),
                answer: line(good, cell),
            })
        }
    }
}

/// What the ends that are called the same answer: cells on which they differ tell nothing and are left out, unless none would be
/// left.
fn agreed(
    ends: &[(Tested, Label)],
    called: Label,
    left_out: &mut LeftOut,
) -> Result<Option<Tested>, EndError> {
    let mut same = ends.iter().filter(|(_, label)| *label == called);
    let Some((first, _)) = same.next() else {
        return Ok(None);
    };
    let mut agreed = first.clone();
    for (other, _) in same {
        let apart = differing(&agreed.answers, &other.answers);
        let Some(cell) = apart.first() else {
            continue;
        };
        let (one, two) = (&first.release, &other.release);
        if apart.len() == agreed.answers.len() {
            return Err(EndError::Apart {
                one: one.clone(),
                other: two.clone(),
                called,
                answers: (line(first, cell), line(other, cell)),
            });
        }
        agreed.answers.retain(|cell, _| !apart.contains(cell));
        let reason = format!(
            "{one} and {two} are both called {} and answer differently",
            called.name()
        );
        left_out.extend(apart.into_iter().map(|cell| (cell, reason.clone())));
    }
    Ok(Some(agreed))
}

fn verify_expected(ends: &[(Tested, Label)], expect: &str) -> Result<Classifier, EndError> {
    for (end, called) in ends {
        let other = end.answers.values().find(|answer| !answer.fits(expect));
        let wrong = match (called, other) {
            (Label::Good, Some(other)) => Some(other.line()),
            (Label::Bad, None) => Some(digest(end.answers.values())),
            (Label::Good, None) | (Label::Bad, Some(_)) | (Label::End, _) => None,
        };
        if let Some(answer) = wrong {
            return Err(EndError::Unexpected {
                release: end.release.clone(),
                called: *called,
                answer,
                expect: expect.to_owned(),
            });
        }
    }
    Ok(Classifier::Expect(expect.to_owned()))
}

fn line(tested: &Tested, cell: &str) -> String {
    let answer = tested.answers.get(cell);
    answer.map_or_else(String::new, Answer::line)
}
