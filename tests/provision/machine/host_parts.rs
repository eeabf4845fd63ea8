//! Parts of the host that are lines in files of packages: earlyoom's arguments, what zsh reads; and the swap file.

use super::boxed::MachineBox;
use pretty_assertions::assert_eq;

/// A package as Debian's: a service whose arguments are in a configuration file of its own.
const PACKAGE: &str = r#"cd /srv/repo
mkdir -p /tmp/p/DEBIAN /tmp/p/etc/default
printf '%s\n' '# Default settings for earlyoom.' 'EARLYOOM_ARGS="-r 3600"' '# EARLYOOM_ARGS="-m 5"' \
    >/tmp/p/etc/default/earlyoom
echo /etc/default/earlyoom >/tmp/p/DEBIAN/conffiles
printf '%s\n' 'Package: earlyoom' "Version: $VERSION" 'Architecture: all' 'Maintainer: x <x@example.org>' \
    'Description: of a test' >/tmp/p/DEBIAN/control
dpkg-deb --build --root-owner-group /tmp/p earlyoom.deb >/dev/null
{ dpkg-deb -f earlyoom.deb; printf '%s\n' 'Filename: ./earlyoom.deb' "Size: $(stat -c %s earlyoom.deb)" \
    "SHA256: $(sha256sum earlyoom.deb | cut -d' ' -f1)" ''; } >>Packages"#;
const ARGUMENTS: &str = "/etc/default/earlyoom";

/// A box with that package to be had, and systemd said to run.
fn with_earlyoom(test: &str) -> Option<MachineBox> {
    let host = MachineBox::new(test)?;
    host.sh(&format!(
        "dpkg --purge earlyoom >/dev/null 2>&1 || :; rm -f {ARGUMENTS} /tmp/calls
        mkdir -p /run/systemd/system; VERSION=1.7-1; {PACKAGE}"
    ));
    host.wants("[earlyoom]\nmemory_percent = 7\nprefer = [\"our.agent\"]\n");
    Some(host)
}

#[test]
fn earlyoom_is_installed_with_its_victims_and_a_second_run_changes_nothing() {
    let test = "earlyoom_is_installed_with_its_victims_and_a_second_run_changes_nothing";
    let Some(host) = with_earlyoom(test) else { return };
    let plan = host.host(&["plan", "--detailed-exitcode"]).code(2).out();
    for line in [
        "  + add      earlyoom  [intent]\n",
        "  + add      /etc/default/earlyoom  [intent]\n             + EARLYOOM_ARGS=\"-r 3600 -m 7 -s 10 --prefer",
        "  ~ repair   earlyoom: restart  [intent]\n",
    ] {
        assert!(plan.contains(line), "{line}\n{plan}");
    }
    host.host(&["apply"]).ok();
    let file = host.sh(&format!("cat {ARGUMENTS}"));
    let packages =
        "# Default settings for earlyoom.\nEARLYOOM_ARGS=\"-r 3600\"\n# EARLYOOM_ARGS=\"-m 5\"\n";
    assert!(file.starts_with(packages), "{file}");
    let calls = host.calls();
    let of_systemd: Vec<_> = calls.iter().filter(|call| call.starts_with("systemctl")).collect();
    assert_eq!(
        of_systemd,
        ["systemctl enable --quiet -- earlyoom.service", "systemctl restart -- earlyoom.service"]
    );
    let before = host.written();
    host.host(&["apply"]).ok();
    assert_eq!(host.calls(), [""; 0]);
    assert_eq!(before, host.written());

    // Who is preferred, and who is not taken, as the service splits the line.
    let name = |option: &str, name: &str| {
        host.check(&format!(
            ". {ARGUMENTS}; eval \"set -- $EARLYOOM_ARGS\"
            while [ \"$1\" != --{option} ]; do shift; done; echo '{name}' | grep -qE \"$2\""
        ))
    };
    for victim in ["claude", "codex", "gemini", "opencode", "our.agent"] {
        assert!(name("prefer", victim) && !name("avoid", victim), "{victim}");
    }
    for kept in [
        "tmux: server",
        "tmux: client",
        "sshd",
        "sshd-session",
        "systemd",
        "systemd-journal",
        "(sd-pam)",
        "dbus-daemon",
        "login",
        "sudo",
        "start-claude",
        "persist",
        "provision",
    ] {
        assert!(name("avoid", kept) && !name("prefer", kept), "{kept}");
    }
    for other in ["bash", "node", "our-agent", "claude-x", "my-tmux"] {
        assert!(!name("avoid", other) && !name("prefer", other), "{other}");
    }
}

#[test]
fn what_a_person_set_for_earlyoom_stays_and_a_restart_that_was_cut_off_is_made_good() {
    let test = "what_a_person_set_for_earlyoom_stays_and_a_restart_that_was_cut_off_is_made_good";
    let Some(host) = with_earlyoom(test) else { return };
    host.sh(&format!("echo 'EARLYOOM_ARGS=\"-m 3\"' >{ARGUMENTS}"));
    let before = host.sh(&format!("cat {ARGUMENTS}"));
    let run = host.host(&["apply"]).ok();
    assert!(run.out().contains("a person set EARLYOOM_ARGS: not overwritten"), "{}", run.out());
    assert_eq!(host.sh(&format!("cat {ARGUMENTS}")), before, "also by the package's installation");
    assert!(host.calls().iter().all(|call| !call.starts_with("systemctl")));

    host.sh(&format!("echo '# ours' >{ARGUMENTS}"));
    host.sh("echo before 1 >/tmp/kill"); // systemctl: nothing else is called any more
    host.host(&["apply"]);
    host.sh("rm /tmp/kill; rm -f /tmp/calls");
    let plan = host.host(&["plan", "--detailed-exitcode"]).code(2).out();
    assert!(plan.starts_with("earlyoom\n  ~ repair   earlyoom: restart  [intent]\n"), "{plan}");
    host.host(&["apply"]).ok();
    assert_eq!(host.calls().len(), 2);

    // The package's own file again, as after an upgrade; then a person's edit of our line, and after it.
    host.sh(&format!("printf 'EARLYOOM_ARGS=\"-r 3600\"\\n' >{ARGUMENTS}"));
    let plan = host.host(&["plan"]).ok().out();
    assert!(plan.contains("~ repair   /etc/default/earlyoom  [drift]"), "{plan}");
    host.host(&["apply"]).ok();
    for (edit, why) in [
        (format!("sed -i 's/-m 7/-m 9/' {ARGUMENTS}"), "a person changed its managed lines"),
        (
            format!("sed -i 's/-m 9/-m 7/' {ARGUMENTS}; echo 'EARLYOOM_ARGS=-n' >>{ARGUMENTS}"),
            "a person set EARLYOOM_ARGS",
        ),
        (format!("sed -i '$d; s/^# terminal-lobby: end$//' {ARGUMENTS}"), "do not form one block"),
    ] {
        host.sh(&edit);
        let before = host.written();
        let run = host.host(&["apply"]).ok();
        assert!(run.out().contains(why), "{why}\n{}", run.out());
        assert_eq!(before, host.written());
    }
    host.sh(&format!("sed -i '/terminal-lobby/d; /prefer/d' {ARGUMENTS}"));
    host.wants("");
    let plan = host.host(&["plan", "--detailed-exitcode"]).code(0).out();
    assert!(plan.starts_with("Plan: 0 to add"), "{plan}");
}

#[test]
fn zsh_reads_the_base_of_the_host_and_each_users_own_files() {
    let test = "zsh_reads_the_base_of_the_host_and_each_users_own_files";
    let Some(host) = MachineBox::new(test) else { return };
    if !host.check("command -v zsh && test -d /etc/zsh") {
        return crate::support::lacks::lacks(test, "zsh as Debian has it");
    }
    host.wants(
        "[zsh]\nprofile = true\nzshrc_d = true\n\
         [[file]]\npath = \"/etc/profile.d/lobby.sh\"\ncontent = '''\n\
         list='a b'; for each in $list; do LOBBY=$LOBBY-$each; done; export LOBBY\n'''\n",
    );
    let own = host.sh("cat /etc/zsh/zprofile");
    let run = host.host(&["apply"]).ok();
    assert!(run.out().contains("+ add      /etc/zsh/zprofile  [intent]"), "{}", run.out());
    assert!(host.sh("cat /etc/zsh/zprofile").starts_with(&own));
    let before = host.written();
    host.host(&["apply"]).ok();
    assert_eq!(before, host.written());
    // Words are split there as in sh, and not afterwards.
    let login = "zsh -lc 'x=\"1 2\"; print -rl -- $LOBBY $x ${+_lobby_file}'";
    assert_eq!(host.sh(login), "-a-b\n1 2\n0\n");
    host.sh("rm -f /root/.zshrc /root/.zshenv");
    let interactive = "cd; zsh -ic 'print -rn -- \"$OWN $LINKED ${+_lobby_file}\"' 2>/dev/null";
    assert_eq!(host.sh(interactive), "  0", "nobody has to have such files");
    host.sh("mkdir /root/.zshrc.d; cd /root/.zshrc.d; echo OWN=own >'a b.zsh'; echo LINKED=linked >/srv/vault.sh
        ln -s /srv/vault.sh vault.sh; ln -s nowhere gone.zsh; mkdir dir.zsh; echo 'OWN=no' >z.txt; mkfifo f.zsh");
    assert_eq!(host.sh(interactive), "own linked 0");
    host.sh("rm -r /root/.zshrc.d");

    // A host whose own file reads them already, and one without zsh.
    host.sh("echo \"emulate sh -c '. /etc/profile'\" >/etc/zsh/zprofile; rm /etc/zsh/zshrc");
    let plan = host.host(&["plan"]).ok().out();
    assert!(plan.contains("it reads such files by itself already"), "{plan}");
    assert!(plan.contains("~ repair   /etc/zsh/zshrc  [drift]"), "{plan}");
    host.sh("rm -r /etc/zsh");
    let plan = host.host(&["plan"]).ok().out();
    assert!(plan.contains("zsh is not installed: nothing reads it"), "{plan}");
    host.host(&["apply"]).ok();
    assert!(!host.check("test -e /etc/zsh"));
}

/// A disk of its own, with a file system that may have a swap file; the swap ends with it.
struct Disk<'a>(&'a MachineBox);

impl<'a> Disk<'a> {
    const SWAP: &'static str = "/disk/swapfile";

    fn new(test: &str, host: &'a MachineBox, size: &str) -> Option<Self> {
        let mounted = host.check(&format!(
            "rm -f /.dockerenv; command -v mkswap && truncate -s {size} /srv/disk && mkfs.ext4 -q /srv/disk && mkdir -p /disk \
             && mount -o loop /srv/disk /disk && head -c 1M /dev/zero >/disk/probe && chmod 600 /disk/probe \
             && mkswap -q /disk/probe && swapon /disk/probe && swapoff /disk/probe && rm /disk/probe"
        ));
        if !mounted {
            crate::support::lacks::lacks(test, "a loop device, mkfs.ext4 and swapon");
            return None;
        }
        Some(Self(host))
    }

    fn is_on(&self) -> bool {
        self.0.check(&format!("grep -q '^{} ' /proc/swaps", Self::SWAP))
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        self.0.check(&format!("swapoff {}", Self::SWAP));
        self.0.check("umount /disk");
    }
}

const SWAP: &str = "[swap]\nsize = \"64M\"\npath = \"/disk/swapfile\"\n";
/// A file with bytes that are no text, an odd line, and no line feed at its end.
const FSTAB: &str =
    "printf '# \\377\\nUUID=1 / ext4 defaults 0 1\\r\\n\\tproc  /proc proc' >/etc/fstab";

#[test]
fn a_swap_file_is_made_once_and_every_other_byte_of_fstab_stays() {
    let test = "a_swap_file_is_made_once_and_every_other_byte_of_fstab_stays";
    let Some(host) = MachineBox::new(test) else { return };
    let Some(disk) = Disk::new(test, &host, "200M") else { return };
    host.wants(SWAP);
    host.sh(&format!(
        "{FSTAB}; cp /etc/fstab /tmp/before; chmod 640 /etc/fstab; mount -t tmpfs run /run"
    ));
    let plan = host.host(&["plan", "--detailed-exitcode"]).code(2).out();
    let expected = "swap\n  + add      /disk/swapfile  [intent]\n             + a file of 64 MiB\n             + swapon\n             \
                    + /etc/fstab: /disk/swapfile none swap sw,nofail 0 0\n";
    assert!(plan.starts_with(expected), "{plan}");
    host.host(&["apply"]).ok();
    assert!(disk.is_on());
    assert_eq!(
        host.sh("stat -c '%s %a %U %h' /disk/swapfile; ls -A /disk"),
        "67108864 600 root 1\nlost+found\nswapfile\n"
    );
    host.sh("printf '\\n/disk/swapfile none swap sw,nofail 0 0\\n' | cat /tmp/before - | cmp - /etc/fstab");
    assert_eq!(host.sh("stat -c %a /etc/fstab"), "640\n");
    host.sh("findmnt --fstab --raw --noheadings --types swap | grep -q /disk/swapfile");
    let before = host.written();
    host.host(&["apply"]).ok();
    assert_eq!(before, host.written());

    // Switched off, opened to others, its line gone: put right. Another size is not.
    host.sh("swapoff /disk/swapfile; chmod 644 /disk/swapfile; cp /tmp/before /etc/fstab");
    host.wants(&SWAP.replace("64M", "80M"));
    let run = host.host(&["apply"]).ok();
    assert!(run.out().contains("! report   /disk/swapfile: 64 MiB -> 80 MiB"), "{}", run.out());
    assert!(disk.is_on() && host.check("grep -q '^/disk/swapfile' /etc/fstab"));
    assert_eq!(host.sh("stat -c '%s %a' /disk/swapfile"), "67108864 600\n");
    host.wants(SWAP);
    host.host(&["plan", "--detailed-exitcode"]).code(0);

    // A person wants it no longer; then the site.
    host.sh("swapoff /disk/swapfile; sed -i 's,^/disk,# /disk,' /etc/fstab");
    host.host(&["apply"]).ok();
    assert!(!disk.is_on());
    host.wants("");
    let plan = host.host(&["plan"]).ok().out();
    assert!(plan.contains("! report   /disk/swapfile  [intent]"), "{plan}");
    host.host(&["apply"]).ok();
    assert!(host.check("test -s /disk/swapfile"));
    host.sh("rm /disk/swapfile");
    host.host(&["apply"]).ok();
    host.host(&["plan", "--detailed-exitcode"]).code(0);
}

#[test]
fn a_swap_file_is_made_neither_where_it_cannot_be_nor_over_anything() {
    let test = "a_swap_file_is_made_neither_where_it_cannot_be_nor_over_anything";
    let Some(host) = MachineBox::new(test) else { return };
    let Some(disk) = Disk::new(test, &host, "100M") else { return };
    host.sh(&format!("{FSTAB}; cp /etc/fstab /tmp/before; mount -t tmpfs run /run"));
    let refused = |prepare: &str, path: &str, why: &str, undo: &str| {
        host.sh(prepare);
        host.wants(&SWAP.replace("/disk/swapfile", path));
        let run = host.host(&["apply"]);
        assert_eq!(run.code, 0, "{}{}", run.out(), run.err());
        assert!(run.out().contains("! refused") && run.out().contains(why), "{why}\n{}", run.out());
        host.sh(&format!("cmp /tmp/before /etc/fstab; ! grep -q swapfile /proc/swaps; {undo}"));
    };
    refused("", "/swapfile", "swap files are made on ext4, xfs and btrfs", "test ! -e /swapfile");
    refused("", "/none/swapfile", "No such file or directory", "test ! -e /none");
    refused(
        "head -c 30M /dev/zero >/disk/full",
        "/disk/swapfile",
        "must stay free",
        "rm /disk/full; ls -A /disk | grep -qx lost+found",
    );
    refused(
        "touch /run/.containerenv",
        "/disk/swapfile",
        "this is a container",
        "rm /run/.containerenv",
    );
    refused(
        "echo mine >/disk/swapfile",
        "/disk/swapfile",
        "a file, but no swap",
        "grep -q mine /disk/swapfile; rm /disk/swapfile",
    );
    refused("ln -s /etc/shadow /disk/swapfile", "/disk/swapfile", "a link", "rm /disk/swapfile");
    refused("mkdir /disk/swapfile", "/disk/swapfile", "! refused", "rmdir /disk/swapfile");
    refused("mkfifo /disk/swapfile", "/disk/swapfile", "! refused", "rm /disk/swapfile");
    refused("chmod 777 /disk", "/disk/swapfile", "! refused", "chmod 755 /disk");
    let other =
        "printf '/disk/swapfile /mnt ext4 loop 0 0\\n' >/etc/fstab; cp /etc/fstab /tmp/before";
    refused(
        other,
        "/disk/swapfile",
        "/etc/fstab has it as something else",
        &format!("{FSTAB}; cp /etc/fstab /tmp/before"),
    );
    refused(
        "mv /etc/fstab /srv/fstab; ln -s /srv/fstab /etc/fstab",
        "/disk/swapfile",
        "a link: not followed",
        "rm /etc/fstab; mv /srv/fstab /etc/fstab",
    );
    assert!(!disk.is_on());
}

#[test]
fn a_swap_file_that_cannot_be_switched_on_is_not_named_for_the_next_boot() {
    let test = "a_swap_file_that_cannot_be_switched_on_is_not_named_for_the_next_boot";
    let Some(host) = MachineBox::new(test) else { return };
    let Some(disk) = Disk::new(test, &host, "200M") else { return };
    host.wants(SWAP);
    host.sh(&format!("{FSTAB}; cp /etc/fstab /tmp/before; mount -t tmpfs run /run"));
    let stand_in = |name: &str, script: &str| {
        host.sh(&format!("printf '#!/bin/sh\\n%s\\n' '{script}' >/usr/local/sbin/{name}; chmod 755 /usr/local/sbin/{name}"));
    };
    // Killed before and after mkswap; what is left is made anew.
    for script in ["kill -KILL $PPID", "/usr/sbin/mkswap \"$@\"; kill -KILL $PPID"] {
        stand_in("mkswap", script);
        host.host(&["apply"]);
        host.sh("test ! -e /disk/swapfile; cmp /tmp/before /etc/fstab");
    }
    stand_in("mkswap", "echo mkswap: broken >&2; exit 1");
    let run = host.host(&["apply"]).code(1);
    assert!(
        run.err().contains("/disk/swapfile: mkswap exited with 1: mkswap: broken"),
        "{}",
        run.err()
    );
    assert_eq!(host.sh("ls -A /disk"), "lost+found\n");
    host.sh("rm /usr/local/sbin/mkswap");
    stand_in("swapon", "echo swapon: failed: Operation not permitted >&2; exit 255");
    let run = host.host(&["apply"]).code(1);
    assert!(run.err().contains("swapon exited with 255: swapon: failed"), "{}", run.err());
    host.sh("cmp /tmp/before /etc/fstab; rm /usr/local/sbin/swapon");
    let plan = host.host(&["plan"]).ok().out();
    assert!(plan.contains("~ repair   /disk/swapfile") && !plan.contains("a file of"), "{plan}");
    stand_in("swapon", "/usr/sbin/swapon \"$@\"; kill -KILL $PPID");
    host.host(&["apply"]);
    assert!(disk.is_on());
    host.sh("cmp /tmp/before /etc/fstab; rm /usr/local/sbin/swapon");
    host.host(&["apply"]).ok();
    assert_eq!(host.sh("ls -A /disk; grep -c swapfile /etc/fstab"), "lost+found\nswapfile\n1\n");
    host.host(&["plan", "--detailed-exitcode"]).code(0);
}
