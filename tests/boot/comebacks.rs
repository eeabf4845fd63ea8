//! What is killed comes back by itself on a host: an agent, a server, and neither while memory is short nor for
//! ever; and one user's watch costs others nothing.

use crate::support::boxes::USERS;
use crate::support::stub_agent::id;
use crate::support::{BootBox, On, wait_for, wait_until};
use serde_json::Value;
use std::path::PathBuf;

/// How long a person may have to wait (milliseconds). A machine with more work than processors is allowed
/// as much more.
fn ten_seconds() -> u64 {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap();
    let load: f64 = load.split(' ').next().unwrap().parse().unwrap();
    let cores = u32::try_from(std::thread::available_parallelism().unwrap().get()).unwrap();
    let share = (load / f64::from(cores)).clamp(1.0, 6.0);
    std::time::Duration::from_secs(10).mul_f64(share).as_millis().try_into().unwrap()
}

fn uid(user: &str) -> usize {
    1000 + USERS.iter().position(|each| *each == user).unwrap()
}

/// A host where `user` has agents below shells in the sessions `a1`, `a2` and so on, prompted, saved and watched.
fn watched(test: &str, agents: &[(&str, u32)]) -> Option<BootBox> {
    let made = BootBox::booted(test, On::Host)?;
    for (user, count) in agents {
        for n in 1..=*count {
            start(&made, user, n, "claude");
        }
        watch(&made, user, *count);
    }
    Some(made)
}

/// Types the command into a shell of a new session; waits for the agent. Every user has conversations of their own.
fn start(made: &BootBox, user: &str, n: u32, command: &str) {
    let conversation = conversation(user, n);
    made.sh_as(
        user,
        &format!(
            "mkdir -p ~/code
        project=~/.claude/projects/$(cd ~/code; pwd -P | sed 's/[^A-Za-z0-9]/-/g')
        mkdir -p $project
        tmux -u new-session -d -s a{n} -c ~/code -x 120 -y 40
        tmux send-keys -t =a{n}: '{command} --session-id {conversation}' Enter
        until grep -qs {conversation} ~/.claude/sessions/*.json; do sleep 0.05; done
        echo '{{\"type\":\"user\"}}' >$project/{conversation}.jsonl"
        ),
    );
}

fn conversation(user: &str, n: u32) -> String {
    id(u32::try_from(uid(user)).unwrap() * 100 + n)
}

/// Saves, starts the user's watch, and waits until so many agents are watched.
fn watch(made: &BootBox, user: &str, agents: u32) {
    made.sh("systemctl start tmux-persist-save.service");
    made.sh(&format!("systemctl restart tmux-persist-watch@{}.service", uid(user)));
    wait_for_watched(made, user, agents);
}

#[track_caller]
fn wait_for_watched(made: &BootBox, user: &str, agents: u32) {
    let script = format!("grep -c '^agent' /var/lib/tmux-persist/{user}/watched.tsv || true");
    wait_until("the agents are watched", || made.sh(&script).trim() == agents.to_string());
}

/// The agent's process, as the box counts.
fn agent(made: &BootBox, user: &str, n: u32) -> Option<u32> {
    let pattern = format!("claude --[a-z-]* {}", conversation(user, n));
    let out = made.sh(&format!("pgrep -u {user} -n -f '{pattern}' || true"));
    out.trim().parse().ok()
}

/// Runs a script that ends agents, and waits until another process of each runs; milliseconds from one
/// to the other, or what is missing.
fn back_after(made: &BootBox, user: &str, agents: &[u32], kill: &str) -> Result<u64, String> {
    let ids: Vec<String> = agents.iter().map(|n| conversation(user, *n)).collect();
    let script = format!(
        "ids='{}'
        pids() {{ pgrep -u {user} -f \"claude --[a-z-]* $1\" || true; }}
        for id in $ids; do echo \" $(pids $id) \"; done | tr '\\n' ' ' >/tmp/old
        begin=$(date +%s%N)
        {kill}
        now() {{ echo $((($(date +%s%N) - begin) / 1000000)); }}
        while :; do
            missing=
            for id in $ids; do
                new=
                # A process that the agent itself has forked is none that came back.
                for pid in $(pgrep -u {user} -f \"claude --resume $id\" || true); do
                    case $(cat /tmp/old) in *\" $pid \"*) ;; *) new=$pid ;; esac
                done
                [ -n \"$new\" ] || missing=\"$missing $id\"
            done
            [ -n \"$missing\" ] || break
            [ $(now) -lt 50000 ] || {{ echo \"missing:$missing\"; exit 0; }}
            sleep 0.05
        done
        now",
        ids.join(" ")
    );
    let out = made.sh(&script);
    out.trim().parse().map_err(|_| out)
}

fn events(made: &BootBox, user: &str) -> Vec<(String, String)> {
    let json: Value =
        serde_json::from_str(&made.sh(&format!("persist events --json --user {user}"))).unwrap();
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let events = json["events"].as_array().unwrap();
    events.iter().map(|event| (word(&event["kind"]), word(&event["cause"]))).collect()
}

fn shown(made: &BootBox, user: &str, session: &str) -> String {
    made.without_login(user, &format!("tmux -u capture-pane -p -J -S - -t ={session}:"))
}

/// A memory limit of one process. Where the box's own systemd has no memory controller, since this machine
/// has the older hierarchy, it is a group of that one.
struct Limit {
    group: Option<PathBuf>,
}

impl Limit {
    fn has_controller(made: &BootBox) -> bool {
        made.sh("cat /sys/fs/cgroup/cgroup.controllers").split_whitespace().any(|c| c == "memory")
    }

    /// Puts a process of the box into a group with a limit of the older hierarchy.
    fn of_older_hierarchy(made: &BootBox, pid: u32) -> Option<Self> {
        let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap();
        let own = groups.lines().find_map(|line| line.split_once(":memory:"))?.1;
        let base = PathBuf::from(format!("/sys/fs/cgroup/memory{own}"));
        let group = base.join(format!("tl-watching-{}", std::process::id()));
        std::fs::create_dir(&group).ok()?;
        std::fs::write(group.join("memory.limit_in_bytes"), (150 << 20).to_string()).unwrap();
        let start = made.sh(&format!("cat /proc/{pid}/stat"));
        let of_machine = wait_for("the process on this machine", || {
            std::fs::read_dir("/proc").unwrap().find_map(|entry| {
                let entry = entry.ok()?;
                let of_machine: u32 = entry.file_name().to_str()?.parse().ok()?;
                let status = std::fs::read_to_string(entry.path().join("status")).ok()?;
                let ids = status.lines().find_map(|line| line.strip_prefix("NSpid:"))?;
                let ids: Vec<&str> = ids.split_whitespace().collect();
                let line = std::fs::read_to_string(entry.path().join("stat")).ok()?;
                let field = |stat: &str| stat.split(' ').nth(21).map(str::to_owned);
                let is_it = ids.len() > 1
                    && ids.last() == Some(&pid.to_string().as_str())
                    && field(&line) == field(&start);
                is_it.then_some(of_machine)
            })
        });
        std::fs::write(group.join("cgroup.procs"), of_machine.to_string()).unwrap();
        Some(Self { group: Some(group) })
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        if let Some(group) = &self.group {
            let _ = std::fs::remove_dir(group); // empty: what was in it was killed
        }
    }
}

#[test]
fn an_agent_that_reached_its_memory_limit_is_back_with_its_history_and_an_explanation() {
    let Some(made) = watched(
        "boot::comebacks::an_agent_that_reached_its_memory_limit_is_back_with_its_history_and_an_explanation",
        &[("alice", 1), ("bob", 1)],
    ) else {
        return;
    };
    let real = Limit::has_controller(&made);
    let _limit = if real {
        let scope = "systemd-run --user --scope -q -p MemoryMax=150M -p MemorySwapMax=0 claude";
        start(&made, "alice", 2, scope);
        Limit { group: None }
    } else {
        start(&made, "alice", 2, "claude");
        let pid = agent(&made, "alice", 2).unwrap();
        Limit::of_older_hierarchy(&made, pid).unwrap()
    };
    watch(&made, "alice", 2);
    let others = || {
        let pids = [agent(&made, "alice", 1), agent(&made, "bob", 1), made.server("alice")];
        let own = "#{?#{==:#{session_name},a2},its own pane,#{pane_pid}}";
        (pids, made.panes("alice", &format!("#{{pane_id}} #{{session_name}} {own}")))
    };
    let before = others();
    // The agent allocates: the kernel kills it, and nothing else.
    let pid = agent(&made, "alice", 2).unwrap();
    let took = back_after(&made, "alice", &[2], &format!("kill -USR1 {pid}")).unwrap();
    eprintln!("an agent that reached its memory limit was back after {took} ms");
    assert!(took < ten_seconds(), "{took} ms");
    assert_eq!(others(), before, "something else was touched");
    let resumed =
        made.sh(&format!("tr '\\0' ' ' </proc/{}/cmdline", agent(&made, "alice", 2).unwrap()));
    assert!(resumed.contains(&format!("--resume {}", conversation("alice", 2))), "{resumed}");
    let text = shown(&made, "alice", "a2");
    assert!(text.contains("claude was killed at ") && text.contains("persist watch"), "{text}");
    // Without the controller there are no counters of the pane's group: then it depends on whether the kernel said
    // that tasks wait for memory.
    let causes: &[&str] = if real { &["pane-limit"] } else { &["host-memory", "signal"] };
    if real {
        assert!(text.contains("it reached the memory limit of its pane"), "{text}");
    }
    wait_until("the events are recorded", || events(&made, "alice").len() >= 2);
    let seen = events(&made, "alice");
    assert_eq!(seen[0].0, "death", "{seen:?}");
    assert!(causes.contains(&seen[0].1.as_str()), "{seen:?}");
    assert!(seen.iter().any(|(kind, _)| kind == "resumed"), "{seen:?}");
    assert_eq!(events(&made, "bob"), [], "nothing happened to bob");
    // In the journal, with the fields that only the journal sets.
    let entries = made.sh(&format!(
        "journalctl --sync; journalctl -b -t persist -o json _UID={} PERSIST_KIND=death",
        uid("alice")
    ));
    let entry: Value = serde_json::from_str(entries.lines().next().unwrap()).unwrap();
    assert_eq!(entry["PERSIST_SESSION"], "a2");
    assert_eq!(entry["PERSIST_CONVERSATION"], conversation("alice", 2));
    assert_eq!(entry["MESSAGE_ID"].as_str().unwrap().len(), 32);
}

#[test]
fn a_server_that_was_killed_is_back_with_twenty_sessions_and_their_agents() {
    let Some(made) = watched(
        "boot::comebacks::a_server_that_was_killed_is_back_with_twenty_sessions_and_their_agents",
        &[("alice", 20)],
    ) else {
        return;
    };
    made.sh("sed -i '/^\\[restore\\]/d' /etc/terminal-lobby/config.toml
        printf '[restore]\\nmode = \"eager\"\\nat_once = 20\\n' >>/etc/terminal-lobby/config.toml");
    let before =
        made.panes("alice", "#{session_name} #{window_index}.#{pane_index} #{pane_current_path}");
    assert_eq!(before.len(), 20);
    let server = made.server("alice").unwrap();
    let all: Vec<u32> = (1..=20).collect();
    let took = back_after(&made, "alice", &all, &format!("kill -9 {server}")).unwrap();
    eprintln!("a server with 20 sessions was back after {took} ms");
    assert!(took < ten_seconds(), "{took} ms");
    let after =
        made.panes("alice", "#{session_name} #{window_index}.#{pane_index} #{pane_current_path}");
    assert_eq!(after, before);
    let slice = made.sh(&format!("cat /proc/{}/cgroup", made.server("alice").unwrap()));
    assert!(slice.contains(&format!("user-{}.slice", uid("alice"))), "{slice}");
    let kinds = || events(&made, "alice").into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
    wait_until("the events are recorded", || kinds().contains(&"restored".to_owned()));
    assert_eq!(kinds()[0], "server-death");
    // The new watch waits for the agents that came back.
    wait_for_watched(&made, "alice", 20);
}

#[test]
fn nothing_is_started_while_a_stubbed_meminfo_says_that_memory_is_short() {
    let Some(made) = watched(
        "boot::comebacks::nothing_is_started_while_a_stubbed_meminfo_says_that_memory_is_short",
        &[("alice", 1), ("bob", 1)],
    ) else {
        return;
    };
    // What the kernel says to alice's watch; a box cannot make its machine short of memory.
    made.sh(
        "mkdir -p /srv/root/proc /etc/systemd/system/tmux-persist-watch@1000.service.d
        printf 'MemTotal: 16000000 kB\\nMemAvailable: 100000 kB\\n' >/srv/root/proc/meminfo
        printf '[Service]\\nExecStart=\\nExecStart=/usr/bin/persist watch --by-unit --root /srv/root\\n' \
            >/etc/systemd/system/tmux-persist-watch@1000.service.d/root.conf
        systemctl daemon-reload",
    );
    watch(&made, "alice", 1);
    let dead = agent(&made, "alice", 1).unwrap();
    made.sh(&format!("kill -9 {dead}"));
    wait_until("the death is looked into", || !events(&made, "alice").is_empty());
    // Bob's watch sees the machine's memory, and brings his agent back meanwhile.
    let pid = agent(&made, "bob", 1).unwrap();
    back_after(&made, "bob", &[1], &format!("kill -9 {pid}")).unwrap();
    assert_eq!(agent(&made, "alice", 1), None, "it was started without memory for it");
    assert!(events(&made, "alice").iter().all(|(kind, _)| kind != "resumed"));
    // There is memory again: it comes back.
    made.sh(
        "printf 'MemTotal: 16000000 kB\\nMemAvailable: 12000000 kB\\n' >/srv/root/proc/meminfo",
    );
    wait_until("the agent is back", || agent(&made, "alice", 1).is_some());
}

#[test]
fn a_loop_of_death_stops_after_three_times_and_says_so() {
    let Some(made) = watched(
        "boot::comebacks::a_loop_of_death_stops_after_three_times_and_says_so",
        &[("alice", 1)],
    ) else {
        return;
    };
    made.sh("printf '[watch]\\ninterval_minutes = 0\\n' >>/etc/terminal-lobby/config.toml");
    watch(&made, "alice", 1);
    for times in 1..=3 {
        let pid = agent(&made, "alice", 1).unwrap();
        let back = back_after(&made, "alice", &[1], &format!("kill -9 {pid}"));
        assert!(back.is_ok(), "{times}: {back:?}");
        let new = agent(&made, "alice", 1).unwrap();
        let listed = format!("grep -q '^agent\t{new}\t' /var/lib/tmux-persist/alice/watched.tsv");
        wait_until("it is watched again", || made.try_sh("root", &listed).code == 0);
    }
    let pid = agent(&made, "alice", 1).unwrap();
    made.sh(&format!("kill -9 {pid}"));
    let kinds = || events(&made, "alice").into_iter().map(|(kind, _)| kind).collect::<Vec<_>>();
    wait_until("it is given up", || kinds().contains(&"gave-up".to_owned()));
    assert_eq!(agent(&made, "alice", 1), None);
    assert_eq!(kinds().iter().filter(|kind| *kind == "resumed").count(), 3, "{:?}", kinds());
    wait_until("the pane says so", || shown(&made, "alice", "a1").contains("it came back 3 times"));
    let doctor = made.try_sh("root", "persist doctor --user alice").out();
    assert!(doctor.contains("--kind gave-up"), "{doctor}");
    assert!(made.journal("-t persist -p err").contains("until a person has looked"));
}

#[test]
fn a_hostile_users_watch_costs_others_nothing() {
    let test = "boot::comebacks::a_hostile_users_watch_costs_others_nothing";
    let Some(made) = watched(test, &[("alice", 1), ("bob", 1)]) else { return };
    // A command of the site's that each event floods, and that leaves processes behind.
    made.sh(
        "printf '#!/bin/sh\\nulimit -u 400\\ni=0\\nwhile [ $i -lt 100 ]; do (trap \"\" TERM HUP; sleep 1000) & i=$((i + 1)); done\\nwait\\n' \
            >/usr/local/bin/announce
        chmod 755 /usr/local/bin/announce
        printf '[watch]\\nnotify = [\"/usr/local/bin/announce\"]\\ninterval_minutes = 0\\n' \
            >>/etc/terminal-lobby/config.toml",
    );
    watch(&made, "bob", 1);
    // What alice can do: files without end where her watch looks, a record that is huge, locks that are
    // fifos, and a watch that is stopped.
    made.sh_as(
        "alice",
        "cd /var/lib/tmux-persist/alice
        truncate -s 50G events.tsv; rm -f watch.lock events.lock; mkfifo watch.lock events.lock
        printf '%s\\n' '#!/bin/sh' 'while :; do for i in 1 2 3 4 5 6 7 8 9; do : >$1/f$i; rm $1/f$i; done; done' >~/flood
        chmod 755 ~/flood
        for dir in ~/.claude/sessions /var/lib/tmux-persist/alice /var/lib/tmux-persist/alice/snapshots; do
            tmux new-session -d -s flood-$(basename $dir) \"nice ~/flood $dir\"
        done",
    );
    let watch_pid = made.property("tmux-persist-watch@1000.service", "MainPID");
    let ticks = || -> u64 {
        let stat = made.sh(&format!("cat /proc/{watch_pid}/stat 2>/dev/null || true"));
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        let number = |at: usize| fields.get(at).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
        number(11) + number(12)
    };
    let (begin, before) = (std::time::Instant::now(), ticks());
    let pid = agent(&made, "bob", 1).unwrap();
    let took = back_after(&made, "bob", &[1], &format!("kill -9 {pid}")).unwrap();
    eprintln!("beside a hostile user an agent was back after {took} ms");
    assert!(took < 2 * ten_seconds(), "{took} ms");
    // Her watch sleeps between looks, however much changes; the clock counts 100 ticks a second.
    wait_until("ten seconds of the flood", || begin.elapsed().as_secs() >= 10);
    let (used, elapsed) = (ticks().saturating_sub(before), begin.elapsed().as_secs());
    eprintln!("a flooded watch used {used} ticks in {elapsed} s");
    assert!(used <= elapsed * 30, "{used} ticks in {elapsed} s");
    // Root's view of everybody is bounded, and names what is wrong with alice's.
    let begin = std::time::Instant::now();
    let out =
        made.try_sh("root", "persist events; persist status >/dev/null; persist doctor >/dev/null");
    assert!(out.out().contains("bob: events"), "{}\n{}", out.out(), out.err());
    assert!(begin.elapsed().as_secs() < 40);
    // What the command left is ended with it.
    wait_until("the command and what it started are gone", || {
        made.sh("pgrep -u bob -c -f 'announce|sleep 1000$' || true").trim() != "100"
            && made.sh("pgrep -u bob -f /usr/local/bin/announce || true").is_empty()
    });
    let state = made.sh("systemctl is-active tmux-persist-watch@1001.service");
    assert_eq!(state.trim(), "active");
}
