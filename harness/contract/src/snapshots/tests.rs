//! Snapshot files: what is written is read back, insta reads it too, and what is not a snapshot is refused with its line.

use rstest::rstest;

use super::*;

fn answer(outcome: &str, text: &str) -> Answer {
    Answer {
        outcome: outcome.to_owned(),
        text: text.to_owned(),
        line: 0,
    }
}

fn snapshot() -> Snapshot {
    let no = answer(
        "unauthorized",
        "status: 401\nmodel-calls: 0\nbody: text\n  no\n",
    );
    let cells = [
        ("credential=absent/scopes=read".to_owned(), no.clone()),
        ("credential=absent/scopes=write".to_owned(), no),
        (
            "credential=valid/scopes=read".to_owned(),
            answer("answered", "status: 200\nmodel-calls: 1\nbody: empty\n"),
        ),
    ];
    Snapshot {
        scenario: "chat".to_owned(),
        profile: "token".to_owned(),
        since: "2026.4.1".parse().unwrap(),
        cells: cells.into_iter().collect(),
    }
}

fn without_lines(mut snapshot: Snapshot) -> Snapshot {
    let cells = snapshot.cells.iter();
    let cells = cells.map(|(key, before)| (key, answer(&before.outcome, &before.text)));
    snapshot.cells = cells.collect();
    snapshot
}

fn file(text: &str) -> SourceFile {
    SourceFile::new("snapshots/chat/token.since-2026.4.1.snap", text)
}

/// Few keys are a list and many an automaton: nobody can tell which.
#[rstest]
#[case(0)]
#[case(999)]
#[case(1000)]
#[case(1001)]
#[case(2500)]
fn few_cells_and_many_are_alike(#[case] count: usize) {
    let keys: Vec<String> = (0..count).map(|index| format!("cell={index:05}")).collect();
    let answers: Vec<Answer> = ["one", "two"].map(|text| answer("o", text)).to_vec();
    let in_order = |keys: &[String]| {
        let cells = keys.iter().enumerate();
        let cells = cells.map(|(index, key)| (key.as_str(), index % 2));
        SnapshotCells::in_order(cells, answers.clone())
    };
    let cells = in_order(&keys).unwrap();
    assert_eq!((cells.len(), cells.is_empty()), (count, count == 0));
    let all = keys
        .iter()
        .enumerate()
        .map(|(index, key)| (key.clone(), &answers[index % 2]));
    assert!(cells.iter().eq(all));
    assert!(
        keys.iter()
            .enumerate()
            .all(|(index, key)| cells.get(key) == Some(&answers[index % 2]))
    );
    assert_eq!(cells.get("cell=99999"), None);
    for at in 1..count {
        if [1, 998, 999, 1000, count - 1].contains(&at) {
            let mut wrong = keys.clone();
            wrong.swap(at - 1, at);
            assert!(in_order(&wrong).is_none(), "{at}");
        }
    }
}

#[test]
fn what_is_written_is_read_back() {
    let text = snapshot().render();
    let read = Snapshot::parse(&file(&text)).unwrap();
    assert_eq!(
        text.lines()
            .nth(read.cells.get("credential=valid/scopes=read").unwrap().line - 1),
        Some("== answer 2: answered")
    );
    assert_eq!(without_lines(read), snapshot());
}

#[test]
fn insta_reads_the_same_contents() {
    let folder = tempfile::tempdir().unwrap();
    let text = snapshot().render();
    let contents = text.splitn(3, "---\n").nth(2).unwrap().to_owned();
    std::fs::write(folder.path().join("token.since-2026.4.1.snap"), &text).unwrap();
    insta::with_settings!({ snapshot_path => folder.path(), prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("token.since-2026.4.1", contents);
    });
}

#[rstest]
#[case("credential=absent\n", "not a cell and the number of its answer")]
#[case(
    "credential=absent  3\n== answer 1: x\nstatus: 1\n",
    "there is no answer 3"
)]
#[case("a=b  1\na=b  1\n== answer 1: x\nstatus: 1\n", "listed twice")]
#[case("a=b  1\n== answer 1\n", "a heading without an outcome")]
fn what_is_no_snapshot_is_refused(#[case] contents: &str, #[case] message: &str) {
    let error = Snapshot::parse(&file(&format!("---\nsource: x\n---\n{contents}")))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(message) && error.starts_with("snapshots/chat/token.since-2026.4.1.snap:"),
        "{error}"
    );
}

#[test]
fn pending_files_are_found_and_accepted() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("snapshots")).unwrap();
    let path = Snapshots::load(&Data::Folder(folder.path().to_path_buf()))
        .unwrap()
        .write_pending(&snapshot())
        .unwrap();
    assert_eq!(path, "snapshots/chat/token.since-2026.4.1.snap.new");
    let snapshots = Snapshots::load(&Data::Folder(folder.path().to_path_buf())).unwrap();
    assert_eq!(
        snapshots.iter().count(),
        0,
        "a pending snapshot is not an accepted one"
    );
    let pending = snapshots.pending().unwrap();
    assert_eq!(
        snapshots.accept(&pending[0], None).unwrap(),
        "snapshots/chat/token.since-2026.4.1.snap"
    );
    let snapshots = Snapshots::load(&Data::Folder(folder.path().to_path_buf())).unwrap();
    assert!(snapshots.pending().unwrap().is_empty());
    assert_eq!(
        without_lines(snapshots.iter().next().unwrap().clone()),
        snapshot()
    );
}
