//! Since which release until which: what a row of observations says about the releases between them, and what it leaves open.

use serde::Serialize;

use contract::release::{Line, Version};

/// One thing that was seen on neighbouring releases of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span<T> {
    /// What was seen.
    pub seen: T,
    /// The first release on which it was seen.
    pub first: Version,
    /// The last one.
    pub last: Version,
    /// On how many.
    pub releases: usize,
    /// The last release before on which something else was seen; `None` where nothing is known from before.
    pub after: Option<Version>,
    /// The first release behind on which something else was seen; `None` where it was seen to the end.
    pub before: Option<Version>,
    /// Whether releases in between are not known, so that the change may have come there.
    pub open: Open,
}

/// Where a span's ends are not certain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, schemars::JsonSchema)]
pub struct Open {
    /// Releases before the first one are in the survey and could not be asked.
    pub start: bool,
    /// Releases behind the last one are in the survey and could not be asked.
    pub end: bool,
}

/// The spans of a row: line by line, the main line first; within a line in the order of releases. Releases of which nothing is
/// known neither end a span nor lengthen it.
pub fn spans<T: Clone + PartialEq>(row: &[(Version, Option<T>)]) -> Vec<Span<T>> {
    let mut lines: Vec<Line> = Vec::new();
    for (version, _) in row {
        if !lines.contains(&version.line()) {
            lines.push(version.line());
        }
    }
    lines.sort_by_key(|line| *line != Line::Main);
    let of_line = |line: Line| {
        let own: Vec<_> = row
            .iter()
            .filter(|(version, _)| version.line() == line)
            .collect();
        of_one_line(&own)
    };
    lines.into_iter().flat_map(of_line).collect()
}

fn of_one_line<T: Clone + PartialEq>(row: &[&(Version, Option<T>)]) -> Vec<Span<T>> {
    let mut spans: Vec<Span<T>> = Vec::new();
    let mut unknown = false;
    for (version, seen) in row {
        let Some(seen) = seen else {
            unknown = true;
            continue;
        };
        match spans.last_mut() {
            Some(span) if span.seen == *seen => {
                span.last = version.clone();
                span.releases += 1;
            }
            before => {
                let after = before.map(|span| {
                    span.before = Some(version.clone());
                    span.open.end = unknown;
                    span.last.clone()
                });
                spans.push(Span {
                    seen: seen.clone(),
                    first: version.clone(),
                    last: version.clone(),
                    releases: 1,
                    after,
                    before: None,
                    open: Open {
                        start: unknown,
                        end: false,
                    },
                });
            }
        }
        unknown = false;
    }
    if let Some(span) = spans.last_mut() {
        span.open.end = unknown;
    }
    spans
}

impl<T> Span<T> {
    /// Its releases in words: `until 2026.3.24`, `2026.3.28 to 2026.3.31`, `since 2026.4.1`. Where what is before or behind it
    /// could not be asked, `or earlier` and `or later` say so.
    pub fn when(&self) -> String {
        let earlier = if self.open.start { " or earlier" } else { "" };
        let later = match (self.open.end, &self.before) {
            (true, Some(_)) => " or later",
            (true, None) | (false, _) => "",
        };
        match (&self.after, &self.before) {
            (None, None) if self.releases == 1 => format!("on {}", self.first),
            (None, None) => format!("on all from {} to {}", self.first, self.last),
            (None, Some(_)) => format!("until {}{later}", self.last),
            // Nobody knows whether it still holds.
            (Some(_), None) if self.open.end && self.first == self.last => {
                format!("on {}{earlier}, newer ones not known", self.first)
            }
            (Some(_), None) if self.open.end => {
                let (first, last) = (&self.first, &self.last);
                format!("{first}{earlier} to {last}, newer ones not known")
            }
            (Some(_), None) => format!("since {}{earlier}", self.first),
            (Some(_), Some(_)) if self.first == self.last => match (earlier, later) {
                ("", "") => format!("on {}", self.first),
                _ => format!("on {}, perhaps on neighbouring releases", self.first),
            },
            (Some(_), Some(_)) => format!("{}{earlier} to {}{later}", self.first, self.last),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    const RELEASES: [&str; 8] = [
        "2026.3.24",
        "2026.3.28",
        "2026.3.31",
        "2026.4.1",
        "2026.6.11",
        "2026.6.33",
        "2026.6.34",
        "2026.7.1",
    ];

    /// A letter a release, `?` for what is not known.
    fn row(letters: &str) -> Vec<(Version, Option<char>)> {
        let seen = letters
            .chars()
            .map(|letter| (letter != '?').then_some(letter));
        RELEASES
            .iter()
            .map(|text| text.parse().unwrap())
            .zip(seen)
            .collect()
    }

    #[rstest]
    #[case::story(
        "+dd+++++",
        "+ until 2026.3.24; d 2026.3.28 to 2026.3.31; + since 2026.4.1; + on all from 2026.6.33 to 2026.6.34"
    )]
    #[case::never_changes("++++", "+ on all from 2026.3.24 to 2026.4.1")]
    #[case::one("?+", "+ on 2026.3.28")]
    #[case::on_one_release("+d+", "+ until 2026.3.24; d on 2026.3.28; + since 2026.3.31")]
    #[case::gap_at_a_change(
        "+?d+",
        "+ until 2026.3.24 or later; d on 2026.3.31, perhaps on neighbouring releases; + since 2026.4.1"
    )]
    #[case::gap_within("+?++d", "+ until 2026.4.1; d since 2026.6.11")]
    #[case::gap_before_the_fix(
        "+d?+",
        "+ until 2026.3.24; d on 2026.3.28, perhaps on neighbouring releases; + since 2026.4.1 or earlier"
    )]
    #[case::a_long_term_line_is_its_own(
        "+++++dd+",
        "+ on all from 2026.3.24 to 2026.7.1; d on all from 2026.6.33 to 2026.6.34"
    )]
    #[case::the_end_is_not_known("++d?", "+ until 2026.3.28; d on 2026.3.31, newer ones not known")]
    #[case::the_end_is_not_known_for_long(
        "+dd?",
        "+ until 2026.3.24; d 2026.3.28 to 2026.3.31, newer ones not known"
    )]
    #[case::nothing("????", "")]
    fn told(#[case] letters: &str, #[case] words: &str) {
        let told: Vec<String> = spans(&row(letters))
            .iter()
            .map(|span| format!("{} {}", span.seen, span.when()))
            .collect();
        assert_eq!(told.join("; "), words);
    }

    proptest! {
        /// Spans say of every release that was asked what was seen there, neighbours on a line differ, and each names the other.
        #[test]
        fn nothing_is_lost_and_nothing_invented(letters in "[ab?]{8}") {
            let row = row(&letters);
            let spans = spans(&row);
            for (version, seen) in &row {
                let holds: Vec<char> = spans
                    .iter()
                    .filter(|span| span.first.line() == version.line() && span.first <= *version && *version <= span.last)
                    .map(|span| span.seen)
                    .collect();
                match seen {
                    Some(seen) => prop_assert_eq!(holds, vec![*seen]),
                    None => prop_assert!(holds.len() <= 1),
                }
            }
            let asked = row.iter().filter(|(_, seen)| seen.is_some()).count();
            prop_assert_eq!(spans.iter().map(|span| span.releases).sum::<usize>(), asked);
            for pair in spans.windows(2).filter(|pair| pair[0].first.line() == pair[1].first.line()) {
                prop_assert_ne!(pair[0].seen, pair[1].seen);
                prop_assert_eq!(pair[0].before.as_ref(), Some(&pair[1].first));
                prop_assert_eq!(pair[1].after.as_ref(), Some(&pair[0].last));
                prop_assert_eq!(pair[0].open.end, pair[1].open.start);
            }
        }
    }
}
