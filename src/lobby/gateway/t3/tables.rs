//! Who is served by which instance, and who no longer is: the two tables, followed while the gateway runs.

use crate::gateway::error::PeopleError;
use crate::gateway::open::{Person, Proof};
use crate::gateway::people::changes::read_trusted;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use terminal_lobby::cli::output;
use terminal_lobby::t3::table::{self, Closed, Instance, TableError};
use terminal_lobby::text::{escape, shown};
use tokio::sync::watch;

/// How long the last good tables count while a new one is no good: as long as what is open stays open while the map of
/// people cannot be read.
const KEPT: Duration = Duration::from_mins(1);

/// What the tables say.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    dispatch: BTreeMap<String, Instance>,
    closed: BTreeMap<String, Closed>,
    /// Why the newest files are no good, and since when: the tables are older ones, or none.
    bad: Option<(String, Instant)>,
    is_old: bool,
}

/// What there is for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Service {
    Served(Instance),
    Closed(Closed),
    /// No instance was set up for this person.
    None,
    /// The tables cannot be read.
    Unreadable,
}

impl Table {
    /// What there is for a person who may come in.
    pub(crate) fn service(&self, person: &Person) -> Service {
        if self.bad.is_some() && !self.is_old {
            return Service::Unreadable;
        }
        let is_own = |instance: &&Instance| instance.os_user == person.user;
        match &person.proof {
            Proof::Identity(identity) => match self.closed.get(identity) {
                Some(closed) => Service::Closed(*closed),
                // Both maps must lead to one user: neither alone gives anyone another's instance.
                None => self
                    .dispatch
                    .get(identity)
                    .filter(is_own)
                    .map_or(Service::None, |instance| Service::Served(instance.clone())),
            },
            Proof::Account(_) => {
                let own = || self.dispatch.iter().filter(|(_, instance)| is_own(instance));
                let closed = own().find_map(|(identity, _)| self.closed.get(identity));
                if let Some(closed) = closed {
                    return Service::Closed(*closed);
                }
                own()
                    .next()
                    .map_or(Service::None, |(_, instance)| Service::Served(instance.clone()))
            }
        }
    }

    /// Why someone who has no account any more is not served, if that is known.
    pub(crate) fn closed(&self, identity: &str) -> Option<Closed> {
        self.closed.get(identity).copied()
    }

    /// Whether the newest files are good, and how many users have an instance.
    pub(super) fn state(&self) -> (bool, usize) {
        (self.bad.is_none(), table::users(&self.dispatch).len())
    }

    /// What counts after the files were read.
    fn after(&self, read: Result<Self, PeopleError>, now: Instant) -> Self {
        match read {
            Ok(table) => table,
            Err(why) => {
                let why = why.to_string();
                let since = self.bad.as_ref().map_or(now, |(_, since)| *since);
                let has_any = self.is_old || self.bad.is_none();
                let bad = Some((why, since));
                if has_any && now.duration_since(since) < KEPT {
                    Self { bad, is_old: true, ..self.clone() }
                } else {
                    Self { bad, ..Self::default() }
                }
            }
        }
    }
}

/// The files, and what counts now.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    dispatch: PathBuf,
    closed: PathBuf,
    now: watch::Sender<Arc<Table>>,
}

impl Tables {
    /// Reads the files.
    pub(crate) fn read(dispatch: PathBuf, closed: PathBuf) -> Self {
        let none = Table { bad: Some((String::new(), Instant::now())), ..Table::default() };
        let first = none.after(read(&dispatch, &closed), Instant::now());
        say(&none, &first);
        Self { dispatch, closed, now: watch::Sender::new(Arc::new(first)) }
    }

    pub(crate) fn now(&self) -> Arc<Table> {
        self.now.borrow().clone()
    }

    /// Reads the files again.
    pub(super) async fn read_again(&self) {
        let (dispatch, closed) = (self.dispatch.clone(), self.closed.clone());
        let read = tokio::task::spawn_blocking(move || read(&dispatch, &closed)).await;
        let read = read.unwrap_or(Err(PeopleError::Interrupted));
        let old = self.now();
        let new = old.after(read, Instant::now());
        say(&old, &new);
        self.now.send_replace(Arc::new(new));
    }

    /// The files, for what follows them.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        vec![self.dispatch.clone(), self.closed.clone()]
    }
}

/// Says what is new.
fn say(old: &Table, new: &Table) {
    match (&old.bad, &new.bad) {
        (_, Some((why, _))) => {
            let is_new = old.bad.as_ref().is_none_or(|(said, _)| said != why);
            if is_new && new.is_old {
                output::error(&format!("{why}; the last good tables count for a minute"));
            } else if is_new || old.is_old != new.is_old {
                output::error(&format!("{why}; T3 Code is not served until it can be read"));
            }
        }
        (Some((said, _)), None) if !said.is_empty() => {
            output::progress("the tables of T3 Code can be read again");
        }
        _ => {}
    }
}

fn read(dispatch: &Path, closed: &Path) -> Result<Table, PeopleError> {
    let text = read_trusted(dispatch)?;
    let wrong = |path: &Path| {
        let path = shown(path).to_string();
        move |source: TableError| {
            let why = escape(source.to_string().as_bytes());
            PeopleError::Table { path, why }
        }
    };
    let rows = table::dispatch(text.as_bytes()).map_err(wrong(dispatch))?;
    // There is none where no one was parked or cut.
    let is_missing = std::fs::symlink_metadata(closed)
        .is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
    let closed = if is_missing {
        BTreeMap::new()
    } else {
        table::closed(read_trusted(closed)?.as_bytes()).map_err(wrong(closed))?
    };
    Ok(Table { dispatch: rows, closed, bad: None, is_old: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let dispatch = br#"{"ann@a.org": {"os_user": "ann", "port": 3773},
            "ann@b.org": {"os_user": "ann-b", "port": 3774}, "bob": {"os_user": "bob", "port": 3775}}"#;
        let closed = br#"{"bob": "parked", "eve": "cut"}"#;
        Table {
            dispatch: table::dispatch(dispatch).unwrap(),
            closed: table::closed(closed).unwrap(),
            ..Table::default()
        }
    }

    fn person(identity: &str, user: &str) -> Person {
        Person { proof: Proof::Identity(identity.to_owned()), user: user.to_owned(), login: None }
    }

    #[test]
    fn each_person_has_the_instance_of_their_user_and_no_other() {
        let table = table();
        let port = |identity: &str, user: &str| match table.service(&person(identity, user)) {
            Service::Served(instance) => Some(instance.port),
            _ => None,
        };
        assert_eq!(port("ann@a.org", "ann"), Some(3773));
        assert_eq!(port("ann@b.org", "ann-b"), Some(3774), "one local part, two domains");
        assert_eq!(port("ann@b.org", "ann"), None, "the maps contradict each other");
        assert_eq!((port("ann", "ann"), port("ANN@a.org", "ann")), (None, None));
        assert_eq!(table.service(&person("bob", "bob")), Service::Closed(Closed::Parked));
        assert_eq!(table.closed("eve"), Some(Closed::Cut));
        let by_account = |user: &str| {
            let proof = Proof::Account(user.to_owned());
            table.service(&Person { proof, user: user.to_owned(), login: None })
        };
        assert!(matches!(by_account("ann-b"), Service::Served(Instance { port: 3774, .. })));
        assert_eq!(by_account("bob"), Service::Closed(Closed::Parked));
        assert_eq!(by_account("zoe"), Service::None);
    }

    #[test]
    fn a_bad_file_leaves_the_last_good_tables_for_a_minute() {
        let ann = person("ann@a.org", "ann");
        let begin = Instant::now();
        let bad = || Err(PeopleError::Interrupted);
        let one = table().after(bad(), begin);
        assert!(matches!(one.service(&ann), Service::Served(_)));
        let two = one.after(bad(), begin + Duration::from_secs(59));
        assert!(matches!(two.service(&ann), Service::Served(_)));
        let three = two.after(bad(), begin + Duration::from_secs(61));
        assert_eq!(three.service(&ann), Service::Unreadable);
        let four = three.after(bad(), begin + Duration::from_secs(62));
        assert_eq!(four.service(&ann), Service::Unreadable, "and it stays so");
        let good = four.after(Ok(table()), begin + Duration::from_secs(63));
        assert!(matches!(good.service(&ann), Service::Served(_)));
        let again = good.after(bad(), begin + Duration::from_secs(64));
        assert!(matches!(again.service(&ann), Service::Served(_)), "a minute begins anew");
        let none = Table { bad: Some((String::new(), begin)), ..Table::default() };
        assert_eq!(none.after(bad(), begin).service(&ann), Service::Unreadable);
    }
}
