//! Events: what happened to a user's sessions without a person's doing, recorded by the user's own
//! processes and announced to the journal and to a command of the site.
//!
//! `events.tsv` in the user's state directory is the record (`docs/events.md`). It is the user's: root reads
//! it in a process that has become the user, and takes what it says for a claim.

mod announce;
mod codec;
mod event;
mod journal;
mod notify;
mod store;

pub use announce::announce;
pub use codec::{Count, Log, Numbered, Totals};
pub use event::{CAUSES, Cause, Event, KINDS, Kind};
pub use journal::{IDENTIFIER, SOCKET};
pub use notify::{Counts, Hook, LONGEST as MAX_NOTIFICATION, counts, run as run_hook};
pub use store::{append, path, read};

/// The files of events in a user's state directory.
pub const FILES: [&str; 4] = [store::EVENTS, store::LOCK, notify::COUNTS, notify::LOCK];
