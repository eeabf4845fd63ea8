//! Where the agent starts, on which conversation, with which words and variables.

use super::{called, command, configure, in_pane, install_agent, screen, waits_for};
use crate::support::stub_agent::id;
use crate::support::{Sandbox, run, wait_until};
use std::os::unix::fs::PermissionsExt;

fn environment(sandbox: &Sandbox) -> Vec<String> {
    let text = std::fs::read_to_string(sandbox.root().join("called.env")).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn a_new_conversation_starts_in_the_code_directory_under_an_id_and_the_sessions_name() {
    let sandbox = Sandbox::new();
    let code = sandbox.home().join("code");
    std::fs::create_dir(&code).unwrap();
    install_agent(&sandbox, "exec sleep 1000");
    in_pane(&sandbox, &["--", "--model-is-mine", "x"]);
    let called = called(&sandbox);
    assert_eq!(called[0], code.canonicalize().unwrap().to_str().unwrap());
    let [session_id, uuid, name, pane, own, x] = &called[1..] else { panic!("{called:?}") };
    assert_eq!((session_id.as_str(), uuid.len()), ("--session-id", 36));
    assert_eq!(
        (name.as_str(), pane.as_str(), own.as_str(), x.as_str()),
        ("--name", "pane", "--model-is-mine", "x")
    );
}

#[test]
fn without_a_code_directory_it_is_the_home_and_outside_tmux_there_is_no_name() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exit 0");
    run(&mut command(&sandbox, &["--session", &id(1)])).ok();
    let home = sandbox.home().canonicalize().unwrap();
    assert_eq!(called(&sandbox), [home.to_str().unwrap(), "--session-id", &id(1)]);
    assert!(
        environment(&sandbox)
            .iter()
            .any(|line| line.starts_with("PATH=") && line.contains("/home/.local/bin:"))
    );
}

#[test]
fn a_conversation_is_resumed_in_its_own_directory() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exit 0");
    let work = sandbox.work().canonicalize().unwrap();
    let transcript = sandbox.prompt(&id(1));
    let line = format!(
        "{{\"type\":\"user\",\"cwd\":\"{}\",\"message\":{{\"content\":\"hello\"}}}}\n",
        work.display()
    );
    std::fs::write(&transcript, line).unwrap();
    run(command(&sandbox, &["--resume", &id(1)]).current_dir("/")).ok();
    assert_eq!(called(&sandbox), [work.to_str().unwrap(), "--resume", &id(1)]);
    std::fs::rename(&work, sandbox.root().join("moved")).unwrap();
    std::fs::remove_file(sandbox.root().join("called")).unwrap();
    let run = run(command(&sandbox, &["--resume", &id(1)]).current_dir("/")).ok();
    let why = "cannot enter its directory";
    assert!(run.err().contains(why), "{}", run.err());
    assert!(run.err().contains(": resuming by its transcript"), "{}", run.err());
    let transcript = transcript.canonicalize().unwrap();
    assert_eq!(called(&sandbox), ["/", "--resume", transcript.to_str().unwrap()]);
    std::fs::rename(sandbox.root().join("moved"), &work).unwrap();
}

#[test]
fn a_conversation_without_a_transcript_begins_anew_under_its_id() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exit 0");
    let run = run(&mut command(&sandbox, &["--resume", &id(1)])).ok();
    assert!(
        run.err().contains("has no transcript: starting a new conversation with its id"),
        "{}",
        run.err()
    );
    assert_eq!(called(&sandbox)[1..], ["--session-id", &id(1)]);
}

#[test]
fn a_missing_agent_gets_one_message_and_a_shell() {
    let sandbox = Sandbox::new();
    in_pane(&sandbox, &[]);
    waits_for(&sandbox, "claude is not installed; hint: npm install -g @anthropic-ai/claude-code");
    wait_until("a login shell runs", || sandbox.panes("#{pane_current_command}") == ["sh"]);
    assert_eq!(screen(&sandbox).matches("start-claude:").count(), 2, "and how to resume");
}

#[test]
fn a_missing_agent_is_installed_only_where_the_configuration_says_so() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exit 0");
    let bin = sandbox.home().join(".local/bin");
    std::fs::rename(bin.join("claude"), sandbox.root().join("package")).unwrap();
    let install = format!(
        "install = ['cp', '{}', '{}']",
        sandbox.root().join("package").display(),
        bin.join("claude").display()
    );
    configure(&sandbox, &format!("[agents.claude]\n{install}\ninstall_missing = true\n"));
    let run = run(&mut command(&sandbox, &["--session", &id(1)])).ok();
    assert!(run.err().contains("claude is not installed; running: cp "), "{}", run.err());
    assert_eq!(called(&sandbox)[1..], ["--session-id", &id(1)]);
}

#[test]
fn a_broken_configuration_is_a_warning_and_an_agent_of_it_can_be_started() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exit 0");
    configure(
        &sandbox,
        "wat = 1\nagent = 'mine'\n[agents.mine]\ncommand = ['claude', 'fixed']\nnew = ['--id={id}']\narguments = ['last']\n",
    );
    let started = run(&mut command(&sandbox, &["--session", &id(1)])).ok();
    assert!(started.err().contains("launcher.toml:1: 'wat' is not used here"), "{}", started.err());
    assert_eq!(called(&sandbox)[1..], ["fixed", &format!("--id={}", id(1)), "last"]);
    configure(&sandbox, "agent = [\n");
    let started = run(&mut command(&sandbox, &["--session", &id(2)])).ok();
    assert!(started.err().contains("the file is not used"), "{}", started.err());
    assert_eq!(called(&sandbox)[1..], ["--session-id", &id(2)]);
}

#[test]
fn a_configured_agent_is_resumed_in_its_own_words() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exit 0");
    configure(
        &sandbox,
        "[agents.mine]\ncommand = ['claude']\nnew = ['--id={id}']\nresume = ['--continue', '{id}']\n",
    );
    run(&mut command(&sandbox, &["--agent", "mine", "--resume", &id(1)])).ok();
    assert_eq!(called(&sandbox)[1..], ["--continue", &id(1)]);
}

#[test]
fn a_conversation_that_could_not_be_looked_for_is_resumed_not_begun_anew() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exit 0");
    std::os::unix::fs::symlink("/usr", sandbox.home().join(".claude")).unwrap();
    run(&mut command(&sandbox, &["--resume", &id(1)])).ok();
    assert_eq!(called(&sandbox)[1..], ["--resume", &id(1)]);
    std::fs::remove_file(sandbox.home().join(".claude")).unwrap();
    std::fs::remove_file(sandbox.root().join("called")).unwrap();
    let mut elsewhere = command(&sandbox, &["--resume", &id(1)]);
    run(elsewhere.env("CLAUDE_CONFIG_DIR", sandbox.root())).ok();
    assert_eq!(called(&sandbox)[1..], ["--resume", &id(1)]);
}

#[test]
fn a_program_whose_interpreter_is_missing_is_not_called_missing() {
    let sandbox = Sandbox::new();
    let bin = sandbox.home().join(".local/bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::write(bin.join("claude"), "#!/nonexistent\n").unwrap();
    std::fs::set_permissions(bin.join("claude"), std::fs::Permissions::from_mode(0o755)).unwrap();
    in_pane(&sandbox, &[]);
    waits_for(&sandbox, "claude could not be run: its interpreter is missing");
}

#[test]
fn variables_of_agent_env_and_telemetry_reach_the_agent() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exec sleep 1000");
    configure(&sandbox, "telemetry_attributes = true\n");
    let file = sandbox.home().join(".config/terminal-lobby/agent.env");
    std::fs::write(&file, "TOKEN=a b=c\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    in_pane(&sandbox, &[]);
    called(&sandbox);
    let environment = environment(&sandbox);
    let user = crate::support::sandbox::user();
    for expected in [
        "TOKEN=a b=c".to_owned(),
        format!("OTEL_RESOURCE_ATTRIBUTES=os.user={user},tmux.session=pane"),
    ] {
        assert!(environment.contains(&expected), "{expected}: {environment:?}");
    }
}

#[test]
fn an_agent_env_that_others_can_read_is_refused_aloud_and_the_agent_starts() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exit 0");
    configure(&sandbox, "");
    let file = sandbox.home().join(".config/terminal-lobby/agent.env");
    std::fs::write(&file, "TOKEN=secret\n").unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let run = run(&mut command(&sandbox, &["--session", &id(1)])).ok();
    assert!(run.err().contains("mode 644: others can read it"), "{}", run.err());
    assert!(!environment(&sandbox).contains(&"TOKEN=secret".to_owned()));
}

#[test]
fn lesson_37_a_lost_onboarding_flag_is_put_back_and_nothing_else_is_touched() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "exit 0");
    let shared = sandbox.home().join(".claude.json");
    for (before, after) in [
        ("{\"theme\": \"dark\"}", "{\"hasCompletedOnboarding\":true,\"theme\": \"dark\"}"),
        ("{\"theme\":", "{\"theme\":"),
    ] {
        std::fs::write(&shared, before).unwrap();
        run(&mut command(&sandbox, &["--session", &id(1)])).ok();
        assert_eq!(std::fs::read_to_string(&shared).unwrap(), after);
    }
}

#[test]
fn a_wrong_argument_is_named_and_leaves_a_shell() {
    let sandbox = Sandbox::new();
    in_pane(&sandbox, &["--resume", "../../etc"]);
    waits_for(&sandbox, "--resume ../../etc: not the id of a conversation");
    wait_until("a login shell runs", || sandbox.panes("#{pane_current_command}") == ["sh"]);
}
