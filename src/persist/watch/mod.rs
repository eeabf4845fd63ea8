//! `watch`: one small process per user that waits for agents and the tmux server to end, and brings back what was
//! killed (docs/watching.md).
//!
//! The process itself ([`run`]) holds descriptors and numbers, and notes what ended. All work is done by
//! children of this program ([`list`], [`comeback`]), which end again.

pub mod comeback;
pub mod facts;
pub mod groups;
pub mod guard;
pub mod list;
pub mod memory_state;
pub mod panes;
pub mod roll;
pub mod run;
pub mod schedule;
pub mod tracked;
pub mod verdict;
pub mod warn;
