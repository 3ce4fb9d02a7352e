//! The files of the repository, and what happens when somebody mistypes one of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use proptest::prelude::*;
use rstest::{Context, rstest};

use super::*;
use crate::data::Data;
use base::nearest::nearest;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_path_buf()
}

/// A copy of the data.
fn copied() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "scenarios",
        "scenarios/axes",
        "fixtures/plugins",
        "fixtures/profiles",
        "fixtures/proxies",
        "scenarios/known-issues",
        "fixtures",
        "fixtures/requests",
        "fixtures/senders",
    ] {
        let target = folder.path().join(name);
        std::fs::create_dir_all(&target).unwrap();
        for entry in std::fs::read_dir(repository().join(name))
            .unwrap()
            .map(Result::unwrap)
        {
            if entry.path().is_file() {
                std::fs::copy(entry.path(), target.join(entry.file_name())).unwrap();
            }
        }
    }
    folder
}

/// What the repository's runs are judged by, but for accepted answers.
fn texts() -> &'static BTreeMap<String, String> {
    static TEXTS: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    TEXTS.get_or_init(|| {
        let mut texts = Data::Folder(repository()).judged_by().unwrap();
        texts.retain(|name, _| !name.starts_with("snapshots/"));
        texts
    })
}

fn catalogue() -> &'static Catalogue {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    CATALOGUE.get_or_init(|| Catalogue::load(&Data::Folder(repository())).unwrap())
}

/// The data with one edit.
fn edited(file: &str, from: &str, to: &str) -> Result<Catalogue, Problems> {
    let mut texts = texts().clone();
    let text = texts.get_mut(file).unwrap();
    assert!(text.contains(from), "{file} does not contain {from:?}");
    *text = text.replacen(from, to, 1);
    let catalogue = Catalogue::load(&Data::Memory(Arc::new(texts)))?;
    catalogue.check_tables()?;
    Ok(catalogue)
}

#[test]
fn a_source_needs_a_network_of_its_own() {
    let proxies = "fixtures/profiles/proxies.toml";
    let said = edited(proxies, "own-network = true\n", "")
        .unwrap_err()
        .render(false);
    let expected = "`caller` says where a request comes from, and profile `range-own-network` has no network of its own";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn the_repositorys_files_are_valid() {
    let catalogue = Catalogue::load(&Data::Folder(repository())).unwrap();
    catalogue.check_tables().unwrap();
    assert!(crate::plan::cells(&catalogue).count() > 3_000);
    assert!(catalogue.known_issues.len() >= 30);
}

const SEED: &str = "scenarios/known-issues/openclaw-58357.toml";
const SCENARIO: &str = "scenarios/chat-completions.toml";

/// Every slip is an error with file, line, the offending text underlined, and the nearest valid name.
#[rstest]
#[case::unknown_key(SCENARIO, "expect = \"answered\"", "expects = \"answered\"")]
#[case::unknown_value(
    SCENARIO,
    "scopes = \"absent\" },\n  { profile = [\"token\"",
    "scopes = \"absend\" },\n  { profile = [\"token\""
)]
#[case::unknown_outcome(SCENARIO, "expect = \"unauthorized\"", "expect = \"unauthorised\"")]
#[case::unknown_axis(
    SCENARIO,
    "credential = \"identity\", scopes = \"absent\"",
    "credentials = \"identity\", scopes = \"absent\""
)]
#[case::unknown_set(SCENARIO, "[\"@lacks-write\"]", "[\"@lack-write\"]")]
#[case::wrong_type(SCENARIO, "schema = 1", "schema = \"one\"")]
#[case::duplicate_rule(
    SCENARIO,
    "id = \"declared-scopes-grant-write\"",
    "id = \"no-scopes-header-is-full-operator\""
)]
#[case::bad_version(SCENARIO, "until = \"2026.8.1\"", "until = \"2026.8\"")]
#[case::missing_body(SCENARIO, "requests/chat-ping.json", "requests/chat-pong.json")]
#[case::gap(
    SCENARIO,
    "\"unknown\", \"upper-case\"]\n\n[[exclude]]",
    "\"unknown\"]\n\n[[exclude]]"
)]
#[case::overlap(
    SCENARIO,
    "until = \"2026.8.1\"\nsource = \"docs/gateway/trusted-proxy-auth.md (2026.3.28) asks for the required headers and the user header only\"",
    "source = \"nobody\""
)]
#[case::dead(
    SCENARIO,
    "since = \"2026.8.1\"",
    "since = \"2026.3.22\"\nuntil = \"2026.3.23\""
)]
#[case::placeholder(
    "scenarios/axes/credential.toml",
    "Bearer ${secret}\"",
    "Bearer ${secrets}\""
)]
#[case::launch_placeholder(
    "fixtures/profiles/modes.toml",
    "token = \"${secret}\"",
    "token = \"${sekret}\""
)]
#[case::header(
    "scenarios/axes/scopes.toml",
    "x-openclaw-scopes: operator.read\"",
    "x-openclaw-scopes operator.read\""
)]
#[case::duplicate_value("scenarios/axes/scopes.toml", "id = \"unknown\"", "id = \"admin\"")]
#[case::ambiguous_outcomes(
    "scenarios/outcomes.toml",
    "message = \"Unauthorized\"",
    "message = \"Unauthorized\"\n\n[[outcome]]\nid = \"twin\"\ntitle = \"\"\ndirection = \"deny\"\nstatus = 401\ncontent-type = \"application/json\""
)]
#[case::header_nobody_looks_at(
    "scenarios/outcomes.toml",
    "message = \"Unauthorized\"",
    "message = \"Unauthorized\"\nheaders = { date = \"present\" }"
)]
#[case::header_in_capitals("scenarios/outcomes.toml", "vary =", "Vary =")]
#[case::bad_grants("scenarios/outcomes.toml", "grants = \"none\"", "grants = \"nothing\"")]
#[case::profile_gap(
    "fixtures/profiles/modes.toml",
    "since = \"2026.3.31\"\n",
    "since = \"2026.4.1\"\n"
)]
#[case::profile_twin("fixtures/profiles/modes.toml", "id = \"token\"", "id = \"none\"")]
#[case::known_issue_scenario(
    SEED,
    "scenario = \"order-of-checks\"",
    "scenario = \"order-of-check\""
)]
#[case::known_issue_dead(SEED, "observed = \"missing-scope-write\"", "observed = \"answered\"")]
#[case::known_issue_evidence(SEED, "gone-on = \"2026.4.1\"", "gone-on = \"2026.3.31\"")]
#[case::known_issue_expiry(SEED, "shows-on", "expires = \"soon\"\nshows-on")]
#[case::relation_pair(
    "scenarios/relations.toml",
    "[\"chat\", \"chat-stream\"]",
    "[\"chat\", \"chat-streams\"]"
)]
#[case::relation_cell(
    "scenarios/relations.toml",
    "endpoint=models/credential=absent/scopes=empty\"",
    "endpoint=model/credential=absent/scopes=none\""
)]
#[case::answer_value(
    "scenarios/endpoints.toml",
    "tools-invoke = \"tool-not-found\"",
    "tools-invok = \"tool-not-found\""
)]
#[case::answer_name(
    "scenarios/endpoints.toml",
    "expect = \"@let-in\"",
    "expect = \"@lets-in\""
)]
#[case::no_path(
    "scenarios/order-of-checks.toml",
    "path = \"/v1/chat/completions\"\n",
    ""
)]
#[case::method_of_two_lines(SCENARIO, "\"POST\"", "\"POST\\r\\nX: y\"")]
#[case::method_that_quotes(SCENARIO, "\"POST\"", "\"`id`\"")]
#[case::path_of_two_lines(SCENARIO, "\"/v1/chat/completions\"", "\"/v1\\r\\nX: y\"")]
#[case::body_outside(SCENARIO, "requests/chat-ping.json", "../../../../../../etc/hostname")]
#[case::launch_file_outside(
    "fixtures/profiles/pages.toml",
    "\"gauge-routes/index.mjs\"",
    "\"../index.mjs\""
)]
#[case::launch_file_missing(
    "fixtures/profiles/pages.toml",
    "= \"plugins/routes.mjs",
    "= \"plugins/route.mjs"
)]
#[case::variable("fixtures/profiles/base.toml", "TMPDIR =", "\"$(id)\" =")]
#[case::within_no_step(
    "scenarios/lockout.toml",
    "after = \"wrong-to-the-limit\"",
    "after = \"wrong-to-the-limt\""
)]
#[case::within_no_sequence(
    SCENARIO,
    "expect = \"unauthorized\"",
    "expect = \"unauthorized\"\nwithin = { seconds = 8, after = \"absent\" }"
)]
#[case::within_no_time("scenarios/lockout.toml", "seconds = 8", "seconds = -8.0")]
fn slips(#[case] file: &str, #[case] from: &str, #[case] to: &str, #[context] context: Context) {
    let problems = edited(file, from, to).unwrap_err();
    let name = context.description.unwrap_or_default();
    insta::assert_snapshot!(format!("slip_{name}"), problems.render(false));
}

#[rstest]
#[case("unauthorised", &["unauthorized", "answered"], Some("unauthorized"))]
#[case("scpoes", &["scopes", "profile"], Some("scopes"))]
#[case("something-else", &["scopes", "profile"], None)]
fn nearest_names(#[case] wrong: &str, #[case] names: &[&str], #[case] expected: Option<&str>) {
    assert_eq!(nearest(wrong, names.iter().copied()), expected);
}

proptest! {
    /// On any release, published or not, every cell that is asked has exactly one rule.
    #[test]
    fn the_table_is_total_on_any_release(month in 3u8..=12, patch in 0u16..=40, year in 2026u16..=2030) {
        let release: crate::release::Version = format!("{year}.{month}.{patch}").parse().unwrap();
        for cell in crate::plan::cells(catalogue()) {
            if cell.scenario.since.as_ref().is_some_and(|since| release < *since) {
                continue;
            }
            let rules = cell.scenario.rules.iter().filter(|rule| rule.holds(&release, &cell.combination())).count();
            prop_assert_eq!(rules, 1, "{} on {}", cell.id(), release);
        }
    }
}

/// Ids are unique and read back to the same combination.
#[test]
fn cell_ids_are_stable() {
    let mut seen = BTreeSet::new();
    for cell in crate::plan::cells(catalogue()) {
        let id = cell.id();
        let parts: Vec<(&str, &str)> = crate::cell_id::CellId::of(&id).values().collect();
        assert_eq!(parts, cell.axes().collect::<Vec<_>>());
        assert!(seen.insert(id.clone()), "{id} is there twice");
    }
}

/// What is refused because of its size or its place, before it is read or made.
#[rstest]
#[case::link("fixtures/requests/chat-ping.json", "it is not below fixtures/")]
#[case::large("scenarios/large.toml", "a file of data may have 16777216")]
#[case::pipe("scenarios/pipe.toml", "it is no regular file")]
#[case::device("scenarios/zero.toml", "it is no regular file")]
fn files_that_are_not_read(#[case] name: &str, #[case] told: &str) {
    let folder = copied();
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let _ = std::fs::remove_file(&path);
    match name {
        "scenarios/large.toml" => {
            let file = std::fs::File::create(&path).unwrap();
            file.set_len(16 * 1024 * 1024 + 1).unwrap();
        }
        "scenarios/pipe.toml" => {
            let made = std::process::Command::new("mkfifo").arg(&path).status();
            assert!(made.unwrap().success());
        }
        "scenarios/zero.toml" => std::os::unix::fs::symlink("/dev/zero", &path).unwrap(),
        _ => std::os::unix::fs::symlink("/etc/hostname", &path).unwrap(),
    }
    let data = Data::Folder(folder.path().to_path_buf());
    let found = Catalogue::load(&data).unwrap_err().render(false);
    assert!(found.contains(told), "{found}");
}
