//! What does not follow from a bundle: the one form in which it is told.

use std::fmt;

/// Something that does not follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The member, cell or part of the record.
    pub place: String,
    /// What of it.
    pub what: String,
    /// What the bundle says.
    pub recorded: String,
    /// What it should say.
    pub again: String,
}

impl Difference {
    pub(crate) fn new(
        place: impl Into<String>,
        what: &str,
        recorded: &dyn fmt::Debug,
        again: &dyn fmt::Debug,
    ) -> Self {
        const LONGEST: usize = 400;
        let short = |value: &dyn fmt::Debug| -> String {
            let text = format!("{value:?}");
            match text.char_indices().nth(LONGEST) {
                Some((end, _)) => format!("{}...", &text[..end]),
                None => text,
            }
        };
        Self {
            place: place.into(),
            what: what.to_owned(),
            recorded: short(recorded),
            again: short(again),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            place,
            what,
            recorded,
            again,
        } = self;
        write!(f, "{place}: {what}: recorded {recorded}, again {again}")
    }
}
