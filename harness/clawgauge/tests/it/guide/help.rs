//! What the binary says of itself: commands and flags.

use std::collections::BTreeSet;

/// What a command says of itself.
pub(crate) fn help(command: &[&str]) -> String {
    let mut clawgauge = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("clawgauge"));
    let output = clawgauge.args(command).arg("--help").assert().code(0);
    String::from_utf8(output.get_output().stdout.clone()).unwrap()
}

/// The commands that `clawgauge --help` lists.
pub(crate) fn subcommands() -> BTreeSet<String> {
    let help = help(&[]);
    let list = help
        .split("Commands:\n")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    let names = list
        .lines()
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    let names: BTreeSet<String> = names
        .map(|line| line.split_whitespace().next().unwrap().to_owned())
        .collect();
    names.into_iter().filter(|name| name != "help").collect()
}

/// The long flags in a text.
pub(crate) fn flags(text: &str) -> BTreeSet<String> {
    let letter = |letter: char| letter.is_ascii_lowercase() || letter == '-';
    text.split(|character: char| !letter(character))
        .filter(|word| word.starts_with("--") && word.len() > 2 && !word.starts_with("---"))
        .map(str::to_owned)
        .collect()
}
