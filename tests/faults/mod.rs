//! Faults of the store: a program that dies at any system call, a disk that is full or broken,
//! files that are not ours or torn. Whatever happened, the newest sound snapshot is found, and
//! nothing half-written counts.

mod broken;
mod clients;
mod disk;
mod foreign;
mod forget;
mod points;
mod prune;
mod random;
mod restore;
mod save;
mod state;

pub(crate) use points::{Point, at_each, has_strace, traced_points};
