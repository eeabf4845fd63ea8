//! Clones with something to forward to that must not be touched.

use crate::support::{Bytes, World};

#[test]
fn local_changes_are_left_alone() {
    let world = World::new();
    world.publish("touched", "1");
    let clone = world.clone_as("infra");
    std::fs::write(clone.join("first"), "changed").unwrap();
    // git would like to note in its index that this one is the same.
    let touched = std::fs::File::open(clone.join("touched")).unwrap();
    touched.set_modified(std::time::UNIX_EPOCH).unwrap();
    world.publish("file", "2");
    world.leaves_alone(&clone, &["infra: local changes, left alone"]);
}

#[test]
fn staged_changes_are_left_alone() {
    let world = World::new();
    let clone = world.clone_as("infra");
    std::fs::write(clone.join("new"), "1").unwrap();
    world.git(&clone, &["add", "new"]);
    world.publish("file", "2");
    world.leaves_alone(&clone, &["infra: local changes, left alone"]);
}

#[test]
fn deleted_files_are_left_alone() {
    let world = World::new();
    let clone = world.clone_as("infra");
    std::fs::remove_file(clone.join("first")).unwrap();
    world.publish("file", "2");
    world.leaves_alone(&clone, &["infra: local changes, left alone"]);
}

#[test]
fn changes_hidden_from_git_are_left_alone() {
    for flag in ["--assume-unchanged", "--skip-worktree"] {
        let world = World::new();
        let clone = world.clone_as("infra");
        world.git(&clone, &["update-index", flag, "first"]);
        std::fs::write(clone.join("first"), "my settings").unwrap();
        // What a failed fast-forward would overwrite, and the user may need.
        world.git(&clone, &["update-ref", "ORIG_HEAD", "HEAD"]);
        std::fs::write(clone.join(".git/ORIG_HEAD"), format!("{}\n", "1".repeat(40))).unwrap();
        world.publish("first", "2");
        world.leaves_alone(&clone, &["infra: local changes, left alone"]);
    }
}

#[test]
fn untracked_file_in_the_way_is_left_alone() {
    let world = World::new();
    let clone = world.clone_as("infra");
    std::fs::write(clone.join("plan"), "mine").unwrap();
    world.publish("plan", "theirs");
    world.leaves_alone(&clone, &["infra: untracked files are in the way, left alone"]);
}

#[test]
fn ignored_file_in_the_way_is_left_alone() {
    let world = World::new();
    world.publish(".gitignore", ".env\nout\n");
    let clone = world.clone_as("infra");
    std::fs::write(clone.join(".env"), "SECRET=mine").unwrap();
    world.publish(".env", "SECRET=theirs");
    world.leaves_alone(&clone, &["infra: untracked files are in the way, left alone"]);
}

#[test]
fn ignored_file_where_a_directory_comes_is_left_alone() {
    let world = World::new();
    world.publish(".gitignore", "out\n");
    let clone = world.clone_as("infra");
    std::fs::write(clone.join("out"), "mine").unwrap();
    world.publish("out/file", "theirs");
    world.leaves_alone(&clone, &["infra: untracked files are in the way, left alone"]);
}

#[test]
fn link_in_the_way_is_left_alone() {
    let world = World::new();
    let clone = world.clone_as("infra");
    let outside = world.root().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, clone.join("out")).unwrap();
    world.publish("out/file", "theirs");
    world.leaves_alone(&clone, &["infra: untracked files are in the way, left alone"]);
    assert_eq!(std::fs::read_dir(outside).unwrap().count(), 0);
}

#[test]
fn diverged_is_left_alone() {
    let world = World::new();
    let clone = world.clone_as("infra");
    for number in ["1", "2"] {
        world.commit(&clone, "own", number);
    }
    for number in ["1", "2", "3"] {
        world.publish("file", number);
    }
    world
        .leaves_alone(&clone, &["infra: branch main has diverged (2 ahead, 3 behind), left alone"]);
}

#[test]
fn force_push_is_left_alone() {
    let world = World::new();
    world.publish("file", "2");
    let clone = world.clone_as("infra");
    world.git(&world.author(), &["commit", "-q", "--amend", "-m", "rewritten"]);
    world.git(&world.author(), &["push", "-q", "--force", "origin", "main"]);
    world
        .leaves_alone(&clone, &["infra: branch main has diverged (1 ahead, 1 behind), left alone"]);
    assert_eq!(
        world.commit_of(&clone, "origin/main"),
        world.commit_of(&world.author(), "main"),
        "what the remote has is known all the same"
    );
}

#[test]
fn deleted_upstream_is_left_alone() {
    let world = World::new();
    world.git(&world.author(), &["push", "-q", "origin", "HEAD:feature"]);
    let clone = world.clone_as("infra");
    world.git(&clone, &["checkout", "-q", "feature"]);
    world.git(&world.author(), &["push", "-q", "origin", ":feature"]);
    world.leaves_alone(&clone, &["infra: upstream origin/feature does not exist, left alone"]);
    assert_eq!(world.git(&clone, &["branch", "-r", "--list", "origin/feature"]), "", "pruned");
}

#[test]
fn no_branch_is_left_alone() {
    let world = World::new();
    let clone = world.clone_as("infra");
    world.git(&clone, &["checkout", "-q", "--detach"]);
    world.publish("file", "2");
    world.leaves_alone(&clone, &["infra: on no branch, left alone"]);
}

#[test]
fn no_commit_yet_is_left_alone() {
    let world = World::new();
    world.git(world.root(), &["init", "-q", "--bare", "new.git"]);
    let url = format!("file://{}", world.root().join("new.git").display());
    world.git(&world.code(), &["clone", "-q", &url, "infra"]);
    world.git(&world.author(), &["push", "-q", &url, "main"]);
    let clone = world.code().join("infra");
    world.leaves_alone(&clone, &["infra: branch main has no commit yet, left alone"]);
}

#[test]
fn own_branches_are_left_alone() {
    let world = World::new();
    let clone = world.clone_as("infra");
    world.git(&clone, &["config", "remote.origin.fetch", "+refs/heads/*:refs/heads/*"]);
    world.git(&clone, &["branch", "-q", "work"]);
    world.publish("file", "2");
    let says = ["infra: fetches into its own branches, left alone"];
    world.leaves_alone(&clone, &says);
    // Also when the setting is hidden in another file.
    world.git(&clone, &["config", "--unset", "remote.origin.fetch"]);
    let more = "[remote \"origin\"]\n\tfetch = +refs/heads/*:refs/heads/*\n";
    std::fs::write(clone.join(".git/more"), more).unwrap();
    world.git(&clone, &["config", "include.path", "more"]);
    world.leaves_alone(&clone, &says);
}

#[test]
fn locked_index_is_left_alone() {
    let world = World::new();
    let clone = world.clone_as("infra");
    world.publish("file", "2");
    std::fs::write(clone.join(".git/index.lock"), "").unwrap();
    world.leaves_alone(&clone, &["infra: another git is at work in it, left alone"]);
}

#[test]
fn unsigned_update_is_left_alone_where_signatures_are_demanded() {
    let world = World::new();
    let clone = world.clone_as("infra");
    world.git(&clone, &["config", "merge.verifySignatures", "true"]);
    world.publish("file", "2");
    let before = Bytes::of(&clone);
    let said = world.freshen();
    before.assert_same(&Bytes::of(&clone));
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("does not have a GPG signature"), "{said:?}");
}
