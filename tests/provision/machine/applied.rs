//! `provision host apply` with the real tools.

use super::boxed::{DOWNLOAD, MachineBox, SECRET};
use pretty_assertions::assert_eq;
use sha2::Digest;
use std::fmt::Write;

/// Everything that a file can ask for.
pub(super) fn everything() -> String {
    format!(
        r#"
[packages]
install = ["tl-one", "tl-two=1.0"]

[[npm]]
name = "tl-tool"
version = "1.0.0"

[[download]]
url = "SERVER/moved"
insecure = true
path = "/usr/local/bin/downloaded"
sha256 = "{}"

[[file]]
path = "/etc/profile.d/lobby.sh"
content = "umask 027\n"

[[file]]
path = "/etc/skel/.config/lobby/rc"
source = "/etc/terminal-lobby/rc"

[[file]]
path = "/etc/skel/.local/bin/greet"
mode = "0755"
content = '''
#!/bin/sh
echo welcome
'''

[[sudoers]]
name = "lobby"
content = "%code-shared ALL=(root) NOPASSWD: /usr/bin/true\n"

[[secret]]
path = "/etc/t3-serve/file-token"
source = "/root/staged"

[[secret]]
path = "/etc/t3-serve/vault-token"
vault = "secret/data/lobby"
field = "token"
user = "nobody"

[vault]
address = "SERVER"
token_file = "/root/vault-token"
deadline_seconds = 5

[limits]
user_memory_max = "12G"
user_tasks_max = 4096
survive_oom = true

[[tighten]]
path = "/srv/infra"
"#,
        sha256(DOWNLOAD)
    )
}

pub(super) fn sha256(text: &str) -> String {
    sha2::Sha256::digest(text).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// A host on which all of it can be done, with systemd said to run.
pub(super) fn prepare(host: &MachineBox) {
    host.wants(&everything());
    host.sh(
        "echo 'set -o vi' >/etc/terminal-lobby/rc; umask 077; echo staged-secret >/root/staged",
    );
    host.sh("mkdir -p /srv/infra/deep; chmod 775 /srv/infra; chmod 644 /etc/terminal-lobby/rc");
    host.sh("echo plain >/srv/infra/deep/secret; mkdir -p /run/systemd/system");
}

/// What is true when all of it was done.
#[track_caller]
pub(super) fn assert_done(host: &MachineBox) {
    let status = "dpkg-query -W -f '${Package} ${Status}\\n' tl-one tl-two";
    assert_eq!(host.sh(status), "tl-one install ok installed\ntl-two install ok installed\n");
    assert_eq!(host.sh("/usr/local/bin/tl-tool"), "1.0.0\n");
    assert_eq!(host.sh("/usr/local/bin/downloaded"), "downloaded\n");
    assert_eq!(
        host.sh("/usr/sbin/visudo -c >/dev/null; cat /etc/profile.d/lobby.sh"),
        "umask 027\n"
    );
    let shown = host.sh(
        "cd /etc; stat -c '%n %a %U' profile.d/lobby.sh skel/.config skel/.config/lobby/rc skel/.local/bin/greet \
         sudoers.d/lobby t3-serve t3-serve/file-token t3-serve/vault-token \
         systemd/system/user-.slice.d/50-terminal-lobby.conf /srv/infra /srv/infra/deep",
    );
    let expected = "profile.d/lobby.sh 644 root\nskel/.config 755 root\n\
                    skel/.config/lobby/rc 644 root\nskel/.local/bin/greet 755 root\nsudoers.d/lobby 440 root\nt3-serve 755 root\n\
                    t3-serve/file-token 600 root\nt3-serve/vault-token 600 nobody\n\
                    systemd/system/user-.slice.d/50-terminal-lobby.conf 644 root\n\
                    /srv/infra 770 root\n/srv/infra/deep 755 root\n";
    assert_eq!(shown, expected);
    assert_eq!(host.sh("cat /etc/t3-serve/*-token"), format!("staged-secret\n{SECRET}"));
    let copied = "rm -rf /root/new && cp -r --preserve=mode /etc/skel /root/new && /root/new/.local/bin/greet";
    assert_eq!(host.sh(copied), "welcome\n");
    let written = host.written();
    let left = |line: &&str| line.contains("terminal-lobby-new") || line.contains("/.new-");
    assert_eq!(written.lines().find(left), None);
}

#[test]
fn everything_is_set_up_and_a_second_run_writes_nothing() {
    let test = "everything_is_set_up_and_a_second_run_writes_nothing";
    let Some(host) = MachineBox::new(test) else { return };
    prepare(&host);
    let plan = host.host(&["plan", "--detailed-exitcode"]).code(2).out();
    assert!(
        plan.ends_with("Plan: 15 to add, 2 to repair, 0 to cut, 0 to remove, 0 refused.\n"),
        "{plan}"
    );
    let run = host.host(&["apply"]).ok();
    assert!(run.out().ends_with("Applied: 17 done, 0 refused, 0 failed.\n"), "{}", run.out());
    assert_done(&host);
    let output = format!("{plan}{}{}", run.out(), run.err());
    for secret in [SECRET, "staged-secret"] {
        assert!(!output.contains(secret), "{output}");
    }
    let calls = host.calls();
    let of = |tool: &str| calls.iter().filter(|call| call.starts_with(tool)).count();
    assert_eq!(
        (of("apt-get install"), of("npm"), of("visudo"), of("systemctl")),
        (1, 1, 2, 1),
        "{calls:#?}"
    );
    let before = host.written();
    assert!(before.contains("./etc/sudoers.d/lobby "), "{before}");
    let run = host.host(&["apply"]).ok();
    assert_eq!(
        run.out(),
        "Plan: 0 to add, 0 to repair, 0 to cut, 0 to remove, 0 refused.\nApplied: 0 done, 0 refused, 0 failed.\n"
    );
    assert_eq!(host.calls(), [] as [&str; 0]);
    assert_eq!(before, host.written());
    host.host(&["plan", "--detailed-exitcode"]).code(0);
}

#[test]
fn what_fails_is_said_and_the_rest_is_done() {
    let test = "what_fails_is_said_and_the_rest_is_done";
    let Some(host) = MachineBox::new(test) else { return };
    let wrong = sha256("something else");
    host.wants(&format!(
        r#"
[packages]
install = ["tl-one", "tl-bad", "tl.two", "no-such-package"]
[[npm]]
name = "no-such-tool"
version = "1.0.0"
[[download]]
url = "SERVER/download"
insecure = true
path = "/usr/local/bin/other"
sha256 = "{wrong}"
[[download]]
url = "SERVER/none"
insecure = true
path = "/usr/local/bin/none"
sha256 = "{wrong}"
[[download]]
url = "SERVER/endless"
insecure = true
path = "/usr/local/bin/endless"
sha256 = "{wrong}"
max_mb = 1
[[sudoers]]
name = "broken"
content = "this is no rule\n"
[[sudoers]]
name = "good"
content = "root ALL=(ALL) ALL\n"
[[secret]]
path = "/etc/vault-token"
vault = "secret/data/lobby"
field = "token"
[vault]
address = "http://127.0.0.1:1"
token_file = "/root/vault-token"
deadline_seconds = 2
[[file]]
path = "/etc/profile.d/last.sh"
content = "true\n"
"#
    ));
    host.sh("echo old >/etc/vault-token");
    let run = host.host(&["apply", "--json"]).code(1);
    let receipt: serde_json::Value = serde_json::from_str(&run.out()).unwrap();
    let outcomes: Vec<String> = receipt["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| format!("{} {}", change["id"], change["outcome"]).replace('"', ""))
        .collect();
    assert_eq!(
        outcomes,
        [
            "package/no-such-package failed",
            "package/tl-bad failed",
            "package/tl-one done",
            "package/tl.two failed",
            "npm/no-such-tool failed",
            "download//usr/local/bin/other failed",
            "download//usr/local/bin/none failed",
            "download//usr/local/bin/endless failed",
            "file//etc/profile.d/last.sh done",
            "sudoers//etc/sudoers.d/broken failed",
            "sudoers//etc/sudoers.d/good done",
            "secret//etc/vault-token failed",
        ]
    );
    for why in [
        "no-such-package: no package of this name in apt's lists",
        "tl.two: no package of this name in apt's lists",
        "tl-bad: apt-get exited with 100: E: ",
        "no-such-tool: npm exited with 1: ",
        &format!(
            "/usr/local/bin/other: not installed: expected sha256:{wrong}, found sha256:{}",
            sha256(DOWNLOAD)
        ),
        ": status 404",
        "more than 1048576 bytes",
        "/etc/sudoers.d/broken: visudo exited with 1: ",
        "/etc/vault-token: left as it is: 127.0.0.1:1: ",
    ] {
        assert!(run.err().contains(why), "{why}\n{}", run.err());
    }
    assert!(host.check("[ ! -e /usr/local/bin/other ] && [ ! -e /etc/sudoers.d/broken ]"));
    assert!(host.check("[ ! -e /usr/share/tl-two ] && visudo -c && grep -q old /etc/vault-token"));
    assert_eq!(host.sh("ls -A /etc/sudoers.d /usr/local/bin | grep -c terminal-lobby || :"), "0\n");
}

#[test]
fn what_a_person_changed_stays() {
    let test = "what_a_person_changed_stays";
    let Some(host) = MachineBox::new(test) else { return };
    prepare(&host);
    host.host(&["apply"]).ok();
    host.sh("echo 'umask 022' >/etc/profile.d/lobby.sh; chmod 644 /etc/t3-serve/file-token");
    host.sh("rm /usr/local/bin/downloaded; echo rotated >/root/staged");
    let plan = host.host(&["plan", "--detailed-exitcode"]).code(3).out();
    for line in [
        "~ repair   /usr/local/bin/downloaded: sha256:",
        "! refused  /etc/profile.d/lobby.sh: sha256:",
        "a person changed it: not overwritten",
        "~ repair   /etc/t3-serve/file-token: sha256:",
    ] {
        assert!(plan.contains(line), "{line}\n{plan}");
    }
    host.host(&["apply"]).ok();
    let shown = host.sh(
        "cat /etc/profile.d/lobby.sh /etc/t3-serve/file-token; stat -c %a /etc/t3-serve/file-token",
    );
    assert_eq!(shown, "umask 022\nrotated\n600\n");
    assert_eq!(host.sh("/usr/local/bin/downloaded"), "downloaded\n");
    // Wanted no more: said, and there.
    host.wants("");
    let plan = host.host(&["plan"]).ok().out();
    assert!(plan.contains("! report   /etc/sudoers.d/lobby  [intent]\n"), "{plan}");
    assert!(host.check("[ -e /etc/sudoers.d/lobby ]"));
    host.sh("rm /etc/sudoers.d/lobby");
    host.host(&["apply"]).ok();
    assert!(!host.host(&["plan"]).ok().out().contains("/etc/sudoers.d/lobby"));
}

/// A tool that moves on by itself changed everybody's data once: only one version is installed, and
/// what moved is put back.
#[test]
fn lesson_28_a_tool_is_the_version_that_its_pin_says() {
    let test = "lesson_28_a_tool_is_the_version_that_its_pin_says";
    let Some(host) = MachineBox::new(test) else { return };
    host.wants("[[npm]]\nname = \"tl-tool\"\nversion = \"latest\"\n");
    let run = host.host(&["apply"]).code(1);
    assert!(run.err().contains("host.toml:3: npm.version: expected one version"), "{}", run.err());
    // A copy in the caller's own prefix is nobody else's.
    host.sh("npm install --global --loglevel=error tl-tool@1.0.0; [ -e /root/.local/bin/tl-tool ]");
    host.wants("[[npm]]\nname = \"tl-tool\"\nversion = \"1.0.0\"\n");
    host.host(&["apply"]).ok();
    assert_eq!(host.sh("/usr/local/bin/tl-tool"), "1.0.0\n");
    host.sh("npm install --global --prefix=/usr/local --loglevel=error tl-tool");
    assert_eq!(host.sh("/usr/local/bin/tl-tool"), "2.0.0\n");
    let plan = host.host(&["plan"]).ok().out();
    let line = "~ repair   tl-tool: 2.0.0 in /usr/local/lib/node_modules -> 1.0.0  [drift]";
    assert!(plan.contains(line), "{plan}");
    host.host(&["apply"]).ok();
    assert_eq!(host.sh("/usr/local/bin/tl-tool"), "1.0.0\n");
}

/// A decrypted tree at mode 0775 was readable by every user.
#[test]
fn lesson_35_a_decrypted_tree_is_closed_to_others() {
    let test = "lesson_35_a_decrypted_tree_is_closed_to_others";
    let Some(host) = MachineBox::new(test) else { return };
    host.sh(
        "mkdir -p /srv/infra/a /srv/theirs /opt/real; chmod 775 /srv/infra; chmod 777 /srv/infra/a",
    );
    host.sh("echo plain >/srv/infra/a/secret; chmod 666 /srv/infra/a/secret");
    host.sh("chown nobody /srv/theirs; mkdir /srv/theirs/tree; ln -s /opt/real /srv/link");
    let read = "setpriv --reuid=65534 --regid=65534 --clear-groups cat /srv/infra/a/secret";
    assert_eq!(host.sh(read), "plain\n");
    let paths = ["/srv/infra", "/srv/theirs", "/srv/theirs/tree", "/srv/link", "/srv/none"];
    let tables = paths.map(|path| format!("[[tighten]]\npath = \"{path}\"\n"));
    host.wants(&tables.concat());
    let before = host.sh("find /srv /opt/real -printf '%p %m %U %C@\\n' | grep -v '^/srv/infra '");
    let out = host.host(&["apply"]).ok().out();
    for line in [
        "~ repair   /srv/infra: 0775 -> 0770  [intent]",
        "! refused  /srv/theirs  [drift]\n             belongs to uid 65534, not to root",
        "! refused  /srv/theirs/tree  [drift]\n             checking /srv/theirs: belongs to uid 65534",
        "! refused  /srv/link  [drift]",
        "! report   /srv/none  [drift]",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    assert!(!host.check(read));
    // Nothing else was changed, neither below nor behind a link.
    let after = host.sh("find /srv /opt/real -printf '%p %m %U %C@\\n' | grep -v '^/srv/infra '");
    assert_eq!(before, after);
    host.sh("chmod 755 /srv/infra");
    let plan = host.host(&["plan"]).ok().out();
    assert!(plan.contains("~ repair   /srv/infra: 0755 -> 0750  [drift]"), "{plan}");
}
