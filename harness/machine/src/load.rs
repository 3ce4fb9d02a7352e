//! How busy this machine is: what its processor and its memory have to spare.

/// A launched gateway takes no more memory than this, in bytes; 2026.9.6 takes 0.6 GiB.
const GATEWAY: u64 = 1 << 30;

/// What the processor had done at a moment, in ticks since the machine started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticks {
    idle: u64,
    all: u64,
}

impl Ticks {
    /// Until now; `None` where the system does not tell.
    pub fn now() -> Option<Self> {
        Self::parse(&std::fs::read_to_string("/proc/stat").ok()?)
    }

    /// The first line of `/proc/stat`: user, nice, system, idle, waiting for the disk, and others.
    fn parse(stat: &str) -> Option<Self> {
        let line = stat.lines().next()?.strip_prefix("cpu ")?;
        // Guests are counted among users.
        let ticks = line.split_whitespace().take(8).map(str::parse);
        let ticks: Vec<u64> = ticks.collect::<Result<_, _>>().ok()?;
        Some(Self {
            idle: ticks.get(3)? + ticks.get(4)?,
            all: ticks.iter().sum(),
        })
    }

    /// The share of the processor that was idle since an earlier moment, from 0 to 1.
    pub fn idle_since(self, earlier: Self) -> f64 {
        let ticks = |now: u64, then: u64| {
            f64::from(u32::try_from(now.saturating_sub(then)).unwrap_or(u32::MAX))
        };
        let all = ticks(self.all, earlier.all);
        if all > 0.0 {
            ticks(self.idle, earlier.idle) / all
        } else {
            0.0
        }
    }
}

/// Whether there is memory for one more gateway; where the system does not tell, there is none.
pub fn has_memory() -> bool {
    std::fs::read_to_string("/proc/meminfo").is_ok_and(|text| available(&text) >= Some(2 * GATEWAY))
}

fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_idle_share_is_that_between_two_moments() {
        let then = Ticks::parse("cpu  100 0 100 700 100 0 0 0 50 0\ncpu0 1 2 3 4\n").unwrap();
        let now = Ticks::parse("cpu  160 0 120 710 110 0 0 0 90 0\n").unwrap();
        assert!((now.idle_since(then) - 0.2).abs() < 1e-9);
        assert!(then.idle_since(then).abs() < 1e-9);
        assert_eq!(Ticks::parse("intr 1"), None);
        assert_eq!(Ticks::parse("cpu  1 2 x 4 5"), None);
    }

    #[test]
    fn memory_is_what_is_available() {
        let text = "MemTotal:  24000000 kB\nMemFree:  1 kB\nMemAvailable:  2097152 kB\n";
        assert_eq!(available(text), Some(2 * GATEWAY));
        assert_eq!(available("MemTotal: 1 kB"), None);
    }
}
