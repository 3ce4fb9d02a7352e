//! What a change of one cell is: in which direction, what it means for the contract, and how grave that is.

use super::cells::{Keeps, Seen, Texts, Twin};
use super::effect::{Bearing, Kind, Weight};
use contract::cell_id::CellId;
use contract::scenario::model::Direction;
use record::judge::Severity;
use record::sameness::Sameness;

/// A cell that changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change<'a> {
    pub(super) id: &'a str,
    pub(super) twin: Twin<'a>,
    pub(super) kind: Kind,
    pub(super) bearing: Bearing,
    pub(super) weight: Weight,
}

impl Change<'_> {
    /// Id of its scenario.
    pub(super) fn scenario(&self) -> &str {
        CellId::of(self.id).scenario()
    }
}

/// Weighs a cell; `None` where nothing changed.
pub(super) fn weigh(twin: Twin<'_>, texts: &Texts) -> Option<(Kind, Bearing, Weight)> {
    let Twin { before, after } = twin;
    let (a, b) = (texts.answer(before), texts.answer(after));
    let same = before.answer == after.answer || a.same(b, Sameness::Text);
    let kind = match (same, a.direction, b.direction) {
        (true, _, _) => Kind::SameAnswer,
        (false, Direction::Deny, Direction::Allow) => Kind::LetIn,
        (false, Direction::Allow, Direction::Deny) => Kind::ShutOut,
        (false, Direction::Deny, Direction::Deny) => Kind::DenialChanged,
        (false, Direction::Allow, Direction::Allow) => Kind::AnswerChanged,
    };
    let asked = |seen: &Seen| seen.rule.map(|(_, outcome)| outcome);
    let (bearing, weight) = match (before.keeps, after.keeps) {
        (Keeps::Holds, Keeps::Holds) if asked(before) != asked(after) && !same => {
            (Bearing::ContractChanged, Weight::ContractChange)
        }
        (Keeps::Holds, Keeps::Holds) if same => return None,
        (Keeps::Holds, Keeps::Holds) => (Bearing::BothConform, by_text(twin, texts)),
        (Keeps::Holds, Keeps::Breaks(_, severity)) => (Bearing::Breaks, weight(severity)),
        // The contract caught up with what the gateway does.
        (Keeps::Breaks(..), Keeps::Holds) if same => {
            (Bearing::ContractChanged, Weight::ContractChange)
        }
        (Keeps::Breaks(..), Keeps::Holds) => (Bearing::Mends, Weight::Improvement),
        (Keeps::Breaks(old, was), Keeps::Breaks(new, is)) => match (is.cmp(&was), same) {
            (std::cmp::Ordering::Greater, _) => (Bearing::Breaks, weight(is)),
            (std::cmp::Ordering::Less, _) => (Bearing::Mends, Weight::Improvement),
            // Whoever was wrongly in is now wrongly out, or the other way round.
            (std::cmp::Ordering::Equal, _) if is == Severity::Blocker && old != new => {
                (Bearing::Breaks, Weight::Blocker)
            }
            (std::cmp::Ordering::Equal, true) => return None,
            (std::cmp::Ordering::Equal, false) => (Bearing::StillBreaks, by_text(twin, texts)),
        },
    };
    Some((kind, bearing, weight))
}

fn weight(severity: Severity) -> Weight {
    match severity {
        Severity::Blocker => Weight::Blocker,
        Severity::Shape => Weight::Shape,
        Severity::Cosmetic => Weight::Cosmetic,
    }
}

/// Whether more than a text changed.
fn by_text(twin: Twin<'_>, texts: &Texts) -> Weight {
    let (a, b) = (texts.answer(twin.before), texts.answer(twin.after));
    match a.same(b, Sameness::Shape) {
        true => Weight::Cosmetic,
        false => Weight::Shape,
    }
}
