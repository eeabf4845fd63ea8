//! A restored agent is as it was started: its options, its environment, its program; and after it the
//! pane is what it was before.

use crate::support::set_up::{SetUp, Started, install_stub};
use crate::support::wait_until;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The first start of an agent after a crash of `set_up`, which runs `before` agents.
#[track_caller]
fn restored(set_up: &SetUp, before: usize) -> Started {
    set_up.save();
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(before + 1).swap_remove(before)
}

/// The arguments of the agent that a command line starts, after a crash; `ID` is its conversation.
#[track_caller]
fn arguments_after(command: &str) -> String {
    let set_up = SetUp::new();
    let id = set_up.agent_in("new-session -d -s a", command);
    restored(&set_up, 1).arguments().replace(&id, "ID")
}

fn executable(file: &Path, text: &str) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Makes the login shell and the tmux server of a set-up have no agents on PATH, and puts the stub of
/// Claude Code into a directory that only start files name.
fn version_manager(set_up: &mut SetUp, file: &str) -> String {
    let bin = set_up.sandbox.home().join(".nvm/versions/v20/bin");
    std::fs::create_dir_all(&bin).unwrap();
    install_stub(&bin.join("claude"));
    let profile = format!("export PATH={}:$PATH STUB_PROMPTED=1\n", bin.display());
    std::fs::remove_file(set_up.sandbox.home().join(".bash_profile")).unwrap();
    std::fs::write(set_up.sandbox.home().join(file), profile).unwrap();
    set_up.set("PATH", "/usr/local/bin:/usr/bin:/bin");
    bin.to_str().unwrap().to_owned()
}

/// Types a line that starts an agent into the shell of pane `a`; gives its conversation.
#[track_caller]
fn typed(set_up: &SetUp, line: &str) -> String {
    let before = set_up.started().len();
    set_up.type_line("a", line);
    set_up.wait_for_starts(before + 1);
    set_up.conversation_shown("a")
}

#[test]
fn the_options_of_an_agent_come_back_without_its_prompt_and_its_conversation() {
    let line = "claude --dangerously-skip-permissions --model opus --add-dir ../lib";
    let expected = "--dangerously-skip-permissions --model opus --add-dir ../lib --resume ID";
    assert_eq!(arguments_after(line), expected);
}

#[test]
fn the_options_of_codex_come_back_before_the_subcommand() {
    let arguments = arguments_after("codex --yolo --profile work");
    assert_eq!(arguments, "--no-daemon --yolo --profile work resume ID");
}

#[test]
fn a_prompt_is_not_sent_again_wherever_it_stands() {
    for line in [
        "claude --model opus -- 'fix the bug'",
        "claude 'fix the bug' --model opus",
        "claude --model opus 'fix the bug'",
        "claude --model=opus fix the bug",
    ] {
        let arguments = arguments_after(line);
        let expected = ["--model opus --resume ID", "--model=opus --resume ID"];
        assert!(expected.contains(&arguments.as_str()), "{line}: {arguments}");
    }
}

#[test]
fn options_that_take_several_values_and_values_with_spaces_come_back_whole() {
    let set_up = SetUp::new();
    let line = "claude --allowedTools 'Bash(git *)' Edit --mcp-config a.json b.json \
        --append-system-prompt 'Be brief. -c' --settings '{\"a\": 1}' --verbose";
    let id = set_up.agent_in("new-session -d -s a", line);
    let first = set_up.started().swap_remove(0);
    let again = restored(&set_up, 1);
    let mut expected = first.argv[1..].to_vec();
    expected.extend(["--resume".to_owned(), id]);
    assert_eq!(again.argv[1..], expected);
}

#[test]
fn an_option_of_a_newer_version_comes_back_with_its_value() {
    let arguments = arguments_after("claude --from-the-future yes --also --model x");
    assert_eq!(arguments, "--from-the-future yes --also --model x --resume ID");
}

#[test]
fn options_come_back_again_and_again() {
    let set_up = SetUp::new();
    let id = set_up.agent_in("new-session -d -s a", "claude --model opus --add-dir ../lib");
    for round in 1..4 {
        let again = restored(&set_up, round);
        let expected = format!("--model opus --add-dir ../lib --resume {id}");
        assert_eq!(again.arguments(), expected, "round {round}");
        set_up.conversation_shown("a:0.0");
    }
}

#[test]
fn options_of_an_agent_that_waits_for_enter_come_back() {
    let set_up = SetUp::new();
    let id = set_up.agent_in("new-session -d -s a", "claude --model opus");
    set_up.save();
    for _ in 0..2 {
        set_up.crash();
        set_up.persist("restore --mode lazy").ok();
        set_up.wait_for_text("a", "Enter resumes it");
        set_up.save();
    }
    set_up.t("send-keys -t a Enter");
    let again = set_up.wait_for_starts(2).swap_remove(1);
    assert_eq!(again.arguments(), format!("--model opus --resume {id}"));
}

#[test]
fn configured_arguments_are_not_doubled() {
    let set_up = SetUp::new();
    let dir = set_up.sandbox.home().join(".config/terminal-lobby");
    std::fs::create_dir_all(&dir).unwrap();
    let toml = "[agents.claude]\narguments = ['--model', 'sonnet', '--verbose']\n";
    std::fs::write(dir.join("launcher.toml"), toml).unwrap();
    let launcher = Path::new(env!("CARGO_BIN_EXE_persist")).with_file_name("start-claude");
    let line = format!("exec {} --no-freshen", launcher.display());
    let id = set_up.agent_in("new-session -d -s a", &line);
    let first = set_up.started()[0].arguments();
    assert!(first.ends_with("--model sonnet --verbose"), "{first}");
    let again = restored(&set_up, 1);
    assert_eq!(again.arguments(), format!("--model sonnet --verbose --resume {id}"));
}

#[test]
fn the_name_that_a_user_gave_to_a_conversation_is_left() {
    let set_up = SetUp::new();
    let one = set_up.agent_in("new-session -d -s web", "claude");
    let two = set_up.agent_in("split-window -t web", "claude --name mine");
    set_up.save();
    set_up.crash();
    set_up.restore();
    let all = set_up.wait_for_starts(4);
    let mut again: Vec<String> = all[2..].iter().map(Started::arguments).collect();
    again.sort();
    let mut expected = [format!("--resume {one}"), format!("--resume {two}")];
    expected.sort();
    assert_eq!(again, expected);
}

#[test]
fn a_conversation_that_was_never_prompted_keeps_its_name_and_its_options() {
    let mut set_up = SetUp::new();
    set_up.set("STUB_PROMPTED", "");
    let id = set_up.agent_in("new-session -d -s a", "claude --name mine --model x");
    let again = restored(&set_up, 1);
    assert_eq!(again.arguments(), format!("--name mine --model x --session-id {id}"));
}

#[test]
fn a_shell_below_an_agent_is_there_again_after_it_and_an_agents_own_pane_ends() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a");
    typed(&set_up, "claude");
    set_up.agent_in("new-session -d -s own", "claude");
    set_up.agent_in("new-session -d -s more", "claude; exec sleep 1000");
    for round in 0..2 {
        set_up.save();
        let flags: Vec<bool> =
            ["a:0.0", "more:0.0", "own:0.0"].map(|at| set_up.row(at).pane_flags.shell).into();
        assert_eq!(flags, [true, true, false], "round {round}");
        set_up.crash();
        set_up.restore();
        set_up.wait_for_starts(6 + 3 * round);
    }
    for session in ["a", "more", "own"] {
        set_up.conversation_shown(session);
        set_up.type_line(session, "/exit");
    }
    wait_until("shells are left where they were", || {
        set_up.panes("#{session_name} #{pane_current_command}") == ["a bash", "more bash"]
    });
}

#[test]
fn a_shell_stays_in_its_window_beside_other_panes() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a");
    set_up.t("split-window -t a");
    typed(&set_up, "claude");
    restored(&set_up, 1);
    set_up.conversation_shown("a");
    set_up.type_line("a", "/exit");
    wait_until("two shells", || set_up.panes("#{pane_current_command}") == ["bash", "bash"]);
}

#[test]
fn the_shell_after_an_agent_has_none_of_the_agents_variables() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a");
    typed(&set_up, "ANTHROPIC_MODEL=opus claude");
    let again = restored(&set_up, 1);
    assert_eq!(again.env.get("ANTHROPIC_MODEL").map(String::as_str), Some("opus"));
    assert!(!again.env.keys().any(|name| name.starts_with("TERMINAL_LOBBY")), "{:?}", again.env);
    set_up.conversation_shown("a");
    set_up.type_line("a", "/exit");
    wait_until("a shell", || set_up.panes("#{pane_current_command}") == ["bash"]);
    set_up.type_line("a", "echo \"<$ANTHROPIC_MODEL$TERMINAL_LOBBY_AGENT_ENVIRONMENT>\"");
    set_up.wait_for_text("a", "\n<>");
    let session = set_up.t("show-environment -t a").out();
    assert!(!session.contains("\nTERMINAL_LOBBY"), "{session}");
}

#[test]
fn what_is_closed_stays_closed_with_a_state_directory_of_its_own() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s keep");
    let id = set_up.agent_in("new-session -d -s a", "claude");
    restored(&set_up, 1);
    set_up.conversation_shown("a");
    set_up.type_line("a", "/exit");
    wait_until("the session is closed", || set_up.panes("#{session_name}") == ["keep"]);
    let endings = set_up.sandbox.user_state().join("endings.tsv");
    let text = std::fs::read_to_string(&endings).unwrap();
    assert!(text.contains(&id) && text.contains("\tclosed\t"), "{text}");
    let elsewhere = set_up.sandbox.root().join("xdg-state");
    assert!(!elsewhere.exists(), "nothing went to the default state directory");
    set_up.save();
    set_up.crash();
    set_up.restore();
    assert_eq!(set_up.panes("#{session_name}"), ["keep"]);
}

#[test]
fn the_launcher_works_on_the_same_socket_and_configuration() {
    let set_up = SetUp::new();
    set_up.agent_in("new-session -d -s a", "claude");
    restored(&set_up, 1);
    let pid = &set_up.panes("#{pane_pid}")[0];
    let words = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    let config = set_up.sandbox.config();
    for expected in [
        format!("\0--state-dir\0{}\0", set_up.sandbox.state().display()),
        "\0--socket\0default\0".to_owned(),
        format!("\0--config\0{}\0", config.display()),
    ] {
        assert!(words.contains(&expected), "{expected:?}: {words:?}");
    }
}

#[test]
fn an_agent_is_found_as_the_login_shell_finds_it() {
    let mut set_up = SetUp::new();
    let bin = version_manager(&mut set_up, ".bash_profile");
    set_up.t("new-session -d -s a");
    let id = typed(&set_up, "claude");
    set_up.save();
    // Seen nowhere any more, as after an update: only the login shell knows.
    std::fs::rename(&bin, format!("{bin}-22")).unwrap();
    let profile = format!("export PATH={bin}-22:$PATH STUB_PROMPTED=1 ANTHROPIC_API_KEY=key\n");
    std::fs::write(set_up.sandbox.home().join(".bash_profile"), profile).unwrap();
    set_up.crash();
    set_up.restore();
    let again = set_up.wait_for_starts(2).swap_remove(1);
    assert_eq!(again.arguments(), format!("--resume {id}"));
    assert_eq!(again.env["ANTHROPIC_API_KEY"], "key");
    assert!(again.env["PATH"].contains(&format!("{bin}-22:")), "{}", again.env["PATH"]);
}

#[test]
fn an_agent_that_only_interactive_shells_find_is_found() {
    let mut set_up = SetUp::new();
    let bin = version_manager(&mut set_up, ".bashrc");
    // As Debian has it: nothing for shells that are not interactive.
    let rc = set_up.sandbox.home().join(".bashrc");
    let text = std::fs::read_to_string(&rc).unwrap();
    std::fs::write(&rc, format!("case $- in *i*) ;; *) return ;; esac\n{text}")).unwrap();
    std::fs::write(set_up.sandbox.home().join(".profile"), ". ~/.bashrc\n").unwrap();
    set_up.t("new-session -d -s a");
    let id = typed(&set_up, "claude");
    let again = restored(&set_up, 1);
    assert_eq!(again.arguments(), format!("--resume {id}"));
    assert!(again.env["PATH"].contains(&bin));
}

#[test]
fn an_agent_that_no_shell_finds_any_more_runs_from_where_it_was() {
    let mut set_up = SetUp::new();
    let bin = version_manager(&mut set_up, ".bash_profile");
    set_up.t("new-session -d -s a");
    let id = typed(&set_up, "claude");
    set_up.save();
    std::fs::remove_file(set_up.sandbox.home().join(".bash_profile")).unwrap();
    set_up.crash();
    set_up.restore();
    let again = set_up.wait_for_starts(2).swap_remove(1);
    assert_eq!(again.arguments(), format!("--resume {id}"));
    assert!(again.env["PATH"].contains(&bin), "{}", again.env["PATH"]);
}

#[test]
fn an_agent_whose_directory_is_gone_from_every_path_is_run_by_its_file() {
    let mut set_up = SetUp::new();
    version_manager(&mut set_up, ".bash_profile");
    set_up.t("new-session -d -s a");
    // What a shell's own directory of links is: gone with the shell.
    let links = set_up.sandbox.root().join("multishell");
    std::fs::create_dir(&links).unwrap();
    let program = set_up.sandbox.home().join(".nvm/versions/v20/bin/claude");
    std::os::unix::fs::symlink(&program, links.join("claude")).unwrap();
    std::fs::remove_file(set_up.sandbox.home().join(".bash_profile")).unwrap();
    set_up.set("STUB_PROMPTED", "1");
    let id = typed(&set_up, &format!("PATH={}:$PATH; claude", links.display()));
    set_up.save();
    std::fs::remove_dir_all(&links).unwrap();
    set_up.crash();
    set_up.restore();
    let again = set_up.wait_for_starts(2).swap_remove(1);
    assert_eq!(again.argv[0], "claude");
    assert_eq!(again.arguments(), format!("--resume {id}"));
}

#[test]
fn an_agent_that_is_gone_leaves_a_message_and_a_shell() {
    let mut set_up = SetUp::new();
    let bin = version_manager(&mut set_up, ".bash_profile");
    set_up.t("new-session -d -s a");
    typed(&set_up, "claude");
    set_up.save();
    std::fs::remove_dir_all(&bin).unwrap();
    set_up.crash();
    set_up.restore();
    set_up.wait_for_text("a", "claude is not installed; hint:");
    wait_until("a shell", || set_up.panes("#{pane_current_command}") == ["bash"]);
}

#[test]
fn an_agent_that_was_started_by_a_path_is_started_by_that_path() {
    let set_up = SetUp::new();
    let other = set_up.sandbox.root().join("canary build/claude");
    std::fs::create_dir_all(other.parent().unwrap()).unwrap();
    install_stub(&other);
    let id = set_up.agent_in("new-session -d -s a", &format!("exec '{}' --ide", other.display()));
    let again = restored(&set_up, 1);
    assert_eq!(again.arguments(), format!("--ide --resume {id}"));
    let exe = std::fs::read_link(format!("/proc/{}/exe", again.pid)).unwrap();
    assert_eq!(exe, other);
}

#[test]
fn a_wrapper_an_alias_and_env_leave_the_agents_own_options() {
    let set_up = SetUp::new();
    let wrapper = set_up.bin().join("work-claude");
    executable(&wrapper, "#!/bin/bash\nexport ANTHROPIC_MODEL=opus\nclaude --ide \"$@\"\n");
    set_up.t("new-session -d -s a");
    set_up.type_line("a", "alias cc='env DISABLE_TELEMETRY=1 work-claude --verbose'");
    let id = typed(&set_up, "cc --model x 'a prompt'");
    let again = restored(&set_up, 1);
    assert_eq!(again.arguments(), format!("--ide --verbose --model x --resume {id}"));
    assert_eq!(again.env["ANTHROPIC_MODEL"], "opus");
    assert_eq!(again.env["DISABLE_TELEMETRY"], "1");
    set_up.save();
    assert!(set_up.row("a:0.0").pane_flags.shell);
}

#[test]
fn start_files_that_print_read_or_fail_do_no_harm() {
    let mut set_up = SetUp::new();
    let profile = set_up.sandbox.home().join(".bash_profile");
    let text = std::fs::read_to_string(&profile).unwrap();
    let odd = "echo hello; echo wrong >&2; read -r answer; printf 'A=1\\0'; false; stty sane\n";
    std::fs::write(&profile, format!("{text}{odd}export FROM_PROFILE=yes\n")).unwrap();
    set_up.set("FROM_PROFILE", "no");
    let id = set_up.agent_in("new-session -d -s a", "claude");
    let again = restored(&set_up, 1);
    assert_eq!(again.arguments(), format!("--resume {id}"));
    assert_eq!(again.env["FROM_PROFILE"], "yes");
    let shown = set_up.t("capture-pane -p -t a").out();
    assert!(!shown.contains("hello") && !shown.contains("wrong"), "{shown}");
}

#[test]
fn start_files_that_hang_cost_some_seconds_and_a_message() {
    let set_up = SetUp::new();
    let profile = set_up.sandbox.home().join(".bash_profile");
    let text = std::fs::read_to_string(&profile).unwrap();
    let id = set_up.agent_in("new-session -d -s a", "claude");
    std::fs::write(&profile, format!("{text}[ -t 0 ] || sleep 1000\n")).unwrap();
    let again = restored(&set_up, 1);
    assert_eq!(again.arguments(), format!("--resume {id}"));
    let why = "did not end within 5 s: starting without the variables of your login shell";
    set_up.wait_for_text("a", why);
}

#[test]
fn start_files_that_become_another_program_still_give_a_login_environment() {
    let set_up = SetUp::new();
    let home = set_up.sandbox.home();
    let profile = home.join(".bash_profile");
    let text = std::fs::read_to_string(&profile).unwrap();
    let odd = "case $- in *i*) [ -t 0 ] || exec true ;; esac\nexport FROM_PROFILE=yes\n";
    std::fs::write(&profile, format!("{text}{odd}")).unwrap();
    let id = set_up.agent_in("new-session -d -s a", "claude");
    let again = restored(&set_up, 1);
    assert_eq!(again.arguments(), format!("--resume {id}"));
    assert_eq!(again.env["FROM_PROFILE"], "yes");
}

#[test]
fn no_secret_of_an_agents_environment_is_saved_or_shown_in_arguments() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a");
    typed(
        &set_up,
        "ANTHROPIC_API_KEY=sk-secret-1 GITHUB_TOKEN=secret-2 HTTPS_PROXY=http://u:secret-3@h:1 \
         ANTHROPIC_BASE_URL='http://h/?key=secret-4' NO_PROXY=h2 claude",
    );
    let again = restored(&set_up, 1);
    assert_eq!(again.env["NO_PROXY"], "h2");
    for file in set_up.sandbox.snapshots() {
        let path = set_up.sandbox.user_state().join("snapshots").join(file);
        let text = std::fs::read_to_string(path).unwrap();
        assert!(!text.contains("secret"), "{text}");
    }
    let pid = &set_up.panes("#{pane_pid}")[0];
    let words = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    assert!(!words.contains("NO_PROXY") && !words.contains("h2"), "{words:?}");
}

#[test]
fn variables_that_a_site_names_come_back_and_others_do_not() {
    let mut set_up = SetUp::new();
    set_up
        .sandbox
        .configure("save_on_change = false\n[keep]\nagent_environment = ['MY_ACCOUNT']\n");
    set_up.agent_in("new-session -d -s a", "MY_ACCOUNT=work OTHER=x exec claude");
    set_up.set("MY_ACCOUNT", "");
    let again = restored(&set_up, 1);
    assert_eq!(again.env.get("MY_ACCOUNT").map(String::as_str), Some("work"));
    assert_eq!(again.env.get("OTHER"), None);
}

#[test]
fn a_pane_that_a_session_gets_later_has_none_of_the_first_agents_environment() {
    let set_up = SetUp::new();
    set_up.agent_in("new-session -d -s a", "ANTHROPIC_MODEL=opus exec claude");
    let again = restored(&set_up, 1);
    assert_eq!(again.env["ANTHROPIC_MODEL"], "opus");
    set_up.agent_in("new-window -t a:", "claude");
    let other = set_up.started().swap_remove(2);
    assert!(!other.env.contains_key("ANTHROPIC_MODEL"), "{:?}", other.env);
    assert!(!other.env.keys().any(|name| name.starts_with("TERMINAL_LOBBY")), "{:?}", other.env);
}

#[test]
fn an_older_snapshot_restores_with_a_shell_after_its_agent() {
    let set_up = SetUp::new();
    let id = set_up.agent_in("new-session -d -s a", "claude --model x");
    let mut old = set_up.save();
    for row in &mut old.rows {
        row.agent_program = None;
        row.agent_environment = None;
    }
    set_up.crash();
    let file = set_up.sandbox.root().join("old.tsv");
    std::fs::write(&file, terminal_lobby::snapshot::encode(&old)).unwrap();
    set_up.persist(&format!("restore --from {}", file.display())).ok();
    let again = set_up.wait_for_starts(2).swap_remove(1);
    assert_eq!(again.arguments(), format!("--model x --resume {id}"));
    set_up.conversation_shown("a");
    set_up.type_line("a", "/exit");
    wait_until("a shell", || set_up.panes("#{pane_current_command}") == ["bash"]);
}
