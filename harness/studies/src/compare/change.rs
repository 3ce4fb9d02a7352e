//! What a change of one cell is: in which direction, what it means for the contract, and how severe that is.

use std::cmp::Ordering;

use super::cells::{CellPair, Conformance, Seen, Texts};
use super::effect::{ChangeSeverity, ContractEffect, Kind};
use contract::cell_id::CellId;
use contract::scenario::model::Direction;
use record::judge::{Deviation, Severity};
use record::sameness::Sameness;

/// A cell that changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change<'a> {
    pub(super) id: &'a str,
    pub(super) twin: CellPair<'a>,
    pub(super) kind: Kind,
    pub(super) bearing: ContractEffect,
    pub(super) weight: ChangeSeverity,
}

impl Change<'_> {
    /// Id of its scenario.
    pub(super) fn scenario(&self) -> &str {
        CellId::of(self.id).scenario()
    }
}

/// Weighs a cell; `None` where nothing changed.
pub(super) fn weigh(
    twin: CellPair<'_>,
    texts: &Texts,
) -> Option<(Kind, ContractEffect, ChangeSeverity)> {
    let CellPair { before, after } = twin;
    let (a, b) = (texts.answer(before), texts.answer(after));
    let same = before.answer == after.answer || a.same(b, Sameness::Text);
    // What fits no outcome shows what it grants at least: nobody knows whether that is less.
    let granted = match (&a.outcome, &b.outcome) {
        (Some(_), Some(_)) => b.grants.cmp(&a.grants),
        (Some(_), None) => b.grants.cmp(&a.grants).max(Ordering::Equal),
        (None, Some(_)) => b.grants.cmp(&a.grants).min(Ordering::Equal),
        (None, None) => Ordering::Equal,
    };
    let kind = match (same, a.direction, b.direction, granted) {
        (true, _, _, _) => Kind::SameAnswer,
        (false, Direction::Deny, Direction::Allow, _) => Kind::LetIn,
        (false, Direction::Allow, Direction::Deny, _) => Kind::ShutOut,
        (false, Direction::Deny, Direction::Deny, _) => Kind::DenialChanged,
        (false, Direction::Allow, Direction::Allow, Ordering::Greater) => Kind::GrantedMore,
        (false, Direction::Allow, Direction::Allow, Ordering::Less) => Kind::GrantedLess,
        (false, Direction::Allow, Direction::Allow, Ordering::Equal) => Kind::AnswerChanged,
    };
    let asked = |seen: &Seen| seen.rule.map(|(_, outcome)| outcome);
    let (bearing, weight) = match (before.keeps, after.keeps) {
        (Conformance::Holds, Conformance::Holds) if asked(before) != asked(after) && !same => (
            ContractEffect::ContractChanged,
            ChangeSeverity::ContractChange,
        ),
        (Conformance::Holds, Conformance::Holds) if same => return None,
        (Conformance::Holds, Conformance::Holds) => {
            (ContractEffect::BothConform, by_text(twin, texts))
        }
        (Conformance::Holds, Conformance::Breaks(_, severity)) => {
            (ContractEffect::Breaks, weight(severity))
        }
        // The contract caught up with what the gateway does.
        (Conformance::Breaks(..), Conformance::Holds) if same => (
            ContractEffect::ContractChanged,
            ChangeSeverity::ContractChange,
        ),
        (Conformance::Breaks(..), Conformance::Holds) => {
            (ContractEffect::Fixes, ChangeSeverity::Improvement)
        }
        (Conformance::Breaks(old, was), Conformance::Breaks(new, is)) => match (is.cmp(&was), same)
        {
            (Ordering::Greater, _) => (ContractEffect::Breaks, weight(is)),
            (Ordering::Less, _) => (ContractEffect::Fixes, ChangeSeverity::Improvement),
            // Whoever was wrongly in is now wrongly out, or the other way round, or gets still more.
            (Ordering::Equal, _) if is == Severity::Blocker && (old != new || worse(new, kind)) => {
                (ContractEffect::Breaks, ChangeSeverity::Blocker)
            }
            (Ordering::Equal, true) => return None,
            (Ordering::Equal, false) => (ContractEffect::StillBreaks, by_text(twin, texts)),
        },
    };
    Some((kind, bearing, weight))
}

/// Whether more is wrongly granted than before.
fn worse(deviation: Deviation, kind: Kind) -> bool {
    deviation == Deviation::UnexpectedAllow && kind == Kind::GrantedMore
}

fn weight(severity: Severity) -> ChangeSeverity {
    match severity {
        Severity::Blocker => ChangeSeverity::Blocker,
        Severity::Severe => ChangeSeverity::Severe,
        Severity::Shape => ChangeSeverity::Shape,
        Severity::Cosmetic => ChangeSeverity::Cosmetic,
    }
}

/// Whether more than a text changed.
fn by_text(twin: CellPair<'_>, texts: &Texts) -> ChangeSeverity {
    let (a, b) = (texts.answer(twin.before), texts.answer(twin.after));
    match a.same(b, Sameness::Shape) {
        true => ChangeSeverity::Cosmetic,
        false => ChangeSeverity::Shape,
    }
}
