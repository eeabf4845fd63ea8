//! `start-claude`: what a new pane runs.
fn main() {}
