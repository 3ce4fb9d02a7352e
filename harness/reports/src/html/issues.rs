//! Known issues, and why cells were not asked, as the page shows them without JavaScript.

use super::causes::{CauseView, cut};
use super::tally::{GatewayTally, Tallies};
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
    pub(super) releases: String,
    pub(super) file: String,
    pub(super) known: usize,
    pub(super) stale: usize,
    pub(super) causes: Vec<CauseView>,
}

impl IssueView {
    /// Those that cells name; what most cells show comes first.
    pub(super) fn all(record: &Record, tallies: &Tallies, several: bool) -> Vec<Self> {
        let mut views = Vec::new();
        for gateway in &tallies.gateways {
            let mut of_gateway: Vec<Self> = gateway
                .issues
                .keys()
                .map(|id| Self::new(record, gateway, several, id))
                .collect();
            of_gateway.sort_by_key(|view| std::cmp::Reverse((view.stale, view.known)));
            views.append(&mut of_gateway);
        }
        views
    }

    fn new(record: &Record, gateway: &GatewayTally, several: bool, id: &str) -> Self {
        let issue = record.known_issue(id);
        let text = |of: fn(&record::IssueRecord) -> &str| issue.map_or("", of).to_owned();
        let url = text(|issue| &issue.url);
        let tally = gateway.issues.get(id).cloned().unwrap_or_default();
        let causes = record.causes.iter().filter(|cause| {
            cause.known_issue.as_deref() == Some(id) && cause.gateway == gateway.name
        });
        Self {
            id: id.to_owned(),
            gateway: several.then(|| gateway.name.clone()),
            url: is_web(&url).then_some(url),
            kind: issue.map_or("", |issue| issue.kind.name()),
            title: text(|issue| &issue.title),
            means: text(|issue| &issue.means),
            workaround: text(|issue| &issue.workaround),
            bytes_say: text(|issue| &issue.bytes_say),
            releases: text(|issue| &issue.releases),
            file: text(|issue| &issue.file),
            known: tally.of(VerdictKind::Known),
            stale: tally.of(VerdictKind::Stale),
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
    /// Those with one verdict.
    pub(super) fn all(tallies: &Tallies, several: bool, verdict: VerdictKind) -> Vec<Self> {
        let mut views = Vec::new();
        for gateway in &tallies.gateways {
            for ((of, profile, reason), cells) in &gateway.reasons {
                if *of == verdict {
                    views.push(Self {
                        gateway: several.then(|| gateway.name.clone()),
                        profile: profile.clone(),
                        reason: cut(reason),
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
