//! `clawgauge attach`.

use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::session::Session;
use super::tuning::{parse_seconds, start_log, tell_day};
use crate::cli::exit::Exit;
use crate::cli::output::{Failure, Loudness, Output, ended_as};
use crate::cli::reference::REFERENCE_RELEASE;
use crate::cli::reports::{ReportRequest, Reports, show};
use contract::release::Version;
use contract::scenario::Catalogue;
use machine::send::{Tls, TlsError};
use record::events::RunEvent;
use record::{Ending, FailOn, Gate, Record, Recorder, Results, today};
use reports::Detail;
use runner::attach::{
    Address, AddressError, AttachError, AttachOptions, Capabilities, Choice, Endpoint, Findings,
    Limits, Mode, Question, Safety, attach as attach_to, select,
};
use runner::drive;

/// The variable that holds the gateway's token or password.
const SECRET: &str = "CLAWGAUGE_ATTACH_SECRET";
/// Arguments of `attach`.
#[derive(Debug, Args)]
pub(in crate::cli) struct AttachArgs {
    /// The gateway: http://HOST:PORT, or https://HOST where a proxy before it speaks https
    #[arg(value_name = "URL")]
    url: String,

    /// Ask an address that is not loopback; the gateway is yours, or you have its owner's consent
    #[arg(long)]
    i_own_this_gateway: bool,

    /// A file with the gateway's token or password, and nothing else [default: the variable CLAWGAUGE_ATTACH_SECRET]
    #[arg(long, value_name = "FILE")]
    credential_file: Option<PathBuf>,

    /// A file with the header lines by which your proxy names a user, for mode trusted-proxy
    #[arg(long, value_name = "FILE")]
    identity_file: Option<PathBuf>,

    /// A file with header lines for every request, such as those of an access proxy before the gateway; they are never shown
    #[arg(long, value_name = "FILE")]
    headers_file: Option<PathBuf>,

    /// A PEM file of the root certificates to trust for https [default: the system's]
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,

    /// The auth mode, where answers do not tell: a token and a password answer alike
    #[arg(long, value_name = "MODE")]
    mode: Option<Mode>,

    /// Judge it as this release [default: the newest that answers like it]
    #[arg(long, value_name = "VERSION")]
    release: Option<Version>,

    /// Permit so many requests that may reach its model
    #[arg(long, value_name = "N", default_value_t = 0)]
    allow_model_calls: u32,

    /// At most so many requests in all
    #[arg(long, value_name = "N", default_value_t = 300)]
    max_requests: u32,

    /// At most so many requests a second
    #[arg(long, value_name = "N", default_value_t = 10.0, value_parser = parse_rate)]
    rate: f64,

    /// At most so many wrong credentials in all, and two in a row: 10 a minute are where a gateway begins to lock out
    #[arg(long, value_name = "N", default_value_t = 8)]
    wrong_credentials: u32,

    /// Seconds that a request may take
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = parse_seconds)]
    timeout: Duration,

    /// Say what would be asked, and send nothing
    #[arg(long, visible_alias = "plan")]
    dry_run: bool,

    /// What makes it fail: deviations that no known issue explains, or known ones too
    #[arg(long, value_name = "WHAT", default_value = "known")]
    fail_on: FailOn,

    /// Write a report: FORMAT=PATH, `-` is stdout; may be repeated; formats as of `clawgauge run`
    #[arg(long, value_name = "FORMAT=PATH")]
    report: Vec<ReportRequest>,

    #[command(flatten)]
    loudness: Loudness,

    /// Write what is needed to debug clawgauge itself; secrets are left out
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
}

fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && (0.01..=1000.0).contains(&rate) => Ok(rate),
        Ok(_) | Err(_) => Err("not a number from 0.01 to 1000".to_owned()),
    }
}

impl AttachArgs {
    fn detail(&self) -> Detail {
        self.loudness.detail()
    }

    fn options(&self, address: Address, output: &Output) -> Result<AttachOptions, Failure> {
        let credential = self.credential(output)?;
        let lines = |path: &Option<PathBuf>| match path {
            Some(path) => header_lines(path, &read_private(path, output)?),
            None => Ok(Vec::new()),
        };
        let (identity, headers) = (lines(&self.identity_file)?, lines(&self.headers_file)?);
        let takes = |name: &str| {
            let mut names = headers.iter().filter_map(|line| line.split_once(':'));
            names.any(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        if credential.is_some() && takes("authorization") {
            let message =
                "the headers file holds Authorization, which the gateway's own credential takes";
            return Err(Failure::usage(message).help(
                "let the proxy take something else, or ask behind it, on the gateway's machine",
            ));
        }
        let tls = match (&address.certified, &self.ca_file) {
            (Some(name), roots) => Some(Tls::new(name, roots.as_deref())?),
            (None, Some(_)) => {
                return Err(Failure::usage("--ca-file is for https, and this is http"));
            }
            (None, None) => None,
        };
        let newest = REFERENCE_RELEASE
            .parse()
            .map_err(|error| Failure::usage(format!("{error}")))?;
        Ok(AttachOptions {
            address,
            credential: credential.map(Into::into),
            identity: identity.into_iter().map(Into::into).collect(),
            tls,
            headers: headers.into_iter().map(Into::into).collect(),
            mode: self.mode,
            release: self.release.clone(),
            newest,
            limits: Limits {
                requests: self.max_requests,
                pause: Duration::from_secs_f64(self.rate.recip()),
                wrong: self.wrong_credentials,
                model_calls: self.allow_model_calls,
                timeout: self.timeout,
            },
            known_issues: Some(today()),
        })
    }

    /// The operator's secret: from a file or the environment, never from the command line.
    fn credential(&self, output: &Output) -> Result<Option<String>, Failure> {
        let text = match (&self.credential_file, std::env::var(SECRET)) {
            (Some(path), _) => read_private(path, output)?,
            (None, Ok(text)) => text,
            (None, Err(std::env::VarError::NotPresent)) => return Ok(None),
            (None, Err(error)) => return Err(Failure::usage(format!("{SECRET}: {error}"))),
        };
        let secret = text.trim();
        if secret.is_empty() || secret.contains(char::is_control) {
            return Err(
                Failure::usage("the credential is empty or has a control character in it")
                    .help("the file or variable holds the token or password and nothing else"),
            );
        }
        Ok(Some(secret.to_owned()))
    }
}

/// Header lines, one a line of the file.
fn header_lines(path: &Path, text: &str) -> Result<Vec<String>, Failure> {
    let lines: Vec<String> = text
        .lines()
        .map(|line| line.trim_end().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    let is_header = |line: &String| {
        line.split_once(':').is_some_and(|(name, _)| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        }) && !line.contains(char::is_control)
    };
    if lines.is_empty() || !lines.iter().all(is_header) {
        return Err(
            Failure::usage(format!("{} does not hold header lines", path.display())).help(
                "write them as they are sent, one a line, for example X-Forwarded-User: me@example.com",
            ),
        );
    }
    Ok(lines)
}

/// Reads a file with a secret in it, and says so if others can read it too.
fn read_private(path: &Path, output: &Output) -> Result<String, Failure> {
    let text = fs_err::read_to_string(path)?;
    if fs_err::metadata(path)?.permissions().mode() & 0o077 != 0 {
        let path = path.display();
        output.note(&format!(
            "warning: others on this machine can read {path}: chmod 600 it"
        ));
    }
    Ok(text)
}

impl From<AddressError> for Failure {
    fn from(error: AddressError) -> Self {
        let help = match &error {
            AddressError::NotLoopback(..) => Some(
                "if the gateway is yours, or you have its owner's consent: --i-own-this-gateway",
            ),
            AddressError::Form(_) => Some("for example clawgauge attach http://127.0.0.1:18789"),
            AddressError::Unresolved(..) => None,
        };
        let exit = match &error {
            AddressError::Unresolved(..) => Ending::Gateway.into(),
            AddressError::NotLoopback(..) | AddressError::Form(_) => Exit::Usage,
        };
        Self::new(exit, error.to_string()).helped(help)
    }
}

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        let help = match &error {
            TlsError::File { .. } => "--ca-file takes root certificates in PEM form",
            TlsError::NoRoots(_) => "give the proxy's root certificate: --ca-file FILE",
            TlsError::Name(_) | TlsError::Setup(_) => "ask by the name that the certificate has",
        };
        Self::usage(error.to_string()).help(help)
    }
}

impl From<&AttachError> for Failure {
    fn from(error: &AttachError) -> Self {
        let (ending, help) = match error {
            AttachError::Unreachable(..) => (
                Ending::Gateway,
                Some(
                    "is it up? `openclaw gateway status`; a certificate that is not known: --ca-file FILE",
                ),
            ),
            AttachError::NotOpenClaw(..) => (
                Ending::Gateway,
                Some(
                    "give the address and port of the gateway; what an access proxy before it wants goes into --headers-file",
                ),
            ),
            AttachError::Refused(_) => (
                Ending::Incomplete,
                Some(
                    "without a credential the gateway is asked as a stranger would; in mode trusted-proxy it takes --identity-file",
                ),
            ),
            AttachError::LockedOut(_) => (
                Ending::Incomplete,
                Some("wait until the lock is over; five minutes unless configured otherwise"),
            ),
            AttachError::Budget(..) => (Ending::Incomplete, Some("raise --max-requests")),
            AttachError::Interrupted => (Ending::Interrupted, None),
        };
        Self::new(ending, error.to_string()).helped(help)
    }
}

/// Attaches, reports, or says what would be asked.
pub(super) fn attach(
    args: &AttachArgs,
    catalogue: &Catalogue,
    session: &Session,
    output: &Output,
) -> Result<(), Failure> {
    if let Some(path) = &args.log {
        // What was typed is not repeated: it may have a secret in it, though it is refused then.
        start_log(path, false)?;
    }
    let endpoint: Endpoint = args.url.parse()?;
    let reports = Reports::new(&args.report)?;
    tell_day(catalogue, output);
    let address = session.run(async |_| {
        let all = endpoint.resolve().await?;
        let admitted = endpoint.admit(&all, args.i_own_this_gateway)?;
        let address = match args.dry_run {
            true => admitted.into_iter().next(),
            false => Address::first_open(admitted).await,
        };
        address.ok_or_else(|| Failure::usage("unknown host"))
    })?;
    let options = args.options(address, output)?;
    if args.dry_run {
        return dry_run(args, catalogue, &options, output);
    }
    let (record, attached) = session
        .run(async |cancel| Ok(drive_attached(args, catalogue, &options, cancel, output).await))?;
    let ended = match &attached {
        Ok(_) => output.first([
            ended_as(&record),
            show(&Results::from(&record), args.detail(), output),
        ]),
        Err(error) => Err(Failure::from(error)),
    };
    output.first([ended, reports.write(&Results::from(&record), output)])
}

/// Attaches and feeds the events to progress and record.
async fn drive_attached(
    args: &AttachArgs,
    catalogue: &Catalogue,
    options: &AttachOptions,
    cancel: &CancellationToken,
    output: &Output,
) -> (Record, Result<Findings, AttachError>) {
    let gate = Gate {
        fail_on: args.fail_on,
        ..Gate::default()
    };
    let mut recorder = Recorder::new(&catalogue.table_hash, gate);
    let mut progress = output.progress(args.detail());
    let work = async |events, stop| attach_to(catalogue, options, &events, &stop).await;
    let attached = drive(work, cancel, |event| {
        // A failure is told once, at the end.
        if !matches!(event, RunEvent::GatewayFailed { .. }) {
            progress.event(event);
        }
        recorder.event(event);
        ControlFlow::Continue(())
    });
    let attached = attached.await;
    (recorder.finish(catalogue).0, attached)
}

/// Says what would be asked, for each mode that the gateway may turn out to have.
fn dry_run(
    args: &AttachArgs,
    catalogue: &Catalogue,
    options: &AttachOptions,
    output: &Output,
) -> Result<(), Failure> {
    let mut out = format!(
        "{}: nothing is sent\n\nThe probe, without a credential unless it is said:\n",
        options.address.reference
    );
    for question in Question::all(options.credential.is_some(), !options.identity.is_empty()) {
        let with = match question.shows_credential() {
            true => ", with the credential that you gave, once the others say that it is a gateway",
            false => "",
        };
        out.push_str(&format!("  {question}{with}\n"));
    }
    let safety = Safety::new(catalogue);
    let modes = match options.mode {
        Some(mode) => vec![mode],
        None => vec![Mode::None, Mode::Token, Mode::TrustedProxy],
    };
    for mode in modes {
        let capabilities = Capabilities::of(mode);
        let choices = select(catalogue, &capabilities, options, &safety);
        let asked: Vec<&Choice> = choices.iter().filter(|choice| choice.is_asked()).collect();
        out.push_str(&format!(
            "\nIf its mode is {}: {} of {} cells, at most {} requests in all\n",
            mode.profile(),
            asked.len(),
            choices.len(),
            options.limits.requests
        ));
        if args.loudness.verbose || options.mode.is_some() {
            for choice in &asked {
                out.push_str(&format!("  {}\n", choice.cell.id()));
            }
        }
        let mut left_out = std::collections::BTreeMap::<&str, usize>::new();
        for reason in choices
            .iter()
            .filter_map(|choice| choice.what.as_ref().err())
        {
            *left_out.entry(reason).or_default() += 1;
        }
        for (reason, count) in left_out {
            out.push_str(&format!("  not asked, {count}: {reason}\n"));
        }
    }
    output.result(&out)
}
