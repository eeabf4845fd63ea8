//! The roster of a repository: fetched as the clone's owner, signed, forward only.

use super::{KEPT, Provisioned, THREE};

const ROW: &str = "  late: {authentik_user: late.l, k8s_user: late, tier: power-user}\n";

/// What `keeper` does in the repository that the roster comes from. `sign` signs with an allowed key, `forge` with
/// another one. What the clone's configuration makes git start leaves its user's id.
const SET_UP: &str = r#"
cd; umask 022
git config --global user.name Keeper; git config --global user.email keeper@example.org
git config --global gpg.format ssh; git config --global init.defaultBranch main
ssh-keygen -q -t ed25519 -N '' -f key; ssh-keygen -q -t ed25519 -N '' -f other
git init -q --bare remote.git; git clone -q remote.git work 2>/dev/null
mkdir work/hosts; cp /tmp/three work/hosts/roster.yaml
cat >sign <<'S'
cd ~/work && git add -A && git -c user.signingKey=$HOME/${KEY-key} commit -q --allow-empty ${SIGN--S} -m "$1" && git push -qf origin HEAD:main
S
sh sign first; git clone -q remote.git clone
printf '#!/bin/sh\nid -u >>/tmp/ran\nexec ssh-keygen "$@"\n' >spy; chmod 755 spy
mkdir hooks; cp spy hooks/reference-transaction; cp spy clone/.git/hooks/reference-transaction
for key in core.fsmonitor core.sshCommand gpg.ssh.program core.pager; do git -C clone config $key ~/spy; done
git -C clone config core.hooksPath ~/hooks
git -C clone config gpg.ssh.allowedSignersFile ~/mine; echo "k $(cat other.pub)" >mine
echo 'edited: by hand' >clone/hosts/roster.yaml
"#;

pub(super) fn with_repository(test: &str, more: &str) -> Option<Provisioned> {
    let here = Provisioned::new(test, "users:\n")?;
    here.host.user("keeper");
    here.host.sh("rm /etc/ttyd-user-map");
    here.host.sh(&format!("cat >/tmp/three <<'END'\n{THREE}END\nchmod 644 /tmp/three"));
    here.host.sh_as("keeper", SET_UP);
    here.host.sh(
        "echo \"keeper@example.org $(cat /home/keeper/key.pub)\" >/etc/terminal-lobby/allowed_signers",
    );
    here.config(&format!(
        "[provision.roster_repository]\nclone = '/home/keeper/clone'\npath = 'hosts/roster.yaml'\n\
         owner = 'keeper'\nallow_file = true\nrequire_signed = true\n{more}\n"
    ));
    Some(here)
}

#[test]
fn the_roster_of_a_signed_commit_is_applied_and_what_is_not_signed_is_refused() {
    let name = "the_roster_of_a_signed_commit_is_applied_and_what_is_not_signed_is_refused";
    let Some(here) = with_repository(name, "") else { return };
    let host = &here.host;
    let head = |what: &str| {
        host.sh_as("keeper", &format!("git -C ~/remote.git rev-parse {what}")).trim().to_owned()
    };
    let run = here.provision(&["apply", "--json"]).ok();
    let first = head("main");
    assert!(run.out().contains(&format!("\"commit\":\"{first}\"")), "{}", run.out());
    assert!(
        run.out().contains("\"file\":\"/home/keeper/clone/hosts/roster.yaml\""),
        "{}",
        run.out()
    );
    assert!(host.sh(&format!("cat {KEPT}/applied/written.json")).contains(&first));
    assert_eq!(host.sh("ls /home").trim(), "builder\nkeeper\nops\nreader");

    // Neither without a signature, nor with one by another key: the row is in no roster.
    host.sh_as("keeper", &format!("cd; printf '%s' '{ROW}' >>work/hosts/roster.yaml"));
    for how in ["SIGN=-q", "KEY=other"] {
        host.sh_as("keeper", &format!("cd; {how} sh sign unsigned"));
        let before = here.files();
        for command in ["plan", "apply"] {
            let run = here.provision(&[command]).code(3);
            assert!(run.err().contains("is not signed by an allowed key"), "{how}: {}", run.err());
        }
        assert!(!host.sh("cat /etc/passwd").contains("late"));
        let of_host = |files: String| {
            let ours = |line: &&str| !line.starts_with("/home/keeper");
            files.lines().filter(ours).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(of_host(here.files()), of_host(before), "{how}");
    }
    // The newest commit's signature vouches for those before it.
    host.sh_as("keeper", "cd; sh sign signed");
    here.provision(&["plan", "--out", "/root/plan.json"]).ok();
    here.provision(&["apply", "/root/plan.json"]).ok();
    assert!(host.sh("cat /etc/passwd").contains("late:"));

    // An older commit is signed, too, and is not brought back.
    host.sh_as("keeper", &format!("git -C ~/work push -qf origin {first}:main"));
    let run = here.provision(&["apply"]).code(3);
    assert!(run.err().contains(&format!("commit {first} does not follow on ")), "{}", run.err());
    assert!(run.err().contains("hint: if the branch was rewritten"), "{}", run.err());

    // Nothing that the clone's configuration names ran as root.
    assert!(!host.sh("cat /tmp/ran 2>/dev/null || true").lines().any(|uid| uid == "0"));
    assert_eq!(host.sh("ls /run | grep roster || true"), "", "nothing of a run is left");
}

#[test]
fn a_failed_fetch_is_a_warning_unless_it_is_required() {
    let name = "a_failed_fetch_is_a_warning_unless_it_is_required";
    let Some(here) = with_repository(name, "") else { return };
    here.provision(&["apply"]).ok();
    here.host.sh("mv /home/keeper/remote.git /home/keeper/gone");
    let run = here.provision(&["apply"]).ok();
    let why = "warning: fetching the roster's repository /home/keeper/clone: ";
    assert!(run.err().contains(why), "{}", run.err());
    assert!(run.err().contains("the roster is that of the last fetch"), "{}", run.err());
    here.host.sh("echo 'required = true' >>/etc/terminal-lobby/config.toml");
    let run = here.provision(&["apply"]).code(1);
    assert!(run.err().contains("error: fetching the roster's repository"), "{}", run.err());
}

#[test]
fn root_runs_git_in_no_clone_of_another_user() {
    let name = "root_runs_git_in_no_clone_of_another_user";
    let Some(here) = with_repository(name, "") else { return };
    here.host
        .sh("rm -f /tmp/ran; sed -i s/\\'keeper\\'/\\'root\\'/ /etc/terminal-lobby/config.toml");
    let run = here.provision(&["apply"]).code(3);
    assert!(run.err().contains("belongs to uid 20001, not to root"), "{}", run.err());
    // Nor does it take the list of keys from one.
    here.host.sh("sed -i s/\\'root\\'/\\'keeper\\'/ /etc/terminal-lobby/config.toml
                  chown keeper /etc/terminal-lobby/allowed_signers");
    let run = here.provision(&["apply"]).code(3);
    assert!(run.err().contains("allowed_signers: belongs to uid 20001"), "{}", run.err());
    assert!(!here.host.sh("cat /tmp/ran 2>/dev/null || true").lines().any(|uid| uid == "0"));
}
