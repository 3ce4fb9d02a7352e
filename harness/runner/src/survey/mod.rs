//! The work of a survey: releases are installed, run, recorded and dropped, one after the other.
//!
//! What the records say together is [`studies::survey`]'s.

mod install;
mod work;

pub use install::Dropped;
pub use work::{Event, Job, Outcome, SurveyError, carry_out};
