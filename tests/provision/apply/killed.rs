//! Killed at any moment: the next run completes what was begun.

use super::{Provisioned, THREE};
use crate::faults::has_strace;

const TOOLS: [&str; 2] = ["useradd", "gpasswd"];

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
    here.host.sh("cp -a /etc /root/etc");
    here.provision(&["apply"]).ok();
    let expected = whole(&here);
    let mut cases = 0;
    for after in [false, true] {
        for at in 1.. {
            here.host.sh("cp -a /root/etc/. /etc/; rm -rf /home/* /etc/t3-serve /etc/ttyd-* /var/lib/terminal-lobby /usr/local/count");
            for tool in TOOLS {
                let (before, behind) = if after { ("real \"$@\"", "kill") } else { ("kill", "") };
                here.tool(tool, &format!(
                    "echo >>/usr/local/count\n[ $(wc -l </usr/local/count) -eq {at} ] || {{ real \"$@\"; exit; }}\n\
                     {}\n{}\nexit 0",
                    before.replace("kill", "kill -KILL $PPID; exit 9"),
                    behind.replace("kill", "kill -KILL $PPID"),
                ));
            }
            let run = here.provision(&["apply"]);
            for tool in TOOLS {
                here.host.sh(&format!("rm /usr/local/sbin/{tool}"));
            }
            if run.code == 0 {
                break;
            }
            cases += 1;
            here.provision(&["apply"]).ok();
            assert_eq!(whole(&here), expected, "killed {at}, after: {after}");
            let plan = here.provision(&["plan", "--detailed-exitcode"]);
            assert_eq!(plan.code, 0, "killed {at}, after: {after}: {}", plan.out());
        }
    }
    println!("killed before and after each tool: {cases} cases");
    assert!(cases >= 12, "{cases}");
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
