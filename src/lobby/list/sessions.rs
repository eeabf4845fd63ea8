//! The newest list, for all who want it.

use super::starting::{self, Starting};
use crate::error::Error;
use crate::protocol::sessions::{Held, Session};
use std::collections::{BTreeMap, HashMap};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use terminal_lobby::persist::prompt;
use terminal_lobby::persist::sessions::{self, Known, SessionView};
use terminal_lobby::persist::{Context, Report, Request};
use terminal_lobby::sys::clock;
use terminal_lobby::tmux::Server;
use tokio::sync::{Notify, watch};

/// A list, as it was last made.
#[derive(Debug, Default, Clone)]
pub struct Listing {
    pub sessions: Vec<Arc<Session>>,
    /// The same, as they are.
    pub(crate) views: Arc<Vec<SessionView>>,
    /// Sessions with agents that no one has asked for yet: they are shown to no one.
    pub(crate) spares: Arc<Vec<SessionView>>,
    pub(crate) record_dirs: Vec<PathBuf>,
    /// Why it could not be made again; empty if it could.
    pub trouble: String,
}

/// The sessions of one user.
#[derive(Debug, Clone)]
pub struct Sessions(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    context: Context,
    job: terminal_lobby::persist::Job,
    list: watch::Sender<Arc<Listing>>,
    /// How many look at the list.
    watching: watch::Sender<usize>,
    /// Birth ids of sessions that are about to end, each with the number of that intention.
    ending: Mutex<BTreeMap<String, u64>>,
    /// Prompts that are held, by the birth ids of their sessions.
    held: Mutex<BTreeMap<String, Held>>,
    /// How many intentions to end a session there were.
    intentions: AtomicU64,
    /// Agents that were started here and do not run yet.
    starting: Starting,
    /// Says that something was changed here.
    touched: Notify,
    /// One list is made at a time, with what is kept for the next one.
    making: tokio::sync::Mutex<Arc<Mutex<Known>>>,
}

/// While it lives, the list is followed.
#[derive(Debug)]
pub struct Watching(Sessions);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.0.watching.send_modify(|count| *count = count.saturating_sub(1));
    }
}

impl Sessions {
    /// Those of the caller.
    pub fn new(job: terminal_lobby::persist::Job) -> Result<Self, Error> {
        let context = job.clone().own_context()?;
        Ok(Self(Arc::new(Inner {
            context,
            job,
            list: watch::Sender::default(),
            watching: watch::Sender::default(),
            ending: Mutex::default(),
            held: Mutex::default(),
            intentions: AtomicU64::default(),
            starting: Starting::default(),
            touched: Notify::new(),
            making: tokio::sync::Mutex::default(),
        })))
    }

    /// The tmux server.
    pub fn server(&self) -> &Server {
        &self.0.context.server
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        &self.0.context.account.name
    }

    /// The user's home.
    pub fn home(&self) -> &Path {
        &self.0.context.account.home
    }

    /// The user's state directory, existing or not.
    pub(super) fn state_dir(&self) -> PathBuf {
        self.0.context.own_dir()
    }

    /// Follows the list for as long as the returned guard lives.
    pub fn subscribe(&self) -> (watch::Receiver<Arc<Listing>>, Watching) {
        self.0.watching.send_modify(|count| *count += 1);
        (self.0.list.subscribe(), Watching(self.clone()))
    }

    pub(super) fn watching(&self) -> watch::Receiver<usize> {
        self.0.watching.subscribe()
    }

    pub(super) async fn touched(&self) {
        self.0.touched.notified().await;
    }

    /// The list is made again soon.
    pub fn touch(&self) {
        self.0.touched.notify_one();
    }

    /// A directory that a person named: absolute, or below the home.
    pub fn directory(&self, text: &str) -> PathBuf {
        let home = &self.0.context.account.home;
        match text.strip_prefix('~') {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => {
                home.join(rest.trim_start_matches('/'))
            }
            _ => home.join(text),
        }
    }

    /// Path of the program that starts agents in panes, if it is installed.
    pub fn launcher(&self) -> Option<PathBuf> {
        self.0.context.launcher.clone()
    }

    /// Makes the list anew.
    pub async fn refresh(&self) -> Arc<Listing> {
        let one = self.0.making.lock().await;
        let known = Arc::clone(&one);
        let mut context = self.0.context.clone();
        context.now = clock::now();
        let listed = move || {
            sessions::list(&context, &mut known.lock().unwrap_or_else(PoisonError::into_inner))
        };
        let made = tokio::task::spawn_blocking(listed).await;
        let listing = match made.map_err(Error::from).and_then(|list| list.map_err(Error::from)) {
            Ok(list) => {
                let home = self.0.context.account.home.as_os_str().as_bytes();
                let ending = self.ending().clone();
                let held = self.held().clone();
                let show = |view: &SessionView| {
                    let held = held.get(&view.birth_id).cloned();
                    let shown = Session::of(view, home, ending.contains_key(&view.birth_id));
                    Arc::new(Session { held, ..shown })
                };
                // One that a person has come upon in tmux is theirs.
                let is_spare = |view: &SessionView| view.spare.is_some() && view.viewers == 0;
                let (spares, mut views): (Vec<_>, Vec<_>) =
                    list.sessions.into_iter().partition(is_spare);
                let mut shown = views.iter().map(show).collect();
                self.0.starting.show(&mut shown, &mut views);
                Listing {
                    sessions: shown,
                    views: Arc::new(views),
                    spares: Arc::new(spares),
                    record_dirs: list.record_dirs,
                    trouble: String::new(),
                }
            }
            Err(error) => {
                let last = self.0.list.borrow().clone();
                Listing { trouble: error.to_string(), ..(*last).clone() }
            }
        };
        let listing = Arc::new(listing);
        self.0.list.send_replace(Arc::clone(&listing));
        listing
    }

    /// The newest list; it is made if there is none yet.
    pub async fn newest(&self) -> Arc<Listing> {
        let newest = self.0.list.borrow().clone();
        if newest.views.is_empty() { self.refresh().await } else { newest }
    }

    /// The live session with a birth id, as it is now.
    pub async fn find(&self, id: &str) -> Option<SessionView> {
        let find = |listing: &Listing| {
            listing.views.iter().find(|view| view.birth_id == id && view.number.is_some()).cloned()
        };
        let known = find(&self.0.list.borrow());
        match known {
            Some(view) => Some(view),
            None => find(&*self.refresh().await),
        }
    }

    /// The session with a birth id, live or not.
    pub async fn known(&self, id: &str) -> Option<SessionView> {
        let find =
            |listing: &Listing| listing.views.iter().find(|view| view.birth_id == id).cloned();
        let known = find(&self.0.list.borrow());
        match known {
            Some(view) => Some(view),
            None => find(&*self.refresh().await),
        }
    }

    /// The session with a birth id in the newest list, live or not.
    pub fn listed(&self, id: &str) -> Option<SessionView> {
        self.0.list.borrow().views.iter().find(|view| view.birth_id == id).cloned()
    }

    /// The birth id and the name of each live session that runs a conversation, by its agent and its id in small
    /// letters.
    pub async fn conversations(&self) -> HashMap<(String, String), (String, String)> {
        let is_followed = *self.0.watching.borrow() > 0;
        let known = self.0.list.borrow().clone();
        let listing = if is_followed { known } else { self.refresh().await };
        let live = listing.views.iter().filter(|view| view.number.is_some());
        let of = |view: &SessionView| {
            let conversation = view.conversation.as_ref()?;
            let key = (conversation.agent.to_owned(), conversation.id.key().to_owned());
            let name = String::from_utf8_lossy(&view.name);
            Some((key, (view.birth_id.clone(), crate::protocol::conversation::shown(&name))))
        };
        live.filter_map(of).collect()
    }

    /// tmux's number of a live session.
    pub async fn number(&self, id: &str) -> Option<u32> {
        self.find(id).await?.number
    }

    /// Whether the session is there now.
    pub async fn has(&self, id: &str) -> bool {
        let listing = self.refresh().await;
        listing.views.iter().any(|view| view.birth_id == id && view.number.is_some())
    }

    /// Has `persist` do something.
    pub async fn request(&self, request: Request) -> Result<Report, Error> {
        self.request_within(request, self.0.job.lock_wait).await
    }

    /// Has `persist` do something, and waits for another save or restore for as long as `lock_wait` at most.
    ///
    /// # Errors
    /// [`Error::Busy`] if that did not end in time.
    pub async fn request_within(
        &self,
        request: Request,
        lock_wait: Duration,
    ) -> Result<Report, Error> {
        let job = terminal_lobby::persist::Job { request, lock_wait, ..self.0.job.clone() };
        let report = self.perform(job).await;
        self.touch();
        report
    }

    /// Asks `persist` for what changes nothing.
    pub async fn ask(&self, request: Request) -> Result<Report, Error> {
        self.perform(terminal_lobby::persist::Job { request, ..self.0.job.clone() }).await
    }

    async fn perform(&self, job: terminal_lobby::persist::Job) -> Result<Report, Error> {
        let report = tokio::task::spawn_blocking(move || job.perform()).await?;
        match report.problem() {
            Some(problem) if problem.busy => Err(Error::Busy),
            Some(problem) => Err(Error::Reported(problem.message)),
            None => Ok(report),
        }
    }

    /// Looks something up outside of the thread that serves.
    pub async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Context) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let context = self.0.context.clone();
        Ok(tokio::task::spawn_blocking(move || look(&context)).await?)
    }

    /// Gives a prompt to a session's agent; returns what it was given.
    ///
    /// # Errors
    /// If that is not at its prompt.
    pub async fn prompt(&self, view: SessionView, text: String) -> Result<String, Error> {
        let context = self.0.context.clone();
        let given = tokio::task::spawn_blocking(move || prompt::prompt(&context, &view, &text));
        let given = given.await??;
        self.touch();
        Ok(given)
    }

    /// Sends tmux commands that print nothing.
    pub async fn send(&self, words: Vec<std::ffi::OsString>) -> Result<(), Error> {
        let server = self.server().clone();
        tokio::task::spawn_blocking(move || server.send(words)).await??;
        self.touch();
        Ok(())
    }

    /// An agent was started in a new session.
    pub fn starts(&self, id: &str, agent: &str, prompt: Option<&str>) {
        self.0.starting.begin(id, agent, prompt);
        self.touch();
        let own = self.clone();
        tokio::spawn(async move {
            for time in starting::TIMES {
                tokio::time::sleep(time).await;
                own.touch();
            }
        });
    }

    /// Marks a session as about to end; returns the number of that intention, or `None` if there is one already.
    pub fn plan_end(&self, id: &str) -> Option<u64> {
        let mut all = self.ending();
        if all.contains_key(id) {
            return None;
        }
        let number = self.0.intentions.fetch_add(1, Ordering::Relaxed);
        all.insert(id.to_owned(), number);
        self.touch();
        Some(number)
    }

    /// Takes the intention back, this one or any; whether there was one.
    pub fn cancel_end(&self, id: &str, number: Option<u64>) -> bool {
        let mut all = self.ending();
        let is_meant =
            all.get(id).is_some_and(|known| number.is_none_or(|number| number == *known));
        if is_meant {
            all.remove(id);
            self.touch();
        }
        is_meant
    }

    /// Shows which prompts are held from now on.
    pub fn set_held(&self, all: BTreeMap<String, Held>) {
        let before = std::mem::replace(&mut *self.held(), all);
        if before != *self.held() {
            self.touch();
        }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Held>> {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ending(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        self.0.ending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
