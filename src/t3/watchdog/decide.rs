//! What is done about an instance (pure).

use crate::t3::settings::Watchdog;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is on record of an instance since the host was started. Times are seconds of the clock that runs since then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// How many runs in a row it did not answer.
    pub failures: u32,
    /// When it was restarted.
    pub restarts: Vec<u64>,
    /// Whether it is left as it is though it does not answer.
    pub stands_down: bool,
    /// Why it did not answer the last time.
    pub why: String,
}

/// How it answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    Answers,
    /// It did not, and a restart may help.
    Silent(String),
    /// Another account listens on its port: no restart helps.
    Taken(String),
    /// Not known.
    Unknown(String),
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Nothing,
    /// It answers again.
    Recovered,
    /// It did not answer.
    Counted,
    Restart,
    /// It did not answer, and nothing more is done: from now on.
    StandDown,
}

/// Decides, and notes on the record what follows. `now` is in seconds.
pub fn decide(now: u64, probe: &Probe, record: &mut Record, settings: &Watchdog) -> Decision {
    let why = match probe {
        Probe::Unknown(_) => return Decision::Nothing,
        Probe::Answers => {
            let was_bad = record.failures > 0 || record.stands_down;
            record.forget();
            return if was_bad { Decision::Recovered } else { Decision::Nothing };
        }
        Probe::Silent(why) | Probe::Taken(why) => why,
    };
    record.why.clone_from(why);
    record.failures = record.failures.saturating_add(1);
    if record.failures < settings.failures {
        return Decision::Counted;
    }
    record.restarts.retain(|at| now.saturating_sub(*at) < settings.window_seconds.as_secs());
    if matches!(probe, Probe::Silent(_)) && record.restarts.len() < settings.restarts {
        record.restarts.push(now);
        record.failures = 0;
        record.stands_down = false;
        return Decision::Restart;
    }
    if std::mem::replace(&mut record.stands_down, true) {
        Decision::Counted
    } else {
        Decision::StandDown
    }
}

/// Whether an instance that was started so long ago may be judged.
pub fn is_due(uptime: Duration, settings: &Watchdog) -> bool {
    uptime > settings.grace_seconds
}

impl Record {
    /// Forgets failures, but not restarts.
    pub fn forget(&mut self) {
        let restarts = std::mem::take(&mut self.restarts);
        *self = Self { restarts, ..Self::default() };
    }

    /// Whether there is nothing worth keeping.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silent() -> Probe {
        Probe::Silent("no answer in time".to_owned())
    }

    #[test]
    fn the_third_failure_in_a_row_restarts_and_the_fourth_restart_in_half_an_hour_is_none() {
        let settings = Watchdog::default();
        let mut record = Record::default();
        let mut step = |now: u64, probe: &Probe| decide(now, probe, &mut record, &settings);
        assert_eq!(step(0, &silent()), Decision::Counted);
        assert_eq!(step(60, &silent()), Decision::Counted);
        assert_eq!(step(120, &Probe::Answers), Decision::Recovered);
        let decisions: Vec<_> = (3..=17).map(|minute| step(minute * 60, &silent())).collect();
        let restarts: Vec<_> = (0..15).filter(|at| decisions[*at] == Decision::Restart).collect();
        assert_eq!(restarts, [2, 5, 8]);
        assert_eq!(decisions[11], Decision::StandDown);
        assert!(decisions[12..].iter().all(|decision| *decision == Decision::Counted), "said once");
        // Half an hour after the first of the three.
        assert_eq!(step((5 + 30) * 60, &silent()), Decision::Restart);
        assert_eq!(step(40 * 60, &Probe::Answers), Decision::Nothing);
        assert_eq!(record.restarts.len(), 3, "an answer does not buy restarts");
    }

    #[test]
    fn what_is_not_known_changes_nothing_and_a_port_of_another_account_restarts_nothing() {
        let settings = Watchdog::default();
        let mut record = Record::default();
        for _ in 0..2 {
            decide(0, &silent(), &mut record, &settings);
        }
        let before = record.clone();
        let unknown = Probe::Unknown("systemctl".to_owned());
        assert_eq!(decide(0, &unknown, &mut record, &settings), Decision::Nothing);
        assert_eq!(record, before);
        let taken = Probe::Taken("uid 1000".to_owned());
        assert_eq!(decide(0, &taken, &mut record, &settings), Decision::StandDown);
        assert_eq!(decide(0, &taken, &mut record, &settings), Decision::Counted);
        assert!(record.restarts.is_empty());
        assert_eq!(decide(0, &Probe::Answers, &mut record, &settings), Decision::Recovered);
        assert!(record.is_empty());
    }

    #[test]
    fn an_instance_is_judged_only_after_its_grace() {
        let settings = Watchdog::default();
        assert!(!is_due(Duration::from_mins(2), &settings));
        assert!(is_due(Duration::from_secs(121), &settings));
    }
}
