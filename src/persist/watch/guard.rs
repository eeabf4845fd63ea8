//! How often something may come back: `comebacks.tsv` (pure). At most once in an interval for each session, and a
//! few times in all until a person has looked at it, so that what dies again and again stays dead.

use crate::persist::watch_task::WatchSettings;
use crate::sys::clock::Epoch;
use crate::text::escape::unescape;
use crate::text::tsv::{self, Line, Writer};

/// Maximum number of sessions; those that came back longest ago are dropped first.
const MAX_KEPT: usize = 2000;

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// The tmux server, with everything in it.
    Server,
    /// What was killed in a session of this name.
    Session(Vec<u8>),
}

/// How often one subject came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comeback {
    pub subject: Subject,
    /// When it last did, in seconds since the epoch.
    pub last: Epoch,
    /// How often since a person looked.
    pub count: u32,
    /// Whether it was said that it is given up.
    pub gave_up: bool,
}

/// All comebacks of one user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comebacks(pub Vec<Comeback>);

/// Whether something may come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    Now,
    /// Not before this time.
    At(Epoch),
    /// The site wants none.
    Never,
    /// Not until a person has looked.
    GivenUp {
        /// Whether that is new, and not said yet.
        is_new: bool,
    },
}

impl Comebacks {
    /// Reads `comebacks.tsv`. Lines that do not parse are given back by number; the others count.
    pub fn decode(text: &[u8]) -> (Self, Vec<usize>) {
        let (comebacks, bad) = tsv::records(text, decode_line);
        (Self(comebacks), bad)
    }

    /// Writes `comebacks.tsv`.
    pub fn encode(&self) -> Vec<u8> {
        let mut file = Writer::with_columns(&["# of", "session", "last", "count", "gave_up"]);
        for comeback in &self.0 {
            match &comeback.subject {
                Subject::Server => file.plain("server").raw(b"-"),
                Subject::Session(name) => file.plain("session").optional(Some(name)),
            };
            file.plain(comeback.last).plain(comeback.count).plain(u8::from(comeback.gave_up)).end();
        }
        file.into_bytes()
    }

    /// Whether a subject may come back at `now`. `looked` is when a person last looked at it, if ever.
    pub fn permission(
        &self,
        subject: &Subject,
        now: Epoch,
        looked: Option<Epoch>,
        settings: &WatchSettings,
    ) -> Permission {
        if settings.comebacks == 0 {
            return Permission::Never;
        }
        let Some(known) = self.0.iter().find(|known| known.subject == *subject) else {
            return Permission::Now;
        };
        // After the clock was set back, the last time is no later than now.
        let last = known.last.min(now);
        let has_looked = looked.is_some_and(|looked| looked > last);
        if known.count >= settings.comebacks && !has_looked {
            return Permission::GivenUp { is_new: !known.gave_up };
        }
        let next = last.saturating_add(settings.interval.as_secs());
        if now < next { Permission::At(next) } else { Permission::Now }
    }

    /// When a subject last came back.
    pub fn last(&self, subject: &Subject) -> Option<Epoch> {
        self.0.iter().find(|known| known.subject == *subject).map(|known| known.last)
    }

    /// Records that a subject comes back at `now`.
    pub fn enter(&mut self, subject: Subject, now: Epoch, looked: Option<Epoch>) {
        let old = self.0.iter().position(|known| known.subject == subject);
        let old = old.map(|at| self.0.remove(at));
        let has_looked = |old: &Comeback| looked.is_some_and(|looked| looked > old.last.min(now));
        let count = old.filter(|old| !has_looked(old)).map_or(0, |old| old.count);
        self.0.push(Comeback {
            subject,
            last: now,
            count: count.saturating_add(1),
            gave_up: false,
        });
        let surplus = self.0.len().saturating_sub(MAX_KEPT);
        self.0.drain(..surplus);
    }

    /// Records that it was said that a subject is given up.
    pub fn give_up(&mut self, subject: &Subject) {
        for known in self.0.iter_mut().filter(|known| known.subject == *subject) {
            known.gave_up = true;
        }
    }
}

fn decode_line(line: Line<'_>) -> Option<Comeback> {
    let [of, session, last, count, gave_up] = line.exactly()?;
    let number = |field: &[u8]| std::str::from_utf8(field).ok()?.parse::<u64>().ok();
    Some(Comeback {
        subject: match of {
            b"server" => Subject::Server,
            b"session" => Subject::Session(unescape(session)?),
            _ => return None,
        },
        last: number(last)?,
        count: u32::try_from(number(count)?).ok()?,
        gave_up: number(gave_up)? != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const HOUR: u64 = 3600;

    fn settings() -> WatchSettings {
        WatchSettings {
            interval: Duration::from_secs(HOUR),
            comebacks: 3,
            ..WatchSettings::default()
        }
    }

    fn session() -> Subject {
        Subject::Session(b"-".to_vec())
    }

    fn asked(comebacks: &Comebacks, now: Epoch, looked: Option<Epoch>) -> Permission {
        comebacks.permission(&session(), now, looked, &settings())
    }

    #[test]
    fn the_record_comes_back_and_bad_lines_are_named() {
        let mut all = Comebacks::default();
        all.enter(session(), 5, None);
        all.enter(Subject::Server, 6, None);
        all.give_up(&Subject::Server);
        let mut text = all.encode();
        text.extend(b"window\tx\t1\t1\t0\n");
        assert_eq!(Comebacks::decode(&text), (all, vec![4]));
    }

    #[test]
    fn once_in_an_interval() {
        let mut comebacks = Comebacks::default();
        assert_eq!(asked(&comebacks, 1000, None), Permission::Now);
        comebacks.enter(session(), 1000, None);
        assert_eq!(asked(&comebacks, 1001, None), Permission::At(1000 + HOUR));
        assert_eq!(asked(&comebacks, 1001, Some(1001)), Permission::At(1000 + HOUR), "looked");
        assert_eq!(asked(&comebacks, 1000 + HOUR, None), Permission::Now);
        let other = Subject::Session(b"other".to_vec());
        assert_eq!(comebacks.permission(&other, 1001, None, &settings()), Permission::Now);
        assert_eq!(comebacks.permission(&Subject::Server, 1, None, &settings()), Permission::Now);
    }

    #[test]
    fn three_times_until_a_person_has_looked() {
        let mut comebacks = Comebacks::default();
        for time in [1, 2, 3] {
            assert_eq!(asked(&comebacks, time * HOUR, None), Permission::Now);
            comebacks.enter(session(), time * HOUR, None);
        }
        assert_eq!(asked(&comebacks, 9 * HOUR, None), Permission::GivenUp { is_new: true });
        comebacks.give_up(&session());
        assert_eq!(asked(&comebacks, 9 * HOUR, None), Permission::GivenUp { is_new: false });
        assert_eq!(asked(&comebacks, 9 * HOUR, Some(HOUR)), Permission::GivenUp { is_new: false });
        assert_eq!(asked(&comebacks, 9 * HOUR, Some(8 * HOUR)), Permission::Now);
        comebacks.enter(session(), 9 * HOUR, Some(8 * HOUR));
        assert_eq!((comebacks.0[0].count, comebacks.0[0].gave_up), (1, false));
    }

    #[test]
    fn a_clock_that_was_set_back_costs_one_interval_at_most() {
        let mut comebacks = Comebacks::default();
        comebacks.enter(session(), 1_000_000, None);
        assert_eq!(asked(&comebacks, 500, None), Permission::At(500 + HOUR));
    }

    #[test]
    fn no_comebacks_are_allowed_where_the_site_wants_none() {
        let none = WatchSettings { comebacks: 0, ..settings() };
        let permission = Comebacks::default().permission(&session(), 2, None, &none);
        assert_eq!(permission, Permission::Never);
    }
}
