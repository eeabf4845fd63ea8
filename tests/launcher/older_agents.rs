//! Older releases of agents, where their installers put them, and options that they refuse.

use super::{called, command, configure, endings, install_agent};
use crate::support::stub_agent::id;
use crate::support::{Sandbox, run};
use std::path::Path;

/// An agent that refuses options as its release does; otherwise it runs for as long as one that works.
fn install_refusing(sandbox: &Sandbox, options: &[&str], message: &str, code: u8) {
    let case = |option: &&str| {
        let message = message.replace("{}", option);
        format!("[ \"$word\" = {option} ] && {{ echo \"{message}\" >&2; exit {code}; }}\n")
    };
    let cases = options.iter().map(case).collect::<Vec<_>>().concat();
    let unknown = message.replace("{}", "$word");
    let script = format!(
        "for word; do\n{cases}case $word in --terminal-lobby*) echo \"{unknown}\" >&2; exit {code};; esac\ndone\nsleep 1.2"
    );
    install_agent(sandbox, &script);
}

const COMMANDER: &str = "error: unknown option '{}'";
const CLAP: &str = "error: unexpected argument '{}' found";

#[test]
fn a_release_that_takes_no_name_is_started_without_one() {
    let sandbox = Sandbox::new();
    install_refusing(&sandbox, &["--name"], COMMANDER, 1);
    let words = ["--session", &id(1), "--name", "x", "--no-freshen"];
    let started = run(&mut command(&sandbox, &words)).ok();
    let says = "this release of claude refuses --name: left out";
    assert!(started.err().contains(says), "{}", started.err());
    assert_eq!(called(&sandbox)[1..], ["--session-id", &id(1)]);
    assert!(endings(&sandbox)[0].contains("\tclosed\t"), "{:?}", endings(&sandbox));
}

#[test]
fn a_release_that_takes_no_id_is_started_without_one_and_none_is_recorded() {
    let sandbox = Sandbox::new();
    install_refusing(&sandbox, &["--name", "--session-id"], COMMANDER, 1);
    let words = ["--session", &id(1), "--name", "x", "--no-freshen", "--", "--verbose"];
    let started = run(&mut command(&sandbox, &words)).ok();
    let says = "this release of claude refuses --session-id and --name: left out";
    assert!(started.err().contains(says), "{}", started.err());
    assert_eq!(called(&sandbox)[1..], ["--verbose"]);
    assert!(endings(&sandbox).iter().all(|line| !line.contains(&id(1))), "{:?}", endings(&sandbox));
}

#[test]
fn a_release_that_cannot_fork_under_an_id_names_the_copy_itself() {
    let sandbox = Sandbox::new();
    install_refusing(&sandbox, &["--session-id"], COMMANDER, 1);
    let words = ["--session", &id(1), "--fork-of", &id(2), "--no-freshen"];
    run(&mut command(&sandbox, &words)).ok();
    assert_eq!(called(&sandbox)[1..], ["--resume", &id(2), "--fork-session"]);
}

#[test]
fn a_release_that_cannot_fork_starts_a_new_conversation_and_not_the_other_one() {
    let sandbox = Sandbox::new();
    install_refusing(&sandbox, &["--fork-session"], COMMANDER, 1);
    let words = ["--session", &id(1), "--fork-of", &id(2), "--no-freshen"];
    run(&mut command(&sandbox, &words)).ok();
    assert_eq!(called(&sandbox)[1..], ["--session-id", &id(1)]);
}

#[test]
fn a_codex_that_knows_no_daemon_is_started_without_that_option() {
    let sandbox = Sandbox::new();
    install_refusing(&sandbox, &["--no-daemon"], CLAP, 2);
    let bin = sandbox.home().join(".local/bin");
    std::fs::rename(bin.join("claude"), bin.join("codex")).unwrap();
    let words = ["--agent", "codex", "--no-freshen", "--", "--search"];
    let started = run(&mut command(&sandbox, &words)).ok();
    assert!(started.err().contains("refuses --no-daemon: left out"), "{}", started.err());
    assert_eq!(called(&sandbox)[1..], ["--search"]);
}

#[test]
fn an_option_of_an_own_agent_that_it_refuses_is_left_out() {
    let sandbox = Sandbox::new();
    install_refusing(&sandbox, &["--title"], "mine: unrecognized option '{}'", 64);
    configure(
        &sandbox,
        "[agents.mine]\ncommand = ['claude', '--fixed']\nname = ['--title={name}']\nnew = ['--id={id}']\n",
    );
    let bin = sandbox.home().join(".local/bin/claude");
    let text = std::fs::read_to_string(&bin).unwrap();
    let text = text.replace("[ \"$word\" = --title ]", "[ \"${word%%=*}\" = --title ]");
    std::fs::write(&bin, text).unwrap();
    let words = ["--agent", "mine", "--session", &id(1), "--name", "x", "--no-freshen"];
    run(&mut command(&sandbox, &words)).ok();
    assert_eq!(called(&sandbox)[1..], ["--fixed", &format!("--id={}", id(1))]);
}

#[test]
fn what_the_user_asked_for_is_not_left_out() {
    let sandbox = Sandbox::new();
    install_refusing(&sandbox, &["--permission-mode"], COMMANDER, 1);
    configure(&sandbox, "[agents.claude]\narguments = ['--permission-mode', 'plan']\n");
    let words = ["--session", &id(1), "--no-freshen"];
    let started = run(&mut command(&sandbox, &words));
    assert!(!started.err().contains("left out"), "{}", started.err());
    assert!(started.err().contains("claude exited with 1"), "{}", started.err());
}

#[test]
fn what_resumes_is_not_left_out() {
    let sandbox = Sandbox::new();
    install_refusing(&sandbox, &["--resume"], COMMANDER, 1);
    sandbox.prompt(&id(1));
    let started = run(&mut command(&sandbox, &["--resume", &id(1), "--no-freshen"]));
    assert!(started.err().contains("claude exited with 1"), "{}", started.err());
}

#[test]
fn another_failure_is_not_taken_for_a_refused_option() {
    for script in ["exit 1", "echo 'error: no network, see --name' >&2; exit 1"] {
        let sandbox = Sandbox::new();
        install_agent(&sandbox, script);
        let started = run(&mut command(&sandbox, &["--session", &id(1), "--name", "x"]));
        assert!(!started.err().contains("left out"), "{}", started.err());
        assert!(endings(&sandbox)[0].contains("\tlost\t"), "{:?}", endings(&sandbox));
    }
}

/// Moves the agent below the home.
fn move_agent(sandbox: &Sandbox, to: &str) {
    let to = sandbox.home().join(to);
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    std::fs::rename(sandbox.home().join(".local/bin/claude"), to).unwrap();
}

fn starts(sandbox: &Sandbox) {
    run(&mut command(sandbox, &["--session", &id(1), "--no-freshen"])).ok();
    assert_eq!(called(sandbox)[1..], ["--session-id", &id(1)]);
}

#[test]
fn what_the_older_installer_installed_is_found() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "sleep 1.2");
    move_agent(&sandbox, ".claude/local/claude");
    starts(&sandbox);
}

#[test]
fn what_the_older_installer_left_behind_gives_way_to_what_the_login_shell_finds() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "sleep 1.2");
    move_agent(&sandbox, "tools/claude");
    install_agent(&sandbox, "exit 9");
    move_agent(&sandbox, ".claude/local/claude");
    let tools = sandbox.home().join("tools");
    let text = format!("PATH={}:$PATH\n", tools.display());
    std::fs::write(sandbox.home().join(".profile"), text).unwrap();
    starts(&sandbox);
    assert!(endings(&sandbox)[0].contains("\tclosed\t"), "{:?}", endings(&sandbox));
}

#[test]
fn a_command_below_the_home_is_found_and_a_missing_one_is_named_by_its_path() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "sleep 1.2");
    move_agent(&sandbox, "tools/claude");
    configure(&sandbox, "[agents.claude]\ncommand = ['~/tools/claude']\n");
    starts(&sandbox);
    std::fs::remove_file(sandbox.home().join("tools/claude")).unwrap();
    let started = run(&mut command(&sandbox, &["--session", &id(1), "--no-freshen"]));
    let path = sandbox.home().join("tools/claude");
    assert!(started.err().contains(&format!("{} is not installed", path.display())));
}

#[test]
fn the_onboarding_flag_is_put_back_where_the_agent_keeps_it() {
    let flag = "{\"hasCompletedOnboarding\":true}";
    let text = |path: &Path| std::fs::read_to_string(path).unwrap();
    for from_agent_env in [false, true] {
        let sandbox = Sandbox::new();
        install_agent(&sandbox, "exit 0");
        let (own, moved) = (sandbox.home().join(".claude.json"), sandbox.home().join("cfg"));
        std::fs::create_dir(&moved).unwrap();
        let moved = moved.join(".claude.json");
        std::fs::write(&own, "{}").unwrap();
        std::fs::write(&moved, "{}").unwrap();
        let mut start = command(&sandbox, &["--session", &id(1), "--no-freshen"]);
        let dir = moved.parent().unwrap();
        if from_agent_env {
            use std::os::unix::fs::PermissionsExt;
            configure(&sandbox, "");
            let file = sandbox.home().join(".config/terminal-lobby/agent.env");
            let line = format!("CLAUDE_CONFIG_DIR=\"{}\"\n", dir.display());
            std::fs::write(&file, line).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        } else {
            start.env("CLAUDE_CONFIG_DIR", dir);
        }
        run(&mut start);
        assert_eq!((text(&own).as_str(), text(&moved).as_str()), ("{}", flag));
    }
}
