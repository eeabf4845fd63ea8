//! Set-ups as people have them: each case was reported, or stands in a published
//! configuration.

mod as_started;
mod beside;
mod configurations;
mod conversations;
mod evidence;
mod excluded;
mod first;
mod groups;
mod hanging;
mod host;
mod import;
mod names;
mod never_prompted;
mod options_in_passing;
mod other_agents;
mod question_hooks;
mod record;
mod rounds;
mod servers;
mod tmux_conf;
mod whole;
