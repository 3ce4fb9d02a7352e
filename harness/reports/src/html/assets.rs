//! The page's own style and script, and the policy that lets nothing but them in.

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The style.
pub(super) const STYLE: &str = concat!(
    include_str!("page/base.css"),
    include_str!("page/matrix.css"),
    include_str!("page/details.css"),
);

/// The script: one module, so that its names are its own.
const SCRIPT: &str = concat!(
    "\"use strict\";\n",
    include_str!("page/dom.js"),
    include_str!("page/data.js"),
    include_str!("page/layout.js"),
    include_str!("page/matrix.js"),
    include_str!("page/filter.js"),
    include_str!("page/diff.js"),
    include_str!("page/details.js"),
    include_str!("page/keys.js"),
    include_str!("page/theme.js"),
    include_str!("page/main.js"),
);

/// The content security policy of the report.
pub(super) fn policy() -> String {
    policy_for(SCRIPT, STYLE)
}

/// The content security policy of a page that has this script and this style: nothing else runs, nothing is loaded.
pub(crate) fn policy_for(script: &str, style: &str) -> String {
    format!(
        "default-src 'none'; script-src '{}'; style-src '{}'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
        hash(script),
        hash(style)
    )
}

fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text)))
}

/// Ends the report: the script, which finds all data before it.
pub(super) fn write_end(out: &mut dyn Write) -> io::Result<()> {
    write_end_with(SCRIPT, out)
}

/// Ends a page with its script.
pub(crate) fn write_end_with(script: &str, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"<script type=\"module\">")?;
    out.write_all(script.as_bytes())?;
    out.write_all(b"</script>\n</body>\n</html>\n")
}

#[cfg(test)]
mod tests {
    use super::{SCRIPT, STYLE};

    #[test]
    fn the_pages_own_texts_do_not_end_their_elements() {
        for text in [SCRIPT, STYLE] {
            assert!(!text.contains("</") && !text.contains("<!--"));
        }
    }

    #[test]
    fn the_script_never_makes_markup_or_code_out_of_text() {
        for word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "Function(",
        ] {
            assert!(!SCRIPT.contains(word), "{word}");
        }
    }
}
