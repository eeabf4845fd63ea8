//! Numbers and owners: no account gets a uid that another one has or had, and what an account shares is
//! said.

use super::{KEPT, Provisioned};

/// A roster of power users.
fn rows(users: &[&str]) -> String {
    let row = |user: &&str| {
        format!("  {user}: {{authentik_user: {user}.x, k8s_user: {user}, tier: power-user}}\n")
    };
    format!("users:\n{}", users.iter().map(row).collect::<String>())
}

/// Sets the range of uids.
fn range(here: &Provisioned, min: u32, max: u32) {
    here.host.sh(&format!(
        "printf '%s\\n' 'UID_MIN {min}' 'UID_MAX {max}' 'USERGROUPS_ENAB yes' >/etc/login.defs"
    ));
}

fn uid(here: &Provisioned, user: &str) -> u32 {
    here.host.sh(&format!("id -u {user}")).trim().parse().unwrap()
}

/// Cuts a user who left the roster, archives the home and removes the account.
fn remove(here: &Provisioned, user: &str) {
    let made = here.provision(&["offboard", "archive", user, "--to", "/root/archives", "--json"]);
    let made = made.ok().json();
    let (file, digest) =
        (made["archive"]["file"].as_str().unwrap(), made["archive"]["digest"].as_str().unwrap());
    let confirm = format!("{user}@{digest}");
    here.provision(&["offboard", "remove", user, "--archive", file, "--confirm", &confirm]).ok();
}

#[test]
fn a_uid_of_a_high_range_is_not_given_again_after_a_removal() {
    let name = "a_uid_of_a_high_range_is_not_given_again_after_a_removal";
    let Some(here) = Provisioned::new(name, &rows(&["bob", "zed"])) else { return };
    here.config("[provision.offboard]\nremove_after_days = 0\n");
    here.host.sh("mkdir -m 700 /root/archives");
    range(&here, 100_000, 199_999);
    here.provision(&["apply"]).ok();
    assert_eq!((uid(&here, "bob"), uid(&here, "zed")), (100_000, 100_001));
    here.roster(&rows(&["bob"]));
    here.provision(&["apply", "--max-cut-percent", "50"]).ok();
    remove(&here, "zed");
    here.roster(&rows(&["bob", "carl"]));
    here.provision(&["apply"]).ok();
    assert_eq!(uid(&here, "carl"), 100_002);
    let written = here.host.sh(&format!("cat {KEPT}/applied/written.json"));
    assert!(written.contains("\"100001\": \"zed\""), "{written}");
}

#[test]
fn no_uid_above_the_range_of_the_host_is_given() {
    let name = "no_uid_above_the_range_of_the_host_is_given";
    let Some(here) = Provisioned::new(name, &rows(&["ann", "bob"])) else { return };
    range(&here, 5000, 5000);
    let run = here.provision(&["apply"]).code(1);
    let why = "bob: account bob: no uid from 5000 to 5000 is free that was never used";
    assert!(run.err().contains(why), "{}", run.err());
    assert_eq!(uid(&here, "ann"), 5000);
    assert!(here.host.root(["id", "bob"]).code != 0);
    let map = here.host.sh("grep -v '^#' /etc/ttyd-user-map");
    assert_eq!(map, "ann.x=ann\n", "the other user is done");
}

#[test]
fn the_number_after_nobodys_is_not_given() {
    let name = "the_number_after_nobodys_is_not_given";
    let Some(here) = Provisioned::new(name, &rows(&["ann"])) else { return };
    here.host.sh(
        "grep -q ^nobody: /etc/passwd || echo nobody:x:65534:65534::/:/bin/false >>/etc/passwd",
    );
    range(&here, 1000, 200_000);
    here.provision(&["apply"]).ok();
    assert_eq!(uid(&here, "ann"), 65_536);
}

#[test]
fn a_uid_in_a_subordinate_range_is_not_given() {
    let name = "a_uid_in_a_subordinate_range_is_not_given";
    let Some(here) = Provisioned::new(name, &rows(&["ann"])) else { return };
    here.host.sh("echo guest:100000:65536 >/etc/subuid; echo guest:100000:65536 >/etc/subgid");
    range(&here, 100_000, 200_000);
    here.provision(&["apply"]).ok();
    assert_eq!(uid(&here, "ann"), 165_536);
}

#[test]
fn two_lines_of_one_group_are_one_group() {
    let name = "two_lines_of_one_group_are_one_group";
    let roster = "users:\n  bob: {authentik_user: b, k8s_user: b, tier: power-user}\n  \
                  chef: {authentik_user: c, k8s_user: c, tier: admin}\n";
    let Some(here) = Provisioned::new(name, roster) else { return };
    here.host.user("bob");
    here.host.user("chef");
    here.host.sh("sed 's/^docker:.*/docker:x:998:a1/' /etc/group >/root/group
                  echo docker:x:998:bob,chef >>/root/group; cat /root/group >/etc/group");
    let plan = here.provision(&["plan", "--explain"]).ok().out();
    let reported = "members can become root, but bob has tier power-user: left as it is";
    assert!(plan.contains(reported), "{plan}");
    assert!(!plan.contains("chef: group docker"), "the admin is in it already: {plan}");
    let run = here.provision(&["apply"]).ok();
    assert!(!run.out().contains("FAILED"), "{}", run.out());
}

#[test]
fn an_account_that_has_expired_is_reported_and_one_that_will_is_not() {
    let name = "an_account_that_has_expired_is_reported_and_one_that_will_is_not";
    let Some(here) = Provisioned::new(name, &rows(&["ann", "bob", "cut"])) else { return };
    here.provision(&["apply"]).ok();
    here.host.sh("PATH=$PATH:/usr/sbin; usermod --expiredate 2020-01-01 ann
                  usermod --expiredate 2999-01-01 bob; usermod --expiredate 1 cut");
    let plan = here.provision(&["plan", "--explain"]).ok().out();
    assert!(plan.contains("account expired on 2020-01-01"), "{plan}");
    assert!(plan.contains("account expired on 1970-01-02"), "{plan}");
    assert!(!plan.contains("2999"), "{plan}");
}

#[test]
fn a_shared_uid_or_home_is_named_in_the_plan_and_its_user_is_not_cut() {
    let name = "a_shared_uid_or_home_is_named_in_the_plan_and_its_user_is_not_cut";
    let Some(here) = Provisioned::new(name, &rows(&["ann", "bob", "robert"])) else { return };
    here.provision(&["apply"]).ok();
    let (ann, robert) = (uid(&here, "ann"), uid(&here, "robert"));
    here.host.sh(&format!(
        "echo ann2:x:{ann}:{ann}::/home/ann2:/bin/sh >>/etc/passwd
         sed 's|^robert:.*|robert:x:{robert}:{robert}::/home/bob:/bin/bash|' /etc/passwd >/root/passwd
         cat /root/passwd >/etc/passwd"
    ));
    let plan = here.provision(&["plan", "--explain"]).ok().out();
    assert!(plan.contains(&format!("uid {ann} belongs to ann2, too")), "{plan}");
    assert!(plan.contains("home /home/bob belongs to robert, too"), "{plan}");
    here.roster(&rows(&["bob", "robert"]));
    let run = here.provision(&["apply", "--max-cut-percent", "50"]).code(3);
    assert!(run.out().contains(&format!("uid {ann} belongs to ann2, too")), "{}", run.out());
    assert!(
        here.host.sh("cat /etc/ttyd-user-map").contains("ann.x=ann"),
        "not cut: still in the map"
    );
}

#[test]
fn dates_in_a_roster_are_refused_and_quoted_ones_are_read_and_written_again() {
    let name = "dates_in_a_roster_are_refused_and_quoted_ones_are_read_and_written_again";
    let plain = rows(&["ann"]).replace("ann.x", "2026-11-28");
    let Some(here) = Provisioned::new(name, &plain) else { return };
    let run = here.provision(&["apply"]).code(1);
    assert!(run.err().contains("expected text, found a word that some readers take for a date"));
    here.roster(&plain.replace("2026-11-28", "'2026-11-28'"));
    here.provision(&["apply"]).ok();
    let applied = here.host.sh(&format!("cat {KEPT}/applied/roster.yaml"));
    assert!(applied.contains("authentik_user: '2026-11-28'"), "{applied}");
    here.provision(&["plan", "--detailed-exitcode"]).ok();
}

#[test]
fn a_field_that_the_site_declares_is_passed_over_and_any_other_is_refused() {
    let name = "a_field_that_the_site_declares_is_passed_over_and_any_other_is_refused";
    let roster = rows(&["ann"]).replace('}', ", claude_auth: shared}");
    let Some(here) = Provisioned::new(name, &roster) else { return };
    let run = here.provision(&["apply"]).code(1);
    assert!(run.err().contains("row 'ann': unknown field 'claude_auth'"), "{}", run.err());
    here.config("[provision]\nignored_fields = [\"claude_auth\"]\n");
    let run = here.provision(&["apply"]).ok();
    assert!(run.err().contains("row 'ann': field 'claude_auth' is passed over"), "{}", run.err());
    assert!(here.host.sh("cat /etc/ttyd-user-map").contains("ann.x=ann"));
    let run = here.provision(&["roster", "check"]).ok();
    assert!(run.err().contains("field 'claude_auth' is passed over"), "{}", run.err());
    here.config("[provision]\nignored_fields = [\"tier\"]\n");
    here.provision(&["plan"]).code(2);
}

#[test]
fn a_squatted_socket_directory_is_said_when_the_account_is_made_and_in_every_plan() {
    let name = "a_squatted_socket_directory_is_said_when_the_account_is_made";
    let Some(here) = Provisioned::new(name, &rows(&["ann", "bob"])) else { return };
    here.host.user("eve");
    range(&here, 5000, 5010);
    here.host.sh_as("eve", "mkdir -m 700 /tmp/tmux-5000; echo keep >/tmp/tmux-5000/mine");
    here.host.sh("mkdir -m 700 /tmp/tmux-5001");
    let eve = here.host.uid("eve");
    let taken = format!("/tmp/tmux-5000 exists and belongs to uid {eve}: ann cannot start tmux");
    let run = here.provision(&["apply"]).ok();
    assert!((run.out() + &run.err()).contains(&taken), "{}{}", run.out(), run.err());
    let plan = here.provision(&["plan", "--explain"]).ok().out();
    assert!(plan.contains(&taken), "{plan}");
    assert!(!plan.contains("tmux-5001"), "root's own is given away when the host comes up: {plan}");
    assert_eq!(
        here.host.sh("cat /tmp/tmux-5000/mine; stat -c %u /tmp/tmux-5000"),
        format!("keep\n{eve}\n")
    );
    here.host.sh("rm -r /tmp/tmux-5000");
    assert!(!here.provision(&["plan", "--explain"]).ok().out().contains("tmux-5000"));
}

#[test]
fn a_roster_on_a_path_that_another_user_controls_decides_nothing() {
    let name = "a_roster_on_a_path_that_another_user_controls_decides_nothing";
    let Some(here) = Provisioned::new(name, &rows(&["ann"])) else { return };
    here.host.user("eve");
    here.host.sh("cp /etc/terminal-lobby/roster.yaml /home/eve/; echo '[\"ann.x\", \"new\"]' >/root/members
        ln -s /home/eve/roster.yaml /etc/terminal-lobby/link.yaml; mkdir -m 777 /etc/terminal-lobby/open
        cp /etc/terminal-lobby/roster.yaml /etc/terminal-lobby/open/; chown root: /home/eve/roster.yaml");
    for roster in [
        "/home/eve/roster.yaml",
        "/etc/terminal-lobby/link.yaml",
        "/etc/terminal-lobby/open/roster.yaml",
    ] {
        for more in [&[][..], &["--apply"][..]] {
            let args = ["membership", "--roster", roster, "--members", "/root/members"];
            let run = here.provision(&[&args[..], more].concat());
            assert_ne!(run.code, 0, "{roster}: {}", run.out());
            assert!(
                run.err().contains("belongs to uid") || run.err().contains("others than root"),
                "{}",
                run.err()
            );
            assert!(!here.host.sh(&format!("cat {roster}")).contains("new"));
        }
    }
    // A loop that exchanges two links changes nothing of that.
    here.host.sh_as(
        "eve",
        "cd; mkdir x y; cp roster.yaml x/; sed 's/power-user/admin/' roster.yaml >y/roster.yaml",
    );
    here.host.start_as(
        "eve",
        &["sh", "-c", "cd; while :; do ln -sfn /etc/terminal-lobby p; ln -sfn /home/eve/y p; done"],
    );
    for _ in 0..10 {
        let run = here.provision(&[
            "membership",
            "--roster",
            "/home/eve/p/roster.yaml",
            "--members",
            "/root/members",
        ]);
        assert!(run.code != 0 && !run.out().contains("add new"), "{}{}", run.out(), run.err());
    }
}
