//! What can be taken away, and the search for the least that must stay.

use serde_json::Value;

use contract::request::Written;

pub(super) type Candidate = (String, Box<dyn Fn(&mut Written) + Send>);

/// What can be taken from a request, by name: header lines, then fields of a JSON body that do not hold the canary.
pub(super) fn candidates(request: &Written) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for line in &request.headers {
        let line = line.clone();
        found.push((
            format!(
                "the header {:?}",
                line.split(':').next().unwrap_or_default()
            ),
            Box::new(move |request| {
                if let Some(at) = request.headers.iter().position(|other| *other == line) {
                    request.headers.remove(at);
                }
            }),
        ));
    }
    let Ok(body) = serde_json::from_str::<Value>(&request.body) else {
        return found;
    };
    let mut fields = Vec::new();
    leaves(&body, "", &mut fields);
    for field in fields {
        let canary = body
            .pointer(&field)
            .is_some_and(|value| value.to_string().contains("${canary}"));
        if canary || !body.is_object() {
            continue;
        }
        found.push((
            format!("{} in the body", field[1..].replace('/', ".")),
            Box::new(move |request| {
                if let Ok(mut body) = serde_json::from_str::<Value>(&request.body) {
                    take_out(&mut body, &field);
                    request.body = body.to_string();
                }
            }),
        ));
    }
    found
}

/// JSON pointers of everything that is no table; an empty table and a list count as one.
pub(super) fn leaves(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                leaves(value, &format!("{pointer}/{key}"), found);
            }
        }
        _ if pointer.is_empty() => {}
        _ => found.push(pointer.to_owned()),
    }
}

/// A value with only some of its leaves; tables that lose everything are gone.
pub(super) fn with_leaves(value: &Value, kept: &[String]) -> Value {
    let mut all = Vec::new();
    leaves(value, "", &mut all);
    let mut small = value.clone();
    for leaf in all.iter().filter(|leaf| !kept.contains(leaf)) {
        take_out(&mut small, leaf);
    }
    small
}

/// Takes a leaf out, and the tables that are empty without it.
fn take_out(value: &mut Value, pointer: &str) {
    let Some((parent, key)) = pointer.rsplit_once('/') else {
        return;
    };
    let key = key.replace("~1", "/").replace("~0", "~");
    let Some(Value::Object(table)) = value.pointer_mut(parent) else {
        return;
    };
    table.remove(&key);
    if table.is_empty() {
        take_out(value, parent);
    }
}

/// A small part of the items for which the test still holds; it holds for all of them, and nothing more can be taken from
/// the result alone (delta debugging, after Zeller and Hildebrandt).
pub(super) async fn ddmin<T: Clone + PartialEq>(
    items: &[T],
    mut holds: impl AsyncFnMut(&[T]) -> bool,
) -> Vec<T> {
    if holds(&[]).await {
        return Vec::new();
    }
    let mut rest = items.to_vec();
    let mut parts = 2;
    while rest.len() >= 2 {
        let size = rest.len().div_ceil(parts);
        let chunks: Vec<Vec<T>> = rest.chunks(size).map(<[T]>::to_vec).collect();
        let mut smaller = None;
        for index in 0..chunks.len() {
            let others: Vec<T> = chunks
                .iter()
                .enumerate()
                .filter(|(other, _)| *other != index)
                .flat_map(|(_, chunk)| chunk.clone())
                .collect();
            if holds(&others).await {
                smaller = Some((others, (parts - 1).max(2)));
                break;
            }
        }
        match smaller {
            Some((found, next)) => (rest, parts) = (found, next),
            None if size <= 1 => break,
            None => parts = (parts * 2).min(rest.len()),
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    #[rstest]
    #[case(&[], 1)]
    #[case(&[7], 20)]
    #[case(&[0, 39], 60)]
    #[case(&[3, 4, 5, 20, 31], 120)]
    #[tokio::test]
    async fn finds_exactly_what_is_needed(#[case] needed: &[u32], #[case] at_most: usize) {
        let items: Vec<u32> = (0..40).collect();
        let mut tries = 0;
        let found = ddmin(&items, async |part: &[u32]| {
            tries += 1;
            needed.iter().all(|item| part.contains(item))
        })
        .await;
        assert_eq!(found, needed);
        assert!(tries <= at_most, "{tries} tries");
    }

    #[test]
    fn leaves_come_and_go() {
        let config = json!({ "a": { "b": 1, "c": [1, 2] }, "d/e": { "f": {} }, "g": null });
        let mut found = Vec::new();
        leaves(&config, "", &mut found);
        found.sort();
        assert_eq!(found, ["/a/b", "/a/c", "/d~1e/f", "/g"]);
        let small = with_leaves(&config, &["/a/c".to_owned()]);
        assert_eq!(small, json!({ "a": { "c": [1, 2] } }));
        assert_eq!(with_leaves(&config, &found), config);
        assert_eq!(with_leaves(&config, &[]), json!({}));
    }

    #[test]
    fn the_canary_stays_in_the_body() {
        let request = Written {
            method: "POST".to_owned(),
            target: "/x".to_owned(),
            headers: vec!["A: 1".to_owned(), "A: 2".to_owned()],
            body: r#"{"model":"m","text":"ping ${canary}","more":{"x":1}}"#.to_owned(),
        };
        let names: Vec<String> = candidates(&request)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(names.len(), 4, "{names:?}");
        assert!(!names.iter().any(|name| name.contains("text")));
        let mut smaller = request.clone();
        for (_, candidate) in candidates(&request) {
            candidate(&mut smaller);
        }
        assert_eq!(
            (smaller.headers.len(), smaller.body.as_str()),
            (0, r#"{"text":"ping ${canary}"}"#)
        );
    }
}
