//! The accepted answers: the only reader and writer of `snapshots/`.
//!
//! One file holds the whole matrix of a scenario and profile from a release on, in insta's format: one line a cell,
//! pointing to a numbered list of distinct answers.

mod cells;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub use cells::SnapshotCells;
use sha2::{Digest as _, Sha256};

use crate::data::Data;
use crate::release::Version;
use crate::scenario::model::Scenario;
use crate::scenario::{Catalogue, Privilege, Problem, SourceFile, breakpoints};
use base::parallel;

/// One distinct answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Name of the outcome it was accepted as.
    pub outcome: String,
    /// The normalised answer, as an observation has it.
    pub text: String,
    /// Line number of its heading in the file; 0 in one that was never written.
    pub line: usize,
}

/// The accepted answers of one scenario and profile, from a release on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Id of the scenario.
    pub scenario: String,
    /// Id of the profile.
    pub profile: String,
    /// The first release it speaks about.
    pub since: Version,
    /// Its cells.
    pub cells: SnapshotCells,
}

/// Everything in `snapshots/`.
#[derive(Debug, Clone, Default)]
pub struct Snapshots {
    data: Data,
    files: Vec<Snapshot>,
    /// Made once somebody asks for it: most commands do not.
    hash: OnceLock<String>,
    /// Outcome to every answer that is accepted for it somewhere.
    answers: BTreeMap<String, BTreeSet<String>>,
}

/// A pending snapshot and what it would change.
#[derive(Debug, Clone)]
pub struct Pending {
    /// Path of the pending file, relative to the data root.
    pub path: String,
    /// The pending contents.
    pub new: Snapshot,
    /// The accepted contents that it would replace, if there are any.
    pub old: Option<Snapshot>,
}

/// Something cannot be read, written or accepted.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// A file is not a snapshot; it names the file and the line.
    #[error("{0}")]
    Invalid(#[from] Problem),
    /// A file cannot be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl Snapshots {
    /// Reads all accepted snapshots of a data root.
    ///
    /// # Errors
    /// The first file that cannot be read or is not a snapshot.
    pub fn load(data: &Data) -> Result<Self, SnapshotError> {
        let names = snap_files(data, "snap")?;
        let read = parallel::map(&names, |name| read(data, name)).into_iter();
        let files = read.collect::<Result<Vec<Snapshot>, _>>()?;
        let mut answers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for file in &files {
            for answer in file.cells.answers() {
                let texts = answers.entry(answer.outcome.clone()).or_default();
                if !texts.contains(&answer.text) {
                    texts.insert(answer.text.clone());
                }
            }
        }
        Ok(Self {
            answers,
            data: data.clone(),
            hash: OnceLock::new(),
            files,
        })
    }

    /// SHA-256 over all of them, in hex: which answers a run was judged by.
    pub fn hash(&self) -> &str {
        self.hash.get_or_init(|| {
            let mut all = Hashed(Sha256::new());
            for file in &self.files {
                let _ = writeln!(all, "{}", file.path());
                let _ = file.write(&mut all);
            }
            base::files::hex(all.0)
        })
    }

    /// Every answer that is accepted for an outcome, of whatever cell.
    pub fn answers(&self, outcome: &str) -> impl Iterator<Item = &str> {
        let texts = self.answers.get(outcome).into_iter().flatten();
        texts.map(String::as_str)
    }

    /// The snapshot that speaks about a scenario and profile on a release: the latest that is not later than it, unless
    /// the contract changed in between.
    pub fn find(&self, scenario: &Scenario, profile: &str, release: &Version) -> Option<&Snapshot> {
        let files = self.files.iter();
        let files = files.filter(|file| file.scenario == scenario.id && file.profile == profile);
        let latest = files
            .filter(|file| file.since <= *release)
            .max_by(|a, b| a.since.cmp(&b.since))?;
        let floor = contract_since(scenario, profile, release);
        (floor.as_ref() <= Some(&latest.since)).then_some(latest)
    }

    /// All accepted snapshots.
    pub fn iter(&self) -> impl Iterator<Item = &Snapshot> {
        self.files.iter()
    }

    /// Writes a pending snapshot beside the accepted one that it would replace, as `cargo insta` expects it.
    ///
    /// # Errors
    /// The file cannot be written; a half-written one is never left.
    pub fn write_pending(&self, snapshot: &Snapshot) -> Result<String, SnapshotError> {
        let path = format!("{}.new", snapshot.path());
        write_whole(&self.place(&path)?, &snapshot.render())?;
        Ok(path)
    }

    /// Removes a pending snapshot that is no longer wanted, if there is one.
    ///
    /// # Errors
    /// The file is there and cannot be removed.
    pub fn discard_pending(&self, snapshot: &Snapshot) -> Result<(), SnapshotError> {
        let path = self.place(&format!("{}.new", snapshot.path()))?;
        if path.exists() {
            fs_err::remove_file(path)?;
        }
        Ok(())
    }

    /// The pending snapshots with what each would replace.
    ///
    /// # Errors
    /// A pending file that cannot be read or is not a snapshot.
    pub fn pending(&self) -> Result<Vec<Pending>, SnapshotError> {
        snap_files(&self.data, "snap.new")?
            .into_iter()
            .map(|path| {
                let new = read(&self.data, &path)?;
                let old = self
                    .files
                    .iter()
                    .find(|file| file.path() == new.path())
                    .cloned();
                Ok(Pending { path, new, old })
            })
            .collect()
    }

    /// Accepts a pending snapshot, as a new one from `since` on if that is given, and returns the path of the file.
    ///
    /// # Errors
    /// The file cannot be written or the pending one not removed.
    pub fn accept(
        &self,
        pending: &Pending,
        since: Option<&Version>,
    ) -> Result<String, SnapshotError> {
        let since = since.unwrap_or(&pending.new.since).clone();
        let accepted = Snapshot {
            since,
            ..pending.new.clone()
        };
        write_whole(&self.place(&accepted.path())?, &accepted.render())?;
        fs_err::remove_file(self.place(&pending.path)?)?;
        Ok(accepted.path())
    }

    /// Where a file is written.
    fn place(&self, name: &str) -> Result<PathBuf, SnapshotError> {
        match &self.data {
            Data::Folder(root) => Ok(root.join(name)),
            Data::Embedded | Data::Memory(_) => {
                let what =
                    "the snapshots in the binary cannot be changed; name a checkout: --root DIR";
                Err(std::io::Error::other(what).into())
            }
        }
    }
}

impl Pending {
    /// The cells whose caller would get more than before: `(cell key, old outcome, new outcome)`.
    pub fn widenings(&self, catalogue: &Catalogue) -> Vec<(String, String, String)> {
        let Some(old) = &self.old else {
            return Vec::new();
        };
        self.new
            .cells
            .iter()
            .filter_map(|(key, answer)| {
                let before = old.cells.get(&key)?;
                let widens = before.grants(catalogue) < answer.grants(catalogue);
                widens.then(|| (key, before.outcome.clone(), answer.outcome.clone()))
            })
            .collect()
    }
}

impl Answer {
    /// What the caller got, by the outcome's definition; an unknown outcome goes by its status.
    pub fn grants(&self, catalogue: &Catalogue) -> Privilege {
        match catalogue.outcomes.get(&self.outcome) {
            Some(outcome) => outcome.grants,
            None if self.text.starts_with("status: 2") => Privilege::Access,
            None => Privilege::None,
        }
    }
}

/// The release with which the contract of a scenario and profile last changed, as seen from `release`; `None` where it has
/// been the same on all releases.
pub fn contract_since(scenario: &Scenario, profile: &str, release: &Version) -> Option<Version> {
    let changes = contract_changes(scenario, profile).into_iter();
    changes.filter(|point| point <= release).max()
}

/// The releases with which the contract of a scenario and profile begins or changes.
pub fn contract_changes(scenario: &Scenario, profile: &str) -> Vec<Version> {
    let axis = scenario.profile_axis();
    let index = scenario.axes[axis]
        .values
        .iter()
        .position(|value| value.id == profile);
    let concerns = |condition: &crate::scenario::model::Condition| match (&condition.0[axis], index)
    {
        (Some(accepted), Some(index)) => accepted.get(index).copied().unwrap_or(false),
        (None, _) => true,
        (Some(_), None) => false,
    };
    let ranges = scenario
        .rules
        .iter()
        .filter(|rule| rule.when.iter().any(concerns))
        .map(|rule| &rule.range);
    breakpoints(ranges, scenario.since.as_ref())
        .into_iter()
        .filter(|point| *point > Version::earliest())
        .collect()
}

impl Snapshot {
    /// Path of the accepted file, relative to the data root.
    pub fn path(&self) -> String {
        format!(
            "snapshots/{}/{}.since-{}.snap",
            self.scenario, self.profile, self.since
        )
    }

    /// The whole file.
    pub fn render(&self) -> String {
        let mut text = String::new();
        let _ = self.write(&mut text);
        text
    }

    /// Writes the whole file.
    fn write(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let (scenario, profile, since) = (&self.scenario, &self.profile, &self.since);
        write!(
            out,
            "---\nsource: scenarios/{scenario}.toml\nexpression: \"{scenario} under profile {profile}, since {since}\"\n---\n",
        )?;
        let mut answers: Vec<&Answer> = Vec::new();
        let width = self
            .cells
            .iter()
            .map(|(key, _)| key.len())
            .max()
            .unwrap_or(0);
        for (key, answer) in self.cells.iter() {
            let same =
                |other: &&Answer| other.outcome == answer.outcome && other.text == answer.text;
            let known = answers.iter().position(same);
            let number = known.unwrap_or_else(|| {
                answers.push(answer);
                answers.len() - 1
            });
            writeln!(out, "{key:width$}  {}", number + 1)?;
        }
        for (index, Answer { outcome, text, .. }) in answers.iter().enumerate() {
            write!(out, "\n== answer {}: {outcome}\n{text}", index + 1)?;
        }
        Ok(())
    }

    fn parse(file: &SourceFile) -> Result<Self, Problem> {
        let name = file.name.trim_end_matches(".new").trim_end_matches(".snap");
        let bad_name = || {
            Problem::nowhere(format!(
                "{} is not named snapshots/SCENARIO/PROFILE.since-RELEASE.snap",
                file.name
            ))
        };
        let (scenario, rest) = name
            .strip_prefix("snapshots/")
            .and_then(|rest| rest.split_once('/'))
            .ok_or_else(bad_name)?;
        let (profile, since) = rest.split_once(".since-").ok_or_else(bad_name)?;
        let since = since.parse().map_err(|_| bad_name())?;

        let mut answers: Vec<Answer> = Vec::new();
        for (index, line, span) in lines(file) {
            if let Some(heading) = line.strip_prefix(HEADING) {
                let outcome = heading
                    .split_once(": ")
                    .map(|(_, outcome)| outcome.to_owned());
                let outcome = outcome.ok_or_else(|| {
                    Problem::at(file, span, "a heading without an outcome", "this heading")
                })?;
                answers.push(Answer {
                    outcome,
                    text: String::new(),
                    line: index + 1,
                });
            } else if let Some(answer) = answers.last_mut() {
                answer.text.push_str(line);
                answer.text.push('\n');
            }
        }
        // Answers that no cell has are none.
        let mut used = BTreeMap::new();
        for (_, line, span) in cell_lines(file) {
            let Some((_, number)) = cell(line) else {
                let what = "not a cell and the number of its answer";
                return Err(Problem::at(file, span, what, "this line"));
            };
            if !(1..=answers.len()).contains(&number) {
                let what = format!("there is no answer {number} in this file");
                return Err(Problem::at(file, span, what, "this line"));
            }
            used.insert(number, 0);
        }
        for (place, known) in used.values_mut().enumerate() {
            *known = place;
        }
        let answers = (1..).zip(answers);
        let answers = answers.filter(|(number, _)| used.contains_key(number));
        let answers: Vec<Answer> = answers.map(|(_, answer)| answer).collect();
        let places = || {
            let cells = cell_lines(file).filter_map(|(_, line, _)| cell(line));
            cells.map(|(key, number)| (key, used[&number]))
        };
        let cells = match SnapshotCells::in_order(places(), answers.clone()) {
            Some(cells) => cells,
            None => {
                let mut seen = BTreeMap::new();
                for ((key, place), (_, _, span)) in places().zip(cell_lines(file)) {
                    if seen.insert(key, place).is_some() {
                        let what = format!("cell {key} is listed twice");
                        return Err(Problem::at(file, span, what, "the second one"));
                    }
                }
                SnapshotCells::in_order(seen, answers).unwrap_or_default()
            }
        };
        Ok(Self {
            scenario: scenario.to_owned(),
            profile: profile.to_owned(),
            since,
            cells,
        })
    }
}

/// How the heading of an answer begins.
const HEADING: &str = "== answer ";

/// The lines below the head of a snapshot that are not empty: index, text, and place in the file.
fn lines(file: &SourceFile) -> impl Iterator<Item = (usize, &str, std::ops::Range<usize>)> {
    let (mut offset, mut fences) = (0, 0);
    let lines = file.text.split_inclusive('\n').enumerate();
    lines.filter_map(move |(index, line)| {
        let span = offset..offset + line.trim_end().len();
        offset += line.len();
        let text = line.trim_end_matches(['\n', '\r']);
        if fences < 2 {
            fences += usize::from(text == "---");
            return None;
        }
        (!text.is_empty()).then_some((index, text, span))
    })
}

/// The lines of cells: those before the first answer.
fn cell_lines(file: &SourceFile) -> impl Iterator<Item = (usize, &str, std::ops::Range<usize>)> {
    lines(file).take_while(|(_, line, _)| !line.starts_with(HEADING))
}

/// A cell and the number of its answer.
fn cell(line: &str) -> Option<(&str, usize)> {
    let (key, number) = line.rsplit_once(' ')?;
    Some((key.trim_end(), number.parse().ok()?))
}

/// Text that is hashed as it is written.
struct Hashed(Sha256);

impl fmt::Write for Hashed {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text);
        Ok(())
    }
}

fn read(data: &Data, name: &str) -> Result<Snapshot, SnapshotError> {
    let file = SourceFile::read(data, name)?;
    Ok(Snapshot::parse(&file)?)
}

/// Relative paths of the files with an extension, sorted.
fn snap_files(data: &Data, extension: &str) -> Result<Vec<String>, SnapshotError> {
    let folders = match data.folders("snapshots") {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        folders => folders?,
    };
    let end = format!(".{extension}");
    let mut names = Vec::new();
    for folder in folders {
        let files = data.files(&folder)?.into_iter();
        names.extend(files.filter(|name| name.ends_with(&end)));
    }
    names.sort();
    Ok(names)
}

/// Writes a file in one step: readers see the old contents or the new ones.
fn write_whole(path: &Path, text: &str) -> Result<(), SnapshotError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs_err::create_dir_all(folder)?;
    Ok(base::files::replace_bytes(path, text.as_bytes())?)
}

#[cfg(test)]
mod tests;
