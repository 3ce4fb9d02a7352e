//! The steps of sequences: one after the other, each judged only if what it is about was not over when its answer came.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use contract::plan::{Cell, PlannedCells, UNDER_WAY};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use machine::launch::Gateway;

use super::{Answer, Asker, LaunchJudge, note};
use crate::seen::AllSeen;

/// Does something while answers are listened to; those that end meanwhile are kept.
async fn beside<T, L: Future>(
    work: impl Future<Output = T>,
    listening: &mut FuturesUnordered<L>,
    heard: &mut Vec<L::Output>,
) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            Some(ended) = listening.next(), if !listening.is_empty() => heard.push(ended),
        }
    }
}

impl Asker<'_> {
    /// Asks the steps at these places, in order. What a step listens to is read until the last one is over.
    pub(super) async fn steps(
        &self,
        asked: &PlannedCells,
        steps: &[u32],
        gateway: &Gateway,
        seen: &Mutex<AllSeen>,
    ) {
        let mut begun = HashMap::new();
        let mut listening = FuturesUnordered::new();
        let mut heard = Vec::new();
        for place in steps {
            let cell = asked.get(*place as usize).cell;
            if cell.listens() {
                listening.push(async move { (*place, self.step(&cell, gateway).await.1) });
                beside(tokio::time::sleep(UNDER_WAY), &mut listening, &mut heard).await;
                continue;
            }
            let step = self.step(&cell, gateway);
            let (sent, answer) = beside(step, &mut listening, &mut heard).await;
            begun.extend(cell.values().map(|value| (value.id.clone(), sent)));
            note(seen, *place as usize, self.in_time(&cell, &begun, answer));
        }
        if !listening.is_empty() {
            beside(tokio::time::sleep(UNDER_WAY), &mut listening, &mut heard).await;
        }
        self.last_step.cancel();
        heard.extend(listening.collect::<Vec<_>>().await);
        for (place, answer) in heard {
            note(seen, place as usize, answer);
        }
    }

    /// The answer, unless what it is about was over when it came: then it says nothing.
    fn in_time(&self, cell: &Cell, begun: &HashMap<String, Instant>, answer: Answer) -> Answer {
        let rule = cell.rule(&self.target.version);
        let within = rule.and_then(|rule| rule.within.as_ref());
        let since = within.and_then(|within| begun.get(&within.after));
        match (within, since.map(Instant::elapsed)) {
            (Some(within), Some(took)) if took > within.time => {
                let why = format!(
                    "this machine was too slow: the answer came {:.1} s after the step {}, and what it is about lasts {} s",
                    took.as_secs_f64(),
                    within.after,
                    within.time.as_secs_f64()
                );
                (answer.0, Err(why.into()))
            }
            _ => answer,
        }
    }

    /// One step of a sequence: change the configuration, wait, send as often as it says. Also when it was sent last.
    async fn step(&self, cell: &Cell, gateway: &Gateway) -> (Instant, Answer) {
        for value in cell.values() {
            if value
                .set_config
                .as_object()
                .is_some_and(|table| !table.is_empty())
                && let Err(error) = gateway.change_config(&value.set_config)
            {
                let error = format!("its configuration cannot be changed: {error}");
                return (Instant::now(), (u32::MAX, Err(error.into())));
            }
        }
        let wait: Duration = cell.values().map(|value| value.wait).sum();
        tokio::select! {
            () = self.context.cancel.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
        let repeat = cell.values().map(|value| value.repeat).max().unwrap_or(1);
        let mut answers = Vec::new();
        let (number, canary) = self.upstream.new_canary();
        let mut sent = Instant::now();
        for _ in 0..repeat.max(1) {
            sent = Instant::now();
            answers.push(self.ask_with(cell, number, &canary).await);
        }
        // All of them are the same request: the one that is answered worst is judged.
        let judge = LaunchJudge {
            context: self.context,
            target: self.target,
        };
        let worst = (0..answers.len()).max_by_key(|place| {
            let seen = answers[*place].1.clone();
            judge.rank(cell, seen)
        });
        let judged = answers.remove(worst.unwrap_or(0));
        self.earlier().extend(answers);
        (sent, judged)
    }
}
