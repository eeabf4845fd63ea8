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
    set_up.wait_for_panes("#{pane_current_path}", std::slice::from_ref(&api));
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

/// The options that are set on the first session, window and pane.
fn options(set_up: &SetUp, target: &str) -> [Vec<String>; 3] {
    ["-p", "-w", "-q"].map(|flag| {
        let shown = set_up.tmux(["show-options", flag, "-t", target]).out();
        let own = shown.lines().filter(|line| !line.starts_with("@persist"));
        own.map(str::to_owned).collect()
    })
}

#[test]
fn options_that_users_and_tools_set_come_back() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a");
    set_up.t("split-window -t a:");
    for (flag, name, value) in [
        ("-p", "@role", "builder"),
        ("-w", "@note", "two words; \"quoted\" $HOME #(touch x) \\ 'é"),
        ("-q", "@project", "alpha\nbeta"),
        ("-q", "@empty", ""),
        ("-q", "@tilde", "~"),
        ("-q", "status-style", "bg=red"),
        ("-w", "pane-border-format", "#P #{pane_title} #[bold]#T"),
        ("-w", "pane-border-style", "fg=#ff8800,bold"),
    ] {
        set_up.tmux(["set-option", flag, "-t", "a:0.0", name, value]);
    }
    set_up.t("select-pane -t a:0.1 -P bg=colour52");
    let before = ["a:0.0", "a:0.1"].map(|pane| options(&set_up, pane));
    assert!(before[1][0].contains(&"window-style bg=colour52".to_owned()), "{before:?}");
    for _ in 0..2 {
        crash_and_restore(&set_up);
        assert_eq!(["a:0.0", "a:0.1"].map(|pane| options(&set_up, pane)), before);
    }
    assert!(!set_up.sandbox.work().join("x").exists());
}

#[test]
fn options_that_tmux_would_run_do_not_come_back() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a");
    let canary = set_up.sandbox.root().join("canary");
    let run = format!("#(touch {})", canary.display());
    for (flag, name) in
        [("-w", "pane-border-format"), ("-q", "status-left"), ("-q", "default-command")]
    {
        set_up.tmux(["set-option", flag, "-t", "a:0.0", name, &run]);
    }
    set_up.tmux(["set-option", "-t", "a:", "@API_TOKEN", "hidden"]);
    set_up.tmux(["set-option", "-t", "a:", "@persist-mine", "x"]);
    set_up.save();
    set_up.crash();
    let text = String::from_utf8(set_up.sandbox.latest()).unwrap();
    assert!(!text.contains("hidden") && !text.contains("touch"), "{text}");
    // A forged snapshot restores none of them either.
    let mut snapshot = set_up.snapshot();
    let forged = format!(
        "s:status-left={run}\0w:pane-border-format={run}\0p:default-command={run}\0s:@ok=1\0"
    );
    snapshot.rows[0].user_options = Some(forged.into_bytes());
    let latest = set_up.sandbox.user_state().join("latest").canonicalize().unwrap();
    std::fs::write(&latest, terminal_lobby::snapshot::encode(&snapshot)).unwrap();
    let _ = std::fs::remove_file(&canary);
    set_up.restore();
    assert_eq!(options(&set_up, "a:0.0"), [vec![], vec![], vec!["@ok 1".to_owned()]]);
    assert!(!canary.exists());
}

#[test]
fn a_site_names_the_options_that_are_kept() {
    let set_up = SetUp::new();
    set_up.sandbox.configure("[keep]\nuser_options = [\"@role*\", \"@API_TOKEN\"]\n");
    set_up.t("new-session -d -s a");
    for name in ["@role", "@role2", "@other", "@API_TOKEN"] {
        set_up.tmux(["set-option", "-t", "a:", name, "x"]);
    }
    set_up.t("set-option -t a: status-style bg=red");
    crash_and_restore(&set_up);
    assert_eq!(options(&set_up, "a:0.0")[2], ["@API_TOKEN x", "@role x", "@role2 x"]);
    set_up.sandbox.configure("[keep]\nuser_options = []\n");
    set_up.crash();
    set_up.restore();
    assert_eq!(options(&set_up, "a:0.0")[2], Vec::<String>::new());
}

/// Makes the records say that options were last read long ago: `options_read` a portion of all, `options_asked`
/// those of what is in use.
pub(super) fn age(set_up: &SetUp, records: &[&str]) {
    let file = set_up.sandbox.user_state().join("activity.tsv");
    let text = std::fs::read_to_string(&file).unwrap();
    let aged = text.lines().map(|line| match line.split_once('\t') {
        Some((name, time)) if records.contains(&name) => {
            format!("{name}\t{}\n", time.parse::<u64>().unwrap() - 250)
        }
        _ => format!("{line}\n"),
    });
    std::fs::write(&file, aged.collect::<String>()).unwrap();
}

/// The options of a session's first row in the newest snapshot.
fn saved(set_up: &SetUp, session: &str) -> String {
    set_up.save();
    let snapshot = set_up.snapshot();
    let row = snapshot.rows.iter().find(|row| row.session == session.as_bytes()).unwrap();
    let field = row.user_options.clone().unwrap_or_default();
    String::from_utf8(field).unwrap().replace('\0', " ")
}

#[test]
fn of_many_panes_options_that_change_are_saved_although_not_all_are_read_each_time() {
    let set_up = SetUp::new();
    set_up.sandbox.configure("save_on_change = false\n");
    for n in 10..30 {
        set_up.t(&format!("new-session -d -s s{n} sleep 1000"));
    }
    // Ids of panes with two digits, too.
    set_up.t("set-option -p -t s28: @role one");
    set_up.t("set-option -p -t s10: @role one");
    set_up.t("set-option -t s11: @title eleven");
    assert_eq!(saved(&set_up, "s10"), "p:@role=one ");
    assert_eq!(saved(&set_up, "s28"), "p:@role=one ");
    // Values of names that are known are seen by every save; so are new sessions.
    set_up.t("set-option -p -t s10: @role two");
    assert_eq!(saved(&set_up, "s10"), "p:@role=two ");
    set_up.t("set-option -pu -t s10: @role");
    set_up.t("set-option -w -t s10: @role three");
    assert_eq!(saved(&set_up, "s10"), "w:@role=three ");
    set_up.t("new-session -d -s s30 sleep 1000");
    set_up.t("set-option -w -t s30: @note new");
    assert_eq!(saved(&set_up, "s30"), "w:@note=new ");
    // The pane that had the options of its session is gone.
    set_up.t("split-window -d -t s11: sleep 1000");
    assert_eq!(saved(&set_up, "s11"), "s:@title=eleven ");
    set_up.t("kill-pane -t s11:0.0");
    assert_eq!(saved(&set_up, "s11"), "s:@title=eleven ");
    // What is in use.
    set_up.t("set-option -w -t s12: @other quiet");
    set_up.t("new-window -d -t s13: -n loud");
    assert_eq!(saved(&set_up, "s13"), "");
    set_up.tmux(["respawn-pane", "-k", "-t", "s13:loud", "echo loud; exec sleep 1000"]).ok();
    set_up.wait_for_text("s13:loud", "loud");
    set_up.t("set-option -t s13: @other loud");
    age(&set_up, &["options_asked"]);
    assert_eq!(saved(&set_up, "s13"), "s:@other=loud ");
    // After a while a portion of the others, and then the next one.
    for n in 14..30 {
        set_up.t(&format!("set-option -w -t s{n}: @late x"));
    }
    let late = || {
        saved(&set_up, "s10");
        let rows = set_up.snapshot().rows.into_iter().filter_map(|row| row.user_options);
        rows.filter(|field| field.starts_with(b"w:@late=x\0")).count()
    };
    age(&set_up, &["options_read"]);
    let in_portion = late();
    assert!((1..16).contains(&in_portion), "{in_portion}");
    age(&set_up, &["options_read"]);
    assert_eq!(late(), 16);
    assert_eq!(saved(&set_up, "s12"), "w:@other=quiet ");
    // A save in between asks for nothing and keeps all.
    let before = set_up.sandbox.latest();
    set_up.save();
    assert_eq!(set_up.sandbox.latest(), before);
}

#[test]
fn options_of_each_session_of_a_group_and_of_lost_panes_come_back() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a");
    set_up.t("new-session -d -s b -t a");
    for name in ["a", "b"] {
        set_up.tmux(["set-option", "-t", &format!("{name}:"), "@title", name]);
    }
    set_up.t("new-session -d -s c");
    set_up.t("set-option -p -t c: @role lost");
    set_up.save();
    set_up.t("kill-session -t c");
    set_up.save();
    set_up.crash();
    set_up.restore();
    let titles = set_up.panes("#{session_name} #{@title} #{@role}");
    assert_eq!(titles, ["a a ", "b b ", "c  lost"]);
}

#[test]
fn a_directory_that_no_path_can_name_is_saved_as_its_nearest_ancestor() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a");
    let deep =
        "PS1=; for i in $(seq 22); do mkdir $(printf e%.0s $(seq 200)); cd e*; done; echo IS''DEEP";
    set_up.type_line("=a:", deep);
    set_up.wait_for_text("=a:", "ISDEEP");
    let has_remote = std::fs::read_to_string("/proc/self/mountinfo").unwrap().contains(" - fuse");
    let cwd = String::from_utf8(set_up.save().rows[0].cwd.clone()).unwrap();
    if has_remote {
        return; // another test's mount: there it could hang
    }
    assert!(cwd.starts_with(set_up.sandbox.work().to_str().unwrap()), "{cwd}");
    assert!((3800..4096).contains(&cwd.len()), "{}", cwd.len());
    set_up.crash();
    set_up.restore();
    set_up.wait_for_panes("#{pane_current_path}", &[cwd]);
}
