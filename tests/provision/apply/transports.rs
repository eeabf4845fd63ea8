//! The roster's repository over the transports that sites use: https with a login, ssh, SHA-256, a clone of
//! root's.

use super::Provisioned;
use super::repository::with_repository;
use crate::support::lacks::lacks;
use crate::support::wait_until;

const SERVER: &str = include_str!("git_server.py");

/// Adds a member over the remote that is configured, and applies what was pushed.
#[track_caller]
fn pushes_and_applies(here: &Provisioned) {
    here.host.sh_as("keeper", "git config --global user.signingKey ~/key");
    here.provision(&["apply"]).ok();
    here.host
        .sh("echo '[\"ops.lead\", \"reader.ro\", \"builder42\", \"jane@x\"]' >/root/members.json");
    let run =
        here.provision(&["membership", "--members", "/root/members.json", "--commit", "--push"]);
    assert!(run.ok().out().contains("pushed to origin/main"));
    let log = here.host.sh_as("keeper", "git -C ~/remote.git log -1 --format=%s main");
    assert_eq!(log, "roster: add jane\n");
    here.provision(&["apply"]).ok();
    assert!(here.host.sh("cat /etc/passwd").contains("\njane:"));
    let run = here.provision(&["plan", "--detailed-exitcode"]).ok();
    assert_eq!(run.err(), "");
}

#[test]
fn https_with_the_owners_login_and_authority_of_its_own() {
    let name = "https_with_the_owners_login_and_authority_of_its_own";
    let Some(here) = with_repository(name, "") else { return };
    let host = &here.host;
    host.sh("sed -i 's/allow_file = true/allow_file = false/' /etc/terminal-lobby/config.toml");
    host.install_bytes("git_server.py", SERVER.as_bytes());
    host.sh_as(
        "keeper",
        "cd; printf '[req]\\ndistinguished_name=n\\n[n]\\n' >tls.cnf
         openssl req -config tls.cnf -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -keyout tls.key \
             -out tls.crt -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1",
    );
    host.start_as(
        "keeper",
        &[
            "/usr/bin/env",
            "HOME=/home/keeper",
            "python3",
            "-I",
            "/opt/tl/git_server.py",
            "/home/keeper",
            "/home/keeper/tls.crt",
            "/home/keeper/tls.key",
            "keeper:sesame",
            "/tmp/port",
        ],
    );
    wait_until("the server of git listens", || host.root(["test", "-e", "/tmp/port"]).code == 0);
    let port = host.sh("cat /tmp/port");
    let remote = format!("https://127.0.0.1:{port}/remote.git");
    host.sh_as("keeper", &format!("git -C ~/clone remote set-url origin {remote}"));
    // Neither the authority of the host nor a login is asked for by a prompt.
    let run = here.provision(&["apply"]).ok();
    assert!(run.err().contains("warning: fetching the roster's repository"), "{}", run.err());
    host.sh_as("keeper", "git config --global http.sslCAInfo ~/tls.crt");
    let run = here.provision(&["apply"]).ok();
    assert!(run.err().contains("warning: fetching the roster's repository"), "{}", run.err());
    host.sh_as(
        "keeper",
        &format!(
            "umask 077; echo https://keeper:sesame@127.0.0.1:{port} >~/.git-credentials
             git config --global credential.helper store"
        ),
    );
    pushes_and_applies(&here);
}

#[test]
fn ssh_with_the_owners_key() {
    let name = "ssh_with_the_owners_key";
    let Some(here) = with_repository(name, "") else { return };
    let host = &here.host;
    if host.root(["test", "-x", "/usr/sbin/sshd"]).code != 0 {
        lacks(name, "sshd");
        return;
    }
    host.sh("sed -i 's/allow_file = true/allow_file = false/' /etc/terminal-lobby/config.toml");
    host.sh_as("keeper", "cd; mkdir -m 700 .ssh sshd; ssh-keygen -q -t ed25519 -N '' -f sshd/host
         ssh-keygen -q -t ed25519 -N '' -f .ssh/id_ed25519; cp .ssh/id_ed25519.pub .ssh/authorized_keys
         git -C clone config --unset core.sshCommand");
    // A server for each connection: no port is taken.
    host.sh_as("keeper", "cat >~/.ssh/config <<'C'
Host repository
    ProxyCommand /usr/sbin/sshd -i -f /dev/null -h /home/keeper/sshd/host -o StrictModes=no -o UsePAM=no
    UserKnownHostsFile /home/keeper/sshd/known
C
         chmod 600 ~/.ssh/config; echo \"repository $(cat ~/sshd/host.pub)\" >~/sshd/known
         git -C ~/clone remote set-url origin ssh://keeper@repository/home/keeper/remote.git");
    let run = here.provision(&["apply"]).ok();
    assert!(!run.err().contains("repository"), "{}", run.err());
    pushes_and_applies(&here);
}

#[test]
fn a_repository_whose_objects_have_sha256_names() {
    let name = "a_repository_whose_objects_have_sha256_names";
    let Some(here) = with_repository(name, "") else { return };
    here.host.sh_as("keeper", "cd; rm -rf remote.git work clone; git init -q --bare --object-format=sha256 remote.git
         git init -q --object-format=sha256 work; git -C work remote add origin ~/remote.git
         mkdir work/hosts; cp /tmp/three work/hosts/roster.yaml; sh sign first; git clone -q remote.git clone");
    pushes_and_applies(&here);
    let commit = here.host.sh(
        "grep -o '\"roster_commit\": *\"[0-9a-f]*\"' /var/lib/terminal-lobby/applied/written.json",
    );
    assert_eq!(commit.split('"').nth(3).unwrap().len(), 64, "{commit}");
}

#[test]
fn a_clone_of_roots_is_fetched_by_root_if_all_that_decides_is_roots() {
    let name = "a_clone_of_roots_is_fetched_by_root_if_all_that_decides_is_roots";
    let Some(here) = with_repository(name, "") else { return };
    let host = &here.host;
    host.sh("git config --global --add safe.directory /home/keeper/remote.git
         git clone -q /home/keeper/remote.git /root/clone
         sed -i \"s|'keeper'|'root'|; s|/home/keeper/clone|/root/clone|\" /etc/terminal-lobby/config.toml");
    let run = here.provision(&["apply", "--json"]).ok();
    assert!(!run.err().contains("repository"), "{}", run.err());
    assert!(run.out().contains("\"file\":\"/root/clone/hosts/roster.yaml\""), "{}", run.out());
    for part in ["config", "HEAD", "refs", "objects", "packed-refs"] {
        host.sh(&format!(
            "touch /root/clone/.git/packed-refs; chown keeper /root/clone/.git/{part}"
        ));
        let run = here.provision(&["plan"]).code(3);
        assert!(run.err().contains(&format!("/.git/{part}: belongs to uid")), "{}", run.err());
        host.sh(&format!("chown root /root/clone/.git/{part}"));
    }
    here.provision(&["plan"]).ok();
}

#[test]
fn every_command_by_root_reads_the_roster_of_the_commit_and_others_say_that_they_do_not() {
    let name =
        "every_command_by_root_reads_the_roster_of_the_commit_and_others_say_that_they_do_not";
    let Some(here) = with_repository(name, "") else { return };
    // The host's roster is empty, the checked-out one is invalid: neither counts.
    for command in [&["roster", "check"][..], &["roster", "show"], &["derive"]] {
        let run = here.provision(&[command, &["--json"]].concat()).ok();
        assert_eq!(run.err(), "", "{command:?}");
        assert!(
            run.out().contains("\"users\":3") || run.out().contains("reader.ro"),
            "{command:?}"
        );
    }
    let run = here.host.as_user("keeper", ["/opt/tl/provision", "roster", "check"]).ok();
    assert!(run.err().contains("note: the roster is read from its file"), "{}", run.err());

    let set =
        |line: &str| here.host.sh(&format!("echo '{line}' >>/etc/terminal-lobby/config.toml"));
    set("fetch_seconds = 0");
    let run = here.provision(&["roster", "check"]).code(2);
    let wanted = "/etc/terminal-lobby/config.toml:8: expected 1 to 3600, found '0'";
    assert!(run.err().contains(wanted), "{}", run.err());
    here.host.sh("sed -i '/fetch_seconds/d' /etc/terminal-lobby/config.toml");
    here.provision(&["apply"]).ok();
    here.host
        .sh("sed -i 's/\"roster_commit\": *\"/&--x/' /var/lib/terminal-lobby/applied/written.json");
    let run = here.provision(&["plan"]).code(1);
    assert!(
        run.err().contains("written.json: roster_commit: expected a commit, found '--x"),
        "{}",
        run.err()
    );
}
