//! What happened to the sessions while their person was away, from the record of `persist`.

use super::person::Attention;
use crate::error::Error;
use crate::list::Sessions;
use serde::Serialize;
use terminal_lobby::persist::{EventsRequest, Report, Request};
use terminal_lobby::sys::clock::{self, Epoch};

/// How many events are shown, the newest.
const MAX_EVENTS: usize = 200;

/// What happened since the person last knew.
#[derive(Debug, Default, Serialize)]
pub struct Away {
    /// Until when they knew what happened.
    pub seen: Epoch,
    /// The present: what is from before is here.
    pub now: Epoch,
    /// Oldest first.
    pub events: Vec<Happened>,
    /// How many earlier ones are left out.
    pub more: usize,
}

/// One event.
#[derive(Debug, Serialize)]
pub struct Happened {
    pub time: Epoch,
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// All of it in a sentence, in which what a user chose is escaped.
    pub message: String,
}

impl Attention {
    /// What happened since the person last knew; nothing for one who is here for the first time.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub async fn away(&self, sessions: &Sessions) -> Result<Away, Error> {
        self.read_marks().await?;
        let (seen, now) = (self.marks().borrow().seen, clock::now());
        if seen == 0 {
            return Ok(Away { seen: now, now, ..Away::default() });
        }
        let since = Some(seen.saturating_add(1));
        let request = Request::Events(EventsRequest { since, ..EventsRequest::default() });
        let Report::Events(report) = sessions.request(request).await? else {
            return Ok(Away { seen, now, ..Away::default() });
        };
        let more = report.events.len().saturating_sub(MAX_EVENTS);
        let shown = report.events.into_iter().skip(more).map(|event| Happened {
            time: event.time,
            kind: event.kind,
            session: event.session,
            message: event.message,
        });
        Ok(Away { seen, now, events: shown.collect(), more })
    }
}
