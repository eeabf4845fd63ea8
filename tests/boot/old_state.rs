//! The state of the suite that this one replaces is taken over, kept, and comes back.

use crate::support::boxes::PACKAGE;
use crate::support::{BootBox, On};

const OLD: &str =
    "mkdir -p /var/lib/tmux-persist/snapshots/alice /var/lib/tmux-persist/snapshots/bob
    cd /var/lib/tmux-persist
    printf 'web\\t/usr/share\\t-\\napi\\t/srv\\t-\\n' >alice.tsv
    printf 'web\\t/usr/share\\t-\\n' >snapshots/alice/20250101-000000.tsv
    touch -d '2025-01-01 00:00' snapshots/alice/20250101-000000.tsv
    cp -p snapshots/alice/20250101-000000.tsv snapshots/alice/again.tsv
    : >snapshots/alice/torn.tsv
    printf 'only\\t/usr\\t-\\n' >snapshots/bob/x.tsv
    printf 'nobody\\t/usr\\t-\\n' >dave.tsv
    ln -s /etc/shadow carol.tsv";

#[test]
fn manifests_of_the_older_suite_are_imported_kept_and_restored() {
    let Some(made) = BootBox::booted(
        "boot::old_state::manifests_of_the_older_suite_are_imported_kept_and_restored",
        On::Bare,
    ) else {
        return;
    };
    made.sh(OLD);
    made.copy_in(PACKAGE, "/var/tmp/it.deb");
    let said = made.sh("dpkg -i /var/tmp/it.deb 2>&1");
    assert!(said.contains("alice: 2 snapshots of the older suite imported"), "{said}");
    assert!(said.contains("bob: 1 snapshot of") && said.contains("torn.tsv"), "{said}");
    let list = made
        .sh("cd /var/lib/tmux-persist; find .predecessor -type f | sort; stat -c %a .predecessor
        readlink alice.tsv; stat -c %U alice alice/snapshots/*");
    let kept = [
        ".predecessor/alice.imported",
        ".predecessor/alice.tsv",
        ".predecessor/bob.imported",
        ".predecessor/dave.tsv",
        ".predecessor/snapshots/alice/20250101-000000.tsv",
        ".predecessor/snapshots/alice/again.tsv",
        ".predecessor/snapshots/alice/torn.tsv",
        ".predecessor/snapshots/bob/x.tsv",
        "700",
        "alice/latest",
        "alice",
        "alice",
        "alice",
    ];
    assert_eq!(list.lines().collect::<Vec<_>>(), kept);
    assert_eq!(
        made.sh("cut -f 1,2 /var/lib/tmux-persist/alice.tsv | grep -v '^#'"),
        "web\t/usr/share\napi\t/srv\n"
    );
    // Doing it again changes nothing.
    let before = made.sh("cd /var/lib/tmux-persist; find . | sort");
    made.sh("persist import");
    assert_eq!(made.sh("cd /var/lib/tmux-persist; find . | sort"), before);
    made.reboot();
    let mut names = made.panes("alice", "#{session_name} #{pane_current_path}");
    names.sort();
    assert_eq!(names, ["api /srv", "web /usr/share"]);
    assert_eq!(made.panes("bob", "#{session_name}"), ["only"]);
}
