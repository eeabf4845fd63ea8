//! The canonical remote in clones of a mirror: added once, and never against a person.

use super::{Provisioned, THREE};
use crate::support::run::Run;

const CLONES: &str = "[provision.code]
infra_remote = 'file:///var/lib/mirror/infra.git'
repo_remote = 'file:///var/lib/mirror/{repo}.git'
allow_file = true
";
const SECOND: &str = "[provision.code.second_remote]
name = 'forge'
infra = 'file:///var/lib/forge/infra.git'
repo = 'file:///var/lib/forge/{repo}.git'
";

fn provisioned(test: &str) -> Option<Provisioned> {
    let here = Provisioned::new(test, THREE)?;
    here.config(CLONES);
    here.host.sh("export HOME=/root; git config --system safe.directory '*'; cd /root
         git config --global user.name R; git config --global user.email r@x
         for name in infra webapp; do
             for at in mirror forge; do git init -q --bare -b trunk /var/lib/$at/$name.git; done
             git init -q -b trunk $name; cd $name; git remote add forge /var/lib/forge/$name.git
             echo $name >README; git add .; git commit -qm one
             git push -q forge trunk; git push -q /var/lib/mirror/$name.git trunk; cd ..
         done");
    Some(here)
}

fn git(here: &Provisioned, user: &str, args: &str) -> Run {
    let script = format!("cd /home/{user}/code; export HOME=/home/{user}; git {args}");
    let shell = ["setpriv", "--reuid", user, "--regid", user, "--init-groups", "sh", "-uc"];
    here.host.root(shell.iter().copied().chain([script.as_str()]))
}

const REMOTES: &str = "config --get-regexp '^(remote.*url|branch.*remote)$'";

#[test]
fn clones_that_predate_it_get_it_once_and_follow_it() {
    let name = "clones_that_predate_it_get_it_once_and_follow_it";
    let Some(here) = provisioned(name) else { return };
    here.provision(&["apply"]).ok();
    here.config(&format!("{CLONES}{SECOND}"));
    let plan = here.provision(&["plan", "--explain"]).ok();
    assert!(plan.out().contains("trunk follows forge instead of origin"), "{}", plan.out());
    assert!(plan.out().contains("Plan: 3 to add, 0 to repair"), "{}", plan.out());
    let run = here.provision(&["apply"]).ok();
    assert!(run.out().contains("Applied: 3 added"), "{}", run.out());
    assert_eq!(
        git(&here, "reader", REMOTES).ok().out(),
        "remote.origin.url file:///var/lib/mirror/infra.git\nbranch.trunk.remote forge\n\
         remote.forge.url file:///var/lib/forge/infra.git\n"
    );
    assert!(
        git(&here, "builder", &format!("-C webapp {REMOTES}"))
            .ok()
            .out()
            .contains("forge/webapp.git")
    );
    here.provision(&["apply"]).ok(); // the first fetch leaves its stamp
    let before = here.files();
    let run = here.provision(&["apply"]).ok();
    assert!(run.out().contains("0 added, 0 repaired"), "{}", run.out());
    assert_eq!(here.files(), before);

    // News that only the forge has arrive.
    here.host.sh("export HOME=/root; cd /root/infra; echo more >>README; git commit -qam two; git push -q forge trunk
         rm /home/reader/code/.git/FETCH_HEAD"); // the stamp of a recent fetch
    let run = here.provision(&["apply"]).ok();
    assert!(run.out().contains("reader: code: 1 commit"), "{}", run.out());
    assert_eq!(here.host.sh("cat /home/reader/code/README"), "infra\nmore\n");

    // From then on, what the branch follows is the person's choice.
    git(&here, "reader", "config branch.trunk.remote origin").ok();
    let run = here.provision(&["apply"]).ok();
    assert!(run.out().contains("0 added, 0 repaired"), "{}", run.out());
    assert!(git(&here, "reader", REMOTES).ok().out().contains("branch.trunk.remote origin"));
}

#[test]
fn a_clone_of_the_same_run_has_it_and_a_workspace_on_the_way_too() {
    let name = "a_clone_of_the_same_run_has_it_and_a_workspace_on_the_way_too";
    let Some(here) = provisioned(name) else { return };
    here.config(&format!("{CLONES}{SECOND}"));
    here.provision(&["apply"]).ok();
    assert!(git(&here, "reader", REMOTES).ok().out().contains("branch.trunk.remote forge"));
    let unchanged = || {
        let run = here.provision(&["plan", "--detailed-exitcode"]).ok();
        assert!(run.out().contains("0 to add, 0 to repair"), "{}", run.out());
    };
    unchanged();
    // A clone without it that moves gets it in the same run.
    git(&here, "reader", "remote remove forge").ok();
    git(&here, "reader", "branch -q -u origin/trunk").ok();
    here.roster(&THREE.replace(
        "tier: power-user}",
        "tier: power-user, code_layout: workspace, repos: [webapp]}",
    ));
    here.provision(&["apply"]).ok();
    for clone in ["infra", "webapp"] {
        let remotes = git(&here, "reader", &format!("-C {clone} {REMOTES}")).ok().out();
        assert!(remotes.contains("branch.trunk.remote forge"), "{clone}: {remotes}");
    }
    unchanged();
}

#[test]
fn what_a_person_set_stays() {
    let name = "what_a_person_set_stays";
    let Some(here) = provisioned(name) else { return };
    here.provision(&["apply"]).ok();
    // Another address of that name; the address under another name; another upstream.
    git(&here, "reader", "remote add forge https://elsewhere.example/infra.git").ok();
    git(&here, "builder", "-C infra remote add upstream /var/lib/forge/infra.git").ok();
    git(&here, "builder", "-C webapp remote add mine /root/webapp").ok();
    git(&here, "builder", "-C webapp config branch.trunk.remote mine").ok();
    let before = git(&here, "reader", REMOTES).ok().out();
    let infra = git(&here, "builder", &format!("-C infra {REMOTES}")).ok().out();
    here.config(&format!("{CLONES}{SECOND}"));
    let run = here.provision(&["apply"]).ok();
    assert!(run.out().contains("Applied: 1 added"), "{}", run.out());
    let plan = here.provision(&["plan"]).ok().out();
    assert!(plan.contains("~/code remote forge") && plan.contains("another address"), "{plan}");
    assert_eq!(git(&here, "reader", REMOTES).ok().out(), before);
    assert_eq!(git(&here, "builder", &format!("-C infra {REMOTES}")).ok().out(), infra);
    let webapp = git(&here, "builder", &format!("-C webapp {REMOTES}")).ok().out();
    assert!(
        webapp.contains("branch.trunk.remote mine\n") && webapp.contains("remote.forge.url"),
        "{webapp}"
    );
}

#[test]
fn a_hostile_clone_makes_no_option_and_no_other_setting_of_it() {
    let name = "a_hostile_clone_makes_no_option_and_no_other_setting_of_it";
    let Some(here) = provisioned(name) else { return };
    here.provision(&["apply"]).ok();
    here.config(&format!("{CLONES}{SECOND}"));
    for head in ["--global", "a b", "../../x", "x\\n[core]\\nhooksPath = /tmp", "trunk\\0x"] {
        git(&here, "reader", "remote remove forge 2>/dev/null; git branch -q -u origin/trunk").ok();
        here.host.sh(&format!(
            "printf 'ref: refs/remotes/origin/{head}\\n' >/home/reader/code/.git/refs/remotes/origin/HEAD"
        ));
        here.provision(&["apply"]).ok();
        let remotes = git(&here, "reader", REMOTES).ok().out();
        assert!(remotes.contains("branch.trunk.remote origin\n"), "{head}: {remotes}");
        assert!(remotes.contains("remote.forge.url"), "{head}: {remotes}");
        assert!(!here.host.sh("ls -A /home/reader").contains(".gitconfig"), "{head}");
    }
    // A pipe in its place holds nobody up.
    here.host.sh("cd /home/reader/code/.git/refs/remotes/origin; rm HEAD; mkfifo HEAD");
    here.provision(&["plan"]).ok();
}
