//! The package on a running host: installed, upgraded, removed and purged, and no session dies.

use super::{panes, work_as};
use crate::support::boxes::PACKAGE;
use crate::support::{BootBox, On, run};
use std::path::Path;
use std::process::Command;

const DEB: &str = "/var/tmp/terminal-lobby.deb";

#[test]
fn installing_arms_fires_nothing_and_needs_no_reboot() {
    let Some(made) = BootBox::booted(
        "boot::package::installing_arms_fires_nothing_and_needs_no_reboot",
        On::Bare,
    ) else {
        return;
    };
    made.sh_as("alice", "tmux new-session -d -s before");
    let server = made.server("alice");
    made.copy_in(PACKAGE, DEB);
    made.sh(&format!("dpkg -i {DEB}"));
    assert_eq!(made.property("tmux-persist-save.timer", "ActiveState"), "active");
    assert_eq!(made.property("tmux-persist-shutdown.service", "ActiveState"), "active");
    assert_eq!(made.property("tmux-persist-restore.service", "ActiveState"), "inactive");
    let ran = made.property("tmux-persist-save.service", "ExecMainStartTimestampMonotonic");
    assert_eq!(ran, "0", "the save ran at once");
    let files = "/usr/bin/persist /usr/bin/start-claude /usr/share/man/man1/persist-boot.1.gz \
        /usr/share/bash-completion/completions/persist /usr/share/zsh/vendor-completions/_persist \
        /usr/share/fish/vendor_completions.d/persist.fish /etc/terminal-lobby/config.toml";
    made.sh(&format!("ls {files}; persist --version"));
    // Every line of the delivered configuration can be used, and every default is there.
    made.sh(
        "sed -i 's/^#\\([a-z[]\\)/\\1/' /etc/terminal-lobby/config.toml; persist save --all-users",
    );
    made.reboot();
    assert_ne!(made.server("alice"), None);
    assert_ne!(made.server("alice"), server);
    assert_eq!(panes(&made, "alice").len(), 1);
}

/// The package with another version and one file more.
pub(super) fn newer(dir: &Path) -> String {
    let (tree, deb) = (dir.join("tree"), dir.join("newer.deb"));
    let script = "dpkg-deb -R \"$1\" \"$2\"
        sed -i 's/^Version:.*/Version: 99.0/' \"$2/DEBIAN/control\"
        echo '# a new line' >>\"$2/etc/terminal-lobby/config.toml\"
        dpkg-deb -Zgzip -z1 -b --root-owner-group \"$2\" \"$3\"";
    let mut command = Command::new("sh");
    command.args(["-euc", script, "sh", PACKAGE]).arg(&tree).arg(&deb);
    run(&mut command).ok();
    deb.to_str().unwrap().to_owned()
}

#[test]
fn upgrading_keeps_everything_running_and_removing_keeps_state_and_sessions() {
    let Some(made) = BootBox::booted(
        "boot::package::upgrading_keeps_everything_running_and_removing_keeps_state_and_sessions",
        On::Host,
    ) else {
        return;
    };
    work_as(&made, "alice");
    made.reboot();
    made.sh("sed -i '1i parallel_users = 3' /etc/terminal-lobby/config.toml");
    let state = || {
        let times = [
            "tmux-persist-save.timer",
            "tmux-persist-restore.service",
            "tmux-persist-shutdown.service",
            "tmux-persist-session@1000.service",
            "user@1000.service",
        ]
        .map(|unit| made.property(unit, "ActiveEnterTimestampMonotonic"));
        (
            times,
            made.panes("alice", "#{pid} #{pane_pid}"),
            made.property("tmux-persist-save.service", "ExecMainStartTimestampMonotonic"),
        )
    };
    let before = state();
    let dir = tempfile::tempdir().unwrap();
    made.copy_in(newer(dir.path()), "/var/tmp/newer.deb");
    made.sh(
        "DEBIAN_FRONTEND=noninteractive dpkg -i --force-confdef --force-confold /var/tmp/newer.deb",
    );
    assert_eq!(state(), before);
    made.sh(
        "grep -q '^parallel_users = 3' /etc/terminal-lobby/config.toml; persist save --all-users",
    );
    made.sh("systemctl start tmux-persist-save.service");
    // And back again: no data was changed on the way.
    made.copy_in(PACKAGE, DEB);
    made.sh(&format!("dpkg -i --force-confold {DEB}; persist list --user alice"));

    let pids = made.panes("alice", "#{pid} #{pane_pid}");
    made.sh_as("alice", "tmux new-session -d -s last-one");
    made.sh("dpkg -r terminal-lobby");
    let after = made.panes("alice", "#{pid} #{pane_pid}");
    assert!(pids.iter().all(|pid| after.contains(pid)), "{after:?}");
    made.sh("grep -q ^last-one /var/lib/tmux-persist/alice.tsv; ! test -e /usr/bin/persist
        test -e /etc/terminal-lobby/config.toml");
    let units = made
        .sh("systemctl list-units --plain --no-legend 'tmux-persist*' | grep -v session@ || true");
    assert_eq!(units, "");
    made.sh("dpkg -P terminal-lobby 2>/var/tmp/said; ! test -e /etc/terminal-lobby
        ! test -e /run/tmux-persist; test -e /var/lib/tmux-persist/alice/latest
        grep -q 'is kept: the users' /var/tmp/said");
    assert!(made.server("alice").is_some());
    assert_eq!(made.sh("systemctl list-units --failed --plain --no-legend"), "");
}

#[test]
fn lintian_finds_no_error_and_no_warning() {
    let test = "boot::package::lintian_finds_no_error_and_no_warning";
    if !Path::new(PACKAGE).exists() {
        return crate::support::lacks::lacks(test, "the package: make deb");
    }
    let mut lintian = Command::new("lintian");
    lintian.args(["--fail-on", "error,warning", "--allow-root", PACKAGE]);
    let Ok(found) = lintian.output() else {
        return crate::support::lacks::lacks(test, "lintian");
    };
    let said = String::from_utf8_lossy(&found.stdout);
    assert!(found.status.success() && !said.contains("W: ") && !said.contains("E: "), "{said}");
}

#[test]
fn make_install_puts_the_same_files_in_place() {
    let dir = tempfile::tempdir().unwrap();
    let root = env!("CARGO_MANIFEST_DIR");
    let built = Path::new(env!("CARGO_BIN_EXE_persist")).parent().unwrap();
    if !built.join("start-claude").exists() {
        return; // `cargo test` of this package alone does not build it; make test does
    }
    let install = |prefix: &str, to: &str| {
        let mut command = Command::new(format!("{root}/units/packaging/install.sh"));
        command.arg(built).env("DESTDIR", dir.path().join(to)).env("PREFIX", prefix);
        run(&mut command).ok();
    };
    install("/usr", "usr");
    install("/usr/local", "local");
    install("/home/ann/.local", "own");
    let exists = |path: &str| dir.path().join(path).symlink_metadata().is_ok();
    assert!(exists(
        "usr/usr/lib/systemd/system/multi-user.target.wants/tmux-persist-restore.service"
    ));
    assert!(exists("usr/etc/pam.d/tmux-persist") && exists("usr/etc/terminal-lobby/config.toml"));
    assert!(exists("local/usr/local/bin/start-claude"));
    let unit = dir.path().join("local/usr/local/lib/systemd/system/tmux-persist-restore.service");
    let unit = std::fs::read_to_string(unit).unwrap();
    assert!(unit.contains("ExecStart=/usr/local/bin/persist boot"), "{unit}");
    assert!(exists("own/home/ann/.local/bin/persist") && !exists("own/etc"));
    if Path::new(PACKAGE).exists() && std::env::var("TL_BOOT").is_ok_and(|ready| ready == "ready") {
        let list = run(Command::new("dpkg-deb").args(["-c", PACKAGE])).ok().out();
        let packed = list.lines().filter(|line| !line.starts_with('d')).map(|line| {
            let path = line.split(" ./").nth(1).unwrap();
            path.split(" -> ").next().unwrap().trim_end_matches(".gz").to_owned()
        });
        let of_debian =
            ["/copyright", "/changelog", "/changelog.Debian", "/overrides/terminal-lobby"];
        for path in packed.filter(|path| of_debian.iter().all(|end| !path.ends_with(end))) {
            assert!(exists(&format!("usr/{path}")), "{path} is in the package alone");
        }
    }
}
