//! What belongs to a session besides its panes comes back with it.

use crate::support::set_up::SetUp;
use crate::support::wait_until;

fn crash_and_restore(set_up: &SetUp) {
    set_up.save();
    set_up.crash();
    set_up.restore();
}

#[test]
fn new_windows_open_in_the_directory_of_the_session_after_any_number_of_restores() {
    let set_up = SetUp::new();
    let (proj, api) = (set_up.directory("proj"), set_up.directory("proj/api"));
    set_up.t(&format!("new-session -d -s web -c {proj}"));
    set_up.t(&format!("new-session -d -s plain -c {api}"));
    set_up.type_line("=web:", "cd api");
    let format = "#{session_name} #{session_path} #{pane_current_path}";
    let expected = [format!("plain {api} {api}"), format!("web {proj} {api}")];
    set_up.wait_for_panes(format, &expected);
    for _ in 0..2 {
        crash_and_restore(&set_up);
        set_up.wait_for_panes(format, &expected);
    }
}

#[test]
fn sessions_of_a_group_keep_their_own_directories() {
    let set_up = SetUp::new();
    let (one, two) = (set_up.directory("one"), set_up.directory("two"));
    set_up.t(&format!("new-session -d -s a -c {one}"));
    set_up.t(&format!("new-session -d -s b -t a -c {two}"));
    let format = "#{session_name} #{session_path}";
    let expected = [format!("a {one}"), format!("b {two}")];
    set_up.wait_for_panes(format, &expected);
    crash_and_restore(&set_up);
    set_up.wait_for_panes(format, &expected);
}

#[test]
fn a_session_whose_directory_is_gone_comes_back() {
    let set_up = SetUp::new();
    let (proj, api) = (set_up.directory("proj"), set_up.directory("api"));
    set_up.t(&format!("new-session -d -s web -c {proj}"));
    set_up.type_line("=web:", &format!("cd {api}"));
    set_up.wait_for_panes("#{pane_current_path}", &[api.clone()]);
    set_up.save();
    set_up.crash();
    std::fs::remove_dir(&proj).unwrap();
    set_up.restore();
    set_up.wait_for_panes("#{session_path} #{pane_current_path}", &[format!("{api} {api}")]);
}

#[test]
fn a_window_that_was_never_visited_has_no_mark() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a -n one");
    set_up.t("move-window -s a:0 -t a:5");
    set_up.t("new-window -d -t a:1 -n two");
    set_up.t("new-window -d -t a:7 -n three");
    let format = "#{window_index} #{window_flags} #{window_stack_index}";
    let before = set_up.panes(format);
    assert_eq!(before, ["1  0", "5 * 0", "7  0"]);
    crash_and_restore(&set_up);
    assert_eq!(set_up.panes(format), before);
}

#[test]
fn vim_that_changed_its_directory_opens_the_same_file() {
    let set_up = SetUp::new();
    set_up.sandbox.configure("[keep]\nprograms = [\"vim\"]\n");
    let src = set_up.directory("src");
    let starts = [
        "vim -n -c 'set autochdir' src/0.c",
        "vim -n -c 'cd src' src/1.c",
        "exec vim -n -c 'lcd src' src/2.c",
    ];
    for (n, line) in starts.iter().enumerate() {
        std::fs::write(format!("{src}/{n}.c"), "int main;\n").unwrap();
        set_up.t(&format!("new-session -d -s s{n}"));
        set_up.type_line(&format!("=s{n}:"), line);
        set_up.wait_for_text(&format!("=s{n}:"), "int main;");
    }
    let in_src = || {
        let saved = set_up.panes("#{pane_current_path}");
        saved.iter().all(|path| *path == src)
    };
    wait_until("all are in src", in_src);
    crash_and_restore(&set_up);
    for n in 0..starts.len() {
        let shown = set_up.wait_for_text(&format!("=s{n}:"), "int main;");
        assert!(!shown.contains("ATTENTION"), "{shown}");
    }
}
