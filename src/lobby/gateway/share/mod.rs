//! Shares of sessions and links to conversations, as far as the gateway knows of them: whose agent is to be asked.

pub(crate) mod announced;
mod ending;
pub(crate) mod following;
pub(crate) mod index;
pub(crate) mod links;
mod pass;

pub(crate) use ending::expire;
pub(crate) use pass::may_pass;
