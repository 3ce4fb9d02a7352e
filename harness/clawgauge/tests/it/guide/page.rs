//! The pages that people read, taken apart: headings, blocks, code, links.

use std::fs;
use std::path::{Path, PathBuf};

use comrak::nodes::{AstNode, NodeValue};
use comrak::{Anchorizer, Arena, Options, parse_document};

use super::support::repository;

/// Folder of the guide's pages.
pub(crate) const GUIDE: &str = "harness/guide/src";

/// A part of a page that matters here, in the order of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Block {
    /// A heading's level and text.
    Heading(u8, String),
    /// A paragraph's text.
    Paragraph(String),
    /// A code block: its language, its text.
    Code(String, String),
    /// A table, cell by cell: text and code spans as they are written. The head is the first row.
    Table(Vec<Vec<String>>),
    /// Anything else.
    Other,
}

/// A page.
#[derive(Debug)]
pub(crate) struct Page {
    /// Where it is, from the repository's root.
    pub(crate) path: PathBuf,
    /// Its parts.
    pub(crate) blocks: Vec<Block>,
    /// Its code spans.
    pub(crate) spans: Vec<String>,
    /// Where its links and images lead.
    pub(crate) links: Vec<String>,
    /// The anchors of its headings.
    pub(crate) anchors: Vec<String>,
}

impl Page {
    /// Reads a page.
    pub(crate) fn read(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let text = fs::read_to_string(repository().join(&path)).unwrap();
        let arena = Arena::new();
        let mut options = Options::default();
        options.extension.table = true;
        let root = parse_document(&arena, &text, &options);
        let mut page = Self {
            path,
            blocks: root.children().map(block).collect(),
            spans: Vec::new(),
            links: Vec::new(),
            anchors: Vec::new(),
        };
        let mut anchorizer = Anchorizer::new();
        for node in root.descendants() {
            match &node.data().value {
                NodeValue::Code(code) => page.spans.push(code.literal.clone()),
                NodeValue::Link(link) | NodeValue::Image(link) => page.links.push(link.url.clone()),
                NodeValue::Heading(_) => {
                    page.anchors
                        .push(anchorizer.anchorize(&node.collect_text()));
                }
                _ => {}
            }
        }
        page
    }

    /// The lines of its code blocks in a language.
    pub(crate) fn code(&self, language: &str) -> Vec<&str> {
        self.blocks
            .iter()
            .filter_map(|block| match block {
                Block::Code(info, text) if info == language => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// Its tables whose first column has this name, without their heads.
    pub(crate) fn tables(&self, first: &str) -> Vec<&[Vec<String>]> {
        self.blocks
            .iter()
            .filter_map(|block| match block {
                Block::Table(rows) if rows[0][0] == first => Some(&rows[1..]),
                _ => None,
            })
            .collect()
    }

    /// Everything that is written as code, but pipelines and project files.
    pub(crate) fn all_code(&self) -> impl Iterator<Item = &str> {
        let blocks = self.blocks.iter().filter_map(|block| match block {
            Block::Code(info, text) if info == "sh" || info.is_empty() => Some(text.as_str()),
            _ => None,
        });
        self.spans.iter().map(String::as_str).chain(blocks)
    }
}

fn block<'a>(node: &'a AstNode<'a>) -> Block {
    match &node.data().value {
        NodeValue::Heading(heading) => Block::Heading(heading.level, node.collect_text()),
        NodeValue::Paragraph => Block::Paragraph(node.collect_text()),
        NodeValue::CodeBlock(code) => Block::Code(code.info.clone(), code.literal.clone()),
        NodeValue::Table(_) => Block::Table(
            node.children()
                .map(|row| row.children().map(|cell| cell.collect_text()).collect())
                .collect(),
        ),
        _ => Block::Other,
    }
}

/// The pages of the guide.
pub(crate) fn guide() -> Vec<Page> {
    let mut paths: Vec<PathBuf> = fs::read_dir(repository().join(GUIDE))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| {
            name != "SUMMARY.md" && Path::new(name).extension().is_some_and(|end| end == "md")
        })
        .map(|name| Path::new(GUIDE).join(name))
        .collect();
    paths.sort();
    assert!(paths.len() > 15, "the guide has only {paths:?}");
    paths.into_iter().map(Page::read).collect()
}

/// The guide and everything around it that shows commands.
pub(crate) fn pages() -> Vec<Page> {
    let mut pages = guide();
    pages.extend(["README.md", "CONTRIBUTING.md", "ci/README.md"].map(Page::read));
    pages
}
