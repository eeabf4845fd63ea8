//! A host's people, from the roster: on a booted host with real accounts, units and git remotes, and
//! stand-ins for the identity provider and for Vault.

mod repository;

use crate::support::{BootBox, On, wait_until};
use std::path::Path;

const STUB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/boot/stub-service");
const SERVERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/boot/stub-servers");
/// Those who were there before, and three who are new.
const ROSTER: &str = "users:
  alice:   {authentik_user: alice@example.org, k8s_user: alice, tier: admin}
  bob:     {authentik_user: bob@example.org,   k8s_user: bob,   tier: power-user}
  carol:   {authentik_user: carol@example.org, k8s_user: carol, tier: namespace-owner, namespaces: [carol]}
  ops:     {authentik_user: ops.lead,  k8s_user: ops,  tier: admin}
  reader:  {authentik_user: reader.ro, k8s_user: ro,   tier: power-user}
  builder: {authentik_user: builder42, k8s_user: bld,  tier: namespace-owner, namespaces: [builds], code_layout: workspace, repos: [webapp]}
";

/// A host with remotes, servers and the programs that the units start; `alice`, `bob` and `carol` are
/// there and have lived in their homes.
fn host(test: &str) -> Option<BootBox> {
    let made = BootBox::booted(test, On::Host)?;
    for program in ["t3", "playwright-mcp"] {
        made.copy_in(STUB, &format!("/usr/local/bin/{program}"));
    }
    made.copy_in(SERVERS, "/usr/local/bin/stub-servers");
    made.sh(
        "chmod 755 /usr/local/bin/*
         printf '#!/bin/sh\\n' >/usr/local/bin/playwright-snapshot-refresh
         chmod 755 /usr/local/bin/playwright-snapshot-refresh
         groupadd -f docker; groupadd code-shared; groupadd film; usermod -aG film bob
         printf '[safe]\\n directory = *\\n[user]\\n name = a\\n email = a@example.org\\n' >/etc/gitconfig
         mkdir /srv/git; cd /srv/git
         for repo in infra webapp; do
             git init -q -b main /root/$repo; cd /root/$repo; echo $repo >file; git add file
             git commit -qm one; git clone -q --bare . /srv/git/$repo.git
         done
         # bob has a clone with a branch, a stash and changes; carol a link; both have their dotfiles.
         su bob -c 'cd; git clone -q file:///srv/git/infra.git code; cd code; git switch -qc mine
             echo stashed >>file; git stash -q; echo dirty >>file; echo new >untracked; echo rc >>~/.bashrc'
         su carol -c 'cd; mkdir elsewhere; ln -s elsewhere code; chmod 750 .; echo rc >>~/.bashrc'
         mkdir -m 755 /etc/t3-serve; echo 'T3_PORT=4100' >/etc/t3-serve/bob.env; chmod 600 /etc/t3-serve/bob.env
         cat >>/etc/terminal-lobby/config.toml <<'END'
[provision.code]
infra_remote = \"file:///srv/git/infra.git\"
repo_remote = \"file:///srv/git/{repo}.git\"
allow_file = true
END",
    );
    roster(&made, ROSTER);
    Some(made)
}

fn roster(made: &BootBox, text: &str) {
    made.sh(&format!("cat >/etc/terminal-lobby/roster.yaml <<'END'\n{text}END"));
}

/// Every file of these homes with all that can be said of it, what git notes of a fetch and the directory of a user's
/// instance aside.
fn homes(made: &BootBox, users: &[&str]) -> String {
    let homes: Vec<String> = users.iter().map(|user| format!("/home/{user}")).collect();
    made.sh(&format!(
        "find {} -mindepth 1 -path '*/.git/*' -prune -o -name .git -prune -o -name .t3 -prune -o -printf '%p %y %m %u:%g %s %T@ %l\\n' | sort
         stat -c '%n %a %U:%G' {}
         cd /home/bob/code && su bob -c 'git -C /home/bob/code status --porcelain; git -C /home/bob/code stash list; git -C /home/bob/code branch'",
        homes.join(" "),
        homes.join(" ")
    ))
}

/// What runs would write: everything but what a fetch leaves in clones.
fn written(made: &BootBox) -> String {
    made.sh(
        "find /etc /var/lib/terminal-lobby /home -path '*/.git/*' -prune -o -name .git -prune -o \
         -printf '%p %i %m %u:%g %s %T@ %C@\\n' | grep -v '^/etc/[^ ]* .*\\.lock' | sort",
    )
}

#[track_caller]
fn apply(made: &BootBox, args: &str, code: i32) -> String {
    let run = made.try_sh("root", &format!("provision apply {args}"));
    assert_eq!(run.code, code, "{}{}", run.out(), run.err());
    run.out() + &run.err()
}

fn is_active(made: &BootBox, unit: &str) -> bool {
    made.property(unit, "ActiveState") == "active"
}

#[test]
fn people_come_change_and_leave() {
    let Some(made) = host("boot::provisioning::people_come_change_and_leave") else { return };
    let before = homes(&made, &["bob", "carol"]);
    let groups = made.sh("id -nG bob; id -nG carol; getent passwd bob carol");
    let said = apply(&made, "", 0);
    assert!(said.contains(" 0 failed."), "{said}");
    // Three are there that were not, with all that the steps make.
    for user in ["ops", "reader", "builder"] {
        wait_until("the terminal runs", || is_active(&made, &format!("t3-serve@{user}.service")));
        assert!(is_active(&made, &format!("playwright-snapshot-refresh@{user}.timer")));
        assert_eq!(made.sh(&format!("stat -c '%a %U' /home/{user}")).trim(), format!("700 {user}"));
    }
    assert_eq!(
        made.sh("id -nG ops | tr ' ' '\\n' | sort | tr '\\n' ' '").trim(),
        "code-shared docker ops sudo"
    );
    made.sh("test -f /home/reader/code/file; test -f /home/builder/code/infra/file
             test -f /home/builder/code/webapp/file; ! test -e /home/ops/code");
    // Nobody who was there lost anything.
    assert_eq!(homes(&made, &["bob", "carol"]), before);
    assert_eq!(made.sh("id -nG bob; id -nG carol; getent passwd bob carol"), groups);
    assert!(made.sh("cat /etc/t3-serve/dispatch.json").contains("4100"), "bob's port stays");
    let map = made.sh("grep -v '^#' /etc/ttyd-user-map | sort");
    let all = "alice@example.org=alice\nbob@example.org=bob\nbuilder42=builder\n\
               carol@example.org=carol\nops.lead=ops\nreader.ro=reader\n";
    assert_eq!(map, all);
    // The second run writes nothing, and nothing is left to do.
    let files = written(&made);
    apply(&made, "", 0);
    assert_eq!(written(&made), files);
    made.sh("provision plan --detailed-exitcode");

    // Parked, and back.
    roster(&made, &ROSTER.replace("repos: [webapp]}", "repos: [webapp], parked: true}"));
    apply(&made, "", 0);
    for unit in ["t3-serve@builder.service", "playwright-snapshot-refresh@builder.timer"] {
        assert!(!is_active(&made, unit), "{unit}");
    }
    made.sh("systemctl start playwright-snapshot-refresh@builder.timer");
    assert!(apply(&made, "", 0).contains("1 repaired"), "what runs though parked is stopped");
    assert!(!is_active(&made, "playwright-snapshot-refresh@builder.timer"));
    roster(&made, ROSTER);
    apply(&made, "", 0);
    wait_until("the terminal is back", || is_active(&made, "t3-serve@builder.service"));

    // One more, and another layout: what runs in the clone goes along.
    let more = ROSTER.replace("k8s_user: ro, ", "k8s_user: ro, code_layout: workspace,")
        + "  dora: {authentik_user: dora.d, k8s_user: dora, tier: power-user}\n";
    roster(&made, &more);
    made.sh(
        "su reader -c 'cd ~/code; echo mine >>file; sleep 1000 >/dev/null 2>&1 & echo $! >~/pid'",
    );
    apply(&made, "", 0);
    let place =
        made.sh("readlink /proc/$(cat /home/reader/pid)/cwd; cat /home/reader/code/infra/file");
    assert_eq!(place, "/home/reader/code/infra\ninfra\nmine\n");
    made.sh("id dora");

    // Dora leaves: cut once, by the difference; the way back is whole.
    wait_until("dora's terminal runs", || is_active(&made, "t3-serve@dora.service"));
    let login = made.sh("grep ^dora: /etc/shadow /etc/group; cat /etc/t3-serve/dora.env");
    let without =
        more.lines().filter(|line| !line.contains("dora")).collect::<Vec<_>>().join("\n") + "\n";
    roster(&made, &without);
    let said = apply(&made, "", 0);
    assert!(said.contains("1 cut"), "{said}");
    assert!(!is_active(&made, "t3-serve@dora.service"));
    assert_ne!(made.try_sh("root", "su -s /bin/sh -c true dora").code, 0);
    assert!(!made.sh("cat /etc/ttyd-user-map").contains("dora"));
    assert!(
        made.sh("cat /var/lib/terminal-lobby/cut/dora.json").contains("sha256:"),
        "which roster"
    );
    assert!(apply(&made, "", 0).contains("0 cut"), "once");
    roster(&made, &more);
    made.sh("provision offboard uncut dora");
    apply(&made, "", 0);
    wait_until("dora's terminal is back", || is_active(&made, "t3-serve@dora.service"));
    assert_eq!(made.sh("grep ^dora: /etc/shadow /etc/group; cat /etc/t3-serve/dora.env"), login);
    made.sh("su -s /bin/sh -c true dora; grep =dora$ /etc/ttyd-user-map; provision plan --detailed-exitcode");
}

#[test]
fn what_the_servers_do_not_say_cuts_nobody_and_what_they_contradict_ends_the_run() {
    let test = "boot::provisioning::what_the_servers_do_not_say_cuts_nobody_and_what_they_contradict_ends_the_run";
    let Some(made) = host(test) else { return };
    apply(&made, "", 0);
    let gone =
        ROSTER.lines().filter(|line| !line.contains("reader")).collect::<Vec<_>>().join("\n")
            + "\n";
    roster(&made, &gone);
    made.sh("systemd-run -q --unit stub-servers /usr/local/bin/stub-servers /run/servers
             umask 077; echo token >/etc/terminal-lobby/token
             cat >>/etc/terminal-lobby/config.toml <<'END'
[provision.authentik]
url = \"http://127.0.0.1:8801\"
group = \"people\"
token_file = \"/etc/terminal-lobby/token\"
[provision.vault]
address = \"http://127.0.0.1:8802\"
token_file = \"/etc/terminal-lobby/token\"
END");
    wait_until("the servers answer", || {
        made.try_sh("root", "test -e /run/servers/ready").code == 0
    });
    let say = |authentik: &str, vault: &str| {
        made.sh(&format!(
            "echo {authentik} >/run/servers/authentik; echo {vault} >/run/servers/vault"
        ));
    };
    for unknown in ["error", "partial", "empty", "nonsense"] {
        say(unknown, "right");
        let said = apply(&made, "", 4);
        assert!(
            said.contains("cannot determine group members") && said.contains("0 cut"),
            "{unknown}: {said}"
        );
    }
    say("whole", "wrong");
    let said = apply(&made, "", 1);
    assert!(said.contains("roster.yaml:3:"), "{said}");
    assert!(said.contains("bob' has tier power-user here"), "{said}");
    for unreachable in ["error", "deleted"] {
        say("error", unreachable);
        assert!(apply(&made, "", 4).contains("tiers not compared"), "{unreachable}");
    }
    made.sh("su -s /bin/sh -c true reader");
    say("whole", "right");
    assert!(apply(&made, "", 0).contains("1 cut"));
    assert_ne!(made.try_sh("root", "su -s /bin/sh -c true reader").code, 0);
}

/// The commands of a runbook: its blocks marked `sh`, in their order.
fn commands(runbook: &str) -> Vec<String> {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(runbook)).unwrap();
    let blocks = text.split("```sh\n").skip(1);
    blocks.map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_runbooks_can_be_followed_to_the_letter() {
    let Some(made) = host("boot::provisioning::the_runbooks_can_be_followed_to_the_letter") else {
        return;
    };
    apply(&made, "", 0);
    let coming = commands("docs/onboarding.md");
    assert!(coming.len() >= 4, "{coming:?}");
    for block in coming {
        made.sh(&block);
    }
    let leaving = commands("docs/offboarding.md");
    assert!(leaving.len() >= 6, "{leaving:?}");
    let (last, others) = leaving.split_last().unwrap();
    for block in others {
        made.sh(block);
    }
    let early = made.try_sh("root", last);
    assert_eq!(early.code, 3, "{}", early.err());
    assert!(early.err().contains("7 days after the cut"), "{}", early.err());
    // A week later, as far as the configuration is concerned.
    made.sh("printf '[provision.offboard]\\nremove_after_days = 0\\n' >>/etc/terminal-lobby/config.toml");
    made.sh(last);
    made.sh("! id alex 2>/dev/null; ! test -e /home/alex; ls /srv/archives/alex-*.manifest");
    let uid =
        made.sh("grep -o '\"[0-9]*\": \"alex\"' /var/lib/terminal-lobby/applied/written.json");
    assert!(uid.contains("alex"), "the uid stays taken: {uid}");
}
