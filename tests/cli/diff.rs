//! `persist diff`.

use crate::support::planted::{agent, now};
use crate::support::sandbox::user;
use crate::support::stub_agent::id;
use crate::support::{Sandbox, wait_until};
use serde_json::{Value, json};
use terminal_lobby::snapshot::Row;

fn diff(sandbox: &Sandbox, args: &[&str]) -> Value {
    sandbox.persist([&["diff", "--json"], args].concat()).ok().json()
}

#[test]
fn by_default_it_compares_the_newest_snapshot_with_the_present() {
    let sandbox = Sandbox::new();
    for name in ["same", "removed", "changed"] {
        sandbox.tmux(["new-session", "-d", "-s", name, "--", "sleep", "100000"]).ok();
    }
    sandbox.persist(["save"]).ok();
    let none = diff(&sandbox, &[]);
    assert_eq!((&none["to"], &none["sessions"]), (&json!("live"), &json!([])), "{none}");
    sandbox.persist(["forget", "--kill", "removed"]).ok();
    sandbox.tmux(["new-session", "-d", "-s", "added", "--", "sleep", "100000"]).ok();
    sandbox.tmux(["split-window", "-d", "-t", "changed", "--", "sleep", "100000"]).ok();
    sandbox.tmux(["rename-window", "-t", "changed", "named"]).ok();
    let some = diff(&sandbox, &[]);
    let all = some["sessions"].as_array().unwrap();
    let told: Vec<_> = all.iter().map(|s| (&s["session"], &s["change"])).collect();
    let [added, changed, removed] =
        ["added", "changed", "removed"].map(|word| (json!(word), json!(word)));
    let expected = [&added, &changed, &removed].map(|(a, b)| (a, b));
    assert_eq!(told, expected, "{some}");
    let panes = all[1]["panes"].as_array().unwrap();
    assert_eq!(panes.len(), 2);
    let fields: Vec<_> =
        panes[0]["fields"].as_array().unwrap().iter().map(|f| f["field"].clone()).collect();
    assert!(
        ["window_name", "window_layout", "window_flags"].iter().all(|f| fields.contains(&json!(f)))
    );
    assert_eq!((&panes[1]["change"], &panes[1]["pane"]), (&json!("added"), &json!(1)));
    let back = diff(&sandbox, &["live", "latest"]);
    let told: Vec<_> =
        back["sessions"].as_array().unwrap().iter().map(|s| s["change"].clone()).collect();
    assert_eq!(told, ["removed", "changed", "added"]);
}

#[test]
fn ids_and_files_can_be_compared_without_a_server() {
    let sandbox = Sandbox::new();
    let changed = Row { cwd: b"/tmp\x1b".to_vec(), ..agent("kept", &id(2)) };
    let old = sandbox.plant(now() - 100, &[agent("before", &id(1)), agent("kept", &id(2))]);
    let new = sandbox.plant(now(), &[agent("after", &id(1)), changed]);
    let file = sandbox.snapshot_dir().join(format!("{new}.tsv"));
    for to in [new.as_str(), "latest", file.to_str().unwrap()] {
        let told = diff(&sandbox, &[&old, to]);
        let (renamed, kept) = (&told["sessions"][0], &told["sessions"][1]);
        assert_eq!((&renamed["session"], &renamed["was"]), (&json!("after"), &json!("before")));
        assert_eq!(
            kept["panes"][0]["fields"],
            json!([{"field": "cwd", "from": "/", "to": "/tmp\u{1b}"}])
        );
    }
    let out = sandbox.persist(["diff", &old, "latest"]).ok().out();
    let expected = format!(
        "{}: from {old} to {new}\n~ after (was before)\n~ kept\n    ~ 0.0  live  claude  {}  \
         /tmp\\x1b\n          cwd: / -> /tmp\\x1b\n",
        user(),
        id(2)
    );
    assert_eq!(out, expected);
}

#[test]
fn the_exit_code_tells_of_differences_when_it_is_asked_to() {
    let sandbox = Sandbox::new();
    let old = sandbox.plant(now() - 100, &[agent("before", &id(1))]);
    sandbox.plant(now(), &[agent("after", &id(1))]);
    let code = |args: &[&str]| sandbox.persist([&["diff"], args].concat()).code;
    let detailed = "--detailed-exitcode";
    assert_eq!(code(&[&old, "latest"]), 0);
    assert_eq!(code(&[&old, "latest", detailed]), 2);
    assert_eq!(code(&[&old, &old, detailed]), 0);
    for wrong in [&["20200101T000000Z", "latest"][..], &["no", "latest"], &["./no", "latest"]] {
        assert_eq!(code(wrong), 2, "{wrong:?}");
        assert_eq!(code(&[wrong, &[detailed]].concat()), 1, "{wrong:?}");
    }
    assert_eq!(code(&["--no-such-option"]), 2);
    assert_eq!(code(&["--no-such-option", detailed]), 1);
}

#[test]
fn a_lost_agent_and_a_lost_server_are_seen() {
    let sandbox = Sandbox::new();
    let work = sandbox.work().to_str().unwrap().to_owned();
    sandbox.stub_in(&["new-session", "-d", "-s", "one", "-c", &work], &id(1));
    sandbox.persist(["save"]).ok();
    sandbox.tmux(["respawn-pane", "-k", "-t", "one:", "--", "sleep", "100000"]).ok();
    wait_until("the agent is gone", || sandbox.agents_on(&id(1)).is_empty());
    let told = diff(&sandbox, &[]);
    let fields = told["sessions"][0]["panes"][0]["fields"].as_array().unwrap();
    assert_eq!(
        fields,
        &[json!({"field": "state", "from": "live", "to": "lost"})],
        "as a save has it"
    );
    sandbox.crash();
    let told = diff(&sandbox, &[]);
    assert_eq!(told["sessions"][0]["change"], "removed");
    assert_eq!(told["notes"], json!(["no tmux server is running"]));
}

#[test]
fn without_a_snapshot_there_is_nothing_to_compare() {
    let run = Sandbox::new().persist(["diff"]).code(2);
    assert!(run.err().contains("has no snapshot"), "{}", run.err());
}
