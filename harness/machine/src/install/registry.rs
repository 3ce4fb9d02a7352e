//! The list of releases: asked of the registry, kept in the cache, and good enough from there where nobody answers.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use super::context::{InstallContext, view};
use super::listing::Listing;
use super::package::PACKAGE;
use super::problem::{InstallError, Progress};
use contract::release::{Releases, Version};

/// A list as old as this is not asked for again.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

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
    let now = base::time::now();
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
