//! The beginning of a script: what it shows and why, as comments.

use super::{Expectation, Repro};
use contract::release::VersionRange;
use contract::scenario::model::{Kind, Outcome, Start};

/// Comments are wrapped at this width.
const WIDTH: usize = 120;
const LABEL: usize = 11;

/// The comments, with `# ` before each line.
pub(super) fn comments(repro: &Repro) -> String {
    let release = &repro.release;
    let one = &repro.expectation;
    let mut out = Comments::default();
    out.line("", &title(repro));
    out.line("cell", &repro.cell);
    out.line("expected", &answer(&one.outcome));
    let rule = if one.title.is_empty() {
        &one.rule
    } else {
        &one.title
    };
    out.line("rule", rule);
    out.line("source", &one.source);
    if let Some(explanation) = &repro.issue {
        let issue = &explanation.issue;
        let seen = answer(&explanation.observed);
        out.line("seen", &format!("{}: {seen}", issue.range()));
    }
    let gone = repro
        .issue
        .as_ref()
        .and_then(|one| one.issue.gone_on.as_ref());
    let other = gone.map_or("...".to_owned(), ToString::to_string);
    let range = match &repro.range {
        VersionRange {
            since: None,
            until: None,
        } => "fit every release".to_owned(),
        range => format!("are those of releases {range}"),
    };
    out.line("", &format!(
        "Installs openclaw@{release} from npm into a temporary folder, asks it, and leaves nothing behind. Needs sh, npm, node 18 or later. Exit code: 0 the contract holds, 1 it does not, 125 cannot tell."
    ));
    out.line("", &format!(
        "REPRO_VERSION={other} asks another release, REPRO_GATEWAY=dist/openclaw.mjs a build; configuration and expected answer {range}. REPRO_KEEP=1 keeps the folder, REPRO_WAIT=600 waits 600 s for a start."
    ));
    out.0
}

/// What the script is about, in one line.
pub(super) fn title(repro: &Repro) -> String {
    let rule = &repro.expectation.title;
    match &repro.issue {
        Some(explanation) => format!("{}: {}", explanation.issue.id, explanation.issue.title),
        None if !rule.is_empty() => sentence(rule),
        None => repro.question.clone(),
    }
}

/// With a capital letter.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// The rule's name and sentence.
pub(super) fn rule(one: &Expectation) -> String {
    if one.title.is_empty() {
        one.rule.clone()
    } else {
        format!("{}: {}", one.rule, one.title)
    }
}

/// An outcome in one line.
pub(super) fn answer(outcome: &Outcome) -> String {
    let words = outcome
        .message_has
        .as_ref()
        .map(|words| format!("\"... {words} ...\""));
    let says: Vec<String> = [
        outcome.error_type.clone(),
        outcome.message.clone().or(words),
    ]
    .into_iter()
    .flatten()
    .collect();
    let says = says.join(": ");
    match (outcome.start, outcome.status) {
        (Some(Start::Up), _) => "the gateway starts".to_owned(),
        (Some(Start::Refused), _) => {
            format!("the gateway does not start, {says}: {}", outcome.title)
        }
        (None, status) => {
            let status = status.map_or(String::new(), |status| status.to_string());
            // What the answer says tells more than what the outcome is called.
            let says = if says.is_empty() {
                &outcome.title
            } else {
                &says
            };
            let calls = match outcome.model_calls {
                1 => "1 call".to_owned(),
                calls => format!("{calls} calls"),
            };
            format!("{status} {says}; {calls} to the model")
        }
    }
}

/// Whether the cell is about a start.
pub(super) fn is_start(repro: &Repro) -> bool {
    repro.kind == Kind::Start
}

/// Comment lines, labelled and wrapped.
#[derive(Default)]
struct Comments(String);

impl Comments {
    fn line(&mut self, label: &str, text: &str) {
        let (first, rest) = if label.is_empty() {
            ("# ".to_owned(), "# ".to_owned())
        } else {
            (format!("#   {label:<LABEL$}"), format!("#   {:LABEL$}", ""))
        };
        for (index, line) in wrap(text, WIDTH - first.len()).iter().enumerate() {
            self.0.push_str(if index == 0 { &first } else { &rest });
            self.0.push_str(line);
            self.0.push('\n');
        }
    }
}

/// Breaks a text at its blanks. What else does not print is left out: no text gets out of its comment.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let word: String = word.chars().filter(|letter| !letter.is_control()).collect();
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }
    lines
}
