//! Killed at any moment: the next run completes what was begun.

use super::{Provisioned, THREE};
use crate::faults::has_strace;

const TOOLS: [&str; 4] = ["useradd", "gpasswd", "git", "systemctl"];

/// What the host must be in the end, whatever happened on the way.
fn whole(here: &Provisioned) -> String {
    here.host.sh(
        "grep -v '^#' /etc/ttyd-user-map /etc/ttyd-admins; cat /etc/t3-serve/*.env /etc/t3-serve/*.json
         for user in ops reader builder; do
             echo \"$user $(stat -c '%a %U %G' /home/$user) $(cat /home/$user/.profile)\"
             echo \"$user: $(id -nG $user)\"; grep \"^$user:!\" /etc/shadow | cut -d: -f1
         done",
    )
}

#[test]
fn apply_may_die_before_and_after_each_tool() {
    let name = "apply_may_die_before_and_after_each_tool";
    let Some(here) = Provisioned::new(name, THREE) else { return };
    here.config(CLONED);
    here.host.sh(
        "mount -t tmpfs -o mode=755 srv /srv; printf '[safe]\\n directory = *\\n' >/etc/gitconfig
         for repo in infra webapp; do
             git init -q -b main /root/$repo; cd /root/$repo; echo $repo >file; git add file
             git -c user.name=a -c user.email=a@b commit -qm one
             git clone -q --bare /root/$repo /srv/$repo.git
         done
         for unit in t3-serve@.service playwright-mcp@.service playwright-snapshot-refresh@.timer; do
             printf '[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/$unit
         done
         cp -a /etc /root/etc; install -d -m 1777 /run/count",
    );
    here.provision(&["apply"]).ok();
    let expected = whole(&here) + &clones_and_units(&here);
    let mut cases = 0;
    for after in [false, true] {
        for at in 1.. {
            here.host.sh("rm -rf /etc/t3-serve /etc/ttyd-* /etc/systemd /home/* /var/lib/terminal-lobby /run/count/*
                          cp -a /root/etc/. /etc/");
            for tool in TOOLS {
                // Users' tools cannot kill root's program: they ask for it, and wait.
                let kill =
                    "touch /run/count/kill; while [ -e /run/count/kill ]; do sleep 0.01; done";
                let (before, behind) = if after { ("real \"$@\"", kill) } else { (kill, "exit 9") };
                here.tool(
                    tool,
                    &format!(
                        "n=1; until mkdir /run/count/$n 2>/dev/null; do n=$((n+1)); done\n\
                     [ $n -eq {at} ] || {{ real \"$@\"; exit; }}\n{before}\n{behind}"
                    ),
                );
            }
            let run = here.host.root(["sh", "-c", KILLABLE]);
            for tool in TOOLS {
                here.host.sh(&format!("rm /usr/local/sbin/{tool}"));
            }
            if run.code == 0 {
                break;
            }
            assert_eq!(run.code, 137, "{at}, after: {after}: {}", run.err());
            cases += 1;
            here.provision(&["apply"]).ok();
            let found = whole(&here) + &clones_and_units(&here);
            assert_eq!(found, expected, "killed {at}, after: {after}");
            let plan = here.provision(&["plan", "--detailed-exitcode"]);
            assert_eq!(plan.code, 0, "killed {at}, after: {after}: {}", plan.out());
        }
    }
    println!("killed before and after each tool: {cases} cases");
    assert!(cases >= 40, "{cases}");
}

/// Runs an apply that is killed as soon as somebody asks for it.
const KILLABLE: &str = "/opt/tl/provision apply -q & pid=$!
    ( while kill -0 $pid 2>/dev/null; do
        if [ -e /run/count/kill ]; then kill -KILL $pid; while kill -0 $pid 2>/dev/null; do :; done; rm -f /run/count/kill; exit; fi
        sleep 0.01
    done ) &
    wait $pid";

/// Clones whose infrastructure and repositories are on this host.
const CLONED: &str = "[provision.code]
infra_remote = 'file:///srv/infra.git'
repo_remote = 'file:///srv/{repo}.git'
allow_file = true
";

fn clones_and_units(here: &Provisioned) -> String {
    here.host.sh(
        "cd /home; tail -n +1 reader/code/file builder/code/infra/file builder/code/webapp/file
         stat -c '%n %U' reader/code builder/code/*; ls -A builder/code
         cd /etc/systemd/system; find . -name '*@*.*' | sort",
    )
}

#[test]
fn apply_may_die_at_each_word_to_the_disk() {
    let name = "apply_may_die_at_each_word_to_the_disk";
    if !has_strace(name) {
        return;
    }
    let Some(here) = Provisioned::new(name, THREE) else { return };
    here.host.sh("cp -a /etc /root/etc");
    here.provision(&["apply"]).ok();
    let expected = whole(&here);
    let reset = || {
        here.host.sh("cp -a /root/etc/. /etc/; rm -rf /home/* /etc/t3-serve /etc/ttyd-* /var/lib/terminal-lobby");
    };
    reset();
    let counted = "strace -o /root/trace -e trace=fsync /opt/tl/provision apply -q; grep -c '^fsync' /root/trace";
    let all: u64 = here.host.sh(counted).trim().parse().unwrap();
    assert!(all > 60, "{all}");
    let mut cases = 0;
    for at in 1..=all {
        reset();
        let killed = format!(
            "strace -o /dev/null -e trace=fsync -e inject=fsync:signal=KILL:when={at} /opt/tl/provision apply -q"
        );
        let run = here.host.root(["sh", "-c", &killed]);
        assert_ne!(run.code, 0, "{at} of {all}");
        cases += 1;
        here.provision(&["apply"]).ok();
        assert_eq!(whole(&here), expected, "killed at {at} of {all}");
        let plan = here.provision(&["plan", "--detailed-exitcode"]);
        assert_eq!(plan.code, 0, "killed at {at} of {all}: {}", plan.out());
    }
    println!("killed at a word to the disk: {cases} of {all}");
}
