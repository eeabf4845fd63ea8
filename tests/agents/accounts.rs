//! Two accounts of one user: the agents' own variables say where their data is.

use super::stray::Strays;
use super::{Place, pane_at};
use crate::support::AgentLab;
use crate::support::agents::{Agent, OTHER_ACCOUNT};

/// The value of a variable of a process.
fn variable(pid: i32, name: &str) -> Option<String> {
    let environment = std::fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
    let value = |entry: &str| Some(entry.strip_prefix(name)?.strip_prefix('=')?.to_owned());
    environment.split('\0').find_map(value)
}

#[test]
fn agents_of_two_accounts_in_one_directory_come_back_each_with_its_own() {
    let Some(lab) = AgentLab::new() else { return };
    let _strays = Strays(&lab);
    let work = lab.sandbox.work();
    let [claude_dir, codex_home] = OTHER_ACCOUNT.map(|dir| lab.sandbox.home().join(dir));
    lab.copy_account();
    let variables = [
        format!("CLAUDE_CONFIG_DIR={}", claude_dir.display()),
        format!("CODEX_HOME={}", codex_home.display()),
    ];
    let start = |session: &str, other: bool, program: &[&str]| {
        let mut words = vec!["new-session", "-s", session];
        for variable in variables.iter().filter(|_| other) {
            words.extend(["-e", variable]);
        }
        lab.start(&words, &work, program)
    };
    let codex = ["codex", "--no-daemon"];
    let agents = || {
        let at = |name: &'static str| pane_at(&lab, Place(name, 0, 0));
        [
            lab.claude_in(&at("claude")),
            lab.claude_in(&at("claude other")),
            lab.codex_in(&at("codex")),
            lab.codex_in(&at("codex other")),
        ]
    };
    start("claude", false, &["claude"]);
    start("claude other", true, &["claude"]);
    start("codex", false, &codex);
    start("codex other", true, &codex);
    let before: [Agent; 4] = agents();
    let texts = ["apple", "banana", "cherry", "date"];
    for (agent, text) in before.iter().zip(texts) {
        lab.prompt(agent, text);
    }
    lab.persist(["save"]).ok();
    lab.sandbox.crash();
    lab.persist(["restore"]).ok();
    for ((agent, was), text) in agents().iter().zip(&before).zip(texts) {
        assert_eq!(agent.conversation, was.conversation, "{text}");
        for name in ["CLAUDE_CONFIG_DIR", "CODEX_HOME"] {
            let is_other = text == "banana" || text == "date";
            let expected = variables.iter().find_map(|each| each.strip_prefix(name)?.get(1..));
            let own = (name == "CLAUDE_CONFIG_DIR") == (text < "c");
            if own {
                let expected = expected.filter(|_| is_other).map(str::to_owned);
                assert_eq!(variable(agent.pid, name), expected, "{text}");
            }
        }
        assert_eq!(lab.prompt(agent, "recall").user_texts, [text, "recall"]);
    }
}
