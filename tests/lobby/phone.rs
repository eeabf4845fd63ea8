//! The page on a phone: a narrow screen that is touched, with a line that is slow or gone.

use super::lab::{Lobby, scenario};
use super::page::can_run;
use crate::support::AgentLab;
use crate::support::lacks::lacks;
use crate::support::run::run_within;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

/// How long a scenario may take.
const PATIENCE: Duration = Duration::from_mins(3);

#[test]
fn fingers_lead_from_session_to_session_type_and_prompt() {
    if !can_run("lobby::phone::fingers_lead_from_session_to_session_type_and_prompt") {
        return;
    }
    let Some(lab) = AgentLab::new() else { return };
    for name in ["one", "two"] {
        let claude = lab.start_claude(name, &lab.sandbox.work(), &[]);
        lab.prompt(&claude, &format!("first words of {name}"));
    }
    lab.tmux(["new-session", "-d", "-s", "zsh", "-x", "100", "-y", "30"]).ok();
    let lobby = Lobby::beside(Rc::clone(&lab.sandbox));
    run_within(scenario("touch.mjs").arg(&lobby.url), PATIENCE).ok();
}

#[test]
fn the_page_can_be_installed() {
    if can_run("lobby::phone::the_page_can_be_installed") {
        let lobby = Lobby::with_sessions(&["alpha"]);
        run_within(scenario("installable.mjs").arg(&lobby.url), PATIENCE).ok();
    }
}

#[test]
fn over_a_slow_line_a_phone_shows_the_list_soon() {
    if can_run("lobby::phone::over_a_slow_line_a_phone_shows_the_list_soon") {
        let lobby = Lobby::with_sessions(&["alpha"]);
        run_within(scenario("phone-slow.mjs").arg(&lobby.url), PATIENCE).ok();
    }
}

#[test]
fn everything_is_done_by_keyboard_read_aloud_and_shown_in_any_direction_and_size() {
    let name = "lobby::phone::everything_is_done_by_keyboard_read_aloud_and_shown_in_any_direction_and_size";
    if !can_run(name) {
        return;
    }
    let Some(lab) = AgentLab::new() else { return };
    let claude = lab.start_claude("talk", &lab.sandbox.work(), &[]);
    lab.prompt(&claude, "first words");
    let names = [
        "alpha",
        "\u{5e9}\u{5dc}\u{5d5}\u{5dd} web 2",
        "api \u{627}\u{644}\u{639}\u{631}\u{628}\u{64a}\u{629} (3)",
    ];
    for name in names {
        lab.tmux(["new-session", "-d", "-s", name, "-x", "100", "-y", "30"]).ok();
    }
    let lobby = Lobby::beside(Rc::clone(&lab.sandbox));
    run_within(scenario("everybody.mjs").arg(&lobby.url), PATIENCE).ok();
}

#[test]
fn a_part_that_fails_once_is_there_a_little_later() {
    if can_run("lobby::phone::a_part_that_fails_once_is_there_a_little_later") {
        let lobby = Lobby::with_sessions(&["alpha"]);
        run_within(scenario("part-fails-once.mjs").arg(&lobby.url), PATIENCE).ok();
    }
}

#[test]
fn a_part_that_could_not_be_loaded_says_so_and_comes_by_itself() {
    if can_run("lobby::phone::a_part_that_could_not_be_loaded_says_so_and_comes_by_itself") {
        let lobby = Lobby::with_sessions(&["alpha"]);
        run_within(scenario("part-offline.mjs").arg(&lobby.url), PATIENCE).ok();
    }
}

#[test]
fn all_texts_are_in_one_place_each_is_used_and_a_language_is_one_more_file() {
    let name =
        "lobby::phone::all_texts_are_in_one_place_each_is_used_and_a_language_is_one_more_file";
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lobby/page");
    if !page.join("node_modules/vite").exists() {
        lacks(name, "src/lobby/page/node_modules (src/lobby/page/build.sh)");
    } else if can_run(name) {
        let lobby = Lobby::with_sessions(&["alpha"]);
        run_within(scenario("texts.mjs").arg(&lobby.url).arg(page), PATIENCE).ok();
    }
}

#[test]
fn every_component_in_every_state_can_be_read_in_light_and_dark() {
    let name = "lobby::phone::every_component_in_every_state_can_be_read_in_light_and_dark";
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lobby/page");
    if !page.join("node_modules/vite").exists() {
        lacks(name, "src/lobby/page/node_modules (src/lobby/page/build.sh)");
    } else if can_run(name) {
        let lobby = Lobby::with_sessions(&["alpha"]);
        run_within(scenario("components.mjs").arg(&lobby.url).arg(page), PATIENCE).ok();
    }
}
