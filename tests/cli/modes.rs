//! `persist restore --mode`: agents that start by themselves and agents that wait for Enter.

use crate::support::stub_agent::id;
use crate::support::{Sandbox, wait_until};
use serde_json::{Value, json};
use terminal_lobby::snapshot::{Row, State};

/// Sessions `s1` to `sN`, each with a stub on a conversation, used last in that order; saved, then
/// gone.
fn lost(count: u32) -> Sandbox {
    let sandbox = Sandbox::new();
    let work = sandbox.work();
    for n in 1..=count {
        let session = format!("s{n}");
        let new = ["new-session", "-d", "-s", &session, "-c", work.to_str().unwrap()];
        sandbox.stub_in(&new, &id(n));
        let line = format!(
            "{{\"type\":\"user\",\"cwd\":\"{}\",\"message\":{{\"content\":\"work  on\\n{n}\"}}}}\n",
            work.canonicalize().unwrap().display()
        );
        let transcript = sandbox.prompt(&id(n));
        std::fs::write(&transcript, line).unwrap();
        let used =
            std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_795_185_823 + u64::from(n));
        std::fs::File::options().append(true).open(transcript).unwrap().set_modified(used).unwrap();
    }
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    sandbox
}

fn modes(plan: &Value) -> Vec<&str> {
    plan["rows"].as_array().unwrap().iter().map(|row| row["mode"].as_str().unwrap()).collect()
}

fn saved(sandbox: &Sandbox) -> Vec<Row> {
    sandbox.persist(["save"]).ok();
    terminal_lobby::snapshot::decode(&sandbox.latest()).unwrap().rows
}

fn states(sandbox: &Sandbox) -> Vec<State> {
    saved(sandbox).iter().map(|row| row.state).collect()
}

fn shows(sandbox: &Sandbox, session: &str, text: &str) {
    let target = format!("={session}:");
    wait_until(&format!("{session} shows: {text}"), || {
        sandbox.tmux(["capture-pane", "-p", "-J", "-t", &target]).out().contains(text)
    });
}

fn configure(sandbox: &Sandbox, restore: &str) -> String {
    let config = sandbox.root().join("config.toml");
    std::fs::write(&config, format!("[restore]\n{restore}\n")).unwrap();
    config.to_str().unwrap().to_owned()
}

#[test]
fn lazy_agents_wait_are_saved_as_suspended_and_start_on_enter_on_their_own_conversation() {
    let sandbox = lost(2);
    let plan = sandbox.persist(["restore", "--mode", "lazy", "--json"]).ok().json();
    assert_eq!(modes(&plan), ["lazy", "lazy"]);
    assert_eq!(plan["rows"][0]["reason"], "waits for Enter");
    assert_eq!(
        plan["agents"],
        json!({"mode": "lazy", "eager": 0, "lazy": 2, "memory": null, "agent": null})
    );
    let work = sandbox.work().canonicalize().unwrap();
    for (session, n) in [("s1", 1), ("s2", 2)] {
        shows(
            &sandbox,
            session,
            &format!("claude was here: work on {n}\nin {}, last active ", work.display()),
        );
        shows(&sandbox, session, "(2026-11-20 14:43 UTC)\nEnter resumes it, q closes it.");
    }
    let rows = saved(&sandbox);
    for (row, n) in rows.iter().zip(1..) {
        assert_eq!((row.state, row.prompted), (State::Suspended, Some(true)));
        assert_eq!(row.conversation.as_deref(), Some(id(n).as_bytes()));
        assert_eq!(row.cwd, work.as_os_str().as_encoded_bytes());
        assert_eq!(row.evidence.as_deref(), Some(&b"argv"[..]));
        let command = String::from_utf8(row.command.clone().unwrap()).unwrap();
        assert!(!command.contains("work on"), "what was said is nobody else's to read: {command}");
    }
    // Present, and so not started a second time under another name either.
    sandbox.tmux(["rename-session", "-t", "=s1:", "renamed"]).ok();
    let again = sandbox.persist(["restore", "--mode", "eager", "--json"]).ok().json();
    let row = again["rows"].as_array().unwrap().iter().find(|row| row["session"] == "s1");
    if let Some(row) = row {
        assert_eq!(row["reason"], "its conversation is waiting in renamed:0.0", "{again:#}");
    }
    assert_eq!(sandbox.panes("#{session_name}"), ["renamed", "s2"]);
    sandbox.tmux(["send-keys", "-t", "=s2:", "Enter"]).ok();
    sandbox.wait_for_agent(&id(2));
    assert_eq!(sandbox.agents_on(&id(1)), [0; 0]);
    let live = saved(&sandbox).into_iter().find(|row| row.session == b"s2").unwrap();
    assert_eq!((live.state, live.evidence.as_deref()), (State::Live, Some(&b"record"[..])));
}

#[test]
fn what_waits_survives_any_number_of_reboots() {
    let sandbox = lost(2);
    sandbox.persist(["restore", "--mode", "lazy"]).ok();
    let mut before: Option<Vec<Row>> = None;
    for boot in 0..5 {
        shows(&sandbox, "s1", "Enter resumes it");
        shows(&sandbox, "s2", "Enter resumes it");
        let rows = saved(&sandbox);
        assert_eq!(rows.len(), 2);
        if let Some(before) = &before {
            let facts = |row: &Row| {
                (
                    row.session.clone(),
                    row.state,
                    row.conversation.clone(),
                    row.cwd.clone(),
                    row.prompted,
                )
            };
            assert_eq!(
                rows.iter().map(facts).collect::<Vec<_>>(),
                before.iter().map(facts).collect::<Vec<_>>(),
                "boot {boot}"
            );
        }
        assert!(rows.iter().all(|row| row.state == State::Suspended), "boot {boot}");
        before = Some(rows);
        sandbox.crash();
        let plan = sandbox.persist(["restore", "--json"]).ok().json();
        assert_eq!(plan["rows"][0]["reason"], "waited for Enter before", "{plan:#}");
    }
    shows(&sandbox, "s2", "Enter resumes it");
    sandbox.tmux(["send-keys", "-t", "=s2:", "Enter"]).ok();
    sandbox.wait_for_agent(&id(2));
    assert_eq!(states(&sandbox), [State::Suspended, State::Live]);
    sandbox.crash();
    let plan = sandbox.persist(["restore", "--json"]).ok().json();
    assert_eq!(modes(&plan), ["lazy", "eager"]);
    sandbox.wait_for_agent(&id(2));
    shows(&sandbox, "s1", "Enter resumes it");
    saved(&sandbox);
    sandbox.crash();
    sandbox.persist(["restore", "--mode", "eager"]).ok();
    (1..=2).for_each(|n| sandbox.wait_for_agent(&id(n)));
}

#[test]
fn lesson_21_auto_starts_what_was_used_last_while_the_budget_lasts_and_the_rest_waits() {
    let sandbox = lost(4);
    // Room for two of 550 MiB.
    let config = configure(&sandbox, "memory_budget = '1200M'\nat_once = 1");
    let dry = sandbox.persist(["restore", "--dry-run", "--json", "--config", &config]).ok().json();
    assert_eq!(modes(&dry), ["lazy", "lazy", "eager", "eager"]);
    assert_eq!(dry["rows"][0]["reason"], "waits for Enter: the memory budget is used up");
    assert_eq!(
        dry["agents"],
        json!({
            "mode": "auto", "eager": 2, "lazy": 2, "memory": 1200 << 20, "agent": 550 << 20,
        })
    );
    let mut plan = sandbox.persist(["restore", "--json", "--config", &config]).ok().json();
    for row in plan["rows"].as_array_mut().unwrap() {
        assert_eq!(row.as_object_mut().unwrap().remove("result"), Some(json!("restored")));
    }
    assert_eq!(dry, plan);
    (3..=4).for_each(|n| sandbox.wait_for_agent(&id(n)));
    shows(&sandbox, "s1", "Enter resumes it");
    shows(&sandbox, "s2", "Enter resumes it");
    assert_eq!(states(&sandbox), [State::Suspended, State::Suspended, State::Live, State::Live]);
}

#[test]
fn the_command_line_goes_over_the_configuration_and_show_says_the_same() {
    let sandbox = lost(2);
    let none = configure(&sandbox, "memory_budget = '0%'");
    let show = |args: &[&str]| {
        let args = [&["show", "--json", "--config", &none], args].concat();
        let plan = sandbox.persist(args).ok().json();
        modes(&plan).join(" ")
    };
    assert_eq!(show(&[]), "lazy lazy");
    assert_eq!(show(&["--mode", "eager"]), "eager eager");
    let human = sandbox.persist(["show", "--config", &none]).ok().out();
    assert!(
        human.contains("agents: 0 start at once, 2 wait for Enter (0 MiB for agents of 550 MiB)"),
        "{human}"
    );
    configure(&sandbox, "mode = 'eager'");
    assert_eq!(show(&[]), "eager eager");
    assert_eq!(show(&["--mode", "lazy"]), "lazy lazy");
    for (wrong, why) in [
        ("mode = 'fast'", "restore.mode = 'fast': expected eager, lazy or auto"),
        ("memory_budget = '150%'", "restore.memory_budget = '150%': expected a share"),
        ("wat = 1", "unknown field `wat`"),
    ] {
        configure(&sandbox, wrong);
        let run = sandbox.persist(["show", "--config", &none]).code(2);
        assert!(run.err().contains(why), "{}", run.err());
    }
}

#[test]
fn one_that_was_never_prompted_and_one_whose_directory_is_gone_wait_like_others() {
    let sandbox = Sandbox::new();
    let work = sandbox.work();
    let gone = sandbox.root().join("gone");
    std::fs::create_dir(&gone).unwrap();
    sandbox.stub_in(&["new-session", "-d", "-s", "fresh", "-c", work.to_str().unwrap()], &id(1));
    sandbox.stub_in(&["new-session", "-d", "-s", "gone", "-c", gone.to_str().unwrap()], &id(2));
    sandbox.prompt(&id(2));
    sandbox.persist(["save"]).ok();
    sandbox.crash();
    let gone_for_good = gone.canonicalize().unwrap();
    std::fs::remove_dir(&gone).unwrap();
    for _ in 0..2 {
        sandbox.persist(["restore", "--mode", "lazy"]).ok();
        shows(&sandbox, "fresh", "claude was here: never prompted");
        shows(&sandbox, "fresh", "Enter starts it, q closes it.");
        shows(&sandbox, "gone", &format!("in {}", gone_for_good.display()));
        let rows = saved(&sandbox);
        assert_eq!((rows[0].state, rows[0].prompted), (State::Suspended, Some(false)));
        assert_eq!((rows[1].state, rows[1].prompted), (State::Suspended, Some(true)));
        assert_eq!(rows[1].cwd, gone_for_good.as_os_str().as_encoded_bytes());
        sandbox.crash();
    }
    sandbox.persist(["restore", "--mode", "lazy"]).ok();
    shows(&sandbox, "fresh", "Enter starts it");
    sandbox.tmux(["send-keys", "-t", "=fresh:", "Enter"]).ok();
    sandbox.wait_for_agent(&id(1));
}
