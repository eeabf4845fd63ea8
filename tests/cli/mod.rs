//! The commands as a user meets them, on real tmux servers.

mod agents;
mod diff;
mod events;
mod fidelity;
mod forget;
mod health;
mod history;
mod lessons;
mod locks;
mod lost;
mod manual;
mod modes;
mod output;
mod programs;
mod provision;
mod refusals;
mod restore;
mod retention;
mod save;
mod torture;
mod trouble;
