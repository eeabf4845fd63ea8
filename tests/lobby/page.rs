//! The page in a real browser. Each scenario is a file in `tests/lobby/browser`.

use super::lab::{Lobby, scenario};
use crate::support::AgentLab;
use crate::support::lacks::lacks;
use crate::support::run::run_within;
use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

/// How long a scenario may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Whether there is a browser, and what drives it.
pub(super) fn can_run(test: &str) -> bool {
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lobby/browser/node_modules");
    let missing = [Path::new("/usr/bin/chromium"), &driver].into_iter().find(|path| !path.exists());
    if let Some(missing) = missing {
        lacks(
            test,
            &format!("{} (tests/support/install-prerequisites.sh test)", missing.display()),
        );
    }
    missing.is_none()
}

#[track_caller]
fn plays(lobby: &Lobby, name: &str) {
    run_within(scenario(name).arg(&lobby.url), PATIENCE).ok();
}

#[test]
fn sessions_are_listed_found_opened_renamed_ended_undone_and_made() {
    if !can_run("lobby::page::sessions_are_listed_found_opened_renamed_ended_undone_and_made") {
        return;
    }
    let lobby = Lobby::with_sessions(&["alpha", "beta"]);
    plays(&lobby, "list.mjs");
    let left: Vec<String> = lobby.sandbox.panes("#{session_name}");
    assert_eq!(left, ["gamma", "home"]);
}

#[test]
fn what_a_crash_of_tmux_took_is_shown_as_lost_and_comes_back() {
    if !can_run("lobby::page::what_a_crash_of_tmux_took_is_shown_as_lost_and_comes_back") {
        return;
    }
    let lobby = Lobby::with_sessions(&["alpha", "beta"]);
    lobby.sandbox.persist(["save"]).ok();
    let server = lobby.sandbox.tmux(["display-message", "-p", "#{pid}"]).ok().out();
    run_within(scenario("restore.mjs").arg(&lobby.url).arg(server.trim()), PATIENCE).ok();
    let back: BTreeSet<String> = lobby.sandbox.panes("#{session_name}").into_iter().collect();
    assert_eq!(back.into_iter().collect::<Vec<_>>(), ["alpha", "beta"]);
}

#[test]
fn keys_typed_while_nothing_answers_are_held_and_arrive_once() {
    if !can_run("lobby::page::keys_typed_while_nothing_answers_are_held_and_arrive_once") {
        return;
    }
    let lobby = Lobby::with_sessions(&["alpha"]);
    run_within(scenario("line.mjs").arg(&lobby.url).arg(lobby.pid().to_string()), PATIENCE).ok();
}

#[test]
fn a_phone_shows_the_list_and_a_terminal_and_nothing_is_too_wide() {
    if !can_run("lobby::page::a_phone_shows_the_list_and_a_terminal_and_nothing_is_too_wide") {
        return;
    }
    plays(
        &Lobby::with_sessions(&["alpha", "a-name-that-is-longer-than-a-phone-is-wide-and-goes-on"]),
        "phone.mjs",
    );
}

#[test]
fn two_tabs_share_a_session_and_another_browser_has_no_way_in() {
    if !can_run("lobby::page::two_tabs_share_a_session_and_another_browser_has_no_way_in") {
        return;
    }
    plays(&Lobby::with_sessions(&["alpha"]), "tabs.mjs");
}

#[test]
fn a_conversation_is_read_unfolded_and_prompted() {
    if !can_run("lobby::page::a_conversation_is_read_unfolded_and_prompted") {
        return;
    }
    let Some(lab) = AgentLab::new() else { return };
    let claude = lab.start_claude("talk", &lab.sandbox.work(), &["--allowedTools", "Bash"]);
    lab.prompt(&claude, "first words **bold** <b>not</b>");
    plays(&Lobby::beside(Rc::clone(&lab.sandbox)), "conversation.mjs");
}

#[test]
fn a_terminal_is_ready_before_the_click_and_is_no_viewer_until_then() {
    if !can_run("lobby::page::a_terminal_is_ready_before_the_click_and_is_no_viewer_until_then") {
        return;
    }
    let lobby = Lobby::with_sessions(&["alpha", "beta"]);
    plays(&lobby, "preload.mjs");
    // It sized nothing until it was clicked, and sizes since.
    let width: u32 = lobby.sandbox.panes("#{window_width}")[0].parse().unwrap();
    assert!(width > 100, "{width}");
}

#[test]
fn a_terminal_is_resized_searched_and_writes_to_the_clipboard_only_with_consent() {
    let name =
        "lobby::page::a_terminal_is_resized_searched_and_writes_to_the_clipboard_only_with_consent";
    if can_run(name) {
        plays(&Lobby::with_sessions(&["alpha"]), "terminal.mjs");
    }
}

#[test]
fn hostile_names_are_text_on_the_page() {
    if !can_run("lobby::page::hostile_names_are_text_on_the_page") {
        return;
    }
    let names = [
        "<img src=x onerror=alert(1)>",
        "<script>alert(2)</script>",
        "\u{202e}evil\u{2066} \u{200f}<b>x",
        "plain",
    ];
    plays(&Lobby::with_sessions(&names), "hostile.mjs");
}

#[test]
fn commands_and_sessions_are_found_by_the_keyboard_alone() {
    if can_run("lobby::page::commands_and_sessions_are_found_by_the_keyboard_alone") {
        let names = ["alpha", "beta", "<img src=x onerror=alert(1)>"];
        plays(&Lobby::with_sessions(&names), "palette.mjs");
    }
}

#[test]
fn a_browser_is_listed_and_logged_out() {
    if can_run("lobby::page::a_browser_is_listed_and_logged_out") {
        plays(&Lobby::with_sessions(&["alpha"]), "logins.mjs");
    }
}

#[test]
fn what_is_wrong_with_the_connection_is_named() {
    if can_run("lobby::page::what_is_wrong_with_the_connection_is_named") {
        let lobby = Lobby::with_sessions(&["alpha"]);
        let mut play = scenario("connection.mjs");
        run_within(play.arg(&lobby.url).arg(lobby.pid().to_string()), PATIENCE).ok();
    }
}

#[test]
fn over_a_slow_line_the_list_is_there_soon() {
    if can_run("lobby::page::over_a_slow_line_the_list_is_there_soon") {
        plays(&Lobby::with_sessions(&["alpha"]), "slow.mjs");
    }
}

#[test]
fn another_users_lobby_is_unmistakable_and_nothing_can_be_changed_there() {
    if can_run("lobby::page::another_users_lobby_is_unmistakable_and_nothing_can_be_changed_there")
    {
        plays(&Lobby::with_sessions(&["alpha"]), "act-as.mjs");
    }
}

#[test]
fn two_builds_of_the_page_are_equal_small_and_hold_all_licences() {
    let name = "lobby::page::two_builds_of_the_page_are_equal_small_and_hold_all_licences";
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lobby/page");
    if !page.join("node_modules/vite").exists() {
        lacks(name, "src/lobby/page/node_modules (src/lobby/page/build.sh)");
    } else if can_run(name) {
        run_within(scenario("reproducible.mjs").arg(page), PATIENCE).ok();
    }
}
