//! The work of a survey: one release after the other is installed, run, recorded and dropped.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::Dropped;
use super::install::{Coming, Guests};
use crate::{Events, RunOptions, drive, run};
use contract::release::{GatewayRef, ReleaseName, Version};
use contract::scenario::Catalogue;
use contract::snapshots::Snapshots;
use machine::install::{InstallError, Progress};
use record::clean::Cleaner;
use record::events::RunEvent;
use record::{Gate, Record, Recorder};
use studies::survey::reference;
use studies::survey::{
    Again, Decision, Folder, Kept, RerunReason, State, StateKind, SurveyRequest,
};

/// Of a release whose first launches all failed no more are tried: a start may take minutes to fail.
const HOPELESS: usize = 4;

/// What a survey is to do.
#[derive(Debug)]
pub struct Job<'a> {
    /// What is asked and judged by.
    pub catalogue: &'a Catalogue,
    /// The accepted answers.
    pub snapshots: &'a Snapshots,
    /// How releases are launched and asked; the gateways in it do not matter.
    pub options: RunOptions,
    /// What is asked, as the records note it.
    pub asked: SurveyRequest,
    /// The releases, in order.
    pub releases: &'a [Version],
    /// Where the records are.
    pub folder: &'a Folder,
    /// Which releases that have a record are run again.
    pub again: Again,
    /// How many of the releases that the survey installs may stay installed at a time.
    pub keep: usize,
}

/// Something happened.
#[derive(Debug)]
pub enum Event<'a> {
    /// A release has a record that says what is asked for.
    Kept(&'a Kept),
    /// It is a release's turn.
    Begins {
        /// The release.
        version: &'a Version,
        /// Its place among those that are run, from 1.
        place: usize,
        /// How many are run.
        of: usize,
        /// RerunReason it is run.
        why: &'a RerunReason,
        /// How long the rest will take, by those that ran.
        left: Option<Duration>,
    },
    /// Something happened in its run.
    Run(&'a RunEvent),
    /// Its first launches all failed, so that no more are tried.
    GivenUp(&'a Version),
    /// Its record is kept.
    Recorded {
        /// Its record.
        kept: &'a Kept,
        /// How it fared.
        state: State,
        /// From its turn until now.
        took: Duration,
    },
    /// A release was removed from the cache again.
    Dropped(&'a Dropped),
}

/// What a survey came to.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The records of its releases, in order.
    pub kept: Vec<Kept>,
    /// Releases that have no record since the survey was told to stop.
    pub left: Vec<Version>,
}

impl Outcome {
    /// The releases that fared in one of some ways.
    pub fn that(&self, kinds: &[StateKind]) -> Vec<&Version> {
        let mut all: Vec<&Version> = Vec::new();
        for kept in &self.kept {
            if kinds.contains(&State::of(&kept.record).kind) {
                all.push(&kept.version);
            }
        }
        all
    }
}

/// A survey that cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// A record cannot be kept.
    #[error("cannot keep the record of {version} in {}: {error}", folder.display())]
    Write {
        /// The release.
        version: Version,
        /// The folder of records.
        folder: PathBuf,
        /// RerunReason.
        error: std::io::Error,
    },
}

/// Runs every release that has no record of what is asked for. Whatever fails about a release is in its record; the survey
/// goes on. When `cancel` fires, the release that runs is left without a record.
///
/// # Errors
/// A record cannot be written.
pub async fn carry_out(
    job: &Job<'_>,
    cancel: &CancellationToken,
    tell: &mut (dyn FnMut(Event<'_>) + Send),
) -> Result<Outcome, SurveyError> {
    let mut outcome = Outcome::default();
    let mut work: Vec<(&Version, RerunReason)> = Vec::new();
    for version in job.releases {
        match job.asked.decide(job.folder.read(version), job.again) {
            Decision::Keep(kept) => {
                tell(Event::Kept(&kept));
                outcome.kept.push(*kept);
            }
            Decision::Run(why) => work.push((version, why)),
        }
    }
    let options = &job.options;
    let mut guests = Guests::new(options.install.clone(), options.retries, job.keep);
    let mut coming: Option<Coming> = None;
    let mut spent = Duration::ZERO;
    for (place, (version, why)) in work.iter().enumerate() {
        if cancel.is_cancelled() {
            outcome.left.push((*version).clone());
            continue;
        }
        let begun = Instant::now();
        let rest = u32::try_from(work.len() - place).unwrap_or(u32::MAX);
        let ran = u32::try_from(place).unwrap_or(u32::MAX);
        tell(Event::Begins {
            version,
            place: place + 1,
            of: work.len(),
            why,
            left: spent.checked_div(ran).map(|each| each * rest),
        });
        let next = work.get(place + 1).map(|(version, _)| *version);
        let mut turn = Turn {
            job,
            version,
            guests: &mut guests,
            tell,
        };
        let record = turn.take(&mut coming, next, cancel).await;
        if let Some(record) = record {
            let kept = job.folder.write(version, &record);
            let kept = kept.map_err(|error| SurveyError::Write {
                version: (*version).clone(),
                folder: job.folder.path().to_path_buf(),
                error,
            })?;
            spent += begun.elapsed();
            tell(Event::Recorded {
                kept: &kept,
                state: State::of(&record),
                took: begun.elapsed(),
            });
            outcome.kept.push(kept);
        } else {
            outcome.left.push((*version).clone());
        }
    }
    if let Some(coming) = coming.take() {
        // It was told to stop, too; nothing half installed may stay.
        let _ = guests.arrive(coming, &mut |_| {}).await;
    }
    for dropped in guests.drop_surplus().await {
        tell(Event::Dropped(&dropped));
    }
    outcome.kept.sort_by(|a, b| a.version.cmp(&b.version));
    Ok(outcome)
}

/// One release's turn.
struct Turn<'a, 'b> {
    job: &'a Job<'b>,
    version: &'a Version,
    guests: &'a mut Guests,
    tell: &'a mut (dyn FnMut(Event<'_>) + Send),
}

impl Turn<'_, '_> {
    /// Installs it, if that has not begun yet, and runs it while the next one is installed. `None` where the survey was told
    /// to stop.
    async fn take(
        &mut self,
        coming: &mut Option<Coming>,
        next: Option<&Version>,
        cancel: &CancellationToken,
    ) -> Option<Record> {
        let gateway = reference(self.version);
        let mine = match coming
            .take()
            .filter(|coming| coming.version == *self.version)
        {
            Some(mine) => mine,
            None => {
                let (_, dropped) = self.guests.make_room(self.version).await;
                self.dropped(&dropped);
                self.guests.begin(self.version, cancel)
            }
        };
        let tell = &mut self.tell;
        let mut hear = |step: Progress| {
            tell(Event::Run(&RunEvent::Preparing {
                gateway: gateway.clone(),
                what: step.to_string(),
            }));
        };
        let arrived = self.guests.arrive(mine, &mut hear).await;
        if cancel.is_cancelled() {
            return None;
        }
        if let Some(next) = next {
            let (room, dropped) = self.guests.make_room(self.version).await;
            self.dropped(&dropped);
            // Without room the next one waits for its turn.
            *coming = room.then(|| self.guests.begin(next, cancel));
        }
        let mut record = self.run(arrived, cancel).await?;
        Cleaner::of_this_machine().record(&mut record);
        record.make_small(&gateway);
        Some(record)
    }

    fn dropped(&mut self, dropped: &[Dropped]) {
        for dropped in dropped {
            (self.tell)(Event::Dropped(dropped));
        }
    }

    /// Runs the release, or records why it could not be installed; `None` where the survey was told to stop.
    async fn run(
        &mut self,
        arrived: Result<(), InstallError>,
        cancel: &CancellationToken,
    ) -> Option<Record> {
        let asked = &self.job.asked;
        let options = RunOptions {
            gateways: vec![GatewayRef::Published(ReleaseName::Exact(
                self.version.clone(),
            ))],
            ..self.job.options.clone()
        };
        let mut recorder = Recorder::new(&asked.table_hash, Gate::default())
            .held_against(Some(self.job.snapshots.hash()))
            .asked_for(options.known_issues, &asked.cells, &asked.conditions);
        let (catalogue, snapshots) = (self.job.catalogue.clone(), self.job.snapshots.clone());
        let gateway = reference(self.version);
        let work = async move |events: Events, stop| match arrived {
            Ok(()) => run(catalogue, snapshots, options, events, stop).await,
            Err(error) => events.tell(RunEvent::GatewayFailed {
                gateway,
                error: error.to_string(),
                help: error.help(),
            }),
        };
        let (mut ready, mut failed, mut given_up) = (0, 0, false);
        drive(work, cancel, |event| {
            match event {
                RunEvent::LaunchReady { .. } => ready += 1,
                RunEvent::LaunchFailed { again: false, .. } => failed += 1,
                _ => {}
            }
            if ready == 0 && failed >= HOPELESS && !given_up && !cancel.is_cancelled() {
                given_up = true;
                (self.tell)(Event::GivenUp(self.version));
                recorder.stop_early();
            }
            (self.tell)(Event::Run(event));
            recorder.event(event);
            match given_up {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        })
        .await;
        // What was told to stop is no observation of the release, even if it had nearly ended.
        (!cancel.is_cancelled()).then(|| recorder.finish(self.job.catalogue).0)
    }
}
