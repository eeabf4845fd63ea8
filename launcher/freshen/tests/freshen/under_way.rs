//! Clones in which something waits to be continued.

use crate::support::World;
use std::path::{Path, PathBuf};

/// A clone with a commit of its own that conflicts with a branch `other`, and an update waiting.
fn conflicting(world: &World) -> PathBuf {
    let clone = world.clone_as("infra");
    world.git(&clone, &["checkout", "-q", "-b", "other"]);
    world.commit(&clone, "first", "other");
    world.git(&clone, &["checkout", "-q", "main"]);
    world.git(&clone, &["branch", "-q", "aside"]);
    world.git(&clone, &["checkout", "-q", "aside"]);
    world.commit(&clone, "first", "aside");
    world.git(&clone, &["branch", "-q", "--set-upstream-to=origin/main"]);
    world.publish("file", "2");
    clone
}

fn left_alone(world: &World, clone: &Path, what: &str) {
    world.leaves_alone(clone, &[&format!("infra: {what} under way, left alone")]);
}

#[test]
fn merge_under_way_is_left_alone() {
    let world = World::new();
    let clone = conflicting(&world);
    world.git_fails(&clone, &["merge", "other"]);
    left_alone(&world, &clone, "merge");
}

#[test]
fn merge_without_conflict_under_way_is_left_alone() {
    let world = World::new();
    let clone = conflicting(&world);
    world.git(&clone, &["merge", "--quiet", "--no-commit", "--strategy=ours", "other"]);
    left_alone(&world, &clone, "merge");
}

#[test]
fn rebase_under_way_is_left_alone() {
    let world = World::new();
    let clone = conflicting(&world);
    world.git_fails(&clone, &["rebase", "-q", "other"]);
    left_alone(&world, &clone, "rebase");
}

#[test]
fn applying_patches_under_way_is_left_alone() {
    let world = World::new();
    let clone = conflicting(&world);
    let patch = world.git(&clone, &["format-patch", "-1", "other"]);
    world.git_fails(&clone, &["am", "-q", &patch]);
    left_alone(&world, &clone, "rebase");
}

#[test]
fn cherry_pick_under_way_is_left_alone() {
    let world = World::new();
    let clone = conflicting(&world);
    world.git_fails(&clone, &["cherry-pick", "other"]);
    left_alone(&world, &clone, "cherry-pick");
}

#[test]
fn revert_under_way_is_left_alone() {
    let world = World::new();
    let clone = conflicting(&world);
    world.commit(&clone, "first", "later");
    world.git_fails(&clone, &["revert", "HEAD~1"]);
    left_alone(&world, &clone, "revert");
}

#[test]
fn bisect_under_way_is_left_alone() {
    let world = World::new();
    let clone = conflicting(&world);
    world.git(&clone, &["bisect", "start", "HEAD", "HEAD~1"]);
    left_alone(&world, &clone, "bisect");
}

#[test]
fn bisect_on_a_branch_is_left_alone() {
    let world = World::new();
    let clone = world.clone_as("infra");
    world.publish("file", "2");
    world.git(&clone, &["bisect", "start"]);
    left_alone(&world, &clone, "bisect");
}
