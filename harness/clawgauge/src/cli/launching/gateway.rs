//! `clawgauge gateway`: the releases in the cache.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::releases::{WalkArgs, installable, ranges, select};
use super::session::Session;
use crate::cli::guard::Stdout;
use crate::cli::output::{Failure, Output};
use crate::cli::reference::reference;
use contract::release::{GatewayRef, ReleaseName, Releases, Walk};
use contract::scenario::Catalogue;
use machine::install::{
    Cache, Entry, EntryState, InstallContext, InstallError, Progress as Step, Removal, entry_name,
    install, prunable, releases,
};
use record::Ending;
use record::events::RunEvent;
use reports::Detail;

/// What to do with the cache.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum GatewayCommand {
    /// Install releases, or what is missing of them
    Install(InstallArgs),
    /// Say which releases and Nodes are installed, and what they take of the disk
    List(ListArgs),
    /// Remove installed releases; what is in use stays
    Prune(PruneArgs),
    /// Print the folder of the cache, or of an installed release
    Path(PathArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct InstallArgs {
    /// `2026.9.6`, `openclaw@2026.9.6`, `latest`, `latest-5`, `beta`, `2026.3.*` or `>=2026.3.28, <2026.4.1`; `npm:@scope/fork@1.2.3`, or a
    /// tarball
    #[arg(value_name = "RELEASES", required = true)]
    releases: Vec<String>,

    /// Install them even if they are there
    #[arg(long)]
    again: bool,

    #[command(flatten)]
    walk: WalkArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct ListArgs {
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PruneArgs {
    /// Releases to remove: names or ranges; what else is installed: as `list` calls it, or as `install` takes it
    #[arg(value_name = "RELEASES", required_unless_present_any = ["keep", "all"])]
    releases: Vec<String>,

    /// Remove all but so many, those that were used last, and whatever is damaged
    #[arg(long, value_name = "N", conflicts_with_all = ["releases", "all"])]
    keep: Option<usize>,

    /// Remove everything, Nodes too
    #[arg(long, conflicts_with = "releases")]
    all: bool,

    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct PathArgs {
    /// The release: a version or `latest`; what else is installed: as `list` calls it, or as `install` takes it
    release: Option<String>,
}

impl GatewayCommand {
    pub(super) fn stdout(&self) -> Stdout {
        match self {
            Self::Path(_) | Self::List(ListArgs { json: true }) => Stdout::Data,
            Self::Install(_) | Self::List(_) | Self::Prune(_) => Stdout::Text,
        }
    }
}

/// Carries out a command on the cache.
pub(super) fn gateway(
    command: &GatewayCommand,
    catalogue: &dyn Fn() -> Result<Catalogue, Failure>,
    session: &Session,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        GatewayCommand::Install(args) => {
            let needs = catalogue()?.needs;
            let context = InstallContext::from_env(reference()?, needs);
            session.run(async |cancel| install_all(args, &context, cancel, output).await)
        }
        GatewayCommand::List(args) => list(args, &cache()?, output),
        GatewayCommand::Prune(args) => prune(args, &cache()?, output),
        GatewayCommand::Path(args) => path(args, &cache()?, output),
    }
}

fn cache() -> Result<Cache, Failure> {
    Cache::from_env().ok_or_else(|| InstallError::NoCache.into())
}

async fn install_all(
    args: &InstallArgs,
    context: &InstallContext,
    cancel: &CancellationToken,
    output: &Output,
) -> Result<(), Failure> {
    let (mut selected, ranges) = installable(&args.releases)?;
    let shown = std::sync::Mutex::new(output.progress(Detail::Normal));
    let tell = |gateway: &str, step: Step| {
        let event = RunEvent::Preparing {
            gateway: gateway.to_owned(),
            what: step.to_string(),
        };
        // Whoever panicked while it was shown has been heard.
        if let Ok(mut shown) = shown.lock() {
            shown.event(&event);
        }
    };
    if !ranges.is_empty() {
        let known = releases(context, &|step| tell("openclaw", step), cancel).await?;
        let releases = select(&ranges, &known, args.walk.into())?.into_iter();
        selected.extend(releases.map(|version| GatewayRef::Published(ReleaseName::Exact(version))));
    }
    let mut failed = Vec::new();
    for gateway in &selected {
        let name = gateway.to_string();
        let step = |step: Step| tell(&name, step);
        let result = install(gateway, args.again, context, &step, cancel).await;
        if let Ok(mut shown) = shown.lock() {
            shown.event(&RunEvent::Finished);
        }
        match result {
            Ok(done) => {
                let node = done.program.node.as_deref().unwrap_or("unknown");
                let word = if done.fresh { "installed" } else { "is there" };
                let notes: String = done
                    .program
                    .notes
                    .iter()
                    .map(|note| format!("  {note}\n"))
                    .collect();
                output.result(&format!(
                    "{name} {word}: {}, Node {node}, {}\n{notes}",
                    size(done.bytes),
                    done.folder.display()
                ))?;
            }
            Err(InstallError::Cancelled) => return Err(InstallError::Cancelled.into()),
            Err(error) => {
                let why = format!("{name}: {error}");
                output.tell(&Failure::usage(why).helped(error.help()));
                failed.push(name);
            }
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(
            Ending::Gateway,
            format!(
                "{} of {} releases could not be installed: {}",
                failed.len(),
                selected.len(),
                failed.join(", ")
            ),
        )),
    }
}

fn list(args: &ListArgs, cache: &Cache, output: &Output) -> Result<(), Failure> {
    let entries = cache.entries();
    if args.json {
        return output.json(&entries);
    }
    let paint = output.paint();
    let mut text = String::new();
    let now = base::time::now();
    for entry in &entries {
        let name = entry.name();
        let used = entry.used.map_or("never used".to_owned(), |used| {
            format!("used {}", ago(now, used))
        });
        let state = match (&entry.state, entry.in_use) {
            (EntryState::Partial, true) => paint.warn("being installed"),
            (EntryState::Partial, false) => paint.bad("half an installation; prune removes it"),
            (EntryState::Broken(why), _) => paint.bad(&format!("damaged: {why}")),
            (EntryState::Whole, true) => paint.good("in use"),
            (EntryState::Whole, false) => String::new(),
        };
        let line = format!("{name:<30} {:>8}  {used:<20} {state}", size(entry.bytes));
        text.push_str(line.trim_end());
        text.push('\n');
        for note in &entry.notes {
            text.push_str(&paint.dim(&format!("  {note}\n")));
        }
    }
    let total: u64 = entries.iter().map(|entry| entry.bytes).sum();
    let free = cache
        .free_bytes()
        .map_or(String::new(), |free| format!(", {} free", size(free)));
    text.push_str(&format!(
        "{} in {}{free}\n",
        size(total),
        cache.root().display()
    ));
    output.result(&text)
}

fn prune(args: &PruneArgs, cache: &Cache, output: &Output) -> Result<(), Failure> {
    let entries = cache.entries();
    let victims: Vec<Entry> = match (args.all, args.keep) {
        (true, _) => entries,
        (false, Some(keep)) => prunable(&entries, keep),
        (false, None) => named(&args.releases, entries)?,
    };
    let (mut freed, mut count) = (0, 0);
    for entry in &victims {
        let name = entry.name();
        let removal = match args.dry_run {
            true if entry.in_use => Removal::InUse,
            true => Removal::Removed(entry.bytes),
            false => cache.remove(&entry.package, &entry.version)?,
        };
        match removal {
            Removal::Removed(bytes) => {
                freed += bytes;
                count += 1;
                let word = if args.dry_run { "would go" } else { "removed" };
                output.result(&format!("{name} {word}: {}\n", size(bytes)))?;
            }
            Removal::InUse => output.note(&format!("{name} is in use and stays")),
            Removal::Absent => {}
        }
    }
    let word = if args.dry_run { "would be" } else { "are" };
    output.result(&format!("{} of {count} {word} free again\n", size(freed)))
}

/// The installed ones among what somebody names.
fn named(texts: &[String], entries: Vec<Entry>) -> Result<Vec<Entry>, Failure> {
    let (mut others, mut ranged) = (Vec::new(), Vec::new());
    for text in texts {
        match other(text, &entries)? {
            Some(entry) => others.push(entry.name()),
            None => ranged.push(text.clone()),
        }
    }
    let installed = entries.iter().filter_map(Entry::release);
    let installed = Releases::new(installed, None, Default::default());
    let everything = Walk {
        betas: true,
        long_term: true,
    };
    let selected = select(&ranges(&ranged)?, &installed, everything).map_err(|error| {
        Failure::from(error).help("clawgauge gateway list shows what is installed")
    })?;
    let wanted = |entry: &Entry| {
        let release = entry.release();
        release.is_some_and(|release| selected.contains(&release)) || others.contains(&entry.name())
    };
    Ok(entries.into_iter().filter(wanted).collect())
}

/// The entry that somebody names, where that is no release: as `list` calls it, a package, or a tarball.
fn other<'a>(text: &str, entries: &'a [Entry]) -> Result<Option<&'a Entry>, Failure> {
    let others = entries.iter().filter(|entry| entry.release().is_none());
    if let Some(entry) = others.clone().find(|entry| entry.name() == text) {
        return Ok(Some(entry));
    }
    let (gateways, _) = installable(&[text.to_owned()])?;
    let Some(gateway) = gateways.first() else {
        return Ok(None);
    };
    let place = entry_name(gateway)?;
    let mine = |entry: &&Entry| Some((entry.package.clone(), entry.version.clone())) == place;
    let entry = others.into_iter().find(mine).ok_or_else(|| {
        Failure::usage(format!("{gateway} is not installed"))
            .help("clawgauge gateway list shows what is installed")
    })?;
    Ok(Some(entry))
}

fn path(args: &PathArgs, cache: &Cache, output: &Output) -> Result<(), Failure> {
    let path: PathBuf = match &args.release {
        None => cache.root().to_path_buf(),
        Some(text) => {
            let entries = cache.entries();
            let entry = match other(text, &entries)? {
                Some(entry) => Some(entry),
                None => {
                    let installed = entries.iter().filter_map(Entry::release);
                    let installed = Releases::new(installed, None, Default::default());
                    let name = text.strip_prefix("openclaw@").unwrap_or(text);
                    let version = installed.named(name).map_err(|error| {
                        let failure = Failure::from(error);
                        failure.help(format!("clawgauge gateway install {name}"))
                    })?;
                    let mine = |entry: &&Entry| entry.release().as_ref() == Some(&version);
                    entries.iter().find(mine)
                }
            };
            let place = entry.and_then(|entry| cache.entry_point(entry));
            place.ok_or_else(|| {
                Failure::usage(format!("{text} is no gateway, or half an installation"))
                    .help("clawgauge gateway list shows what is installed")
            })?
        }
    };
    output.data(&format!("{}\n", path.display()))
}

/// A size as people say it.
fn size(bytes: u64) -> String {
    const MIB: u64 = 1024 * 1024;
    match bytes {
        0..MIB => format!("{} KiB", bytes.div_ceil(1024)),
        MIB.. => format!("{} MiB", bytes / MIB),
    }
}

/// How long ago something was.
fn ago(now: Timestamp, then: Timestamp) -> String {
    let passed = Duration::try_from(now.duration_since(then)).unwrap_or_default();
    match passed.as_secs() / 60 {
        0 => "just now".to_owned(),
        minutes @ 1..120 => format!("{minutes} min ago"),
        minutes @ 120..2880 => format!("{} hours ago", minutes / 60),
        minutes => format!("{} days ago", minutes / 1440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, "0 KiB")]
    #[case(1, "1 KiB")]
    #[case(5 << 20, "5 MiB")]
    #[case(1360 << 20, "1360 MiB")]
    fn sizes(#[case] bytes: u64, #[case] text: &str) {
        assert_eq!(size(bytes), text);
    }

    #[rstest]
    #[case(59, "just now")]
    #[case(60 * 119, "119 min ago")]
    #[case(60 * 60 * 47, "47 hours ago")]
    #[case(60 * 60 * 24 * 3, "3 days ago")]
    fn times(#[case] seconds: i64, #[case] text: &str) {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let then = Timestamp::from_second(1_800_000_000 - seconds).unwrap();
        assert_eq!(ago(now, then), text);
    }
}
