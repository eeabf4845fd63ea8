//! Logins: a link that works once, and the cookies of the browsers that used one.

use super::device::device;
use super::secret::Secret;
use axum::http::{HeaderMap, header};
use serde::Serialize;
use std::sync::{Mutex, PoisonError};
use terminal_lobby::sys::clock::{self, Epoch};
use terminal_lobby::sys::fs::random_hex;
use tokio::sync::watch;

/// The cookie's name; the port is in it, since cookies do not know ports and two lobbies may run on one host.
const COOKIE: &str = "lobby";
/// Most browsers that are logged in at once; the oldest gives way.
const MAX_LOGINS: usize = 32;

/// The logins of one lobby.
#[derive(Debug)]
pub struct Logins {
    name: String,
    state: Mutex<State>,
    /// Says that a login ended.
    ended: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    link: Option<Secret>,
    browsers: Vec<Browser>,
}

/// A browser that is logged in.
#[derive(Debug)]
struct Browser {
    secret: Secret,
    id: String,
    device: String,
    created: Epoch,
    used: Epoch,
}

/// A login, as its person sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Login {
    /// What it is revoked by.
    pub id: String,
    /// What the browser says it is.
    pub device: String,
    /// In seconds since the epoch.
    pub created: Epoch,
    pub used: Epoch,
    /// Whether it is the one that asks.
    pub current: bool,
}

impl Logins {
    /// None yet, for a lobby on a port.
    pub fn on_port(port: u16) -> Self {
        Self {
            name: format!("{COOKIE}-{port}"),
            state: Mutex::default(),
            ended: watch::Sender::default(),
        }
    }

    /// Makes a link's secret, good once. An older link is good no more.
    pub fn new_link(&self) -> String {
        let (text, secret) = Secret::new();
        self.lock().link = Some(secret);
        text
    }

    /// Uses a link; gives the `Set-Cookie` value of a browser that is logged in now.
    pub fn log_in(&self, link: &str, headers: &HeaderMap) -> Option<String> {
        let mut state = self.lock();
        if !state.link.as_ref()?.is(link) {
            return None;
        }
        state.link = None;
        let (text, secret) = Secret::new();
        if state.browsers.len() >= MAX_LOGINS {
            state.browsers.remove(0);
            self.ended.send_replace(());
        }
        let (created, id) = (clock::now(), random_hex()[..16].to_owned());
        let device = device(headers);
        state.browsers.push(Browser { secret, id, device, created, used: created });
        Some(format!("{}={text}; Path=/; HttpOnly; SameSite=Strict", self.name))
    }

    /// The id of the login that a request has the cookie of.
    pub fn login_of(&self, headers: &HeaderMap) -> Option<String> {
        let cookies =
            headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs =
            cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(name, _)| *name == self.name).map(|(_, value)| value);
        let mut state = self.lock();
        values.find_map(|value| {
            let browser = state.browsers.iter_mut().find(|browser| browser.secret.is(value))?;
            browser.used = clock::now();
            Some(browser.id.clone())
        })
    }

    /// All logins, as the one with an id sees them.
    pub fn all(&self, current: &str) -> Vec<Login> {
        let of = |browser: &Browser| Login {
            id: browser.id.clone(),
            device: browser.device.clone(),
            created: browser.created,
            used: browser.used,
            current: browser.id == current,
        };
        self.lock().browsers.iter().map(of).collect()
    }

    /// Ends a login; whether there was one.
    pub fn revoke(&self, id: &str) -> bool {
        let mut state = self.lock();
        let before = state.browsers.len();
        state.browsers.retain(|browser| browser.id != id);
        let was_there = state.browsers.len() < before;
        drop(state);
        if was_there {
            self.ended.send_replace(());
        }
        was_there
    }

    /// Waits until a login has ended.
    pub async fn has_ended(&self, id: &str) {
        let mut ended = self.ended.subscribe();
        while self.lock().browsers.iter().any(|browser| browser.id == id) {
            if ended.changed().await.is_err() {
                return;
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_works_once_and_only_its_cookie_counts() {
        let logins = Logins::on_port(7);
        let link = logins.new_link();
        let none = HeaderMap::new();
        assert_eq!(logins.log_in("no", &none), None);
        let cookie = logins.log_in(&link, &none).unwrap();
        assert_eq!(logins.log_in(&link, &none), None);
        let pair = cookie.split(';').next().unwrap();
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::COOKIE, value.parse().unwrap());
            logins.login_of(&headers)
        };
        let id = with(pair).unwrap();
        assert_eq!(with(&format!("a=b; {pair}; c=d")), Some(id.clone()));
        for wrong in ["lobby-7=", &pair.replace("lobby-7", "lobby-8"), &pair[..20]] {
            assert_eq!(with(wrong), None);
        }
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"));
        assert!(logins.all(&id)[0].current);
        assert!(logins.revoke(&id) && !logins.revoke(&id) && logins.all(&id).is_empty());
        assert_eq!(with(pair), None);
    }
}
