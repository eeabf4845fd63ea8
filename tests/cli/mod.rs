//! The commands as a user meets them, on real tmux servers.

mod agents;
mod doctor;
mod forget;
mod lessons;
mod locks;
mod lost;
mod manual;
mod refusals;
mod restore;
mod save;
mod status;
mod trouble;
