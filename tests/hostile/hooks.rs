//! Root has a user's server tell of changes: what it then runs is that user's, not root's.

use crate::support::host::{BIN, Host, STATE, USER_MAP};
use crate::support::wait_until;

const ON: &str = "/etc/terminal-lobby/on.toml";

#[test]
fn the_hooks_that_a_save_of_roots_sets_run_as_the_user_and_save_that_user_alone() {
    let Some(host) = Host::new("hostile::hooks") else { return };
    for user in ["alice", "bob"] {
        host.user(user);
        host.sessions(user, &["first"]);
    }
    host.sh(&format!("echo 'save_on_change = true' >{ON}"));
    let save = [&format!("{BIN}/persist"), "save", "--config", ON, "--user-map", USER_MAP];
    host.root(save.into_iter().chain(["--state-dir", STATE])).ok();
    let bobs = host.sh(&format!("ls {STATE}/bob/snapshots"));
    host.sessions("alice", &["born"]);
    wait_until("alice's new session is saved", || {
        host.sh(&format!("cat {STATE}/alice.tsv")).contains("\nborn\t")
    });
    let owners = host.sh(&format!("find {STATE}/alice -mindepth 1 -printf '%u\\n' | sort -u"));
    assert_eq!(owners, "alice\n");
    assert_eq!(host.sh(&format!("ls {STATE}/bob/snapshots")), bobs, "nobody else was saved");
}
