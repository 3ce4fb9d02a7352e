//! The model stand-in: answers what a gateway asks of its model, and keeps a ledger of who got through.
//!
//! Every request of a cell carries a canary, a word of its own, in the user's text. A gateway that lets the caller in
//! passes it on; a gateway that refuses must not. The ledger says which canaries arrived.

use std::collections::HashMap;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde_json::json;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, MockServerBuilder, Request, Respond, ResponseTemplate};

use base::secret::{CANARY_DIGITS, CANARY_PREFIX};

use crate::network::Namespace;

/// What the model says to everybody.
const REPLY: &str = "pong";

/// A model that is always up and always says the same.
#[derive(Debug)]
pub struct Upstream {
    uri: String,
    /// Taken when it is dropped.
    server: Option<MockServer>,
    ledger: Arc<Ledger>,
}

/// Calls by canary.
#[derive(Debug, Default)]
struct Ledger(Mutex<HashMap<String, u32>>);

impl Upstream {
    /// Starts on a free port of the loopback interface; stops when dropped.
    pub async fn start() -> Self {
        Self::build(MockServer::builder()).await
    }

    /// As [`Upstream::start`], within a namespace: its loopback interface is another one.
    ///
    /// # Errors
    /// The namespace is gone.
    pub async fn start_within(namespace: &Namespace) -> std::io::Result<Self> {
        let listener = namespace.inside(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(Self::build(MockServer::builder().listener(listener)).await)
    }

    async fn build(builder: MockServerBuilder) -> Self {
        let ledger = Arc::new(Ledger::default());
        let server = builder.disable_request_recording().start().await;
        let responder = Responder(Arc::clone(&ledger));
        Mock::given(method("POST"))
            .and(path("/v1/chat/completions"))
            .respond_with(responder)
            .mount(&server)
            .await;
        Mock::given(method("POST"))
            .and(path("/v1/embeddings"))
            .respond_with(Embedder(Arc::clone(&ledger)))
            .mount(&server)
            .await;
        Self {
            uri: server.uri(),
            server: Some(server),
            ledger,
        }
    }

    /// What a gateway is given as the model provider's base URL.
    pub fn base_url(&self) -> String {
        format!("{}/v1", self.uri)
    }

    /// How often a canary has reached the model.
    pub fn calls(&self, canary: &str) -> u32 {
        self.ledger
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(canary)
            .copied()
            .unwrap_or(0)
    }
}

impl Drop for Upstream {
    /// The server ends in a thread of its own: it waits for a lock of tokio's in a way that never gets it within a task that
    /// has used up its share of a turn.
    fn drop(&mut self) {
        let server = self.server.take();
        // Where no thread can be had, the closure is dropped here, and the server with it.
        let _ = std::thread::Builder::new().spawn(move || drop(server));
    }
}

impl Ledger {
    /// A canary has arrived.
    fn note(&self, canary: String) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *calls.entry(canary).or_default() += 1;
    }
}

/// Embeds every input as the same three numbers.
struct Embedder(Arc<Ledger>);

impl Respond for Embedder {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let Ok(body) = serde_json::from_slice::<serde_json::Value>(&request.body) else {
            return ResponseTemplate::new(400);
        };
        let inputs = match &body["input"] {
            serde_json::Value::Array(inputs) => inputs.clone(),
            one => vec![one.clone()],
        };
        inputs
            .iter()
            .filter_map(find_canary)
            .for_each(|canary| self.0.note(canary));
        let data: Vec<_> = (0..inputs.len())
            .map(|index| json!({ "object": "embedding", "index": index, "embedding": [0.5, 0.25, 0.125] }))
            .collect();
        ResponseTemplate::new(200).set_body_json(json!({
            "object": "list", "data": data, "model": "fake-embedding",
            "usage": { "prompt_tokens": 1, "total_tokens": 1 },
        }))
    }
}

struct Responder(Arc<Ledger>);

/// The parts of a chat request that matter here; the rest, tens of kilobytes, is skipped.
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
    content: serde_json::Value,
}

impl Respond for Responder {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let Ok(chat) = serde_json::from_slice::<ChatRequest>(&request.body) else {
            return ResponseTemplate::new(400);
        };
        let last = chat.messages.iter().rfind(|message| message.role == "user");
        if let Some(canary) = last.and_then(|message| find_canary(&message.content)) {
            self.0.note(canary);
        }
        let usage = json!({ "prompt_tokens": 7, "completion_tokens": 1, "total_tokens": 8 });
        if !chat.stream {
            return ResponseTemplate::new(200).set_body_json(json!({
                "id": "chatcmpl-stand-in", "object": "chat.completion", "created": 1, "model": "fake-model",
                "choices": [{ "index": 0, "message": { "role": "assistant", "content": REPLY }, "finish_reason": "stop" }],
                "usage": usage,
            }));
        }
        let chunk = |choices: serde_json::Value, usage: &serde_json::Value| {
            let chunk = json!({
                "id": "chatcmpl-stand-in", "object": "chat.completion.chunk", "created": 1, "model": "fake-model",
                "choices": choices, "usage": usage,
            });
            format!("data: {chunk}\n\n")
        };
        let null = serde_json::Value::Null;
        let body = [
            chunk(
                json!([{ "index": 0, "delta": { "role": "assistant", "content": REPLY }, "finish_reason": null }]),
                &null,
            ),
            chunk(
                json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }]),
                &null,
            ),
            chunk(json!([]), &usage),
            "data: [DONE]\n\n".to_owned(),
        ];
        ResponseTemplate::new(200).set_body_raw(body.concat(), "text/event-stream")
    }
}

/// The last canary in a message: its content is a text or a list of parts that hold texts.
fn find_canary(content: &serde_json::Value) -> Option<String> {
    match content {
        serde_json::Value::String(text) => {
            let start = text.rfind(CANARY_PREFIX)? + CANARY_PREFIX.len();
            let word = text.get(start..start + CANARY_DIGITS)?;
            word.bytes()
                .all(|byte| byte.is_ascii_hexdigit())
                .then(|| format!("{CANARY_PREFIX}{word}"))
        }
        serde_json::Value::Array(parts) => parts.iter().rev().find_map(find_canary),
        serde_json::Value::Object(part) => part.get("text").and_then(find_canary),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::secret::new_canary;

    async fn ask(upstream: &Upstream, stream: bool, content: serde_json::Value) -> String {
        let body = json!({ "stream": stream, "messages": [
            { "role": "user", "content": "canary-0000000000000000" },
            { "role": "user", "content": content },
            { "role": "assistant", "content": "canary-1111111111111111" },
        ] });
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client
            .post(format!("{}/chat/completions", upstream.base_url()))
            .body(body.to_string());
        request.send().await.unwrap().text().await.unwrap()
    }

    #[tokio::test]
    async fn the_ledger_counts_the_last_words_of_the_user() {
        let upstream = Upstream::start().await;
        let canary = new_canary();
        let plain = ask(&upstream, false, json!(format!("ping {canary}"))).await;
        let parts = ask(
            &upstream,
            true,
            json!([{ "type": "text", "text": format!("[now] ping {canary}") }]),
        )
        .await;
        assert!(plain.contains("chat.completion\"") && plain.contains("pong"));
        assert!(parts.ends_with("data: [DONE]\n\n") && parts.contains("pong"));
        assert_eq!(upstream.calls(&canary), 2);
        assert_eq!(
            upstream.calls("canary-0000000000000000"),
            0,
            "earlier turns are not this request's"
        );
        assert_eq!(
            upstream.calls("canary-1111111111111111"),
            0,
            "nor is what the assistant said"
        );
    }

    #[tokio::test]
    async fn other_paths_are_not_the_model() {
        let upstream = Upstream::start().await;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client
            .get(format!("{}/models", upstream.base_url()))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 404);
    }
}
