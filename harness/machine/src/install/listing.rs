//! The list of releases as the registry told it and as it is kept.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use contract::release::{Releases, Version};

/// The list as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listing {
    /// When the registry was asked.
    pub(super) asked: Timestamp,
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
    pub(super) fn read(told: &serde_json::Value, asked: Timestamp) -> Option<Self> {
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

    pub(super) fn releases(&self) -> Releases {
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
