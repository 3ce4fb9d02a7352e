//! What the model says, and which words of a call are the user's last.

use serde::Deserialize;
use serde_json::{Value, json};

use super::canary::last_in;

/// What the model says to everybody.
const REPLY: &str = "pong";

/// An answer of the model.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: &'static str,
    pub(super) content_type: &'static str,
    pub(super) body: String,
    /// The canaries in the words that the call is about.
    pub(super) said: Vec<String>,
    /// The model that the call asks for; empty where it names none.
    pub(super) model: String,
}

impl Reply {
    fn plain(status: &'static str) -> Self {
        Self {
            status,
            content_type: "text/plain",
            body: String::new(),
            said: Vec::new(),
            model: String::new(),
        }
    }

    fn json(body: &Value, said: Vec<String>) -> Self {
        Self {
            status: "200 OK",
            content_type: "application/json",
            body: body.to_string(),
            said,
            model: String::new(),
        }
    }

    /// To a call; whatever is no call of a model is not found.
    pub(super) fn to(method: &str, path: &str, body: &[u8]) -> Self {
        let reply = match (method, path) {
            ("POST", "/v1/chat/completions") => chat(body),
            ("POST", "/v1/embeddings") => embeddings(body),
            _ => return Self::plain("404 Not Found"),
        };
        let reply = reply.unwrap_or_else(|_| Self::plain("400 Bad Request"));
        let named: Named = serde_json::from_slice(body).unwrap_or_default();
        let model = named.model.into_owned();
        Self { model, ..reply }
    }
}

/// The model that a call names.
#[derive(Default, Deserialize)]
struct Named<'a> {
    #[serde(borrow, default)]
    model: std::borrow::Cow<'a, str>,
}

/// Embeds every input as the same three numbers.
fn embeddings(body: &[u8]) -> serde_json::Result<Reply> {
    let body: Value = serde_json::from_slice(body)?;
    let inputs = match &body["input"] {
        Value::Array(inputs) => inputs.clone(),
        one => vec![one.clone()],
    };
    let said = inputs.iter().filter_map(find_canary).collect();
    let data: Vec<_> = (0..inputs.len())
        .map(|index| json!({ "object": "embedding", "index": index, "embedding": [0.5, 0.25, 0.125] }))
        .collect();
    let body = json!({
        "object": "list", "data": data, "model": "fake-embedding",
        "usage": { "prompt_tokens": 1, "total_tokens": 1 },
    });
    Ok(Reply::json(&body, said))
}

/// The parts of a chat request that matter here.
#[derive(Deserialize)]
struct ChatRequest {
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    messages: Vec<Message>,
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    role: String,
    #[serde(default)]
    content: Value,
}

fn chat(body: &[u8]) -> serde_json::Result<Reply> {
    let chat: ChatRequest = serde_json::from_slice(body)?;
    let last = chat.messages.iter().rfind(|message| message.role == "user");
    let said: Vec<String> = last
        .and_then(|message| find_canary(&message.content))
        .into_iter()
        .collect();
    let usage = json!({ "prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8 });
    if !chat.stream {
        let body = json!({
            "id": "chatcmpl-stand-in", "object": "chat.completion", "created": 1, "model": "fake-model",
            "choices": [{ "index": 0, "message": { "role": "assistant", "content": REPLY }, "finish_reason": "stop" }],
            "usage": usage,
        });
        return Ok(Reply::json(&body, said));
    }
    let chunk = |choices: Value, usage: &Value| {
        let chunk = json!({
            "id": "chatcmpl-stand-in", "object": "chat.completion.chunk", "created": 1, "model": "fake-model",
            "choices": choices, "usage": usage,
        });
        format!("data: {chunk}\n\n")
    };
    let body = [
        chunk(
            json!([{ "index": 0, "delta": { "role": "assistant", "content": REPLY }, "finish_reason": null }]),
            &Value::Null,
        ),
        chunk(
            json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }]),
            &Value::Null,
        ),
        chunk(json!([]), &usage),
        "data: [DONE]\n\n".to_owned(),
    ];
    Ok(Reply {
        status: "200 OK",
        content_type: "text/event-stream",
        body: body.concat(),
        said,
        model: String::new(),
    })
}

/// The last canary in a message: its content is a text or a list of parts that hold texts.
fn find_canary(content: &Value) -> Option<String> {
    match content {
        Value::String(text) => last_in(text).map(str::to_owned),
        Value::Array(parts) => parts.iter().rev().find_map(find_canary),
        Value::Object(part) => part.get("text").and_then(find_canary),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}
