//! Where scenarios, snapshots and fixtures are read from: a folder, the copy that the binary carries, or files in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Error, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use include_dir::{Dir, include_dir};

/// A file of data is no larger than this, in bytes.
const MAX_FILE: u64 = 16 * 1024 * 1024;
/// A file that every data root has.
const MARK: &str = "scenarios/outcomes.toml";

/// The data as they were when the binary was built; names are relative to the data root. `build.rs` tells cargo of changes.
const EMBEDDED: [(&str, Dir<'_>); 8] = [
    (
        "scenarios",
        include_dir!("$CARGO_MANIFEST_DIR/data/scenarios"),
    ),
    (
        "snapshots",
        include_dir!("$CARGO_MANIFEST_DIR/data/snapshots"),
    ),
    (
        "fixtures/coverage",
        include_dir!("$CARGO_MANIFEST_DIR/data/fixtures/coverage"),
    ),
    (
        "fixtures/plugins",
        include_dir!("$CARGO_MANIFEST_DIR/data/fixtures/plugins"),
    ),
    (
        "fixtures/profiles",
        include_dir!("$CARGO_MANIFEST_DIR/data/fixtures/profiles"),
    ),
    (
        "fixtures/proxies",
        include_dir!("$CARGO_MANIFEST_DIR/data/fixtures/proxies"),
    ),
    (
        "fixtures/requests",
        include_dir!("$CARGO_MANIFEST_DIR/data/fixtures/requests"),
    ),
    (
        "fixtures/senders",
        include_dir!("$CARGO_MANIFEST_DIR/data/fixtures/senders"),
    ),
];
/// Files of the binary that are in none of these folders.
const EMBEDDED_FILES: [(&str, &str); 3] = [
    (
        FIGURES,
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/data/fixtures/figures.toml"
        )),
    ),
    (
        RELEASES,
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/data/fixtures/releases.toml"
        )),
    ),
    (
        TIMINGS,
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/data/fixtures/timings.toml"
        )),
    ),
];
/// What some releases need that they do not bring along.
const RELEASES: &str = "fixtures/releases.toml";
/// What has been measured of releases; nothing is judged by it.
pub(crate) const FIGURES: &str = "fixtures/figures.toml";
/// What launches and requests take; nothing is judged by it.
pub(crate) const TIMINGS: &str = "fixtures/timings.toml";
/// Whose questions the cells answer; nothing is judged by it.
pub(crate) const CASES: &str = "scenarios/cases.toml";
/// What is looked for and asked by inventory; nothing is judged by it.
pub(crate) const ROUTES: &str = "scenarios/routes.toml";
/// What may be combined to launches and requests that no scenario knows; nothing is judged by it.
pub(crate) const EXPLORE: &str = "scenarios/explore.toml";

/// The data root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Data {
    /// A folder that holds `scenarios/`, `snapshots/` and `fixtures/`.
    Folder(PathBuf),
    /// The copy in the binary; it cannot be written.
    #[default]
    Embedded,
    /// Texts by name, as an archive holds them; they cannot be written.
    Memory(Arc<BTreeMap<String, String>>),
}

/// The folders whose files a run is judged by, and how their names end.
const JUDGED_BY: [(&str, &str); 7] = [
    ("fixtures/plugins", ""),
    ("fixtures/profiles", ".toml"),
    ("fixtures/proxies", ".toml"),
    ("fixtures/requests", ""),
    ("fixtures/senders", ""),
    ("scenarios", ".toml"),
    ("snapshots", ".snap"),
];

impl Data {
    /// The closest data root: `start` or a folder above it, then the folder of the binary or `share/clawgauge` beside it, then
    /// the copy in the binary.
    pub fn find(start: &Path) -> Self {
        let beside = std::env::current_exe().ok();
        let beside = beside.as_deref().and_then(Path::parent);
        let beside = beside
            .into_iter()
            .flat_map(|folder| [folder.to_path_buf(), folder.join("../share/clawgauge")]);
        start
            .ancestors()
            .map(Path::to_path_buf)
            .chain(beside)
            .find(|folder| folder.join(MARK).is_file())
            .map_or(Self::Embedded, Self::Folder)
    }

    /// Whether files can be written there.
    pub fn is_folder(&self) -> bool {
        matches!(self, Self::Folder(_))
    }

    /// Where the root lies in the repository that somebody keeps it in: a path with forward slashes, empty for the repository's own
    /// folder; `None` where it lies in none, or is no folder.
    pub fn in_repository(&self) -> Option<String> {
        let Self::Folder(root) = self else {
            return None;
        };
        let root = fs_err::canonicalize(root).ok()?;
        let repository = root
            .ancestors()
            .find(|folder| folder.join(".git").exists())?;
        let inside = root.strip_prefix(repository).ok()?;
        Some(inside.to_str()?.to_owned())
    }

    /// The text of a file; `name` is relative to the root, with forward slashes.
    ///
    /// # Errors
    /// There is no such file, or it is not UTF-8.
    pub fn read(&self, name: &str) -> std::io::Result<String> {
        match self {
            Self::Folder(root) => read_file(&root.join(name)),
            Self::Embedded => embedded(name)
                .map(str::to_owned)
                .ok_or_else(|| Error::new(ErrorKind::NotFound, "not in the binary")),
            Self::Memory(files) => files
                .get(name)
                .cloned()
                .ok_or_else(|| Error::new(ErrorKind::NotFound, "not among the files")),
        }
    }

    /// The text of a file below `fixtures/` that other data name; it may be nowhere else.
    ///
    /// # Errors
    /// As [`Data::read`]; also a name, or a link, that leads out of `fixtures/`.
    pub fn read_fixture(&self, name: &str) -> std::io::Result<String> {
        let outside = || Error::other("it is not below fixtures/");
        let plain = |part| matches!(part, Component::Normal(_));
        if !Path::new(name).components().all(plain) {
            return Err(outside());
        }
        if let Self::Folder(root) = self {
            let fixtures = std::fs::canonicalize(root.join("fixtures"))?;
            if !std::fs::canonicalize(fixtures.join(name))?.starts_with(&fixtures) {
                return Err(outside());
            }
        }
        self.read(&format!("fixtures/{name}"))
    }

    /// Everything that a run is judged by, as texts in memory: what [`crate::scenario::Catalogue::load`] and
    /// [`crate::snapshots::Snapshots::load`] read.
    ///
    /// # Errors
    /// A file cannot be read, or is not UTF-8.
    pub fn judged_by(&self) -> std::io::Result<BTreeMap<String, String>> {
        let mut files = BTreeMap::new();
        for (folder, end) in JUDGED_BY {
            match self.gather(folder, end, &mut files) {
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                gathered => gathered?,
            }
        }
        files.insert(RELEASES.to_owned(), self.read(RELEASES)?);
        files.remove(CASES);
        files.remove(EXPLORE);
        files.remove(ROUTES);
        Ok(files)
    }

    fn gather(
        &self,
        folder: &str,
        end: &str,
        files: &mut BTreeMap<String, String>,
    ) -> std::io::Result<()> {
        for name in self.files(folder)? {
            if name.ends_with(end) {
                let text = self.read(&name)?;
                files.insert(name, text);
            }
        }
        for name in self.folders(folder)? {
            self.gather(&name, end, files)?;
        }
        Ok(())
    }

    /// Names of the files of a folder, relative to the root, sorted; folders in it are not entered.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn files(&self, folder: &str) -> std::io::Result<Vec<String>> {
        self.entries(folder, false)
    }

    /// Names of the folders of a folder, relative to the root, sorted.
    ///
    /// # Errors
    /// There is no such folder.
    pub fn folders(&self, folder: &str) -> std::io::Result<Vec<String>> {
        self.entries(folder, true)
    }

    fn entries(&self, folder: &str, folders: bool) -> std::io::Result<Vec<String>> {
        let mut names: Vec<String> = match self {
            Self::Folder(root) => fs_err::read_dir(root.join(folder))?
                .filter_map(Result::ok)
                .filter(|entry| entry.path().is_dir() == folders)
                .filter_map(|entry| entry.file_name().into_string().ok())
                .map(|name| format!("{folder}/{name}"))
                .collect(),
            Self::Embedded => {
                let (prefix, dir) = embedded_dir(folder)
                    .ok_or_else(|| Error::new(ErrorKind::NotFound, "not in the binary"))?;
                let entries = dir.entries().iter();
                entries
                    .filter(|entry| entry.as_dir().is_some() == folders)
                    .map(|entry| format!("{prefix}/{}", entry.path().display()))
                    .collect()
            }
            Self::Memory(files) => in_memory(files, folder, folders)?,
        };
        names.sort();
        Ok(names)
    }
}

/// Reads a file of bounded size; a pipe would be waited for, and a device has no end.
fn read_file(path: &Path) -> std::io::Result<String> {
    let data = std::fs::metadata(path)?;
    if !data.is_file() {
        return Err(Error::other("it is no regular file"));
    }
    if data.len() > MAX_FILE {
        return Err(Error::other(format!(
            "it has {} bytes, and a file of data may have {MAX_FILE}",
            data.len()
        )));
    }
    std::fs::read_to_string(path)
}

fn in_memory(
    files: &BTreeMap<String, String>,
    folder: &str,
    folders: bool,
) -> std::io::Result<Vec<String>> {
    let inside = |name: &String| {
        let rest = name.strip_prefix(folder)?.strip_prefix('/')?;
        let (first, below) = rest
            .split_once('/')
            .map_or((rest, false), |(first, _)| (first, true));
        Some((format!("{folder}/{first}"), below))
    };
    let entries: BTreeSet<(String, bool)> = files.keys().filter_map(inside).collect();
    if entries.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, "not among the files"));
    }
    let wanted = entries.into_iter().filter(|(_, below)| *below == folders);
    Ok(wanted.map(|(name, _)| name).collect())
}

fn embedded(name: &str) -> Option<&'static str> {
    let mut files = EMBEDDED_FILES.iter();
    if let Some((_, text)) = files.find(|(file, _)| *file == name) {
        return Some(text);
    }
    EMBEDDED.iter().find_map(|(prefix, dir)| {
        let inner = name.strip_prefix(prefix)?.strip_prefix('/')?;
        dir.get_file(inner)?.contents_utf8()
    })
}

/// The folder that the binary carries, and the name of the root that its entries' paths are relative to.
fn embedded_dir(folder: &str) -> Option<(&'static str, &'static Dir<'static>)> {
    EMBEDDED.iter().find_map(|(prefix, dir)| {
        let inner = folder.strip_prefix(prefix)?;
        match inner.strip_prefix('/') {
            None if inner.is_empty() => Some((*prefix, dir)),
            Some(inner) => Some((*prefix, dir.get_dir(inner)?)),
            None => None,
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn walk(data: &Data, folder: &str, seen: &mut Vec<(String, String)>) {
        for name in data.files(folder).unwrap() {
            let text = data.read(&name).unwrap();
            seen.push((name, text));
        }
        for name in data.folders(folder).unwrap() {
            walk(data, &name, seen);
        }
    }

    /// A binary alone is enough: it carries every file, byte for byte, under the same names.
    #[test]
    fn the_binary_carries_what_the_folders_hold() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .unwrap();
        let folder = Data::Folder(root.to_path_buf());
        for part in [
            "scenarios",
            "snapshots",
            "fixtures/plugins",
            "fixtures/profiles",
            "fixtures/proxies",
            "fixtures/requests",
            "fixtures/senders",
        ] {
            let (mut from_folder, mut from_binary) = (Vec::new(), Vec::new());
            walk(&folder, part, &mut from_folder);
            walk(&Data::Embedded, part, &mut from_binary);
            assert!(from_folder.len() > 1, "{part}");
            assert_eq!(from_folder, from_binary);
        }
        for name in [FIGURES, RELEASES, TIMINGS] {
            assert_eq!(
                folder.read(name).unwrap(),
                Data::Embedded.read(name).unwrap()
            );
        }
        // Files in memory are the same again, but for those by which nothing is judged.
        let memory = Data::Memory(Arc::new(Data::Embedded.judged_by().unwrap()));
        let (mut all, mut again) = (Vec::new(), Vec::new());
        for part in [
            "scenarios",
            "snapshots",
            "fixtures/requests",
            "fixtures/senders",
        ] {
            walk(&Data::Embedded, part, &mut all);
            walk(&memory, part, &mut again);
        }
        all.retain(|(name, _)| ![CASES, EXPLORE, ROUTES].contains(&name.as_str()));
        assert_eq!(all, again);
        assert!(memory.read("../Cargo.toml").is_err());
        assert!(Data::Embedded.read("scenarios/none.toml").is_err());
        assert!(Data::Embedded.files("scenarios/none").is_err());
    }
}
