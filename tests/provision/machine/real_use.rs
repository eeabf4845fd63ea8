//! What must hold in use: commands that run, files that their readers accept, locks that others hold.

use super::boxed::MachineBox;

fn tool(version: &str) -> String {
    format!("[[npm]]\nname = \"tl-tool\"\nversion = \"{version}\"\n")
}

#[test]
fn a_tool_whose_command_is_gone_is_installed_again() {
    let test = "a_tool_whose_command_is_gone_is_installed_again";
    let Some(host) = MachineBox::new(test) else { return };
    host.wants(&tool("1.0.0"));
    host.host(&["apply"]).ok();
    host.host(&["plan", "--detailed-exitcode"]).code(0);
    host.sh("rm /usr/local/bin/tl-tool");
    let plan = host.host(&["plan", "--detailed-exitcode"]).code(2).out();
    assert!(plan.contains("its command /usr/local/bin/tl-tool is missing"), "{plan}");
    host.host(&["apply"]).ok();
    assert_eq!(host.sh("/usr/local/bin/tl-tool"), "1.0.0\n");
    host.host(&["plan", "--detailed-exitcode"]).code(0);
}

#[test]
fn a_tool_with_an_install_script_runs_whatever_roots_own_npm_is_set_to() {
    let test = "a_tool_with_an_install_script_runs_whatever_roots_own_npm_is_set_to";
    let Some(host) = MachineBox::new(test) else { return };
    host.sh("echo ignore-scripts=true >>/root/.npmrc");
    host.wants(&tool("3.0.0"));
    host.host(&["apply"]).ok();
    assert_eq!(host.sh("/usr/local/bin/tl-tool"), "3.0.0\n");
}

#[test]
fn a_tool_whose_command_does_not_run_is_not_done() {
    let test = "a_tool_whose_command_does_not_run_is_not_done";
    let Some(host) = MachineBox::new(test) else { return };
    // As after an install script that failed without a word.
    host.sh("real=$(PATH=/usr/bin:/bin command -v npm)
        cat >/usr/local/sbin/npm <<END
#!/bin/sh
$real \"\\$@\"; rc=\\$?
rm -f /usr/local/lib/node_modules/tl-tool/native; exit \\$rc
END");
    host.wants(&tool("3.0.0"));
    let run = host.host(&["apply"]).code(1);
    assert!(run.err().contains("native binary not installed"), "{}", run.err());
}

/// root can run what a new account cannot: files that an installation under another umask left closed.
#[test]
fn a_tool_that_only_root_can_run_is_not_done() {
    let test = "a_tool_that_only_root_can_run_is_not_done";
    let Some(host) = MachineBox::new(test) else { return };
    host.sh("real=$(PATH=/usr/bin:/bin command -v npm)
        cat >/usr/local/sbin/npm <<END
#!/bin/sh
$real \"\\$@\"; rc=\\$?
chmod -R go= /usr/local/lib/node_modules/tl-tool; exit \\$rc
END");
    host.wants(&tool("1.0.0"));
    let run = host.host(&["apply"]).code(1);
    assert!(
        run.err().contains("/usr/local/bin/tl-tool, run as a new account, failed: "),
        "{}",
        run.err()
    );
    assert_eq!(host.sh("tl-tool"), "1.0.0\n", "root can");
    // An administrator's own copy, which is earlier in root's PATH, is not asked.
    host.sh("install -d /root/bin; printf '#!/bin/sh\\necho mine\\n' >/root/bin/tl-tool; chmod 755 /root/bin/tl-tool
        rm /usr/local/sbin/npm");
    host.host(&["apply"]).ok();
    let nobody = "setpriv --reuid=65534 --regid=65534 --clear-groups tl-tool";
    assert_eq!(host.sh(nobody), "1.0.0\n");
}

#[test]
fn a_lock_of_apts_lists_is_waited_for() {
    let test = "a_lock_of_apts_lists_is_waited_for";
    let Some(host) = MachineBox::new(test) else { return };
    if !host.check("command -v python3") {
        return crate::support::lacks::lacks(test, "python3");
    }
    host.wants("[packages]\ninstall = [\"tl-one\"]\n");
    host.sh("mkdir -p /var/lib/apt/lists; rm -f /tmp/held
        printf '%s\\n' 'import fcntl, time' 'f = open(\"/var/lib/apt/lists/lock\", \"w\")' \
            'fcntl.lockf(f, fcntl.LOCK_EX)' 'open(\"/tmp/held\", \"w\").close()' 'time.sleep(4)' \
            >/tmp/holder.py
        python3 /tmp/holder.py >/dev/null 2>&1 &
        while ! [ -e /tmp/held ]; do sleep 0.01; done");
    let run = host.host(&["apply"]).ok();
    assert!(run.took.as_secs() >= 2, "{:?}", run.took);
    assert!(host.check("dpkg-query -W tl-one"));
}

#[test]
fn a_fragment_that_clashes_with_another_is_refused_and_sudo_works_on() {
    let test = "a_fragment_that_clashes_with_another_is_refused_and_sudo_works_on";
    let Some(host) = MachineBox::new(test) else { return };
    let alias = "Cmnd_Alias REBOOT = /usr/sbin/reboot";
    host.sh(&format!("echo '{alias}' >/etc/sudoers.d/10other; chmod 440 /etc/sudoers.d/10other
        printf 'root ALL=(ALL) ALL\\n@includedir /etc/sudoers.d\\n' >/etc/sudoers; chmod 440 /etc/sudoers"));
    let fragment =
        |text: &str| format!("[[sudoers]]\nname = \"20ours\"\ncontent = \"{text}\\n\"\n");
    host.wants(&fragment(alias));
    let run = host.host(&["apply"]).code(1);
    assert!(run.err().contains("REBOOT") && run.err().contains("visudo"), "{}", run.err());
    assert!(!host.check("test -e /etc/sudoers.d/20ours"));
    host.sh("/usr/sbin/visudo -c");
    // Ones that sudo does not read do not count, nor does the old text of our own.
    host.sh("mv /etc/sudoers.d/10other /etc/sudoers.d/10other.bak");
    host.host(&["apply"]).ok();
    host.wants(&fragment(&alias.replace("sbin", "bin")));
    host.host(&["apply"]).ok();
    host.sh("/usr/sbin/visudo -c");
    assert!(!host.check("test -e /var/lib/terminal-lobby/sudoers-check"));
}

#[test]
fn a_profile_that_shells_would_complain_of_at_each_login_is_not_installed() {
    let test = "a_profile_that_shells_would_complain_of_at_each_login_is_not_installed";
    let Some(host) = MachineBox::new(test) else { return };
    for (content, why) in [
        ("umask 027\\r\\n", "carriage returns"),
        ("if true\\nthen umask 027\\n", "not a valid shell script"),
        ("echo 'a\\n", "not a valid shell script"),
    ] {
        host.wants(&format!(
            "[[file]]\npath = \"/etc/profile.d/lobby.sh\"\ncontent = \"{content}\"\n"
        ));
        let run = host.host(&["apply"]).code(1);
        assert!(
            run.err().contains(why) && run.err().contains("/etc/profile.d/lobby.sh"),
            "{}",
            run.err()
        );
        assert!(!host.check("test -e /etc/profile.d/lobby.sh"));
    }
}

#[test]
fn names_in_profile_d_that_no_shell_reads_are_refused() {
    let test = "names_in_profile_d_that_no_shell_reads_are_refused";
    let Some(host) = MachineBox::new(test) else { return };
    for name in ["lobby", "lobby.sh.bak", ".lobby.sh", "lobby.sh~", "lobby.zsh"] {
        host.wants(&format!("[[file]]\npath = \"/etc/profile.d/{name}\"\ncontent = \"\"\n"));
        let run = host.host(&["plan"]).code(1);
        assert!(run.err().contains("file.path: expected "), "{name}: {}", run.err());
    }
}
