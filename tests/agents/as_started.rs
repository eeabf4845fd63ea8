//! The real agents come back as they were started.

use super::{Place, pane_at};
use crate::support::agents::Agent;
use crate::support::{AgentLab, run, wait_until};

fn arguments(pid: i32) -> Vec<String> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    text.trim_end_matches('\0').split('\0').skip(1).map(str::to_owned).collect()
}

/// The options that a help text lists, with how it shows their values.
fn listed(help: &str) -> Vec<(String, &'static str)> {
    let mut all = Vec::new();
    let is_option = |line: &&str| {
        let text = line.trim_start();
        text.starts_with('-') && line.len() - text.len() <= 6 // what is said of one is further right
    };
    for line in help.lines().filter(is_option).map(str::trim_start) {
        // Two spaces separate an option from what is said of it.
        let option = line.split("  ").next().unwrap();
        let values = match option {
            _ if option.contains("...") => "...",
            _ if option.contains('<') => "<>",
            _ if option.contains('[') => "[]",
            _ => "",
        };
        let names = option.split([' ', ',']).filter(|word| word.starts_with('-') && word.len() > 1);
        all.extend(names.map(|name| (name.to_owned(), values)));
    }
    all
}

#[test]
fn the_options_that_the_agents_list_are_known_with_their_values() {
    let Some(lab) = AgentLab::new() else { return };
    for (agent, words, least) in [
        ("claude", &["--help"][..], 70),
        ("codex", &["--help"], 30),
        ("codex", &["resume", "--help"], 30),
        ("codex", &["fork", "--help"], 30),
    ] {
        let help = run(lab.command(agent).args(words)).ok().out();
        let listed = listed(&help);
        assert!(listed.len() >= least, "{agent} {words:?}: {listed:?}");
        let wrong: Vec<_> = listed
            .iter()
            .filter(|(name, values)| shared::agent_options::values_of(agent, name) != Some(*values))
            .collect();
        assert!(wrong.is_empty(), "{agent} {words:?} lists otherwise: {wrong:?}");
    }
}

#[test]
fn the_real_agents_come_back_with_their_options_and_their_names() {
    let Some(lab) = AgentLab::new() else { return };
    let work = lab.sandbox.work();
    let sub = work.join("sub");
    std::fs::create_dir(&sub).unwrap();
    lab.trust(&sub);
    let options = ["--add-dir", "sub", "--append-system-prompt", "Be brief. -c", "--verbose"];
    let claude = lab.start_claude("c", &work, &[&options[..], &["--name", "a name"]].concat());
    let codex_options = ["--yolo", "-c", "model_verbosity=\"low\"", "-C", "sub", "--no-alt-screen"];
    let codex = lab.start_codex("x", &work, &codex_options);
    lab.prompt(&claude, "this is c");
    lab.prompt(&codex, "this is x");
    lab.persist(["save"]).ok();
    for round in 0..2 {
        lab.sandbox.crash();
        lab.persist(["restore"]).ok();
        let again = lab.claude_in(&pane_at(&lab, Place("c", 0, 0)));
        let resume = ["--resume".to_owned(), claude.conversation.clone()];
        assert_eq!(arguments(again.pid), [&options.map(str::to_owned)[..], &resume].concat());
        // It reads the name from the transcript, some moments after it could be typed to.
        wait_until("the conversation has its name", || {
            lab.live_record(again.pid).is_some_and(|record| record["name"] == "a name")
        });
        let threads = lab.codex_in(&pane_at(&lab, Place("x", 0, 0)));
        let mut expected = vec!["--no-daemon".to_owned()];
        expected.extend(codex_options.map(str::to_owned));
        expected.extend(["resume".to_owned(), codex.conversation.clone()]);
        assert_eq!(arguments(threads.pid), expected);
        lab.persist(["save"]).ok();
        if round == 1 {
            recalls(&lab, &again, "this is c");
            recalls(&lab, &threads, "this is x");
        }
    }
}

#[track_caller]
fn recalls(lab: &AgentLab, agent: &Agent, prompt: &str) {
    assert_eq!(lab.prompt(agent, "recall").user_texts, [prompt, "recall"]);
}
