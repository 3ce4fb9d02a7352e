//! The beginning of a script: what it shows and why, as comments.

use super::{Expectation, Repro};
use contract::scenario::model::{Kind, Outcome, Start};

/// Comments are wrapped at this width.
const WIDTH: usize = 110;
const LABEL: usize = 10;

/// The comments, with `# ` before each line.
pub(super) fn comments(repro: &Repro) -> String {
    let mut out = Comments::default();
    out.line("", &title(repro));
    out.gap();
    out.line("cell", &repro.cell);
    out.line("gateway", &format!("openclaw@{}", repro.release));
    out.line("question", &repro.question);
    for (axis, title) in &repro.values {
        out.line("", &format!("{axis}: {title}"));
    }
    if let Some(one) = repro.expectation() {
        out.line("expected", &answer(&one.outcome));
        out.line("rule", &rule(one));
        out.line("source", &one.source);
    }
    for other in &repro.expectations {
        if !other.range.contains(&repro.release) {
            let text = format!(
                "{}: {}; {}",
                other.range,
                answer(&other.outcome),
                rule(other)
            );
            out.line("elsewhere", &text);
            out.line("source", &other.source);
        }
    }
    if let Some(explanation) = &repro.issue {
        let issue = &explanation.issue;
        let url = if issue.url.is_empty() {
            String::new()
        } else {
            format!(", {}", issue.url)
        };
        out.gap();
        out.line("issue", &format!("{}{url}", issue.id));
        out.line("", &issue.title);
        out.line(
            "seen",
            &format!("{}: {}", issue.range(), answer(&explanation.observed)),
        );
        out.line("means", &issue.means);
        out.line("way round", &issue.workaround);
        if !issue.bytes_say.is_empty() {
            out.line("note", &issue.bytes_say);
        }
    }
    if !repro.removed.is_empty() {
        out.gap();
        out.line(
            "minimal",
            &format!("not needed, and left out: {}", repro.removed.join(", ")),
        );
        out.line(
            "",
            &match &repro.passes_on {
                Some(release) => format!(
                    "What is left passes on {release}. Beyond the releases that it was tried on it may be too little, so they are not judged."
                ),
                None => "Whether what is left passes on any release has not been tried, so no other is judged.".to_owned(),
            },
        );
    }
    out.gap();
    out.line("", "Needs sh, node (any version), npm and curl. Stays on the loopback but for npm, writes into a temporary folder only, and leaves neither processes nor files.");
    out.gap();
    let release = &repro.release;
    let gone = repro
        .issue
        .as_ref()
        .and_then(|one| one.issue.gone_on.as_ref());
    let other = gone.map_or("...".to_owned(), ToString::to_string);
    for (command, what) in [
        (
            "sh repro.sh".to_owned(),
            format!("installs openclaw@{release} (350 to 1360 MB, about a minute) and asks it"),
        ),
        (
            format!("REPRO_VERSION={other} sh repro.sh"),
            "asks another release".to_owned(),
        ),
        (
            "REPRO_GATEWAY=dist/openclaw.mjs sh repro.sh".to_owned(),
            "asks one that is there: an entry point or an executable".to_owned(),
        ),
        (
            "REPRO_WAIT=600 sh repro.sh".to_owned(),
            "gives a slow machine longer than 180 s to start the gateway".to_owned(),
        ),
        (
            "REPRO_KEEP=1 sh repro.sh".to_owned(),
            "keeps the folder: config, log, request, answer".to_owned(),
        ),
    ] {
        out.0.push_str(&format!("#   {command:<46} {what}\n"));
    }
    out.gap();
    out.line("", "Exit code: 0 the contract holds, 1 it does not, 125 cannot tell (so that `git bisect run` skips it).");
    out.0
}

/// What the script is about, in one line.
pub(super) fn title(repro: &Repro) -> String {
    match (&repro.issue, repro.expectation()) {
        (Some(explanation), _) => format!("{}: {}", explanation.issue.id, explanation.issue.title),
        (None, Some(one)) if !one.title.is_empty() => sentence(&one.title),
        (None, _) => repro.question.clone(),
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
    fn gap(&mut self) {
        self.0.push_str("#\n");
    }

    fn line(&mut self, label: &str, text: &str) {
        let labelled = !label.is_empty()
            || self
                .0
                .lines()
                .last()
                .is_some_and(|line| line.starts_with("#   "));
        let (first, rest) = if labelled {
            (format!("#   {label:<LABEL$}"), format!("#   {:LABEL$}", ""))
        } else {
            ("# ".to_owned(), "# ".to_owned())
        };
        for (index, line) in wrap(text, WIDTH - first.len()).iter().enumerate() {
            self.0.push_str(if index == 0 { &first } else { &rest });
            self.0.push_str(line);
            self.0.push('\n');
        }
    }
}

/// Breaks a text at its blanks.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last().map_or(0, |line| line.chars().count());
        if line > 0 && line + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
