//! What is cloned, how, and what is not.

use super::{Person, UID, inventory, is_root};
use std::os::unix::fs::MetadataExt;
use terminal_lobby::provision::plan::Action;
use terminal_lobby::provision::protocol::code::{CloneLocation, Repository};
use terminal_lobby::provision::protocol::{Answer, CodeTask, HomeTask, Request};
use terminal_lobby::roster::Tier;

#[test]
fn an_empty_home_gets_the_infrastructure_and_a_second_run_nothing() {
    let person = Person::new();
    assert_eq!(person.lines(), ["add ann/code"]);
    let done = person.apply();
    assert!(done[0].as_ref().unwrap()[0].starts_with("cloned file://"), "{done:?}");
    assert_eq!(
        person.sh("cd code; cat README; git status --porcelain -b"),
        "infra\n## main...origin/main"
    );
    if is_root() {
        assert_eq!(person.at("code/README").metadata().unwrap().uid(), UID);
    }
    let before = inventory(&person.home());
    assert_eq!(person.lines(), [""; 0]);
    assert!(person.apply().is_empty());
    assert_eq!(inventory(&person.home()), before);
}

#[test]
fn a_workspace_has_each_clone_in_its_own_directory() {
    let person = Person::in_workspace();
    assert_eq!(person.lines(), ["add ann/code", "add ann/code-webapp"]);
    person.settle();
    assert_eq!(
        person.sh("cat code/infra/README code/webapp/README; ls -A code"),
        "infra\nwebapp\ninfra\nwebapp"
    );
}

#[test]
fn nothing_is_cloned_for_an_admin_nor_where_the_site_names_no_remote() {
    let mut person = Person::in_workspace();
    person.config = "infra_remote = 'https://git.example/i'".into();
    let lines = person.lines();
    let why = "no remote is configured for it (provision.code.repo_remote)";
    assert_eq!(lines, ["add ann/code".to_owned(), format!("refused ann/code-webapp: {why}")]);
    person.config.clear();
    assert!(person.lines().is_empty());
    let mut person = Person::new();
    person.row.tier = Tier::Admin;
    assert!(person.lines().is_empty());
}

#[test]
fn secrets_of_the_infrastructure_stay_ciphertext() {
    let person = Person::new();
    // Whoever has the tool configured for all clones would otherwise decrypt, or fail to.
    person.sh(
        "cd ../remotes; git clone -q infra.git seed; cd seed; \
         echo 'secret filter=git-crypt diff=git-crypt' >.gitattributes; printf '\\0GITCRYPT\\0abc' >secret; \
         git add .; git commit -qm s; git push -q origin main; cd ..; rm -rf seed; \
         git config --global filter.git-crypt.smudge false; \
         git config --global filter.git-crypt.required true",
    );
    person.settle();
    assert_eq!(std::fs::read(person.at("code/secret")).unwrap(), b"\0GITCRYPT\0abc");
    assert_eq!(
        person.sh(
            "cd code; git status --porcelain; git config --local --get-regexp git-crypt | sort"
        ),
        "diff.git-crypt.textconv cat\nfilter.git-crypt.clean cat\n\
         filter.git-crypt.required false\nfilter.git-crypt.smudge cat"
    );
}

#[test]
fn a_branch_of_the_configuration_is_checked_out() {
    let mut person = Person::new();
    person.sh("git -C ../remotes/infra.git branch live main");
    person.config.push_str("infra_branch = 'live'\n");
    person.settle();
    assert_eq!(person.sh("git -C code status -b --porcelain"), "## live...origin/live");
}

#[test]
fn a_remote_without_a_commit_is_cloned_and_not_planned_again() {
    let person = Person::new();
    person.sh("rm -rf ../remotes/infra.git; git init -q --bare ../remotes/infra.git");
    person.settle();
    assert!(person.at("code/.git").is_dir());
}

#[test]
fn submodules_and_hooks_of_templates_are_left_alone() {
    let person = Person::new();
    person.sh(
        "cd ../remotes; git clone -q infra.git seed; cd seed; \
         git submodule --quiet add file://$HOME/../remotes/webapp.git mod; git commit -qm s; \
         git push -q origin main; cd ..; rm -rf seed; mkdir -p ~/t/hooks; \
         printf '#!/bin/sh\\ntouch ~/ran\\n' >~/t/hooks/post-checkout; chmod +x ~/t/hooks/post-checkout; \
         git config --global init.templateDir ~/t; git config --global submodule.recurse true",
    );
    person.settle();
    assert!(!person.at("code/mod/README").exists() && person.at("code/mod").is_dir());
    assert!(!person.at("ran").exists());
}

#[test]
fn lesson_36_one_clone_that_fails_does_not_stop_the_others_and_is_tried_again() {
    let mut person = Person::new();
    person.workspace(&["gone", "other", "webapp"]);
    person.remote("other");
    let done = person.apply();
    assert_eq!(done.len(), 4);
    let failed: Vec<&String> = done.iter().filter_map(|done| done.as_ref().err()).collect();
    assert_eq!(failed.len(), 1, "{done:?}");
    assert!(failed[0].starts_with("git: '"), "{failed:?}");
    for name in ["infra", "other", "webapp"] {
        assert!(person.at("code").join(name).join("README").exists(), "{name}");
    }
    // Nothing of it is left, and only it is planned again.
    assert_eq!(person.sh("ls -A code"), "infra\nother\nwebapp");
    assert_eq!(person.lines(), ["add ann/code-gone"]);
    person.remote("gone");
    person.settle();
    assert!(person.at("code/gone/README").exists());
}

#[test]
fn a_clone_ends_at_its_deadline_and_leaves_nothing() {
    let mut person = Person::new();
    person.sh("printf '#!/bin/sh\\nexec sleep 1000\\n' >ssh; chmod +x ssh; git config --global core.sshCommand ~/ssh");
    person.config = "infra_remote = 'ssh://h/infra'\nclone_seconds = 1".into();
    let begin = std::time::Instant::now();
    let failed = person.apply().remove(0).unwrap_err();
    assert!(failed.contains("did not answer within") && begin.elapsed().as_secs() < 8, "{failed}");
    assert!(!person.sh("ls -A").contains("code"));
}

/// Each is git's or ssh's own last word otherwise, which names neither the cause nor what helps.
#[test]
fn a_host_key_that_is_unknown_and_a_mirror_of_another_are_named_with_what_helps() {
    let mut person = Person::new();
    let words = "No ED25519 host key is known for h and you have requested strict checking.\n\
                 Host key verification failed.";
    person.sh(&format!(
        "printf '#!/bin/sh\\necho \"{words}\" >&2; exit 255\\n' >ssh; chmod +x ssh
        git config --global core.sshCommand ~/ssh"
    ));
    let of_infra = std::mem::replace(&mut person.config, "infra_remote = 'ssh://h/infra'".into());
    let failed = person.apply().remove(0).unwrap_err();
    let helps = "ssh does not trust the remote's host key: add it to /etc/ssh/ssh_known_hosts";
    assert_eq!(failed, format!("git: {helps}"));
    if !is_root() {
        return; // only root can give a mirror to another
    }
    person.config = of_infra;
    let mirror = person.root.path().join("remotes/infra.git");
    std::os::unix::fs::chown(&mirror, Some(0), Some(0)).unwrap();
    let failed = person.apply().remove(0).unwrap_err();
    assert!(
        failed.starts_with("git: the mirror belongs to another user, which git refuses: "),
        "{failed}"
    );
    assert!(failed.contains("git config --system --add safe.directory"), "{failed}");
    // What it says helps; here for the user alone.
    person.sh(&format!("git config --global --add safe.directory '{}'", mirror.display()));
    person.settle();
    assert!(person.at("code/README").exists());
}

#[test]
fn only_allowed_protocols_are_spoken_whatever_the_user_configured() {
    let mut person = Person::new();
    person.sh("git config --global url.ext::.insteadOf https://git.example/; \
        git config --global protocol.ext.allow always; git config --global protocol.allow always");
    person.config = "infra_remote = 'https://git.example/touch'".into();
    let failed = person.apply().remove(0).unwrap_err();
    assert!(failed.contains("transport 'ext' not allowed"), "{failed}");
    let url = person.url("infra");
    for (url, why) in [
        (url.as_str(), "file:// is allowed only"),
        ("--upload-pack=touch x", "expected an address"),
        ("ext::touch x", "expected an address"),
        ("/etc", "expected https"),
    ] {
        let task = CodeTask::Clone {
            repository: Repository { location: CloneLocation::Code, url: url.to_owned() },
            branch: None,
            keep_encrypted: true,
            allow_file: false,
            seconds: 5,
        };
        let failed = person.perform(HomeTask::Code(task)).unwrap_err();
        assert!(failed.contains(why), "{url}: {failed}");
    }
}

#[test]
fn what_a_kill_leaves_is_cleared_away_and_a_persons_file_is_not() {
    let person = Person::new();
    let Some(Action::Home(task)) = person.plan().remove(0).action else { panic!() };
    let request = Request::Perform(*task);
    if std::process::Command::new("strace").arg("-V").output().is_err() {
        return crate::support::lacks::lacks("what_a_kill_leaves_is_cleared_away", "needs strace");
    }
    let mut kills = 0;
    for call in ["mkdirat", "symlinkat", "renameat2", "unlinkat", "fsync", "pidfd_open"] {
        for nth in 1.. {
            assert!(nth < 100, "{call}: no end");
            let inject = format!("inject={call}:signal=KILL:when={nth}");
            let quiet = ["strace", "-qq", "-o", "/dev/null", "-e"];
            let wrapper: Vec<&str> = quiet.into_iter().chain([inject.as_str()]).collect();
            // Threads and children of git are not followed: the worker itself is killed.
            let answer = person.ask_through(&wrapper, &request);
            if answer.is_some() {
                assert!(matches!(answer, Some(Answer::Done(_))), "{call} {nth}: {answer:?}");
            } else {
                kills += 1;
            }
            person.settle();
            assert_eq!(person.sh("ls -A"), ".gitconfig\ncode", "{call} {nth}");
            person.sh("git -C code status --porcelain; rm -rf code");
            if answer.is_some() {
                break;
            }
        }
    }
    println!("killed {kills} times");
    assert!(kills >= 10, "{kills}");
    // The same name, made by somebody else.
    person.sh("mkdir .terminal-lobby.code.clone; echo mine >.terminal-lobby.code.clone/notes");
    let failed = person.apply().remove(0).unwrap_err();
    assert!(
        failed.ends_with("exists already and was not made by this program: left as it is"),
        "{failed}"
    );
    assert_eq!(person.sh("cat .terminal-lobby.code.clone/notes"), "mine");
}
