//! When nothing is done.

use super::{KEPT, Provisioned, THREE};

#[test]
fn an_empty_roster_is_applied_only_when_told_to() {
    let name = "an_empty_roster_is_applied_only_when_told_to";
    let Some(here) = Provisioned::new(name, THREE) else { return };
    here.provision(&["apply"]).ok();
    for empty in ["", "users:\n", "# nobody\n"] {
        here.roster(empty);
        let before = here.files();
        let run = here.provision(&["apply"]).code(3);
        let why = "roster.yaml: refusing to apply an empty roster\nhint: --allow-empty-roster";
        assert!(run.err().contains(why), "{}", run.err());
        assert_eq!(here.files(), before);
    }
    let run = here.provision(&["apply", "--allow-empty-roster"]).code(3);
    assert!(run.out().contains("3 refused"), "{}", run.out());
    assert_eq!(here.host.sh("grep -c = /etc/ttyd-user-map").trim(), "3", "nobody is cut by it");
}

#[test]
fn a_saved_plan_is_carried_out_while_its_facts_hold_and_refused_afterwards() {
    let name = "a_saved_plan_is_carried_out_while_its_facts_hold_and_refused_afterwards";
    let Some(here) = Provisioned::new(name, THREE) else { return };
    here.provision(&["plan", "--out", "/root/plan.json"]).ok();
    here.host.sh("cp /etc/group /root/group; echo 'late:x:4000:' >>/etc/group");
    let run = here.provision(&["apply", "/root/plan.json"]).code(3);
    let why = "the saved plan no longer fits: group late";
    assert!(run.err().contains(why), "{}", run.err());
    assert_eq!(here.host.sh("ls /home"), "");
    here.host.sh("cat /root/group >/etc/group");
    here.provision(&["apply", "/root/plan.json"]).ok();
    let run = here.provision(&["apply", "/root/plan.json"]).code(3);
    assert!(run.err().contains("no longer fits: account builder"), "{}", run.err());
    // The roster counts, too, and the file only says which facts: nothing in it is done.
    here.provision(&["plan", "--user", "ops", "--out", "/root/plan.json"]).ok();
    here.roster(&THREE.replace("ops.lead", "ops.chief"));
    let run = here.provision(&["apply", "/root/plan.json"]).code(3);
    assert!(run.err().contains("no longer fits: the roster"), "{}", run.err());
    here.host.sh("echo '{}' >/root/plan.json");
    let run = here.provision(&["apply", "/root/plan.json"]).code(2);
    assert!(run.err().contains("not a plan of `provision plan --out`"), "{}", run.err());
}

#[test]
fn what_others_could_have_written_decides_nothing() {
    let name = "what_others_could_have_written_decides_nothing";
    let Some(here) = Provisioned::new(name, THREE) else { return };
    here.host.user("mallory");
    let mallorys = "checking /home/mallory: belongs to uid 20001, not to root";
    here.host.sh("cp /etc/terminal-lobby/roster.yaml /home/mallory/roster.yaml
                  chown mallory /home/mallory/roster.yaml");
    for command in ["plan", "apply"] {
        let run = here.provision(&[command, "--roster", "/home/mallory/roster.yaml"]).code(3);
        assert!(run.err().contains(mallorys), "{command}: {}", run.err());
    }
    here.host.sh("chmod 666 /etc/terminal-lobby/roster.yaml");
    let run = here.provision(&["apply"]).code(3);
    assert!(run.err().contains("others than root can write it"), "{}", run.err());
    here.host.sh("chmod 644 /etc/terminal-lobby/roster.yaml");
    here.host.sh(&format!("mkdir -m 777 {KEPT}"));
    let run = here.provision(&["apply"]).code(3);
    assert!(run.err().contains("others than root can write it"), "{}", run.err());
    here.host.sh(&format!("rmdir {KEPT}; chown mallory /home"));
    let run = here.provision(&["apply"]).code(1);
    let why = "users other than root can move homes";
    assert!(run.err().contains(why), "{}", run.err());
    assert_eq!(here.host.sh("ls /home").trim(), "mallory");
    let run = here.host.as_user("mallory", ["/opt/tl/provision", "apply"]).code(3);
    assert!(run.err().contains("error: 'provision apply' must be run as root"), "{}", run.err());
}

#[test]
fn two_runs_do_not_meet() {
    let Some(here) = Provisioned::new("two_runs_do_not_meet", THREE) else { return };
    here.tool(
        "useradd",
        "touch /tmp/busy; while [ -e /tmp/busy ]; do sleep 0.01; done\nreal \"$@\"",
    );
    let mut first = here.host.root_command(["/opt/tl/provision", "apply"]);
    let mut first = first.stdout(std::process::Stdio::null()).spawn().unwrap();
    crate::support::wait_until("the first run is at work", || {
        here.host.root(["test", "-e", "/tmp/busy"]).code == 0
    });
    let run = here.provision(&["apply"]).code(1);
    assert!(run.err().contains("error: another provision run is in progress"), "{}", run.err());
    assert!(run.err().contains("in progress (pid "), "{}", run.err());
    here.host.sh("rm /usr/local/sbin/useradd /tmp/busy");
    assert!(first.wait().unwrap().success());
}

#[test]
fn a_person_who_edited_is_not_overwritten() {
    let Some(here) = Provisioned::new("a_person_who_edited_is_not_overwritten", THREE) else {
        return;
    };
    here.provision(&["apply"]).ok();
    here.host.sh("sed -i s/3774/3999/ /etc/t3-serve/ops.env
                  sed -i s/reader.ro=/reader.rw=/ /etc/ttyd-user-map");
    let before = here.host.sh("cat /etc/t3-serve/ops.env /etc/ttyd-user-map");
    let run = here.provision(&["apply"]).ok();
    assert!(run.out().contains("2 refused, 0 failed"), "{}", run.out());
    let plan = here.provision(&["plan"]).ok().out();
    assert_eq!(plan.matches("[edited]").count(), 2, "{plan}");
    assert_eq!(here.host.sh("cat /etc/t3-serve/ops.env /etc/ttyd-user-map"), before);
}

#[test]
fn who_is_cut_leaves_maps_that_a_person_edited_and_all_else_in_them_stays() {
    let name = "who_is_cut_leaves_maps_that_a_person_edited_and_all_else_in_them_stays";
    let Some(here) = Provisioned::new(name, THREE) else { return };
    here.provision(&["apply"]).ok();
    here.host.sh(
        "printf '# by hand\\nguest=reader:/srv\\nme.x=builder\\n' >>/etc/ttyd-user-map
         sed -i 's/^{/{\"extra\": {\"os_user\": \"builder\", \"port\": 1},/' /etc/t3-serve/dispatch.json",
    );
    here.roster(
        &THREE
            .lines()
            .filter(|line| !line.contains("reader"))
            .fold(String::new(), |all, line| all + line + "\n"),
    );
    let most = ["apply", "--max-cut-percent", "50"];
    let run = here.provision(&most).ok();
    assert!(run.out().contains("1 cut"), "{}", run.out());
    let map = here.host.sh("cat /etc/ttyd-user-map");
    assert!(map.ends_with("builder42=builder\nops.lead=ops\n# by hand\nme.x=builder\n"), "{map}");
    let dispatch = here.host.sh("cat /etc/t3-serve/dispatch.json");
    assert!(dispatch.contains("extra") && !dispatch.contains("reader"), "{dispatch}");
    // They are still the person's: not written over by the next run, nor taken for ours.
    let before = here.files();
    let run = here.provision(&most).ok();
    assert!(run.out().contains("2 refused, 0 failed"), "{}", run.out());
    assert_eq!(here.files(), before);
}

#[test]
fn databases_that_somebody_holds_cost_the_run_their_patience_once() {
    let name = "databases_that_somebody_holds_cost_the_run_their_patience_once";
    let Some(here) = Provisioned::new(name, THREE) else { return };
    let busy =
        "echo >>/usr/local/tries; echo 'cannot lock /etc/passwd; try again later.' >&2; exit 1";
    here.tool("useradd", busy);
    let run = here.provision(&["apply"]).code(1);
    assert!(run.err().contains("try again later"), "{}", run.err());
    let took = run.took.as_secs();
    assert!((30..50).contains(&took), "{took} s");
    let tries: u32 = here.host.sh("wc -l </usr/local/tries").trim().parse().unwrap();
    assert!(tries > 10, "it was tried again: {tries}");
    // Once it is free, all is made.
    here.host.sh("rm /usr/local/sbin/useradd");
    here.provision(&["apply"]).ok();
}
