//! The same, asked by root on a host with accounts: `provision plan`.

use crate::support::host::{BIN, CONFIG, Host};
use crate::support::lacks::lacks;
use std::path::Path;

const PLAN: [&str; 6] =
    ["plan", "--roster", "/etc/roster.yaml", "--detailed-exitcode", "--config", CONFIG];

/// A host with `ann` and `bob` in the roster, a remote, and the program.
fn host(test: &str) -> Option<Host> {
    let host = Host::new(test)?;
    host.install("provision", Path::new(env!("CARGO_BIN_EXE_provision")));
    host.user("ann");
    host.user("bob");
    host.sh(&format!(
        "cat >/etc/roster.yaml <<'END'\nusers:\n\
         \x20 ann: {{authentik_user: a, k8s_user: a, tier: power-user}}\n\
         \x20 bob: {{authentik_user: b, k8s_user: b, tier: namespace-owner, namespaces: [b], \
         code_layout: workspace, repos: [webapp]}}\nEND\n\
         cat >>{CONFIG} <<'END'\n[provision.code]\ninfra_remote = 'https://git.example/infra.git'\n\
         repo_remote = 'https://git.example/{{repo}}.git'\nEND"
    ));
    Some(host)
}

fn of_clones(host: &Host, argv: &[&str]) -> Vec<String> {
    let run = host.root(argv.iter().copied());
    let out = run.out();
    let lines = out.lines().map(str::trim).filter(|line| line.contains("~/code"));
    lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn root_learns_of_homes_from_their_users_and_opens_nothing_in_them() {
    const TEST: &str = "root_learns_of_homes_from_their_users_and_opens_nothing_in_them";
    let Some(host) = host(TEST) else { return };
    let provision = format!("{BIN}/provision");
    let plan: Vec<&str> = std::iter::once(provision.as_str()).chain(PLAN).collect();
    let lines = of_clones(&host, &plan);
    let of_webapp = "+ add ~/code/webapp: https://git.example/webapp.git [intent]";
    assert!(lines.len() == 3 && lines[0].starts_with("+ add ~/code"), "{lines:#?}");
    assert!(
        lines.iter().any(|line| line.starts_with("+ add ~/code/webapp")),
        "{of_webapp} {lines:#?}"
    );
    host.sh_as("ann", "mkfifo ~/code");
    host.sh_as("bob", "ln -s /root ~/code");
    if std::process::Command::new("strace").arg("-V").output().is_err() {
        return lacks(TEST, "needs strace");
    }
    let trace = ["strace", "-f", "-o", "/tmp/trace", "-e", "trace=%file,%creds,execve"];
    let lines = of_clones(&host, &[trace.as_slice(), &plan].concat());
    assert!(lines[0].starts_with("! refused ~/code"), "{lines:#?}");
    assert!(lines[1].starts_with("! report ~/code"), "{lines:#?}");
    // Whoever has not become a user looks at the inode of a home, and never below it.
    let trace = host.sh("cat /tmp/trace");
    let mut users = std::collections::BTreeSet::new();
    let (mut below, mut inodes) = (0, 0);
    for line in trace.lines() {
        let (pid, call) = line.split_once(' ').unwrap();
        if call.trim_start().starts_with("setresuid(2000") {
            users.insert(pid.to_owned());
        }
        if !call.contains("\"/home/") {
            continue;
        }
        if users.contains(pid) {
            below += 1;
        } else {
            inodes += 1;
            let inode = ["\"/home/ann\"", "\"/home/bob\""].iter().any(|home| call.contains(home));
            assert!(inode && call.contains("NOFOLLOW"), "{line}");
        }
    }
    assert!(users.len() == 2 && below >= 2 && inodes >= 2, "{users:?} {below} {inodes}");
}
