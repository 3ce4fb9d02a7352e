//! How a comparison ends: the exit code, and why in one line.

use super::model::{Comparison, Side};
use record::Ending;

/// How a comparison ends, and why in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Where the exit code comes from: [`Ending::Broken`] stands for a blocker.
    pub ending: Ending,
    /// Why.
    pub why: String,
}

impl Comparison {
    /// How it ends: interrupted, then a blocker, then a side that was not had, then what could not be asked.
    pub fn ended(&self) -> Ended {
        let sides = [&self.a, &self.b];
        let end = |ending, why| Ended { ending, why };
        if let Some(side) = sides.iter().find(|side| side.interrupted) {
            return end(
                Ending::Interrupted,
                format!("{} was interrupted", side.reference),
            );
        }
        let counts = &self.counts;
        if counts.blockers > 0 {
            return end(Ending::Broken, plural(counts.blockers, "blocker"));
        }
        let failed = |side: &&Side| side.failure.clone();
        if let Some(why) = sides.iter().find_map(failed) {
            return end(Ending::Gateway, why);
        }
        if counts.compared == 0 {
            let why = "no cell was answered on both sides".to_owned();
            return end(Ending::Incomplete, why);
        }
        if let Some(side) = sides.iter().find(|side| side.could_not_run > 0) {
            let cells = plural(side.could_not_run, "cell");
            let why = format!("{cells} could not be asked on {}", side.reference);
            return end(Ending::Incomplete, why);
        }
        end(Ending::Holds, "no blocker".to_owned())
    }
}

fn plural(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
