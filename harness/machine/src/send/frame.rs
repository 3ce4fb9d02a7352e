//! A frame of a request's body: what stands in it for something else, and how it is sent.
//!
//! `{"$device-id": "NAME"}` stands for the id of a device ([`super::device`]), `{"$letters": 70000}` for a text of that length, so that
//! no file need hold one. `{"$silence": 30}` in the place of a frame is none: nothing is sent for so many seconds.

use std::time::Duration;

use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::device::id_of;
use contract::exchange::MAX_BODY;

/// Stands for the id of a device.
const DEVICE_ID: &str = "$device-id";
/// Stands for a text of so many letters.
const LETTERS: &str = "$letters";
/// Stands for no frame, and so many seconds.
const SILENCE: &str = "$silence";

/// What an object says that has nothing but this member.
pub(super) fn only(name: &str) -> impl Fn(&Value) -> Option<&Value> {
    move |value| match value {
        Value::Object(members) if members.len() == 1 => members.get(name),
        _ => None,
    }
}

/// Puts ids and long texts where they are asked for, wherever that is in a frame.
///
/// # Errors
/// What is wrong with what the frame asks for.
pub(super) fn put(value: &mut Value) -> Result<(), String> {
    if let Some(name) = only(DEVICE_ID)(value) {
        let name = name
            .as_str()
            .ok_or_else(|| format!("{DEVICE_ID} is no text"))?;
        *value = id_of(name)?.into();
        return Ok(());
    }
    if let Some(count) = only(LETTERS)(value) {
        let count = count.as_u64().and_then(|count| usize::try_from(count).ok());
        let count = count.filter(|count| *count <= MAX_BODY);
        let count = count.ok_or_else(|| format!("{LETTERS} is no number up to {MAX_BODY}"))?;
        *value = "x".repeat(count).into();
        return Ok(());
    }
    if only(SILENCE)(value).is_some_and(|seconds| !seconds.is_u64()) {
        return Err(format!("{SILENCE} is no number of seconds"));
    }
    match value {
        Value::Object(members) => members.values_mut().try_for_each(put),
        Value::Array(items) => items.iter_mut().try_for_each(put),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

/// For how long nothing is sent, where that is what stands in the place of a frame.
pub(super) fn silence(frame: &Value) -> Option<Duration> {
    let seconds = only(SILENCE)(frame)?.as_u64()?;
    Some(Duration::from_secs(seconds))
}

/// A frame as it is sent: its JSON; of one that is a text only the text, which need not be JSON.
pub(super) fn message(frame: &Value) -> Message {
    match frame {
        Value::String(text) => Message::text(text.as_str()),
        frame => Message::text(frame.to_string()),
    }
}
