//! Sessions side by side, and many views in one browser.

use super::lab::{Lobby, scenario};
use super::page::can_run;
use crate::support::run::run_within;
use std::time::Duration;

#[test]
fn sessions_side_by_side_are_typed_into_one_by_one_and_take_nothing_from_another_device() {
    let name = "lobby::tiles::sessions_side_by_side_are_typed_into_one_by_one_and_take_nothing_from_another_device";
    if can_run(name) {
        let lobby = Lobby::with_sessions(&["alpha", "beta", "gamma"]);
        run_within(scenario("tiles.mjs").arg(&lobby.url), Duration::from_mins(2)).ok();
    }
}

#[test]
fn views_that_are_hidden_give_their_memory_up() {
    if can_run("lobby::tiles::views_that_are_hidden_give_their_memory_up") {
        let lobby = Lobby::with_sessions(&["alpha"]);
        let mut play = scenario("views.mjs");
        let played =
            run_within(play.arg(&lobby.url).args(["12", "72"]), Duration::from_mins(2)).ok();
        print!("{}", played.out());
    }
}
