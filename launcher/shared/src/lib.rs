//! What `start-claude`, `persist` and `provision` share, with as few dependencies as a program that
//! every new pane starts can pay for.
#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests set up files of their own"))]

pub mod atomic;
pub mod child;
pub mod escape;
pub mod memory;
mod pipe;
pub mod random;
