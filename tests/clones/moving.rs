//! `~/code` becomes a workspace: the clone moves whole, whatever is in it and whoever kills us.

use super::{Person, inventory};
use crate::support::lacks::lacks;
use std::io::Write;
use std::process::Stdio;
use terminal_lobby::provision::plan::Action;
use terminal_lobby::provision::protocol::{Answer, Request};

/// Everything a person may have in a clone: branches, a stash, staged, changed and new files, a tag,
/// worktrees inside and outside.
const WORKED_ON: &str = "cd code; git checkout -q -b topic; echo topic >t; git add t; git commit -qm topic; \
    echo stashed >>README; git stash -q; git tag mine; git checkout -q main; echo dirty >>README; \
    echo new >new; mkdir -p deep/er; echo staged >deep/er/s; git add deep; ln -s nowhere link; \
    git worktree add -q ../outside topic; git worktree add -q inside -b inner; echo w >inside/w; \
    printf 'inside\\n' >>.git/info/exclude";

/// What must be the same wherever the clone is.
const STATE: &str = "git status --porcelain; git branch -a; git stash list; git rev-parse HEAD topic mine; \
    cat README new deep/er/s; readlink link; git -C inside status --porcelain; cat inside/w";

fn state(person: &Person, clone: &str) -> String {
    person.sh(&format!("cd {clone}; {STATE}; git -C ~/outside status --porcelain -b; git -C ~/outside log --format=%H"))
}

/// A home with a clone at `~/code` that was worked on, and whose row asks for a workspace now.
fn worked_on() -> Person {
    let mut person = Person::new();
    person.settle();
    person.sh(WORKED_ON);
    person.workspace(&[]);
    person
}

#[test]
fn a_clone_moves_whole_and_what_runs_in_it_goes_along() {
    let person = worked_on();
    let before = state(&person, "code");
    let mut shell = person.command("sh");
    shell
        .current_dir(person.at("code/sub"))
        .args(["-c", "read line; echo \"$line\" >written; cat file; cat written"]);
    let mut shell = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    assert_eq!(person.lines(), ["repair ann/code-move"]);
    person.settle();
    shell.stdin.take().unwrap().write_all(b"still here\n").unwrap();
    let said = shell.wait_with_output().unwrap();
    assert_eq!(said.stdout, b"x\nstill here\n");
    person.sh("rm code/infra/sub/written; ls -A code | grep -qx infra; test ! -e code/.git");
    assert_eq!(state(&person, "code/infra"), before);
    assert_eq!(person.sh("ls -A"), ".gitconfig\ncode\noutside");
    assert_eq!(
        person.sh("cd outside; git rev-parse --git-common-dir"),
        person.at("code/infra/.git").display().to_string()
    );
    person.sh("cd code/infra; git worktree prune; git worktree list | wc -l | grep -qx 3; test ! -e .git/terminal-lobby-moving");
}

#[test]
fn a_move_that_is_killed_anywhere_is_finished_by_the_next_run_and_loses_nothing() {
    const TEST: &str =
        "a_move_that_is_killed_anywhere_is_finished_by_the_next_run_and_loses_nothing";
    if std::process::Command::new("strace").arg("-V").output().is_err() {
        return lacks(TEST, "needs strace");
    }
    let template = worked_on();
    let before = state(&template, "code");
    template.sh("mkdir ~/../remotes/saved; cp -a ~/code ~/outside ~/../remotes/saved");
    let Some(Action::Home(work)) = template.plan().remove(0).action else { panic!() };
    let request = Request::Perform(*work);
    let (mut kills, mut between) = (0, 0);
    for call in ["mkdirat", "symlinkat", "renameat2", "fsync", "unlinkat", "pidfd_open"] {
        for nth in 1.. {
            assert!(nth < 50, "{call}: no end");
            let inject = format!("inject={call}:signal=KILL:when={nth}");
            let wrapper = ["strace", "-qq", "-o", "/dev/null", "-e", inject.as_str()];
            let answer = template.ask_through(&wrapper, &request);
            if answer.is_none() {
                kills += 1;
                // Never a moment without ~/code.
                assert!(template.at("code").is_dir(), "{call} {nth}");
                let at_code = template.at("code/README").exists();
                between += usize::from(!at_code && !template.at("code/infra").exists());
            } else {
                assert!(matches!(answer, Some(Answer::Done(_))), "{call} {nth}: {answer:?}");
            }
            template.settle();
            assert_eq!(state(&template, "code/infra"), before, "{call} {nth}");
            assert_eq!(
                template.sh("ls -A; ls -A code"),
                ".gitconfig\ncode\noutside\ninfra",
                "{call} {nth}"
            );
            assert!(!template.at("code/infra/.git/terminal-lobby-moving").is_symlink());
            template.sh("rm -rf code outside; cp -a ../remotes/saved/* .");
            if answer.is_some() {
                break;
            }
        }
    }
    println!("killed {kills} times, {between} of them between the two places");
    assert!(kills >= 9 && between >= 1, "{kills} {between}");
}

#[test]
fn a_file_system_that_cannot_exchange_is_moved_on_and_one_that_refuses_is_left_as_it_was() {
    if std::process::Command::new("strace").arg("-V").output().is_err() {
        return lacks("a_file_system_that_cannot_exchange_is_moved_on", "needs strace");
    }
    let person = worked_on();
    let before = state(&person, "code");
    let Some(Action::Home(work)) = person.plan().remove(0).action else { panic!() };
    let request = Request::Perform(*work);
    let failing = |error: &str, when: &str| {
        let inject = format!("inject=renameat2:error={error}:when={when}");
        let wrapper = ["strace", "-qq", "-o", "/dev/null", "-e", inject.as_str()];
        person.ask_through(&wrapper, &request).unwrap()
    };
    for (error, when) in [("EACCES", "1"), ("EXDEV", "1"), ("EINVAL", "1+")] {
        let whole = inventory(&person.home());
        assert!(matches!(failing(error, when), Answer::Failed(_)), "{error}");
        assert_eq!(inventory(&person.home()), whole, "{error}");
    }
    // The second step: the clone waits, and says where.
    let Answer::Failed(why) = failing("EIO", "2") else { panic!() };
    assert!(why.ends_with("the clone is in ~/.terminal-lobby.code.move"), "{why}");
    person.sh("rmdir code; mv .terminal-lobby.code.move code; rm code/.git/terminal-lobby-moving");
    assert!(matches!(failing("EINVAL", "1"), Answer::Done(_)));
    assert_eq!(state(&person, "code/infra"), before);
    assert_eq!(person.sh("ls -A"), ".gitconfig\ncode\noutside");
}

#[test]
fn a_move_that_was_begun_is_finished_even_when_the_row_changed_back() {
    let mut person = worked_on();
    let before = state(&person, "code");
    person.sh(
        "ln -s . code/.git/terminal-lobby-moving; mv code .terminal-lobby.code.move; mkdir code",
    );
    person.row.code_layout = terminal_lobby::roster::Layout::Single;
    assert_eq!(person.lines(), ["repair ann/code-move"]);
    assert_eq!(person.apply().remove(0).unwrap(), ["moved ~/code to ~/code/infra"]);
    assert_eq!(state(&person, "code/infra"), before);
}

#[test]
fn whatever_is_in_the_way_of_a_move_stays() {
    // What somebody made under the names that a move uses, or in its place.
    for (made, why) in [
        (
            "mkdir .terminal-lobby.code.move; echo 1 >.terminal-lobby.code.move/x",
            "exists already and was not made by this program",
        ),
        ("echo 1 >.terminal-lobby.code.move", "exists already and was not made by this program"),
        ("ln -s code .terminal-lobby.code.move", "exists already and was not made by this program"),
        ("mkfifo .terminal-lobby.code.move", "exists already and was not made by this program"),
        (
            "git clone -q $REMOTES/infra.git .terminal-lobby.code.move",
            "exists already and was not made by this program",
        ),
    ] {
        let person = worked_on();
        person.sh(made);
        let before = inventory(&person.home());
        let failed = person.apply().remove(0).unwrap_err();
        assert!(failed.contains(why), "{made}: {failed}");
        assert_eq!(inventory(&person.home()), before, "{made}");
    }
    let person = worked_on();
    person.sh("ln -s . code/.git/terminal-lobby-moving; mv code .terminal-lobby.code.move; \
        mkdir -p code/infra; echo 1 >code/infra/x");
    let failed = person.apply().remove(0).unwrap_err();
    assert!(failed.contains("the clone is in ~/.terminal-lobby.code.move"), "{failed}");
    assert_eq!(person.sh("cat code/infra/x .terminal-lobby.code.move/new"), "1\nnew");
}

#[test]
fn a_link_at_code_is_left_alone_with_all_behind_it() {
    for layout in ["single", "workspace"] {
        let mut person = Person::new();
        person.sh("git clone -q $REMOTES/infra.git elsewhere; ln -s elsewhere code");
        if layout == "workspace" {
            person.workspace(&["webapp"]);
        }
        let before = inventory(&person.home());
        assert_eq!(person.lines(), ["report ann/code: a link: left as it is"]);
        assert!(person.apply().is_empty());
        person.freshen().unwrap();
        assert_eq!(inventory(&person.home()), before);
    }
}

/// A single clone with the repository in it, which moves first.
fn nested() -> Person {
    let mut person = Person::new();
    person.settle();
    person
        .sh("cd code; git clone -q $REMOTES/webapp.git webapp; echo webapp >>.git/info/exclude; \
        cd webapp; echo dirty >>README; git worktree add -q ~/tree -b tree");
    person.workspace(&["webapp"]);
    person
}

#[test]
fn a_nested_repository_is_hoisted_out_of_the_clone_that_moves() {
    let person = nested();
    assert_eq!(person.lines(), ["repair ann/code-move", "repair ann/code-webapp"]);
    person.settle();
    assert_eq!(
        person.sh("ls -A code; git -C code/webapp status --porcelain"),
        "infra\nwebapp\n M README"
    );
    assert!(!person.at("code/infra/webapp").exists());
    assert_eq!(
        person.sh("git -C tree rev-parse --git-common-dir"),
        person.at("code/webapp/.git").display().to_string()
    );
    assert!(person.lines().is_empty());
}

#[test]
fn a_nested_repository_that_the_outer_one_tracks_stays() {
    let person = nested();
    // As a submodule would: an entry of the index.
    person.sh("cd code; git -c advice.addEmbeddedRepo=false add -f webapp; git commit -qm nested");
    assert_eq!(person.lines(), ["repair ann/code-move", "add ann/code-webapp"]);
    person.settle();
    assert_eq!(
        person.sh("tail -n1 code/infra/webapp/README; tail -n1 code/webapp/README"),
        "dirty\nwebapp"
    );
}

#[test]
fn something_where_a_nested_repository_belongs_stays_and_so_does_the_repository() {
    let person = nested();
    person.apply().remove(0).unwrap();
    person.sh("test -e code/webapp && mv code/webapp code/infra/webapp; echo mine >code/webapp");
    assert_eq!(person.lines(), ["refused ann/code-webapp: a file: left as it is"]);
    assert!(person.apply().is_empty());
    assert_eq!(person.sh("cat code/webapp; tail -n1 code/infra/webapp/README"), "mine\ndirty");
}

#[test]
fn a_hoist_that_was_killed_is_finished() {
    let person = nested();
    person.apply().remove(0).unwrap();
    // After the rename, before its worktrees knew.
    person.sh("test -e code/webapp && mv code/webapp code/infra/webapp; \
        git -C code/infra/webapp worktree repair 2>/dev/null; \
        ln -s . code/infra/webapp/.git/terminal-lobby-moving; mv code/infra/webapp code/webapp");
    assert_eq!(person.lines(), ["repair ann/code-webapp"]);
    person.settle();
    assert_eq!(
        person.sh("git -C tree rev-parse --git-common-dir"),
        person.at("code/webapp/.git").display().to_string()
    );
}
