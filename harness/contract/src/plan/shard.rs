//! Which part of the work this machine does: `--shard K/N`, and what pipelines say about it.
//!
//! A [`Shard`] is one of N parts, counted from 1. [`ShardArg`] is what the flag takes: `K/N`, or `auto` for what the
//! pipeline's variables say. Nothing is taken from a variable unasked: a pipeline sets them for every job that it runs
//! several times, whatever the reason, and a gate that silently judged a part of its matrix there would be green over the
//! rest.

use std::fmt;
use std::str::FromStr;

/// The most parts that work is cut into: more is a slip of the finger, and each part takes memory in all others.
const MOST: u32 = 10_000;
/// Our own variable: `K/N`.
const OWN: &str = "CLAWGAUGE_SHARD";

/// Where pipelines say which of several equal jobs a job is, and of how many.
const VARIABLES: [Variables; 3] = [
    // GitLab `parallel`; a job without it has a total of 1 and no index.
    Variables {
        number: "CI_NODE_INDEX",
        of: &["CI_NODE_TOTAL"],
        first: 1,
    },
    // Buildkite `parallelism`.
    Variables {
        number: "BUILDKITE_PARALLEL_JOB",
        of: &["BUILDKITE_PARALLEL_JOB_COUNT"],
        first: 0,
    },
    // A Kubernetes Indexed Job sets the index alone: the total is for the manifest to say.
    Variables {
        number: "JOB_COMPLETION_INDEX",
        of: &["CLAWGAUGE_SHARDS", "JOB_COMPLETIONS"],
        first: 0,
    },
];

/// The variables of one kind of pipeline.
struct Variables {
    number: &'static str,
    /// The first of them that is set counts.
    of: &'static [&'static str],
    /// The number of the first job.
    first: u32,
}

/// One of several parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    number: u32,
    of: u32,
}

/// What does not say which part is meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShardError {
    /// It has another form.
    #[error("`{0}` is not K/N, such as 2/5 for the second of five, and not `auto`")]
    Form(String),
    /// There are no parts.
    #[error("of 0 shards there is none")]
    None,
    /// There is no such part.
    #[error("there is no shard {0} of {1}: they are counted from 1 to {1}")]
    OutOfRange(u32, u32),
    /// There are too many parts.
    #[error("{0} shards are too many; {MOST} are the most")]
    TooMany(u32),
    /// No variable is set.
    #[error("--shard auto, and no variable of a pipeline says which shard this is")]
    Nowhere,
    /// A variable says which part, and none says of how many.
    #[error("{0} says which shard this is, and {1} does not say of how many")]
    Total(&'static str, String),
    /// A variable is not a number, or not one that can be.
    #[error("{0}: {1}")]
    Variable(String, String),
    /// Two pipelines say something different.
    #[error("{0} says shard {1}, and {2} says shard {3}")]
    Disagree(String, Shard, String, Shard),
}

impl ShardError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Form(_) | Self::None | Self::OutOfRange(..) | Self::TooMany(_) => {
                "write --shard K/N with 1 <= K <= N; --shard auto takes what the pipeline's variables say"
            }
            Self::Nowhere => {
                "write --shard K/N, or set CLAWGAUGE_SHARD=K/N; known are also CI_NODE_INDEX with CI_NODE_TOTAL, \
                 BUILDKITE_PARALLEL_JOB with BUILDKITE_PARALLEL_JOB_COUNT, and JOB_COMPLETION_INDEX with CLAWGAUGE_SHARDS"
            }
            Self::Total(..) | Self::Variable(..) | Self::Disagree(..) => {
                "set CLAWGAUGE_SHARD=K/N, or write --shard K/N, which heeds no variable"
            }
        }
    }
}

impl Shard {
    /// Part `number`, from 1, of `of`.
    ///
    /// # Errors
    /// There is no such part.
    pub fn new(number: u32, of: u32) -> Result<Self, ShardError> {
        match (number, of) {
            (_, 0) => Err(ShardError::None),
            (_, of) if of > MOST => Err(ShardError::TooMany(of)),
            (number, of) if number == 0 || number > of => Err(ShardError::OutOfRange(number, of)),
            (number, of) => Ok(Self { number, of }),
        }
    }

    /// Which one, from 1.
    pub fn number(self) -> u32 {
        self.number
    }

    /// Of how many.
    pub fn of(self) -> u32 {
        self.of
    }

    /// Whether the thing at this place of a list, from 0, is in this part: every N-th one is. All parts must have the list
    /// in the same order.
    pub fn takes(self, place: usize) -> bool {
        u32::try_from(place % self.of as usize).is_ok_and(|place| place + 1 == self.number)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let parts = text.split_once('/').and_then(|(number, of)| {
            // A number may be too large for us, and is one all the same.
            let read = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
                true if !text.is_empty() => Some(text.parse().unwrap_or(u32::MAX)),
                true | false => None,
            };
            Some((read(number)?, read(of)?))
        });
        let (number, of) = parts.ok_or_else(|| ShardError::Form(text.to_owned()))?;
        Self::new(number, of)
    }
}

/// What `--shard` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShardArg {
    /// What the pipeline's variables say.
    Auto,
    /// This part.
    Given(Shard),
}

impl FromStr for ShardArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let shard = text.parse().map(Self::Given);
        shard.map_err(|error: ShardError| format!("{error}\n\nhelp: {}", error.help()))
    }
}

impl ShardArg {
    /// The part that is meant, and the variables that say so, where variables do.
    ///
    /// # Errors
    /// `auto`, and the variables do not say one thing.
    pub fn resolve(
        self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<(Shard, Option<String>), ShardError> {
        match self {
            Self::Given(shard) => Ok((shard, None)),
            Self::Auto => from_variables(variable).map(|(shard, names)| (shard, Some(names))),
        }
    }
}

/// What the variables say, and which do.
fn from_variables(
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(Shard, String), ShardError> {
    let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
    let mut found: Vec<(Shard, String)> = Vec::new();
    if let Some(text) = variable(OWN) {
        let bad = |error: ShardError| ShardError::Variable(OWN.to_owned(), error.to_string());
        found.push((text.parse().map_err(bad)?, OWN.to_owned()));
    }
    for variables in &VARIABLES {
        found.extend(variables.read(&variable)?);
    }
    let mut found = found.into_iter();
    let (shard, names) = found.next().ok_or(ShardError::Nowhere)?;
    match found.find(|(other, _)| *other != shard) {
        Some((other, others)) => Err(ShardError::Disagree(names, shard, others, other)),
        None => Ok((shard, names)),
    }
}

impl Variables {
    fn read(
        &self,
        variable: &impl Fn(&str) -> Option<String>,
    ) -> Result<Option<(Shard, String)>, ShardError> {
        let Some(number) = variable(self.number) else {
            return Ok(None);
        };
        let of = self
            .of
            .iter()
            .find_map(|name| Some((*name, variable(name)?)));
        let Some((total, of)) = of else {
            return Err(ShardError::Total(self.number, self.of.join(" or ")));
        };
        let names = format!("{} and {total}", self.number);
        let read = |name: &str, text: &str| -> Result<u32, ShardError> {
            let bad = |_| ShardError::Variable(name.to_owned(), format!("`{text}` is no number"));
            text.parse().map_err(bad)
        };
        let number = read(self.number, &number)?;
        let number = number.saturating_add(1 - self.first);
        let shard = Shard::new(number, read(total, &of)?);
        let bad = |error: ShardError| ShardError::Variable(names.clone(), error.to_string());
        Ok(Some((shard.map_err(bad)?, names)))
    }
}

#[cfg(test)]
mod tests;
