//! Freshening real clones by real git over real transports; `docs/freshen.md` has the table.
#![allow(clippy::disallowed_methods, reason = "tests set up files and processes of their own")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "tests report to a terminal")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![allow(missing_docs, reason = "test names say it")]

mod support;

mod broken;
mod full_disk;
mod layouts;
mod left_alone;
mod many;
mod remotes;
mod speed;
mod ssh;
mod stopping;
mod table;
mod under_way;
mod undone;
mod updates;
