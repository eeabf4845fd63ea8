//! Homes that are hostile or odd at every place that is looked at: an answer in time, nothing touched,
//! nothing of it followed.

use super::{Person, inventory};
use std::time::{Duration, Instant};

/// What somebody may put in the place of a file or directory. `$P` is the place.
const PUT: [(&str, &str); 14] = [
    ("a pipe", "mkfifo \"$P\""),
    ("a file", "echo x >\"$P\""),
    ("an empty file", ": >\"$P\""),
    ("a huge sparse file", "truncate -s 200G \"$P\""),
    ("a file nobody may read", "echo x >\"$P\"; chmod 0 \"$P\""),
    ("a directory nobody may enter", "mkdir \"$P\"; chmod 0 \"$P\""),
    ("a directory nobody may write", "mkdir \"$P\"; chmod 500 \"$P\""),
    ("a dangling link", "ln -s /nowhere \"$P\""),
    ("a link to a device", "ln -s /dev/zero \"$P\""),
    ("a link to itself", "ln -s \"${P##*/}\" \"$P\""),
    ("a link to the host's files", "ln -s /etc/passwd \"$P\""),
    ("a link to the host's directories", "ln -s /etc \"$P\""),
    ("binary", "head -c 100000 /dev/urandom >\"$P\""),
    (
        "a socket",
        "python3 -c 'import socket,os; os.chdir(os.path.dirname(os.environ[\"P\"])); socket.socket(socket.AF_UNIX).bind(os.path.basename(os.environ[\"P\"]))'",
    ),
];

/// Where.
const PLACES: [&str; 16] = [
    "code",
    "code/.git",
    "code/.git/config",
    "code/.git/HEAD",
    "code/.git/packed-refs",
    "code/.git/refs",
    "code/.git/terminal-lobby-moving",
    "code/.git/worktrees",
    ".terminal-lobby.code.clone",
    ".terminal-lobby.code.move",
    "code/infra",
    "code/infra/.git",
    "code/infra/.git/config",
    "code/webapp",
    "code/webapp/.git",
    "code/infra/webapp",
];

/// What must be the same: an empty directory under a name of ours is one that an interrupted run made.
const BESIDE: &str = "find . -mindepth 1 -maxdepth 1 ! -name code ! -name .terminal-lobby.code.move \
    ! \\( -name '.terminal-lobby.*' -type d -empty \\) -print 2>/dev/null | sort";

/// Looks, plans and works; nothing that is there is gone or changed afterwards, but for what git
/// itself brings into clones of ours, and a move.
fn survives(person: &Person, what: &str) {
    let begin = Instant::now();
    let beside = person.sh(BESIDE);
    let lines = person.lines();
    let _ = person.apply();
    let again = person.lines();
    assert!(begin.elapsed() < Duration::from_secs(12), "{what}: {:?}", begin.elapsed());
    assert_eq!(person.sh(BESIDE), beside, "{what}: {lines:?} {again:?}");
    if begin.elapsed() > Duration::from_millis(700) {
        println!("{what}: {:?} {lines:?} {again:?}", begin.elapsed());
    }
    for line in lines.iter().chain(&again) {
        assert!(line.len() < 500 && !line.contains("root:x:"), "{what}: {line}");
    }
}

#[test]
fn hostile_single_clones_are_answered_in_time_and_never_followed() {
    hostile_homes("single", &PLACES[..10]);
}

#[test]
fn hostile_workspaces_are_answered_in_time_and_never_followed() {
    hostile_homes("workspace", &PLACES[8..]);
}

fn hostile_homes(layout: &str, places: &[&str]) {
    let mut cases = 0;
    let mut person = Person::new();
    if layout == "workspace" {
        person.workspace(&["webapp"]);
    }
    person.sh("git clone -q $REMOTES/infra.git base; printf bystander >bystander");
    let (etc, keep) = (std::fs::metadata("/etc/passwd").unwrap(), "bystander");
    for place in places {
        for (name, put) in PUT {
            let what = format!("{layout}: {name} at {place}");
            let inside = place.starts_with("code/infra") || place.starts_with("code/webapp");
            let around = if inside {
                "mkdir code; cp -a base code/infra; cp -a base code/webapp"
            } else {
                "cp -a base code"
            };
            person.sh(&format!("{around}; P=$HOME/{place}; export P; rm -rf \"$P\"; {put}"));
            survives(&person, &what);
            assert_eq!(std::fs::read_to_string(person.at("bystander")).unwrap(), keep);
            person.sh("chmod -R u+rwX code .terminal-lobby.* 2>/dev/null || :; rm -rf code .terminal-lobby.*");
            cases += 1;
        }
    }
    let now = std::fs::metadata("/etc/passwd").unwrap();
    assert_eq!(now.modified().unwrap(), etc.modified().unwrap());
    println!("{cases} hostile homes");
    assert_eq!(cases, places.len() * PUT.len());
}

#[test]
fn what_is_no_clone_of_ours_is_byte_identical_afterwards() {
    let mut cases = 0;
    let mut person = Person::new();
    for layout in ["single", "workspace"] {
        if layout == "workspace" {
            person.workspace(&["webapp"]);
        }
        for (name, put) in PUT {
            if name == "a directory nobody may enter"
                || (layout, name) == ("workspace", "a directory nobody may write")
            {
                continue; // an inventory cannot be taken; a workspace may be a directory
            }
            person.sh("chmod -R u+rwX code 2>/dev/null || :; rm -rf code other");
            person.sh(&format!("P=$HOME/code; export P; {put}; echo x >other"));
            let readable = name != "a file nobody may read" || super::is_root();
            let before = readable.then(|| inventory(&person.home()));
            assert_eq!(person.plan().len(), 1, "{layout} {name}: {:?}", person.lines());
            assert!(person.apply().is_empty(), "{layout} {name}");
            assert_eq!(before, readable.then(|| inventory(&person.home())), "{layout} {name}");
            cases += 1;
        }
    }
    println!("{cases} homes left as they were");
    assert!(cases >= 24, "{cases}");
}

#[test]
fn hostile_configurations_are_told_within_bounds() {
    let person = Person::new();
    let long = "x".repeat(200_000);
    let deep = "[a]\n".repeat(60_000);
    let many: Vec<String> =
        (0..2000).map(|n| format!("[remote \"r{n}\"]\n\turl = https://h/{n}\n")).collect();
    let configs = [
        format!("[remote \"origin\"]\n\turl = https://h/{long}\n"),
        format!("[remote \"{long}\"]\n\turl = https://h/a\n"),
        many.concat(),
        deep,
        "[remote \"origin\"]\n\turl = \"https://u:hunter2@h/\\n\x1b[2Ja\"\n".to_owned(),
        "[remote \"../../../../etc\"]\n\turl = https://h/a\n".to_owned(),
        "[remote \"origin\"".to_owned(),
        "\0\0\0".to_owned(),
        "[include]\n\tpath = /etc/passwd\n".to_owned(),
        String::new(),
    ];
    for config in configs {
        person.sh("mkdir -p code/.git/refs code/.git/objects; echo ref: refs/heads/../../../x >code/.git/HEAD");
        std::fs::write(person.at("code/.git/config"), &config).unwrap();
        if super::is_root() {
            std::os::unix::fs::chown(person.at("code/.git/config"), Some(super::UID), None)
                .unwrap();
        }
        let begin = Instant::now();
        let said = serde_json::to_string(&person.facts()).unwrap();
        assert!(said.len() < 64_000 && !said.contains("hunter2"), "{}", &said[..200]);
        assert!(begin.elapsed() < Duration::from_secs(2));
        let change = person.plan().remove(0);
        assert!(change.why.len() + change.before.unwrap_or_default().len() < 1000);
        person.sh("rm -rf code");
    }
}
