//! How an agent ends decides what becomes of the pane and of the record.

use super::{endings, in_pane, install_agent, screen, waits_for};
use crate::support::stub_agent::id;
use crate::support::{Sandbox, wait_until};

#[test]
fn exit_0_closes_the_pane_and_is_recorded_as_closed() {
    let sandbox = Sandbox::new();
    install_agent(&sandbox, "sleep 1.2; exit 0");
    sandbox.tmux(["new-session", "-d", "-s", "keep"]).ok();
    in_pane(&sandbox, &["--session", &id(1)]);
    wait_until("the pane is closed", || sandbox.panes("#{session_name}") == ["keep"]);
    let ended = endings(&sandbox);
    assert_eq!(ended.len(), 1);
    let fields: Vec<&str> = ended[0].split('\t').collect();
    assert_eq!(
        (fields[0], fields[2], fields[3], fields[4]),
        ("pane", id(1).as_str(), "claude", "closed")
    );
}

#[test]
fn any_other_end_is_a_loss_that_leaves_a_shell_and_says_how_to_resume() {
    for (script, why) in [
        ("exit 3", "claude exited with 3"),
        ("kill -9 $$", "claude was killed by signal 9 (SIGKILL)"),
    ] {
        let sandbox = Sandbox::new();
        install_agent(&sandbox, script);
        in_pane(&sandbox, &["--session", &id(1)]);
        waits_for(
            &sandbox,
            &format!("start-claude: resume it with: start-claude --resume {}", id(1)),
        );
        assert!(screen(&sandbox).contains(why), "{}", screen(&sandbox));
        wait_until("a login shell runs", || sandbox.panes("#{pane_current_command}") == ["sh"]);
        assert!(endings(&sandbox)[0].contains("\tlost\t"), "{:?}", endings(&sandbox));
    }
}

#[test]
fn a_hangup_reaches_the_agent_and_closes_nothing() {
    let sandbox = Sandbox::new();
    let heard = sandbox.root().join("heard");
    install_agent(
        &sandbox,
        &format!(
            "trap 'touch {}; exit 0' HUP; echo ready; while :; do sleep 1; done",
            heard.display()
        ),
    );
    sandbox.tmux(["new-session", "-d", "-s", "keep"]).ok();
    in_pane(&sandbox, &["--session", &id(1)]);
    waits_for(&sandbox, "ready");
    sandbox.tmux(["kill-session", "-t", "pane"]).ok();
    wait_until("the agent heard it", || heard.exists());
    wait_until("the end is recorded", || !endings(&sandbox).is_empty());
    assert!(endings(&sandbox)[0].contains("\tlost\t"), "{:?}", endings(&sandbox));
}

#[test]
fn a_termination_of_the_launcher_is_passed_on_and_closes_nothing() {
    let sandbox = Sandbox::new();
    let heard = sandbox.root().join("heard");
    install_agent(
        &sandbox,
        &format!(
            "trap 'touch {}; exit 0' TERM; echo ready; while :; do sleep 1; done",
            heard.display()
        ),
    );
    sandbox.tmux(["new-session", "-d", "-s", "keep"]).ok();
    in_pane(&sandbox, &["--session", &id(1)]);
    waits_for(&sandbox, "ready");
    let pid: i32 = sandbox
        .tmux(["display-message", "-p", "-t", "pane", "#{pane_pid}"])
        .out()
        .trim()
        .parse()
        .unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM)
        .unwrap();
    wait_until("the agent heard it", || heard.exists());
    wait_until("the pane is gone", || sandbox.panes("#{session_name}") == ["keep"]);
    assert!(
        endings(&sandbox)[0].contains("\tlost\twas ended by SIGTERM"),
        "{:?}",
        endings(&sandbox)
    );
}

#[test]
fn a_closed_conversation_is_not_resumed_and_a_lost_one_is() {
    let sandbox = Sandbox::new();
    let work = sandbox.work();
    let work = work.to_str().unwrap();
    for (name, n) in [("closed", 1), ("lost", 2)] {
        sandbox.stub_in(&["new-session", "-d", "-s", name, "-c", work], &id(n));
        sandbox.prompt(&id(n));
    }
    sandbox.persist(["save"]).ok();
    sandbox.persist(["ended", &id(1), "--how", "closed", "--session", "closed"]).ok();
    sandbox.persist(["ended", &id(2), "--how", "lost", "--session", "lost"]).ok();
    sandbox.crash();
    let json = sandbox.persist(["restore", "--json"]).ok().json();
    assert_eq!(json["rows"][0]["reason"], "its agents were closed on purpose");
    assert_eq!(json["rows"][0]["selected"], false);
    sandbox.wait_for_agent(&id(2));
    assert_eq!(sandbox.panes("#{session_name}"), ["lost"]);
}

#[test]
fn what_the_agent_went_on_to_in_its_pane_is_closed_with_it() {
    let sandbox = Sandbox::new();
    sandbox.install_stub_agent();
    sandbox.tmux(["new-session", "-d", "-s", "keep"]).ok();
    in_pane(&sandbox, &["--session", &id(1), "--no-freshen"]);
    sandbox.wait_for_agent(&id(1));
    // What `/clear` does: the same process, another conversation.
    let pid = sandbox.agents_on(&id(1))[0];
    let record = sandbox.home().join(format!(".claude/sessions/{pid}.json"));
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, text.replace(&id(1), &id(2))).unwrap();
    let save = || {
        let mut save = sandbox.command(env!("CARGO_BIN_EXE_persist"));
        let no_map = sandbox.root().join("no-user-map");
        crate::support::run(save.args(["save", "--json", "--user-map"]).arg(no_map)).ok().json()
    };
    save();
    // It ends as its user told it to, after some work.
    wait_until("it has worked for a while", || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let started: f64 =
            stat.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap().parse().unwrap();
        let up = std::fs::read_to_string("/proc/uptime").unwrap();
        let up: f64 = up.split(' ').next().unwrap().parse().unwrap();
        up - started / 100.0 > 1.5
    });
    let pid = nix::unistd::Pid::from_raw(pid);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    wait_until("the pane is closed", || sandbox.panes("#{session_name}") == ["keep"]);
    let closed: Vec<String> = endings(&sandbox)
        .iter()
        .filter(|line| line.contains("\tclosed\t"))
        .map(|line| line.split('\t').nth(2).unwrap().to_owned())
        .collect();
    assert_eq!(closed, [id(1), id(2)]);
    assert_eq!(save()["users"][0]["lost"], 0);
}
