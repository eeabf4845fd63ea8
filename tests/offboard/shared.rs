//! What another account has, too, is neither cut nor archived nor removed.

use super::{SAYS_NOTHING, configure, everything, host, offboard};
use crate::support::host::Host;

/// Gives bob this home, as another account's entry would name it.
fn bobs_home(host: &Host, home: &str) {
    host.sh(&format!(
        "awk -F: -v OFS=: -v home='{home}' '$1 == \"bob\" {{ $6 = home }} {{ print }}' /etc/passwd \
         >/root/passwd && cat /root/passwd >/etc/passwd"
    ));
}

#[test]
fn two_names_with_one_uid_are_named_and_neither_is_cut() {
    let Some(host) = host("offboard::shared::two_names_with_one_uid_are_named_and_neither_is_cut")
    else {
        return;
    };
    let uid = host.uid("ann");
    host.sh(&format!(
        "echo ann2:x:{uid}:{uid}::/home/ann2:/bin/sh >>/etc/passwd
         echo 'ann2:!:19000:0:99999:7:::' >>/etc/shadow"
    ));
    host.start_as("ann", &["sleep", "1000"]);
    super::wait_until_runs(&host);
    let before = everything(&host);
    for (name, other) in [("ann", "ann2"), ("ann2", "ann")] {
        for more in [&["--dry-run"][..], &[]] {
            let run = offboard(&host, ["cut", name].iter().chain(more)).code(3);
            let why = format!("uid {uid} of {name} belongs to {other}, too");
            assert!(run.err().contains(&why), "{}", run.err());
            assert!(run.err().contains(&format!("usermod --uid NUMBER {other}")), "{}", run.err());
        }
    }
    assert_eq!(everything(&host), before);
    assert_eq!(super::processes(&host, &uid.to_string()), 1, "it runs on");
}

#[test]
fn a_name_that_got_the_uid_after_the_cut_keeps_its_home_and_account() {
    let test = "offboard::shared::a_name_that_got_the_uid_after_the_cut_keeps_its_home_and_account";
    let Some(host) = host(test) else { return };
    configure(&host, SAYS_NOTHING);
    offboard(&host, ["cut", "ann"]).ok();
    let uid = host.uid("ann");
    host.sh(&format!("echo ann2:x:{uid}:{uid}::/home/ann2:/bin/sh >>/etc/passwd"));
    let run = offboard(&host, ["archive", "ann", "--to", "/root/archives"]).code(3);
    assert!(run.err().contains("belongs to ann2, too"), "{}", run.err());
    assert!(host.root(["test", "-d", "/home/ann"]).code == 0);
}

#[test]
fn a_home_that_another_account_has_is_neither_archived_nor_removed() {
    let test = "offboard::shared::a_home_that_another_account_has_is_neither_archived_nor_removed";
    let Some(host) = host(test) else { return };
    configure(&host, SAYS_NOTHING);
    offboard(&host, ["cut", "ann"]).ok();
    host.sh("ln -s /home /root/homes; mkdir -p /root/same; mount --bind /home/ann /root/same");
    for home in [
        "/home/ann",
        "/home/ann/",
        "/home/ann/sub",
        "/home//x/../ann",
        "/root/homes/ann",
        "/root/same",
    ] {
        bobs_home(&host, home);
        let run = offboard(&host, ["archive", "ann", "--to", "/root/archives"]).code(3);
        let why = format!("home /home/ann is shared: the home of bob is {home}");
        assert!(run.err().contains(why.trim_end_matches('/')), "{}", run.err());
        assert!(host.root(["test", "-d", "/home/ann"]).code == 0, "{home}");
    }
    assert_eq!(host.sh("ls /root/archives"), "");
    // One that becomes so after the archive.
    host.sh("umount /root/same");
    bobs_home(&host, "/home/bob");
    let json = offboard(&host, ["archive", "ann", "--json", "--to", "/root/archives"]).ok().json();
    let (file, digest) =
        (json["archive"]["file"].as_str().unwrap(), json["archive"]["digest"].as_str().unwrap());
    bobs_home(&host, "/home/ann");
    let confirm = format!("ann@{}", &digest[..12]);
    let args = ["remove", "ann", "--archive", file, "--confirm", &confirm];
    let run = offboard(&host, args).code(3);
    assert!(run.err().contains("is shared: the home of bob is /home/ann"), "{}", run.err());
    assert!(host.root(["id", "ann"]).code == 0);
    bobs_home(&host, "/home/bob");
    offboard(&host, args).ok();
    assert!(host.root(["id", "ann"]).code != 0);
    assert!(host.root(["test", "-d", "/home/bob"]).code == 0);
}

#[test]
fn a_group_with_several_lines_is_left_or_reported_never_forgotten() {
    let test = "offboard::shared::a_group_with_several_lines_is_left_or_reported_never_forgotten";
    let Some(host) = host(test) else { return };
    host.sh("sed 's/^docker:.*/docker:x:900:bob/' /etc/group >/root/group; echo docker:x:900:ann >>/root/group
             cat /root/group >/etc/group");
    let run = offboard(&host, ["cut", "ann"]);
    let still = host.sh("grep ^docker: /etc/group").contains("ann");
    assert_eq!(run.code, i32::from(still), "{}", run.err());
    if still {
        assert!(run.err().contains("group docker"), "{}", run.err());
    }
}

#[test]
fn a_home_on_a_file_system_of_its_own_is_closed_and_not_moved() {
    let Some(host) = host("offboard::shared::a_home_on_a_file_system_of_its_own") else { return };
    let uid = host.uid("ann");
    host.sh(&format!(
        "mount -t tmpfs -o uid={uid},gid={uid},mode=711 own /home/ann; echo x >/home/ann/file"
    ));
    offboard(&host, ["cut", "ann"]).ok();
    assert_eq!(host.sh("stat -c '%u %a' /home/ann"), "0 700\n");
    let run = offboard(&host, ["archive", "ann", "--to", "/root/archives"]);
    assert_ne!(run.code, 0, "{}", run.out());
    assert!(run.err().contains("/home/ann"), "{}", run.err());
    assert_eq!(host.sh("ls /root/archives; cat /home/ann/file"), "x\n");
    offboard(&host, ["uncut", "ann"]).ok();
    assert_eq!(host.sh("stat -c '%u %a' /home/ann"), format!("{uid} 711\n"));
}

#[test]
fn a_primary_group_that_makes_root_and_one_of_its_own_are_told_apart() {
    let Some(host) = host("offboard::shared::a_primary_group_that_makes_root") else { return };
    let uid = host.uid("ann");
    host.sh(&format!("sed 's/^ann:x:{uid}:{uid}:/ann:x:{uid}:900:/' /etc/passwd >/root/p; cat /root/p >/etc/passwd"));
    let run = offboard(&host, ["cut", "ann"]).ok();
    assert!(
        run.out().contains("group docker: ann stays in it, as it is the primary group"),
        "{}",
        run.out()
    );
}

#[test]
fn a_set_group_id_copy_keeps_no_process_and_is_listed() {
    let Some(host) = host("offboard::shared::a_set_group_id_copy_keeps_no_process") else { return };
    host.sh("mount -t tmpfs -o mode=1777 vartmp /var/tmp; cp /bin/sleep /var/tmp/group
        chown ann:900 /var/tmp/group; chmod 2755 /var/tmp/group");
    // bob's own process, with a group that ann had: it is bob's, and its file is named.
    host.start_as("bob", &["/var/tmp/group", "1000"]);
    crate::support::wait_until("it runs", || {
        host.sh("ps -e -o args= | grep -c '^/var/tmp/group' || :").trim() == "1"
    });
    let run = offboard(&host, ["cut", "ann"]).ok();
    assert!(run.out().contains("set-id file of ann: /var/tmp/group (2755)"), "{}", run.out());
    assert_eq!(host.sh("ps -e -o args= | grep -c '^/var/tmp/group'"), "1\n");
}

#[test]
fn environment_files_at_jobs_and_crontabs_under_any_name_of_the_uid_go() {
    let Some(host) = host("offboard::shared::environment_files_at_jobs_and_crontabs") else {
        return;
    };
    let uid = host.uid("ann");
    host.sh(&format!(
        "cd /var/spool/cron/atjobs; for n in a0000101a b0000201b =0000301c; do
        echo true >$n; chown {uid} $n; done; echo x >bobs; chown bob bobs"
    ));
    offboard(&host, ["cut", "ann"]).ok();
    assert_eq!(host.sh(&format!("find /var/spool/cron -user {uid} | wc -l")), "0\n");
    assert_eq!(host.sh("cat /var/spool/cron/atjobs/bobs"), "x\n");
    offboard(&host, ["uncut", "ann"]).ok();
    assert_eq!(host.sh(&format!("find /var/spool/cron -user {uid} | wc -l")), "5\n");
}
