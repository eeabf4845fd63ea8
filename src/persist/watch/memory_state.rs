//! Whether memory is short: what the kernel's files say (pure).

/// Above this share of time in which some task waited for memory in the last 10 s, in hundredths of a percent, the host
/// is short of memory.
const SHORT_SOME: u32 = 2000;
/// The same for the time in which all tasks did.
const SHORT_FULL: u32 = 500;
/// Below this share of available memory, in thousandths, it is short, too: just where earlyoom begins.
const SHORT_AVAILABLE: u64 = 100;
/// The host is no longer short above this share of available memory, in thousandths.
const ENOUGH_AVAILABLE: u64 = 120;

/// Below this share of available memory, in thousandths, it is tight.
const TIGHT: u64 = 250;

/// How many processes the kernel's out-of-memory killer killed since the host came up, from `/proc/vmstat`.
pub fn kills(vmstat: &str) -> Option<u64> {
    vmstat.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
}

/// What the files say of the host, as far as they could be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HostMemory {
    /// In hundredths of a percent, over the last 10 s.
    some: Option<u32>,
    full: Option<u32>,
    /// In thousandths of all memory.
    available: Option<u64>,
    /// What is missing until enough is available, in bytes.
    missing: u64,
    /// All memory, in bytes.
    total: Option<u64>,
}

/// Counters of one control group's `memory.events`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemoryEvents {
    /// Processes in it that the out-of-memory killer killed, whatever it was short of.
    pub killed: u64,
    /// How often its own limit could not be kept.
    pub limit: u64,
    /// How often it was slowed down above its soft limit, or had to give memory back at its hard one.
    pub near: u64,
}

/// The memory of one control group, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupMemory {
    /// What cannot be given back.
    pub used: u64,
    /// The tighter of its limits.
    pub limit: u64,
}

impl GroupMemory {
    /// From `memory.current`, `memory.stat`, and its limits; `None` without a limit.
    pub fn parse(current: &str, stat: &str, limits: &[String]) -> Option<Self> {
        let limit = limits.iter().filter_map(|limit| limit.trim().parse().ok()).min()?;
        let number = |name: &str| -> u64 {
            let line = stat.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.and_then(|number| number.parse().ok()).unwrap_or(0)
        };
        let given_back =
            number("inactive_file") + number("active_file") + number("slab_reclaimable");
        let used = current.trim().parse::<u64>().ok()?.saturating_sub(given_back);
        Some(Self { used, limit })
    }

    /// Whether the limit is near: from nine tenths of it on, and until it is below eight tenths again.
    pub fn is_near(self, was_near: bool) -> bool {
        let tenths = if was_near { 8 } else { 9 };
        self.used >= self.limit / 10 * tenths
    }
}

impl std::fmt::Display for GroupMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let share = self.used.saturating_mul(100) / self.limit.max(1);
        write!(f, "memory {share} % of {} MiB", self.limit >> 20)
    }
}

impl HostMemory {
    /// From `/proc/pressure/memory` and `/proc/meminfo`.
    pub fn parse(pressure: &str, meminfo: &str) -> Self {
        let avg10 = |kind: &str| {
            let line = pressure.lines().find_map(|line| line.strip_prefix(kind))?;
            let value = line.split_ascii_whitespace().find_map(|w| w.strip_prefix("avg10="))?;
            let (whole, rest) = value.split_once('.')?;
            Some(whole.parse::<u32>().ok()? * 100 + rest.get(..2)?.parse::<u32>().ok()?)
        };
        let kib = |name: &str| {
            let line = meminfo.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()
        };
        let available = kib("MemAvailable:").zip(kib("MemTotal:"));
        let share =
            |(available, total): (u64, u64)| available.checked_mul(1000)?.checked_div(total);
        let missing = available.map_or(0, |(available, total)| {
            (total / 1000 * ENOUGH_AVAILABLE).saturating_sub(available).saturating_mul(1024)
        });
        let total = available.map(|(_, total)| total.saturating_mul(1024));
        let available = available.and_then(share);
        Self { some: avg10("some"), full: avg10("full"), available, missing, total }
    }

    /// Whether the host is short of memory.
    pub fn is_short(self) -> bool {
        self.waits() || self.available.is_some_and(|share| share < SHORT_AVAILABLE)
    }

    /// Whether nothing should be started yet after the host was short of memory.
    pub fn is_still_short(self) -> bool {
        self.waits() || self.available.is_some_and(|share| share < ENOUGH_AVAILABLE)
    }

    /// How much should be given back while memory is short, in bytes: on a small host less at once, so that no more
    /// is given back than has to be.
    pub fn needed(self) -> u64 {
        const AT_LEAST: u64 = 1 << 30;
        self.missing.max(self.total.map_or(AT_LEAST, |total| AT_LEAST.min(total / 16)))
    }

    /// Whether so little is left that a kill of an unknown sender was likely made for it, if tasks waited for memory.
    pub fn is_tight(self) -> bool {
        self.available.is_none_or(|share| share < TIGHT)
    }

    fn waits(self) -> bool {
        self.some.is_some_and(|share| share >= SHORT_SOME)
            || self.full.is_some_and(|share| share >= SHORT_FULL)
    }
}

impl MemoryEvents {
    /// From `memory.events`; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |name: &str| -> Option<u64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
            line.trim().parse().ok()
        };
        let near = number("high")?.saturating_add(number("max").unwrap_or(0));
        Some(Self { killed: number("oom_kill")?, limit: number("oom")?, near })
    }

    /// Whether the out-of-memory killer killed something since `before`.
    pub fn has_killed_since(self, before: Self) -> bool {
        self.killed > before.killed
    }

    /// Whether its own limit could not be kept since `before`.
    pub fn was_limited_since(self, before: Self) -> bool {
        self.limit > before.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(some: &str, full: &str, available: u32) -> HostMemory {
        let pressure = format!(
            "some avg10={some} avg60=99.00 avg300=99.00 total=1\nfull avg10={full} avg60=99.00 avg300=99.00 total=1\n"
        );
        let meminfo =
            format!("MemTotal:        1000 kB\nMemFree: 1 kB\nMemAvailable:    {available} kB\n");
        HostMemory::parse(&pressure, &meminfo)
    }

    #[test]
    fn memory_is_short_where_tasks_wait_for_it_or_little_is_left() {
        assert!(!host("0.00", "0.00", 900).is_short());
        assert!(!host("19.99", "4.99", 100).is_short());
        assert!(host("20.00", "0.00", 900).is_short());
        assert!(host("0.00", "5.00", 900).is_short());
        assert!(host("0.00", "0.00", 99).is_short());
        assert!(
            host("0.00", "0.00", 119).is_still_short(),
            "some distance, so that it does not begin again"
        );
        assert!(!host("0.00", "0.00", 120).is_still_short());
    }

    #[test]
    fn what_should_be_given_back_is_what_is_missing_and_not_all_of_a_small_host() {
        let needed = |total: u64, available: u64| {
            let meminfo = format!("MemTotal: {total} kB\nMemAvailable: {available} kB\n");
            HostMemory::parse("", &meminfo).needed() >> 20
        };
        assert_eq!(needed(64 << 20, 20 << 20), 1024);
        assert_eq!(needed(64 << 20, 0), 7864);
        assert_eq!(needed(2 << 20, 1 << 20), 128);
        assert_eq!(needed(2 << 20, 0), 245);
        assert_eq!(HostMemory::parse("", "").needed(), 1 << 30);
    }

    #[test]
    fn the_kills_of_the_host_are_counted() {
        assert_eq!(kills("nr_free_pages 5\noom_kill 12\nnuma_hit 7\n"), Some(12));
        assert_eq!(kills("oom_kill_x 12\n"), None);
        assert!(host("0.00", "0.00", 249).is_tight() && !host("0.00", "0.00", 250).is_tight());
    }

    #[test]
    fn what_cannot_be_read_is_not_short() {
        for (pressure, meminfo) in
            [("", ""), ("some avg10=x\n", "MemTotal: 0 kB\nMemAvailable: 0 kB\n")]
        {
            assert!(!HostMemory::parse(pressure, meminfo).is_short());
        }
    }

    #[test]
    fn a_limit_is_near_by_what_cannot_be_given_back() {
        let stat = "anon 1\ninactive_file 100\nactive_file 20\nslab_reclaimable 3\n";
        let memory = |current: &str, max: &str, high: &str| {
            GroupMemory::parse(current, stat, &[max.to_owned(), high.to_owned()])
        };
        assert_eq!(memory("1023\n", "max\n", "max\n"), None);
        let near = memory("1023\n", "1000\n", "max\n").unwrap();
        assert_eq!(near, GroupMemory { used: 900, limit: 1000 });
        assert!(near.is_near(false));
        let less = memory("1022\n", "2000\n", "1000\n").unwrap();
        assert!(!less.is_near(false) && less.is_near(true), "so that it does not come and go");
        assert!(!memory("900\n", "1000\n", "max\n").unwrap().is_near(true));
        let large = GroupMemory { used: 7 << 30, limit: 8 << 30 };
        assert_eq!(large.to_string(), "memory 87 % of 8192 MiB");
    }

    #[test]
    fn the_counters_of_a_group_are_found_by_their_names() {
        let text = "low 0\nhigh 3\nmax 9\noom 2\noom_kill 1\noom_group_kill 0\n";
        let events = MemoryEvents::parse(text).unwrap();
        assert_eq!(events, MemoryEvents { killed: 1, limit: 2, near: 12 });
        assert!(events.has_killed_since(MemoryEvents::default()));
        assert!(!events.has_killed_since(events) && !events.was_limited_since(events));
        assert_eq!(MemoryEvents::parse("low 0\n"), None);
    }
}
