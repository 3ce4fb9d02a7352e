//! Progress while gateways install, boot and answer: live at a terminal, plain lines elsewhere, always on stderr.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use base::text::{count, duration, printable};
use record::PartRecord;
use record::events::{CellResult, RunEvent};
use record::judge::Verdict;

use super::{Detail, Paint};

/// Shows a run's events as they come.
#[derive(Debug)]
pub struct Progress {
    live: Option<MultiProgress>,
    preparing: Option<ProgressBar>,
    bars: BTreeMap<(String, String), ProgressBar>,
    sizes: BTreeMap<(String, String), usize>,
    /// Known issues that were named already, by gateway.
    issues: BTreeSet<(String, String)>,
    last_line: String,
    detail: Detail,
    paint: Paint,
}

impl Progress {
    /// `live` draws spinners and bars on stderr; otherwise each step is one line. Who wants it quiet hears of failures only,
    /// and who wants everything gets lines.
    pub fn new(live: bool, detail: Detail, paint: Paint) -> Self {
        let live = (live && detail == Detail::Normal)
            .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(12)));
        Self {
            live,
            preparing: None,
            bars: BTreeMap::new(),
            sizes: BTreeMap::new(),
            issues: BTreeSet::new(),
            last_line: String::new(),
            detail,
            paint,
        }
    }

    /// Takes in one event.
    pub fn event(&mut self, event: &RunEvent) {
        match event {
            RunEvent::Preparing { gateway, what } => self.prepare(gateway, what),
            RunEvent::GatewayReady(info) => {
                self.end_preparing();
                for (profile, cells) in &info.launches {
                    self.sizes
                        .insert((info.gateway.clone(), profile.clone()), *cells);
                }
            }
            RunEvent::GatewayFailed {
                gateway,
                error,
                help,
            } => {
                self.end_preparing();
                self.failure(&format!("{gateway}: {error}"), help.as_deref());
            }
            RunEvent::LaunchStarted { gateway, profile } => self.start(gateway, profile),
            RunEvent::LaunchReady {
                gateway,
                profile,
                after,
            } => self.ready(gateway, profile, *after),
            RunEvent::LaunchFailed {
                gateway,
                profile,
                error,
                help,
                again,
            } => {
                self.end_bar(gateway, profile);
                self.failure(&format!("{gateway}: {error}"), help.as_deref());
                if *again {
                    self.tell("  it is tried again");
                }
            }
            RunEvent::Asked {
                gateway, profile, ..
            } => {
                if let Some(bar) = self.bars.get(&(gateway.clone(), profile.clone())) {
                    bar.inc(1);
                }
            }
            RunEvent::LaunchEnded(info) => self.end_bar(&info.gateway, &info.profile),
            RunEvent::Budgeted(budgeted) => {
                self.end_preparing();
                self.budget(&budgeted.part);
            }
            RunEvent::OutOfTime { profile, cells } => {
                let cells = count(*cells, "cell");
                self.tell(&format!(
                    "the time is over; not asked: {cells} of profile {profile}"
                ));
            }
            RunEvent::Interrupted => self.line("interrupted; gateways are stopped"),
            RunEvent::Finished => {
                self.end_preparing();
                if let Some(live) = &self.live {
                    let _ = live.clear();
                }
            }
            RunEvent::Cell(result) => self.known_issue(result),
        }
    }

    fn budget(&self, part: &PartRecord) {
        let time = |ms| duration(Duration::from_millis(ms));
        if part.estimated_ms == 0 {
            return self.tell(&format!("nothing fits into {}", time(part.budget_ms)));
        }
        self.tell(&format!(
            "what fits into {} takes some {} by estimate ({})",
            time(part.budget_ms),
            time(part.estimated_ms),
            part.estimates
        ));
    }

    /// Names a known issue as soon as the first cell shows it.
    fn known_issue(&mut self, result: &CellResult) {
        let (Some(issue), Verdict::Known(_)) = (&result.facts.known_issue, &result.facts.verdict)
        else {
            return;
        };
        let place = (result.facts.gateway.clone(), issue.id.clone());
        if self.issues.insert(place) {
            let (gateway, id, cell) = (&result.facts.gateway, &issue.id, &result.cell.id());
            self.tell(&format!(
                "{gateway}: known issue {id} shows, for example in {cell}"
            ));
        }
    }

    fn prepare(&mut self, gateway: &str, what: &str) {
        let text = printable(&format!("{gateway}: {what}"), false);
        match &self.live {
            Some(live) => {
                let bar = self.preparing.get_or_insert_with(|| {
                    let bar = live.add(ProgressBar::new_spinner());
                    bar.enable_steady_tick(Duration::from_millis(100));
                    bar
                });
                bar.set_message(text);
            }
            // Numbers that only count up are not worth a line each.
            None => {
                let words: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
                if words != self.last_line {
                    self.last_line = words;
                    self.tell(&text);
                }
            }
        }
    }

    fn start(&mut self, gateway: &str, profile: &str) {
        let Some(live) = &self.live else {
            self.tell(&format!("{gateway}: starting profile {profile}"));
            return;
        };
        let key = (gateway.to_owned(), profile.to_owned());
        let cells = u64::try_from(self.sizes.get(&key).copied().unwrap_or(0)).unwrap_or(0);
        let bar = live.add(ProgressBar::new(cells));
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix:14} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_prefix(profile.to_owned());
        bar.set_message("starting");
        bar.enable_steady_tick(Duration::from_millis(100));
        self.bars.insert(key, bar);
    }

    fn ready(&mut self, gateway: &str, profile: &str, after: Duration) {
        match self.bars.get(&(gateway.to_owned(), profile.to_owned())) {
            Some(bar) => {
                if let Ok(style) = ProgressStyle::with_template(
                    "{spinner} {prefix:14} {wide_bar} {pos}/{len} {elapsed}",
                ) {
                    bar.set_style(style);
                }
            }
            None => self.tell(&format!(
                "{gateway}: profile {profile} ready after {:.1} s",
                after.as_secs_f64()
            )),
        }
    }

    fn end_bar(&mut self, gateway: &str, profile: &str) {
        if let Some(bar) = self.bars.remove(&(gateway.to_owned(), profile.to_owned())) {
            bar.finish_and_clear();
        }
    }

    fn end_preparing(&mut self) {
        if let Some(bar) = self.preparing.take() {
            bar.finish_and_clear();
        }
    }

    fn failure(&self, error: &str, help: Option<&str>) {
        self.line(&format!("{} {error}", self.paint.bad("failed:")));
        if let Some(help) = help {
            self.line(&format!("  {} {help}", self.paint.bold("help:")));
        }
    }

    /// A step, for those who want to hear of steps.
    fn tell(&self, text: &str) {
        if self.detail > Detail::Quiet {
            self.line(text);
        }
    }

    /// What a gateway or npm said may stand in it.
    fn line(&self, text: &str) {
        let text = printable(text, self.paint.color);
        match &self.live {
            Some(live) => {
                let _ = live.println(text);
            }
            None => {
                let _ = writeln!(std::io::stderr().lock(), "{text}");
            }
        }
    }
}
