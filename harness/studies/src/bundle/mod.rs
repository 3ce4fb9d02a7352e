//! The evidence bundle: one archive from which anybody can judge a run again, without a gateway and without a network.
//!
//! `manifest.json` names every other member with its SHA-256; `record.json` is the record; `baseline.json` the record
//! whose answers were excused, if there was one; `configs/GATEWAY/PROFILE.json` how each gateway was started, with
//! placeholders where the launch had secrets, ports and folders; `logs/GATEWAY/PROFILE.log` what it wrote; `data/`
//! everything that the run was judged by, byte for byte.
//!
//! [`pack`] makes the members, [`Bundle::to_bytes`] the archive, [`Bundle::open`] reads one that nobody trusts, and
//! [`verify()`] judges every cell again from the recorded answers.
//!
//! What a bundle cannot show: that the gateway gave these answers. It is not signed, and who rewrites all of it rewrites
//! its hashes too; compare the SHA-256 of the file, which `verify` prints, with the one that was published. Answers are
//! recorded normalised and redacted, so an outcome that asks about a part that is only named (`[varies]`, `[id]`, a body
//! that was too long) is taken as recorded; `verify` says of how many cells. Cells without an answer, times, exit codes
//! and the positive control of a launch are taken as recorded, too.

mod again;
mod read;
mod verify;
mod write;

pub use crate::difference::Difference;
pub use read::BundleError;
pub use verify::{By, Checked, verify};
pub use write::{PackError, Run, pack};

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use record::{Record, Results};

/// Name and version of the format.
pub const SCHEMA: &str = "clawgauge.bundle/1";
/// Member that names all others.
pub const MANIFEST: &str = "manifest.json";
/// Member with the record.
pub const RECORD: &str = "record.json";
/// Member with the record whose answers are excused.
pub const BASELINE: &str = "baseline.json";
/// Folder of what the run was judged by.
pub const DATA: &str = "data/";

/// The members of a bundle by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bundle {
    /// Contents by name.
    pub members: BTreeMap<String, Vec<u8>>,
}

/// What a bundle says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`SCHEMA`].
    pub schema: String,
    /// Version of clawgauge.
    pub harness: String,
    /// Random name of the run.
    pub run: String,
    /// When it ended, RFC 3339.
    pub finished: String,
    /// Hash over the scenario files that were judged by.
    pub table_hash: String,
    /// The gateways in order.
    pub gateways: Vec<ManifestGateway>,
    /// All other members.
    pub members: BTreeMap<String, ManifestMember>,
}

/// A gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestGateway {
    /// As the caller named it.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Its folder in `configs/` and `logs/`.
    pub folder: String,
    /// The release it was judged as.
    pub version: Option<String>,
    /// Integrity of the package.
    pub integrity: Option<String>,
    /// Version of Node.
    pub node: Option<String>,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestMember {
    /// Its length.
    pub bytes: usize,
    /// Its SHA-256 in hex.
    pub sha256: String,
}

impl Manifest {
    /// What a manifest says about the gateways of a record.
    fn gateways(record: &Record) -> Vec<ManifestGateway> {
        let mut gateways: Vec<ManifestGateway> = Vec::new();
        for gateway in &record.gateways {
            let slug = slug(&gateway.reference);
            let taken = |name: &String| gateways.iter().any(|other| other.folder == *name);
            let numbered = (2..).map(|number| format!("{slug}-{number}"));
            let folder = std::iter::once(slug.clone())
                .chain(numbered)
                .find(|name| !taken(name));
            gateways.push(ManifestGateway {
                reference: gateway.reference.clone(),
                folder: folder.unwrap_or_default(),
                version: gateway.version.clone(),
                integrity: gateway.integrity.clone(),
                node: gateway.node.clone(),
            });
        }
        gateways
    }
}

impl Bundle {
    /// The record in it, and nothing else.
    ///
    /// # Errors
    /// It is missing, or is no record of this version.
    pub fn into_results(mut self) -> Result<Results<'static>, BundleError> {
        self.member(RECORD)?;
        let text = self.members.remove(RECORD).unwrap_or_default();
        results(RECORD, Cow::Owned(text))
    }

    fn results_in(&self, name: &str) -> Result<Results<'_>, BundleError> {
        results(name, Cow::Borrowed(self.member(name)?))
    }

    fn manifest(&self) -> Result<Manifest, BundleError> {
        let bytes = self.member(MANIFEST)?;
        serde_json::from_slice(bytes)
            .map_err(|error| BundleError::Member(MANIFEST.to_owned(), error.to_string()))
    }

    fn member(&self, name: &str) -> Result<&[u8], BundleError> {
        let bytes = self.members.get(name).map(Vec::as_slice);
        bytes.ok_or_else(|| BundleError::Missing(name.to_owned()))
    }

    /// The files that the run was judged by.
    fn data(&self) -> Result<BTreeMap<String, String>, BundleError> {
        let files = self.members.iter().filter_map(|(name, bytes)| {
            let file = name.strip_prefix(DATA)?.to_owned();
            let text = String::from_utf8(bytes.clone())
                .map_err(|_| BundleError::Member(name.clone(), "not UTF-8".to_owned()));
            Some(text.map(|text| (file, text)))
        });
        files.collect()
    }
}

fn results<'a>(name: &str, text: Cow<'a, [u8]>) -> Result<Results<'a>, BundleError> {
    let results = Results::of_text(text);
    results.map_err(|error| BundleError::Member(name.to_owned(), error.to_string()))
}

/// A name for a folder: the last part of a gateway's reference, in letters that every file system takes.
fn slug(reference: &str) -> String {
    const LONGEST: usize = 50;
    let last = reference.trim_end_matches('/').rsplit('/').next();
    let keep = |letter: char| letter.is_ascii_alphanumeric() || "@._-".contains(letter);
    let letters = last.unwrap_or_default().chars().take(LONGEST);
    let slug: String = letters
        .map(|letter| if keep(letter) { letter } else { '-' })
        .collect();
    match slug.trim_start_matches(['.', '-']) {
        "" => "gateway".to_owned(),
        slug => slug.to_owned(),
    }
}
