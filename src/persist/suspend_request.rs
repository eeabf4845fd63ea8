//! Which agents are suspended: what a command asks for, and the site's settings (pure).

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The site's settings for suspending idle agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How long an agent must have been idle; `None` if none is suspended by itself.
    pub after: Option<Duration>,
    /// The same while memory is short.
    pub under_pressure: Option<Duration>,
}

/// Which agents are to be suspended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suspend {
    /// Sessions, panes, or prefixes of conversation ids; empty for all that are idle.
    pub words: Vec<String>,
    /// How long an agent must have been idle; if absent, as configured.
    pub older_than: Option<Duration>,
    /// How much memory is needed, in bytes.
    pub need: Option<u64>,
    /// Only report what would be done.
    pub dry_run: bool,
    /// Also suspend named agents that are used.
    pub force: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { after: None, under_pressure: Some(Duration::from_hours(1)) }
    }
}

impl Settings {
    /// How long an agent must be idle to be suspended by itself; `None` if none is. While memory is
    /// short (`is_short`), the shorter time counts.
    #[must_use]
    pub fn idle_for(&self, is_short: bool) -> Option<Duration> {
        let after = self.after?;
        let pressed = self.under_pressure.filter(|_| is_short);
        Some(pressed.map_or(after, |pressed| pressed.min(after)))
    }
}

/// Reads `72h`, `30m`, `3d`, `45s`; a number alone is no duration.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
    let (number, seconds) =
        units.iter().find_map(|(unit, seconds)| Some((text.strip_suffix(*unit)?, *seconds)))?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u64 = number.parse().ok().filter(|_| is_number)?;
    number.checked_mul(seconds).map(Duration::from_secs)
}

/// As [`parse_duration`], or `off`.
#[must_use]
pub fn parse_optional(text: &str) -> Option<Option<Duration>> {
    if text == "off" { Some(None) } else { parse_duration(text).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit() {
        for (text, seconds) in [
            ("72h", Some(259_200)),
            ("30m", Some(1800)),
            ("3d", Some(259_200)),
            ("0s", Some(0)),
            ("72", None),
            ("h", None),
            ("+1h", None),
            ("1.5h", None),
            ("99999999999999999d", None),
            ("off", None),
        ] {
            assert_eq!(parse_duration(text), seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!((parse_optional("off"), parse_optional("x")), (Some(None), None));
    }

    #[test]
    fn where_it_is_off_a_lack_of_memory_changes_nothing() {
        let (hour, day) = (Duration::from_hours(1), Duration::from_hours(24));
        let of =
            |after, under_pressure, is_short| Settings { after, under_pressure }.idle_for(is_short);
        assert_eq!(of(None, Some(hour), true), None);
        assert_eq!(of(Some(day), Some(hour), true), Some(hour));
        assert_eq!(of(Some(day), Some(hour), false), Some(day));
        assert_eq!(of(Some(hour), Some(day), true), Some(hour));
        assert_eq!(of(Some(day), None, true), Some(day));
    }
}
