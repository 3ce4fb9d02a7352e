//! A device's identity: its key pair, and how it signs a connect request.
//!
//! A frame says `{"$device": {"key": "NAME"}}` where the device's identity belongs, and `{"$device-id": "NAME"}` where only its id
//! does. The same name is the same device. Everything else about the identity is as a sound client makes it, unless the frame says
//! otherwise:
//!
//! - `by`: the name of another key pair that signs;
//! - `format`: the format of the signature, `v2` or `v3`;
//! - `age`: how many seconds ago it was signed;
//! - `signed`: what is signed instead, by name (`scopes`, `token`, `nonce`, ...);
//! - `sent`: what is sent instead, by name (`id`, `publicKey`, `signature`, `signedAt`, `nonce`); `null` leaves it out.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::frame::{self, only};

/// Stands for an identity.
const DEVICE: &str = "$device";

/// What a frame says about the device that sends it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    key: String,
    by: Option<String>,
    #[serde(default)]
    format: Format,
    #[serde(default)]
    age: i64,
    #[serde(default)]
    signed: BTreeMap<String, String>,
    #[serde(default)]
    sent: Map<String, Value>,
}

/// What a signature is made over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    /// Of every release.
    #[default]
    V2,
    /// Binds the client's platform and device family, too.
    V3,
}

/// Puts the identity where a frame asks for it, and what else stands for something.
///
/// `nonce` is what the gateway's challenge holds, `now` the time in milliseconds since 1970.
///
/// # Errors
/// What is wrong with what the frame says about a device.
pub(super) fn identify(frame: &mut Value, nonce: &str, now: i64) -> Result<(), String> {
    let told = frame.pointer("/params/device").and_then(only(DEVICE));
    if let Some(told) = told {
        let told = Told::deserialize(told)
            .map_err(|error| format!("what a frame says about its device: {error}"))?;
        let device = signed(&told, &frame["params"], nonce, now)?;
        frame["params"]["device"] = device;
    }
    frame::put(frame)
}

/// The key pair of the device that has this name.
fn key_pair(name: &str) -> Result<Ed25519KeyPair, String> {
    let seed = digest(&SHA256, format!("device {name}").as_bytes());
    Ed25519KeyPair::from_seed_unchecked(seed.as_ref())
        .map_err(|error| format!("no key pair for the device {name}: {error}"))
}

/// The id of the device that has this name.
pub(super) fn id_of(name: &str) -> Result<String, String> {
    key_pair(name).map(|keys| id(&keys))
}

/// A device is called by the fingerprint of its key.
fn id(keys: &Ed25519KeyPair) -> String {
    let fingerprint = digest(&SHA256, keys.public_key().as_ref());
    let bytes = fingerprint.as_ref().iter();
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// The identity as it is sent with these parameters of a connect request.
fn signed(told: &Told, params: &Value, nonce: &str, now: i64) -> Result<Value, String> {
    let keys = key_pair(&told.key)?;
    let signed_at = now - told.age * 1000;
    let text = |pointer: &str| params.pointer(pointer).and_then(Value::as_str);
    let own = |pointer: &str| text(pointer).unwrap_or_default().to_owned();
    let token = ["token", "deviceToken", "bootstrapToken"]
        .iter()
        .find_map(|name| text(&format!("/auth/{name}")));
    let scopes = params["scopes"].as_array().into_iter().flatten();
    let scopes: Vec<&str> = scopes.filter_map(Value::as_str).collect();
    let fields = [
        ("deviceId", id(&keys)),
        ("clientId", own("/client/id")),
        ("clientMode", own("/client/mode")),
        ("role", own("/role")),
        ("scopes", scopes.join(",")),
        ("signedAt", signed_at.to_string()),
        ("token", token.unwrap_or_default().to_owned()),
        ("nonce", nonce.to_owned()),
        ("platform", own("/client/platform").to_ascii_lowercase()),
        (
            "deviceFamily",
            own("/client/deviceFamily").to_ascii_lowercase(),
        ),
    ];
    if let Some(unknown) = told
        .signed
        .keys()
        .find(|name| !fields.iter().any(|(known, _)| known == name))
    {
        return Err(format!("a device signs no {unknown}"));
    }
    let (version, fields) = match told.format {
        Format::V2 => ("v2", &fields[..8]),
        Format::V3 => ("v3", &fields[..]),
    };
    let parts = fields
        .iter()
        .map(|(name, own)| told.signed.get(*name).unwrap_or(own).as_str());
    let payload: Vec<&str> = std::iter::once(version).chain(parts).collect();
    let signer = key_pair(told.by.as_ref().unwrap_or(&told.key))?;
    let signature = signer.sign(payload.join("|").as_bytes());
    let mut device = json!({
        "id": id(&keys),
        "publicKey": URL_SAFE_NO_PAD.encode(keys.public_key()),
        "signature": URL_SAFE_NO_PAD.encode(signature),
        "signedAt": signed_at,
        "nonce": nonce,
    });
    for (name, instead) in &told.sent {
        match (device.get_mut(name), instead) {
            (None, _) => return Err(format!("a device sends no {name}")),
            (Some(_), Value::Null) => drop(device.as_object_mut().and_then(|all| all.remove(name))),
            (Some(own), instead) => *own = instead.clone(),
        }
    }
    Ok(device)
}

#[cfg(test)]
mod tests;
