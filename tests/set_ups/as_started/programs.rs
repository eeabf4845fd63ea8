//! Where the program of an agent is found.

use super::{executable, restored, typed, version_manager};
use crate::support::set_up::{SetUp, install_stub};
use crate::support::wait_until;

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

/// An agent as a script of node: a fifth of the stub.
const SCRIPT: &str = r#"
const fs = require("fs"), home = process.env.HOME, words = process.argv.slice(2);
const at = words.findIndex((word) => ["--session-id", "--resume"].includes(word));
const id = words[at + 1];
const dir = home + "/.claude/projects/" + process.cwd().replace(/[^A-Za-z0-9]/g, "-");
fs.mkdirSync(dir, { recursive: true });
fs.appendFileSync(dir + "/" + id + ".jsonl", JSON.stringify({ type: "user", sessionId: id,
    cwd: process.cwd(), message: { role: "user", content: "hello" } }) + "\n");
const argv = [process.argv0, ...process.execArgv, ...process.argv.slice(1)];
fs.appendFileSync(home + "/agent.log",
    JSON.stringify({ pid: process.pid, cwd: process.cwd(), argv, env: process.env }) + "\n");
console.log("AGENT claude " + id);
setInterval(() => {}, 1000);
"#;

#[test]
fn an_agent_that_is_a_script_comes_back_with_its_interpreters_options() {
    let set_up = SetUp::new();
    let script = set_up.sandbox.root().join("lib/node_modules/@anthropic-ai/claude-code/cli.js");
    executable(&script, SCRIPT);
    let id = "0d0a8f5e-0000-4000-8000-000000000001";
    let line = format!(
        "exec node --max-old-space-size=512 --no-warnings {} --session-id {id} --ide 'a prompt'",
        script.display()
    );
    set_up.agent_in("new-session -d -s a", &line);
    for round in 1..3 {
        let again = restored(&set_up, round);
        let script = script.to_str().unwrap();
        let options =
            ["--max-old-space-size=512", "--no-warnings", script, "--ide", "--resume", id];
        assert_eq!(again.argv[1..], options, "round {round}");
        assert!(again.argv[0].ends_with("node"), "{:?}", again.argv);
        set_up.conversation_shown("a");
    }
}

#[test]
fn an_agent_of_npx_comes_back() {
    let set_up = SetUp::new();
    let bin = set_up.sandbox.home().join(".npm/_npx/0123/node_modules/.bin");
    std::fs::create_dir_all(&bin).unwrap();
    install_stub(&bin.join("claude"));
    for name in ["claude", "codex"] {
        std::fs::remove_file(set_up.bin().join(name)).unwrap();
    }
    // What npx does: a shell of its own, with the package's programs first on PATH.
    executable(
        &set_up.bin().join("npx"),
        &format!("#!/bin/bash\nPATH={}:$PATH\nsh -c \"claude ${{*:2}}\"\n", bin.display()),
    );
    set_up.t("new-session -d -s a");
    let id = typed(&set_up, "npx @anthropic-ai/claude-code --model opus");
    let again = restored(&set_up, 1);
    assert_eq!(again.arguments(), format!("--model opus --resume {id}"));
    assert!(set_up.row("a:0.0").pane_flags.shell);
}

/// Starts an agent by a wrapper of its own name, made of `line`, in which `REAL` is the agent; gives what
/// the agent gets after each of three crashes.
fn by_wrapper(line: &str) -> Vec<String> {
    let set_up = SetUp::new();
    let wrapper = set_up.sandbox.home().join("wrap/claude");
    let real = set_up.bin().join("claude");
    executable(&wrapper, &line.replace("REAL", real.to_str().unwrap()));
    let id = set_up
        .agent_in("new-session -d -s a", &format!("{} --model x 'a prompt'", wrapper.display()));
    let again = |round| restored(&set_up, round).arguments().replace(&id, "ID");
    (1..4)
        .map(|round| {
            let arguments = again(round);
            set_up.conversation_shown("a");
            arguments
        })
        .collect()
}

#[test]
fn what_a_wrapper_of_the_agents_own_name_adds_is_not_doubled() {
    let added = "--ide --add-dir /usr --model x --resume ID";
    for wrapper in [
        "#!/bin/bash\nREAL --ide --add-dir /usr \"$@\"\n",
        "#!/bin/sh\nREAL --ide --add-dir /usr \"$@\"\nexit 0\n",
        "#!/usr/bin/env python3\nimport subprocess, sys\n\
         sys.exit(subprocess.call([\"REAL\", \"--ide\", \"--add-dir\", \"/usr\", *sys.argv[1:]]))\n",
        "#!/usr/bin/perl\nsystem(\"REAL\", \"--ide\", \"--add-dir\", \"/usr\", @ARGV);\n",
        // One that becomes the agent, by its path.
        "#!/bin/bash\nexec REAL --ide --add-dir /usr \"$@\"\n",
    ] {
        assert_eq!(by_wrapper(wrapper), [added; 3], "{wrapper}");
    }
}

#[test]
fn what_a_wrapper_that_becomes_the_agent_under_its_own_name_adds_does_not_grow() {
    let rounds = by_wrapper("#!/bin/bash\nexec -a \"$0\" REAL --ide --add-dir /usr \"$@\"\n");
    assert_eq!(rounds[0], rounds[1]);
    assert_eq!(rounds[1], rounds[2]);
    assert!(rounds[2].ends_with("--model x --resume ID"), "{rounds:?}");
}

#[test]
fn options_that_a_function_or_an_alias_adds_come_back_once() {
    let set_up = SetUp::new();
    set_up.t("new-session -d -s a");
    set_up.type_line("a", "claude() { command claude --ide --add-dir /usr \"$@\"; }");
    let id = typed(&set_up, "claude --model x");
    for round in 1..3 {
        let again = restored(&set_up, round);
        let expected = format!("--ide --add-dir /usr --model x --resume {id}");
        assert_eq!(again.arguments(), expected, "round {round}");
        set_up.conversation_shown("a");
    }
}
