//! Updates the clones before the agent starts; Ctrl-C continues at once.

use crate::config::Config;
use crate::process::signals;
use crate::terminal::say::say;
use freshen::Options;
use std::os::fd::AsFd;
use std::path::Path;

/// Updates the clones in the code directory and prints what changed or failed. Root runs no git in
/// clones: git would run what their owners configured.
pub fn freshen(code_dir: &Path, config: &Config) {
    let layout = freshen::discover(code_dir);
    if layout.clones().is_empty() || nix::unistd::geteuid().is_root() {
        return;
    }
    let pressed = signals::pressed_keys();
    let options = Options {
        deadline: config.freshen_deadline,
        at_once: config.freshen_at_once,
        fresh_for: config.fresh_for,
        cancel: pressed.as_ref().map(AsFd::as_fd),
        ..Options::default()
    };
    match freshen::freshen(layout.clones(), &options) {
        Ok(outcomes) => {
            for line in outcomes.iter().filter_map(freshen::Outcome::line) {
                say(&line);
            }
        }
        Err(error) => say(&error.to_string()),
    }
    // The key has had its effect.
    if let Some(pressed) = &pressed {
        signals::drop_pressed(pressed);
    }
}
