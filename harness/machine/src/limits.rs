//! What this machine lets one process have: threads, and open files, by which the work at a time is bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More open files than this are not asked for.
const ENOUGH: u64 = 65_536;
/// With fewer a gateway under test may starve, too, and its answers would say nothing.
pub const FEWEST: u64 = 512;
/// So many gateways that have answered may wait for late calls, beside those that are asked.
pub const SETTLING: usize = 8;
/// Files that are open whatever is done: pipes, reports, the data, the runtime; and the launches that wait.
const BASE: u64 = 64 + SETTLING as u64 * LAUNCH;
/// Of one launch: pipes, ports, its model, its network, its proxies.
const LAUNCH: u64 = 24;
/// Of one request: its connection, the gateway's to its model, and one that is about to close.
const REQUEST: u64 = 3;

/// This process may have fewer files open than a run takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "nothing ran: only {0} files may be open at a time here, and a run takes at least {FEWEST}"
)]
pub struct TooFewFiles(u64);

/// This process may start fewer threads than it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nothing ran: only {0} threads can be started here, and clawgauge takes {1}")]
pub struct TooFewThreads(usize, usize);

/// Whether the threads of a runtime can be started: one for each core, and some that wait for files.
///
/// # Errors
/// They cannot, for want of processes or memory.
pub fn threads() -> Result<(), TooFewThreads> {
    const WAITING: usize = 4;
    let wanted = WAITING + thread::available_parallelism().map_or(1, usize::from);
    let done = Arc::new(AtomicBool::new(false));
    // All of them at once.
    let started: Vec<_> = (0..wanted)
        .map_while(|_| {
            let done = Arc::clone(&done);
            let wait = move || {
                while !done.load(Ordering::Relaxed) {
                    thread::park();
                }
            };
            thread::Builder::new().spawn(wait).ok()
        })
        .collect();
    let count = started.len();
    done.store(true, Ordering::Relaxed);
    for thread in started {
        thread.thread().unpark();
        let _ = thread.join();
    }
    match count == wanted {
        true => Ok(()),
        false => Err(TooFewThreads(count, wanted)),
    }
}

/// Raises the soft limit of open files as far as the hard one allows. Children inherit it.
pub fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(ENOUGH).min(ENOUGH);
    if current.is_some_and(|current| current < wanted) {
        let limit = Rlimit {
            current: Some(wanted),
            maximum,
        };
        // Where it cannot be raised, what is there has to do.
        let _ = setrlimit(Resource::Nofile, limit);
    }
}

/// How many requests of a launch, and how many launches, of those asked for can be under way at a time.
///
/// # Errors
/// Not even one of each.
pub fn fit(jobs: usize, launches: usize) -> Result<(usize, usize), TooFewFiles> {
    within(getrlimit(Resource::Nofile).current, jobs, launches)
}

fn within(limit: Option<u64>, jobs: usize, launches: usize) -> Result<(usize, usize), TooFewFiles> {
    let limit = limit.unwrap_or(ENOUGH).min(ENOUGH);
    if limit < FEWEST {
        return Err(TooFewFiles(limit));
    }
    let bound = |asked: usize, most: u64| asked.clamp(1, usize::try_from(most).unwrap_or(1).max(1));
    let room = limit - BASE;
    let launches = bound(launches, room / (LAUNCH + REQUEST));
    let share = room / u64::try_from(launches).unwrap_or(1);
    let jobs = bound(jobs, share.saturating_sub(LAUNCH) / REQUEST);
    Ok((jobs, launches))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::no_limit(None, (16, 2), Some((16, 2)))]
    #[case::many_files(Some(20_000), (16, 16), Some((16, 16)))]
    #[case::few_files(Some(1024), (16, 16), Some((8, 16)))]
    #[case::the_fewest(Some(512), (16, 16), Some((1, 9)))]
    #[case::the_fewest_for_one(Some(512), (1000, 1), Some((77, 1)))]
    #[case::fewer(Some(511), (1, 1), None)]
    #[case::endless_wishes(Some(20_000), (1_000_000, 1_000_000), Some((1, 731)))]
    #[case::none_at_a_time(Some(20_000), (0, 0), Some((1, 1)))]
    fn work_is_bounded_by_open_files(
        #[case] limit: Option<u64>,
        #[case] asked: (usize, usize),
        #[case] fits: Option<(usize, usize)>,
    ) {
        let got = within(limit, asked.0, asked.1);
        assert_eq!(got.ok(), fits);
        if let Ok((jobs, launches)) = got {
            let files = BASE as usize + launches * (LAUNCH as usize + jobs * REQUEST as usize);
            assert!(files as u64 <= limit.unwrap_or(ENOUGH).max(FEWEST) || jobs == 1);
        }
    }
}
