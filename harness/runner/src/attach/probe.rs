//! The capability probe: what is there, from a few harmless answers. Pure over the answers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use base::redact::Redactor;
use contract::exchange::Response;
use contract::request::Written;
use contract::scenario::Privilege;
use contract::scenario::model::Outcome;
use record::observe::{Observation, cut};

/// A question of the probe. None of them can reach a model, whoever is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// The liveness probe.
    Health,
    /// A call of a tool that does not exist, by nobody. Tool calls have no switch, so this route is always there.
    Tools,
    /// The list of models.
    Models,
    /// The history of a session that does not exist.
    History,
    /// A chat completion without a body.
    Chat,
    /// A response without a body.
    Responses,
    /// An embedding without a body.
    Embeddings,
    /// A page that does not exist.
    Nothing,
    /// As [`Self::Tools`], with the operator's credential.
    ToolsWithSecret,
    /// As [`Self::Tools`], with the header lines of the operator's proxy.
    ToolsWithIdentity,
}

impl Question {
    /// The questions, in order.
    pub fn all(secret: bool, identity: bool) -> Vec<Self> {
        let mut all = vec![
            Self::Health,
            Self::Tools,
            Self::Models,
            Self::History,
            Self::Chat,
            Self::Responses,
            Self::Embeddings,
            Self::Nothing,
        ];
        if secret {
            all.push(Self::ToolsWithSecret);
        }
        if identity {
            all.push(Self::ToolsWithIdentity);
        }
        all
    }

    /// Whether the operator's credential goes with it.
    pub fn shows_credential(self) -> bool {
        matches!(self, Self::ToolsWithSecret | Self::ToolsWithIdentity)
    }

    /// Method and path.
    fn route(self) -> (&'static str, &'static str) {
        match self {
            Self::Health => ("GET", "/health"),
            Self::Tools | Self::ToolsWithSecret | Self::ToolsWithIdentity => {
                ("POST", "/tools/invoke")
            }
            Self::Models => ("GET", "/v1/models"),
            Self::History => ("GET", "/sessions/agent%3Amain%3Anobody/history"),
            Self::Chat => ("POST", "/v1/chat/completions"),
            Self::Responses => ("POST", "/v1/responses"),
            Self::Embeddings => ("POST", "/v1/embeddings"),
            Self::Nothing => ("GET", "/clawgauge-asks-for-nothing"),
        }
    }

    /// The request, with placeholders; `identity` is the number of header lines of the operator's proxy.
    pub fn request(self, identity: usize) -> Written {
        let (method, path) = self.route();
        let mut headers = Vec::new();
        let mut body = String::new();
        if path == "/tools/invoke" {
            headers.push("Content-Type: application/json".to_owned());
            body = r#"{"tool":"no_such_tool","action":"json","args":{}}"#.to_owned();
        }
        match self {
            Self::ToolsWithSecret => headers.push("Authorization: Bearer ${secret}".to_owned()),
            Self::ToolsWithIdentity => {
                headers.extend((1..=identity).map(|number| format!("${{identity-{number}}}")));
            }
            Self::Health
            | Self::Tools
            | Self::Models
            | Self::History
            | Self::Chat
            | Self::Responses
            | Self::Embeddings
            | Self::Nothing => {}
        }
        if self.shows_credential() {
            headers.push("x-openclaw-scopes: operator.write".to_owned());
        }
        Written {
            method: method.to_owned(),
            target: path.to_owned(),
            headers,
            body,
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (method, path) = self.route();
        write!(formatter, "{method} {path}")
    }
}

/// The auth mode, as far as answers tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
pub enum Mode {
    /// Nobody is asked for anything.
    None,
    /// A shared secret; a token and a password answer alike.
    Token,
    /// A shared secret that the operator says is a password.
    Password,
    /// A proxy names the user.
    TrustedProxy,
    /// A credential is asked for, and none is at hand: one of the three.
    #[cfg_attr(feature = "clap", value(skip))]
    Closed,
}

impl Mode {
    /// The launch profile whose cells are asked.
    pub fn profile(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Token | Self::Closed => "token",
            Self::Password => "password",
            Self::TrustedProxy => "trusted-proxy",
        }
    }

    /// What is known, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::None => "mode none: nobody is asked for a credential",
            Self::Token => "mode token or password: it takes the shared secret that you gave",
            Self::Password => "mode password",
            Self::TrustedProxy => "mode trusted-proxy: it takes the identity that your proxy sends",
            Self::Closed => "a credential is asked for (mode token, password or trusted-proxy)",
        }
    }
}

/// What the probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capabilities {
    /// Who is let in.
    pub mode: Mode,
    /// Paths that are not there, as they begin.
    pub off: BTreeSet<&'static str>,
    /// Whether pages that do not exist are answered by something else, such as the Control UI.
    pub catch_all: bool,
    /// Whether the gateway refuses the credential that the operator gave.
    pub credential_refused: bool,
    /// Whether nobody is asked for the credential that the operator gave.
    pub credential_unused: bool,
}

/// Why a cell is not judged whose rule says that there is nothing.
pub(super) const CATCH_ALL: &str =
    "something else, such as the Control UI, answers for pages that do not exist";

impl Capabilities {
    /// Every route is there, and nothing else.
    pub fn of(mode: Mode) -> Self {
        Self {
            mode,
            off: BTreeSet::new(),
            catch_all: false,
            credential_refused: false,
            credential_unused: false,
        }
    }

    /// Whether something else answers where a rule says that there is nothing.
    pub(super) fn hides(&self, says: Option<&Outcome>) -> bool {
        self.catch_all && says.is_some_and(|outcome| outcome.id == "not-found")
    }

    /// Whether an answer may be that of something else. One that gives its caller more than a page is the gateway's own.
    pub(super) fn answers_for(&self, says: Option<&Outcome>, seen: &Observation) -> bool {
        self.hides(says) && seen.grants <= Privilege::Access
    }
}

/// Why whoever answers is no OpenClaw gateway.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotOpenClaw(String);

impl NotOpenClaw {
    /// A question that brought no answer.
    pub(super) fn silent(question: Question, error: &str) -> Self {
        Self(format!("{question} brought no answer: {error}"))
    }

    /// What it says without secrets: a stranger may answer with the credential that it was sent. Then it is cut.
    pub(super) fn clean(self, redactor: &Redactor) -> Self {
        Self(cut(&redactor.text(&self.0)))
    }

    fn odd(question: Question, response: &Response, wanted: &str) -> Self {
        let kind = content_type(response);
        let kind = match kind.as_str() {
            "" => "no content type".to_owned(),
            kind => kind.to_owned(),
        };
        Self(format!(
            "{question} answers {} ({}), where a gateway {wanted}",
            response.status,
            kind.escape_debug()
        ))
    }
}

/// How a gateway answers on a route behind its auth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spoken {
    /// 401: a credential is asked for.
    Stranger,
    /// 403 for a scope: the caller is known.
    Scope,
    /// 403 since a proxy names no client.
    Attribution,
    /// Let in: the route's own answer.
    In,
    /// 404 as text: the route is switched off.
    Off,
}

/// Whether the first two answers are those of a gateway.
pub(super) fn is_gateway(answers: &BTreeMap<Question, Response>) -> Result<(), NotOpenClaw> {
    let nobody = Response::default();
    let of = |question| answers.get(&question).unwrap_or(&nobody);
    let health = of(Question::Health);
    let alive =
        json(health).is_some_and(|body| body == serde_json::json!({"ok": true, "status": "live"}));
    if health.status != 200 || !alive {
        let wanted = r#"from 2026.3.1 on says {"ok":true,"status":"live"}"#;
        return Err(NotOpenClaw::odd(Question::Health, health, wanted));
    }
    let tools = of(Question::Tools);
    match spoken(tools) {
        Some(Spoken::Stranger | Spoken::Scope | Spoken::Attribution | Spoken::In) => Ok(()),
        Some(Spoken::Off) | None if tools.status == 429 => Ok(()),
        Some(Spoken::Off) | None => {
            let wanted = "refuses a stranger, or says that there is no such tool";
            Err(NotOpenClaw::odd(Question::Tools, tools, wanted))
        }
    }
}

/// Reads the answers; `mode` is what the operator says.
///
/// # Errors
/// They are not those of a gateway.
pub fn read(
    answers: &BTreeMap<Question, Response>,
    mode: Option<Mode>,
) -> Result<Capabilities, NotOpenClaw> {
    is_gateway(answers)?;
    let speaks = |question| answers.get(&question).and_then(spoken);
    let lets_in = |question| matches!(speaks(question), Some(Spoken::In | Spoken::Scope));
    let open = lets_in(Question::Tools);
    let given = |question| answers.contains_key(&question);
    let found = if open {
        Mode::None
    } else if lets_in(Question::ToolsWithIdentity) {
        Mode::TrustedProxy
    } else if lets_in(Question::ToolsWithSecret) {
        Mode::Token
    } else {
        Mode::Closed
    };
    let refused = found == Mode::Closed
        && (given(Question::ToolsWithSecret) || given(Question::ToolsWithIdentity));
    // What is said may narrow down what is seen, and not contradict it.
    let mode = match (found, mode) {
        (Mode::Token, Some(Mode::Password)) => Mode::Password,
        (Mode::Closed, Some(Mode::TrustedProxy)) => Mode::TrustedProxy,
        (found, _) => found,
    };
    let routes = [
        Question::Models,
        Question::Chat,
        Question::Responses,
        Question::Embeddings,
        Question::History,
    ];
    let missing = |question: &Question| matches!(speaks(*question), Some(Spoken::Off) | None);
    let path = |question: Question| match question {
        Question::History => "/sessions/",
        other => other.route().1,
    };
    let nothing = answers.get(&Question::Nothing);
    Ok(Capabilities {
        mode,
        off: routes.into_iter().filter(missing).map(path).collect(),
        catch_all: nothing.is_some_and(|response| spoken(response) != Some(Spoken::Off)),
        credential_refused: refused,
        credential_unused: open && given(Question::ToolsWithSecret),
    })
}

fn spoken(response: &Response) -> Option<Spoken> {
    let body = json(response);
    let text = |pointer: &str| body.as_ref()?.pointer(pointer)?.as_str();
    match (response.status, text("/error/type")) {
        (401, Some("unauthorized")) => Some(Spoken::Stranger),
        (403, Some("forbidden")) => Some(Spoken::Scope),
        (403, Some("proxy_attribution_required")) => Some(Spoken::Attribution),
        (404, Some("not_found")) | (400, Some("invalid_request_error")) => Some(Spoken::In),
        (200, None) if text("/object") == Some("list") => Some(Spoken::In),
        (404, None) if body.is_none() && content_type(response).starts_with("text/plain") => {
            Some(Spoken::Off)
        }
        _ => None,
    }
}

fn json(response: &Response) -> Option<Value> {
    serde_json::from_slice(&response.body).ok()
}

fn content_type(response: &Response) -> String {
    let mut headers = response.headers.iter();
    let found = headers.find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    found.map_or_else(String::new, |(_, value)| {
        String::from_utf8_lossy(value).trim().to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    const LIVE: (u16, &str) = (200, r#"{"ok":true,"status":"live"}"#);
    const STRANGER: (u16, &str) = (
        401,
        r#"{"error":{"message":"Unauthorized","type":"unauthorized"}}"#,
    );
    const NO_TOOL: (u16, &str) = (
        404,
        r#"{"ok":false,"error":{"type":"not_found","message":"Tool not available: x"}}"#,
    );
    const SCOPE: (u16, &str) = (
        403,
        r#"{"ok":false,"error":{"type":"forbidden","message":"missing scope: operator.write"}}"#,
    );
    const GONE: (u16, &str) = (404, "Not Found");

    fn answers(given: &[(Question, (u16, &str))]) -> BTreeMap<Question, Response> {
        let response = |(status, body): (u16, &str)| Response {
            status,
            headers: vec![(
                "Content-Type".to_owned(),
                match body.starts_with('{') {
                    true => b"application/json".to_vec(),
                    false => b"text/plain; charset=utf-8".to_vec(),
                },
            )],
            body: body.as_bytes().to_vec(),
            ..Response::default()
        };
        given
            .iter()
            .map(|(question, answer)| (*question, response(*answer)))
            .collect()
    }

    #[rstest]
    #[case::open(&[(Question::Tools, NO_TOOL)], Mode::None)]
    #[case::open_and_3_31(&[(Question::Tools, SCOPE)], Mode::None)]
    #[case::closed(&[(Question::Tools, STRANGER)], Mode::Closed)]
    #[case::secret(&[(Question::Tools, STRANGER), (Question::ToolsWithSecret, NO_TOOL)], Mode::Token)]
    #[case::proxy(&[(Question::Tools, STRANGER), (Question::ToolsWithIdentity, NO_TOOL)], Mode::TrustedProxy)]
    fn modes(#[case] given: &[(Question, (u16, &str))], #[case] mode: Mode) {
        let mut all = vec![
            (Question::Health, LIVE),
            (Question::Nothing, GONE),
            (Question::Chat, GONE),
        ];
        all.extend(given);
        let found = read(&answers(&all), None).unwrap();
        assert_eq!(found.mode, mode);
        assert!(found.off.contains("/v1/chat/completions"));
        assert!(!found.catch_all && !found.credential_refused);
    }

    #[test]
    fn a_credential_that_is_refused() {
        let given = [
            (Question::Health, LIVE),
            (Question::Tools, STRANGER),
            (Question::ToolsWithSecret, STRANGER),
        ];
        assert!(read(&answers(&given), None).unwrap().credential_refused);
    }

    #[rstest]
    #[case::always_200((200, "OK"), (200, "OK"))]
    #[case::never((404, ""), (404, ""))]
    #[case::another_health((200, r#"{"status":"ok"}"#), STRANGER)]
    #[case::no_tools(LIVE, GONE)]
    #[case::others_401(LIVE, (401, r#"{"error":{"message":"no key","type":"invalid_api_key"}}"#))]
    fn strangers(#[case] health: (u16, &str), #[case] tools: (u16, &str)) {
        let given = [(Question::Health, health), (Question::Tools, tools)];
        assert!(read(&answers(&given), None).is_err());
    }
}
