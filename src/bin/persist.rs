//! `persist`: saves and restores tmux sessions.
fn main() {}
