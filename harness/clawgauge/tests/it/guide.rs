//! README, CONTRIBUTING and the guide: each command, flag, file, exit code, format and link that they show is real.

mod commands;
mod facts;
mod help;
mod page;
mod shell;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support;
use crate::support::repository;
use page::{Block, GUIDE, Page, guide, pages};
use shell::lines;

#[test]
fn the_readme_begins_with_the_set_up_and_is_short() {
    let readme = Page::read("README.md");
    let Block::Code(info, first) = &readme.blocks[1] else {
        panic!("after the title comes {:?}", readme.blocks[1]);
    };
    assert_eq!(info, "sh");
    assert_eq!(lines(first), ["cargo run -- run", "cargo test --workspace"]);
    let lines = fs::read_to_string(repository().join("README.md"))
        .unwrap()
        .lines()
        .count();
    assert!(lines <= 120, "{lines} lines");
}

/// Each page of the guide answers a question: it begins with it and with one command, and ends with what each answer means.
#[test]
fn a_page_begins_with_a_question_and_ends_with_what_to_do() {
    for page in guide() {
        let name = page.path.display();
        let [
            Block::Heading(1, _),
            Block::Paragraph(question),
            Block::Code(info, block),
            ..,
        ] = &page.blocks[..]
        else {
            panic!("{name} does not begin with a title, a question and a command");
        };
        assert!(
            question.ends_with('?') && !question.contains('.'),
            "{name} asks: {question}"
        );
        assert_eq!(
            (info.as_str(), lines(block).len()),
            ("sh", 1),
            "{name}: one command answers it"
        );
        let last = page
            .blocks
            .iter()
            .rfind(|block| matches!(block, Block::Heading(2, _)));
        let last = last.unwrap_or_else(|| panic!("{name} has no section"));
        assert_eq!(
            last,
            &Block::Heading(2, "What to do with the answer".to_owned()),
            "{name}"
        );
    }
}

#[test]
fn the_table_of_contents_has_every_page() {
    let summary = Page::read(format!("{GUIDE}/SUMMARY.md"));
    let listed: BTreeSet<String> = summary.links.iter().cloned().collect();
    assert_eq!(listed.len(), summary.links.len(), "a page is listed twice");
    let file = |page: &Page| page.path.file_name().unwrap().to_str().unwrap().to_owned();
    let there: BTreeSet<String> = guide().iter().map(file).collect();
    assert_eq!(listed, there);
}

/// Links lead to files and headings that are there. Those of the guide stay in it, since the built book has nothing else.
#[test]
fn links_lead_somewhere() {
    let mut all = pages();
    all.push(Page::read(format!("{GUIDE}/SUMMARY.md")));
    all.push(Page::read("harness/survey/README.md"));
    for entry in fs::read_dir(repository().join("harness/decisions")).unwrap() {
        all.push(Page::read(
            Path::new("harness/decisions").join(entry.unwrap().file_name()),
        ));
    }
    let mut checked = 0;
    for page in &all {
        for link in page.links.iter().filter(|link| !link.contains("://")) {
            checked += 1;
            let name = page.path.display();
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.path.clone(),
                file => page.path.parent().unwrap().join(file),
            };
            let whole = repository().join(&target);
            assert!(whole.exists(), "{name}: there is no {link}");
            let inside = whole
                .canonicalize()
                .unwrap()
                .starts_with(repository().join(GUIDE).canonicalize().unwrap());
            assert!(
                inside || !page.path.starts_with(GUIDE),
                "{name}: {link} is not in the book"
            );
            let anchors = || Page::read(&target).anchors;
            assert!(
                anchor.is_empty() || anchors().iter().any(|known| known == anchor),
                "{name}: no heading is {link}"
            );
        }
    }
    assert!(checked > 100, "only {checked} links were checked");
}

/// The code map names the crates of `harness/`, each after those that it uses.
#[test]
fn the_code_map_is_that_of_the_crates() {
    let map = Page::read("CONTRIBUTING.md");
    let map = map.code("").concat();
    let named: Vec<&str> = map
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(repository().join("harness")).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(manifest) = fs::read_to_string(folder.join("Cargo.toml")) else {
            continue;
        };
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let place = |name: &str| named.iter().position(|other| *other == name);
        let own = place(&name).unwrap_or_else(|| panic!("the map lacks {name}"));
        let used = manifest
            .lines()
            .filter_map(|line| line.strip_suffix(".workspace = true"));
        for used in used.filter_map(place) {
            assert!(
                used < own,
                "{name} uses {}, which stands below it",
                named[used]
            );
        }
        found.insert(name);
    }
    assert_eq!(
        named
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<BTreeSet<_>>(),
        found
    );
}
