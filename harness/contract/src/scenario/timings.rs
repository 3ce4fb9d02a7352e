//! What launches and requests are known to take, by release: `fixtures/timings.toml`.
//!
//! Nothing is judged by it, so it is no part of what a record is judged by.

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::parse::{parse_range, parse_toml, schema_version};
use super::{Problem, Problems, SourceFile};
use crate::release::{GatewayRef, Version, VersionRange};

/// What launches and requests take.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TimingsFile {
    /// Version of this file format; 1.
    #[schemars(with = "u32")]
    schema: Spanned<u32>,
    /// The reference gateway, and whatever no range speaks about.
    reference: Typical,
    /// Published releases.
    #[serde(default)]
    release: Vec<ReleaseTable>,
}

/// What launches and requests of some releases take.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReleaseTable {
    /// First release it holds for.
    #[schemars(with = "Option<String>")]
    since: Option<Spanned<String>>,
    /// First release it no longer holds for.
    #[schemars(with = "Option<String>")]
    until: Option<Spanned<String>>,
    /// What they take.
    seconds: Typical,
}

/// What launches and requests take, in seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Typical {
    /// From spawning until it answers its probe, alone on a quiet machine.
    pub start: f64,
    /// From asking it to stop until it has.
    pub stop: f64,
    /// Seconds of the processor, for start and stop together.
    pub processor: f64,
    /// Until a start that is refused has said so and ended.
    pub refused: f64,
    /// The first call of the model, beyond what later ones take.
    pub first_call: f64,
    /// Seconds of the processor for it.
    #[serde(default)]
    pub first_call_processor: f64,
    /// A request that reaches no model, one of many that are under way.
    pub request: f64,
    /// A request that reaches the model.
    pub model_call: f64,
    /// How long a wrong credential waits for its answer, once several came.
    pub wrong_credential: f64,
    /// A request by another client; these are sent one at a time.
    pub client: f64,
}

/// What launches and requests take, by release.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timings {
    reference: Typical,
    releases: Vec<(VersionRange, Typical)>,
}

impl Timings {
    /// What is known of a gateway that is taken for a release.
    pub fn of(&self, gateway: &GatewayRef, release: &Version) -> Typical {
        let known = || self.releases.iter();
        match gateway {
            GatewayRef::Reference => self.reference,
            GatewayRef::Published(_)
            | GatewayRef::Package { .. }
            | GatewayRef::Image(_)
            | GatewayRef::Path(_) => known()
                .find(|(range, _)| range.contains(release))
                .map_or(self.reference, |(_, typical)| *typical),
        }
    }
}

impl Typical {
    fn fields(&self) -> [f64; 10] {
        [
            self.start,
            self.stop,
            self.processor,
            self.refused,
            self.first_call,
            self.first_call_processor,
            self.request,
            self.model_call,
            self.wrong_credential,
            self.client,
        ]
    }
}

/// Longer than this nothing takes, in seconds.
const MOST: f64 = 100_000.0;

/// Reads `fixtures/timings.toml`.
pub(super) fn timings(file: &SourceFile) -> Result<Timings, Problems> {
    let raw: TimingsFile = parse_toml(file)?;
    let mut problems = Problems::default();
    schema_version(file, &raw.schema, &mut problems);
    let all = std::iter::once(&raw.reference).chain(raw.release.iter().map(|it| &it.seconds));
    for seconds in all.flat_map(Typical::fields) {
        if !(0.0..MOST).contains(&seconds) {
            problems.0.push(Problem::nowhere(format!(
                "{}: {seconds} is no number of seconds from 0 to {MOST}",
                file.name
            )));
        }
    }
    let releases = raw.release.into_iter().map(|table| {
        let (since, until) = (table.since.as_ref(), table.until.as_ref());
        let range = parse_range(file, since, until, &mut problems);
        (range, table.seconds)
    });
    let timings = Timings {
        reference: raw.reference,
        releases: releases.collect(),
    };
    problems.into_result(timings)
}
