use super::*;
use crate::Paint;
use studies::coverage::{Coverage, CoverageChange, CoverageHead, Map, Ranks, Reach};

const PLAIN: Paint = Paint { color: false };

/// A region of which a cell reaches one branch, and with a text that would be markup.
fn measured() -> (Coverage, Map) {
    let map = serde_json::json!({
        "parsed": 1,
        "regions": [{ "name": "src/gateway/auth.ts", "file": "dist/a.mjs", "line": 3, "depth": 0,
            "text": "function authorize(a) {\n\tif (a) return '<b>';\n\treturn 1;\n}\nfunction never() {\n}" }],
        "points": [
            { "region": 0, "kind": "function", "line": 1, "lines": 4, "function": "authorize", "text": "function authorize", "digest": "1" },
            { "region": 0, "kind": "then", "line": 2, "lines": 1, "function": "authorize", "owner": 0, "within": 0, "text": "return '<b>';" },
            { "region": 0, "kind": "else", "line": 2, "lines": 1, "function": "authorize", "owner": 0, "within": 0, "text": "not: a" },
            { "region": 0, "kind": "function", "line": 5, "lines": 2, "function": "never", "text": "function never() {}", "digest": "2" },
        ],
        "mutants": [], "held": [],
    });
    let map = Map::read(map.to_string().as_bytes()).unwrap();
    let mut reach = Reach::new(4);
    reach.asked("token", "chat/profile=token/x=1", &[4000]);
    let line = "{\"place\":\"/r/token/workspace\",\"port\":4000,\"nth\":0,\"points\":[0,2]}\n";
    reach.read(line).unwrap();
    let head = CoverageHead::new("openclaw@2026.9.6", "2026.9.6", "acorn 8.19.0".to_owned());
    let ranks = Ranks::new(&[]).unwrap();
    (Coverage::new(head, &map, &reach, &ranks), map)
}

#[test]
fn the_terminal_tells_the_sums_and_what_nobody_reached() {
    let text = coverage_text(&measured().0, 9, PLAIN);
    let expected = "reach 1 of 2 functions (50 %), 1 of 2 branches (50 %)";
    assert!(text.contains(expected), "{text}");
    let end = "Never reached, what decides about access first (2 of 2)\n\
        src/gateway/auth.ts:2 authorize: then return '<b>';\n    passed by 1 cell\n\
        src/gateway/auth.ts:5 never: never called\n";
    assert!(text.ends_with(end), "{text}");
    let short = coverage_text(&measured().0, 1, PLAIN);
    assert!(
        short.contains("(1 of 2)") && !short.contains("never called"),
        "{short}"
    );
}

/// What stands in the source is text, and each line says who reaches it.
#[test]
fn the_page_has_the_source_and_who_reaches_it() {
    let (coverage, map) = measured();
    let page = coverage_html(&coverage, &map).unwrap();
    assert!(!page.contains("'<b>'"), "{page}");
    let row = "<td class=\"n\">1</td><td class=\"t\">function authorize(a) {</td><td class=\"w\" title=\"chat/profile=token/x=1\">1 cell</td>";
    assert!(page.contains(row), "{page}");
    assert!(
        page.contains("<tr class=\"miss part\"><td class=\"n\">5</td>"),
        "{page}"
    );
    assert!(page.contains("<b>function never called</b>"), "{page}");
    assert!(
        page.contains("<tr class=\"hit part\"><td class=\"n\">2</td>"),
        "{page}"
    );
}

#[test]
fn a_difference_names_the_cells_that_come_by() {
    let (before, _) = measured();
    let mut after = before.clone();
    for point in &mut after.regions[0].points {
        point.digest = point.digest.as_ref().map(|digest| format!("{digest}x"));
    }
    let text = coverage_change_text(&CoverageChange::between(&before, &after), PLAIN);
    assert!(
        text.contains("2 functions differ, 0 are the same"),
        "{text}"
    );
    assert!(
        text.contains("  changed  authorize (line 1): 1 cell, such as chat/profile=token/x=1"),
        "{text}"
    );
    assert!(
        text.contains("  changed  never (line 5): no cell reaches it"),
        "{text}"
    );
}
