use super::*;

fn point(kind: PointKind, within: Option<u32>, text: &str) -> MapPoint {
    MapPoint {
        region: 0,
        kind,
        line: 1,
        lines: 1,
        function: Some("authorize".to_owned()),
        owner: None,
        within,
        text: text.to_owned(),
        digest: (kind == PointKind::Function).then(|| text.to_owned()),
    }
}

/// A function with an `if`, and another one that nobody calls, with an `if` in it.
fn map(text: &str) -> Map {
    let region = MapRegion {
        name: "src/gateway/auth.ts".to_owned(),
        file: "dist/a.mjs".to_owned(),
        line: 7,
        depth: 1,
        text: String::new(),
    };
    Map {
        parsed: 1,
        regions: vec![region],
        points: vec![
            point(PointKind::Function, None, text),
            point(PointKind::Then, Some(0), "return no"),
            point(PointKind::Else, Some(0), "not: ok"),
            point(PointKind::Function, None, "never called"),
            point(PointKind::Then, Some(3), "nor this"),
        ],
        mutants: Vec::new(),
        held: Vec::new(),
    }
}

fn line(place: &str, port: u16, nth: usize, points: &[u32]) -> String {
    let line = serde_json::json!({ "place": place, "port": port, "nth": nth, "points": points });
    format!("{line}\n")
}

fn coverage(text: &str, traces: &[String]) -> Coverage {
    let map = map(text);
    let mut reach = Reach::new(map.points.len());
    // What comes before a cell's request is sent from a port of its own; 0 is none.
    reach.asked("token", "s/profile=token/n=1", &[0, 4000]);
    reach.asked("token", "s/profile=token/n=2", &[4002, 4000]);
    reach.asked("none", "s/profile=none/n=1", &[4000]);
    for trace in traces {
        reach.read(trace).unwrap();
    }
    let head = CoverageHead::new("openclaw@2026.9.6", "2026.9.6", "acorn 8".to_owned());
    let ranks = Ranks::new(&["src/gateway/auth*.ts".to_owned()]).unwrap();
    Coverage::new(head, &map, &reach, &ranks)
}

/// A cell is known by the launch, the port and which request over it.
#[test]
fn a_request_belongs_to_the_cell_that_asked() {
    let trace = [
        line("/tmp/run/token/workspace", 4000, 1, &[0, 1]),
        line("/tmp/run/token/workspace", 4002, 0, &[2]),
        line("/tmp/run/none/workspace", 4000, 0, &[0]),
        line("/tmp/run/none/workspace", 4001, 0, &[0]),
        line("/tmp/run/none/workspace", 0, 0, &[0]),
    ];
    let coverage = coverage("a", &[trace.concat()]);
    let points = &coverage.regions[0].points;
    assert_eq!(
        coverage.cells_of(points[0].cells, 9),
        ["s/profile=token/n=2", "s/profile=none/n=1"]
    );
    assert_eq!(
        coverage.cells_of(points[1].cells, 9),
        ["s/profile=token/n=2"]
    );
    assert_eq!(
        coverage.cells_of(points[2].cells, 9),
        ["s/profile=token/n=2"]
    );
    // What no cell is known for is the launch's, and a request is not its start.
    assert_eq!(coverage.size(points[0].launches), 1);
    assert_eq!(coverage.size(points[0].others), 1);
    assert_eq!((points[1].launches, points[1].others), (None, None));
    assert_eq!(coverage.total.functions, (1, 2));
    assert_eq!(coverage.total.branches, (2, 3));
    let json = serde_json::to_vec(&coverage).unwrap();
    assert_eq!(Coverage::read(&json).unwrap(), coverage);
}

/// Only the outermost point counts: what lies behind cannot be reached either.
#[test]
fn what_nobody_reached_is_told_once_and_what_is_passed_by_first() {
    let trace = line("/tmp/run/token/workspace", 4000, 0, &[0, 2]);
    let coverage = coverage("a", &[trace]);
    let told: Vec<(&str, usize, usize)> = coverage
        .unreached
        .iter()
        .map(|one| (one.text.as_str(), one.passed_by, one.behind))
        .collect();
    assert_eq!(told, [("return no", 1, 0), ("never called", 0, 1)]);
}

/// A gateway may be killed while it writes.
#[test]
fn a_line_that_was_cut_off_is_passed_over_and_one_that_is_wrong_is_not() {
    let whole = line("/tmp/run/token/workspace", 4000, 0, &[0]);
    let coverage = coverage("a", &[format!("{whole}{{\"place\":\"/tm")]);
    assert_eq!(coverage.total.functions.0, 1);
    let mut reach = Reach::new(1);
    let error = reach.read(&format!("{whole}nonsense\n")).unwrap_err();
    assert!(
        error.to_string().starts_with("line 2 of a trace"),
        "{error}"
    );
}

#[test]
fn what_differs_between_two_releases_is_told_with_the_cells_that_come_by() {
    let trace = [line("/tmp/run/token/workspace", 4000, 0, &[0])];
    let (before, mut after) = (coverage("a", &trace), coverage("b", &trace));
    after.regions[0].points[3].function = Some("renamed".to_owned());
    let change = CoverageChange::between(&before, &after);
    let told: Vec<(&str, FunctionChange, usize)> = change
        .functions
        .iter()
        .map(|one| (one.function.as_str(), one.change, one.cells))
        .collect();
    assert_eq!(
        told,
        [
            ("authorize", FunctionChange::Changed, 1),
            ("renamed", FunctionChange::Added, 0),
            ("authorize", FunctionChange::Removed, 0),
        ]
    );
    assert_eq!(CoverageChange::between(&before, &before).functions, []);
}

#[test]
fn a_document_of_another_format_is_refused() {
    let coverage = coverage("a", &[]);
    let mut json = serde_json::to_value(&coverage).unwrap();
    json["schema"] = "clawgauge.coverage/9".into();
    let error = Coverage::read(json.to_string().as_bytes()).unwrap_err();
    assert!(error.contains("clawgauge.coverage/9"), "{error}");
}
