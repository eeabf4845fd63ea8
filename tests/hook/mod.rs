//! `persist hook` and saving on change, without the real agents (`tests/agents/` has those).

mod input;
mod install;
mod on_change;
mod pane;
