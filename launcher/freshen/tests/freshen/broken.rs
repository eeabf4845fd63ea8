//! Clones that git cannot read, or refuses to.

use crate::support::{World, lacks};

#[track_caller]
fn reported(world: &World, name: &str) -> String {
    let clone = world.code().join(name);
    let before = crate::support::Bytes::of(&clone);
    let said = world.freshen();
    before.assert_same(&crate::support::Bytes::of(&clone));
    assert_eq!(said.len(), 1, "{said:?}");
    said[0].clone()
}

#[test]
fn broken_git_directory_is_reported() {
    let world = World::new();
    let clone = world.clone_as("infra");
    world.clone_as("sound");
    world.publish("file", "2");
    std::fs::remove_file(clone.join(".git/HEAD")).unwrap();
    let says = ["infra: git cannot read it", "sound: 1 commit"];
    world.leaves_alone(&clone, &says);
}

#[test]
fn broken_clone_does_not_lead_to_the_repository_around_it() {
    let world = World::new();
    // The home is a repository too, as with dotfiles.
    world.git(world.root(), &["clone", "-q", &world.url(), "around"]);
    let around = world.root().join("around");
    let clone = around.join("infra");
    world.git(&around, &["clone", "-q", &world.url(), "infra"]);
    std::fs::write(clone.join(".git/HEAD"), "garbage").unwrap();
    world.publish("file", "2");
    let before = world.commit_of(&around, "HEAD");
    let outcomes = freshen::freshen(&[clone], &world.options()).unwrap();
    assert_eq!(outcomes[0].line().unwrap(), "infra: git cannot read it");
    assert_eq!(world.commit_of(&around, "HEAD"), before);
    assert_eq!(world.commit_of(&around, "origin/main"), before);
}

#[test]
fn missing_objects_are_fetched() {
    let world = World::new();
    let clone = world.clone_as("infra");
    world.publish("file", "2");
    std::fs::remove_dir_all(clone.join(".git/objects")).unwrap();
    std::fs::create_dir_all(clone.join(".git/objects/pack")).unwrap();
    assert_eq!(world.freshen(), ["infra: 1 commit"]);
    world.assert_current(&clone);
    world.git(&clone, &["fsck", "--strict"]);
}

#[test]
fn corrupt_objects_are_reported() {
    let world = World::new();
    let clone = world.clone_as("infra");
    world.commit(&clone, "own", "1");
    world.publish("file", "2");
    let own = world.commit_of(&clone, "HEAD");
    let object = clone.join(".git/objects").join(&own[..2]).join(&own[2..]);
    std::fs::remove_file(&object).unwrap();
    std::fs::write(&object, "garbage").unwrap();
    let said = reported(&world, "infra");
    assert!(said.starts_with("infra: git: "), "{said}");
}

#[test]
fn corrupt_index_is_left_alone() {
    let world = World::new();
    let clone = world.clone_as("infra");
    world.publish("file", "2");
    std::fs::write(clone.join(".git/index"), "garbage").unwrap();
    let said = reported(&world, "infra");
    assert!(said.starts_with("infra: git: ") && said.ends_with(", left alone"), "{said}");
}

#[test]
fn corrupt_configuration_is_reported() {
    let world = World::new();
    let clone = world.clone_as("infra");
    std::fs::write(clone.join(".git/config"), "[core\n\tgarbage").unwrap();
    let said = reported(&world, "infra");
    assert!(said.starts_with("infra: git: bad config line"), "{said}");
}

#[test]
fn git_file_that_leads_nowhere_is_reported() {
    let world = World::new();
    let clone = world.code().join("infra");
    std::fs::create_dir(&clone).unwrap();
    std::fs::write(clone.join(".git"), "gitdir: ../gone\n").unwrap();
    world.leaves_alone(&clone, &["infra: git cannot read it"]);
}

#[test]
fn clone_of_another_account_is_left_alone() {
    let world = World::new();
    let clone = world.clone_as("infra");
    world.publish("file", "2");
    let chown = |owner: &str| {
        let mut chown = std::process::Command::new("chown");
        chown.args(["-R", owner]).arg(&clone).output().unwrap().status.success()
    };
    if !chown("65534") {
        return lacks("clone_of_another_account_is_left_alone", "the right to change owners");
    }
    world.leaves_alone(&clone, &["infra: belongs to another account, left alone"]);
    assert!(chown(&nix::unistd::geteuid().to_string()));
}

#[test]
fn pipe_in_place_of_a_file_does_not_hold_us_up() {
    let world = World::new();
    let clone = world.code().join("infra");
    std::fs::create_dir_all(clone.join(".git")).unwrap();
    for name in ["HEAD", "commondir", "FETCH_HEAD", "config", "ORIG_HEAD"] {
        let mode = nix::sys::stat::Mode::S_IRWXU;
        nix::unistd::mkfifo(&clone.join(".git").join(name), mode).unwrap();
    }
    let begin = std::time::Instant::now();
    let outcomes = world.outcomes(&freshen::Options {
        deadline: std::time::Duration::from_secs(1),
        ..world.options()
    });
    assert!(begin.elapsed() < std::time::Duration::from_secs(2));
    assert_eq!(outcomes.len(), 1);
    assert!(outcomes[0].failure.is_some());
}
