//! The commands of the pages are understood by the binary, and so is each flag that a text names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rstest::rstest;

use super::help::{flags, help, subcommands};
use super::page::pages;
use super::shell::{Desk, Kind, kind, lines, stderr};
use super::support::repository;

/// Flags that belong to other programs.
const OTHER_PROGRAMS: [&str; 12] = [
    "--password-file",
    "--release",
    "--workspace",
    "--all",
    "--all-targets",
    "--locked",
    "--path",
    "--test",
    "--ignored",
    "--test-threads",
    "--no-default-features",
    "--no-install-recommends",
];

/// Each command line is understood by the binary; those that need neither network nor gateway do what they say.
#[test]
fn commands_are_real() {
    let desk = Desk::new();
    let mut seen = BTreeMap::new();
    for page in pages() {
        for block in page.code("sh") {
            for line in lines(block) {
                seen.entry(line).or_insert_with(|| page.path.clone());
            }
        }
    }
    let mut counts = BTreeMap::new();
    for (line, page) in &seen {
        let page = page.display();
        let kind = kind(line);
        *counts.entry(format!("{kind:?}")).or_insert(0) += 1;
        let expected = match kind {
            Kind::Foreign => continue,
            Kind::Offline => 0,
            Kind::NeedsMore => 3,
            Kind::ParsedOnly => 2,
        };
        let output = match kind {
            Kind::ParsedOnly => desk.parse(line),
            Kind::Foreign | Kind::Offline | Kind::NeedsMore => desk.run(line),
        };
        let said = stderr(&output);
        assert_eq!(
            output.status.code(),
            Some(expected),
            "{page}: {line}\n{said}"
        );
        if kind == Kind::ParsedOnly {
            assert!(said.contains("is-not-there.toml"), "{page}: {line}\n{said}");
        }
    }
    for kind in [Kind::Offline, Kind::NeedsMore, Kind::ParsedOnly] {
        assert!(
            counts
                .get(&format!("{kind:?}"))
                .is_some_and(|count| *count >= 5),
            "{counts:?}"
        );
    }
}

/// What the tests above would say of a page that is wrong.
#[rstest]
#[case::flag("clawgauge run --gatway reference")]
#[case::value("clawgauge run --severity grave")]
#[case::format("clawgauge run --report jsno=x")]
#[case::command("clawgauge ruin")]
#[case::missing("clawgauge survey --html site")]
#[case::not_together("clawgauge run --watch --bundle x.tar.gz")]
fn a_command_that_is_wrong_is_found(#[case] line: &str) {
    let output = Desk::bare().parse(line);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        !stderr(&output).contains("is-not-there.toml"),
        "{}",
        stderr(&output)
    );
}

/// `clawgauge NAME ...` in a text is a command, and the flags in it are its own.
#[test]
fn commands_in_texts_are_real() {
    let names = subcommands();
    let mut helps = BTreeMap::new();
    for page in pages() {
        for span in page
            .spans
            .iter()
            .filter_map(|span| span.strip_prefix("clawgauge "))
        {
            let words: Vec<&str> = span.split_whitespace().collect();
            let name = words[0];
            if name == "--help" {
                continue;
            }
            assert!(
                names.contains(name),
                "{}: clawgauge {span}",
                page.path.display()
            );
            let help = helps
                .entry(name.to_owned())
                .or_insert_with(|| help(&[name]));
            for flag in words.iter().flat_map(|word| flags(word)) {
                assert!(
                    flags(help).contains(&flag),
                    "{}: {flag} in clawgauge {span}",
                    page.path.display()
                );
            }
        }
    }
    assert!(helps.len() > 10, "only {:?}", helps.keys());
}

/// A flag, wherever it is named, belongs to some command, or to a program that is known to have it.
#[test]
fn flags_are_real() {
    let mut known: BTreeSet<String> = OTHER_PROGRAMS
        .iter()
        .map(|flag| (*flag).to_owned())
        .collect();
    known.extend(flags(&help(&[])));
    for name in subcommands() {
        known.extend(flags(&help(&[&name])));
    }
    for name in [
        "gateway install",
        "gateway list",
        "gateway prune",
        "clients install",
    ] {
        known.extend(flags(&help(&name.split(' ').collect::<Vec<_>>())));
    }
    for script in ["ci/gate.sh", "ci/release.sh", "ci/npm/pack.sh"] {
        let text = fs::read_to_string(repository().join(script)).unwrap();
        known.extend(flags(&text));
    }
    let mut named = BTreeSet::new();
    for page in pages() {
        for flag in page.all_code().flat_map(flags) {
            assert!(
                known.contains(&flag),
                "{}: nothing has {flag}",
                page.path.display()
            );
            named.insert(flag);
        }
    }
    assert!(named.len() > 50, "only {named:?}");
}
