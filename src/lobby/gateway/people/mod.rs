//! Who may come in, as whom, and who a request is from.

pub(crate) mod changes;
mod known;
pub(crate) mod who;

pub(crate) use changes::Changes;
pub(crate) use known::{Known, People};
