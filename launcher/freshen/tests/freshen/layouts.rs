//! Which directories are clones.

use crate::support::{Kind, Server, World};
use freshen::{Layout, discover};
use std::os::unix::fs::symlink;
use std::time::Duration;

#[test]
fn code_directory_that_is_a_clone_is_the_only_one() {
    let world = World::new();
    std::fs::remove_dir(world.code()).unwrap();
    world.git(world.root(), &["clone", "-q", &world.url(), "code"]);
    world.git(&world.code(), &["clone", "-q", &world.url(), "inside"]);
    world.publish("file", "2");
    assert_eq!(discover(&world.code()), Layout::Single(world.code()));
    assert_eq!(world.freshen(), ["code: 1 commit"]);
}

#[test]
fn direct_children_that_are_clones_are_a_workspace() {
    let world = World::new();
    let (b, a) = (world.clone_as("b"), world.clone_as("a"));
    std::fs::create_dir_all(world.code().join("group")).unwrap();
    world.git(&world.code().join("group"), &["clone", "-q", &world.url(), "deeper"]);
    std::fs::write(world.code().join("file"), "").unwrap();
    assert_eq!(discover(&world.code()), Layout::Workspace(vec![a, b]));
}

#[test]
fn no_clone_is_no_layout() {
    let world = World::new();
    assert_eq!(discover(&world.code()), Layout::None);
    assert_eq!(discover(&world.code().join("missing")), Layout::None);
    assert_eq!(world.freshen(), [""; 0]);
}

#[test]
fn stray_git_directory_does_not_hide_the_clones_beside_it() {
    let world = World::new();
    let clone = world.clone_as("tripit");
    std::fs::create_dir(world.code().join(".git")).unwrap();
    assert_eq!(discover(&world.code()), Layout::Workspace(vec![clone]));
}

#[test]
fn bare_is_no_clone() {
    let world = World::new();
    world.git(&world.code(), &["clone", "-q", "--bare", &world.url(), "bare"]);
    let before = crate::support::Bytes::of(&world.code().join("bare"));
    world.publish("file", "2");
    assert_eq!(discover(&world.code()), Layout::None);
    assert_eq!(discover(&world.code().join("bare")), Layout::None);
    assert_eq!(world.freshen(), [""; 0]);
    before.assert_same(&crate::support::Bytes::of(&world.code().join("bare")));
}

#[test]
fn worktrees_share_one_fetch() {
    let world = World::new();
    let server = Server::start(Kind::Daemon(Duration::ZERO), world.root());
    let clone = world.clone_as("tripit");
    world.git(&clone, &["remote", "set-url", "origin", &server.url("origin.git")]);
    world.git(&clone, &["worktree", "add", "-q", "--track", "-b", "x", "../x", "origin/main"]);
    world.git(&clone, &["worktree", "add", "-q", "--track", "-b", "y", "../y", "origin/main"]);
    world.publish("file", "2");
    assert_eq!(world.freshen(), ["tripit: 1 commit", "x: 1 commit", "y: 1 commit"]);
    for name in ["tripit", "x", "y"] {
        world.assert_current(&world.code().join(name));
    }
    assert_eq!(server.accepted(), 1);
}

#[test]
fn worktree_alone_in_the_code_directory_is_a_clone() {
    let world = World::new();
    world.git(world.root(), &["clone", "-q", &world.url(), "elsewhere"]);
    let elsewhere = world.root().join("elsewhere");
    world.git(
        &elsewhere,
        &["worktree", "add", "-q", "--track", "-b", "x", "../code/x", "origin/main"],
    );
    world.publish("file", "2");
    assert_eq!(world.freshen(), ["x: 1 commit"]);
    world.assert_current(&world.code().join("x"));
}

#[test]
fn worktree_of_a_bare_repository_is_forwarded() {
    let world = World::new();
    let code = world.code();
    world.git(&code, &["clone", "-q", "--bare", &world.url(), ".bare"]);
    let bare = code.join(".bare");
    world.git(&bare, &["config", "remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"]);
    world.git(&bare, &["fetch", "-q"]);
    world.git(&bare, &["worktree", "add", "-q", "--track", "-b", "x", "../x", "origin/main"]);
    world.publish("file", "2");
    assert_eq!(world.freshen(), ["x: 1 commit"]);
    world.assert_current(&code.join("x"));
}

#[test]
fn separate_git_directory_is_forwarded() {
    let world = World::new();
    let clone = world.code().join("split");
    let apart = world.root().join("apart");
    let apart = format!("--separate-git-dir={}", apart.display());
    world.git(&world.code(), &["clone", "-q", &apart, &world.url(), "split"]);
    world.publish("file", "2");
    assert_eq!(world.freshen(), ["split: 1 commit"]);
    world.assert_current(&clone);
}

#[test]
fn submodule_by_itself_is_a_clone() {
    let world = World::new();
    let whole = world.root().join("whole");
    world.git(world.root(), &["init", "-q", "whole"]);
    world.git(&whole, &["submodule", "--quiet", "add", &world.url(), "part"]);
    world.publish("file", "2");
    let clones = [whole.join("part")];
    let outcomes = freshen::freshen(&clones, &world.options()).unwrap();
    assert_eq!(outcomes[0].line().unwrap(), "part: 1 commit");
    world.assert_current(&clones[0]);
}

#[test]
fn link_to_a_clone_is_followed_once() {
    let world = World::new();
    let inside = world.clone_as("inside");
    world.git(world.root(), &["clone", "-q", &world.url(), "elsewhere"]);
    symlink(world.root().join("elsewhere"), world.code().join("link")).unwrap();
    symlink(world.root().join("elsewhere"), world.code().join("link2")).unwrap();
    symlink(&inside, world.code().join("alias")).unwrap();
    symlink("nowhere", world.code().join("dangling")).unwrap();
    symlink(".", world.code().join("loop")).unwrap();
    world.publish("file", "2");
    assert_eq!(world.freshen(), ["inside: 1 commit", "link: 1 commit"]);
    world.assert_current(&world.root().join("elsewhere"));
}

#[test]
fn link_to_a_clone_of_another_account_is_not_followed() {
    let world = World::new();
    world.git(world.root(), &["clone", "-q", &world.url(), "theirs"]);
    let theirs = world.root().join("theirs");
    let nobody = nix::unistd::Uid::from_raw(65534);
    if nix::unistd::chown(&theirs, Some(nobody), None).is_err() {
        let test = "link_to_a_clone_of_another_account_is_not_followed";
        return crate::support::lacks(test, "the right to change owners");
    }
    symlink(&theirs, world.code().join("link")).unwrap();
    assert_eq!(discover(&world.code()), Layout::None);
}

#[test]
fn names_are_escaped() {
    let world = World::new();
    world.clone_as("a\x1b]0;owned\x07\n");
    world.publish("file", "2");
    assert_eq!(world.freshen(), ["a\\x1b]0;owned\\x07\\n: 1 commit"]);
}

#[test]
fn path_with_a_colon_is_left_alone() {
    let world = World::new();
    let place = world.root().join("a:b");
    std::fs::create_dir(&place).unwrap();
    world.git(&place, &["clone", "-q", &world.url(), "infra"]);
    world.publish("file", "2");
    let before = crate::support::Bytes::of(&place.join("infra"));
    let outcomes = freshen::freshen(&[place.join("infra")], &world.options()).unwrap();
    before.assert_same(&crate::support::Bytes::of(&place.join("infra")));
    assert_eq!(outcomes[0].line().unwrap(), "infra: a colon in its path, left alone");
}
