//! Who has a session open at this moment, in a terminal or as text; and how one who looks learns to go or to type.

use crate::protocol::people::Person;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{Notify, watch};

/// What a link's viewer is called who is not logged in: no user has this name.
pub const UNKNOWN: &str = "-";

/// Why someone may look no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    Revoked,
    Expired,
}

/// The people at each session, by its birth id.
pub type People = BTreeMap<String, Vec<Person>>;

/// All who are there. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Present(Arc<watch::Sender<State>>);

#[derive(Debug, Default)]
struct State {
    next: u64,
    all: BTreeMap<u64, One>,
}

#[derive(Debug)]
struct One {
    session: String,
    person: Person,
    /// The share or link by which it came.
    by: Option<String>,
    handed: Arc<Notify>,
}

/// One connection of one person, for as long as it lives.
#[derive(Debug)]
pub struct Here {
    present: Present,
    number: u64,
    /// The owner wants this one to type.
    pub handed: Arc<Notify>,
}

/// On whose behalf a connection is, and what it may do.
pub struct Visitor {
    pub name: String,
    /// Nothing is typed and nothing sized.
    pub watch: bool,
    /// The one session that it may reach; the owner and admins reach all.
    pub only: Option<String>,
    /// The share or link by which it came.
    pub by: Option<String>,
    pub present: Present,
    /// Ready when it may look no longer.
    pub ends: BoxFuture<'static, Over>,
    /// Notes that a guest begins to type.
    pub drove: Option<Box<dyn Fn() + Send>>,
}

impl Visitor {
    /// The owner, or an admin who looks.
    pub fn of_all(name: String, watch: bool, present: Present) -> Self {
        let ends = Box::pin(std::future::pending());
        Self { name, watch, only: None, by: None, present, ends, drove: None }
    }

    /// Whether a session is one that it may reach.
    pub fn may_reach(&self, session: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == session)
    }

    /// Notes that it is at a session.
    pub fn enter(&self, session: &str, is_terminal: bool) -> Here {
        let may_drive = is_terminal && !self.watch;
        let person = Person { name: self.name.clone(), drives: false, may_drive };
        self.present.enter(session, person, self.by.clone())
    }
}

impl std::fmt::Debug for Visitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Visitor")
            .field("name", &self.name)
            .field("only", &self.only)
            .finish_non_exhaustive()
    }
}

impl Present {
    fn enter(&self, session: &str, person: Person, by: Option<String>) -> Here {
        let handed = Arc::<Notify>::default();
        let mut number = 0;
        self.0.send_modify(|state| {
            number = state.next;
            state.next += 1;
            let (session, handed) = (session.to_owned(), Arc::clone(&handed));
            state.all.insert(number, One { session, person, by, handed });
        });
        Here { present: self.clone(), number, handed }
    }

    /// Says when it changes.
    pub fn changes(&self) -> Changes {
        Changes(self.0.subscribe())
    }

    /// The people at each session, each once, in the order of their names.
    pub fn people(&self) -> People {
        let mut people = People::new();
        for one in self.0.borrow().all.values() {
            let at = people.entry(one.session.clone()).or_default();
            match at.iter_mut().find(|person| person.name == one.person.name) {
                Some(person) => {
                    person.drives |= one.person.drives;
                    person.may_drive |= one.person.may_drive;
                }
                None => at.push(one.person.clone()),
            }
        }
        for at in people.values_mut() {
            at.sort();
        }
        people
    }

    /// How many connections each share and link has.
    pub fn by_share(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for by in self.0.borrow().all.values().filter_map(|one| one.by.as_ref()) {
            *counts.entry(by.clone()).or_default() += 1;
        }
        counts
    }

    /// Asks a person's terminal of a session to type from now on; whether there is one that may.
    pub fn hand_over(&self, session: &str, name: &str) -> bool {
        let state = self.0.borrow();
        let mut all = state.all.values();
        let is_it =
            |one: &&One| one.session == session && one.person.name == name && one.person.may_drive;
        all.rfind(is_it).map(|one| one.handed.notify_one()).is_some()
    }
}

/// Changes of who is there.
#[derive(Debug)]
pub struct Changes(watch::Receiver<State>);

impl Changes {
    /// Waits for the next.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Here {
    /// Whether it types and sizes now.
    pub fn set_drives(&self, drives: bool) {
        self.present.0.send_if_modified(|state| {
            let Some(one) = state.all.get_mut(&self.number) else { return false };
            std::mem::replace(&mut one.person.drives, drives) != drives
        });
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.present.0.send_modify(|state| drop(state.all.remove(&self.number)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_person_with_two_pages_is_there_once_and_is_handed_the_newest() {
        let present = Present::default();
        let visitor = |name: &str, watch| Visitor::of_all(name.into(), watch, present.clone());
        let (ann, bob) = (visitor("ann", false), visitor("bob", true));
        let (text, first, second) =
            (ann.enter("s", false), ann.enter("s", true), ann.enter("s", true));
        let of_bob = bob.enter("s", true);
        first.set_drives(true);
        let person =
            |name: &str, drives, may_drive| Person { name: name.into(), drives, may_drive };
        let expected = vec![person("ann", true, true), person("bob", false, false)];
        assert_eq!(present.people()["s"], expected);
        assert!(present.hand_over("s", "ann") && !present.hand_over("s", "bob"));
        assert!(!present.hand_over("t", "ann"));
        second.handed.notified().await;
        drop((text, first, second, of_bob));
        assert!(present.people().is_empty());
    }
}
