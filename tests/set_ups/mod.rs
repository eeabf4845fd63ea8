//! Set-ups as people have them: each case was reported, or stands in a published
//! configuration.

mod as_started;
mod beside;
mod configurations;
mod conversations;
mod evidence;
mod first;
mod hanging;
mod host;
mod import;
mod record;
mod rounds;
mod servers;
mod tmux_conf;
mod whole;
