//! Configured agents on a host with real accounts: root asks users' own processes.

use super::apply::{Provisioned, THREE};
use std::path::Path;

const CONFIG: &str = "[provision.agents]\ninstructions = '/etc/agents.md'\n\
    [provision.cluster]\nkubeconfig = '/etc/admin.yaml'\nissuer = 'https://id.example.org/'\n\
    client_id = 'k8s'\n";

/// A host whose configuration asks for instructions and a kubeconfig.
fn configured(test: &str) -> Option<Provisioned> {
    let here = Provisioned::new(test, THREE)?;
    here.config(CONFIG);
    here.host.sh("echo 'Be kind.' >/etc/agents.md
         echo 'clusters: [{name: a, cluster: {server: \"https://k:6443\"}}]' >/etc/admin.yaml");
    Some(here)
}

#[test]
fn homes_are_looked_at_and_worked_on_by_their_users_and_what_is_theirs_stays() {
    let name = "homes_are_looked_at_and_worked_on_by_their_users_and_what_is_theirs_stays";
    let Some(here) = configured(name) else { return };
    let host = &here.host;
    host.user("reader");
    host.user("builder");
    host.sh_as(
        "reader",
        "mkdir ~/.kube ~/.codex; echo mine >~/.kube/config; echo mine >~/.codex/AGENTS.md",
    );
    host.sh_as("builder", "ln -s /home/reader/.codex ~/.codex; mkfifo ~/.kube");
    let plan = here.provision(&["plan"]).ok().out();
    for line in [
        "  + add      ~/.codex/AGENTS.md: the site's instructions  [intent]",
        "  ! refused  ~/.codex/AGENTS.md: the site's instructions  [drift]",
        "/home/builder/.codex: a link: not followed",
        "/home/builder/.kube: not a directory",
    ] {
        assert!(plan.contains(line), "{line}\n{plan}");
    }
    // The account of `ops` is made in this run, and its home is filled in it.
    here.provision(&["apply"]);
    let kubeconfig =
        "stat -c '%a %U' /home/ops/.kube /home/ops/.kube/config /home/ops/.codex/AGENTS.md";
    assert_eq!(host.sh(kubeconfig), "700 ops\n600 ops\n600 ops\n");
    assert!(host.sh("cat /home/ops/.codex/AGENTS.md").ends_with("-->\nBe kind.\n"));
    assert_eq!(host.sh("cat /home/reader/.kube/config"), "mine\n");
    let theirs = host.sh("cat /home/reader/.codex/AGENTS.md");
    assert!(
        theirs.starts_with("mine\n\n<!--") && theirs.contains("-->\nBe kind.\n<!--"),
        "{theirs}"
    );
    // builder's are left alone.
    assert_eq!(
        host.sh("readlink /home/builder/.codex; stat -c %F /home/builder/.kube"),
        "/home/reader/.codex\nfifo\n"
    );
    let files = host.sh("find /home -printf '%p %i %T@ %C@\\n' | sort");
    here.provision(&["apply"]);
    assert_eq!(host.sh("find /home -printf '%p %i %T@ %C@\\n' | sort"), files);
    // A person takes the text out: it is not put back.
    host.sh("echo mine >/home/ops/.codex/AGENTS.md");
    here.provision(&["apply"]);
    assert_eq!(host.sh("cat /home/ops/.codex/AGENTS.md"), "mine\n");
    let plan = here.provision(&["plan", "--user", "ops"]).ok().out();
    assert!(plan.contains("a person removed it: not restored"), "{plan}");
}

/// Root opens nothing below a home, whatever users' processes do there.
#[test]
fn root_itself_touches_nothing_below_a_home() {
    let name = "root_itself_touches_nothing_below_a_home";
    let Some(here) = configured(name) else { return };
    if !Path::new("/usr/bin/strace").exists() {
        return crate::support::lacks::lacks(name, "needs strace");
    }
    let host = &here.host;
    host.user("reader");
    host.sh("chmod 711 /home/reader");
    let trace =
        ["strace", "-f", "-o", "/tmp/trace", "-e", "trace=%file,setresuid", "/opt/tl/provision"];
    host.root(trace.iter().chain(&["plan", "--user", "reader"])).ok();
    let trace = host.sh("cat /tmp/trace");
    let users: Vec<&str> = trace
        .lines()
        .filter(|line| line.contains("setresuid(20001"))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    let of_home: Vec<&str> = trace.lines().filter(|line| line.contains("\"/home/reader")).collect();
    let by_user = |line: &&str| users.iter().any(|pid| line.split_whitespace().next() == Some(pid));
    let (theirs, roots): (Vec<&str>, Vec<&str>) = of_home.into_iter().partition(by_user);
    assert!(!theirs.is_empty() && !users.is_empty(), "{trace}");
    // The inode of the home itself is all that root looks at.
    let below: Vec<_> = roots.iter().filter(|line| line.contains("/home/reader/")).collect();
    assert!(below.is_empty(), "{below:#?}");
}
