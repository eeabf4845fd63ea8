//! Whether what was started again stays: what ends at once has not come back, and counts as if it had.

use super::{LAUNCHED, LOOK_AGAIN, STAYS, Work};
use crate::events::{self, Cause};
use crate::persist::context::Context;
use crate::persist::deaths::{Death, Kind};
use crate::persist::save;
use crate::persist::watch::guard::Subject;
use crate::sys::clock::{self, Epoch};

/// When it is looked whether agents stay that came back with their server (seconds): it starts many.
const WITH_SERVER: Epoch = 5;

impl Work<'_> {
    /// If the server of an agent was brought back since it ended: looks soon whether the agent stays, which a restore
    /// of the whole server starts, too. Returns whether it was.
    pub(super) fn is_back_with_its_server(&mut self, death: &Death) -> bool {
        let is_recent = |back: &Epoch| self.context.now < back.saturating_add(LAUNCHED);
        let back = self.comebacks.last(&Subject::Server).filter(is_recent);
        let Some(back) = back.filter(|_| !death.resumed && !self.facts.is_same_server(death))
        else {
            return false;
        };
        let conversation = self.facts.conversation_of(death);
        if conversation.is_none() || self.facts.evidence(death).closed {
            self.settle(death);
            return true;
        }
        let its_server = |one: &&Death| one.kind == Kind::Server && one.server == death.server;
        let server = self.changed.iter().chain(self.all).find(its_server);
        let cause = death.cause.or_else(|| server?.cause).unwrap_or(Cause::Unknown);
        self.come_again_at(back.saturating_add(WITH_SERVER));
        self.changed.push(Death {
            conversation,
            resumed: true,
            handed_on: Some(back),
            cause: Some(cause),
            ..death.clone()
        });
        true
    }

    /// The death of an agent that was started again and has ended at once, before it was watched: that counts as
    /// a comeback. `None` while it stays, and once that is settled; any other death is given back.
    pub(super) fn unless_it_stays(&mut self, death: Death) -> Option<Death> {
        let Some(back) = death.handed_on.filter(|_| death.resumed) else { return Some(death) };
        let id = death.conversation.clone().unwrap_or_default();
        let is_newer = |other: &Death| {
            other.key() != death.key()
                && other.noticed >= back
                && self.facts.conversation_of(other).is_some_and(|of| of == id)
        };
        let is_newer = self.all.iter().any(is_newer);
        if !self.facts.is_same_server(&death) {
            return self.unless_it_stays_with_its_server(death, &id, back, is_newer);
        }
        if is_newer {
            self.settle(&death);
            return None;
        }
        let (now, runs) = (self.context.now, self.facts.runs_agent(&death));
        let next = if now < back.saturating_add(STAYS) {
            Some(back.saturating_add(STAYS))
        } else {
            let is_launched = !runs && self.facts.is_live(&id);
            (is_launched && now < back.saturating_add(LAUNCHED)).then(|| now + LOOK_AGAIN)
        };
        if let Some(next) = next {
            self.come_again_at(next);
            return None;
        }
        if runs || self.facts.is_live(&id) || self.facts.evidence(&death).closed {
            self.settle(&death);
            return None;
        }
        self.announce(&death, events::Kind::NotResumed, "it ended again at once");
        if !self.facts.has_pane(&death) {
            // A person may have closed it.
            self.settle(&death);
            return None;
        }
        Some(Death { resumed: false, handed_on: None, noticed: now, ..death })
    }

    /// The same where the whole server was brought back: another pane of another server, and only what its launcher
    /// has recorded proves that the agent was started in it. The comeback of its session was not counted yet.
    fn unless_it_stays_with_its_server(
        &mut self,
        death: Death,
        id: &[u8],
        back: Epoch,
        is_newer: bool,
    ) -> Option<Death> {
        let now = self.context.now;
        if is_newer {
            // It was watched already, and what follows from its end counts this one.
            self.count(&death.session, back);
            self.settle(&death);
            return None;
        }
        if now < back.saturating_add(WITH_SERVER) {
            self.come_again_at(back.saturating_add(WITH_SERVER));
            return None;
        }
        if self.facts.is_live(id) || self.facts.waits(id) || self.facts.evidence(&death).closed {
            self.settle(&death);
            return None;
        }
        let has_ended = self.facts.has_ended_since(id, back);
        let Some((server, pane, session)) = self.facts.place_of(id).filter(|_| has_ended) else {
            if now >= back.saturating_add(LAUNCHED) {
                self.settle(&death);
                return None;
            }
            if has_ended {
                // No snapshot shows yet where it was.
                let context = Context { now: clock::now(), ..self.context.clone() };
                let problem = save::save(&context).problem();
                self.notes.extend(problem.map(|problem| problem.message));
            }
            self.come_again_at(now + LOOK_AGAIN);
            return None;
        };
        let pane = Some(pane);
        let again = Death { server, pane, session, leader: None, ..death };
        self.count(&again.session, back);
        self.announce(&again, events::Kind::NotResumed, "it ended again at once");
        Some(Death { resumed: false, handed_on: None, noticed: now, ..again })
    }

    /// Counts that a session came back.
    fn count(&mut self, session: &[u8], back: Epoch) {
        let looked = self.facts.looked_at(session);
        self.comebacks.enter(Subject::Session(session.to_vec()), back, looked);
    }
}
