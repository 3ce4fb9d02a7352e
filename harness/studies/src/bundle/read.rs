//! Reading a bundle that nobody trusts: sizes are bounded, names stay inside, and only regular files are members.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use super::{Bundle, MANIFEST, Manifest, SCHEMA};
use record::is_record;

/// So much of a file is read.
const MAX_FILE: u64 = 256 << 20;
/// So much is unpacked.
const MAX_UNPACKED: u64 = 512 << 20;
/// So many members.
const MAX_MEMBERS: usize = 20_000;

/// A file that is no bundle.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// It cannot be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It is no gzipped tar archive, or only a part of one.
    #[error("not a bundle: {0}")]
    Archive(String),
    /// It is larger than any bundle.
    #[error("not a bundle: {0}")]
    TooLarge(String),
    /// A member is something that no bundle holds.
    #[error("not a bundle: member {0:?} {1}")]
    Unsafe(String, String),
    /// A member is missing.
    #[error("not a bundle: there is no {0} in it")]
    Missing(String),
    /// A member cannot be understood.
    #[error("not a bundle: {0}: {1}")]
    Member(String, String),
    /// It is of another version.
    #[error("its schema is {0:?}, and this clawgauge reads {SCHEMA:?}")]
    Schema(String),
}

impl Bundle {
    /// Whether a file begins as a bundle does: packed with gzip, and no record.
    pub fn is_one(path: &Path) -> bool {
        let mut start = [0; 2];
        let read = fs_err::File::open(path).and_then(|mut file| file.read_exact(&mut start));
        read.is_ok() && start == [0x1f, 0x8b] && !is_record(path)
    }

    /// Whether a file is a package as `npm pack` makes it: what is in it lies below `package/`, as nothing in a bundle does.
    pub fn is_npm_package(path: &Path) -> bool {
        let inside = || -> std::io::Result<bool> {
            let unpacked = flate2::read::GzDecoder::new(fs_err::File::open(path)?);
            let mut archive = tar::Archive::new(unpacked);
            let first = archive.entries()?.next().transpose()?;
            first.map_or(Ok(false), |first| Ok(first.path()?.starts_with("package")))
        };
        inside().unwrap_or(false)
    }

    /// Reads a bundle; also says what the file's SHA-256 is.
    ///
    /// # Errors
    /// The file cannot be read, or is no bundle. Whether its contents are what they claim is not looked at.
    pub fn open(path: &Path) -> Result<(Self, String), BundleError> {
        let mut bytes = Vec::new();
        let file = fs_err::File::open(path)?;
        file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_FILE {
            let what = format!("it is larger than {} MiB", MAX_FILE >> 20);
            return Err(BundleError::TooLarge(what));
        }
        Ok((Self::from_bytes(&bytes)?, base::files::sha256(&bytes)))
    }

    /// Reads an archive.
    ///
    /// # Errors
    /// It is no bundle.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BundleError> {
        let bundle = Self {
            members: unpacked(bytes)?,
        };
        let manifest: serde_json::Value = serde_json::from_slice(bundle.member(MANIFEST)?)
            .map_err(|error| BundleError::Member(MANIFEST.to_owned(), error.to_string()))?;
        match manifest.get("schema").and_then(serde_json::Value::as_str) {
            Some(SCHEMA) => {}
            other => return Err(BundleError::Schema(other.unwrap_or_default().to_owned())),
        }
        let _: Manifest = bundle.manifest()?;
        Ok(bundle)
    }
}

/// The members of a packed archive, unpacked one by one.
fn unpacked(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    let mut tar = flate2::bufread::GzDecoder::new(bytes).take(MAX_UNPACKED + 1);
    let read = members(&mut tar).and_then(|members| {
        // The checksum stands at the end.
        std::io::copy(&mut tar, &mut std::io::sink()).map_err(broken)?;
        Ok(members)
    });
    if tar.limit() == 0 {
        let what = format!("unpacked, it is larger than {} MiB", MAX_UNPACKED >> 20);
        return Err(BundleError::TooLarge(what));
    }
    let members = read?;
    if !tar.into_inner().into_inner().is_empty() {
        let what = "something follows after its end".to_owned();
        return Err(BundleError::Archive(what));
    }
    Ok(members)
}

fn broken(error: std::io::Error) -> BundleError {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => BundleError::Archive("it is cut off".to_owned()),
        _ => BundleError::Archive(format!("it is no gzip archive, or damaged: {error}")),
    }
}

fn members(tar: &mut impl Read) -> Result<BTreeMap<String, Vec<u8>>, BundleError> {
    let mut archive = tar::Archive::new(tar);
    let mut members: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for entry in archive.entries().map_err(broken)?.raw(true) {
        let mut entry = entry.map_err(broken)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let refuse = |what: &str| Err(BundleError::Unsafe(name.clone(), what.to_owned()));
        if entry.header().entry_type() != tar::EntryType::Regular {
            return refuse("is no regular file");
        }
        if !is_inside(&name) {
            return refuse("has a name that leads out of the archive");
        }
        let claimed = entry.size();
        if claimed > MAX_UNPACKED {
            return refuse(&format!(
                "claims {claimed} bytes, and the archive does not hold as many"
            ));
        }
        if members.len() == MAX_MEMBERS {
            let what = format!("it has more than {MAX_MEMBERS} members");
            return Err(BundleError::TooLarge(what));
        }
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents).map_err(broken)?;
        if u64::try_from(contents.len()).ok() != Some(claimed) {
            return refuse("is cut off");
        }
        if members.insert(name.clone(), contents).is_some() {
            return refuse("is there twice");
        }
    }
    Ok(members)
}

/// Whether a name stays where it is unpacked, on every system.
fn is_inside(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_graphic() && !"\\:*?\"<>|".contains(letter);
    let part = |part: &str| !part.trim_matches('.').is_empty();
    name.chars().all(plain) && name.split('/').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("logs/openclaw@2026.3.28/token.attempt-2.log", true)]
    #[case("../outside", false)]
    #[case("data/../../outside", false)]
    #[case("/etc/passwd", false)]
    #[case("data//x", false)]
    #[case("data/./x", false)]
    #[case("data\\..\\x", false)]
    #[case("C:x", false)]
    #[case("data/x\n", false)]
    #[case("", false)]
    fn names(#[case] name: &str, #[case] inside: bool) {
        assert_eq!(is_inside(name), inside);
    }
}
