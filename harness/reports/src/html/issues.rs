//! Known issues, and why cells were not asked, as the page shows them without JavaScript.

use super::causes::{CauseView, cut};
use super::layout::Layout;
use crate::facts::{Reason, Tally};
use record::Record;
use record::judge::VerdictKind;

/// A known issue on one gateway.
#[derive(Debug)]
pub(super) struct IssueView {
    pub(super) id: String,
    pub(super) gateway: Option<String>,
    pub(super) url: Option<String>,
    pub(super) kind: &'static str,
    pub(super) title: String,
    pub(super) means: String,
    pub(super) workaround: String,
    pub(super) bytes_say: String,
    pub(super) upstream: String,
    pub(super) releases: String,
    pub(super) file: String,
    pub(super) known: usize,
    pub(super) stale: usize,
    pub(super) causes: Vec<CauseView>,
}

impl IssueView {
    /// Those that cells name; what most cells show comes first.
    pub(super) fn all(record: &Record, layout: &Layout, several: bool) -> Vec<Self> {
        let mut views = Vec::new();
        for gateway in &layout.gateways {
            let issues = layout.facts.issues.iter();
            let issues = issues.filter(|((name, _), _)| name == gateway);
            let issues =
                issues.map(|((_, id), cells)| Self::new(record, gateway, several, id, cells));
            let mut of_gateway: Vec<Self> = issues.collect();
            of_gateway.sort_by_key(|view| std::cmp::Reverse((view.stale, view.known)));
            views.append(&mut of_gateway);
        }
        views
    }

    fn new(record: &Record, gateway: &str, several: bool, id: &str, cells: &Tally) -> Self {
        let issue = record.known_issue(id);
        let text = |of: fn(&record::IssueRecord) -> &str| issue.map_or("", of).to_owned();
        let url = text(|issue| &issue.url);
        let causes = record
            .causes
            .iter()
            .filter(|cause| cause.known_issue.as_deref() == Some(id) && cause.gateway == gateway);
        Self {
            id: id.to_owned(),
            gateway: several.then(|| gateway.to_owned()),
            url: is_web(&url).then_some(url),
            kind: issue.map_or("", |issue| issue.kind.name()),
            title: text(|issue| &issue.title),
            means: text(|issue| &issue.means),
            workaround: text(|issue| &issue.workaround),
            bytes_say: text(|issue| &issue.bytes_say),
            upstream: text(|issue| &issue.upstream),
            releases: text(|issue| &issue.releases),
            file: text(|issue| &issue.file),
            known: cells.of(VerdictKind::Known),
            stale: cells.of(VerdictKind::Stale),
            causes: causes
                .map(|cause| CauseView::new(record, several, cause))
                .collect(),
        }
    }
}

/// Only such addresses become links: a record's text must not run as `javascript:` or open a file.
pub(crate) fn is_web(url: &str) -> bool {
    let scheme = url.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|it| it.eq_ignore_ascii_case("https") || it.eq_ignore_ascii_case("http"))
}

/// Why some cells were not asked.
#[derive(Debug)]
pub(super) struct ReasonView {
    pub(super) gateway: Option<String>,
    pub(super) profile: String,
    pub(super) reason: String,
    pub(super) cells: usize,
}

impl ReasonView {
    /// Those that are wanted.
    pub(super) fn all(
        layout: &Layout,
        several: bool,
        wanted: &dyn Fn(&Reason) -> bool,
    ) -> Vec<Self> {
        let mut views = Vec::new();
        for gateway in &layout.gateways {
            for (reason, cells) in &layout.facts.reasons {
                if wanted(reason) && reason.gateway == *gateway {
                    views.push(Self {
                        gateway: several.then(|| gateway.clone()),
                        profile: reason.profile.clone(),
                        reason: cut(&reason.text),
                        cells: *cells,
                    });
                }
            }
        }
        views
    }
}

#[cfg(test)]
mod tests {
    use super::is_web;

    #[test]
    fn only_web_addresses_become_links() {
        assert!(is_web("https://example.org/1") && is_web("HTTP://example.org"));
        for url in [
            "",
            "javascript:alert(1)",
            "javascript://x/%0aalert(1)",
            "data:text/html,x",
            "file:///x",
            " https://x",
        ] {
            assert!(!is_web(url), "{url}");
        }
    }
}
