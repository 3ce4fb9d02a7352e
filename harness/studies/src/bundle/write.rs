//! Making a bundle: the members from a run, the archive from the members, the file in one step.

use base::files::{replace_bytes, sha256};
use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use super::{BASELINE, Bundle, DATA, MANIFEST, Manifest, ManifestMember, RECORD, SCHEMA};
use contract::release::Version;
use contract::scenario::Catalogue;
use record::clean::Cleaner;
use record::events::LaunchInfo;
use record::{Record, Results};

/// A run as its bundle is made from it.
#[derive(Debug)]
pub struct Run<'a> {
    /// The record.
    pub record: &'a Record,
    /// The record whose answers are excused.
    pub baseline: Option<&'a Record>,
    /// The launches that ended, with what their gateways wrote.
    pub launches: &'a [LaunchInfo],
    /// What was judged by.
    pub catalogue: &'a Catalogue,
    /// The files that this is read from.
    pub data: &'a BTreeMap<String, String>,
}

/// A bundle that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// A member cannot be rendered.
    #[error("{0}")]
    Render(#[from] record::ResultsError),
    /// A member is no JSON.
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    /// The archive cannot be made or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// The members of a run's bundle; `cleaner` knows the machine that it took place on.
///
/// # Errors
/// A member cannot be rendered, which would be a bug.
pub fn pack(run: &Run<'_>, cleaner: &Cleaner) -> Result<Bundle, PackError> {
    let mut members = BTreeMap::new();
    for (name, text) in run.data {
        members.insert(format!("{DATA}{name}"), text.clone().into_bytes());
    }
    let mut record = run.record.clone();
    cleaner.record(&mut record);
    members.insert(RECORD.to_owned(), rendered(&record)?);
    if let Some(baseline) = run.baseline {
        let mut baseline = baseline.clone();
        cleaner.record(&mut baseline);
        members.insert(BASELINE.to_owned(), rendered(&baseline)?);
    }
    members.extend(configs(&record, run.catalogue)?);
    let gateways = Manifest::gateways(&record);
    for launch in run.launches {
        let reference = cleaner.text(&launch.gateway);
        let gateway = gateways.iter().find(|known| known.reference == reference);
        let Some(gateway) = gateway else { continue };
        let lines = launch.log.0.iter();
        let lines: String = lines.map(|line| cleaner.text(line) + "\n").collect();
        let name = log_name(&gateway.folder, &launch.profile, launch.attempt);
        members.insert(name, lines.into_bytes());
    }
    let described = members.iter().map(|(name, bytes)| {
        let member = ManifestMember {
            bytes: bytes.len(),
            sha256: sha256(bytes),
        };
        (name.clone(), member)
    });
    let manifest = Manifest {
        schema: SCHEMA.to_owned(),
        harness: record.run.harness.clone(),
        run: record.run.id.clone(),
        finished: record.run.finished.clone(),
        table_hash: record.run.table_hash.clone(),
        members: described.collect(),
        gateways,
    };
    members.insert(MANIFEST.to_owned(), pretty(&manifest)?);
    Ok(Bundle { members })
}

/// Name of the member with what a gateway wrote.
pub(super) fn log_name(folder: &str, profile: &str, attempt: u32) -> String {
    match attempt {
        0 | 1 => format!("logs/{folder}/{profile}.log"),
        attempt => format!("logs/{folder}/{profile}.attempt-{attempt}.log"),
    }
}

/// How each launched profile was configured and started, as the data say it: nothing of a launch is filled in.
pub(super) fn configs(
    record: &Record,
    catalogue: &Catalogue,
) -> Result<BTreeMap<String, Vec<u8>>, serde_json::Error> {
    let mut configs = BTreeMap::new();
    let folders = Manifest::gateways(record);
    for (gateway, about) in record.gateways.iter().zip(folders) {
        let version = gateway.version.as_deref().map(str::parse::<Version>);
        let Some(Ok(version)) = version else { continue };
        for launch in gateway.last_launches() {
            let profile = catalogue.profiles.get(&launch.profile);
            let Some(Ok(start)) = profile.map(|profile| profile.launch_for(&version)) else {
                continue;
            };
            let config = json!({
                "profile": launch.profile,
                "release": version.to_string(),
                "args": start.args,
                "env": start.env,
                "files": start.files,
                "config": start.config,
            });
            let name = format!("configs/{}/{}.json", about.folder, launch.profile);
            configs.insert(name, pretty(&config)?);
        }
    }
    Ok(configs)
}

fn rendered(record: &Record) -> Result<Vec<u8>, PackError> {
    let mut bytes = Vec::new();
    Results::from(record).write(&mut bytes)?;
    Ok(bytes)
}

fn pretty(value: &impl serde::Serialize) -> Result<Vec<u8>, serde_json::Error> {
    let mut bytes = serde_json::to_vec_pretty(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

impl Bundle {
    /// The archive: a gzipped tar of regular files, sorted by name, owned by nobody, as old as the record. The same
    /// members are the same bytes, always and everywhere.
    ///
    /// # Errors
    /// A member's name does not fit into a tar archive.
    pub fn to_bytes(&self) -> Result<Vec<u8>, PackError> {
        let time = self.manifest().ok().and_then(|manifest| {
            let finished: jiff::Timestamp = manifest.finished.parse().ok()?;
            u64::try_from(finished.as_second()).ok()
        });
        let time = time.unwrap_or(0);
        let gzip = flate2::GzBuilder::new()
            .mtime(u32::try_from(time).unwrap_or(0))
            .write(Vec::new(), flate2::Compression::new(6));
        let mut archive = tar::Builder::new(gzip);
        for (name, bytes) in &self.members {
            let mut header = tar::Header::new_ustar();
            header.set_path(name)?;
            header.set_size(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            header.set_mode(0o644);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(time);
            header.set_entry_type(tar::EntryType::Regular);
            header.set_cksum();
            archive.append(&header, bytes.as_slice())?;
        }
        Ok(archive.into_inner()?.finish()?)
    }

    /// Writes the archive in one step: there is the whole file, or there is none.
    ///
    /// # Errors
    /// The folder does not exist, or the disk is full.
    pub fn write(&self, path: &Path) -> Result<(), PackError> {
        Ok(replace_bytes(path, &self.to_bytes()?)?)
    }
}
