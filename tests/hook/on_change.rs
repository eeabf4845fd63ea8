//! Saves because something changed: at most one a second, and the last change is in.

use crate::support::{Sandbox, wait_until};
use std::time::{Duration, Instant, SystemTime};

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.configure("save_on_change = true\n");
    sandbox.tmux(["new-session", "-d", "-s", "first"]).ok();
    sandbox.persist(["save"]).ok();
    sandbox
}

fn saved(sandbox: &Sandbox, session: &str) -> bool {
    String::from_utf8(sandbox.latest()).unwrap().contains(&format!("\n{session}\t"))
}

/// Our hook of one name, as the server shows it.
fn hook(sandbox: &Sandbox, name: &str) -> Option<String> {
    let shown = sandbox.tmux(["show-hooks", "-g", name]).ok().out();
    shown.lines().find(|line| line.contains("[7041] ")).map(str::to_owned)
}

#[test]
fn lesson_09_a_session_is_saved_soon_after_it_was_made_renamed_or_split() {
    let sandbox = sandbox();
    let begin = Instant::now();
    sandbox.tmux(["new-session", "-d", "-s", "born"]).ok();
    wait_until("the new session is saved", || saved(&sandbox, "born"));
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    sandbox.tmux(["rename-session", "-t", "=born:", "named"]).ok();
    wait_until("its name is saved", || saved(&sandbox, "named"));
    sandbox.tmux(["split-window", "-t", "=named:"]).ok();
    let panes = || String::from_utf8(sandbox.latest()).unwrap().matches("\nnamed\t").count();
    wait_until("its pane is saved", || panes() == 2);
    sandbox.tmux(["new-window", "-t", "=named:"]).ok();
    wait_until("its window is saved", || panes() == 3);
    let views = sandbox.panes("#{pane_in_mode}");
    assert!(views.iter().all(|mode| mode == "0"), "no pane shows what a hook printed: {views:?}");
}

#[test]
fn a_burst_of_changes_makes_few_snapshots_and_the_last_change_is_in() {
    let sandbox = sandbox();
    let begin = Instant::now();
    for n in 0..50 {
        sandbox.tmux(["rename-session", "-t", "$0", &format!("n{n}")]).ok();
    }
    wait_until("the last name is saved", || saved(&sandbox, "n49"));
    let most = usize::try_from(begin.elapsed().as_secs()).unwrap() + 3;
    let made = sandbox.snapshots().len();
    assert!(made <= most, "{made} snapshots, more than one a second");
}

#[test]
fn what_a_configuration_wiped_is_set_again_and_a_users_own_hooks_stay() {
    let sandbox = sandbox();
    let ours = hook(&sandbox, "session-created").unwrap();
    assert!(ours.contains("run-shell -b"), "{ours}");
    sandbox.tmux(["set-hook", "-g", "session-created", "set -g @theirs 1"]).ok();
    assert_eq!(hook(&sandbox, "session-created"), None);
    sandbox.persist(["save"]).ok();
    assert_eq!(hook(&sandbox, "session-created"), Some(ours));
    let all = sandbox.tmux(["show-hooks", "-g", "session-created"]).ok().out();
    assert!(all.contains("@theirs"), "{all}");
}

#[test]
fn switched_off_they_are_taken_away_by_the_next_save() {
    let sandbox = sandbox();
    sandbox.tmux(["set-hook", "-g", "session-created[3]", "set -g @theirs 1"]).ok();
    assert!(hook(&sandbox, "window-linked").is_some());
    sandbox.configure("save_on_change = false\n");
    sandbox.persist(["save"]).ok();
    for name in ["session-created", "window-linked", "pane-exited", "after-split-window"] {
        assert_eq!(hook(&sandbox, name), None, "{name}");
    }
    let all = sandbox.tmux(["show-hooks", "-g", "session-created"]).ok().out();
    assert!(all.contains("@theirs"), "{all}");
}

#[test]
fn a_hostile_path_of_ours_is_run_as_it_is() {
    let sandbox = Sandbox::new();
    let dir = sandbox.root().join("a'b \"q\" #{pid} #(touch x) $HOME %H ; ~");
    std::fs::create_dir(&dir).unwrap();
    let program = dir.join("persist");
    std::fs::copy(env!("CARGO_BIN_EXE_persist"), &program).unwrap();
    sandbox.configure("save_on_change = true\n");
    sandbox.tmux(["new-session", "-d", "-s", "first"]).ok();
    let state = dir.join("state");
    let mut save = sandbox.command(&program);
    save.args(["save", "--socket", "default", "--state-dir"]).arg(&state);
    save.arg("--config").arg(sandbox.config());
    save.arg("--user-map").arg(sandbox.root().join("no-user-map"));
    crate::support::run(&mut save).ok();
    sandbox.tmux(["new-session", "-d", "-s", "born"]).ok();
    let latest = state.join(format!("{}.tsv", crate::support::sandbox::user()));
    wait_until("the new session is saved", || {
        std::fs::read_to_string(&latest).is_ok_and(|text| text.contains("\nborn\t"))
    });
    assert!(!sandbox.root().join("x").exists());
}

#[test]
fn who_comes_second_leaves_at_once_and_a_clock_that_went_back_hangs_nobody() {
    let sandbox = sandbox();
    sandbox.persist(["save", "--coalesce"]).ok();
    let pending = sandbox.user_state().join("pending");
    let held = sandbox.command("flock").arg(&pending).args(["sleep", "1000"]).spawn().unwrap();
    let second = || sandbox.persist(["save", "--coalesce", "--json"]).ok();
    wait_until("another is about to save", || {
        second().json()["users"][0]["notes"][0] == "another save is about to see it"
    });
    crate::support::sandbox::kill_tree(i32::try_from(held.id()).unwrap());
    let mut held = held;
    held.wait().unwrap();
    // Its holder was killed: nothing is left of the lock.
    let future = SystemTime::now() + Duration::from_secs(1_000_000);
    std::fs::File::options().write(true).open(&pending).unwrap().set_modified(future).unwrap();
    let run = second();
    assert_eq!(run.json()["users"][0]["result"], "unchanged");
    assert!(run.took < Duration::from_secs(5), "{:?}", run.took);
}

#[test]
fn without_a_server_nothing_is_made() {
    let sandbox = Sandbox::new();
    sandbox.persist(["save", "--coalesce"]).ok();
    assert!(!sandbox.user_state().exists());
}
