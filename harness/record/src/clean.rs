//! Nothing of the machine on which a run took place goes into its bundle: folders and names become placeholders.

use std::path::Path;

use crate::{DifferenceRecord, Record};

/// Folders that every machine has: their names say nothing.
const COMMON: [&str; 6] = ["/", "/tmp", "/var/tmp", "/root", "/home", "."];
/// Names that every machine has.
const COMMON_NAMES: [&str; 2] = ["root", "localhost"];

/// Replaces a machine's folders and names.
#[derive(Debug, Clone, Default)]
pub struct Cleaner {
    /// Longest first, each with what it is told as.
    folders: Vec<(String, &'static str)>,
    names: Vec<(String, &'static str)>,
}

impl Cleaner {
    /// Knows this machine: search path, cache, home, temporary and current folder, user and host.
    pub fn of_this_machine() -> Self {
        let passwd = fs_err::read_to_string("/etc/passwd").unwrap_or_default();
        let id = rustix::process::getuid().as_raw().to_string();
        let fields = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
        let me = passwd
            .lines()
            .map(fields)
            .find(|fields| fields.get(2) == Some(&id))
            .unwrap_or_default();
        let variable = |name: &str| std::env::var(name).ok();
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let folders = [
            (variable("PATH"), "[path]"),
            (variable("XDG_CACHE_HOME"), "[cache]"),
            (variable("HOME"), "[home]"),
            (me.get(5).cloned(), "[home]"),
            (Some(path(&std::env::temp_dir())), "[temp]"),
            (
                std::env::current_dir().ok().map(|folder| path(&folder)),
                "[here]",
            ),
        ];
        let system = rustix::system::uname();
        let host = system.nodename().to_string_lossy().into_owned();
        let short = host.split('.').next().map(str::to_owned);
        let names = [
            (variable("USER"), "[user]"),
            (variable("LOGNAME"), "[user]"),
            (me.first().cloned(), "[user]"),
            (variable("HOSTNAME"), "[host]"),
            (short, "[host]"),
            (Some(host), "[host]"),
        ];
        let given = |(name, word): (Option<String>, &'static str)| Some((name?, word));
        Self::new(
            folders.into_iter().filter_map(given),
            names.into_iter().filter_map(given),
        )
    }

    /// Knows these folders and names.
    pub fn new(
        folders: impl Iterator<Item = (String, &'static str)>,
        names: impl Iterator<Item = (String, &'static str)>,
    ) -> Self {
        let trimmed = |(folder, word): (String, &'static str)| {
            (folder.trim_end_matches('/').to_owned(), word)
        };
        let told = |(name, _): &(String, &str)| !name.is_empty();
        let mut cleaner = Self {
            folders: folders
                .map(trimmed)
                .filter(told)
                .filter(|(folder, _)| !COMMON.contains(&folder.as_str()))
                .collect(),
            names: names
                .filter(told)
                .filter(|(name, _)| !COMMON_NAMES.contains(&name.as_str()))
                .collect(),
        };
        let longest = |(name, _): &(String, &str)| std::cmp::Reverse(name.len());
        cleaner.folders.sort_by_key(longest);
        cleaner.names.sort_by_key(longest);
        cleaner
    }

    /// A text without the machine's folders and names.
    pub fn text(&self, text: &str) -> String {
        let mut text = self.paths(text);
        for (name, word) in &self.names {
            text = replace_words(&text, name, word);
        }
        text
    }

    /// A text without the machine's folders. What is compared with other texts is cleaned of these only: a user may be
    /// called what a scope is called.
    pub fn paths(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (folder, word) in &self.folders {
            if text.contains(folder.as_str()) {
                text = replace_words(&text, folder, word);
            }
        }
        text
    }

    /// A record without them.
    pub fn record(&self, record: &mut Record) {
        let all = |text: &mut String| *text = self.text(text);
        let paths = |text: &mut String| *text = self.paths(text);
        for share in record
            .run
            .shard
            .iter_mut()
            .flat_map(|shares| &mut shares.launches)
        {
            all(&mut share.gateway);
        }
        for gateway in &mut record.gateways {
            all(&mut gateway.reference);
            gateway.notes.iter_mut().for_each(all);
            gateway.error.iter_mut().for_each(all);
            let failures = gateway.launches.iter_mut();
            failures
                .filter_map(|launch| launch.failure.as_mut())
                .for_each(all);
        }
        let told = |answer: &mut String, difference: &mut Option<DifferenceRecord>| {
            paths(answer);
            if let Some(difference) = difference {
                paths(&mut difference.observed);
            }
        };
        for cause in &mut record.causes {
            all(&mut cause.gateway);
            let also = cause.also.iter_mut();
            also.for_each(|part| told(&mut part.answer, &mut part.difference));
            told(&mut cause.answer, &mut cause.difference);
        }
        for relation in &mut record.relations {
            all(&mut relation.gateway);
        }
        record.answers.iter_mut().for_each(paths);
        for cell in &mut record.cells {
            all(&mut cell.gateway);
            cell.reason.iter_mut().for_each(all);
            cell.attempts.iter_mut().for_each(all);
            let observed = cell.observed.iter_mut();
            observed
                .filter_map(|observed| observed.message.as_mut())
                .for_each(paths);
        }
    }
}

/// Replaces a name where it is not a part of a longer one.
fn replace_words(text: &str, name: &str, word: &str) -> String {
    let inside = |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric());
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let (before, found) = rest.split_at(at);
        let after = &found[name.len()..];
        out.push_str(before);
        let starts = name.starts_with('/') || !inside(out.chars().next_back());
        let whole = starts && !inside(after.chars().next());
        out.push_str(if whole { word } else { name });
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("open /srv/zelda/data/x", "open [home]/data/x")]
    #[case("file:///srv/zelda", "file://[home]")]
    #[case("/srv/zelda2/x", "/srv/zelda2/x")]
    #[case("zelda@castle: zeldas castle-1", "[user]@[host]: zeldas [host]-1")]
    #[case("/srv/zelda/work/gauge", "[here]/gauge")]
    #[case("in /tmp as root", "in /tmp as root")]
    fn cleans(#[case] text: &str, #[case] clean: &str) {
        let folders = [
            ("/srv/zelda/", "[home]"),
            ("/tmp", "[temp]"),
            ("/srv/zelda/work", "[here]"),
        ];
        let names = [
            ("zelda", "[user]"),
            ("castle", "[host]"),
            ("root", "[user]"),
        ];
        let owned = |(name, word): (&str, &'static str)| (name.to_owned(), word);
        let cleaner = Cleaner::new(folders.into_iter().map(owned), names.into_iter().map(owned));
        assert_eq!(cleaner.text(text), clean);
    }
}
