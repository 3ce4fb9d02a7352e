//! What both renderings of a comparison say in the same words.

use base::text::{count, one_line, quoted};
use contract::release::tells_release;
use record::Ending;
use studies::compare::{
    Advice, AnswerRecord, Cause, ChangeSeverity, Comparison, ContractEffect, Gap, Kind, SideGap,
};

/// The verdict in one or two words.
pub(super) fn verdict(comparison: &Comparison) -> &'static str {
    match comparison.ended().ending {
        Ending::Holds => "go",
        Ending::Broken => "no go",
        Ending::Gateway | Ending::Incomplete | Ending::Interrupted => "could not tell",
    }
}

/// How many causes of each weight there are; nothing where there are none.
pub(super) fn tally(comparison: &Comparison) -> String {
    let counts = &comparison.counts;
    let parts = [
        (counts.blockers, "blocker"),
        (counts.severe, "severe change"),
        (counts.contract_changes, "contract change"),
        (counts.shape, "change of shape"),
        (counts.cosmetic, "cosmetic change"),
        (counts.improvements, "improvement"),
    ];
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    let parts: Vec<String> = parts
        .map(|(number, noun)| match (*number, *noun) {
            (2.., "change of shape") => format!("{number} changes of shape"),
            (number, noun) => count(number, noun),
        })
        .collect();
    parts.join(", ")
}

/// What a weight is called in headings.
pub(super) fn weight(weight: ChangeSeverity) -> &'static str {
    match weight {
        ChangeSeverity::Blocker => "Blocker",
        ChangeSeverity::Severe => "Severe change",
        ChangeSeverity::ContractChange => "Contract change",
        ChangeSeverity::Shape => "Change of shape",
        ChangeSeverity::Cosmetic => "Cosmetic",
        ChangeSeverity::Improvement => "Improvement",
    }
}

/// In which ways the answers changed; with the number of cells where there are several.
pub(super) fn kinds(cause: &Cause) -> String {
    let kinds = cause.kinds.iter();
    let kinds: Vec<String> = match cause.kinds.len() {
        1 => kinds.map(|(kind, _)| kind.words().to_owned()).collect(),
        _ => kinds
            .map(|(kind, cells)| format!("{} ({cells})", kind.words()))
            .collect(),
    };
    kinds.join(", ")
}

/// What it is, in one sentence: the known issue's title, or the rule's.
pub(super) fn title(cause: &Cause) -> String {
    if let Some(issue) = &cause.known_issue {
        return one_line(&issue.title);
    }
    let mut titles: Vec<&str> = Vec::new();
    for rule in &cause.rules {
        if !rule.title.is_empty() && !titles.contains(&rule.title.as_str()) {
            titles.push(&rule.title);
        }
    }
    let said = match (cause.bearing, cause.weight) {
        (ContractEffect::ContractChanged, _)
        | (ContractEffect::Breaks, ChangeSeverity::Blocker) => titles.first(),
        (
            ContractEffect::Breaks
            | ContractEffect::StillBreaks
            | ContractEffect::BothConform
            | ContractEffect::Fixes,
            _,
        ) => titles.first().filter(|_| titles.len() == 1),
    };
    match said {
        Some(said) => one_line(said),
        None => String::new(),
    }
}

/// What it means for the contract.
pub(super) fn bearing(cause: &Cause) -> &'static str {
    let same = cause.kinds.len() == 1 && cause.kinds.contains_key(&Kind::SameAnswer);
    match (cause.bearing, same) {
        (ContractEffect::Breaks, false) => "B breaks its contract here, A kept it",
        (ContractEffect::Breaks, true) => "the contract changed and B did not follow",
        (ContractEffect::StillBreaks, _) => "both break the contract here, B in another way",
        (ContractEffect::ContractChanged, false) => {
            "announced: the contract changed, and both keep theirs"
        }
        (ContractEffect::ContractChanged, true) => {
            "the contract now says what the gateway did before"
        }
        (ContractEffect::BothConform, _) => "both keep the contract, which leaves this open",
        (ContractEffect::Fixes, _) => "A broke its contract here, B keeps it",
    }
}

/// Answers in one line: the line that was answered, and the outcome's name where that says more.
pub(super) fn answer(answer: &AnswerRecord) -> String {
    let line = one_line(&answer.line);
    match &answer.outcome {
        // A refusal says itself why.
        Some(_) if answer.message.is_some() => line,
        Some(outcome) => format!("{line} ({outcome})"),
        None => line,
    }
}

/// Whether all that can be told in a line is as before: only headers or bodies differ.
pub(super) fn same_line(cause: &Cause) -> bool {
    let lines = |answers: &[AnswerRecord]| -> Vec<(String, usize)> {
        let lines = answers.iter();
        lines
            .map(|answer| (answer.line.clone(), answer.cells))
            .collect()
    };
    lines(&cause.before) == lines(&cause.after)
}

/// The sources of the rules, each once.
pub(super) fn sources(cause: &Cause) -> Vec<String> {
    let mut sources: Vec<String> = Vec::new();
    for rule in &cause.rules {
        let source = one_line(&rule.source);
        if !source.is_empty() && !sources.contains(&source) {
            sources.push(source);
        }
    }
    sources
}

/// What one can do, in a sentence without an end.
pub(super) fn advice(advice: &Advice, code: &dyn Fn(&str) -> String) -> String {
    let list = |texts: &[String]| {
        let texts: Vec<String> = texts.iter().map(|text| code(text)).collect();
        texts.join(" and ")
    };
    match advice {
        Advice::Request {
            words,
            leave_out,
            send,
            ..
        } => match (leave_out.as_slice(), send.as_slice()) {
            ([], []) => format!("another body: {}", one_line(&words.join("; "))),
            ([], send) => format!("send {}", list(send)),
            (gone, []) => format!("leave out {}", headers(gone, code)),
            (gone, send) => format!("send {} and leave out {}", list(send), headers(gone, code)),
        },
        Advice::Configuration { set, profiles, .. } => {
            let steps = profiles
                .iter()
                .map(|(from, to)| format!("{to} is {from} with it"));
            let steps: Vec<String> = steps.collect();
            format!("set {} (profile {})", list(set), steps.join(", "))
        }
    }
}

/// One header line, or the names of several.
fn headers(lines: &[String], code: &dyn Fn(&str) -> String) -> String {
    if let [line] = lines {
        return code(line);
    }
    let mut names: Vec<&str> = Vec::new();
    for line in lines {
        let name = line.split(':').next().unwrap_or_default();
        if !names.iter().any(|other| other.eq_ignore_ascii_case(name)) {
            names.push(name);
        }
    }
    let names: Vec<String> = names.into_iter().map(code).collect();
    names.join(", ")
}

/// The commands that show a cause on B: what the cell is, and what it answers.
pub(super) fn commands(comparison: &Comparison, cause: &Cause) -> Vec<String> {
    let side = &comparison.b;
    let cell = quoted(&cause.example);
    let mut show = format!("clawgauge show {cell}");
    if let Some(version) = &side.version {
        show.push_str(&format!(" --release {}", quoted(version)));
    }
    let published = side.reference.starts_with("openclaw@");
    let ask = match (published, &side.version) {
        (true, Some(version)) => {
            format!(
                "clawgauge repro {cell} --gateway openclaw@{}",
                quoted(version)
            )
        }
        (true, None) | (false, None) => {
            format!("clawgauge run {cell} --gateway {}", quoted(&side.reference))
        }
        // A build is what changed, and a script installs releases only.
        (false, Some(version)) => {
            let mut ask = format!("clawgauge run {cell} --gateway {}", quoted(&side.reference));
            if !tells_release(&side.reference) {
                ask.push_str(&format!(" --release {}", quoted(version)));
            }
            ask
        }
    };
    vec![show, ask]
}

/// Why cells were not compared.
pub(super) fn gap(gap: &Gap) -> String {
    let cells = count(gap.cells, "cell");
    let profile = match gap.profile.as_str() {
        "" => String::new(),
        profile => format!(" of profile {profile}"),
    };
    let told = match (gap.a, gap.b) {
        (SideGap::AskedOtherwise, _) | (_, SideGap::AskedOtherwise) => {
            "the two records hold different requests".to_owned()
        }
        (SideGap::Answered, state) => {
            format!("only on A; {}", why("B", state, gap.b_reason.as_deref()))
        }
        (state, SideGap::Answered) => {
            format!("only on B; {}", why("A", state, gap.a_reason.as_deref()))
        }
        (on_a, on_b) => match on_a == on_b && gap.a_reason == gap.b_reason {
            true => format!("on neither; {}", why("both", on_a, gap.a_reason.as_deref())),
            false => format!(
                "on neither; {}; {}",
                why("A", on_a, gap.a_reason.as_deref()),
                why("B", on_b, gap.b_reason.as_deref())
            ),
        },
    };
    let scenarios = gap.scenarios.iter();
    let scenarios: Vec<String> = scenarios
        .map(|(scenario, cells)| format!("{scenario} {cells}"))
        .collect();
    let scenarios = match scenarios.is_empty() {
        true => String::new(),
        false => format!(" ({})", scenarios.join(", ")),
    };
    format!(
        "{cells}{profile}{scenarios}: {told}; such as {}",
        gap.example
    )
}

fn why(name: &str, state: SideGap, reason: Option<&str>) -> String {
    let reason = one_line(reason.unwrap_or_default());
    match state {
        SideGap::Answered => format!("{name} answered"),
        SideGap::AskedOtherwise => format!("{name} was asked otherwise"),
        SideGap::NotAsked => format!("{name} was not asked"),
        SideGap::NotApplicable => format!("cannot be asked on {name}: {reason}"),
        SideGap::MachineLacks => {
            format!("not asked on {name}, since its machine lacks something: {reason}")
        }
        SideGap::CouldNotRun => format!("could not be asked on {name}: {reason}"),
    }
}
