//! Which agents of a restore start by themselves, and how much memory they may use: the options of the
//! command line and the configuration (pure).

use serde::{Deserialize, Serialize};

/// Which agents start by themselves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    Eager,
    Lazy,
    /// The most recently used ones first, until they would exceed the memory budget.
    #[default]
    Auto,
}

/// How much memory the agents of a restore may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Memory {
    /// This percentage of the available memory.
    Percent(u8),
    /// This many bytes, but at most the available memory.
    Bytes(u64),
}

/// The site's settings for restoring agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The mode, unless the command line has one.
    pub mode: Mode,
    /// The memory budget.
    pub memory: Memory,
    /// How many agents of one user start at the same time.
    pub at_once: usize,
    /// How many users share the budget.
    pub users: u64,
    /// The memory that was available on the host before the first of them started, in bytes; `None`
    /// if each determines it.
    pub host: Option<u64>,
}

/// How agents that start by themselves do so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How many start at the same time.
    pub at_once: usize,
    /// Each starts only if at least this much memory is available, in bytes.
    pub floor: Option<u64>,
}

/// When an agent starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    Now(Pace),
    /// When the user presses Enter.
    OnDemand,
}

impl Mode {
    /// Reads the word of the command line and the configuration.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "eager" => Some(Self::Eager),
            "lazy" => Some(Self::Lazy),
            "auto" => Some(Self::Auto),
            _ => None,
        }
    }
}

impl Memory {
    /// Reads `50%`, `8G`, `512M`, or a number of bytes.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(percent) = text.strip_suffix('%') {
            return percent.parse().ok().filter(|percent| *percent <= 100).map(Self::Percent);
        }
        let units = [('K', 10), ('M', 20), ('G', 30), ('T', 40)];
        let unit = units.iter().find_map(|(unit, bits)| Some((text.strip_suffix(*unit)?, *bits)));
        let (number, bits) = unit.unwrap_or((text, 0));
        number.parse::<u64>().ok()?.checked_mul(1 << bits).map(Self::Bytes)
    }

    /// The budget if this much memory is available, in bytes.
    pub(super) fn of(self, available: u64) -> u64 {
        match self {
            Self::Percent(percent) => available / 100 * u64::from(percent.min(100)),
            Self::Bytes(bytes) => bytes.min(available),
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        let memory = Memory::Percent(50);
        Self { mode: Mode::default(), memory, at_once: 2, users: 1, host: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_a_share_or_a_size() {
        for (text, expected) in [
            ("50%", Some(Memory::Percent(50))),
            ("0%", Some(Memory::Percent(0))),
            ("8G", Some(Memory::Bytes(8 << 30))),
            ("512M", Some(Memory::Bytes(512 << 20))),
            ("17", Some(Memory::Bytes(17))),
            ("101%", None),
            ("-1", None),
            ("8GB", None),
            ("99999999999T", None),
            ("", None),
        ] {
            assert_eq!(Memory::parse(text), expected, "{text}");
        }
        assert_eq!(Memory::Bytes(8).of(5), 5);
    }
}
