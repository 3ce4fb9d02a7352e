//! The routes of a release as a document: what `--format json` writes, and what every other format renders.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The format of the document.
pub(super) const SCHEMA: &str = "clawgauge.routes/1";

/// The routes of a release, and who was let in there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Routes {
    /// `clawgauge.routes/1`.
    pub schema: String,
    /// The gateway as the caller named it.
    pub gateway: String,
    /// The release that it is asked as.
    pub version: String,
    /// The profiles under which it was launched and asked; none where nothing was asked.
    pub profiles: Vec<String>,
    /// Profiles that did not start, and requests without an answer, in words.
    pub not_asked: Vec<String>,
    /// The ways in which each path was written.
    pub spellings: Vec<String>,
    /// The routes, sorted by path; last, where it was asked, the path that no release serves.
    pub routes: Vec<Route>,
    /// Entries of the public list that let nobody in here.
    pub unused: Vec<String>,
}

/// A route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Route {
    /// The path; a segment that may be anything is `:x`.
    pub path: String,
    /// Where the release names it.
    pub sources: Vec<RouteSource>,
    /// Scenarios that ask it.
    pub scenarios: Vec<String>,
    /// Why anybody may have it, if the public list says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<String>,
    /// Whether it is served, and neither a scenario nor the public list knows it.
    pub new: bool,
    /// What it came to.
    pub verdict: RouteVerdict,
    /// What it answers as it is written, by profile and method.
    pub guard: Vec<Guard>,
    /// What it must not answer.
    pub findings: Vec<Finding>,
}

/// Where a route is named.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RouteSource {
    /// The source file that the code came from; none of documentation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The file of the package.
    pub file: String,
    /// Its line.
    pub line: u32,
}

/// What a route came to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum RouteVerdict {
    /// It lets in whoever has no credential, and is not on the public list.
    Open,
    /// It tells whoever has no credential more than a denial does.
    Tells,
    /// Anybody may have what it answers.
    Public,
    /// Who has the credential gets another answer than who has none.
    Guarded,
    /// The credential of the gateway makes no difference: it denies everybody, each in the same way.
    Denied,
    /// It answers as a path does that nobody serves: it is switched off here, or no route at all.
    Nothing,
    /// It was not asked.
    NotAsked,
}

/// What a route answers under a profile to a method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Guard {
    /// The profile.
    pub profile: String,
    /// The method.
    pub method: String,
    /// The status without a credential.
    pub absent: Option<u16>,
    /// The status with a wrong one; none where nobody serves it.
    pub wrong: Option<u16>,
    /// The status with the right one.
    pub right: Option<u16>,
}

/// An answer that must not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// What is wrong with it.
    pub kind: FindingKind,
    /// The profile.
    pub profile: String,
    /// The method.
    pub method: String,
    /// The name of the spelling.
    pub spelling: String,
    /// What was sent.
    pub target: String,
    /// What the caller had.
    pub credential: Credential,
    /// The status.
    pub status: u16,
    /// The beginning of the body, without secrets.
    pub body: String,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// It lets in.
    LetsIn,
    /// It is neither an answer that lets in nor one of the denials that tell nothing.
    Tells,
    /// It holds a secret of the launch.
    Secret,
}

/// What a caller has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Credential {
    /// Nothing.
    Absent,
    /// Something that is not it.
    Wrong,
}

impl RouteVerdict {
    /// In a word or two.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Tells => "tells",
            Self::Public => "public",
            Self::Guarded => "guarded",
            Self::Denied => "denied",
            Self::Nothing => "nothing there",
            Self::NotAsked => "not asked",
        }
    }

    /// Whether something answers there.
    pub fn is_served(self) -> bool {
        !matches!(self, Self::Nothing | Self::NotAsked)
    }

    /// Whether it must not be.
    pub fn is_wrong(self) -> bool {
        matches!(self, Self::Open | Self::Tells)
    }
}

impl RouteSource {
    /// Where to look: file and line, and the region.
    pub fn place(&self) -> String {
        match &self.region {
            Some(region) => format!("{}:{} ({region})", self.file, self.line),
            None => format!("{}:{}", self.file, self.line),
        }
    }
}

impl Route {
    /// The distinct statuses as it is written: without the credential, with a wrong one, with the right one.
    pub fn statuses(&self) -> [Vec<u16>; 3] {
        let of = |pick: fn(&Guard) -> Option<u16>| {
            let mut found: Vec<u16> = self.guard.iter().filter_map(pick).collect();
            found.sort_unstable();
            found.dedup();
            found
        };
        [
            of(|one| one.absent),
            of(|one| one.wrong),
            of(|one| one.right),
        ]
    }
}

impl Routes {
    /// Reads a document.
    ///
    /// # Errors
    /// It is none of this format.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let read: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        match read.schema.as_str() {
            SCHEMA => Ok(read),
            other => Err(format!("its schema is {other}, not {SCHEMA}")),
        }
    }

    /// The routes that must not answer as they do.
    pub fn wrong(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().filter(|route| route.verdict.is_wrong())
    }

    /// How many routes came to a verdict.
    pub fn count(&self, verdict: RouteVerdict) -> usize {
        let routes = self.routes.iter();
        routes.filter(|route| route.verdict == verdict).count()
    }
}
