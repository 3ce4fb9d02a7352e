//! How a comparison ends: the exit code, and why in one line.

use super::model::{Comparison, Counts, Side};
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
            let why = format!("{}{}", plural(counts.blockers, "blocker"), counts.share());
            return end(Ending::Broken, why);
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
        end(Ending::Holds, format!("no blocker{}", counts.share()))
    }
}

impl Counts {
    /// How much was compared, where that is not everything: ` among 320 of 400 cells; partial: 60 only on A, 20 only on B`.
    fn share(&self) -> String {
        if self.compared >= self.cells {
            return String::new();
        }
        let mut said = format!(" among {} of {}", self.compared, plural(self.cells, "cell"));
        let sides = [(self.only_a, "A"), (self.only_b, "B")];
        let sides = sides.iter().filter(|(cells, _)| *cells > 0);
        let sides: Vec<String> = sides
            .map(|(cells, side)| format!("{cells} only on {side}"))
            .collect();
        if !sides.is_empty() {
            said.push_str(&format!("; partial: {}", sides.join(", ")));
        }
        said
    }
}

fn plural(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    }
}
