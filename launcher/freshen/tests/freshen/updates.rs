//! Clones that are brought up to date, and those with nothing to do.

use crate::support::{Bytes, World};

#[test]
fn behind_is_forwarded() {
    let world = World::new();
    let clone = world.clone_as("tripit");
    for number in ["2", "3", "4"] {
        world.publish("file", number);
    }
    assert_eq!(world.freshen(), ["tripit: 3 commits"]);
    world.assert_current(&clone);
    assert_eq!(world.git(&clone, &["log", "-g", "-1", "--format=%gs"]), "freshen: Fast-forward");
}

#[test]
fn nothing_new_says_nothing() {
    let mut world = World::new();
    let clone = world.clone_as("tripit");
    let calls = world.count_git();
    world.leaves_alone(&clone, &[]);
    let calls = std::fs::read_to_string(calls).unwrap();
    assert_eq!(calls.lines().count(), 1, "only the fetch: {calls}");
}

#[test]
fn nothing_new_in_packed_refs_costs_only_the_fetch() {
    let mut world = World::new();
    let clone = world.clone_as("tripit");
    world.git(&clone, &["pack-refs", "--all"]);
    let calls = world.count_git();
    world.leaves_alone(&clone, &[]);
    assert_eq!(std::fs::read_to_string(calls).unwrap().lines().count(), 1);
}

#[test]
fn own_commits_say_nothing() {
    let world = World::new();
    let clone = world.clone_as("tripit");
    world.commit(&clone, "own", "1");
    world.leaves_alone(&clone, &[]);
}

#[test]
fn no_upstream_says_nothing() {
    let world = World::new();
    let clone = world.clone_as("tripit");
    world.git(&clone, &["checkout", "-q", "--no-track", "-b", "topic"]);
    world.publish("file", "2");
    world.leaves_alone(&clone, &[]);
}

#[test]
fn no_remote_says_nothing() {
    let world = World::new();
    world.git(&world.code(), &["init", "-q", "own"]);
    world.commit(&world.code().join("own"), "file", "1");
    world.leaves_alone(&world.code().join("own"), &[]);
}

#[test]
fn no_remote_and_no_commit_says_nothing() {
    let world = World::new();
    world.git(&world.code(), &["init", "-q", "own"]);
    world.leaves_alone(&world.code().join("own"), &[]);
}

#[test]
fn empty_remote_says_nothing() {
    let world = World::new();
    world.git(world.root(), &["init", "-q", "--bare", "empty.git"]);
    let url = format!("file://{}", world.root().join("empty.git").display());
    world.git(&world.code(), &["clone", "-q", &url, "fresh"]);
    world.leaves_alone(&world.code().join("fresh"), &[]);
}

#[test]
fn untracked_files_elsewhere_do_not_hinder() {
    let world = World::new();
    let clone = world.clone_as("tripit");
    std::fs::write(clone.join("notes"), "mine").unwrap();
    world.publish("file", "2");
    assert_eq!(world.freshen(), ["tripit: 1 commit"]);
    world.assert_current(&clone);
    assert_eq!(std::fs::read_to_string(clone.join("notes")).unwrap(), "mine");
}

#[test]
fn shallow_is_forwarded() {
    let world = World::new();
    world.publish("file", "2");
    world.git(&world.code(), &["clone", "-q", "--depth=1", &world.url(), "shallow"]);
    world.publish("file", "3");
    world.publish("file", "4");
    assert_eq!(world.freshen(), ["shallow: 2 commits"]);
    world.assert_current(&world.code().join("shallow"));
    assert!(world.code().join("shallow/.git/shallow").exists(), "it stays shallow");
}

#[test]
fn local_upstream_is_forwarded() {
    let world = World::new();
    let clone = world.clone_as("tripit");
    world.git(&clone, &["checkout", "-q", "-b", "topic", "--track", "main"]);
    world.git(&clone, &["checkout", "-q", "main"]);
    world.commit(&clone, "own", "1");
    world.git(&clone, &["checkout", "-q", "topic"]);
    assert_eq!(world.freshen(), ["tripit: 1 commit"]);
}

#[test]
fn branch_switched_since_the_fetch_is_forwarded() {
    let world = World::new();
    let clone = world.clone_as("tripit");
    let options =
        freshen::Options { fresh_for: std::time::Duration::from_mins(1), ..world.options() };
    world.git(&world.author(), &["checkout", "-q", "-b", "topic"]);
    world.publish("file", "2");
    assert_eq!(world.outcomes(&options)[0].line(), None);
    // It is where main and its upstream are, but its own upstream is not.
    world.git(&clone, &["checkout", "-q", "-b", "topic"]);
    world.git(&clone, &["branch", "-q", "--set-upstream-to=origin/topic"]);
    assert_eq!(world.outcomes(&options)[0].line().unwrap(), "tripit: 1 commit");
    world.assert_current(&clone);
}

#[test]
fn other_branches_keep_their_place() {
    let world = World::new();
    let clone = world.clone_as("tripit");
    world.git(&clone, &["checkout", "-q", "-b", "topic"]);
    world.git(&clone, &["branch", "-q", "--set-upstream-to=origin/main"]);
    let main = world.commit_of(&clone, "main");
    world.publish("file", "2");
    assert_eq!(world.freshen(), ["tripit: 1 commit"]);
    assert_eq!(world.commit_of(&clone, "main"), main);
}

#[test]
fn tags_are_not_pruned() {
    let world = World::new();
    let clone = world.clone_as("tripit");
    world.git(&clone, &["tag", "mine"]);
    world.git(&clone, &["config", "fetch.pruneTags", "true"]);
    world.git(&clone, &["config", "remote.origin.pruneTags", "true"]);
    world.leaves_alone(&clone, &[]);
    world.git(&clone, &["config", "--add", "remote.origin.fetch", "+refs/tags/*:refs/tags/*"]);
    world.leaves_alone(&clone, &[]);
}

#[test]
fn options_of_the_branch_do_not_turn_it_into_a_merge() {
    let world = World::new();
    let clone = world.clone_as("tripit");
    world.git(&clone, &["config", "branch.main.mergeOptions", "--squash --no-commit"]);
    world.git(&clone, &["config", "merge.ff", "false"]);
    world.publish("file", "2");
    assert_eq!(world.freshen(), ["tripit: 1 commit"]);
    world.assert_current(&clone);
}

#[test]
fn hooks_and_fsmonitor_do_not_run_and_filters_do() {
    let world = World::new();
    let clone = world.clone_as("tripit");
    let ran = world.root().join("ran");
    let script = world.script("ran", &format!("echo \"$0\" >>{}", ran.display()));
    for hook in ["post-merge", "post-checkout", "reference-transaction", "post-index-change"] {
        std::fs::copy(&script, clone.join(".git/hooks").join(hook)).unwrap();
    }
    world.git(&clone, &["config", "core.fsmonitor", script.to_str().unwrap()]);
    world.git(&clone, &["config", "filter.up.smudge", "tr a-z A-Z"]);
    world.commit(&world.author(), ".gitattributes", "*.up filter=up");
    world.publish("loud.up", "quiet");
    assert_eq!(world.freshen(), ["tripit: 2 commits"]);
    assert!(!ran.exists(), "{}", std::fs::read_to_string(ran).unwrap());
    assert_eq!(std::fs::read_to_string(clone.join("loud.up")).unwrap(), "QUIET");
}

#[test]
fn submodules_inside_are_not_touched() {
    let world = World::new();
    world.git(world.root(), &["clone", "-q", "--bare", "origin.git", "part.git"]);
    let part = format!("file://{}", world.root().join("part.git").display());
    world.git(&world.author(), &["submodule", "--quiet", "add", &part, "part"]);
    world.publish("file", "2");
    world.git(&world.code(), &["clone", "-q", "--recurse-submodules", &world.url(), "whole"]);
    let clone = world.code().join("whole");
    world.git(&clone, &["config", "submodule.recurse", "true"]);
    std::fs::write(clone.join("part/first"), "changed").unwrap();
    world.commit(&world.author().join("part"), "news", "1");
    world.git(&world.author(), &["add", "part"]);
    world.publish("file", "3");
    let before = Bytes::of(&clone.join("part"));
    let stored = Bytes::of(&clone.join(".git/modules"));
    assert_eq!(world.freshen(), ["whole: 1 commit"]);
    before.assert_same(&Bytes::of(&clone.join("part")));
    stored.assert_same(&Bytes::of(&clone.join(".git/modules")));
}
