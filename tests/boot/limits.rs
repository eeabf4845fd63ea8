//! Limits of the host that are used up when it boots.

use super::{panes, work_as};
use crate::support::lacks::lacks;
use crate::support::{BootBox, On};

/// Takes every inotify instance of its user: each `tail -f` takes one, and does without if none is left.
const WATCH_ALL: &str = r#"cat >/usr/local/bin/watch-all <<'END'
#!/bin/sh
n=0
while [ $n -le "$(cat /proc/sys/fs/inotify/max_user_instances)" ]; do
    tail -f /etc/hostname >/dev/null 2>&1 &
    n=$((n + 1))
done
wait
END
chmod 755 /usr/local/bin/watch-all
printf '%s\n' '[Unit]' DefaultDependencies=no '[Service]' Type=exec User=alice \
    ExecStart=/usr/local/bin/watch-all '[Install]' WantedBy=sysinit.target \
    >/etc/systemd/system/watch-all.service
systemctl enable watch-all.service"#;

#[test]
fn a_user_who_can_watch_no_more_files_is_restored_and_saved() {
    let test = "boot::limits::a_user_who_can_watch_no_more_files_is_restored_and_saved";
    let Some(made) = BootBox::booted(test, On::Host) else { return };
    let most = made.sh("cat /proc/sys/fs/inotify/max_user_instances");
    let most: u32 = most.trim().parse().unwrap();
    if most > 1000 {
        lacks(test, "a limit of inotify instances that a test can reach");
        return;
    }
    work_as(&made, "alice");
    let before = panes(&made, "alice");
    made.crash_after(WATCH_ALL);
    made.boot();
    let taken: u32 = made.sh("pgrep -c -u alice -x tail").trim().parse().unwrap();
    assert!(taken > most, "{taken} of {most} are taken");
    assert_eq!(panes(&made, "alice"), before);
    made.sh("systemctl start tmux-persist-save.service; persist status; persist doctor --quiet");
}
