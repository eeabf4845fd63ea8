//! Homes whose owners mean ill, or which are broken: root is led nowhere, the others are served.
//!
//! Each user is one case: something that must not be there, at a place where a step works. All of
//! them are in one roster with two users who mean well; root's own processes are traced.

use super::apply::Provisioned;
use crate::faults::has_strace;
use crate::support::Run;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// Where steps work, below a home.
const PLACES: [&str; 15] = [
    "code",
    "code/infra",
    "code/webapp",
    "code/infra/.git",
    "code/infra/.git/config",
    "code/infra/.git/HEAD",
    ".codex",
    ".codex/AGENTS.md",
    ".claude.json",
    ".claude",
    ".claude/.credentials.json",
    ".kube",
    ".kube/config",
    ".gitconfig",
    ".config/git/config",
];

/// What is put there: a name, and a script in which `$at` is the place and `$user` the owner.
const THINGS: [(&str, &str); 15] = [
    ("fifo", "mkfifo $at"),
    (
        "socket",
        "python3 -c 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' $at",
    ),
    ("link to root's file", "ln -s /etc/canary/secret $at"),
    ("link to another's file", "ln -s /home/good1/secret $at"),
    ("link to another's directory", "ln -s /home/good1 $at"),
    ("link to a directory of root's", "ln -s /etc/canary $at"),
    ("link to itself", "ln -s $at $at"),
    ("link to nothing", "ln -s /nowhere/at/all $at"),
    (
        "hard link to root's file",
        "ln /etc/canary/linked $at 2>/dev/null || ln -s /etc/canary/linked $at",
    ),
    ("hard link to another's file", "ln /home/good1/linked $at"),
    ("10 GB", "truncate -s 10G $at"),
    ("200 GB", "truncate -s 200G $at"),
    ("nobody may enter", "mkdir $at; chmod 0 $at"),
    (
        "a directory of odd names",
        "mkdir $at; touch $at/\"$(printf 'a\\nb\\033[2J')\" $at/-rf $at/'$(id)'",
    ),
    ("noise", "head -c 70000 /dev/urandom >$at"),
];

/// A user who means ill.
struct Case {
    user: String,
    what: String,
    script: String,
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (p, place) in PLACES.iter().enumerate() {
        for (t, (name, script)) in THINGS.iter().enumerate() {
            let user = format!("bad{p:02}x{t:02}");
            let at = format!("/home/{user}/{place}");
            let parent = at.rsplit_once('/').unwrap().0;
            // The clone around a place in it is a real one.
            let around = if place.starts_with("code/infra/.git/") {
                format!(
                    "mkdir -p /home/{user}/code; git clone -q /srv/infra.git /home/{user}/code/infra; rm -rf {at}\n"
                )
            } else {
                String::new()
            };
            let script = format!("{around}mkdir -p {parent}; at={at}; user={user}; {script}");
            cases.push(Case { user, what: format!("{name} at ~/{place}"), script });
        }
    }
    cases
}

/// What a site configures so that every step has something to do.
pub(super) const SITE: &str = "[provision.code]
infra_remote = \"file:///srv/infra.git\"
repo_remote = \"file:///srv/{repo}.git\"
allow_file = true
clone_seconds = 3
freshen_seconds = 3
";

pub(super) fn roster(users: impl Iterator<Item = String>) -> String {
    let mut text = "users:\n".to_owned();
    for user in users {
        let _ = writeln!(
            text,
            "  {user}: {{authentik_user: a-{user}, k8s_user: k-{user}, tier: power-user, \
             code_layout: workspace, repos: [webapp]}}"
        );
    }
    text
}

const GOOD: [&str; 2] = ["good1", "good2"];

/// A host with repositories, canaries and two users who mean well.
pub(super) fn host(test: &str) -> Option<Provisioned> {
    let here = Provisioned::new(test, "users:\n")?;
    here.host.sh("mount -t tmpfs -o mode=755 srv /srv
         printf '[safe]\\n directory = *\\n' >/etc/gitconfig
         for repo in infra webapp; do
             git init -q -b main /tmp/$repo; cd /tmp/$repo; echo $repo >file; git add file
             git -c user.name=a -c user.email=a@b commit -qm one
             git clone -q --bare /tmp/$repo /srv/$repo.git
         done
         mkdir -m 755 /etc/canary; echo canary >/etc/canary/secret; echo canary >/etc/canary/linked
         chmod 600 /etc/canary/*");
    here.config(SITE);
    for user in GOOD {
        here.host.account(user);
        here.host.sh(&format!(
            "install -d -m 700 -o {user} -g {user} /home/{user}; cd /home/{user}; echo mine >secret; echo mine >linked; chown {user} *; chmod 600 *"
        ));
    }
    Some(here)
}

/// Canaries and what belongs to those who mean well: content, mode, owner, links, times.
pub(super) fn precious(here: &Provisioned) -> String {
    here.host.sh(
        "find /etc/canary /home/good1/secret /home/good1/linked -printf '%p %m %U:%G %s %T@\\n' | sort
         cat /etc/canary/* /home/good1/secret /home/good1/linked; stat -c '%n %a %U %s' /etc/shadow /etc/passwd",
    )
}

/// Those who mean well have all that the steps make.
#[track_caller]
pub(super) fn good_are_served(here: &Provisioned) {
    for user in GOOD {
        for clone in ["infra", "webapp"] {
            let file = here.host.sh(&format!("cat /home/{user}/code/{clone}/file"));
            assert_eq!(file.trim(), clone, "{user}");
        }
        let map = here.host.sh("cat /etc/ttyd-user-map");
        assert!(map.contains(&format!("a-{user}={user}\n")), "{map}");
    }
}

#[test]
fn lesson_25_homes_that_mean_ill_lead_root_nowhere_and_harm_nobody_else() {
    let name = "lesson_25_homes_that_mean_ill_lead_root_nowhere_and_harm_nobody_else";
    if !has_strace(name) {
        return;
    }
    let Some(here) = host(name) else { return };
    let cases = cases();
    // Accounts at once; homes as their owners would have made them.
    let mut script = "umask 022\n".to_owned();
    for (n, case) in cases.iter().enumerate() {
        let (user, uid) = (&case.user, 30_001 + n);
        let _ = writeln!(
            script,
            "echo '{user}:x:{uid}:{uid}::/home/{user}:/bin/sh' >>/etc/passwd
             echo '{user}:x:{uid}:' >>/etc/group; mkdir -m 700 /home/{user}
             ( {} )
             find /home/{user} -xdev \\( -type d -o -type f -links 1 -o -type p -o -type s -o -type l \\) \
             -exec chown -h {uid}:{uid} {{}} +",
            case.script
        );
    }
    let file = "/root/cases.sh";
    here.host.install_bytes("cases.sh", script.as_bytes());
    here.host.sh(&format!("cp /opt/tl/cases.sh {file}; sh -eu {file}"));
    let everybody = GOOD.iter().map(|user| (*user).to_owned());
    here.roster(&roster(everybody.chain(cases.iter().map(|case| case.user.clone()))));
    let before = precious(&here);
    let (run, trace) = traced_apply(&here);
    let receipt = run.json();
    let (touched, calls) = roots_calls_below_homes(&trace);
    assert!(calls > 1000, "the trace has root's calls: {calls}");
    assert!(
        touched.is_empty(),
        "{} of root's calls below homes: {:#?}",
        touched.len(),
        &touched[..touched.len().min(20)]
    );
    assert_eq!(precious(&here), before);
    good_are_served(&here);
    let roots =
        here.host.sh("find /home/bad* -xdev ! -type l -uid 0 -links 1 2>/dev/null | head -5");
    assert_eq!(roots, "", "root made something in a home");
    // Everybody was looked at, and whatever stood in the way was left and told.
    let told: BTreeSet<&str> = receipt["refused"]
        .as_array()
        .unwrap()
        .iter()
        .chain(receipt["changes"].as_array().unwrap().iter().map(|change| &change["id"]))
        .filter_map(|id| id.get(0).unwrap_or(id).as_str())
        .filter_map(|id| id.split_once('/'))
        .map(|(user, _)| user)
        .collect();
    assert!(told.len() >= cases.len(), "{} of {}", told.len(), cases.len());
    assert!(!run.out().chars().any(|c| c.is_control() && c != '\n'));
    println!("homes that mean ill: {} cases, {calls} calls of root's traced", cases.len());
    assert!(cases.len() >= 200);
    let by_what: BTreeMap<&str, &str> =
        cases.iter().map(|case| (case.user.as_str(), case.what.as_str())).collect();
    for change in receipt["changes"].as_array().unwrap() {
        let user = change["user"].as_str().unwrap_or_default();
        let why = change["why"].as_str().unwrap();
        assert!(!why.contains("panicked"), "{:?}: {why}", by_what.get(user));
    }
}

/// An apply, and the trace of what it and all that it started did with paths and users.
#[track_caller]
pub(super) fn traced_apply(here: &Provisioned) -> (Run, String) {
    let calls = "trace=%file,connect,setresuid,clone,clone3,fork,vfork";
    let strace = ["prlimit", "--nproc=200", "strace", "-f", "-y", "-s", "200", "--seccomp-bpf"];
    let traced = ["-o", "/root/trace", "-e", calls, "/opt/tl/provision", "apply", "--json"];
    let run = here.host.patient(strace.iter().chain(&traced));
    assert!([0, 1].contains(&run.code), "{}", run.err());
    (run, here.host.read("/root/trace"))
}

/// Calls of processes that are root on a path below a home, and how many calls root made in all. A
/// process that became a user, and what it started, is not root.
pub(super) fn roots_calls_below_homes(trace: &str) -> (Vec<String>, usize) {
    let mut users: BTreeSet<u32> = BTreeSet::new();
    let (mut touched, mut calls) = (Vec::new(), 0);
    // A child's first lines may come before the line that names it as somebody's child.
    let mut parents: BTreeMap<u32, u32> = BTreeMap::new();
    let pid_and_call = |line: &str| {
        let (pid, call) = line.split_once(' ')?;
        Some((pid.parse::<u32>().ok()?, call.trim().to_owned()))
    };
    for (pid, call) in trace.lines().filter_map(pid_and_call) {
        let forks =
            ["clone(", "clone3(", "vfork(", "fork(", "<... clone", "<... vfork", "<... fork"];
        if forks.iter().any(|fork| call.starts_with(fork))
            && let Some(child) = call.rsplit_once("= ").and_then(|(_, child)| child.parse().ok())
        {
            parents.insert(child, pid);
        }
    }
    for (pid, call) in trace.lines().filter_map(pid_and_call) {
        // Whether it ends on this line or on a later one: what is not root cannot come back.
        if call.starts_with("setresuid(") && !call.starts_with("setresuid(0") {
            users.insert(pid);
        }
        let mut ancestor = Some(pid);
        let is_user = std::iter::from_fn(|| {
            let this = ancestor?;
            ancestor = parents.get(&this).copied();
            Some(this)
        })
        .take(50)
        .any(|pid| users.contains(&pid));
        if is_user || call.starts_with("+++") || call.starts_with("---") {
            continue;
        }
        calls += 1;
        let below = call.match_indices("/home/").any(|(at, _)| {
            let rest = &call[at + "/home/".len()..];
            let name = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
            rest[name..].starts_with('/')
        });
        let enters = ["chdir", "open", "readlink", "unlink", "mkdir", "rename", "chown", "chmod"];
        let inside = call.contains("/home/")
            && enters.iter().any(|name| call.starts_with(name))
            && !call.contains("\"/home\"");
        if below || inside {
            touched.push(call);
        }
    }
    (touched, calls)
}
