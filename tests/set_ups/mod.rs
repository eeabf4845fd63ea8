//! Set-ups as people have them: each case was reported by somebody, or stands in somebody's
//! configuration.

mod as_started;
mod beside;
mod first;
mod hanging;
mod host;
mod import;
mod rounds;
mod whole;
