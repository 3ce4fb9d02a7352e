use ring::signature::{ED25519, UnparsedPublicKey};
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_790_000_000_000;

fn connect(device: &Value) -> Value {
    json!({ "method": "connect", "params": {
        "client": { "id": "cli", "mode": "cli", "platform": "Linux" },
        "role": "operator", "scopes": ["operator.read", "operator.write"], "auth": { "token": "secret" },
        "device": { "$device": device },
    } })
}

/// The device as sent, and whether it signed this.
fn sent(device: &Value, payload: &str) -> (Value, bool) {
    let mut frame = connect(device);
    identify(&mut frame, "nonce", NOW).expect("an identity");
    let device = frame["params"]["device"].clone();
    let bytes = |name: &str| {
        let text = device[name].as_str().unwrap_or_default();
        URL_SAFE_NO_PAD.decode(text).expect("base64url")
    };
    let payload = payload.replace("ID", &id(&key_pair("one").expect("a key pair")));
    let signed = UnparsedPublicKey::new(&ED25519, bytes("publicKey"))
        .verify(payload.as_bytes(), &bytes("signature"))
        .is_ok();
    (device, signed)
}

#[rstest]
#[case::all_releases(
    json!({ "key": "one" }),
    "v2|ID|cli|cli|operator|operator.read,operator.write|1790000000000|secret|nonce"
)]
#[case::with_platform(
    json!({ "key": "one", "format": "v3" }),
    "v3|ID|cli|cli|operator|operator.read,operator.write|1790000000000|secret|nonce|linux|"
)]
#[case::signed_instead(
    json!({ "key": "one", "signed": { "scopes": "operator.read", "token": "" } }),
    "v2|ID|cli|cli|operator|operator.read|1790000000000||nonce"
)]
#[case::signed_long_ago(
    json!({ "key": "one", "age": 600 }),
    "v2|ID|cli|cli|operator|operator.read,operator.write|1789999400000|secret|nonce"
)]
fn a_device_signs(#[case] device: Value, #[case] payload: &str) {
    let (sent, signed) = sent(&device, payload);
    assert!(signed, "{sent}");
    assert_eq!(sent["nonce"], "nonce");
}

/// Another key's signature is one, and not this device's.
#[test]
fn another_may_sign() {
    let payload = "v2|ID|cli|cli|operator|operator.read,operator.write|1790000000000|secret|nonce";
    let (forged, signed) = sent(&json!({ "key": "one", "by": "two" }), payload);
    assert!(!signed);
    let length = URL_SAFE_NO_PAD.decode(forged["signature"].as_str().unwrap_or_default());
    assert_eq!(length.map(|bytes| bytes.len()), Ok(64));
}

#[test]
fn what_is_sent_instead_is_sent() {
    let device = json!({ "key": "one", "sent": { "nonce": null, "id": "0123" } });
    let (sent, _) = sent(&device, "");
    assert_eq!((sent.get("nonce"), &sent["id"]), (None, &json!("0123")));
}

#[test]
fn a_name_is_a_device() {
    let mut frame = json!({ "params": { "of": [{ "$device-id": "one" }, { "$device-id": "one" }, { "$device-id": "two" }] } });
    identify(&mut frame, "", NOW).expect("ids");
    let of = &frame["params"]["of"];
    assert_eq!(of[0], of[1]);
    assert_ne!(of[0], of[2]);
    assert_eq!(of[0].as_str().map(str::len), Some(64));
}

#[rstest]
#[case::unknown(json!({ "key": "one", "signs": {} }), "unknown field `signs`")]
#[case::signs(json!({ "key": "one", "signed": { "scope": "" } }), "a device signs no scope")]
#[case::no_text(json!({ "key": "one", "signed": { "signedAt": 1 } }), "expected a string")]
#[case::sends(json!({ "key": "one", "sent": { "key": "" } }), "a device sends no key")]
fn what_makes_no_sense_is_told(#[case] device: Value, #[case] problem: &str) {
    let error = identify(&mut connect(&device), "", NOW).expect_err("nonsense");
    assert!(error.contains(problem), "{error}");
}

#[test]
fn a_long_text_stands_there_by_its_length() {
    let mut frame = json!({ "params": { "of": { "$letters": 70_000 }, "more": { "$letters": 1, "not": "alone" } } });
    identify(&mut frame, "", NOW).expect("letters");
    assert_eq!(frame["params"]["of"].as_str().map(str::len), Some(70_000));
    assert_eq!(frame["params"]["more"]["$letters"], 1);
    for count in [json!("many"), json!(-1), json!(u64::MAX)] {
        let mut frame = json!({ "of": { "$letters": count } });
        let error = identify(&mut frame, "", NOW).expect_err("nonsense");
        assert!(error.starts_with("$letters is no number"), "{error}");
    }
    let error = identify(&mut json!({ "$silence": "long" }), "", NOW).expect_err("nonsense");
    assert_eq!(error, "$silence is no number of seconds");
}
