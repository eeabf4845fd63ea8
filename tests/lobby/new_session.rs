//! New sessions: by what is to be done.

use super::lab::{Lobby, scenario};
use super::layout::{ask, ids};
use super::page::can_run;
use crate::support::agents::agents;
use crate::support::run::run_within;
use crate::support::{AgentLab, Sandbox, wait_for, wait_until};
use serde_json::{Value, json};
use std::rc::Rc;
use std::time::Duration;

/// A lab whose agent is where the launcher looks for it, with a server that has the agents' environment.
pub(super) fn lab() -> Option<AgentLab> {
    let lab = AgentLab::new()?;
    let own = lab.sandbox.home().join(".local/bin");
    std::fs::create_dir_all(&own).unwrap();
    std::os::unix::fs::symlink(agents().join("claude"), own.join("claude")).unwrap();
    lab.tmux(["new-session", "-d", "-s", "first", "-x", "100", "-y", "30"]).ok();
    Some(lab)
}

fn create(lobby: &Lobby, wanted: &Value) -> (u16, Value) {
    ask(lobby, "POST", "/api/sessions", &wanted.to_string())
}

#[test]
fn a_session_begins_with_what_is_to_be_done_and_the_agent_gets_it_as_it_was_written() {
    let name = "lobby::new_session::a_session_begins_with_what_is_to_be_done_and_the_agent_gets_it_as_it_was_written";
    if !can_run(name) {
        return;
    }
    let Some(lab) = lab() else { return };
    let lobby = Lobby::beside(Rc::clone(&lab.sandbox));
    let work = lab.sandbox.work();
    let directory = work.to_str().unwrap();
    let played = run_within(
        scenario("prompt-first.mjs").arg(&lobby.url).arg(directory),
        Duration::from_mins(2),
    )
    .ok();
    print!("{}", played.out());
    wait_for("the agent has it", || {
        let turns = lab.log().into_iter().flat_map(|turn| turn.user_texts);
        turns
            .map(|text| text.trim().to_owned())
            .find(|text| text == "Fix the <b>login</b>\nof #{pid} $(x)")
    });
}

#[test]
fn names_never_collide_and_odd_requests_are_refused() {
    let lobby = Lobby::with_sessions(&["fix-login"]);
    let home = lobby.sandbox.home();
    let of = |more: &Value| {
        let mut wanted = json!({"directory": home.to_str().unwrap()});
        wanted.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        wanted
    };
    let made: Vec<(u16, Value)> =
        (0..3).map(|_| create(&lobby, &of(&json!({"prompt": "Fix the login"})))).collect();
    assert!(made.iter().all(|(status, _)| *status == 200), "{made:?}");
    let names: Vec<String> = ids(&lobby).into_keys().collect();
    assert_eq!(names, ["fix-login", "fix-login-2", "fix-login-3", "fix-login-4"]);
    for odd in [
        json!({"agent": "claude", "model": "--dangerously"}),
        json!({"agent": "claude", "model": "a b"}),
        json!({"agent": "claude", "prompt": "x".repeat(13_000)}),
        json!({"agent": "claude\u{0}"}),
        json!({"more": 1}),
    ] {
        assert_eq!(
            create(&lobby, &of(&odd)).0,
            422,
            "{}",
            odd.to_string().chars().take(60).collect::<String>()
        );
    }
    wait_until("what was used is kept", || {
        ask(&lobby, "GET", "/api/recent", "").1["directories"] == json!([home.to_str().unwrap()])
    });
}

/// The birth ids of the spare sessions in tmux.
fn spares(sandbox: &Sandbox) -> Vec<String> {
    let format = "#{?@lobby-spare,#{@lobby-id},}";
    let listed = sandbox.tmux(["list-sessions", "-F", format]).ok().out();
    listed.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The birth id of a spare session that is none of `others`, once its agent waits for a prompt.
fn ready(sandbox: &Sandbox, others: &[String]) -> String {
    wait_for("an agent is ready", || {
        let id = spares(sandbox).into_iter().find(|id| !others.contains(id))?;
        let record = |pane: &str| {
            let file = sandbox.home().join(format!(".claude/sessions/{pane}.json"));
            let record: Value = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
            (record["status"] == "idle").then_some(())
        };
        let format = "#{@lobby-id} #{pane_pid}";
        let panes = sandbox.tmux(["list-panes", "-a", "-F", format]).ok().out();
        let pid = panes.lines().find_map(|line| line.strip_prefix(&format!("{id} ")))?.to_owned();
        let tree = crate::support::sandbox::tree(pid.parse().unwrap());
        tree.iter().find_map(|pid| record(&pid.to_string()))?;
        Some(id)
    })
}

#[test]
fn a_new_session_takes_an_agent_that_was_kept_ready_and_its_prompt_is_never_lost() {
    let Some(lab) = lab() else { return };
    let sandbox = &lab.sandbox;
    let mut lobby = Lobby::beside(Rc::clone(sandbox));
    let work = sandbox.work();
    let wanted = |prompt: &str| json!({"directory": work, "agent": "claude", "prompt": prompt});
    let has = |text: &str| {
        let turns = lab.log().into_iter().flat_map(|turn| turn.user_texts);
        turns.filter(|said| said.trim() == text).count()
    };

    // Off unless it is turned on, and never more than a few.
    assert_eq!(ask(&lobby, "GET", "/api/spares", "").1, json!({"count": 0}));
    assert_eq!(ask(&lobby, "POST", "/api/spares", r#"{"count": 4}"#).0, 422);
    assert_eq!(ask(&lobby, "POST", "/api/spares", r#"{"count": 1}"#).0, 204);
    assert_eq!(create(&lobby, &wanted("Say one")).0, 200);
    wait_until("the first is read", || has("Say one") == 1);
    let spare = ready(sandbox, &[]);

    // It is shown to no one, and in no snapshot.
    assert!(!ids(&lobby).into_values().any(|id| id == spare));
    sandbox.persist(["save"]).ok();
    assert!(!String::from_utf8_lossy(&sandbox.latest()).contains("lobby-spare"));
    // Another lobby of the same person lets it alone, and has its own.
    let other = lobby.another();
    assert!(!ids(&other).into_values().any(|id| id == spare));
    assert_eq!(create(&other, &wanted("Say two")).0, 200);
    wait_until("the second is read", || has("Say two") == 1);
    drop(other); // killed: what it had is the next lobby's to end
    wait_until("both have one", || spares(sandbox).len() == 2);
    let left: Vec<String> = spares(sandbox).into_iter().filter(|id| *id != spare).collect();

    // A new session takes it: it has the prompt at once, a name, and is saved from now on.
    let begin = std::time::Instant::now();
    let (status, made) = create(&lobby, &wanted("Say three"));
    let took = begin.elapsed();
    assert_eq!((status, made["id"].as_str()), (200, Some(&*spare)), "{made}");
    wait_until("the third is read", || has("Say three") == 1);
    println!("accepted after {took:?}, read after {:?}", begin.elapsed());
    assert_eq!(ids(&lobby).get("say-three"), Some(&spare));
    sandbox.persist(["save"]).ok();
    assert!(String::from_utf8_lossy(&sandbox.latest()).contains("say-three"));

    // One whose input line is not empty is ended, and the session begins as any other.
    let spare = ready(sandbox, &left);
    let target = sandbox.tmux(["list-sessions", "-F", "#{@lobby-id} #{session_id}"]).ok().out();
    let target = target.lines().find_map(|line| line.strip_prefix(&format!("{spare} "))).unwrap();
    sandbox.tmux(["send-keys", "-t", &format!("{target}:"), "half a thought"]).ok();
    wait_until("it stands there", || {
        let screen = sandbox.tmux(["capture-pane", "-p", "-t", &format!("{target}:")]).ok().out();
        screen.contains("half a thought")
    });
    let (status, made) = create(&lobby, &wanted("Say four"));
    assert!(status == 200 && made["id"] != *spare, "{made}");
    wait_until("the fourth is read", || has("Say four") == 1);

    // A lobby that ends leaves none of its own, and one that begins none of those that were killed.
    lobby.interrupt();
    assert_eq!(spares(sandbox), left);
    let _next = Lobby::beside(Rc::clone(sandbox));
    wait_until("what was left is ended", || spares(sandbox).is_empty());
    for text in ["Say one", "Say two", "Say three", "Say four"] {
        assert_eq!(has(text), 1, "{text}");
    }
}
