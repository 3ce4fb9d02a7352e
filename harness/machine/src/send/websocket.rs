//! The WebSocket sender: upgrade, then one request frame after the other, each answered before the next.
//!
//! What came back is told as one HTTP answer: a refused upgrade is the answer itself; otherwise it is a 101 whose body is a JSON
//! object, the answers by the id of the request frame they belong to, and `closed` where the gateway hung up.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Map, Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::handshake::client::Request as Upgrade;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::device::identify;
use super::frame::{message, silence};
use super::{Exchange, MAX_ASIDE, Peer, Request, Response, SendError, port, timed};
use contract::exchange::{MAX_BODY, SERVED_AFTER};

/// How long the gateway's first event is waited for; it is not needed.
const GREETING: Duration = Duration::from_secs(2);

/// How long a gateway that has refused may go on to answer.
const AFTER_REFUSAL: Duration = Duration::from_millis(500);

/// How long its goodbye is waited for.
const GOODBYE: Duration = Duration::from_millis(500);

/// How often a gateway may hang up without a word before it counts, and how long it is left alone in between: 2026.9.6 does so
/// while another of its own processes holds its state.
const HANG_UPS: usize = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// How often a gateway may ask to come again before it counts, after the same pause.
const PUT_OFFS: usize = 20;

/// Upgrades, sends the frames of the request's body (a JSON array), and gathers the answers.
///
/// # Errors
/// A [`SendError`] where the frames were not answered, or the connection not closed, within `timeout`, or where the gateway hung
/// up without a word again and again.
pub async fn websocket(
    peer: impl Into<Peer>,
    request: Request,
    timeout: Duration,
) -> Result<Exchange, SendError> {
    let (exchange, held) = websocket_held(peer, request, timeout).await?;
    held.close().await;
    Ok(exchange)
}

/// A connection that stays open for as long as this is kept.
#[derive(Debug)]
pub struct Held(Option<WebSocketStream<TcpStream>>);

impl Held {
    /// Says goodbye, and waits until the gateway has, so that what follows finds it gone. One that is dropped just ends.
    async fn close(self) {
        let Some(mut socket) = self.0 else { return };
        let _ = socket.close(None).await;
        let ends = async { while let Some(Ok(_)) = socket.next().await {} };
        let _ = tokio::time::timeout(GOODBYE, ends).await;
    }
}

/// As [`websocket`], and the connection stays open, where the gateway has left it so. What it goes on to say is not read.
///
/// # Errors
/// As [`websocket`].
pub async fn websocket_held(
    peer: impl Into<Peer>,
    request: Request,
    timeout: Duration,
) -> Result<(Exchange, Held), SendError> {
    let peer = peer.into();
    let asked = async {
        let (mut hung_up, mut put_off) = (1, 1);
        loop {
            match exchange(&peer, &request).await {
                Err(SendError::Closed(_)) if hung_up < HANG_UPS => hung_up += 1,
                Ok((response, held)) if is_put_off(&response) && put_off < PUT_OFFS => {
                    held.close().await;
                    put_off += 1;
                }
                answered => return answered,
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    let ((response, held), took) = timed(timeout, asked).await?;
    let exchange = Exchange {
        request,
        response,
        took,
    };
    Ok((exchange, held))
}

async fn exchange(peer: &Peer, request: &Request) -> Result<(Response, Held), SendError> {
    let mut frames: Vec<Value> = serde_json::from_slice(&request.body).map_err(|error| {
        SendError::NotHttp(format!("the frames to send are no JSON array: {error}"))
    })?;
    let stream = peer
        .connect()
        .await
        .map_err(|error| SendError::Connect(error.to_string()))?;
    let port = port(&stream);
    let config = WebSocketConfig::default().max_message_size(Some(MAX_BODY));
    let upgrade = upgrade(peer.address, request)?;
    let connected =
        tokio_tungstenite::client_async_with_config(upgrade, stream, Some(config)).await;
    let mut aside = String::new();
    let mut socket = match connected {
        Ok((socket, upgraded)) => {
            for (name, value) in upgraded.headers() {
                let value = String::from_utf8_lossy(value.as_bytes());
                put(&mut aside, &format!("{name}: {value}"));
            }
            socket
        }
        Err(Error::Http(answer)) => {
            let headers = answer.headers().iter();
            let refused = Response {
                status: answer.status().as_u16(),
                headers: headers
                    .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
                    .collect(),
                body: answer.body().clone().unwrap_or_default(),
                partial: true,
                port,
                ..Response::default()
            };
            return Ok((refused, Held(None)));
        }
        Err(error) => return Err(broken(&error)),
    };
    let mut answers = Map::new();
    // The gateway speaks first; that it does is not what is asked.
    let greeting = tokio::time::timeout(GREETING, socket.next()).await;
    let mut nonce = String::new();
    if let Ok(Some(Ok(Message::Text(greeting)))) = greeting {
        put(&mut aside, &greeting);
        let greeting: Value = serde_json::from_str(&greeting).unwrap_or_default();
        let told = greeting.pointer("/payload/nonce").and_then(Value::as_str);
        nonce = told.unwrap_or_default().to_owned();
    }
    for frame in &mut frames {
        let now = jiff::Timestamp::now().as_millisecond();
        identify(frame, &nonce, now).map_err(SendError::NotHttp)?;
    }
    for frame in &frames {
        if let Some(silence) = silence(frame) {
            let hangs_up = hangs_up(&mut socket, &mut aside);
            match tokio::time::timeout(silence, hangs_up).await {
                Ok(closed) => {
                    answers.insert("closed".to_owned(), closed?);
                    break;
                }
                Err(_) => continue,
            }
        }
        let id = frame.get("id").and_then(Value::as_str).unwrap_or_default();
        if socket.send(message(frame)).await.is_err() {
            break;
        }
        match answer(&mut socket, Some(id), &mut aside).await? {
            Answer::Frame(answer) => {
                let refused = answer.get("ok") == Some(&Value::Bool(false));
                answers.insert(id.to_owned(), answer);
                // Whoever is refused at the door is not heard any more.
                if refused && id == "connect" {
                    if let Some((id, served)) = served(&mut socket, &frames, &mut aside).await {
                        answers.insert(format!("{id}{SERVED_AFTER}"), served);
                    }
                    break;
                }
            }
            // A text that is no JSON has no id to answer: hanging up is the answer.
            Answer::Closed(closed)
                if answers.is_empty() && says_nothing(&closed) && !frame.is_string() =>
            {
                return Err(SendError::Closed("without a word"));
            }
            Answer::Closed(closed) => {
                answers.insert("closed".to_owned(), closed);
                break;
            }
        }
    }
    let response = Response {
        status: 101,
        body: Value::Object(answers).to_string().into_bytes(),
        partial: true,
        aside: aside.into_bytes(),
        port,
        ..Response::default()
    };
    Ok((response, Held(Some(socket))))
}

/// The header lines of every handshake, once each.
const HANDSHAKE: [HeaderName; 5] = [
    header::HOST,
    header::CONNECTION,
    header::UPGRADE,
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
];

fn upgrade(address: SocketAddr, request: &Request) -> Result<Upgrade, SendError> {
    let odd =
        |error: String| SendError::NotHttp(format!("the upgrade cannot be asked for: {error}"));
    let mut upgrade = format!("ws://{address}{}", request.target)
        .into_client_request()
        .map_err(|error| odd(error.to_string()))?;
    for line in &request.headers {
        let text = String::from_utf8_lossy(line);
        let (name, value) = text.split_once(':').unwrap_or((&text, ""));
        let name: HeaderName = name
            .trim()
            .parse()
            .map_err(|_| odd(format!("{name} is no header name")))?;
        let value =
            HeaderValue::from_str(value.trim()).map_err(|_| odd(format!("the value of {name}")))?;
        // What a handshake has anyway, the request says otherwise: Host, above all.
        match HANDSHAKE.contains(&name) {
            true => upgrade.headers_mut().insert(name, value).is_some(),
            false => upgrade.headers_mut().append(name, value),
        };
    }
    Ok(upgrade)
}

/// What a gateway that has refused to connect serves all the same: the first answer that is no refusal, with the id it is for.
async fn served(
    socket: &mut WebSocketStream<TcpStream>,
    frames: &[Value],
    aside: &mut String,
) -> Option<(String, Value)> {
    if frames.len() < 2 {
        return None;
    }
    for frame in frames.iter().skip(1) {
        // Whoever hangs up has refused.
        socket.send(message(frame)).await.ok()?;
    }
    let read = async {
        while let Some(Ok(message)) = socket.next().await {
            let Message::Text(text) = message else {
                continue;
            };
            put(aside, &text);
            let frame: Value = serde_json::from_str(&text).ok()?;
            if frame.get("type") == Some(&json!("res")) && frame.get("ok") != Some(&json!(false)) {
                let id = frame.get("id").and_then(Value::as_str);
                return Some((id.unwrap_or_default().to_owned(), frame));
            }
        }
        None
    };
    tokio::time::timeout(AFTER_REFUSAL, read).await.ok()?
}

/// Keeps what is no answer, if there is room.
fn put(aside: &mut String, text: &str) {
    if aside.len() + text.len() < MAX_ASIDE {
        aside.push_str(text);
        aside.push('\n');
    }
}

/// Whether a gateway asks its client to come again, since it could not tell yet: 2026.9.6 does so while it looks up a person, and where
/// too many clients are about to connect.
fn is_put_off(response: &Response) -> bool {
    if response.status == 503 {
        return true;
    }
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let error = &body["connect"]["error"];
    error["code"] == "UNAVAILABLE" && error["retryable"] == true
}

/// Whether a gateway that hung up gave no reason.
fn says_nothing(closed: &Value) -> bool {
    let code = closed.get("code").and_then(Value::as_u64);
    let reason = closed.get("reason").and_then(Value::as_str);
    code.is_none_or(|code| code == 1000) && reason.is_none_or(str::is_empty)
}

enum Answer {
    Frame(Value),
    Closed(Value),
}

/// How the gateway hangs up, however long that takes.
async fn hangs_up(
    socket: &mut WebSocketStream<TcpStream>,
    aside: &mut String,
) -> Result<Value, SendError> {
    loop {
        // No answer has this id: whatever the gateway says meanwhile is kept aside.
        if let Answer::Closed(closed) = answer(socket, None, aside).await? {
            return Ok(closed);
        }
    }
}

/// The answer to the request frame of this id, if there is one; events in between are passed over.
async fn answer(
    socket: &mut WebSocketStream<TcpStream>,
    id: Option<&str>,
    aside: &mut String,
) -> Result<Answer, SendError> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => {
                let Ok(Value::Object(mut frame)) = serde_json::from_str(&text) else {
                    return Err(SendError::NotHttp("a frame is no JSON object".to_owned()));
                };
                if frame.get("type").and_then(Value::as_str) == Some("res")
                    && id.is_some_and(|id| frame.get("id").and_then(Value::as_str) == Some(id))
                {
                    frame.remove("type");
                    frame.remove("id");
                    return Ok(Answer::Frame(Value::Object(frame)));
                }
                put(aside, &text);
            }
            Some(Ok(Message::Close(close))) => {
                let closed = close.map(|close| json!({ "code": u16::from(close.code), "reason": close.reason.as_str() }));
                return Ok(Answer::Closed(closed.unwrap_or_else(|| json!({}))));
            }
            Some(Ok(_)) => {}
            None | Some(Err(Error::ConnectionClosed | Error::AlreadyClosed)) => {
                return Ok(Answer::Closed(json!({})));
            }
            Some(Err(error)) => return Err(broken(&error)),
        }
    }
}

fn broken(error: &Error) -> SendError {
    SendError::Broken(error.to_string())
}
