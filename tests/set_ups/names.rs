//! Names as people and their tools give them, by each command that gives one: tmux shows them as before,
//! however often they are saved and restored.

use crate::support::run;
use crate::support::set_up::SetUp;

/// As a shell hands them to tmux; `##` is a `#` for it.
const NAMES: [&str; 27] = [
    r"a\b",
    r"a\\b",
    r"a\qb",
    r"\",
    r"\\",
    r"\n\t\033",
    r"a\$b",
    r"foo\(x\)",
    "x$HOME",
    "$",
    "${x}",
    "q\"q'q",
    "##h ##{pid} ##(date)",
    "##[fg=red]",
    "s;s",
    "p%p %1",
    "@1",
    "{x} }",
    "~ *?[a]!",
    " a  b ",
    "\u{fc}n\u{ef}\u{1f600}",
    "\u{4f60}\u{597d}",
    "tab\tx",
    "line\nfeed",
    "esc\u{1b}[31mz",
    "bell\u{7}\u{8}",
    "del\u{7f}\u{1}",
];

/// The names that tmux has, a line each.
fn shown(set_up: &SetUp) -> Vec<String> {
    // A name that tmux gives follows the program.
    let format =
        "#{session_name}|#{window_index}|#{?automatic-rename,,#{window_name}}|#{pane_title}";
    let mut shown = set_up.panes(format);
    shown.sort();
    shown
}

/// Runs a command of tmux; a version may refuse a name.
fn try_tmux(set_up: &SetUp, words: &[&str]) -> Option<String> {
    let run = run(set_up.command("tmux").arg("-u").args(words));
    (run.code == 0).then(|| run.out().trim().to_owned())
}

#[test]
fn names_are_shown_as_before_after_any_number_of_restores() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s keep");
    let mut given = 0;
    for (at, name) in NAMES.into_iter().enumerate() {
        let first = format!("s{at}");
        set_up.tmux(["new-session", "-d", "-s", &first, "sleep 1000"]);
        set_up.t(&format!("select-pane -t {first}:0 -T t"));
        let target = format!("{first}:");
        let by_option =
            ["new-window", "-d", "-P", "-F", "#{pane_id}", "-t", &target, "-n", name, "sleep 1000"];
        for pane in [try_tmux(&set_up, &by_option), try_tmux(&set_up, &by_option)] {
            given += usize::from(pane.is_some());
            let Some(pane) = pane else { continue };
            try_tmux(&set_up, &["select-pane", "-t", &pane, "-T", name]);
        }
        let renamed = set_up.tmux([
            "new-window",
            "-d",
            "-P",
            "-F",
            "#{pane_id}",
            "-t",
            &target,
            "sleep 1000",
        ]);
        given += usize::from(
            try_tmux(&set_up, &["rename-window", "-t", renamed.out().trim(), "--", name]).is_some(),
        );
        let session = format!("{name}{at}");
        if at % 2 == 0 {
            try_tmux(&set_up, &["rename-session", "-t", &target, "--", &session]);
        } else {
            try_tmux(&set_up, &["new-session", "-d", "-s", &session, "-n", name, "sleep 1000"]);
        }
    }
    assert!(given > 50, "{given}");
    let before = shown(&set_up);
    for round in 0..3 {
        set_up.save();
        set_up.crash();
        set_up.restore();
        let after = shown(&set_up);
        for (after, before) in after.iter().zip(&before) {
            assert_eq!(after, before, "round {round}");
        }
        assert_eq!(after.len(), before.len(), "round {round}");
    }
}
