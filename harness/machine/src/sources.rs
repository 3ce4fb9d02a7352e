//! The published code and documentation of a release, as far as somebody wants to read it. Nothing is changed or run.

use std::path::Path;

use fs_err as fs;
use walkdir::{DirEntry, WalkDir};

use crate::install::Program;
use crate::instrument::{InstrumentError, package};

/// How a bundle marks what came from which source file, and where that ends.
const MARK: &str = "//#region ";
const END: &str = "//#endregion";

/// A part of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The source file that it came from, as the package marks it; none of documentation.
    pub region: Option<String>,
    /// The file of the package.
    pub file: String,
    /// The line of that file on which the text begins.
    pub line: u32,
    /// The text.
    pub text: String,
}

/// Reads the regions of a release's code that are wanted by their name and the text of the whole file, and its documentation.
///
/// # Errors
/// The gateway is no package of scripts; a file cannot be read.
pub fn read_sources(
    program: &Program,
    wanted: &dyn Fn(&str, &str) -> bool,
) -> Result<Vec<Source>, InstrumentError> {
    let package = package(program)?;
    let mut sources = Vec::new();
    // What the package depends on is not its own.
    let is_own = |entry: &DirEntry| entry.depth() == 0 || entry.file_name() != "node_modules";
    let files = WalkDir::new(&package).sort_by_file_name().into_iter();
    for entry in files.filter_entry(is_own) {
        let entry = entry.map_err(std::io::Error::from)?;
        let path = entry.path();
        let inside = path.strip_prefix(&package).unwrap_or(path);
        let kind = path.extension().and_then(|kind| kind.to_str());
        let file = inside.to_string_lossy().into_owned();
        match kind {
            _ if !entry.file_type().is_file() => {}
            Some("mjs" | "js") => {
                let text = read(path)?;
                let name = |one: &Source| one.region.clone().unwrap_or_default();
                let regions = regions(&file, &text);
                sources.extend(regions.filter(|one| wanted(&name(one), &text)));
            }
            Some("md" | "mdx") if inside.starts_with("docs") => sources.push(Source {
                region: None,
                file,
                line: 1,
                text: read(path)?,
            }),
            _ => {}
        }
    }
    Ok(sources)
}

fn read(path: &Path) -> std::io::Result<String> {
    Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned())
}

/// The regions that a file marks, in order.
fn regions<'a>(file: &'a str, text: &'a str) -> impl Iterator<Item = Source> + 'a {
    let mut open: Option<Source> = None;
    // One more line ends the last region.
    let lines = text.lines().chain(std::iter::once(END));
    lines.zip(1..).filter_map(move |(line, number)| {
        let name = line.strip_prefix(MARK);
        if name.is_none() && !line.starts_with(END) {
            if let Some(open) = &mut open {
                open.text.push_str(line);
                open.text.push('\n');
            }
            return None;
        }
        let begun = name.map(|name| Source {
            region: name.split_whitespace().next().map(str::to_owned),
            file: file.to_owned(),
            line: number + 1,
            text: String::new(),
        });
        std::mem::replace(&mut open, begun)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_end_where_they_say_or_where_another_begins() {
        let text = "x\n//#region a.ts\n1\n2\n//#endregion\ny\n//#region b.ts\n3\n//#region c.ts\n4";
        let found: Vec<(String, u32, String)> = regions("f", text)
            .map(|one| (one.region.unwrap(), one.line, one.text))
            .collect();
        let region = |name: &str, line, text: &str| (name.to_owned(), line, text.to_owned());
        assert_eq!(
            found,
            [
                region("a.ts", 3, "1\n2\n"),
                region("b.ts", 8, "3\n"),
                region("c.ts", 10, "4\n")
            ]
        );
    }
}
