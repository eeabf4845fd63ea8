//! Whatever a tmux configuration does: hooks that ask, wait, make and rename; one that takes long; one
//! that makes sessions or ends them.

use crate::support::set_up::SetUp;
use crate::support::{run, wait_for, wait_until};
use std::process::Stdio;

/// Where each pane is, and what it is.
const SHAPE: &str = "#{session_name}:#{window_index}.#{pane_index} #{window_name} \
    #{pane_current_path} #{window_width}x#{window_height} #{pane_width}x#{pane_height} \
    #{pane_left},#{pane_top} #{window_active}#{pane_active}";

/// One format of every pane, by a command for which no hook runs.
fn listed(set_up: &SetUp, format: &str) -> Vec<String> {
    // A comma would begin the format of the active pane.
    let format = format!("#{{S:#{{W:#{{P:{}\n}}}}}}", format.replace(',', "#,"));
    let run = set_up.tmux(["list-commands", "-F", &format, "display-message"]);
    run.out().lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The panes once all their programs have started: before that tmux knows no directory.
fn settled(set_up: &SetUp, format: &str) -> Vec<String> {
    wait_for("every pane has its directory", || {
        let panes = listed(set_up, format);
        panes.iter().all(|pane| pane.contains('/')).then_some(panes)
    })
}

/// Two sessions with three windows and five panes, without the configuration.
fn made(set_up: &SetUp) -> Vec<String> {
    let (one, two) = (set_up.directory("one"), set_up.directory("two"));
    let plain = |words: &str| set_up.sandbox.tmux(words.split(' ')).ok();
    plain(&format!("new-session -d -s a -x 100 -y 30 -c {one}"));
    plain(&format!("split-window -h -t a -c {two}"));
    plain(&format!("new-window -t a:3 -n two -c {two}"));
    plain("split-window -v -l 7 -t a:3 -c /usr");
    plain(&format!("new-session -d -s b -x 100 -y 30 -c {one}"));
    plain("rename-window -t b: named");
    plain("select-window -t a:0");
    plain("rename-window -t a:0 first");
    settled(set_up, SHAPE)
}

/// Saves, crashes and restores twice under a configuration; all comes back both times.
#[track_caller]
fn survives(conf: &str) {
    let set_up = SetUp::new();
    let shape = made(&set_up);
    set_up.tmux_conf(conf);
    for round in 0..2 {
        set_up.persist("save").ok();
        set_up.crash();
        let restored = set_up.persist("restore");
        assert_eq!(restored.code, 0, "{conf}: {}{}", restored.out(), restored.err());
        assert_eq!(settled(&set_up, SHAPE), shape, "round {round}: {conf}");
        assert_eq!(restored.err(), "", "{conf}");
    }
    let local = set_up.tmux(["show-hooks", "-t", "=a:"]).out();
    assert_eq!(local, "", "{conf}");
    let local = set_up.tmux(["show-hooks", "-w", "-t", "=a:"]).out();
    assert_eq!(local, "", "{conf}");
}

/// The hooks that building sessions would run.
const HOOKS: [&str; 14] = [
    "after-new-session",
    "after-new-window",
    "after-split-window",
    "after-select-layout",
    "after-select-pane",
    "after-rename-window",
    "after-rename-session",
    "after-set-hook",
    "session-created",
    "session-renamed",
    "window-linked",
    "window-layout-changed",
    "client-attached",
    "client-session-changed",
];

fn on_every_hook(command: &str) -> String {
    HOOKS.iter().flat_map(|hook| ["set-hook -g ", hook, " ", command, "\n"]).collect()
}

#[test]
fn hooks_that_ask_for_a_name_are_not_answered_and_hold_nothing_up() {
    survives(&on_every_hook("'command-prompt -I \"#{window_name}\" \"rename-window %%\"'"));
}

#[test]
fn hooks_that_ask_whether_to_go_on_hold_nothing_up() {
    survives(&on_every_hook("'confirm-before -p sure? kill-window'"));
}

#[test]
fn hooks_that_show_a_popup_hold_nothing_up() {
    survives(&on_every_hook("'display-popup -E \"sleep 60\"'"));
    survives(&on_every_hook("'display-menu x y \"kill-session\"'"));
}

#[test]
fn hooks_that_wait_hold_nothing_up() {
    survives(&on_every_hook("'run-shell \"sleep 60\"'"));
}

#[test]
fn hooks_that_fail_change_nothing() {
    survives(&on_every_hook("'kill-pane -t nowhere'"));
    survives(&on_every_hook("'run-shell \"echo shown; exit 3\"'"));
}

#[test]
fn hooks_that_make_windows_panes_and_sessions_make_none_while_sessions_are_restored() {
    for (hook, command) in [
        ("session-created", "'new-window -n logs'"),
        ("after-new-session", "'split-window -h'"),
        ("after-new-window", "'split-window -v'"),
        ("after-split-window", "'new-window -d'"),
        ("window-linked", "'split-window'"),
        ("window-layout-changed", "'select-layout even-vertical'"),
        ("session-created", "'new-session -d'"),
    ] {
        survives(&format!("set-hook -g {hook} {command}\n"));
    }
}

#[test]
fn hooks_that_rename_and_end_what_is_made_do_neither() {
    for command in ["'rename-session x'", "'rename-window x'", "'kill-pane -a'", "'kill-window'"] {
        let hooks = ["after-new-window", "after-split-window", "after-select-pane"];
        let conf: String =
            hooks.iter().flat_map(|hook| ["set-hook -g ", hook, " ", command, "\n"]).collect();
        survives(&conf);
    }
    survives("set-hook -g session-created 'rename-session x'\n");
    survives("set-hook -g session-renamed 'rename-session x'\n");
}

#[test]
fn hooks_run_again_for_what_the_user_makes_afterwards() {
    let set_up = SetUp::new();
    let shape = made(&set_up);
    set_up.tmux_conf(
        "set-hook -g window-linked 'set-option -g @linked yes'\n\
         set-hook -g after-new-window 'set-option -g @made yes'\n\
         set-hook -g window-renamed 'set-option -g @renamed yes'\n",
    );
    set_up.save();
    set_up.crash();
    set_up.restore();
    assert_eq!(settled(&set_up, SHAPE), shape);
    let marks = || set_up.t("display-message -p #{@linked}#{@made}#{@renamed}").out();
    assert_eq!(marks().trim(), "", "no hook has heard of the restore");
    set_up.t("new-window -t a:");
    set_up.t("rename-window -t a: other");
    wait_until("all three hooks ran", || marks().trim() == "yesyesyes");
}

#[test]
fn a_restore_that_is_killed_leaves_the_hooks_of_the_user_as_they_were() {
    let set_up = SetUp::new();
    let shape = made(&set_up);
    set_up.tmux_conf("set-hook -g session-created 'new-window'\nset-hook -g pane-exited 'ls'\n");
    set_up.save();
    set_up.crash();
    let hooks = || {
        let global =
            set_up.tmux(["show-hooks", "-g"]).out() + &set_up.tmux(["show-hooks", "-gw"]).out();
        let set = global.lines().filter(|line| line.contains('[')).map(str::to_owned);
        set.collect::<Vec<_>>()
    };
    let expected = ["session-created[0] new-window", "pane-exited[0] list-sessions"];
    for _ in 0..4 {
        let mut restore = set_up.sandbox.persist_command(["restore"]);
        let mut restore = restore.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_until("the restore has begun or ended", || {
            let begun = run(set_up.command("tmux").args(["has-session", "-t", "tmux-persist-"]));
            begun.code == 0 || restore.try_wait().unwrap().is_some()
        });
        restore.kill().unwrap();
        restore.wait().unwrap();
    }
    set_up.persist("restore");
    assert_eq!(settled(&set_up, SHAPE), shape);
    assert_eq!(hooks(), expected);
    assert_eq!(set_up.tmux(["show-hooks", "-t", "=a:"]).out(), "");
}

#[test]
fn a_configuration_that_takes_longer_than_an_answer_is_waited_for() {
    let set_up = SetUp::new();
    let shape = made(&set_up);
    set_up.tmux_conf("run-shell 'sleep 3'\n");
    set_up.sandbox.configure("save_on_change = false\ntmux_deadline_seconds = 1\n");
    set_up.save();
    set_up.crash();
    set_up.restore();
    assert_eq!(settled(&set_up, SHAPE), shape);
}

#[test]
fn a_configuration_that_takes_longer_than_a_restore_may_is_an_error_and_loses_nothing() {
    let set_up = SetUp::new();
    let shape = made(&set_up);
    set_up.save();
    set_up.crash();
    set_up.tmux_conf("run-shell 'sleep 30'\n");
    let short = "save_on_change = false\nrestore_deadline_seconds = 2\ntmux_deadline_seconds = 1\n";
    set_up.sandbox.configure(short);
    let failed = set_up.persist("restore").code(1);
    assert!(failed.err().contains("did not answer within 1.8 s"), "{}", failed.err());
    set_up.sandbox.configure("save_on_change = false\n");
    set_up.tmux_conf("");
    // The server that still reads its configuration has no session: it is no work of anybody's.
    let sockets = set_up.sandbox.root().join("tmux");
    let pids = run(set_up.command("pgrep").arg("-f").arg(sockets)).out();
    for pid in pids.lines() {
        crate::support::sandbox::kill_tree(pid.parse().unwrap());
    }
    wait_until("it is gone", || set_up.sandbox.server_pid().is_none());
    set_up.restore();
    assert_eq!(settled(&set_up, SHAPE), shape);
}

#[test]
fn a_session_that_the_configuration_makes_gives_way_to_the_saved_one() {
    survives("new-session -d -s a\n");
    survives("new-session -d -s b -n other\nsplit-window -t b\nnew-window -t b\n");
    survives("new-session -A -s a\n");
}

#[test]
fn a_session_in_which_the_configuration_runs_a_program_stays_beside_the_saved_one() {
    let set_up = SetUp::new();
    let shape = made(&set_up);
    set_up.tmux_conf("new-session -d -s a 'exec sleep 1000'\n");
    set_up.save();
    set_up.crash();
    let report = set_up.persist("restore --json").ok().json();
    assert_eq!(report["rows"][0]["action"], "renamed");
    let beside = report["rows"][0]["target"].as_str().unwrap().to_owned();
    assert!(beside.starts_with("a-"), "{beside}");
    let now = settled(&set_up, SHAPE);
    assert_eq!(now.len(), shape.len() + 1);
    for pane in shape {
        let expected = pane.strip_prefix("a:").map(|rest| format!("{beside}:{rest}"));
        let expected = expected.unwrap_or(pane);
        assert!(now.contains(&expected), "{expected}: {now:#?}");
    }
}

#[test]
fn a_session_that_the_configuration_makes_each_time_is_not_doubled_by_each_crash() {
    let set_up = SetUp::new();
    set_up.tmux_conf("new-session -d -s a -c /usr 'exec sleep 1000'\n");
    set_up.t("new-session -d -s b");
    let shape = settled(&set_up, "#{session_name} #{pane_current_path}");
    assert_eq!(shape.len(), 2);
    for _ in 0..3 {
        set_up.save();
        set_up.crash();
        set_up.restore();
        assert_eq!(settled(&set_up, "#{session_name} #{pane_current_path}"), shape);
    }
}
