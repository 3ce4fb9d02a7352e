//! The list of releases: asked of the registry, kept in the cache, and good enough from there where nobody answers.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::installer::{InstallContext, PACKAGE, view};
use super::problem::{InstallError, Progress};
use contract::release::{Releases, Version};

/// A list as old as this is not asked for again.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// The list as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listing {
    /// When the registry was asked.
    asked: Timestamp,
    /// Every version that it told.
    versions: Vec<String>,
    /// The one that it calls latest.
    latest: Option<String>,
    /// When each was published, as it says.
    #[serde(default)]
    published: BTreeMap<String, Timestamp>,
}

impl Listing {
    /// Reads what `npm view PACKAGE versions dist-tags time --json` prints.
    fn read(told: &serde_json::Value, asked: Timestamp) -> Option<Self> {
        let versions = told.get("versions")?;
        // npm tells an only version without a list around it.
        let versions: Vec<String> = match versions.as_array() {
            Some(list) => list
                .iter()
                .filter_map(|version| Some(version.as_str()?.to_owned()))
                .collect(),
            None => vec![versions.as_str()?.to_owned()],
        };
        let latest = told.pointer("/dist-tags/latest");
        let times = told.get("time").and_then(serde_json::Value::as_object);
        let published = times
            .into_iter()
            .flatten()
            .filter_map(|(version, time)| Some((version.clone(), time.as_str()?.parse().ok()?)));
        Some(Self {
            asked,
            latest: latest.and_then(|latest| Some(latest.as_str()?.to_owned())),
            published: published.collect(),
            versions,
        })
    }

    fn releases(&self) -> Releases {
        let version = |text: &String| text.parse::<Version>().ok();
        let published = self
            .published
            .iter()
            .filter_map(|(text, time)| Some((version(text)?, *time)));
        Releases::new(
            self.versions.iter().filter_map(version),
            self.latest.as_ref().and_then(version),
            published.collect(),
        )
    }
}

/// The releases that there are.
///
/// The registry is asked at most every ten minutes. Where it does not answer, the list that it told last is taken, and
/// where there is none, the releases that are installed; a [`Progress::Note`] says so.
///
/// # Errors
/// The registry does not answer, and nothing is known from before.
pub async fn releases(
    context: &InstallContext,
    progress: &(dyn Fn(Progress) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<Releases, InstallError> {
    let cache = context.cache.as_ref();
    let kept = cache.and_then(super::Cache::listing);
    let now = Timestamp::now();
    if let Some(kept) = &kept
        && now.duration_since(kept.asked).abs() < FRESH
    {
        return Ok(kept.releases());
    }
    let fields = ["versions", "dist-tags", "time"];
    let asked = view(context, PACKAGE, &fields, progress, cancel).await;
    let error = match asked {
        Ok(told) => match Listing::read(&told, now) {
            Some(listing) => {
                if let Some(cache) = cache {
                    // Next time it is asked again; that is all.
                    let _ = cache.keep_listing(&listing);
                }
                return Ok(listing.releases());
            }
            None => InstallError::Registry(format!("{PACKAGE} versions")),
        },
        Err(InstallError::Cancelled) => return Err(InstallError::Cancelled),
        Err(error) => error,
    };
    let first = error.to_string();
    let first = first.lines().next().unwrap_or_default();
    if let Some(kept) = kept {
        progress(Progress::Note(format!(
            "{first}; taking the list of releases of {:.0}",
            kept.asked
        )));
        return Ok(kept.releases());
    }
    let installed: Vec<Version> = cache
        .map(|cache| cache.versions(PACKAGE))
        .unwrap_or_default()
        .iter()
        .filter_map(|text| text.parse().ok())
        .collect();
    if installed.is_empty() {
        return Err(error);
    }
    progress(Progress::Note(format!(
        "{first}; only the {} releases that are installed are known",
        installed.len()
    )));
    Ok(Releases::new(installed, None, BTreeMap::new()))
}
