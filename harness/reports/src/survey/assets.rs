//! Style and script of the survey's pages: those of the report of one run, and their own.

/// The style.
pub(super) const STYLE: &str = concat!(
    include_str!("../html/page/base.css"),
    include_str!("../html/page/matrix.css"),
    include_str!("page/survey.css"),
);

/// The script of the table.
pub(super) const TABLE_SCRIPT: &str = concat!(
    "\"use strict\";\n",
    include_str!("../html/page/dom.js"),
    include_str!("../html/page/theme.js"),
    include_str!("page/rows.js"),
    include_str!("page/search.js"),
    include_str!("page/table.js"),
);

/// The script of a release's page.
pub(super) const RELEASE_SCRIPT: &str = concat!(
    "\"use strict\";\n",
    include_str!("../html/page/dom.js"),
    include_str!("../html/page/theme.js"),
    include_str!("page/release.js"),
);

#[cfg(test)]
mod tests {
    use super::{RELEASE_SCRIPT, STYLE, TABLE_SCRIPT};

    #[test]
    fn no_text_ends_its_element_and_no_script_makes_markup_or_code() {
        for text in [STYLE, TABLE_SCRIPT, RELEASE_SCRIPT] {
            assert!(!text.contains("</") && !text.contains("<!--"));
        }
        for script in [TABLE_SCRIPT, RELEASE_SCRIPT] {
            for word in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                "Function(",
            ] {
                assert!(!script.contains(word), "{word}");
            }
        }
    }
}
