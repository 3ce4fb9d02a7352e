//! `clawgauge docs`: which passages of the documentation that rules cite changed with a release. Nothing is launched.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::Args;
use tokio_util::sync::CancellationToken;

use super::releases::{ranges, say_step, select};
use super::session::Session;
use crate::cli::output::{Failure, Output};
use crate::cli::reference::reference;
use contract::release::{GatewayRef, ReleaseName, Version, Walk};
use contract::scenario::Catalogue;
use machine::install::{InstallContext, InstallError, install, releases};
use record::Ending;
use reports::passages_text;
use studies::passages::{Document, Fate, cited, finding, passages};

/// Arguments of `docs`.
#[derive(Debug, Args)]
pub(in crate::cli) struct DocsArgs {
    /// The release to read: `openclaw@2026.9.6`, `latest` or `beta`; of a range the newest
    #[arg(long, value_name = "RELEASE", default_value = "latest")]
    gateway: String,

    /// As JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Compares what rules cite with what the release says; a release that cannot be installed leaves its part unknown.
pub(super) fn docs(
    args: &DocsArgs,
    catalogue: &Catalogue,
    session: &Session,
    output: &Output,
) -> Result<(), Failure> {
    let context = InstallContext::from_env(reference()?, catalogue.needs.clone());
    let found = session.run(async |cancel| {
        let step = |step| say_step(output, &step);
        let known = releases(&context, &step, cancel).await?;
        let range = ranges(std::slice::from_ref(&args.gateway))?;
        let selected = select(&range, &known, Walk::default())?;
        let release = selected.into_iter().next_back();
        let release = release.ok_or_else(|| Failure::usage("it names no release"))?;
        let folder = installed(&release, &context, cancel, output).await?;
        let mut folders = BTreeMap::from([(release.clone(), Ok(folder.clone()))]);
        let mut findings = Vec::new();
        for (document, citing) in cited(catalogue, &release) {
            if !folders.contains_key(&document.cited) {
                let found = match installed(&document.cited, &context, cancel, output).await {
                    Err(InstallError::Cancelled) => return Err(InstallError::Cancelled.into()),
                    found => found.map_err(|error| first_line(&error)),
                };
                folders.insert(document.cited.clone(), found);
            }
            let texts = match &folders[&document.cited] {
                Ok(then) => texts(&document, then, &folder),
                Err(why) => Err(why.clone()),
            };
            findings.push(finding(&document, citing, texts));
        }
        Ok(passages(catalogue, &release, findings))
    })?;
    match args.json {
        true => output.json(&found)?,
        false => output.result(&passages_text(&found, output.paint()))?,
    }
    let unknown = |fate: Fate| fate == Fate::Unknown;
    let unknown = found
        .documents
        .iter()
        .filter(|document| unknown(document.fate));
    match unknown.count() {
        0 => Ok(()),
        count => Err(Failure::new(
            Ending::Incomplete,
            format!(
                "{count} of {} documents could not be compared",
                found.documents.len()
            ),
        )),
    }
}

async fn installed(
    release: &Version,
    context: &InstallContext,
    cancel: &CancellationToken,
    output: &Output,
) -> Result<PathBuf, InstallError> {
    let step = |step| say_step(output, &step);
    let release = GatewayRef::Published(ReleaseName::Exact(release.clone()));
    let done = install(&release, false, context, &step, cancel).await?;
    Ok(done.folder.join("node_modules/openclaw"))
}

fn first_line(error: &InstallError) -> String {
    let text = error.to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

/// The text that was cited, and what stands in its place now.
fn texts(document: &Document, then: &Path, now: &Path) -> Result<(String, Option<String>), String> {
    let read = |folder: &Path| fs_err::read_to_string(folder.join(&document.path));
    let before = read(then).map_err(|error| error.to_string())?;
    match read(now) {
        Ok(text) => Ok((before, Some(text))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok((before, None)),
        Err(error) => Err(error.to_string()),
    }
}
