//! A running gateway, somebody's real one: asked with care, judged by what it answers.
//!
//! [`attach`] is the way through: `probe` finds out what is there, `select` which cells apply and are safe, the
//! `session` sends them within [`Limits`], `infer` tells the release from the answers. All but the session is pure.
//! Nothing is launched here, and nobody counts calls to the model: verdicts are about outcomes only.

mod address;
mod infer;
mod judge;
mod limits;
mod probe;
mod select;
mod session;
mod words;

pub use address::{Address, AddressError, Endpoint};
pub use infer::{Likeness, infer};
pub use limits::Limits;
pub use probe::{Capabilities, Mode, NotOpenClaw, Question, read};
pub use select::{Choice, Chosen, Safety, select};

use std::collections::BTreeMap;

use jiff::civil::Date;
use tokio_util::sync::CancellationToken;

use crate::Events;

use base::redact::Redactor;
use base::secret::{ExposeSecret, SecretString, Secrets};
use contract::plan::{Cell, Missing};
use contract::release::Version;
use contract::scenario::Catalogue;
use machine::send::Tls;
use record::events::{GatewayInfo, LaunchInfo, LaunchLog, RunEvent};
use record::observe::{Observation, cut};
use session::{NoAnswer, Session};

/// Name of the operator's credential among the placeholders.
const SECRET: &str = "secret";

/// What attaching is asked to do.
#[derive(Debug, Clone)]
pub struct AttachOptions {
    /// Where the gateway is.
    pub address: Address,
    /// The token or password, if the operator gave it.
    pub credential: Option<SecretString>,
    /// The header lines by which the operator's proxy names a user.
    pub identity: Vec<SecretString>,
    /// How TLS is spoken, if it is.
    pub tls: Option<Tls>,
    /// Header lines that a proxy before the gateway wants of every request.
    pub headers: Vec<SecretString>,
    /// The mode, if the operator says it.
    pub mode: Option<Mode>,
    /// The release, if the operator says it.
    pub release: Option<Version>,
    /// The newest release whose contract is known.
    pub newest: Version,
    /// How much may be asked.
    pub limits: Limits,
    /// The day on which known issues are heeded; `None` judges as if there were none.
    pub known_issues: Option<Date>,
}

impl AttachOptions {
    /// What placeholders stand for: the operator's credential and proxy lines, and a stranger's secret.
    fn secrets(&self) -> Secrets {
        let mut secrets: Secrets = (self.identity.iter().enumerate())
            .map(|(index, line)| (format!("identity-{}", index + 1), line.clone()))
            .collect();
        let headers = self.headers.iter().enumerate();
        secrets.extend(headers.map(|(index, line)| (header(index), line.clone())));
        if let Some(credential) = &self.credential {
            secrets.insert(SECRET.to_owned(), credential.clone());
        }
        secrets.insert("stranger".to_owned(), base::secret::random_secret().into());
        secrets
    }

    /// What the proxy before the gateway wants, as placeholders.
    fn headers(&self) -> impl Iterator<Item = String> {
        (0..self.headers.len()).map(|index| format!("${{{}}}", header(index)))
    }

    /// Whether the proxy before the gateway wants a header of this name.
    fn is_the_proxys(&self, name: &str) -> bool {
        let mut lines = self.headers.iter().map(ExposeSecret::expose_secret);
        lines.any(|line| named(line).eq_ignore_ascii_case(name))
    }

    /// The header lines of a caller whom the mode lets in, as placeholders.
    fn caller(&self, mode: Mode) -> Vec<String> {
        match mode {
            Mode::None | Mode::Closed => Vec::new(),
            Mode::Token | Mode::Password => vec![format!("Authorization: Bearer ${{{SECRET}}}")],
            Mode::TrustedProxy => (1..=self.identity.len())
                .map(|number| format!("${{identity-{number}}}"))
                .collect(),
        }
    }
}

/// The placeholder of a header line that the proxy before the gateway wants.
fn header(index: usize) -> String {
    format!("proxy-header-{}", index + 1)
}

/// The name of a header line.
fn named(line: &str) -> &str {
    line.split(':').next().unwrap_or_default().trim()
}

/// Why nothing was asked beyond the probe.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttachError {
    /// Nobody answers.
    #[error("{0} is not reachable: {1}")]
    Unreachable(String, String),
    /// Somebody answers, but not as an OpenClaw gateway.
    #[error("{0} is not an OpenClaw gateway: {1}")]
    NotOpenClaw(String, NotOpenClaw),
    /// The operator's credential is not the gateway's.
    #[error("{0} refuses the credential that you gave, so nothing more was asked")]
    Refused(String),
    /// It does not listen to this address now.
    #[error("{0} answers 429: it has locked this address out, or is busy; nothing more was asked")]
    LockedOut(String),
    /// The probe alone used up the budget.
    #[error("the budget of {1} requests does not suffice for the probe of {0}")]
    Budget(String, u32),
    /// It was told to stop.
    #[error("interrupted")]
    Interrupted,
}

/// What was asked, and what was found beyond the verdicts.
#[derive(Debug, Clone)]
pub struct Findings {
    /// What the probe found.
    pub capabilities: Capabilities,
    /// The first paragraph of the report.
    pub summary: Vec<String>,
}

/// Probes the gateway, asks the cells that apply, judges them. What happens is told in events, as by a run.
///
/// # Errors
/// An [`AttachError`] where no cell was asked.
pub async fn attach(
    catalogue: &Catalogue,
    options: &AttachOptions,
    events: &Events,
    cancel: &CancellationToken,
) -> Result<Findings, AttachError> {
    let found = probe_and_ask(catalogue, options, events, cancel).await;
    if let Err(error) = &found {
        events.tell(RunEvent::GatewayFailed {
            gateway: options.address.reference.clone(),
            error: error.to_string(),
            help: None,
        });
    }
    if cancel.is_cancelled() {
        events.tell(RunEvent::Interrupted);
    }
    found
}

async fn probe_and_ask(
    catalogue: &Catalogue,
    options: &AttachOptions,
    events: &Events,
    cancel: &CancellationToken,
) -> Result<Findings, AttachError> {
    let emit = |event| events.tell(event);
    let gateway = options.address.reference.clone();
    let secrets = options.secrets();
    let redactor = Redactor::new(&secrets);
    machine::log::hide(&redactor);
    let mut session = Session::new(options, &secrets, cancel);
    emit(RunEvent::Preparing {
        gateway: gateway.clone(),
        what: "probing".to_owned(),
    });
    let capabilities = probe_all(&mut session, options, &redactor).await?;

    let mode = capabilities.mode;
    let catalogue = &with_caller(catalogue, mode, options.caller(mode));
    let safety = Safety::new(catalogue);
    let choices = select(catalogue, &capabilities, options, &safety);
    let asked = choices.iter().filter(|choice| choice.is_asked()).count();
    emit(RunEvent::Preparing {
        gateway: gateway.clone(),
        what: format!("{}; asking {asked} cells", mode.words()),
    });
    session.caller = options.caller(mode);
    let seen = ask_all(&mut session, catalogue, &choices, &redactor, |_| {
        emit(RunEvent::Asked {
            gateway: gateway.clone(),
            profile: mode.profile().to_owned(),
            cell: String::new(),
            ports: Vec::new(),
        });
    })
    .await;

    let answers: Vec<(&Cell, &Observation)> = (choices.iter().zip(&seen))
        .filter_map(|(choice, seen)| Some((&choice.cell, seen.as_ref()?.as_ref().ok()?)))
        .collect();
    let likeness = infer(catalogue, &answers, &capabilities, &options.newest);
    let release = options
        .release
        .clone()
        .unwrap_or_else(|| likeness.judged.clone());
    let results = judge::results(catalogue, options, &capabilities, &release, &choices, &seen);
    let summary = words::summary(&words::Told {
        catalogue,
        options,
        capabilities: &capabilities,
        likeness: &likeness,
        release: &release,
        results: &results,
        asked,
        sent: session.sent(),
    });
    emit(RunEvent::GatewayReady(GatewayInfo {
        gateway: gateway.clone(),
        version: release,
        integrity: None,
        node: None,
        notes: summary.clone(),
        measured: None,
        senders: Vec::new(),
        missing: Missing::new(),
        selected: choices.len(),
        launches: vec![(mode.profile().to_owned(), choices.len())],
        unselected: 0,
    }));
    for result in results {
        emit(RunEvent::Cell(result));
    }
    // Whoever gives a credential, or says that there is a mode, takes the gateway for guarded.
    let open = (capabilities.credential_unused && options.mode != Some(Mode::None))
        .then(|| "nobody is asked for the credential that you gave: whoever reaches the gateway is let in".to_owned());
    if let Some(error) = open.clone() {
        emit(RunEvent::LaunchFailed {
            gateway: gateway.clone(),
            profile: mode.profile().to_owned(),
            error,
            help: Some("if that is meant, leave the credential out, or say --mode none".to_owned()),
            again: false,
        });
    }
    emit(RunEvent::LaunchEnded(LaunchInfo {
        gateway,
        profile: mode.profile().to_owned(),
        attempt: 1,
        ready: None,
        stop: None,
        exit: None,
        killed: false,
        failure: session.died().or(open),
        proof: None,
        model: None,
        log: LaunchLog::default(),
    }));
    Ok(Findings {
        capabilities,
        summary,
    })
}

/// Asks the probe's questions and reads the answers.
async fn probe_all(
    session: &mut Session<'_>,
    options: &AttachOptions,
    redactor: &Redactor,
) -> Result<Capabilities, AttachError> {
    let name = || options.address.reference.clone();
    let stranger = |error: NotOpenClaw| AttachError::NotOpenClaw(name(), error.clean(redactor));
    let mut answers = BTreeMap::new();
    for question in Question::all(options.credential.is_some(), !options.identity.is_empty()) {
        // Who is no gateway is shown no credential.
        if question.shows_credential()
            && let Err(error) = read(&answers, options.mode)
        {
            return Err(stranger(error));
        }
        let request = question.request(options.identity.len());
        match session.probe(question, request).await {
            Ok(exchange) if exchange.response.status == 429 => {
                return Err(AttachError::LockedOut(name()));
            }
            Ok(exchange) => drop(answers.insert(question, exchange.response)),
            Err(NoAnswer::Cancelled) => return Err(AttachError::Interrupted),
            Err(NoAnswer::Budget) => {
                return Err(AttachError::Budget(name(), options.limits.requests));
            }
            Err(NoAnswer::Stopped(error) | NoAnswer::Failed(error)) => {
                let error = cut(&redactor.text(&error));
                return Err(match answers.is_empty() {
                    true => AttachError::Unreachable(name(), error),
                    false => stranger(NotOpenClaw::silent(question, &error)),
                });
            }
        }
        // The first answer already tells most strangers apart; they are not asked on.
        if question == Question::Tools
            && let Err(error) = probe::is_gateway(&answers)
        {
            return Err(stranger(error));
        }
    }
    let capabilities = read(&answers, options.mode).map_err(stranger)?;
    if capabilities.credential_refused {
        return Err(AttachError::Refused(name()));
    }
    Ok(capabilities)
}

/// The catalogue with the operator's caller in place of the profile's.
fn with_caller(catalogue: &Catalogue, mode: Mode, caller: Vec<String>) -> Catalogue {
    let mut catalogue = catalogue.clone();
    if let Some(profile) = catalogue.profiles.get_mut(mode.profile()) {
        profile.caller = caller;
    }
    catalogue
}

/// Asks the chosen cells: first those that can do no harm, then wrong credentials, then what may reach the model.
async fn ask_all(
    session: &mut Session<'_>,
    catalogue: &Catalogue,
    choices: &[Choice],
    redactor: &Redactor,
    mut asked: impl FnMut(&Cell),
) -> Vec<Option<Result<Observation, String>>> {
    let mut seen: Vec<Option<Result<Observation, String>>> = vec![None; choices.len()];
    let mut order: Vec<(u8, usize)> = (choices.iter().enumerate())
        .filter_map(|(index, choice)| Some((choice.asked()?.turn(), index)))
        .collect();
    order.sort_unstable();
    for (_, index) in order {
        let choice = &choices[index];
        let Some(chosen) = choice.asked() else {
            continue;
        };
        let answer = session.ask(&choice.cell, chosen).await;
        asked(&choice.cell);
        let outcomes = &catalogue.outcomes;
        seen[index] = Some(match answer {
            Ok((exchange, canary)) => Ok(judge::observed(&exchange, &canary, redactor, outcomes)),
            Err(error) => Err(cut(&redactor.text(&error.to_string()))),
        });
    }
    seen
}
