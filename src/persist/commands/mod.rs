//! One file for each command that neither saves nor restores.

pub mod conversation;
pub mod diff;
pub mod doctor;
pub mod ended;
pub mod events;
pub mod forget;
pub mod history;
pub mod hook_event;
pub mod hook_install;
pub mod import;
pub mod list;
pub mod older_suite;
pub mod show;
pub mod status;
