//! Logins: browsers that may come in, by the hash of their cookie, kept in the state directory.

use crate::auth::Secret;
use crate::gateway::limits::Limits;
use crate::gateway::open::{Person, Proof};
use crate::gateway::people::Known;
use crate::gateway::site::Site;
use axum::http::{HeaderMap, header};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use terminal_lobby::cli::output;
use terminal_lobby::sys::clock::Epoch;
use terminal_lobby::sys::fs::{Dir, Existing, FileError, create_private_dirs, random_hex};
use terminal_lobby::text::hex;

/// The file in the state directory.
const FILE: &str = "logins.json";
const MAX_FILE: u64 = 16 << 20;
/// How many logins there are at most, of all people.
const MAX_LOGINS: usize = 20_000;
/// How long a link may be used, in seconds.
pub(crate) const LINK_SECONDS: Epoch = 60;
/// A use is written to the disk when the last that was is so old, in seconds.
const USE_SECONDS: Epoch = 600;
const DAY: Epoch = 24 * 60 * 60;

/// One login, as it is in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Login {
    id: String,
    /// Of the cookie, hexadecimal.
    hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    identity: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    device: String,
    created: Epoch,
    used: Epoch,
}

#[derive(Debug, Serialize, Deserialize)]
struct File {
    version: u32,
    logins: Vec<Login>,
}

/// A login as its person sees it.
#[derive(Debug, Serialize)]
pub(crate) struct Shown {
    pub(crate) id: String,
    pub(crate) device: String,
    pub(crate) created: Epoch,
    pub(crate) used: Epoch,
    pub(crate) current: bool,
}

/// All logins.
#[derive(Debug)]
pub(crate) struct Logins {
    dir: PathBuf,
    is_secure: bool,
    per_user: usize,
    days: Epoch,
    idle_days: Epoch,
    state: Mutex<State>,
    /// Held while the file is written, so that an older state never replaces a newer one.
    writing: Arc<tokio::sync::Mutex<()>>,
}

#[derive(Debug, Default)]
struct State {
    by_hash: HashMap<String, Login>,
    /// The newest link of each user, and until when it may be used.
    links: HashMap<String, (Secret, Epoch)>,
    written: HashMap<String, Epoch>,
}

impl Logins {
    /// Reads what is kept. A damaged file is put aside: everyone logs in again.
    ///
    /// # Errors
    /// If the directory cannot be used.
    pub(crate) fn read(dir: &Path, site: &Site, limits: &Limits) -> Result<Self, FileError> {
        create_private_dirs(dir)?;
        let open = Dir::open(dir)?;
        let file = match open.read(FILE, MAX_FILE) {
            Ok(bytes) => {
                serde_json::from_slice::<File>(&bytes).ok().filter(|file| file.version == 1)
            }
            Err(error) if error.is_not_found() => Some(File { version: 1, logins: Vec::new() }),
            Err(error) => return Err(error),
        };
        let damaged = || {
            output::warning(&format!(
                "{}/{FILE} is damaged: everyone has to log in again",
                dir.display()
            ));
            Vec::new()
        };
        let logins = file.map_or_else(damaged, |file| file.logins);
        let by_hash = logins.into_iter().map(|login| (login.hash.clone(), login)).collect();
        Ok(Self {
            dir: dir.to_owned(),
            is_secure: site.is_secure(),
            per_user: limits.logins_per_user,
            days: limits.login_days,
            idle_days: limits.login_idle_days,
            state: Mutex::new(State { by_hash, ..State::default() }),
            writing: Arc::default(),
        })
    }

    /// Makes a link of a user's. An older one of the same user is good no more.
    pub(crate) fn new_link(&self, user: &str, now: Epoch) -> String {
        let (text, secret) = Secret::new();
        let mut state = self.lock();
        state.links.retain(|_, (_, until)| *until > now);
        state.links.insert(user.to_owned(), (secret, now + LINK_SECONDS));
        text
    }

    /// Uses a link; gives its user.
    pub(crate) fn use_link(&self, link: &str, now: Epoch) -> Option<String> {
        let mut state = self.lock();
        let found = state.links.iter().find(|(_, (secret, until))| secret.is(link) && now < *until);
        let user = found.map(|(user, _)| user.clone())?;
        state.links.remove(&user);
        Some(user)
    }

    /// Adds a login; gives it and the `Set-Cookie` value. The oldest of the same person give way.
    pub(crate) async fn add(
        &self,
        proof: &Proof,
        device: String,
        now: Epoch,
    ) -> Result<String, FileError> {
        let cookie = random_hex();
        {
            let mut state = self.lock();
            let (identity, account) = match proof {
                Proof::Identity(text) => (Some(text.clone()), None),
                Proof::Account(text) => (None, Some(text.clone())),
            };
            let login = Login {
                id: random_hex()[..16].to_owned(),
                hash: hash(&cookie),
                identity,
                account,
                device,
                created: now,
                used: now,
            };
            state.by_hash.retain(|_, login| self.is_good(login, now));
            while oldest(&mut state, |login| login.is_of(proof), self.per_user) {}
            while oldest(&mut state, |_| true, MAX_LOGINS) {}
            state.by_hash.insert(login.hash.clone(), login);
        }
        self.write().await?;
        let days = self.days * DAY;
        Ok(format!(
            "{}={cookie}; Path=/; HttpOnly; SameSite=Strict; Max-Age={days}{}",
            self.name(),
            self.secure()
        ))
    }

    /// Who a request's cookie belongs to; the login is used now. Gives whether the use is worth writing, too.
    pub(crate) fn find(
        &self,
        headers: &HeaderMap,
        known: &Known,
        now: Epoch,
    ) -> Option<(Person, bool)> {
        let hashes: Vec<String> = self.cookies(headers).take(4).map(hash).collect();
        let mut state = self.lock();
        let state = &mut *state;
        let login = hashes.iter().find_map(|hash| {
            let login = state.by_hash.get(hash)?;
            self.is_good(login, now).then(|| hash.clone())
        })?;
        let login = state.by_hash.get_mut(&login)?;
        let proof = login.proof();
        let user = user_of(&proof, known)?.to_owned();
        let is_old = now.saturating_sub(login.used) >= USE_SECONDS;
        login.used = now;
        let written = state.written.entry(login.id.clone()).or_insert(login.created);
        let is_worth = is_old || now.saturating_sub(*written) >= USE_SECONDS;
        if is_worth {
            *written = now;
        }
        Some((Person { proof, user, login: Some(login.id.clone()) }, is_worth))
    }

    /// Whether there is such a login yet.
    pub(crate) fn has(&self, id: &str, now: Epoch) -> bool {
        self.lock().by_hash.values().any(|login| login.id == id && self.is_good(login, now))
    }

    /// Notes that logins are used now: what they opened is still open.
    pub(crate) fn use_again(&self, ids: &HashSet<String>, now: Epoch) {
        for login in self.lock().by_hash.values_mut().filter(|login| ids.contains(&login.id)) {
            login.used = now;
        }
    }

    /// The logins of one person, the newest use first.
    pub(crate) fn of(&self, proof: &Proof, current: Option<&str>, now: Epoch) -> Vec<Shown> {
        let state = self.lock();
        let own =
            state.by_hash.values().filter(|login| login.is_of(proof) && self.is_good(login, now));
        let mut shown: Vec<Shown> = own.map(|login| login.shown(current)).collect();
        shown.sort_by(|a, b| b.used.cmp(&a.used).then_with(|| a.id.cmp(&b.id)));
        shown
    }

    /// The logins of all people with their users, as the map has them.
    pub(crate) fn all(&self, known: &Known, now: Epoch) -> Vec<(String, Shown)> {
        let state = self.lock();
        let good = state.by_hash.values().filter(|login| self.is_good(login, now));
        let mut all: Vec<_> = good
            .filter_map(|login| {
                Some((user_of(&login.proof(), known)?.to_owned(), login.shown(None)))
            })
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| b.1.used.cmp(&a.1.used)));
        all
    }

    /// Removes a login of a person; `false` if the person has none of this id.
    pub(crate) async fn revoke(&self, proof: &Proof, id: &str) -> Result<bool, FileError> {
        let removed = {
            let mut state = self.lock();
            let before = state.by_hash.len();
            state.by_hash.retain(|_, login| login.id != id || !login.is_of(proof));
            before != state.by_hash.len()
        };
        if removed {
            self.write().await?;
        }
        Ok(removed)
    }

    /// The `Set-Cookie` value that makes a browser forget.
    pub(crate) fn forget(&self) -> String {
        format!("{}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0{}", self.name(), self.secure())
    }

    /// Writes the file; it is on the disk when this returns.
    pub(crate) async fn write(&self) -> Result<(), FileError> {
        let writing = Arc::clone(&self.writing).lock_owned().await;
        let logins = self.lock().by_hash.values().cloned().collect();
        let dir = self.dir.clone();
        let written = tokio::task::spawn_blocking(move || {
            let _writing = writing;
            let bytes = serde_json::to_vec(&File { version: 1, logins }).unwrap_or_default();
            Dir::open(&dir)?.write(FILE, &bytes, Existing::Replaced)
        });
        written.await.unwrap_or(Ok(()))
    }

    fn is_good(&self, login: &Login, now: Epoch) -> bool {
        now < login.created + self.days * DAY && now < login.used + self.idle_days * DAY
    }

    fn name(&self) -> &'static str {
        if self.is_secure { "__Host-lobby" } else { "lobby" }
    }

    fn secure(&self) -> &'static str {
        if self.is_secure { "; Secure" } else { "" }
    }

    fn cookies<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a str> {
        cookies(headers, self.name())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Login {
    fn proof(&self) -> Proof {
        match (&self.identity, &self.account) {
            (Some(identity), _) => Proof::Identity(identity.clone()),
            (None, account) => Proof::Account(account.clone().unwrap_or_default()),
        }
    }

    fn is_of(&self, proof: &Proof) -> bool {
        self.proof() == *proof
    }

    fn shown(&self, current: Option<&str>) -> Shown {
        Shown {
            id: self.id.clone(),
            device: self.device.clone(),
            created: self.created,
            used: self.used,
            current: current == Some(&self.id),
        }
    }
}

/// The values of a cookie of this name.
pub(crate) fn cookies<'a>(
    headers: &'a HeaderMap,
    name: &'static str,
) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs =
        lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter_map(move |(own, value)| (own == name).then_some(value))
}

/// The user that a proof leads to, as the map is now.
pub(crate) fn user_of<'a>(proof: &'a Proof, known: &'a Known) -> Option<&'a str> {
    match proof {
        Proof::Identity(identity) => known.user_of(identity),
        Proof::Account(account) => known.is_user(account).then_some(account),
    }
}

fn hash(cookie: &str) -> String {
    hex(&Sha256::digest(cookie.as_bytes()))
}

/// Removes the least recently used of some logins if there are as many as there may be; `false` if there are fewer.
fn oldest(state: &mut State, of: impl Fn(&Login) -> bool, most: usize) -> bool {
    let some = state.by_hash.values().filter(|login| of(login));
    if some.clone().count() < most {
        return false;
    }
    let oldest = some.min_by_key(|login| login.used).map(|login| login.hash.clone());
    oldest.is_some_and(|hash| state.by_hash.remove(&hash).is_some())
}
