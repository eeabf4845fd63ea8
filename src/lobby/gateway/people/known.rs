//! Who may come in, and as whom: the identity map and the file of admins, followed while the gateway runs.

use super::changes::{Changes, read_trusted};
use crate::gateway::error::{GatewayError, PeopleError};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use terminal_lobby::cli::output;
use terminal_lobby::identity::{UserMap, is_user_name};
use terminal_lobby::sys::accounts;
use terminal_lobby::text::{escape, shown};
use tokio::sync::watch;

/// Lowest uid of a person's account (login.defs(5)).
const FIRST_UID: u32 = 1000;
/// What the files say.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Each identity with its user; `None` if lines of the map contradict each other.
    identities: HashMap<String, Option<String>>,
    /// Users of the map with an account that a person may have.
    users: BTreeSet<String>,
    admins: BTreeSet<String>,
    /// Why the map cannot be read: then no one is known, and what is open stays open for a while.
    pub(crate) unreadable: Option<String>,
    /// What is to be said, each line once.
    warnings: Vec<String>,
}

impl Known {
    /// The user that an identity leads to, if it leads to one.
    pub(crate) fn user_of(&self, identity: &str) -> Option<&str> {
        let user = self.identities.get(identity)?.as_deref()?;
        self.is_user(user).then_some(user)
    }

    /// Whether a user is in the map, with an account that a person may have.
    pub(crate) fn is_user(&self, user: &str) -> bool {
        self.unreadable.is_none() && self.users.contains(user)
    }

    pub(crate) fn is_admin(&self, user: &str) -> bool {
        self.is_user(user) && self.admins.contains(user)
    }

    pub(crate) fn users(&self) -> impl Iterator<Item = &str> {
        self.users.iter().map(String::as_str)
    }
}

/// The files, and what they say now.
#[derive(Debug, Clone)]
pub(crate) struct People {
    map: PathBuf,
    admins: Option<PathBuf>,
    known: watch::Sender<Arc<Known>>,
    said: Arc<Mutex<BTreeSet<String>>>,
}

impl People {
    /// Reads the files.
    pub(crate) fn read(map: PathBuf, admins: Option<PathBuf>) -> Self {
        let known = watch::Sender::new(Arc::new(read(&map, admins.as_deref())));
        let people = Self { map, admins, known, said: Arc::default() };
        people.say();
        people
    }

    /// The files, for [`Changes::of`].
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        std::iter::once(&self.map).chain(self.admins.as_ref()).cloned().collect()
    }

    pub(crate) fn now(&self) -> Arc<Known> {
        self.known.borrow().clone()
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Arc<Known>> {
        self.known.subscribe()
    }

    /// Follows the files for good.
    ///
    /// # Errors
    /// If the kernel cannot report changes.
    pub(crate) async fn follow(self, changes: Changes) -> Result<(), GatewayError> {
        let mut changes = changes;
        loop {
            let is_certain = self.now().unreadable.is_none();
            changes.changed(is_certain).await;
            let (map, admins) = (self.map.clone(), self.admins.clone());
            let known = tokio::task::spawn_blocking(move || read(&map, admins.as_deref())).await;
            let known = known.unwrap_or_else(|_| Known {
                unreadable: Some("reading the map failed".to_owned()),
                ..Known::default()
            });
            self.known.send_replace(Arc::new(known));
            self.say();
        }
    }

    /// Says what is wrong, when it is new.
    fn say(&self) {
        let known = self.now();
        let now: BTreeSet<String> =
            known.unreadable.iter().chain(&known.warnings).cloned().collect();
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        for line in now.difference(&said) {
            if known.unreadable.as_ref() == Some(line) {
                output::error(&format!("{line}; no one is let in until it can be read"));
            } else {
                output::warning(line);
            }
        }
        *said = now;
    }
}

fn read(map: &Path, admins: Option<&Path>) -> Known {
    let mut known = Known::default();
    let text = match read_trusted(map) {
        Ok(text) => text,
        Err(why) => {
            known.unreadable = Some(why.to_string());
            return known;
        }
    };
    let (parsed, errors) = UserMap::parse(&text, map);
    known.warnings.extend(errors.iter().map(ToString::to_string));
    for user in parsed.users() {
        match may_be_person(user) {
            Ok(()) => {
                known.users.insert(user.to_owned());
            }
            Err(why) => known.warnings.push(format!("{}: {user}: {why}", shown(map))),
        }
    }
    for (identity, user) in parsed.identities() {
        let entry =
            known.identities.entry(identity.to_owned()).or_insert_with(|| Some(user.to_owned()));
        if entry.as_deref().is_some_and(|known| known != user) {
            *entry = None;
        }
    }
    let ambiguous = known.identities.iter().filter(|(_, user)| user.is_none());
    let ambiguous: Vec<String> = ambiguous
        .map(|(identity, _)| {
            format!(
                "{}: '{}' leads to two users, and so to none",
                shown(map),
                escape(identity.as_bytes())
            )
        })
        .collect();
    known.warnings.extend(ambiguous);
    if let Some(admins) = admins {
        match read_trusted(admins) {
            Ok(text) => {
                let lines = text.lines().map(|line| line.split('#').next().unwrap_or("").trim());
                known.admins = lines.filter(|name| is_user_name(name)).map(str::to_owned).collect();
            }
            Err(why) => known.warnings.push(format!("{why}; there are no admins")),
        }
    }
    known
}

/// Whether an account may be one of a person.
fn may_be_person(user: &str) -> Result<(), PeopleError> {
    match accounts::uid_of(user)? {
        Some(uid) if uid.as_raw() < FIRST_UID => Err(PeopleError::NotAPerson(uid.as_raw())),
        Some(_) => Ok(()),
        None => Err(PeopleError::NoAccount),
    }
}
