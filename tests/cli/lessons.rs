//! What the predecessor learned the hard way, each line a test named for it. Those that have a
//! place of their own are there: `grep -rn 'fn lesson_'` finds them all.

use crate::support::sandbox::kill_tree;
use crate::support::stub_agent::id;
use crate::support::{Sandbox, run, wait_until};
use serde_json::Value;
use std::collections::BTreeSet;
use terminal_lobby::snapshot::{Snapshot, decode};

fn save(sandbox: &Sandbox) -> Value {
    sandbox.persist(["save", "--json"]).ok().json()["users"][0].clone()
}

fn newest(sandbox: &Sandbox) -> Snapshot {
    decode(&sandbox.latest()).unwrap()
}

fn names(snapshot: &Snapshot) -> BTreeSet<String> {
    let name = |row: &terminal_lobby::snapshot::Row| String::from_utf8(row.session.clone());
    snapshot.rows.iter().map(|row| name(row).unwrap()).collect()
}

#[test]
fn lesson_05_a_locale_of_c_or_none_at_all_changes_no_byte() {
    let sandbox = Sandbox::new();
    let name = "h\u{e9}llo \u{1f600}_x";
    sandbox.tmux(["new-session", "-d", "-s", name]).ok();
    for locale in [Some("C"), Some("POSIX"), Some("xx_YY.nonsense"), None] {
        let mut save = sandbox.persist_command(["save"]);
        save.env_remove("LC_ALL").env_remove("LANG");
        run(save.envs(locale.map(|locale| ("LC_ALL", locale)))).ok();
        assert_eq!(names(&newest(&sandbox)), BTreeSet::from([name.to_owned()]), "{locale:?}");
    }
    assert_eq!(sandbox.snapshots().len(), 1, "and so the state is the same");
}

#[test]
fn lesson_06_saves_that_race_the_servers_end_cost_nothing() {
    const ROUNDS: usize = 12;
    let sandbox = Sandbox::new();
    let all: BTreeSet<String> = (0..6).map(|n| format!("s{n}")).collect();
    for round in 0..ROUNDS {
        for name in &all {
            let new = || sandbox.tmux(["new-session", "-d", "-s", name, "-n", "w"]);
            wait_until("the session is made", || {
                let made = new();
                made.code == 0 || made.err().contains("duplicate session")
            });
        }
        save(&sandbox);
        let server = sandbox.server_pid().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                // Whether one still finds a server is chance; what it leaves behind is not.
                scope.spawn(|| sandbox.persist(["save"]));
            }
            for name in all.iter().take(round % 7) {
                sandbox.tmux(["kill-session", "-t", &format!("={name}")]);
            }
            let pid = nix::unistd::Pid::from_raw(server);
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        });
        wait_until("the server is gone", || crate::support::sandbox::ended(server));
        assert_eq!(names(&newest(&sandbox)), all, "round {round}");
        sandbox.persist(["restore"]).ok();
        let live: BTreeSet<String> = sandbox.panes("#{session_name}").into_iter().collect();
        assert_eq!(live, all, "round {round}");
    }
}

#[test]
fn lesson_12_the_live_record_outranks_the_argument_list() {
    let sandbox = Sandbox::new();
    let work = sandbox.work().to_str().unwrap().to_owned();
    sandbox.stub_in(&["new-session", "-d", "-s", "one", "-c", &work], &id(1));
    let pid = sandbox.agents_on(&id(1))[0];
    // What `/clear` does: the same process, another conversation.
    let record = sandbox.home().join(format!(".claude/sessions/{pid}.json"));
    let text = std::fs::read_to_string(&record).unwrap();
    std::fs::write(&record, text.replace(&id(1), &id(2))).unwrap();
    save(&sandbox);
    let row = &newest(&sandbox).rows[0];
    assert_eq!(row.conversation.as_deref(), Some(id(2).as_bytes()));
    assert_eq!(row.evidence.as_deref(), Some(&b"record"[..]));
    let argv = String::from_utf8_lossy(row.command.as_deref().unwrap()).into_owned();
    assert!(argv.contains(&id(1)), "{argv}");
}

/// How many times a save opens something, and what it opens in `/proc` but for its own processes.
fn opened(sandbox: &Sandbox) -> (usize, BTreeSet<String>) {
    wait_until("everything is as it was saved", || save(sandbox)["result"] == "unchanged");
    let trace = sandbox.root().join("trace");
    let mut traced = sandbox.command("strace");
    traced.args(["-f", "-e", "trace=openat", "-o"]).arg(&trace);
    traced.arg(env!("CARGO_BIN_EXE_persist")).args(["save", "--state-dir"]).arg(sandbox.state());
    traced.arg("--user-map").arg(sandbox.root().join("no-user-map"));
    let said = run(traced.arg("--config").arg(sandbox.config())).ok();
    assert!(said.out().contains("unchanged"), "{}", said.out());
    let text = String::from_utf8_lossy(&std::fs::read(trace).unwrap()).into_owned();
    let paths = text.lines().filter_map(|line| line.split('"').nth(1));
    let of_processes = paths.clone().filter_map(|path| path.strip_prefix("/proc"));
    let processes = of_processes.map(|path| path.split('/').nth(1).unwrap_or("").to_owned());
    let own: BTreeSet<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    // Of our own process: whether it asks tmux once or twice depends on which sessions were in use a second ago.
    let first = text.split(' ').next().unwrap();
    let opens = text.lines().filter(|line| line.starts_with(first) && line.contains('"')).count();
    (opens, processes.filter(|pid| !own.contains(pid.as_str())).collect())
}

#[test]
fn lesson_15_other_processes_and_old_transcripts_cost_a_save_nothing() {
    if !crate::faults::has_strace("lesson_15") {
        return;
    }
    let sandbox = Sandbox::new();
    let work = sandbox.work().to_str().unwrap().to_owned();
    let session = |n: u32| {
        let name = format!("s{n:02}");
        sandbox.stub_in(&["new-session", "-d", "-s", &name, "-c", &work], &id(n));
        sandbox.prompt(&id(n));
    };
    (1..=8).for_each(session);
    let (with_8, processes) = opened(&sandbox);
    let panes: BTreeSet<String> = sandbox.panes("#{pane_pid}").into_iter().collect();
    let mut tree: BTreeSet<String> = BTreeSet::from(["sys".to_owned(), "self".to_owned()]);
    tree.extend(sandbox.server_pid().map(|pid| pid.to_string()));
    for pane in &panes {
        let pids = crate::support::sandbox::tree(pane.parse().unwrap());
        tree.extend(pids.iter().map(ToString::to_string));
    }
    let strangers: Vec<&String> = processes.difference(&tree).collect();
    assert!(strangers.is_empty(), "{strangers:?} are of no pane");
    // Others' processes, and transcripts of other days.
    let mut others: Vec<_> =
        (0..200).map(|_| sandbox.command("sleep").arg("1000").spawn().unwrap()).collect();
    let project = sandbox.prompt(&id(1)).parent().unwrap().to_owned();
    for n in 1000..3000 {
        std::fs::write(project.join(format!("{}.jsonl", id(n))), "{\"type\":\"user\"}\n").unwrap();
    }
    let (crowded, _) = opened(&sandbox);
    for other in &mut others {
        other.kill().unwrap();
        other.wait().unwrap();
    }
    assert_eq!(crowded, with_8);
    (9..=16).for_each(session);
    let (with_16, _) = opened(&sandbox);
    (17..=24).for_each(session);
    let (with_24, _) = opened(&sandbox);
    assert_eq!(with_24 - with_16, with_16 - with_8, "linear in panes");
}

#[test]
fn lesson_16_an_agent_is_known_by_evidence_whatever_its_process_is_called() {
    let sandbox = Sandbox::new();
    let work = sandbox.work().to_str().unwrap().to_owned();
    let stub = sandbox.install_stub_agent();
    let script = std::fs::read_to_string(&stub).unwrap();
    for (name, n) in ["2.1.197", "MainThread", "tmux: server"].into_iter().zip(1..) {
        let renamed = stub.with_file_name(format!("agent{n}"));
        let (first, rest) = script.split_once('\n').unwrap();
        let rename = format!("{first}\nprintf '%s' '{name}' >/proc/$$/comm\n{rest}");
        std::fs::write(&renamed, rename).unwrap();
        let program = ["--", "/bin/sh", renamed.to_str().unwrap(), "--session-id", &id(n)];
        let new = ["new-session", "-d", "-s", name, "-c", &work];
        sandbox.tmux([&new[..], &program].concat()).ok();
        wait_until("its live record is there", || {
            let records = std::fs::read_dir(sandbox.home().join(".claude/sessions"));
            let records = records.into_iter().flatten().filter_map(Result::ok);
            records
                .filter_map(|file| std::fs::read_to_string(file.path()).ok())
                .any(|record| record.contains(&id(n)))
        });
    }
    let comm = |pid: &String| std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
    let called: BTreeSet<String> =
        sandbox.panes("#{pane_pid}").iter().map(|pid| comm(pid).trim().to_owned()).collect();
    assert!(called.contains("2.1.197") && called.contains("MainThread"), "{called:?}");
    save(&sandbox);
    let newest = newest(&sandbox);
    let known = newest.rows.iter().filter_map(|row| row.conversation.clone());
    let all: BTreeSet<Vec<u8>> = (1..=3).map(|n| id(n).into_bytes()).collect();
    assert_eq!(known.collect::<BTreeSet<_>>(), all);
}

#[test]
fn lesson_17_a_pane_is_addressed_by_its_id_whatever_its_session_is_called() {
    let sandbox = Sandbox::new();
    let work = sandbox.work().to_str().unwrap().to_owned();
    let stub = sandbox.install_stub_agent();
    let names = ["%0", "@1", "$2", "=x", "pre", "prefix", "{last}"];
    for (name, n) in names.iter().zip(1..) {
        sandbox.prompt(&id(n));
        sandbox.tmux(["new-session", "-d", "-s", name, "-c", &work]).ok();
        let pane =
            sandbox.tmux(["list-panes", "-a", "-F", "#{session_name} #{pane_id}"]).ok().out();
        let pane = pane.lines().find_map(|line| line.strip_prefix(&format!("{name} "))).unwrap();
        let line = format!("sh {} --resume {}", stub.display(), id(n));
        sandbox.tmux(["send-keys", "-t", pane, "-l", "--", &line]).ok();
        sandbox.tmux(["send-keys", "-t", pane, "Enter"]).ok();
        sandbox.wait_for_agent(&id(n));
    }
    save(&sandbox);
    let before = sandbox.panes("#{session_name} #{pane_id}");
    for n in 1..=names.len() {
        sandbox.agents_on(&id(u32::try_from(n).unwrap())).into_iter().for_each(kill_tree);
    }
    for pane in sandbox.panes("#{pane_id}") {
        sandbox.wait_for_prompt(&pane);
    }
    let json = sandbox.persist(["restore", "--json"]).ok().json();
    for row in json["rows"].as_array().unwrap() {
        assert_eq!((&row["action"], &row["result"]), (&"in_place".into(), &"restored".into()));
    }
    assert_eq!(sandbox.panes("#{session_name} #{pane_id}"), before);
    for n in 1..=names.len() {
        sandbox.wait_for_agent(&id(u32::try_from(n).unwrap()));
    }
    save(&sandbox);
    for (row, name) in newest(&sandbox).rows.iter().zip(BTreeSet::from(names)) {
        let n = names.iter().position(|other| *other == name).unwrap() + 1;
        let expected = id(u32::try_from(n).unwrap());
        assert_eq!(row.conversation.as_deref(), Some(expected.as_bytes()), "{name}");
    }
}

#[test]
fn lesson_23_more_than_thirty_kilobytes_of_sessions_come_back_in_one_restore() {
    let sandbox = Sandbox::new();
    let deep = sandbox.work().join("d".repeat(200)).join("e".repeat(200));
    std::fs::create_dir_all(&deep).unwrap();
    for n in 0..80 {
        let name = format!("{n:03}{}", "n".repeat(150));
        let deep = deep.to_str().unwrap();
        sandbox.tmux(["new-session", "-d", "-s", &name, "-c", deep, "--", "sleep", "1000"]).ok();
    }
    save(&sandbox);
    assert!(sandbox.latest().len() > 30_000);
    let before = sandbox.panes("#{session_name} #{pane_current_path}");
    sandbox.crash();
    sandbox.persist(["restore"]).ok();
    wait_until("all are there", || sandbox.panes("#{session_name} #{pane_current_path}") == before);
}
