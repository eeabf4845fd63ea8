//! People of one host in browsers of their own: what each sees of the others.

use super::lab::{Lab, SECRET};
use crate::lobby::lab::scenario;
use crate::support::run::run_within;
use std::time::Duration;

/// How long the scenario may take.
const PATIENCE: Duration = Duration::from_mins(2);

#[test]
fn a_session_is_shared_watched_taken_over_handed_over_and_revoked_in_two_browsers() {
    let test = "lobby::gateway::together";
    if !crate::lobby::page::can_run(test) {
        return;
    }
    let Some(lab) = Lab::new(test) else { return };
    lab.host.tmux("bob", ["new-session", "-d", "-s", "open", "--", "sh"]).ok();
    run_within(scenario("together.mjs").arg(lab.port().to_string()).arg(SECRET), PATIENCE).ok();
    for kind in ["share_drive", "share_opened", "share_handed_over", "share_revoked"] {
        lab.says(kind);
    }
}
