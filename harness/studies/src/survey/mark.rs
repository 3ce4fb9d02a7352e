//! What is said about a cell on one release, in a few words.

use contract::scenario::model::Direction;
use record::CellRecord;
use record::symbol::CellSymbol;

/// What is said about a cell on a release. Cells of which the same is said on every release are one row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// How it looks.
    pub look: CellSymbol,
    /// What was seen, in a few words: `let in`, `403 forbidden`, `does not start`.
    pub seen: String,
    /// Whether the caller got in.
    pub let_in: bool,
    /// The known issue that says so.
    pub issue: Option<String>,
    /// RerunReason it was not asked.
    pub reason: Option<String>,
}

impl Mark {
    /// Of a cell of a record.
    pub fn of(cell: &CellRecord) -> Self {
        let look = CellSymbol::of(cell);
        let seen = match (look.is_silent(), &cell.observed) {
            (false, Some(observed)) => observed.brief(),
            (true, _) | (false, None) => match look {
                CellSymbol::NotApplicable => "not applicable".to_owned(),
                CellSymbol::NotAsked => "not asked".to_owned(),
                _ => "not known".to_owned(),
            },
        };
        Self {
            look,
            seen,
            let_in: !look.is_silent()
                && cell
                    .observed
                    .as_ref()
                    .is_some_and(|observed| observed.direction == Some(Direction::Allow)),
            issue: cell.known_issue.clone(),
            reason: cell.reason.clone(),
        }
    }
}
