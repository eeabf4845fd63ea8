//! `events`: what happened to the user's sessions by itself.

use crate::events::{self, Counts, Kind, Log, Numbered};
use crate::persist::context::Context;
use crate::persist::report::{EventCounts, EventsReport, Report};
use crate::persist::request::EventsRequest;
use crate::text::escape::unescape;

/// Maximum number of events that are reported if no time is given.
const USUAL: usize = 50;

/// Reports the events that were asked for, oldest first.
pub fn events(context: &Context, request: &EventsRequest) -> Report {
    let mut report = EventsReport::default();
    let path = events::path(&context.own_dir());
    match context
        .must_answer_own()
        .and_then(|()| events::read(&context.own_dir(), request.since.unwrap_or(0)))
    {
        Ok(log) => {
            let bad = log.bad.iter();
            report.notes.extend(
                bad.map(|line| format!("skipped: {}: line {line}", crate::text::shown(&path))),
            );
            let mut wanted = select(log, request);
            if request.since.is_none() {
                report.more = wanted.len().saturating_sub(USUAL);
                wanted.drain(..report.more);
            }
            report.events = wanted.into_iter().map(Into::into).collect();
        }
        Err(error) => report.error = Some(error.into()),
    }
    Report::Events(report)
}

fn select(log: Log, request: &EventsRequest) -> Vec<Numbered> {
    let sessions: Vec<Option<Vec<u8>>> =
        request.sessions.iter().map(|name| unescape(name.as_bytes())).collect();
    let kinds: Vec<Option<Kind>> =
        request.kinds.iter().map(|kind| Kind::parse(kind.as_bytes())).collect();
    let is_wanted = |one: &Numbered| {
        (sessions.is_empty() || sessions.contains(&one.event.session))
            && (kinds.is_empty() || kinds.contains(&Some(one.event.kind)))
    };
    log.events.into_iter().filter(is_wanted).collect()
}

/// The counts for `status`; what cannot be read is named in `notes`, and counts as zero.
pub(crate) fn counts(context: &Context, notes: &mut Vec<String>) -> EventCounts {
    let dir = context.own_dir();
    if context.must_answer_own().is_err() {
        return EventCounts::default(); // reported for the store
    }
    let mut or_default = |error: crate::sys::FileError| notes.push(format!("skipped: {error}"));
    let log = events::read(&dir, 0).unwrap_or_else(|error| {
        or_default(error);
        Log::default()
    });
    let notifications = events::counts(&dir).unwrap_or_else(|error| {
        or_default(error);
        Counts::default()
    });
    EventCounts::new(&log, notifications)
}
