//! Senders: other people's clients that ask in the place of clawgauge's own, as data: which package, on what, by which script.
//!
//! A scenario with an axis `sender` asks each cell by the sender that its value names. The script reads the request that
//! clawgauge would send itself and prints what the library told its caller.

use std::sync::Arc;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::parse::{check_id, parse_toml, read_body, schema_version};
use super::{Problem, Problems, SourceFile};
use crate::data::Data;

/// The axis whose values are senders.
pub const SENDER_AXIS: &str = "sender";
/// The value of that axis that stands for clawgauge's own sender.
pub const OWN_SENDER: &str = "harness";

/// A client that sends requests.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SenderFile {
    /// Version of this file format; 1.
    #[schemars(with = "u32")]
    schema: Spanned<u32>,
    /// Name of the sender: its value on the axis `sender`.
    #[schemars(with = "String")]
    id: Spanned<String>,
    /// At most five characters for the head of a matrix column; the id where it is short enough.
    short: Option<String>,
    /// What it is, in a few words.
    title: String,
    /// File under `fixtures/` that holds the script: it reads one request from stdin and prints one JSON line.
    #[schemars(with = "String")]
    script: Spanned<String>,
    /// Whether the script stays: it reads one request after the other, each a line with one JSON string, and answers each
    /// with a line. For clients that take long to start, such as a browser.
    #[serde(default)]
    stays: bool,
    /// How to get what the machine must have for it.
    get: String,
    /// What the script runs on.
    runtime: Runtime,
}

/// What a sender's script runs on, and what it needs there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Runtime {
    /// Python, in a virtual environment of its own that holds exactly these packages.
    Python {
        /// The library, as the registry names it.
        package: String,
        /// Its version.
        version: String,
        /// Everything that it needs, pinned: `name==version`.
        #[serde(default)]
        beside: Vec<String>,
    },
    /// Node, with a `node_modules` of its own.
    Node {
        /// The library, as the registry names it.
        package: String,
        /// Its version.
        version: String,
        /// The Nodes that it runs on, as a range.
        engines: String,
        /// A command that the machine must have besides, as a browser; the script finds it in `CLAWGAUGE_COMMAND`.
        command: Option<String>,
    },
    /// The machine's `sh`, with a command that the machine has.
    Shell {
        /// The command; what it says to `--version` is recorded.
        command: String,
    },
}

/// A client that sends requests, its script read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// Its value on the axis [`SENDER_AXIS`].
    pub id: String,
    /// Head of a matrix column.
    pub short: String,
    /// What it is, in a few words.
    pub title: String,
    /// Name of the script's file, relative to the data root.
    pub file: String,
    /// The script.
    pub script: String,
    /// Whether it takes one request after the other.
    pub stays: bool,
    /// How to get what the machine must have for it.
    pub get: String,
    /// What the script runs on.
    pub runtime: Runtime,
    /// `file:line` of the definition.
    pub origin: String,
}

impl Sender {
    /// Package and version where they are pinned: `openai 3.57.0`.
    pub fn pin(&self) -> Option<String> {
        match &self.runtime {
            Runtime::Python {
                package, version, ..
            }
            | Runtime::Node {
                package, version, ..
            } => Some(format!("{package} {version}")),
            Runtime::Shell { .. } => None,
        }
    }

    /// The command that the machine must have for it.
    pub fn command(&self) -> Option<&str> {
        match &self.runtime {
            Runtime::Shell { command } => Some(command),
            Runtime::Node { command, .. } => command.as_deref(),
            Runtime::Python { .. } => None,
        }
    }

    /// What it is, with its pin.
    pub fn full_title(&self) -> String {
        match self.pin() {
            Some(pin) => format!("{}: {pin}", self.title),
            None => format!("{}, as the machine has it", self.title),
        }
    }
}

/// Senders by id, in the order of their file names.
pub(super) type Senders = IndexMap<String, Arc<Sender>>;

/// Reads one file; `data` holds the script.
pub(super) fn sender(file: &SourceFile, data: &Data) -> Result<Sender, Problems> {
    let raw: SenderFile = parse_toml(file)?;
    let mut problems = Problems::default();
    schema_version(file, &raw.schema, &mut problems);
    check_id(file, &raw.id, &mut problems);
    if raw.id.get_ref() == OWN_SENDER {
        problems.0.push(
            Problem::at(
                file,
                raw.id.span(),
                format!("`{OWN_SENDER}` is clawgauge's own sender"),
                "this id",
            )
            .help("name it by the client that it is"),
        );
    }
    let script = read_body(file, data, &raw.script, &mut problems);
    let id = raw.id.get_ref().clone();
    problems.into_result(Sender {
        origin: format!("{}:{}", file.name, file.line(raw.id.span().start)),
        short: raw.short.unwrap_or_else(|| id.clone()),
        id,
        title: raw.title,
        file: format!("fixtures/{}", raw.script.get_ref()),
        script,
        stays: raw.stays,
        get: raw.get,
        runtime: raw.runtime,
    })
}
