//! What a person looks at: no notification is sent of that, and what is seen is marked.

use super::person::{Attention, blocking};
use crate::protocol::attention::Look;
use terminal_lobby::sys::clock::{self, Epoch};

/// What is looked at in one page, for as long as its connection lives.
#[derive(Debug)]
pub struct Looking {
    attention: Attention,
    look: Look,
    /// When the page last said anything: of one that vanished nothing is known afterwards.
    heard: Epoch,
}

impl Attention {
    /// A page of the person's own.
    pub fn look(&self) -> Looking {
        Looking { attention: self.clone(), look: Look::default(), heard: clock::now() }
    }
}

impl Looking {
    /// The page has said something.
    pub fn heard(&mut self) {
        self.heard = clock::now();
    }

    /// The page says what is looked at from now on.
    pub fn is_at(&mut self, look: Look) {
        self.heard();
        let before = std::mem::replace(&mut self.look, look);
        // First the new one: nothing is to be sent in between.
        count(&self.attention, &self.look, 1);
        let seen = session(&self.look).map(str::to_owned);
        self.leave(before, seen);
    }

    /// Marks what was looked at as seen until the page was last heard of, with another session; it is no longer looked
    /// at only then, so that nothing is sent in between.
    fn leave(&self, before: Look, other: Option<String>) {
        let (attention, at) = (self.attention.clone(), self.heard);
        let sessions: Vec<String> =
            session(&before).map(str::to_owned).into_iter().chain(other).collect();
        let is_all_seen = before.visible && before.caught_up;
        if (sessions.is_empty() && !is_all_seen) || tokio::runtime::Handle::try_current().is_err() {
            return count(&attention, &before, -1);
        }
        tokio::spawn(async move {
            let own = attention.clone();
            let marked = blocking(move || {
                own.mark(|marks| {
                    for id in &sessions {
                        marks.open(id, at);
                    }
                    if is_all_seen {
                        marks.seen = marks.seen.max(at);
                    }
                })
            });
            if let Ok(Err(error)) = marked.await {
                tracing::warn!(%error, "what was opened is not kept");
            }
            count(&attention, &before, -1);
        });
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        let look = std::mem::take(&mut self.look);
        self.leave(look, None);
    }
}

/// The session that can be seen.
fn session(look: &Look) -> Option<&str> {
    look.session.as_deref().filter(|_| look.visible)
}

fn count(attention: &Attention, look: &Look, change: isize) {
    let Some(id) = session(look) else { return };
    attention.looks().send_modify(|looks| {
        let count = looks.entry(id.to_owned()).or_default();
        *count = count.saturating_add_signed(change);
        if *count == 0 {
            looks.remove(id);
        }
    });
}
