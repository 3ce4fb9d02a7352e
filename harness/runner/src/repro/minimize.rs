//! The smallest configuration and request that still show a deviation, found by launching the gateway again and again.
//!
//! [`ddmin`] is the search, and knows nothing of gateways; [`minimize`] asks it about the leaves of the configuration, then
//! takes header lines and fields of the body away one at a time.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

mod reduce;
mod trial;

use reduce::{ddmin, leaves, with_leaves};
use trial::{Trial, Want};

use super::Repro;
use contract::release::Version;
use contract::scenario::model::{Kind, Outcome};
use machine::install::Program;

/// Without these a gateway might call somebody or write outside its folder, whatever it answers.
const KEPT: [&str; 5] = [
    "/logging/file",
    "/gateway/bind",
    "/update/checkOnStart",
    "/update/auto/enabled",
    "/discovery/mdns/mode",
];

/// Nothing can be made smaller.
#[derive(Debug, thiserror::Error)]
pub enum MinimizeError {
    /// The cell is a step of a sequence.
    #[error(
        "{0} is a step of a sequence, and its steps belong together: nothing of it can be taken away"
    )]
    Sequence(String),
    /// Nothing deviates.
    #[error("{cell} answers as it must ({seen}): there is no deviation to be kept")]
    Conforms {
        /// The cell.
        cell: String,
        /// What was seen.
        seen: String,
    },
    /// The whole thing cannot even be asked.
    #[error("{cell} could not be asked: {why}")]
    Unasked {
        /// The cell.
        cell: String,
        /// Why.
        why: String,
    },
    /// Somebody pressed Ctrl-C.
    #[error("interrupted")]
    Cancelled,
}

/// Where and how it is tried.
pub struct Bench<'a> {
    /// The gateway that deviates.
    pub program: &'a Program,
    /// One that does not, with the release that it is judged as: the small thing must not deviate there. Without one nobody
    /// knows whether it could.
    pub mended: Option<(&'a Program, &'a Version)>,
    /// The names of answers.
    pub outcomes: Vec<Arc<Outcome>>,
    /// A folder for the launches.
    pub folder: &'a Path,
    /// How long a gateway may take to get ready.
    pub ready_timeout: Duration,
    /// How long a request may take.
    pub timeout: Duration,
    /// Told of what is being tried.
    pub say: &'a (dyn Fn(&str) + Send + Sync),
    /// Stops it.
    pub cancel: &'a CancellationToken,
}

/// Finds a small reproduction that shows what the whole one shows, and says in [`Repro::removed`] what it took away.
///
/// # Errors
/// A [`MinimizeError`] where there is nothing to be kept or nothing can be asked.
pub async fn minimize(repro: &Repro, bench: &Bench<'_>) -> Result<Repro, MinimizeError> {
    if repro.kind == Kind::Sequence {
        return Err(MinimizeError::Sequence(repro.cell.clone()));
    }
    let trial = Trial { repro, bench };
    let Some(launch) = repro
        .launches
        .iter()
        .find(|launch| launch.range.contains(&repro.release))
    else {
        return Err(trial.unasked("no launch is known".to_owned()));
    };
    let mut small = repro.clone();
    small.launches = vec![launch.clone()];
    small.passes_on = bench.mended.map(|(_, release)| release.clone());
    for other in &repro.launches {
        if other.range != launch.range {
            let why = format!(
                "this script has the minimal configuration of {}",
                repro.release
            );
            small.not_applicable.push((other.range.clone(), why));
        }
    }

    (bench.say)("looking at the whole cell first");
    let whole = trial
        .see(bench.program, &launch.config, &small)
        .await
        .map_err(|why| trial.unasked(why))?;
    let expected = repro.expectation().map(|one| one.outcome.id.as_str());
    if whole.outcome.as_deref() == expected {
        return Err(MinimizeError::Conforms {
            cell: repro.cell.clone(),
            seen: expected.unwrap_or_default().to_owned(),
        });
    }
    let mut sides = vec![(bench.program, Want::Same(whole))];
    if let Some((program, release)) = bench.mended {
        let want = repro
            .expectations
            .iter()
            .find(|one| one.range.contains(release));
        let want = Want::Outcome(want.map(|one| one.outcome.id.clone()));
        let seen = trial.see(program, &launch.config, &small).await;
        match seen {
            Ok(seen) if want.is_met(&seen) => sides.push((program, want)),
            Ok(_) | Err(_) => {
                return Err(trial.unasked(format!("{release} does not answer as it must, either")));
            }
        }
    }

    let mut all = Vec::new();
    leaves(&launch.config, "", &mut all);
    let (kept, free): (Vec<String>, Vec<String>) = all
        .into_iter()
        .partition(|leaf| KEPT.contains(&leaf.as_str()));
    let mut launches = 0;
    let needed = ddmin(&free, async |part: &[String]| {
        if bench.cancel.is_cancelled() {
            return false;
        }
        launches += 1;
        let config = with_leaves(&launch.config, &[part, &kept].concat());
        let same = trial.holds(&sides, &config, &small).await;
        let word = if same { "still shows" } else { "too little" };
        (bench.say)(&format!(
            "try {launches}: {} of {} keys: {word}",
            part.len(),
            free.len()
        ));
        same
    })
    .await;
    trial.check()?;
    let gone = free.iter().filter(|leaf| !needed.contains(leaf));
    small.removed = gone.map(|leaf| leaf[1..].replace('/', ".")).collect();
    small.launches[0].config = with_leaves(&launch.config, &[&needed[..], &kept].concat());
    if !small.steps.is_empty() {
        trial.requests(&mut small, &sides).await?;
    }
    // What was found together is looked at once more by itself.
    if trial.holds(&sides, &small.launches[0].config, &small).await {
        Ok(small)
    } else {
        Err(trial.unasked("the small one answers otherwise on a fresh gateway".to_owned()))
    }
}
