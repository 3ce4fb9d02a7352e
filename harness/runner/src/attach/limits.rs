//! How much may be asked: a budget, a rate, and a margin below a lockout. Pure.

use std::time::Duration;

/// A gateway locks an address out after so many wrong credentials, or more; three is what its own tests are run with.
const IN_A_ROW: u32 = 2;

/// How much may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests in all, those of the probe included.
    pub requests: u32,
    /// From the beginning of one request to the beginning of the next, at least.
    pub pause: Duration,
    /// Wrong credentials in all.
    pub wrong: u32,
    /// Requests that may reach the model.
    pub model_calls: u32,
    /// How long one request may take.
    pub timeout: Duration,
}

impl Limits {
    /// How many wrong credentials the cells may send: without the right one in between the count is never reset.
    pub fn wrong_for(&self, knows_the_right_one: bool) -> u32 {
        match knows_the_right_one {
            true => self.wrong,
            false => self.wrong.min(IN_A_ROW),
        }
    }
}

/// What has been used of the limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Spent {
    pub(super) requests: u32,
    pub(super) model_calls: u32,
    wrong: u32,
    wrong_in_a_row: u32,
}

impl Spent {
    /// Whether another request fits.
    pub(super) fn has_room(&self, limits: &Limits) -> bool {
        self.requests < limits.requests
    }

    /// Whether the right credential must be shown before the next wrong one.
    pub(super) fn needs_the_right_one(&self) -> bool {
        self.wrong_in_a_row >= IN_A_ROW
    }

    /// Whether another wrong credential fits.
    pub(super) fn has_room_for_wrong(&self, limits: &Limits) -> bool {
        self.wrong < limits.wrong && !self.needs_the_right_one()
    }

    /// Notes a wrong credential.
    pub(super) fn wrong(&mut self) {
        self.wrong += 1;
        self.wrong_in_a_row += 1;
    }

    /// Notes that the right credential was let in.
    pub(super) fn right(&mut self) {
        self.wrong_in_a_row = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_margin_in_a_row_and_in_all() {
        let limits = Limits {
            requests: 100,
            pause: Duration::ZERO,
            wrong: 3,
            model_calls: 0,
            timeout: Duration::from_secs(1),
        };
        let mut spent = Spent::default();
        spent.wrong();
        assert!(spent.has_room_for_wrong(&limits));
        spent.wrong();
        assert!(!spent.has_room_for_wrong(&limits));
        spent.right();
        assert!(spent.has_room_for_wrong(&limits));
        spent.wrong();
        spent.right();
        assert!(!spent.has_room_for_wrong(&limits), "no more in all");
        assert_eq!((limits.wrong_for(true), limits.wrong_for(false)), (3, 2));
    }
}
