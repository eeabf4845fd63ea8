//! Prompts that wait until their agent takes one: kept with the lobby's files, shown in the list, given once.

use crate::error::Error;
use crate::kept::{Kept, KeptError};
use crate::list::Sessions;
use crate::protocol::sessions::Held as Shown;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use terminal_lobby::persist::prompt::{MAX_PROMPT, PromptError};
use terminal_lobby::persist::sessions::{Need, SessionView};
use terminal_lobby::sys::clock::{self, Epoch};
use tokio::sync::watch;
use tokio::time::sleep;

/// The file with them.
const FILE: &str = "held-prompts.json";
/// How many are held at most, one for a session.
const MAX_HELD: usize = 100;
/// How long one is held, in seconds.
const MAX_AGE: u64 = 7 * 24 * 3600;
/// Of an agent that is idle and takes none, as with something in its input line, no event says that it does.
const RETRY: Duration = Duration::from_secs(10);
/// What is said of one whose sending was interrupted.
const UNKNOWN: &str = "whether it was sent is not known: see the conversation";

/// What is held, by the birth id of its session.
type All = BTreeMap<String, Prompt>;

/// A prompt that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Prompt {
    text: String,
    /// The conversation that it is meant for, if that was known.
    conversation: Option<String>,
    since: Epoch,
    /// Whether it is given at the moment, or was when its lobby ended.
    #[serde(default)]
    sending: bool,
    /// Why it was not given yet, although the agent is idle.
    #[serde(default)]
    trouble: String,
}

/// The held prompts of a user. Clones are the same.
#[derive(Debug, Clone)]
pub struct Held {
    kept: Kept,
    sessions: Sessions,
    count: watch::Sender<usize>,
}

impl Held {
    /// Those of the user whose files and sessions these are.
    pub fn new(kept: Kept, sessions: Sessions) -> Self {
        Self { kept, sessions, count: watch::Sender::new(0) }
    }

    /// How many are held.
    pub fn count(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }

    /// Holds a prompt for the agent of a session that works or asks something.
    ///
    /// # Errors
    /// If one is held for it already, or the agent would take none.
    pub async fn hold(&self, view: &SessionView, text: String) -> Result<(), Error> {
        if text.trim().is_empty() || text.len() > MAX_PROMPT {
            return Err(PromptError::Size.into());
        }
        if view.agent.is_none() || !matches!(view.need, Need::Working | Need::Waiting | Need::Idle)
        {
            return Err(Error::Refused("no agent that takes a prompt later is known there"));
        }
        let (id, conversation) = (view.birth_id.clone(), conversation(view));
        let prompt = Prompt {
            text,
            conversation,
            since: clock::now(),
            sending: false,
            trouble: String::new(),
        };
        let held = self.change(move |all| {
            if all.contains_key(&id) {
                return Err(Error::Refused("a prompt is held for that session already"));
            }
            if all.len() >= MAX_HELD {
                return Err(Error::Refused("too many prompts are held"));
            }
            all.insert(id, prompt);
            Ok(())
        });
        held.await?
    }

    /// Takes back what is held for a session, and gives its text.
    ///
    /// # Errors
    /// If nothing is held for it.
    pub async fn take_back(&self, id: String) -> Result<String, Error> {
        let taken = self.change(move |all| all.remove(&id).map(|prompt| prompt.text)).await?;
        taken.ok_or(Error::Refused("no prompt is held for that session"))
    }

    /// Gives prompts when their agents take them, for as long as the lobby runs. Without one it does nothing.
    pub async fn give(self) {
        // What an earlier lobby was giving when it ended is not given again by itself.
        let begin = self.change(|all| {
            let now = clock::now();
            all.retain(|_, prompt| now.saturating_sub(prompt.since) < MAX_AGE);
            for prompt in all.values_mut().filter(|prompt| prompt.sending) {
                UNKNOWN.clone_into(&mut prompt.trouble);
            }
        });
        if let Err(error) = begin.await {
            tracing::warn!(%error, "held prompts");
        }
        let mut count = self.count.subscribe();
        while count.wait_for(|count| *count > 0).await.is_ok() {
            self.follow().await;
        }
    }

    /// Until none is held.
    async fn follow(&self) {
        let (mut list, _watching) = self.sessions.subscribe();
        let mut count = self.count.subscribe();
        self.sessions.refresh().await;
        while *count.borrow_and_update() > 0 {
            list.mark_unchanged();
            let mut is_refused = false;
            match self.read().await {
                Ok(all) => {
                    for (id, prompt) in all.iter().filter(|(_, prompt)| !prompt.sending) {
                        is_refused |= self.try_one(id, prompt).await;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "held prompts");
                    is_refused = true;
                }
            }
            tokio::select! {
                changed = list.changed() => if changed.is_err() { return },
                _ = count.changed() => {}
                () = sleep(RETRY), if is_refused => {}
            }
        }
    }

    /// Gives one if its agent takes it now; whether it is idle and does not.
    async fn try_one(&self, id: &str, prompt: &Prompt) -> bool {
        let Some(view) = self.sessions.find(id).await else { return false };
        if view.need != Need::Idle {
            return false;
        }
        if prompt.conversation.is_some() && prompt.conversation != conversation(&view) {
            self.say(id, "the session has another conversation now", false).await;
            return false;
        }
        let (own, wanted) = (id.to_owned(), prompt.clone());
        // The one that marks it gives it: there may be another lobby.
        let claimed = self.change(move |all| match all.get_mut(&own) {
            Some(now) if *now == wanted => {
                now.sending = true;
                true
            }
            _ => false,
        });
        if !matches!(claimed.await, Ok(true)) {
            return true;
        }
        match self.sessions.prompt(view, prompt.text.clone()).await {
            Ok(_) => {
                let own = id.to_owned();
                if let Err(error) = self.change(move |all| all.remove(&own)).await {
                    tracing::warn!(%error, "a held prompt was given");
                }
                false
            }
            Err(Error::Prompt(error @ PromptError::NotAtPrompt(_))) => {
                self.say(id, &error.to_string(), false).await;
                true
            }
            Err(error) => {
                self.say(id, &error.to_string(), true).await;
                false
            }
        }
    }

    /// Notes why one was not given, and whether it may have been.
    async fn say(&self, id: &str, why: &str, sending: bool) {
        let (id, why) = (id.to_owned(), why.to_owned());
        let noted = self.change(move |all| {
            if let Some(prompt) = all.get_mut(&id) {
                (prompt.trouble, prompt.sending) = (why, sending);
            }
        });
        if let Err(error) = noted.await {
            tracing::warn!(%error, "a held prompt");
        }
    }

    async fn read(&self) -> Result<All, Error> {
        let kept = self.kept.clone();
        Ok(tokio::task::spawn_blocking(move || kept.read::<All>(FILE)).await??)
    }

    /// Changes what is held, and shows it.
    async fn change<R: Send + 'static>(
        &self,
        change: impl FnOnce(&mut All) -> R + Send + 'static,
    ) -> Result<R, Error> {
        let kept = self.kept.clone();
        let changed = move || -> Result<(R, All), KeptError> {
            kept.change(FILE, |all: &mut All| {
                let result = change(all);
                (result, all.clone())
            })
        };
        let (result, all) = tokio::task::spawn_blocking(changed).await??;
        let shown =
            all.iter().map(|(id, prompt)| (id.clone(), Shown::of(&prompt.text, &prompt.trouble)));
        self.sessions.set_held(shown.collect());
        self.count.send_if_modified(|count| std::mem::replace(count, all.len()) != all.len());
        Ok(result)
    }
}

/// What tells a conversation from others.
fn conversation(view: &SessionView) -> Option<String> {
    let conversation = view.conversation.as_ref()?;
    Some(format!("{} {}", conversation.agent, conversation.id))
}
