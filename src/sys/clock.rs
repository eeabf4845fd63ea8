//! The time; everything else gets it as an argument.

use rustix::event::Timespec;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Seconds since the Unix epoch, UTC.
pub type Epoch = u64;

/// The present; a clock before 1970 counts as 1970.
pub fn now() -> Epoch {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A time for a name: `20261120T144343Z`, UTC.
pub fn stamp(time: Epoch) -> String {
    let utc = i64::try_from(time).ok().and_then(|s| chrono::DateTime::from_timestamp(s, 0));
    utc.unwrap_or_default().format("%Y%m%dT%H%M%SZ").to_string()
}

/// A time by the local clock, for a person: `2026-11-20 14:43:43`.
pub fn local(time: Epoch) -> String {
    let utc = i64::try_from(time).ok().and_then(|s| chrono::DateTime::from_timestamp(s, 0));
    let local = utc.unwrap_or_default().with_timezone(&chrono::Local);
    local.format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A time as hours and minutes of the local clock, four digits.
pub fn hhmm(time: Epoch) -> String {
    let utc = i64::try_from(time).ok().and_then(|s| chrono::DateTime::from_timestamp(s, 0));
    utc.unwrap_or_default().with_timezone(&chrono::Local).format("%H%M").to_string()
}

/// Waits between two tries of something that offers no event to wait for.
pub fn pause(duration: Duration) {
    std::thread::sleep(duration);
}

/// The present time in nanoseconds since the epoch.
pub fn now_in_nanoseconds() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    let (seconds, nanoseconds) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}

/// Microseconds of the clock that the service manager's monotonic times are of.
pub fn monotonic_in_microseconds() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let (seconds, nanoseconds) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
    seconds.saturating_mul(1_000_000).saturating_add(nanoseconds / 1000)
}

/// Nanoseconds since the host was started. They order events of several processes and never go back.
pub fn since_boot() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let (seconds, nanoseconds) = (time.tv_sec.unsigned_abs(), time.tv_nsec.unsigned_abs());
    seconds.saturating_mul(1_000_000_000).saturating_add(nanoseconds)
}

/// The time until `end` for poll(2).
pub fn remaining(end: Instant) -> Timespec {
    let left = end.saturating_duration_since(Instant::now());
    Timespec {
        tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: left.subsec_nanos().into(),
    }
}
