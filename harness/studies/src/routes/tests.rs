//! What counts as a path, and what answers mean.

use rstest::rstest;

use super::paths::{literals, named, route};
use super::*;
use contract::data::Data;
use contract::scenario::{Catalogue, RouteRules};

#[rstest]
#[case::plain("/v1/models", Some(("/v1/models", false)))]
#[case::prefix("/v1/models/", Some(("/v1/models", true)))]
#[case::wildcard("/assets/*", Some(("/assets", true)))]
#[case::query("/desktop/observe?token=:x", Some(("/desktop/observe", false)))]
#[case::parameter("/sessions/:sessionKey/history", Some(("/sessions/:x/history", false)))]
#[case::angle("/avatar/<agentId>", Some(("/avatar/:x", false)))]
#[case::brace("/v1/models/{id}", Some(("/v1/models/:x", false)))]
#[case::partly("/a/.staging-:x", Some(("/a/:x", false)))]
#[case::root("/", Some(("/", false)))]
#[case::other_host("//example.com/x", None)]
#[case::file("/proc/version", None)]
#[case::only_a_name("/:x", None)]
#[case::module("/@scope/name", None)]
#[case::dots("/../x", None)]
#[case::url("https://example.com/x", None)]
fn what_is_a_path(#[case] text: &str, #[case] expected: Option<(&str, bool)>) {
    let files = ["proc".to_owned()];
    let expected = expected.map(|(path, below)| (path.to_owned(), below));
    assert_eq!(route(text, &files), expected);
}

#[rstest]
#[case::compared(r#"if (path === "/ui" || path.startsWith('/ui/')) {"#, &["/ui", "/ui/"])]
#[case::filled("url: `/talk/rooms/${room.id}/x`", &["/talk/rooms/:x/x"])]
#[case::after_a_base("`${base}/api/users/`", &["/api/users/"])]
#[case::comment("/** Handles `/sessions/:key/history`. */", &["/sessions/:key/history"])]
#[case::expression(r"/^\/sessions\/([^/]+)\/kill$/.test(path)", &["/sessions/:x/kill"])]
#[case::board(r"/^\/board\/[^/]+\/index\.html$/", &["/board/:x/index.html"])]
#[case::end(r"/^\/api(?:\/|$)/", &["/api"])]
#[case::choice(r"/^\/(a|b)/", &["/:x"])]
#[case::words(r#"throw new Error("/new takes no argument")"#, &[])]
#[case::url(r#"fetch("https://example.com/v1")"#, &[])]
#[case::fraction("a / b / c", &[])]
fn what_a_script_names(#[case] line: &str, #[case] expected: &[&str]) {
    assert_eq!(literals(line), expected);
}

#[rstest]
#[case::method("| `POST /v1/responses` | yes |", &["/v1/responses"])]
#[case::method_apart("Send `GET` `/avatar/<agentId>`.", &["/avatar/<agentId>"])]
#[case::host("curl http://127.0.0.1:18789/healthz.", &["/healthz"])]
#[case::other_host("curl https://api.example.com/v1/models", &[])]
#[case::host_alone("--url wss://127.0.0.1:18789 --password-file ~/.openclaw/password", &[])]
#[case::command("Type /new or WIDGET /x.", &[])]
fn what_the_documentation_names(#[case] line: &str, #[case] expected: &[&str]) {
    assert_eq!(named(line, &["127.0.0.1".to_owned()]), expected);
}

fn rules() -> (Catalogue, RouteRules) {
    let catalogue = Catalogue::load(&Data::Embedded).unwrap();
    let rules = RouteRules::load(&catalogue).unwrap();
    (catalogue, rules)
}

#[test]
fn code_counts_where_requests_come_in_and_where_routes_are_registered() {
    let (_, rules) = rules();
    let piece = |region, file, text| Piece {
        region,
        file,
        line: 10,
        text,
    };
    let pieces = [
        piece(
            Some("src/gateway/server-http.ts"),
            "a.mjs",
            "x\nif (p === \"/tools/invoke\") {",
        ),
        piece(
            Some("src/gateway/github-x.ts"),
            "a.mjs",
            "get(\"/user/repos\")",
        ),
        piece(
            Some("extensions/p/index.ts"),
            "b.mjs",
            "api.registerHttpRoute({\n\tpath: PREFIX,\n});\nx(\"/else\")",
        ),
        piece(
            Some("extensions/p/paths.ts"),
            "b.mjs",
            "const PREFIX = \"/plugins/p/\";",
        ),
        piece(None, "docs/x.md", "`POST /tools/invoke`\n`GET /documented`"),
    ];
    let wanted = Wanted::new(&rules.inventory).unwrap();
    let found = inventory(&pieces, &rules.inventory, &wanted);
    let paths: Vec<&str> = found.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "/documented",
            "/plugins/p",
            "/plugins/p/:x",
            "/tools/invoke"
        ]
    );
    let places: Vec<String> = found[3].sources.iter().map(RouteSource::place).collect();
    assert_eq!(
        places,
        ["a.mjs:11 (src/gateway/server-http.ts)", "docs/x.md:10"]
    );
}

fn reply(status: u16) -> Option<Reply> {
    Some(Reply {
        status,
        says: status.to_string(),
        tells_secret: false,
        body: String::new(),
    })
}

/// A route that is asked in one spelling, beside one that nobody serves.
fn judged(path: &str, spelling: usize, replies: [u16; 3], change: impl Fn(&mut Asked)) -> Routes {
    let (catalogue, rules) = rules();
    let asked = |route, [absent, wrong, right]: [u16; 3]| Asked {
        profile: "token".to_owned(),
        open: false,
        route,
        method: "GET".to_owned(),
        spelling,
        target: path.to_owned(),
        absent: reply(absent),
        wrong: reply(wrong),
        right: reply(right),
    };
    let mut one = asked(Some(0), replies);
    change(&mut one);
    let found = vec![Found {
        path: path.to_owned(),
        sources: Vec::new(),
    }];
    let public = rules.public_on(&"2026.9.6".parse().unwrap());
    let asked = [asked(None, [404; 3]), one];
    judge("g", found, &asked, &rules, &public, &catalogue)
}

#[rstest]
#[case::guarded("/x", [401, 401, 200], RouteVerdict::Guarded)]
#[case::denied("/x", [401, 401, 401], RouteVerdict::Denied)]
#[case::too_many("/x", [401, 401, 429], RouteVerdict::Denied)]
#[case::nothing("/x", [404, 404, 404], RouteVerdict::Nothing)]
#[case::open("/x", [200, 200, 200], RouteVerdict::Open)]
#[case::redirected("/x", [302, 401, 200], RouteVerdict::Open)]
#[case::wrong_is_let_in("/x", [401, 204, 200], RouteVerdict::Open)]
#[case::tells("/x", [403, 401, 200], RouteVerdict::Tells)]
#[case::fails("/x", [500, 401, 200], RouteVerdict::Tells)]
#[case::public("/healthz", [200, 200, 200], RouteVerdict::Public)]
#[case::public_but_not_so("/healthz", [302, 200, 200], RouteVerdict::Open)]
fn what_answers_mean(#[case] path: &str, #[case] replies: [u16; 3], #[case] verdict: RouteVerdict) {
    let routes = judged(path, 0, replies, |_| {});
    assert_eq!(routes.routes[0].verdict, verdict);
    assert_eq!(routes.routes[0].findings.is_empty(), !verdict.is_wrong());
    // Whatever the spelling, what is wrong is wrong; but it names no other route.
    let routes = judged(path, 3, replies, |_| {});
    let expected = match verdict.is_wrong() {
        true => verdict,
        false => RouteVerdict::Nothing,
    };
    assert_eq!(routes.routes[0].verdict, expected);
}

#[test]
fn a_secret_is_told_to_nobody_and_mode_none_lets_in() {
    let tells = |one: &mut Asked| one.absent.as_mut().unwrap().tells_secret = true;
    let routes = judged("/healthz", 0, [200; 3], tells);
    assert_eq!(routes.routes[0].verdict, RouteVerdict::Open);
    assert_eq!(routes.routes[0].findings[0].kind, FindingKind::Secret);
    let open = |one: &mut Asked| one.open = true;
    let routes = judged("/x", 0, [200; 3], open);
    assert_eq!(routes.routes[0].verdict, RouteVerdict::Denied);
}

#[test]
fn new_is_what_neither_a_scenario_nor_the_list_knows() {
    let is_new = |path: &str, replies| judged(path, 0, replies, |_| {}).routes[0].new;
    assert!(is_new("/x", [401, 401, 200]));
    assert!(!is_new("/x", [404; 3]));
    assert!(!is_new("/healthz", [200; 3]));
    assert!(!is_new("/tools/invoke", [401, 401, 200]));
    assert!(!is_new("/sessions/:x/kill", [401, 401, 200]));
    let unused = judged("/x", 0, [401; 3], |_| {}).unused;
    assert!(unused.contains(&"/healthz".to_owned()));
}

#[test]
fn a_difference_names_what_came_went_and_changed() {
    let ask = |path: &str, replies| {
        let mut routes = judged(path, 0, replies, |_| {});
        routes.profiles = vec!["token".to_owned()];
        routes
    };
    let change = |a: &Routes, b: &Routes| {
        let change = RoutesChange::between(a, b);
        let counts = (change.came.len(), change.went.len(), change.changed.len());
        (counts, change.worse().count())
    };
    let guarded = ask("/x", [401, 401, 200]);
    let open = ask("/x", [200; 3]);
    assert_eq!(change(&guarded, &guarded), ((0, 0, 0), 0));
    assert_eq!(change(&guarded, &open), ((0, 0, 1), 1));
    assert_eq!(change(&open, &guarded), ((0, 0, 1), 0));
    assert_eq!(change(&guarded, &ask("/y", [200; 3])), ((1, 1, 0), 1));
    // Of what was not asked only the names are compared.
    let named = Routes {
        profiles: Vec::new(),
        ..open
    };
    assert_eq!(change(&guarded, &named), ((0, 0, 0), 0));
}
