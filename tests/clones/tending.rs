//! What an existing clone is given, and how clones are kept fresh.

use super::{Person, inventory};
use std::time::{Duration, Instant};
use terminal_lobby::provision::protocol::code::{CloneLocation, PathState, Repository};
use terminal_lobby::provision::protocol::{Answer, CodeTask, HomeTask, Request};

#[test]
fn a_clone_without_a_remote_gets_the_canonical_one_and_then_its_upstream() {
    let person = Person::new();
    person.settle();
    person.sh("cd code; git remote remove origin; git config --remove-section branch.main || :");
    assert_eq!(person.lines(), ["add ann/code-remote"]);
    person.apply().remove(0).unwrap();
    assert_eq!(person.freshen().unwrap(), [""; 0]);
    assert_eq!(person.lines(), ["add ann/code-upstream"]);
    person.settle();
    assert_eq!(
        person.sh("cd code; git remote get-url origin; git status -b --porcelain"),
        format!("{}\n## main...origin/main", person.url("infra"))
    );
}

#[test]
fn an_upstream_is_found_in_packed_refs_too_and_another_one_stays() {
    let person = Person::new();
    person.settle();
    person.sh("cd code; git branch --unset-upstream; git pack-refs --all; test ! -e .git/refs/remotes/origin/main");
    assert_eq!(person.lines(), ["add ann/code-upstream"]);
    person.settle();
    person.sh("cd code; git branch -q other; git branch -q --set-upstream-to=other");
    assert!(person.lines().is_empty());
}

#[test]
fn another_remote_is_said_and_nothing_is_changed() {
    for layout in ["single", "workspace"] {
        let mut person = Person::new();
        person.sh("git clone -q $REMOTES/webapp.git code; cd code; echo dirty >>README; \
            git remote set-url origin https://me:hunter2@elsewhere.example/mine.git");
        if layout == "workspace" {
            person.workspace(&["webapp"]);
        }
        let before = inventory(&person.home());
        let plan = person.plan();
        assert_eq!(plan.len(), 1);
        assert_eq!(plan[0].why, "a clone of another repository: left as it is");
        assert_eq!(plan[0].before.as_deref(), Some("https://elsewhere.example/mine.git"));
        assert!(person.apply().is_empty());
        assert_eq!(person.freshen().unwrap(), [""; 0]);
        assert_eq!(inventory(&person.home()), before);
    }
}

#[test]
fn managed_clones_are_freshened_and_what_has_changes_is_left_alone() {
    let person = Person::in_workspace();
    person.settle();
    person.sh("git clone -q $REMOTES/infra.git code/own; echo dirty >>code/webapp/README");
    for name in ["infra", "webapp"] {
        person.advance(name);
    }
    assert_eq!(person.freshen().unwrap(), ["infra: 1 commit", "webapp: local changes, left alone"]);
    assert_eq!(
        person.sh("cat code/infra/README code/webapp/README code/own/README"),
        "infra\nmore\nwebapp\ndirty\ninfra"
    );
    assert!(person.lines().is_empty());
}

#[test]
fn lesson_36_silent_remotes_cost_one_deadline_in_all() {
    let mut person = Person::new();
    // Accepts, and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let names: Vec<String> = (0..8).map(|n| format!("r{n}")).collect();
    person.workspace(&names.iter().map(String::as_str).collect::<Vec<_>>());
    for name in &names {
        person.sh(&format!(
            "git init -q code/{name}; \
            git -C code/{name} remote add origin http://127.0.0.1:{port}/{name}.git"
        ));
    }
    let repository = |name: &String| Repository {
        location: CloneLocation::Repo(name.clone()),
        url: format!("http://127.0.0.1/{name}"),
    };
    let clones = names.iter().map(repository).collect();
    let begin = Instant::now();
    let task = HomeTask::Code(CodeTask::Freshen { clones, seconds: 2 });
    let lines = person.perform(task).unwrap();
    assert_eq!(lines.len(), 8, "{lines:?}");
    assert!(lines.iter().all(|line| line.ends_with("remote did not answer in 2 s")), "{lines:?}");
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
}

#[test]
fn nothing_to_do_is_seen_without_git() {
    let mut person = Person::new();
    person.workspace(&["webapp", "second"]);
    person.remote("second");
    person.settle();
    person.freshen().unwrap(); // fetched: fresh for a minute
    let begin = Instant::now();
    for _ in 0..50 {
        person.facts();
    }
    let looked = begin.elapsed();
    let task = terminal_lobby::provision::plan::code::freshen(
        "ann",
        &person.row,
        &person.observed(),
        &person.settings().code,
    );
    let task = task.unwrap();
    let begin = Instant::now();
    for _ in 0..50 {
        assert_eq!(person.perform(task.clone()).unwrap(), [""; 0]);
    }
    println!(
        "50 users with 3 clones: looked {looked:?}, freshened {:?}, one after the other",
        begin.elapsed()
    );
    // No git is to be found: none is needed.
    let without = ["env", "PATH=/nonexistent"];
    let query = serde_json::json!({"inspect": {"code": {"repos": ["webapp", "second"]}}});
    let query = serde_json::from_value(query).unwrap();
    let Some(Answer::Facts(facts)) = person.ask_through(&without, &query) else { panic!() };
    assert_eq!(*facts, person.facts());
    let code = facts.code.unwrap();
    let clones = code.repos.values().map(|repo| &repo.own).chain([&code.infra]);
    assert_eq!(clones.filter(|state| matches!(state, PathState::Clone(_))).count(), 3);
    let answer = person.ask_through(&without, &Request::Perform(task));
    assert!(matches!(&answer, Some(Answer::Done(lines)) if lines.is_empty()), "{answer:?}");
}
