//! What is special about one of them.

use super::{begin_anew, evidence, hooked, last_start, stamped_in};
use crate::support::set_up::SetUp;
use crate::support::wait_until;

const A: &str = "11111111-0000-4000-8000-000000000001";
const B: &str = "22222222-0000-4000-8000-000000000002";

fn plain(names: &[&str]) -> SetUp {
    let set_up = SetUp::new();
    set_up.install(names);
    set_up
}

#[test]
fn copilot_is_known_from_the_file_that_it_holds_without_any_hook() {
    let set_up = plain(&["copilot"]);
    let old = set_up.agent_in("new-session -d -s a", &format!("exec copilot --session-id {A}"));
    assert_eq!(old, A);
    let new = begin_anew(&set_up, "a:0.0", &old);
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0"), Some(new.clone()), "not the one of its arguments");
    assert_eq!(evidence(&set_up, "a:0.0"), "files");
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(2);
    assert_eq!(last_start(&set_up), format!("--session-id {new}"));
}

#[test]
fn a_copilot_that_was_never_prompted_keeps_its_id() {
    let set_up = plain(&["copilot"]);
    let id = set_up.agent_in("new-session -d -s a", "STUB_PROMPTED= exec copilot");
    set_up.save();
    assert_eq!(set_up.row("a:0.0").prompted, Some(false));
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(2);
    assert_eq!(set_up.conversation_shown("a:0.0"), id);
}

#[test]
fn a_copilot_whose_directory_is_gone_resumes_from_the_home() {
    let set_up = plain(&["copilot"]);
    let gone = set_up.directory("gone");
    let id = set_up.agent_in(&format!("new-session -d -s a -c {gone}"), "exec copilot");
    set_up.save();
    set_up.crash();
    std::fs::remove_dir(&gone).unwrap();
    set_up.restore();
    set_up.wait_for_starts(2);
    assert_eq!(set_up.conversation_shown("a:0.0"), id);
}

#[test]
fn settings_of_each_come_back_and_neither_prompts_nor_keys_do() {
    for (agent, given, again) in [
        ("copilot", "--allow-tool write --model m -i hello", "--allow-tool write --model m"),
        ("gemini", "-m pro --yolo -i hello", "-m pro --yolo"),
        ("qwen", "--openai-api-key k -m m", "-m m"),
        ("opencode", "-m a/b --auto", "-m a/b --auto"),
    ] {
        let set_up = hooked(&[agent]);
        stamped_in(&set_up, "new-session -d -s a", &format!("exec {agent} {given}"));
        set_up.save();
        set_up.crash();
        set_up.restore();
        set_up.wait_for_starts(2);
        let start = last_start(&set_up);
        assert!(start.starts_with(again) && !start.contains("hello"), "{agent}: {start}");
        assert!(!start.contains("--openai-api-key"), "{agent}: {start}");
    }
}

#[test]
fn an_agent_that_answers_once_is_no_conversation() {
    let set_up = plain(&["copilot", "gemini", "opencode", "qwen"]);
    for (at, command) in
        ["copilot -p hi", "gemini -p hi", "opencode run hi", "qwen --prompt hi", "opencode serve"]
            .iter()
            .enumerate()
    {
        let pane = if at == 0 { "new-session -d -s a" } else { "new-window -t a:" };
        set_up.agent_in(pane, &format!("exec {command}"));
    }
    set_up.save();
    for window in 0..5 {
        let row = set_up.row(&format!("a:{window}.0"));
        assert_eq!((row.agent, row.conversation), (None, None), "window {window}");
    }
}

#[test]
fn gemini_and_qwen_without_our_hook_are_known_from_their_arguments() {
    for agent in ["gemini", "qwen"] {
        let set_up = plain(&[agent]);
        set_up.agent_in("new-session -d -s a", &format!("exec {agent} --session-id {A}"));
        set_up.agent_in("new-window -t a:", &format!("exec {agent} --session-id {B}"));
        set_up.save();
        assert_eq!(set_up.conversation("a:0.0").as_deref(), Some(A), "{agent}");
        assert_eq!(set_up.conversation("a:1.0").as_deref(), Some(B), "{agent}");
        assert_eq!(evidence(&set_up, "a:0.0"), "argv", "{agent}");
    }
}

#[test]
fn without_our_hook_the_only_conversation_of_a_directory_since_the_start_is_guessed() {
    for agent in ["gemini", "qwen", "pi"] {
        let set_up = plain(&[agent]);
        let (one, two) = (set_up.directory("one"), set_up.directory("two"));
        let first =
            set_up.agent_in(&format!("new-session -d -s a -c {one}"), &format!("exec {agent}"));
        let second =
            set_up.agent_in(&format!("new-window -t a: -c {two}"), &format!("exec {agent}"));
        set_up.save();
        assert_eq!(set_up.conversation("a:0.0"), Some(first.clone()), "{agent}");
        assert_eq!(set_up.conversation("a:1.0"), Some(second), "{agent}");
        assert_eq!(evidence(&set_up, "a:0.0"), "transcript", "{agent}");
        // A second one in the directory, and since its start both were written: neither is guessed.
        set_up.agent_in(&format!("new-window -t a: -c {one}"), &format!("exec {agent}"));
        let before = set_up.conversations().len();
        set_up.type_line("a:0.0", "more");
        wait_until("the first was written", || set_up.conversations().len() > before);
        set_up.save();
        assert_eq!(set_up.conversation("a:2.0"), None, "{agent}");
    }
}

#[test]
fn an_opencode_without_a_stamp_is_an_agent_whose_conversation_is_not_known() {
    let set_up = plain(&["opencode"]);
    set_up.agent_in("new-session -d -s a", "exec opencode");
    set_up.save();
    let row = set_up.row("a:0.0");
    assert_eq!((row.agent.as_deref(), row.conversation), (Some(&b"opencode"[..]), None));
}

#[test]
fn ids_of_opencode_keep_their_case() {
    let set_up = hooked(&["opencode"]);
    let id = "ses_ddbc56887ffeUfhgSu2WVPcvGV";
    std::fs::create_dir_all(set_up.sandbox.home().join(".local/share/opencode")).unwrap();
    let row = set_up.sandbox.home().join(".local/share/opencode").join(id);
    std::fs::write(row, "\"type\":\"user\"\n").unwrap();
    set_up.agent_in("new-session -d -s a", &format!("exec opencode -s {id}"));
    set_up.save();
    assert_eq!(set_up.conversation("a:0.0").as_deref(), Some(id));
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(2);
    assert_eq!(last_start(&set_up), format!("--session {id}"));
}

#[test]
fn a_gemini_that_was_never_prompted_starts_anew() {
    let set_up = hooked(&["gemini"]);
    let id = stamped_in(&set_up, "new-session -d -s a", "STUB_PROMPTED= exec gemini");
    set_up.save();
    assert_eq!(set_up.row("a:0.0").prompted, Some(false));
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(2);
    assert_ne!(set_up.conversation_shown("a:0.0"), id, "that id is taken");
    assert!(last_start(&set_up).starts_with("--session-id "));
}

#[test]
fn of_several_geminis_in_a_directory_none_without_a_prompt_starts_by_itself() {
    let set_up = hooked(&["gemini"]);
    let prompted = stamped_in(&set_up, "new-session -d -s a", "exec gemini");
    stamped_in(&set_up, "new-window -t a:", "STUB_PROMPTED= exec gemini");
    stamped_in(&set_up, "new-window -t a:", "STUB_PROMPTED= exec gemini");
    set_up.save();
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(4);
    assert_eq!(set_up.conversation_shown("a:0.0"), prompted);
    for pane in ["a:1.0", "a:2.0"] {
        set_up.wait_for_text(pane, "Enter");
    }
    assert_eq!(set_up.started().len(), 4, "only the prompted one was started");
    // On Enter it starts.
    set_up.tmux(["send-keys", "-t", "a:1.0", "Enter"]);
    set_up.wait_for_starts(5);
}

#[test]
fn geminis_of_one_directory_with_prompts_all_start() {
    let set_up = hooked(&["gemini"]);
    let ids: Vec<String> = ["new-session -d -s a", "new-window -t a:", "new-window -t a:"]
        .iter()
        .map(|pane| stamped_in(&set_up, pane, "exec gemini"))
        .collect();
    set_up.save();
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(6);
    for (window, id) in ids.iter().enumerate() {
        assert_eq!(&set_up.conversation_shown(&format!("a:{window}.0")), id);
    }
}

#[test]
fn one_that_resumes_only_in_its_directory_says_so_when_that_is_gone() {
    for agent in ["gemini", "qwen", "pi"] {
        let set_up = hooked(&[agent]);
        let gone = set_up.directory("gone");
        stamped_in(&set_up, &format!("new-session -d -s a -c {gone}"), &format!("exec {agent}"));
        set_up.save();
        set_up.crash();
        std::fs::remove_dir(&gone).unwrap();
        set_up.restore();
        set_up.wait_for_text("a:0.0", "which is gone");
        assert_eq!(set_up.started().len(), 1, "{agent}: nothing was started in another directory");
        // The conversation is not forgotten: with the directory it comes back.
        std::fs::create_dir(&gone).unwrap();
        set_up.save();
        set_up.crash();
        set_up.restore();
        set_up.wait_for_starts(2);
    }
}

#[test]
fn what_cannot_be_resumed_keeps_one_pane_however_often_its_server_ends() {
    let set_up = hooked(&["qwen"]);
    let gone = set_up.directory("gone");
    stamped_in(&set_up, &format!("new-session -d -s a -c {gone}"), "exec qwen");
    std::fs::remove_dir(&gone).unwrap();
    let mut panes = Vec::new();
    for _ in 0..4 {
        set_up.save();
        set_up.crash();
        set_up.restore();
        panes.push(set_up.panes("#{session_name}:#{window_index}.#{pane_index}"));
    }
    assert_eq!(panes, [["a:0.0"], ["a:0.0"], ["a:0.0"], ["a:0.0"]]);
    std::fs::create_dir(&gone).unwrap();
    set_up.restore();
    set_up.wait_for_starts(2);
}

#[test]
fn a_qwen_that_was_never_prompted_keeps_its_id() {
    let set_up = hooked(&["qwen"]);
    let id = stamped_in(&set_up, "new-session -d -s a", "STUB_PROMPTED= exec qwen");
    set_up.save();
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(2);
    assert_eq!(
        (set_up.conversation_shown("a:0.0"), last_start(&set_up)),
        (id.clone(), format!("--session-id {id}"))
    );
}

#[test]
fn a_pi_that_was_never_prompted_starts_anew() {
    let set_up = hooked(&["pi"]);
    let id = stamped_in(&set_up, "new-session -d -s a", "STUB_PROMPTED= exec pi");
    set_up.save();
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(2);
    assert_ne!(set_up.conversation_shown("a:0.0"), id);
}

#[test]
fn a_program_called_pi_that_is_none_is_no_agent() {
    let set_up = SetUp::new();
    let pi = set_up.bin().join("pi");
    std::fs::copy("/bin/sleep", &pi).unwrap();
    set_up.tmux(["new-session", "-d", "-s", "a", "exec pi 1000"]);
    wait_until("it runs", || set_up.panes("#{pane_current_command}") == ["pi"]);
    set_up.save();
    assert_eq!(set_up.row("a:0.0").agent, None);
}

#[test]
fn a_variable_that_moves_an_agents_data_is_given_again_and_its_data_found_there() {
    let set_up = plain(&["copilot"]);
    let elsewhere = set_up.directory("elsewhere");
    let command = format!("COPILOT_HOME={elsewhere} COPILOT_MODEL=m exec copilot");
    set_up.agent_in("new-session -d -s a", &command);
    set_up.save();
    set_up.crash();
    set_up.restore();
    let again = set_up.wait_for_starts(2).pop().unwrap();
    assert_eq!(again.env.get("COPILOT_HOME"), Some(&elsewhere));
    assert_eq!(again.env.get("COPILOT_MODEL").map(String::as_str), Some("m"));
}

#[test]
fn what_qwen_says_of_its_end_proves_no_close() {
    let set_up = hooked(&["qwen"]);
    let id = stamped_in(&set_up, "new-session -d -s a", "exec qwen");
    set_up.t("set-option -w -t a:0 remain-on-exit on");
    let settings = set_up.sandbox.home().join(".qwen/settings.json");
    let settings: serde_json::Value =
        serde_json::from_slice(&std::fs::read(settings).unwrap()).unwrap();
    let end = &settings["hooks"]["SessionEnd"][0]["hooks"][0];
    assert_eq!(end["timeout"], 5000, "in milliseconds");
    set_up.save();
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(2);
    assert_eq!(set_up.conversation_shown("a:0.0"), id);
}

#[test]
fn doctor_names_the_hook_that_is_missing_of_an_agent_that_is_there() {
    let set_up = plain(&["gemini", "pi"]);
    let shown = set_up.persist("doctor").out();
    for agent in ["gemini", "pi"] {
        assert!(shown.contains(&format!("persist hook --install --agent {agent}")), "{shown}");
        set_up.persist(&format!("hook --install --agent {agent}")).ok();
    }
    let shown = set_up.persist("doctor").out();
    assert!(!shown.contains("--install --agent pi") && shown.contains("pi hook"), "{shown}");
}

#[test]
fn aider_comes_back_in_its_directory_with_its_history_and_the_keys_of_the_login_shell() {
    let set_up = SetUp::new();
    let directory = set_up.directory("project");
    let log = set_up.sandbox.home().join("aider.log");
    let aider = set_up.bin().join("aider");
    let script = format!(
        "#!/usr/bin/python3\nimport sys, os, time\nkey = os.environ.get('OPENAI_API_KEY', 'none')\n\
        open({log:?}, 'a').write(' '.join([os.getcwd(), key, *sys.argv[1:]]) + '\\n')\ntime.sleep(1000)\n"
    );
    std::fs::write(&aider, script).unwrap();
    std::fs::set_permissions(&aider, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let profile = set_up.sandbox.home().join(".bash_profile");
    let text = std::fs::read_to_string(&profile).unwrap() + "export OPENAI_API_KEY=of-the-shell\n";
    std::fs::write(&profile, text).unwrap();
    let lines = || std::fs::read_to_string(&log).unwrap_or_default();
    set_up.tmux(["new-session", "-d", "-s", "a", "-c", &directory, "exec aider --model m"]);
    wait_until("it runs", || lines().lines().count() == 1);
    set_up.save();
    assert_eq!(lines(), format!("{directory} none --model m\n"));
    assert_eq!(set_up.row("a:0.0").agent, None, "it has no conversations");
    set_up.crash();
    set_up.restore();
    wait_until("it is back", || lines().lines().count() == 2);
    let again = lines().lines().next_back().unwrap().to_owned();
    assert_eq!(again, format!("{directory} of-the-shell --restore-chat-history --model m"));
}
