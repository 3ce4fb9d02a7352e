//! The clock.

use std::time::SystemTime;

use jiff::Timestamp;

/// The present moment. A clock beyond what a date can say (after the year 9999) shows the last that it can.
pub fn now() -> Timestamp {
    SystemTime::now().try_into().unwrap_or(Timestamp::MAX)
}
