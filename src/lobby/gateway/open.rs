//! What is open: every request that is passed on and every WebSocket, with the person that it is for, so that it can
//! be cut.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use terminal_lobby::t3::table::Instance;
use tokio::sync::oneshot;

/// WebSocket close codes: the gateway is restarted (RFC 6455, 7.4, and the registry of IANA), and who it was may come
/// no more.
pub(crate) const RESTART: u16 = 1012;
pub(crate) const CUT: u16 = 4403;

/// Why somebody is let in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Proof {
    /// What a provider or a login proxy calls the person.
    Identity(String),
    /// An account of this host.
    Account(String),
}

impl Proof {
    /// Its text: what the journal says.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Identity(text) | Self::Account(text) => text,
        }
    }
}

/// A person that was let in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) proof: Proof,
    /// The person's user.
    pub(crate) user: String,
    /// The login, where there is one.
    pub(crate) login: Option<String>,
}

/// What one request or WebSocket is for.
#[derive(Debug, Clone)]
pub(crate) struct Pass {
    pub(crate) person: Person,
    /// Whose lobby it is.
    pub(crate) target: String,
    pub(crate) via: Via,
}

/// Why a person may reach a lobby.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Via {
    /// It is the person's own.
    Own,
    /// The person is an admin, who looks.
    Look,
    /// Something of it is shared with the person.
    Share,
    /// The person has a link to a conversation: its hash, and by what its viewers are counted.
    Link { hash: String, viewer: String, is_known: bool },
    /// The person has this instance of T3 Code.
    T3(Instance),
}

impl Pass {
    pub(crate) fn is_own(&self) -> bool {
        self.via == Via::Own
    }
}

/// Everything that is open.
#[derive(Debug, Clone, Default)]
pub(crate) struct Open(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    next: u64,
    all: HashMap<u64, Entry>,
    by_user: HashMap<String, usize>,
}

#[derive(Debug)]
struct Entry {
    pass: Pass,
    is_view: bool,
    cut: Option<oneshot::Sender<u16>>,
}

/// One that is open; it is not when this is dropped.
#[derive(Debug)]
pub(crate) struct Ticket {
    open: Open,
    number: u64,
}

/// Too many of one user are open.
#[derive(Debug)]
pub(crate) struct TooMany;

impl Open {
    /// Notes one; gives how it is cut: a close code.
    pub(crate) fn enter(
        &self,
        pass: &Pass,
        most: usize,
        is_view: bool,
    ) -> Result<(Ticket, oneshot::Receiver<u16>), TooMany> {
        let mut state = self.lock();
        let count = state.by_user.entry(pass.person.user.clone()).or_default();
        if *count >= most {
            return Err(TooMany);
        }
        *count += 1;
        let number = state.next;
        state.next += 1;
        let (cut, receiver) = oneshot::channel();
        state.all.insert(number, Entry { pass: pass.clone(), is_view, cut: Some(cut) });
        Ok((Ticket { open: self.clone(), number }, receiver))
    }

    /// Cuts all that may not go on; gives how many.
    pub(crate) fn cut(&self, code: u16, may_go_on: impl Fn(&Pass) -> bool) -> usize {
        let mut cut = 0;
        for entry in self.lock().all.values_mut().filter(|entry| !may_go_on(&entry.pass)) {
            if let Some(sender) = entry.cut.take() {
                let _ = sender.send(code); // it has just ended
                cut += 1;
            }
        }
        cut
    }

    /// The logins for which something is open.
    pub(crate) fn logins(&self) -> HashSet<String> {
        self.lock().all.values().filter_map(|entry| entry.pass.person.login.clone()).collect()
    }

    /// How many WebSockets each lobby has open.
    pub(crate) fn views(&self) -> HashMap<String, usize> {
        let mut views = HashMap::new();
        for entry in self.lock().all.values().filter(|entry| entry.is_view) {
            *views.entry(entry.pass.target.clone()).or_default() += 1;
        }
        views
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().all.is_empty()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = self.open.lock();
        let Some(entry) = state.all.remove(&self.number) else { return };
        let user = entry.pass.person.user;
        if let Some(count) = state.by_user.get_mut(&user) {
            *count -= 1;
            if *count == 0 {
                state.by_user.remove(&user);
            }
        }
    }
}
