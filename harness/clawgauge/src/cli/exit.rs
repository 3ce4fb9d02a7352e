//! The exit codes: all of them, what they mean, and which one it is where several things went wrong.
//!
//! `clawgauge --help` and `harness/decisions/0003-exit-codes.md` say the same; a test compares them.

use record::Ending;

/// How the process ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// As the run that it is about.
    Run(Ending),
    /// Wrong usage, invalid scenario files, or something that could not be read or written.
    Usage,
    /// A bug in clawgauge.
    Bug,
}

impl Exit {
    /// All, by number.
    const ALL: [Self; 7] = [
        Self::Run(Ending::Holds),
        Self::Run(Ending::Broken),
        Self::Usage,
        Self::Run(Ending::Gateway),
        Self::Run(Ending::Incomplete),
        Self::Bug,
        Self::Run(Ending::Interrupted),
    ];

    /// The number.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Run(ending) => ending.code(),
            Self::Usage => 2,
            Self::Bug => 70,
        }
    }

    /// What it means, in a few words.
    fn meaning(self) -> &'static str {
        match self {
            Self::Run(ending) => ending.meaning(),
            Self::Usage => "usage or invalid scenario files",
            Self::Bug => "a bug in clawgauge",
        }
    }

    /// Of two endings the one with the higher number counts. What a run found goes before a report that could not be
    /// written about it, and a proven deviation before what could not be asked.
    pub(super) fn precedence(self) -> u8 {
        match self {
            Self::Bug => 6,
            Self::Run(Ending::Interrupted) => 5,
            Self::Run(Ending::Broken) => 4,
            Self::Run(Ending::Gateway) => 3,
            Self::Run(Ending::Incomplete) => 2,
            Self::Usage => 1,
            Self::Run(Ending::Holds) => 0,
        }
    }

    /// The table as `--help` has it.
    pub(super) fn table() -> String {
        let lines = Self::ALL.map(|exit| format!("{:>5}  {}", exit.code(), exit.meaning()));
        let mut order = Self::ALL;
        order.sort_by_key(|exit| std::cmp::Reverse(exit.precedence()));
        let order = order.map(|exit| exit.code().to_string());
        format!(
            "Exit codes:\n{}\nWhere several apply, the first of {} counts.",
            lines.join("\n"),
            order.join(", ")
        )
    }
}

impl From<Ending> for Exit {
    fn from(ending: Ending) -> Self {
        Self::Run(ending)
    }
}
