//! Bringing sessions back: the snapshots, what differs from the present, the plan of `persist`, and what was chosen of it.

mod past;
mod plan;
mod running;
mod snapshots;

pub(super) use past::{history, past};
pub(super) use plan::{plan, restore};
pub(super) use running::Restoring;
pub(super) use snapshots::{list, one};
