//! The choice of cells over the project's own tables.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::attach::{Address, Limits};
use contract::data::Data;
use rstest::rstest;

fn catalogue() -> Catalogue {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap();
    Catalogue::load(&Data::Folder(root.to_path_buf())).unwrap()
}

fn options(credential: Option<&str>, models: u32) -> AttachOptions {
    AttachOptions {
        address: Address {
            reference: "http://127.0.0.1:1".to_owned(),
            socket: "127.0.0.1:1".parse().unwrap(),
            host: "127.0.0.1:1".to_owned(),
            certified: None,
            loopback: true,
        },
        credential: credential.map(|secret| secret.to_owned().into()),
        identity: Vec::new(),
        tls: None,
        headers: Vec::new(),
        mode: None,
        release: None,
        newest: "2026.9.6".parse().unwrap(),
        limits: Limits {
            requests: 300,
            pause: Duration::ZERO,
            wrong: 8,
            model_calls: models,
            timeout: Duration::from_secs(1),
        },
        known_issues: None,
    }
}

fn asked(mode: Mode, options: &AttachOptions) -> Vec<Choice> {
    let catalogue = catalogue();
    let safety = Safety::new(&catalogue);
    let mut choices = select(&catalogue, &Capabilities::of(mode), options, &safety);
    choices.retain(Choice::is_asked);
    choices
}

/// Which proxies stand before somebody's gateway is not for clawgauge to say.
#[rstest]
fn cells_about_proxies_are_left_out(
    #[values(Mode::None, Mode::Token, Mode::TrustedProxy)] mode: Mode,
) {
    let catalogue = catalogue();
    let safety = Safety::new(&catalogue);
    let choices = select(
        &catalogue,
        &Capabilities::of(mode),
        &options(Some("x"), 9),
        &safety,
    );
    let about_proxies: Vec<&Choice> = choices
        .iter()
        .filter(|choice| choice.cell.way() != Way::AsProxy)
        .collect();
    assert!(!about_proxies.is_empty());
    for choice in about_proxies {
        let why = choice.what.as_ref().unwrap_err();
        assert!(why.contains("proxies that clawgauge starts"), "{why}");
    }
}

/// What may be asked of the routes to the model is listed here one by one: a new body must be thought about.
#[rstest]
#[case(Mode::None, None)]
#[case(Mode::Closed, None)]
#[case(Mode::Token, Some("hunter2"))]
#[case(Mode::TrustedProxy, None)]
fn no_body_that_a_model_would_answer(#[case] mode: Mode, #[case] credential: Option<&str>) {
    let chosen = asked(mode, &options(credential, 0));
    assert!(chosen.len() > 20, "{}", chosen.len());
    for choice in chosen {
        let request = written(&choice.cell);
        let harmless = match (request.method.as_str(), request.target.as_str()) {
            ("POST", "/v1/chat/completions") => {
                ["", r#"{"model":"openclaw:main","messages":[]}"#].contains(&request.body.trim())
                    || serde_json::from_str::<serde_json::Value>(&request.body).is_err()
            }
            ("POST", "/v1/responses" | "/v1/embeddings") => false,
            ("POST", "/tools/invoke") => request.body.contains("no_such_tool"),
            ("POST", path) => [
                "/v1/nothing-here",
                "/health",
                "/healthz",
                "/startup",
                "/startupz",
            ]
            .contains(&path),
            ("GET" | "HEAD" | "OPTIONS", _) => true,
            _ => false,
        };
        assert!(harmless, "{} {request:?}", choice.cell.id());
    }
}

#[test]
fn model_calls_as_many_as_permitted() {
    let chosen = asked(Mode::None, &options(None, 3));
    let models = chosen
        .iter()
        .filter(|choice| choice.asked() == Some(Chosen::Model));
    assert_eq!(models.count(), 3);
}

#[rstest]
#[case(Mode::Closed, None, 2)]
#[case(Mode::Token, Some("hunter2"), 8)]
fn wrong_credentials(#[case] mode: Mode, #[case] credential: Option<&str>, #[case] most: usize) {
    let chosen = asked(mode, &options(credential, 0));
    let wrong: Vec<&Choice> = chosen
        .iter()
        .filter(|choice| choice.asked() == Some(Chosen::Wrong))
        .collect();
    assert_eq!(wrong.len(), most);
    let scenarios: BTreeSet<&str> = wrong
        .iter()
        .map(|choice| choice.cell.scenario.id.as_str())
        .collect();
    assert!(scenarios.len() > 1, "{scenarios:?}");
}

/// A route that is switched off is not asked by another spelling either: what answers there may be the Control UI.
#[test]
fn no_route_that_is_off() {
    let catalogue = catalogue();
    let off = Capabilities {
        off: BTreeSet::from(["/v1/models"]),
        ..Capabilities::of(Mode::Token)
    };
    let options = options(Some("hunter2"), 0);
    let choices = select(&catalogue, &off, &options, &Safety::new(&catalogue));
    let asked = choices.iter().filter(|choice| choice.is_asked());
    let ids: Vec<String> = asked.map(|choice| choice.cell.id()).collect();
    assert!(!ids.is_empty());
    let models = ["endpoint=models/", "dot-segments", "trailing-slash"];
    assert!(
        !ids.iter()
            .any(|id| models.iter().any(|part| id.contains(part))),
        "{ids:?}"
    );
}

#[test]
fn no_secret_in_a_query() {
    for choice in asked(Mode::Token, &options(Some("hunter2"), 1000)) {
        assert!(
            !written(&choice.cell).target.contains("${"),
            "{}",
            choice.cell.id()
        );
    }
}
