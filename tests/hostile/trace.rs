//! What root itself does during a save, by the record of its system calls.

use super::agent;
use super::report::{Report, good_users};
use crate::support::host::{Host, STATE, persist_argv};
use crate::support::lacks::lacks;
use std::collections::HashMap;

/// Calls that name a path, or change what a descriptor is; none that carries contents.
const CALLS: &str = "trace=%file,%process,%creds,connect,bind,fchown,fchmod,ftruncate,getdents64,\
    fchdir,flock,fsync,fstat";

const DROPS: [&str; 3] = ["setuid(", "setreuid(", "setresuid("];

/// The lines of a trace (`strace -f -y`) that were written for a process whose uid was 0.
fn lines_of_root(trace: &str) -> Vec<&str> {
    let calls: Vec<(&str, &str)> = trace
        .lines()
        .filter_map(|line| line.split_once(' ').map(|(pid, call)| (pid, call.trim_start())))
        .collect();
    // Calls of several processes interleave: where each began, and for a call's end, its begin.
    let mut unfinished: HashMap<&str, usize> = HashMap::new();
    let mut began: Vec<usize> = (0..calls.len()).collect();
    // A child's first lines often come before the end of the call that made it.
    let mut births: HashMap<&str, (&str, usize)> = HashMap::new();
    for (at, (pid, call)) in calls.iter().enumerate() {
        if call.ends_with("<unfinished ...>") {
            unfinished.insert(pid, at);
        } else if call.starts_with("<...") {
            began[at] = unfinished.get(pid).copied().unwrap_or(at);
        }
        let name = calls[began[at]].1;
        if ["clone", "fork", "vfork"].iter().any(|fork| name.starts_with(fork)) {
            births.insert(result(call), (pid, began[at]));
        }
    }
    let mut dropped: HashMap<&str, usize> = HashMap::new();
    let mut seen = std::collections::HashSet::new();
    let mut lines = Vec::new();
    for ((at, (pid, call)), line) in calls.iter().enumerate().zip(trace.lines()) {
        if let Some((parent, birth)) = births.get(pid).filter(|_| seen.insert(*pid))
            && dropped.get(parent).is_some_and(|drop| drop < birth)
        {
            dropped.insert(pid, at);
        }
        if !dropped.contains_key(pid) {
            lines.push(line);
        }
        let uid = DROPS.iter().find_map(|name| calls[began[at]].1.strip_prefix(name));
        if uid.is_some_and(|uid| !uid.starts_with('0') && !uid.starts_with('-'))
            && result(call) == "0"
        {
            dropped.insert(pid, at);
        }
    }
    lines
}

/// What a call returned, without its explanation.
fn result(call: &str) -> &str {
    let result = call.rsplit_once(" = ").map_or("", |(_, result)| result.trim());
    result.split([' ', '<']).next().unwrap_or_default()
}

/// The paths in a line: its strings, each joined to the directory descriptor before it, and what
/// `-y` says of its descriptors (`3</path>`).
fn paths(line: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut base = String::new();
    // The second string is what the link says, and no path that was used.
    let read = line.contains("readlinkat(").then(|| line.match_indices('"').nth(1)).flatten();
    let mut rest = read.map_or(line, |(end, _)| &line[..=end]);
    while let Some(at) = rest.find(['<', '"']) {
        let quoted = rest.as_bytes()[at] == b'"';
        rest = &rest[at + 1..];
        let mut escaped = false;
        let end = rest.find(|c| {
            let ends = !escaped && c == if quoted { '"' } else { '>' };
            escaped = !escaped && c == '\\';
            ends
        });
        let Some(end) = end else { break };
        let text = &rest[..end];
        if text.starts_with('/') {
            paths.push(text.to_owned());
        } else if quoted {
            paths.push(format!("{base}/{text}"));
        }
        if !quoted {
            text.clone_into(&mut base);
        }
        rest = &rest[end + 1..];
    }
    paths
}

/// Whether a path is a user's: below a home, below a user's state directory, or a tmux socket.
fn is_a_users(path: &str) -> bool {
    let state = path.strip_prefix(STATE).and_then(|rest| rest.strip_prefix('/'));
    let below = state.and_then(|rest| rest.split_once('/')).map_or("", |(_, below)| below);
    path.starts_with("/home/") || path.starts_with("/tmp/tmux-") || !below.is_empty()
}

#[test]
fn root_touches_no_home_no_user_state_and_no_socket_of_a_user() {
    let name = "root_touches_no_home_no_user_state_and_no_socket_of_a_user";
    let Some(host) = Host::new(name) else { return };
    if host.root(["strace", "-V"]).code != 0 {
        return lacks(name, "needs strace");
    }
    good_users(&host);
    let pid = agent::start(&host, "ann", "claude", &[]);
    agent::write_record(&host, "ann", pid, "11111111-2222-4333-8444-555555555555");
    for first in [true, false] {
        let mut argv: Vec<_> =
            ["strace", "-f", "-y", "-s", "4096", "-o", "/root/trace", "-e", CALLS]
                .map(Into::into)
                .to_vec();
        argv.extend(persist_argv(["save", "--json"]));
        let report = Report::of(host.root(argv));
        report.code(0);
        if first {
            report.saved("ann", 3).saved("zoe", 1);
        }
        let trace = host.sh("cat /root/trace");
        let of_root = lines_of_root(&trace);
        let of_all: Vec<_> = trace.lines().collect();
        for user in ["/home/ann/", "/tmp/tmux-20001"] {
            assert!(of_all.iter().any(|line| line.contains(user)), "the trace misses the children");
        }
        for line in of_root {
            assert!(!paths(line).iter().any(|path| is_a_users(path)), "first {first}: {line}");
            // glibc asks a name service cache daemon for accounts, where one listens.
            let connects = line.contains("connect(") && line.contains("AF_UNIX");
            assert!(!connects || line.contains("/nscd/"), "first {first}: {line}");
        }
    }
}

#[test]
fn the_reader_of_traces_knows_who_is_root() {
    let trace = r#"1 execve("/opt/tl/persist", ["persist"], 0x1 /* 1 var */) = 0
1 openat(3</var/lib/tmux-persist/ann>, "latest", O_RDONLY) = 4</var/lib/tmux-persist/ann/latest>
1 setresuid(0, 0, 0) = 0
1 clone3({flags=CLONE_VM}, 88 <unfinished ...>
2 openat(AT_FDCWD</>, "/etc/shadow", O_RDONLY) = 3</etc/shadow>
2 setresuid(20001, 20001, 20001 <unfinished ...>
1 getuid() = 0
2 <... setresuid resumed>) = 0
1 <... clone3 resumed>) = 2
2 openat(AT_FDCWD</>, "/home/ann/.claude", O_RDONLY) = 3</home/ann/.claude>
2 vfork( <unfinished ...>
3 connect(5<UNIX-STREAM:[1]>, {sa_family=AF_UNIX, sun_path="/tmp/tmux-20001/default"}, 110) = 0
2 <... vfork resumed>) = 3
1 openat(AT_FDCWD</>, "/root/\"x\"", O_RDONLY) = 3</root/"x">"#;
    let of_root = lines_of_root(trace);
    let all: Vec<_> = trace.lines().collect();
    assert_eq!(of_root, [0, 1, 2, 3, 4, 5, 6, 7, 8, 13].map(|at: usize| all[at]));
    let of_users: Vec<bool> =
        all.iter().map(|line| paths(line).iter().any(|path| is_a_users(path))).collect();
    let expected = [1, 9, 11];
    assert_eq!(of_users, (0..all.len()).map(|at| expected.contains(&at)).collect::<Vec<_>>());
}
