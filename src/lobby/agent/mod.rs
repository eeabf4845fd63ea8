//! Everything of one user: what a page asks for, done as that user.

mod access;
mod actions;
mod attention;
mod create;
mod events;
mod files;
mod guests;
mod layout;
mod onlookers;
mod past;
mod prompt;
mod recent;
mod restore;
mod router;
pub(crate) mod running;
mod sharing;
pub(crate) mod socket;
mod state;
mod suspend;
mod until;

pub use access::Access;
pub(crate) use access::from_gateway;
pub use router::router;
pub use state::Agent;
pub use until::Until;
