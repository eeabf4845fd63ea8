//! What root does for everybody at boot and at installation, without a service manager.

use crate::support::host::{Host, STATE, USER_MAP};

#[test]
fn a_host_without_terminal_users_is_in_order() {
    let Some(host) = Host::new("a_host_without_terminal_users_is_in_order") else { return };
    for prepare in ["true", &format!("rm {USER_MAP}")] {
        host.sh(prepare);
        for command in [&["save", "--all-users"][..], &["boot"], &["import"]] {
            let run = host.persist(command).ok();
            assert!(run.err().lines().count() <= 1, "{}", run.err());
        }
        assert_eq!(host.sh(&format!("ls {STATE} 2>/dev/null || true")), "", "nothing was made");
    }
    host.account("ann");
    for command in [&["save", "--all-users"][..], &["boot"], &["import"]] {
        let path = format!("{}/persist", crate::support::host::BIN);
        let args = std::iter::once(path.as_str()).chain(command.iter().copied());
        assert_eq!(host.as_user("ann", args).code, 3, "{command:?}: only root");
    }
    let keeper = host.persist(["keeper"]);
    assert_eq!(keeper.code, 3, "{}", keeper.err());
}

#[test]
fn what_lies_where_the_older_suite_kept_its_state_leads_root_nowhere() {
    let Some(host) = Host::new("what_lies_where_the_older_suite_kept_its_state_leads_root_nowhere")
    else {
        return;
    };
    for user in ["ann", "bea", "cleo", "dora"] {
        host.user(user);
    }
    host.sh(&format!(
        "mkdir -p {STATE}/snapshots/cleo; cd {STATE}
        ln -s /etc/shadow ann.tsv
        printf 'a\\t/\\t-\\n' >bea.tsv; chown bea bea.tsv
        mkfifo snapshots/cleo/fifo.tsv; ln -s /etc/shadow snapshots/cleo/link.tsv
        truncate -s 1G snapshots/cleo/huge.tsv; printf 'x\\ty\\n' >snapshots/cleo/damaged.tsv
        printf 'good\\t/\\t-\\n' >snapshots/cleo/good.tsv
        ln -s /etc snapshots/dora"
    ));
    let run = host.persist(["import"]).ok();
    let said = run.out() + &run.err();
    assert!(said.contains("cleo: 1 snapshot of the older suite imported"), "{said}");
    for told in ["fifo.tsv", "link.tsv", "huge.tsv", "damaged.tsv"] {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert!(!said.contains("root:"), "a line of /etc/shadow: {said}");
    let there =
        host.sh(&format!("cd {STATE}; readlink ann.tsv; stat -c %U bea.tsv; ls cleo/snapshots"));
    assert_eq!(there.lines().count(), 3, "{there}");
    assert!(there.starts_with("/etc/shadow\nbea\n"), "what is not root's stays: {there}");
}
