//! What lasts: numbers that are never given again, and the record of what was applied.

use super::{KEPT, Provisioned, THREE};

#[test]
fn a_uid_and_a_port_of_the_past_are_nobodys() {
    let Some(here) = Provisioned::new("a_uid_and_a_port_of_the_past_are_nobodys", THREE) else {
        return;
    };
    here.provision(&["apply"]).ok();
    let last = here.host.sh("id -u reader");
    here.host.sh("/usr/sbin/userdel reader; mv /home/reader /root/");
    let new = THREE.replace(
        "  reader:  {authentik_user: reader.ro, k8s_user: ro, ",
        "  zoe: {authentik_user: zoe, k8s_user: zo, ",
    );
    assert!(new.contains("zoe"));
    here.roster(&new);
    here.provision(&["apply", "--user", "zoe"]).ok();
    let uid: u32 = here.host.sh("id -u zoe").trim().parse().unwrap();
    assert_eq!(uid, last.trim().parse::<u32>().unwrap() + 1, "useradd alone would give {last}");
    assert_eq!(here.host.sh("cat /etc/t3-serve/zoe.env"), "T3_PORT=3776\n");
}

#[test]
fn lesson_31_the_receipt_names_the_commit_and_says_when_the_file_is_not_as_committed() {
    let name = "lesson_31_the_receipt_names_the_commit_and_says_when_the_file_is_not_as_committed";
    let Some(here) = Provisioned::new(name, THREE) else { return };
    here.host.sh("mkdir /root/policy; cd /root/policy; git init -q .
         cp /etc/terminal-lobby/roster.yaml .; git add .
         git -c user.name=a -c user.email=a@b commit -qm one
         printf '#!/bin/sh\\ntouch /root/ran\\n' >/root/hook; chmod 755 /root/hook
         git config core.fsmonitor /root/hook");
    let commit = here.host.sh("git -C /root/policy rev-parse HEAD");
    let roster = ["apply", "--json", "--roster", "/root/policy/roster.yaml"];
    let receipt = here.provision(&roster).ok().json();
    assert_eq!(receipt["roster"]["commit"], commit.trim());
    assert_eq!(receipt["roster"]["edited"], false);
    here.host.sh("echo '# note' >>/root/policy/roster.yaml");
    let receipt = here.provision(&roster).ok().json();
    assert_eq!(receipt["roster"]["edited"], true);
    assert_eq!(here.host.sh("ls /root").trim(), "hook\npolicy", "git ran a program");
    // A clone of somebody else's is not asked.
    here.host.user("mallory");
    here.host.sh("chown -R mallory /root/policy/.git");
    let receipt = here.provision(&roster).ok().json();
    assert_eq!(receipt["roster"]["commit"], serde_json::Value::Null);
}

#[test]
fn journal_and_receipt_say_what_was_done() {
    let Some(here) = Provisioned::new("journal_and_receipt_say_what_was_done", THREE) else {
        return;
    };
    here.provision(&["apply"]).ok();
    let journal = here.host.sh(&format!("cat {KEPT}/journal.jsonl"));
    let events: Vec<String> = journal
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["event"].to_string())
        .collect();
    assert_eq!(events.first().unwrap(), "\"run\"");
    assert_eq!(events.last().unwrap(), "\"end\"");
    let count = |event: &str| events.iter().filter(|e| **e == format!("\"{event}\"")).count();
    assert_eq!((count("before"), count("done"), count("failed")), (15, 15, 0));
    let receipt = here.host.sh(&format!("cat {KEPT}/receipts/*.json"));
    let receipt: serde_json::Value = serde_json::from_str(&receipt).unwrap();
    assert_eq!(receipt["changes"].as_array().unwrap().len(), 15);
    assert_eq!(receipt["tally"]["added"], 15);
    assert_eq!(
        here.host.sh(&format!("stat -c %a {KEPT}/receipts {KEPT}/journal.jsonl")),
        "700\n600\n"
    );
}

#[test]
fn subordinate_uids_of_a_removed_account_are_not_given_again() {
    let test = "subordinate_uids_of_a_removed_account_are_not_given_again";
    let Some(here) = Provisioned::new(test, THREE) else { return };
    here.config("[provision.offboard]\nremove_after_days = 0\n");
    here.host.sh("touch /etc/subuid /etc/subgid; mkdir -m 700 /root/archives
         printf '%s\\n' 'SUB_UID_COUNT 65536' 'SUB_GID_COUNT 65536' >>/etc/login.defs");
    here.provision(&["apply"]).ok();
    let range =
        |user: &str| here.host.sh(&format!("cat /etc/subuid /etc/subgid | grep ^{user}: || :"));
    let was = range("reader").replace("reader:", "");
    if was.is_empty() {
        crate::support::lacks::lacks(test, "useradd gives no subordinate uids");
        return;
    }
    here.provision(&["offboard", "cut", "reader"]).ok();
    let row = THREE.lines().find(|line| line.contains("reader:")).unwrap();
    here.roster(&THREE.replace(&format!("{row}\n"), ""));
    here.provision(&["apply"]).ok();
    let made =
        here.provision(&["offboard", "archive", "reader", "--to", "/root/archives", "--json"]);
    let made = made.ok().json();
    let (file, digest) =
        (made["archive"]["file"].as_str().unwrap(), made["archive"]["digest"].as_str().unwrap());
    let confirm = format!("reader@{digest}");
    here.provision(&["offboard", "remove", "reader", "--archive", file, "--confirm", &confirm])
        .ok();
    here.roster(&THREE.replace("reader", "newcomer"));
    here.provision(&["apply"]).ok();
    let is = range("newcomer").replace("newcomer:", "");
    let written = here.host.sh(&format!("cat {KEPT}/applied/written.json"));
    assert!(written.contains("\"first_free_subid\": 296608"), "{written}");
    assert!(is.lines().count() == 2 && was.lines().count() == 2, "{is}{was}");
    assert!(is.lines().all(|range| !was.contains(range)), "{is} was another's");
}

#[test]
fn an_account_that_a_power_loss_left_half_made_is_finished() {
    let name = "an_account_that_a_power_loss_left_half_made_is_finished";
    let Some(here) = Provisioned::new(name, THREE) else { return };
    here.provision(&["apply"]).ok();
    let whole = "stat -c '%a %U %G' /home/reader; cat /home/reader/.profile; id -u reader";
    let before = here.host.sh(whole);
    // As it is when useradd has written the databases and nothing else.
    here.host.sh(&format!(
        "rm -r /home/reader; uid=$(id -u reader)
         sed -i \"s/\\\"uid\\\": $uid,/\\\"uid\\\": null,/\" {KEPT}/applied/written.json"
    ));
    let run = here.provision(&["apply"]).ok();
    assert!(run.out().contains("repair   reader: account reader"), "{}", run.out());
    assert_eq!(here.host.sh(whole), before);
    here.provision(&["plan", "--detailed-exitcode"]).ok();
}
