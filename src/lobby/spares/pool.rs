//! The spare agents of one lobby.

use super::owner;
use crate::error::Error;
use crate::kept::Kept;
use crate::list::Sessions;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use terminal_lobby::persist::prompt;
use terminal_lobby::persist::restore::memory;
use terminal_lobby::persist::sessions::{Need, SessionView};
use terminal_lobby::sys::fs::random_hex;
use terminal_lobby::tmux::session_facts::SPARE;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

/// The file with how many are wanted.
const FILE: &str = "spares.json";
/// Most spare agents of a user.
pub const MAX_SPARES: usize = 3;
/// One that is asked for by no one is ended after this time: its clones and its login grow old.
const MAX_AGE: Duration = Duration::from_mins(30);
/// How often ages, memory and clients are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// None is kept while less memory than this can be taken, in bytes: agents that work come first.
const MIN_MEMORY: u64 = 2 << 30;
/// One that does not wait for a prompt after this time will not, as an agent that says nothing of itself.
const READY_WITHIN: Duration = Duration::from_mins(1);
/// An option of persist: what it is set on is in no snapshot.
const EXCLUDED: (&str, &str) = ("@persist", "off");

/// What is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Wanted {
    count: usize,
}

/// What a new session has to ask for to get an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kind {
    pub agent: String,
    /// Empty for the agent's own choice.
    pub model: String,
    pub directory: PathBuf,
}

#[derive(Debug)]
struct Spare {
    /// Its birth id.
    id: String,
    kind: Kind,
    since: Instant,
}

/// The spare agents of a user's lobby. Clones are the same.
#[derive(Debug, Clone)]
pub struct Spares {
    kept: Kept,
    sessions: Sessions,
    all: Arc<Mutex<Vec<Spare>>>,
}

impl Spares {
    /// Those of the user whose files and sessions these are.
    pub fn new(kept: Kept, sessions: Sessions) -> Self {
        Self { kept, sessions, all: Arc::default() }
    }

    /// How many are wanted.
    ///
    /// # Errors
    /// If that cannot be read.
    pub async fn wanted(&self) -> Result<usize, Error> {
        let kept = self.kept.clone();
        let wanted = tokio::task::spawn_blocking(move || kept.read::<Wanted>(FILE)).await??;
        Ok(wanted.count.min(MAX_SPARES))
    }

    /// Sets how many are wanted, at most [`MAX_SPARES`]; those beyond are ended.
    ///
    /// # Errors
    /// If it cannot be kept.
    pub async fn set_wanted(&self, count: usize) -> Result<(), Error> {
        if count > MAX_SPARES {
            return Err(Error::Refused("at most 3 agents are kept ready"));
        }
        let kept = self.kept.clone();
        let change = move || kept.change(FILE, |wanted: &mut Wanted| wanted.count = count);
        tokio::task::spawn_blocking(change).await??;
        self.end_beyond(count).await;
        Ok(())
    }

    /// Takes one of a kind: it waits for its first prompt, belongs to the caller, and is still unseen. One that does not
    /// wait is ended.
    pub async fn take(&self, kind: &Kind) -> Option<SessionView> {
        let mut all = self.all.lock().await;
        // The newest: what it has of clones is newest, too.
        let place = all.iter().rposition(|spare| spare.kind == *kind)?;
        let spare = all.remove(place);
        drop(all);
        let view = self.view(&spare.id).await?;
        let (seen, looked_at) = (view.clone(), &self.sessions);
        let is_empty = looked_at.look(move |context| prompt::is_ready(context, &seen)).await;
        if view.need == Need::Idle && matches!(is_empty, Ok(Ok(true))) {
            return Some(view);
        }
        self.end(&view).await;
        None
    }

    /// Starts one of a kind in place of the oldest, if any are wanted. `pane` is what runs in its pane.
    pub fn want(&self, kind: Kind, pane: Vec<OsString>) {
        let own = self.clone();
        tokio::spawn(async move {
            if let Err(error) = own.start(kind, pane).await {
                tracing::warn!(%error, "no agent is kept ready");
            }
        });
    }

    async fn start(&self, kind: Kind, pane: Vec<OsString>) -> Result<(), Error> {
        let wanted = self.wanted().await?;
        if wanted == 0 || !self.has_memory().await {
            return Ok(());
        }
        let mut all = self.all.lock().await;
        if all.iter().filter(|spare| spare.kind == kind).count() > 0 {
            return Ok(());
        }
        let owner = owner::own();
        let name = format!("lobby-spare-{}", &random_hex()[..8]);
        let options = [(SPARE, owner.as_str()), EXCLUDED];
        let directory = kind.directory.clone();
        let id = self.sessions.create(name.into(), directory, pane, &options).await?;
        all.push(Spare { id, kind, since: Instant::now() });
        drop(all);
        self.end_beyond(wanted).await;
        Ok(())
    }

    /// Ends those that are too many, too old or of no use, for as long as the lobby runs, and first what lobbies left that
    /// have ended.
    pub async fn keep(self) {
        if self.kept.path().join(FILE).exists() {
            for view in self.sessions.refresh().await.spares.iter() {
                if !view.spare.as_deref().is_some_and(owner::is_alive) {
                    self.end(view).await;
                }
            }
        }
        loop {
            sleep(LOOK_EVERY).await;
            if self.all.lock().await.is_empty() {
                continue;
            }
            let has_memory = self.has_memory().await;
            let old: Vec<Spare> = {
                let mut all = self.all.lock().await;
                let is_old = |spare: &mut Spare| !has_memory || spare.since.elapsed() > MAX_AGE;
                all.extract_if(.., is_old).collect()
            };
            self.end_all(old).await;
            self.drop_useless().await;
        }
    }

    /// Lets go of those that a person has come upon in tmux, and ends those that do not wait for a prompt.
    async fn drop_useless(&self) {
        let listing = self.sessions.refresh().await;
        let mut all = self.all.lock().await;
        let mut useless = Vec::new();
        all.retain(|spare| {
            let view = listing.spares.iter().find(|view| view.birth_id == spare.id);
            let is_ready = view.is_some_and(|view| view.need == Need::Idle);
            let stays = is_ready || view.is_some() && spare.since.elapsed() < READY_WITHIN;
            if !stays {
                useless.extend(view.cloned());
            }
            stays
        });
        drop(all);
        for view in &useless {
            self.end(view).await;
        }
        for view in listing.views.iter().filter(|view| view.spare.is_some()) {
            self.give(view, None).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "a session that was opened in tmux stays a spare one");
            });
        }
    }

    /// Makes a spare one the person's own, under a name, if one is given; tmux expands it to what it shall be.
    ///
    /// # Errors
    /// What tmux says, as that there is a session of that name: then it is as it was.
    pub async fn give(&self, view: &SessionView, name: Option<OsString>) -> Result<(), Error> {
        let target: OsString = format!("${}:", view.number.ok_or(Error::NoSession)?).into();
        let mut words: Vec<OsString> = Vec::new();
        if let Some(name) = name {
            words.extend(["rename-sessio".into(), "-t".into(), target.clone()]);
            words.extend(["--".into(), name, ";".into()]);
        }
        for option in [EXCLUDED.0, SPARE] {
            words.extend(["set-optio".into(), "-u".into(), "-t".into(), target.clone()]);
            words.extend([option.into(), ";".into()]);
        }
        words.pop();
        self.sessions.send(words).await
    }

    /// Ends all, when the lobby does.
    pub async fn end_own(&self) {
        let all = std::mem::take(&mut *self.all.lock().await);
        self.end_all(all).await;
    }

    async fn end_beyond(&self, wanted: usize) {
        let beyond: Vec<Spare> = {
            let mut all = self.all.lock().await;
            let count = all.len().saturating_sub(wanted);
            all.drain(..count).collect()
        };
        self.end_all(beyond).await;
    }

    async fn end_all(&self, spares: Vec<Spare>) {
        for spare in spares {
            if let Some(view) = self.view(&spare.id).await {
                self.end(&view).await;
            }
        }
    }

    /// Ends one, unless it became a person's meanwhile.
    pub async fn end(&self, view: &SessionView) {
        let (Some(number), Some(owner)) = (view.number, &view.spare) else { return };
        let target = format!("${number}:");
        let is_spare =
            format!("#{{&&:#{{==:#{{{SPARE}}},{owner}}},#{{==:#{{session_attached}},0}}}}");
        let end = format!("kill-session -t '{target}'");
        let words = ["if-shel", "-F", "-t", &target, &is_spare, &end].map(OsString::from);
        if let Err(error) = self.sessions.send(words.into()).await {
            tracing::debug!(%error, "a spare agent was not ended");
        }
    }

    /// How a spare one is now.
    async fn view(&self, id: &str) -> Option<SessionView> {
        let listing = self.sessions.refresh().await;
        listing.spares.iter().find(|view| view.birth_id == id).cloned()
    }

    /// Whether there is memory to spare; where that is not known, there is.
    async fn has_memory(&self) -> bool {
        let available = self.sessions.look(memory::available).await;
        available.ok().flatten().is_none_or(|bytes| bytes >= MIN_MEMORY)
    }
}
