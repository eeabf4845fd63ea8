//! The roster in a repository of signed commits, on a booted host: what the units close keeps neither an apply
//! nor the membership from its work, and what no allowed key signed changes nothing.

use crate::support::lacks::lacks;
use crate::support::{BootBox, On, wait_until};

const KEYGEN: &str = "/usr/bin/ssh-keygen";
const STUB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/boot/stub-service");
const SERVERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/boot/stub-servers");
const APPLY: &str = "provision.service";
const MEMBERSHIP: &str = "provision-membership.service";

fn host(test: &str) -> Option<BootBox> {
    if !std::path::Path::new(KEYGEN).exists() {
        lacks(test, "needs ssh-keygen");
        return None;
    }
    let made = BootBox::booted(test, On::Host)?;
    made.copy_in(KEYGEN, "/usr/local/bin/ssh-keygen");
    for program in ["t3", "playwright-mcp"] {
        made.copy_in(STUB, &format!("/usr/local/bin/{program}"));
    }
    made.copy_in(SERVERS, "/usr/local/bin/stub-servers");
    made.sh("chmod 755 /usr/local/bin/*; groupadd -f docker; groupadd -f code-shared
         useradd -m -s /bin/sh keeper; install -d -o keeper -g keeper /srv/roster
         systemd-run -q --unit stub-servers /usr/local/bin/stub-servers /run/servers");
    made.sh_as("keeper", r"cd; umask 022
        git config --global user.name Keeper; git config --global user.email keeper@example.org
        git config --global gpg.format ssh; git config --global user.signingKey ~/key
        ssh-keygen -q -t ed25519 -N '' -f key; git init -q --bare -b main remote.git
        git init -q -b main work; cd work; git remote add origin ~/remote.git
        echo 'users:
  alice: {authentik_user: alice@example.org, k8s_user: alice, tier: admin}
  bob:   {authentik_user: bob@example.org,   k8s_user: bob,   tier: power-user}
  carol: {authentik_user: carol@example.org, k8s_user: carol, tier: namespace-owner, namespaces: [carol]}' >roster.yaml
        git add .; git commit -q -S -m first; git push -q origin main; git clone -q ~/remote.git /srv/roster");
    made.sh("ln -s /srv/roster/roster.yaml /etc/terminal-lobby/roster.yaml
        echo \"keeper@example.org $(cat /home/keeper/key.pub)\" >/etc/terminal-lobby/allowed_signers
        umask 077; echo token >/etc/terminal-lobby/token; umask 022
        cat >>/etc/terminal-lobby/config.toml <<'END'
[provision]
max_cut_percent = 50
[provision.roster_repository]
clone = \"/srv/roster\"
path = \"roster.yaml\"
owner = \"keeper\"
require_signed = true
required = true
allow_file = true
[provision.authentik]
url = \"http://127.0.0.1:8801\"
group = \"people\"
token_file = \"/etc/terminal-lobby/token\"
END");
    wait_until("the provider answers", || {
        made.try_sh("root", "test -e /run/servers/ready").code == 0
    });
    made.sh("echo whole >/run/servers/authentik");
    Some(made)
}

fn people(made: &BootBox, names: &[&str]) {
    let lines: Vec<String> = names.iter().map(|name| format!("{name}@example.org")).collect();
    made.sh(&format!("printf '%s\\n' {} >/run/servers/people", lines.join(" ")));
}

#[track_caller]
fn runs(made: &BootBox, unit: &str) {
    let run = made.try_sh("root", &format!("systemctl start {unit}"));
    let log = made.sh(&format!("journalctl -u {unit} --no-pager | tail -n 40"));
    assert_eq!((run.code, made.property(unit, "Result").as_str()), (0, "success"), "{log}");
}

#[test]
fn members_join_leave_and_come_back_by_signed_commits_and_the_units_alone() {
    let test = "boot::provisioning::repository::members_join_leave_and_come_back_by_signed_commits_and_the_units_alone";
    let Some(made) = host(test) else { return };
    let head = || made.sh_as("keeper", "git -C ~/remote.git log -1 --format=%H main");
    let subject = || made.sh_as("keeper", "git -C ~/remote.git log -1 --format=%s main");
    people(&made, &["alice", "bob", "carol"]);
    runs(&made, APPLY);
    let record = "cat /var/lib/terminal-lobby/applied/written.json";
    assert!(made.sh(record).contains(head().trim()));
    // Arming the timer starts nothing, and a group that agrees with the roster makes no commit.
    made.sh("systemctl enable -q --now provision-membership.timer");
    assert_eq!(made.property(MEMBERSHIP, "ExecMainStartTimestamp"), "");
    let first = head();
    runs(&made, MEMBERSHIP);
    assert_eq!(head(), first);

    people(&made, &["alice", "bob", "jane"]);
    runs(&made, MEMBERSHIP);
    assert_eq!(subject(), "roster: add jane; cut carol\n");
    runs(&made, APPLY);
    assert!(made.sh(record).contains(head().trim()));
    assert_eq!(
        made.sh("id -un jane; cut -d: -f1 /etc/ttyd-user-map | grep -c carol || true"),
        "jane\n0\n"
    );
    assert!(made.sh("getent shadow carol").starts_with("carol:!"));
    let uid = made.sh("id -u carol");

    people(&made, &["alice", "bob", "jane", "carol"]);
    runs(&made, MEMBERSHIP);
    assert_eq!(subject(), "roster: add carol\n");
    runs(&made, APPLY);
    made.sh("provision offboard uncut carol --quiet");
    runs(&made, APPLY);
    assert_eq!(
        made.sh("grep -c ^carol@example.org=carol /etc/ttyd-user-map; id -u carol"),
        format!("1\n{uid}")
    );

    // What nobody signed is applied by none, and nothing is built on it.
    made.sh_as(
        "keeper",
        "cd ~/work; git pull -q origin main
        echo '  mallory: {authentik_user: m, k8s_user: m, tier: admin}' >>roster.yaml
        git commit -qam unsigned; git push -q origin main",
    );
    people(&made, &["alice", "bob", "jane", "carol", "dave"]);
    for unit in [APPLY, MEMBERSHIP] {
        assert_ne!(made.try_sh("root", &format!("systemctl start {unit}")).code, 0);
        let log = made.sh(&format!("journalctl -u {unit} --no-pager"));
        assert!(log.contains("is not signed by an allowed key"), "{log}");
    }
    assert_eq!(subject(), "unsigned\n");
    assert_ne!(made.try_sh("root", "id mallory").code, 0);
}
