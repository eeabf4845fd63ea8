//! `provision membership --commit`: the edit as a commit of the roster's repository, made and pushed by the
//! clone's owner.

use super::repository::with_repository;
use super::{KEPT, Provisioned};
use crate::support::run::Run;

/// Signs with the allowed key, and would start a hook on everything that git does.
const SIGNING: &str = r#"
cd; git config --global user.signingKey ~/key
printf '#!/bin/sh\necho "$0" >>/tmp/hooks\n' >hook; chmod 755 hook
for at in clone/.git/hooks hooks; do
    for name in pre-push pre-commit commit-msg post-commit reference-transaction; do cp hook $at/$name; done
done
"#;

fn host(test: &str) -> Option<Provisioned> {
    let here = with_repository(test, "")?;
    here.host.sh_as("keeper", SIGNING);
    Some(here)
}

fn members(here: &Provisioned, names: &[&str]) {
    let text = serde_json::json!(names).to_string();
    here.host.sh(&format!("cat >/root/members.json <<'END'\n{text}\nEND"));
}

#[track_caller]
fn commit(here: &Provisioned, more: &[&str]) -> Run {
    let args = ["membership", "--commit", "--members", "/root/members.json"];
    let limit = ["--max-cut-percent", "50"];
    here.provision(&[&args[..], &limit, more].concat())
}

fn git(here: &Provisioned, args: &str) -> String {
    here.host.sh_as("keeper", &format!("git -C ~/remote.git {args}"))
}

#[test]
fn who_joins_leaves_and_comes_back_is_pushed_with_the_reason_and_applied() {
    let name = "who_joins_leaves_and_comes_back_is_pushed_with_the_reason_and_applied";
    let Some(here) = host(name) else { return };
    here.provision(&["apply"]).ok();
    let checked_out = "cat ~/clone/hosts/roster.yaml; stat -c %Y ~/clone/.git/index";
    let before = here.host.sh_as("keeper", checked_out);
    members(&here, &["ops.lead", "builder42", "jane@x"]);
    let plan = here.provision(&[
        "membership",
        "--members",
        "/root/members.json",
        "--max-cut-percent",
        "50",
    ]);
    assert!(
        plan.ok()
            .out()
            .contains("1 to add, 1 to cut, 0 protected, 0 unclear (not written; --commit")
    );
    let run = commit(&here, &["--push"]).ok();
    assert!(run.out().contains("pushed to origin/main)."), "{}", run.out());
    let log = git(&here, "log -1 --format='%an <%ae>%n%B' main");
    assert_eq!(
        log.trim_end(),
        "Keeper <keeper@example.org>\nroster: add jane; cut reader\n\n\
         add jane: jane@x, namespace-owner: a member without a row\n\
         cut reader: not a member of the group\n\n\
         Members: /root/members.json"
    );
    assert_eq!(git(&here, "diff --name-only main~1 main").trim(), "hosts/roster.yaml");
    assert_eq!(here.host.sh_as("keeper", checked_out), before, "what is checked out stays");

    // The next run finds nothing to do, and adds no commit.
    let head = git(&here, "rev-parse main");
    let run = commit(&here, &["--push", "--json"]).ok();
    assert!(run.out().contains("\"result\":\"unchanged\""), "{}", run.out());
    assert_eq!(git(&here, "rev-parse main"), head);

    here.provision(&["apply", "--max-cut-percent", "50"]).ok();
    let receipt = here.host.sh(&format!("cat {KEPT}/receipts/* | tail -n 1"));
    assert!(receipt.contains(head.trim()), "{receipt}");
    let map = here.host.sh("grep -v '^#' /etc/ttyd-user-map | sort");
    assert_eq!(map, "builder42=builder\njane@x=jane\nops.lead=ops\n");
    let uid = here.host.sh("id -u reader");

    members(&here, &["ops.lead", "builder42", "jane@x", "reader.ro"]);
    commit(&here, &["--push", "--note", "asked for by ops"]).ok();
    let log = git(&here, "log -1 --format=%B main");
    assert!(
        log.contains("add reader: reader.ro, power-user: a member again, with the row of before")
    );
    assert!(log.contains("\nNote: asked for by ops\n"), "{log}");
    // A cut ends by a person's word only, which the run asks for.
    let run = here.provision(&["apply"]).ok();
    assert!(run.out().contains("provision offboard uncut reader"), "{}", run.out());
    here.provision(&["offboard", "uncut", "reader"]).ok();
    here.provision(&["apply"]).ok();
    assert!(here.host.sh("cat /etc/ttyd-user-map").contains("reader.ro=reader\n"));
    assert_eq!(here.host.sh("id -u reader"), uid);

    // All of it by the owner, and without hooks.
    assert_eq!(here.host.sh("cat /tmp/hooks 2>/dev/null || true"), "");
    assert!(!here.host.sh("cat /tmp/ran 2>/dev/null || true").lines().any(|uid| uid == "0"));
    assert_eq!(git(&here, "for-each-ref --format='%(refname)'").trim(), "refs/heads/main");
}

#[test]
fn a_commit_that_is_not_pushed_is_kept_once_and_pushed_later() {
    let name = "a_commit_that_is_not_pushed_is_kept_once_and_pushed_later";
    let Some(here) = host(name) else { return };
    members(&here, &["ops.lead", "builder42", "reader.ro", "jane@x"]);
    let head = git(&here, "rev-parse main");
    let run = commit(&here, &["--json"]).ok();
    let json = run.json();
    assert_eq!(json["result"], "committed");
    let kept = || {
        let branch = here.host.sh_as("keeper", "git -C ~/clone rev-parse provision-membership");
        branch.trim().to_owned()
    };
    assert_eq!(json["commit"], kept());
    assert_eq!(git(&here, "rev-parse main"), head);
    let first = kept();
    commit(&here, &[]).ok();
    assert_eq!(kept(), first);
    commit(&here, &["--push"]).ok();
    assert_eq!(git(&here, "rev-parse main").trim(), first);
    // A branch that a person works in is not moved.
    here.host.sh_as("keeper", "git -C ~/clone checkout -qf provision-membership");
    members(&here, &["ops.lead", "builder42", "reader.ro", "jane@x", "zoe@x"]);
    let run = commit(&here, &[]).code(1);
    assert!(run.err().contains("committing to the roster's repository"), "{}", run.err());
    assert_eq!(kept(), first);
}

/// The remote gets another commit while it is pushed to: each commit of `next` in turn.
const MOVES_ON: &str = r#"
cd ~/work && git pull -q origin main
for n in $(seq $NEXT); do
    echo "at $n" >>README && git add -A && git -c user.signingKey=$HOME/key commit -q -S -m "by a person $n" &&
    git push -q origin HEAD:refs/heads/next-$n
done
cat >~/remote.git/hooks/pre-receive <<'H'
#!/bin/sh
echo push >>/tmp/pushes
n=$(wc -l </tmp/pushes)
unset GIT_QUARANTINE_PATH
if git rev-parse -q --verify refs/heads/next-$n >/dev/null; then git update-ref refs/heads/main refs/heads/next-$n; fi
H
chmod 755 ~/remote.git/hooks/pre-receive
"#;

#[test]
fn a_remote_that_moved_on_is_fetched_and_the_edit_is_made_on_top_once() {
    let name = "a_remote_that_moved_on_is_fetched_and_the_edit_is_made_on_top_once";
    let Some(here) = host(name) else { return };
    here.host.sh_as("keeper", &format!("NEXT=1; {MOVES_ON}"));
    members(&here, &["ops.lead", "builder42", "reader.ro", "jane@x"]);
    commit(&here, &["--push"]).ok();
    assert_eq!(here.host.sh("wc -l </tmp/pushes").trim(), "2");
    let log = git(&here, "log --format=%s main");
    assert!(log.starts_with("roster: add jane\nby a person 1\n"), "{log}");
    assert!(git(&here, "show main:README").contains("at 1"));
}

#[test]
fn what_the_remote_does_not_take_is_left_to_a_person() {
    let name = "what_the_remote_does_not_take_is_left_to_a_person";
    let Some(here) = host(name) else { return };
    here.host.sh_as("keeper", &format!("NEXT=3; {MOVES_ON}"));
    members(&here, &["ops.lead", "builder42", "reader.ro", "jane@x"]);
    let run = commit(&here, &["--push"]).code(5);
    assert!(
        run.err()
            .contains("error: /home/keeper/clone/hosts/roster.yaml: the remote took no commit: ["),
        "{}",
        run.err()
    );
    assert_eq!(here.host.sh("wc -l </tmp/pushes").trim(), "2", "retried once");
    assert!(git(&here, "log --format=%s main").starts_with("by a person 2\n"));

    // A rule of the remote's own gives the same answer however often it is asked.
    here.host.sh_as(
        "keeper",
        "cd ~/remote.git/hooks; rm /tmp/pushes
         printf '#!/bin/sh\\necho push >>/tmp/pushes; echo no; exit 1\\n' >pre-receive",
    );
    let head = git(&here, "rev-parse main");
    let json = commit(&here, &["--push", "--json"]).code(5);
    assert!(json.out().contains("\"result\":\"rejected\""), "{}", json.out());
    assert!(json.err().contains("(pre-receive hook declined)"), "{}", json.err());
    assert_eq!(here.host.sh("wc -l </tmp/pushes").trim(), "1");
    assert_eq!(git(&here, "rev-parse main"), head);

    // A remote that is not there is a failure, and so is one that cannot be fetched from.
    here.host.sh_as("keeper", "git -C ~/clone config remote.origin.pushurl file:///nowhere");
    let run = commit(&here, &["--push"]).code(1);
    assert!(run.err().contains("pushing from the roster's repository"), "{}", run.err());
    here.host.sh("mv /home/keeper/remote.git /home/keeper/gone");
    let run = commit(&here, &["--push"]).code(1);
    assert!(run.err().contains("fetching the roster's repository"), "{}", run.err());
}

#[test]
fn nothing_is_pushed_that_no_apply_would_take() {
    let name = "nothing_is_pushed_that_no_apply_would_take";
    let Some(here) = host(name) else { return };
    let head = git(&here, "rev-parse main");
    members(&here, &["ops.lead", "builder42", "reader.ro", "jane@x"]);
    here.host.sh_as("keeper", "git config --global user.signingKey ~/other");
    let run = commit(&here, &["--push"]).code(3);
    assert!(run.err().contains("is not signed by an allowed key"), "{}", run.err());
    for broken in ["user.signingKey ~/none", "user.name ''"] {
        here.host.sh_as("keeper", &format!("git config --global {broken}"));
        let run = commit(&here, &["--push"]).code(1);
        assert!(run.err().contains("hint: the owner needs user.name"), "{broken}: {}", run.err());
    }
    assert_eq!(git(&here, "rev-parse main"), head);
}

#[test]
fn what_the_clones_configuration_says_of_pushes_forces_and_adds_nothing() {
    let name = "what_the_clones_configuration_says_of_pushes_forces_and_adds_nothing";
    let Some(here) = host(name) else { return };
    here.host.sh_as(
        "keeper",
        "cd ~/clone; git tag -m t t; git branch secret
         git config remote.origin.mirror true; git config remote.origin.push '+refs/*:refs/*'
         git config push.followTags true; git config push.gpgSign if-asked; git config push.default matching
         git config push.recurseSubmodules on-demand; git config commit.template /etc/shadow
         git config alias.push '!id >>/tmp/alias'; git config core.editor '/bin/false'; rm -f /tmp/hooks",
    );
    members(&here, &["ops.lead", "builder42", "reader.ro", "jane@x"]);
    commit(&here, &["--push"]).ok();
    assert_eq!(git(&here, "for-each-ref --format='%(refname)'").trim(), "refs/heads/main");
    assert_eq!(here.host.sh("cat /tmp/alias /tmp/hooks 2>/dev/null || true"), "");
}

#[test]
fn a_commit_needs_a_repository_of_an_account_without_privileges() {
    let name = "a_commit_needs_a_repository_of_an_account_without_privileges";
    let Some(here) = host(name) else { return };
    members(&here, &["ops.lead", "builder42", "reader.ro", "jane@x"]);
    let args = ["membership", "--members", "/root/members.json"];
    let run = here.provision(&[&args[..], &["--apply"]].concat()).code(2);
    assert!(run.err().contains("--apply: the roster is read from commits of /home/keeper/clone"));
    let file = ["--commit", "--roster", "/etc/terminal-lobby/other.yaml"];
    let run = here.provision(&[&args[..], &file].concat()).code(2);
    assert!(run.err().contains("--commit: --roster names a file"), "{}", run.err());
    here.provision(&[&args[..], &["--push"]].concat()).code(2);
    let run = here.host.as_user("keeper", ["/opt/tl/provision", "membership", "--commit"]).code(2);
    assert!(run.err().contains("--commit: only root runs git as the owner"), "{}", run.err());
    let run = here.provision(&["membership", "--commit"]).code(2);
    assert!(run.err().contains("no members: expected --members"), "{}", run.err());

    here.host.sh("cp -r /home/keeper/clone /srv-clone 2>/dev/null || cp -r /home/keeper/clone /root/clone
         chown -R root:root /root/clone; git config -f /root/clone/.git/config --unset core.fsmonitor
         sed -i \"s|'keeper'|'root'|; s|/home/keeper/clone|/root/clone|\" /etc/terminal-lobby/config.toml");
    let run = commit(&here, &["--push"]).code(3);
    assert!(run.err().contains("clone is root's: commits are made by an account"), "{}", run.err());

    here.config("");
    let run = commit(&here, &[]).code(2);
    assert!(run.err().contains("--commit: no repository is configured"), "{}", run.err());
}
