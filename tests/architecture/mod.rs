//! The house keeps its shape: which module may use which, and where effects may live.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// What each module may use, besides itself. Arrows point down only.
const MAY_USE: [(&str, &[&str]); 12] = [
    ("bin", &["cli"]),
    ("cli", &["persist", "provision", "offboard", "roster", "snapshot", "identity", "sys"]),
    ("persist", &["snapshot", "agent", "tmux", "process", "sys"]),
    ("offboard", &["roster", "identity", "sys"]),
    ("provision", &["agent", "offboard", "roster", "identity", "sys"]),
    ("roster", &["identity"]),
    ("snapshot", &["sys"]),
    ("agent", &["process", "snapshot", "sys"]),
    ("tmux", &["sys"]),
    ("process", &[]),
    ("identity", &[]),
    ("sys", &[]),
];

/// Modules that have no effect: no files, no processes, no clock.
const PURE: &[&str] = &[
    "identity",
    "roster",
    "tmux/escape.rs",
    "tmux/dialect.rs",
    "tmux/layout.rs",
    "tmux/panes.rs",
    "tmux/control.rs",
    "tmux/command.rs",
    "snapshot/codec.rs",
    "snapshot/conversations.rs",
    "snapshot/diff.rs",
    "snapshot/escape.rs",
    "snapshot/retention.rs",
    "snapshot/summary.rs",
    "tmux/hooks.rs",
    "tmux/marks.rs",
    "agent/command_line.rs",
    "agent/evidence.rs",
    "agent/hooks.rs",
    "agent/json_spans.rs",
    "agent/machine.rs",
    "agent/settings.rs",
    "agent/stamp.rs",
    "persist/budget.rs",
    "offboard/tape.rs",
    "persist/plan.rs",
    "provision/digest.rs",
    "provision/environment_file.rs",
    "provision/kubeconfig.rs",
    "provision/marked_block.rs",
    "provision/machine/dpkg.rs",
    "provision/machine/names.rs",
    "provision/machine/observed.rs",
    "provision/machine/plan.rs",
    "provision/machine/plan",
    "provision/machine/raw.rs",
    "provision/machine/raw",
    "provision/machine/record.rs",
    "provision/machine/wanted.rs",
    "provision/observe/parse.rs",
    "provision/observed.rs",
    "provision/plan.rs",
    "provision/plan",
    "provision/home/code/config.rs",
    "provision/repository.rs",
    "provision/site.rs",
    "provision/written.rs",
];

fn sources() -> Vec<(PathBuf, String)> {
    files_below("src")
}

/// The Rust files below a directory of the project, and what is in them.
fn files_below(dir: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(dir);
    let mut files = Vec::new();
    let mut dirs = vec![root.clone()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            // A link of a test's host leads out of the project, to /tmp for one.
            if entry.file_type().unwrap().is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                files.push((path.strip_prefix(&root).unwrap().to_owned(), text));
            }
        }
    }
    files
}

/// Modules of ours that a source file names.
fn used(text: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for prefix in ["crate::", "terminal_lobby::"] {
        for (at, _) in text.match_indices(prefix) {
            let rest = &text[at + prefix.len()..];
            let name = |text: &str| {
                text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
            };
            if let Some(group) = rest.strip_prefix('{') {
                let group = &group[..group.find(';').unwrap_or(group.len())];
                used.extend(group.split([',', '{', '}']).map(|part| name(part.trim())));
            } else {
                used.insert(name(rest));
            }
        }
    }
    used
}

#[test]
fn arrows_point_down() {
    let modules: BTreeSet<&str> = MAY_USE.iter().map(|(module, _)| *module).collect();
    for (path, text) in sources() {
        let module = path.components().next().unwrap().as_os_str().to_str().unwrap();
        if module == "lib.rs" {
            continue;
        }
        let allowed = MAY_USE.iter().find(|(name, _)| *name == module);
        let (_, allowed) = allowed
            .unwrap_or_else(|| panic!("{}: a module the house does not know", path.display()));
        for other in used(&text).iter().filter(|name| modules.contains(name.as_str())) {
            let fine = other == module || allowed.contains(&other.as_str());
            assert!(fine, "{}: {module} may not use {other}", path.display());
        }
    }
}

#[test]
fn pure_modules_have_no_effects() {
    let effects = [
        "std::fs::",
        "std::process::",
        "std::env::",
        "SystemTime",
        "Instant::now",
        "rustix::",
        "nix::",
        "clock::now",
    ];
    for (path, text) in sources() {
        if !PURE.iter().any(|pure| path.starts_with(pure)) {
            continue;
        }
        let code = text.split("#[cfg(test)]").next().unwrap();
        for effect in effects {
            let named = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric());
            let found = code.match_indices(effect).any(|(at, _)| named(at));
            assert!(!found, "{}: {effect} in a pure module", path.display());
        }
    }
}

#[test]
fn unsafe_code_lives_in_sys() {
    for (path, text) in sources() {
        let code = text.split("#[cfg(test)]").next().unwrap();
        let unsafe_code = code
            .lines()
            .any(|line| line.trim_start().starts_with("unsafe ") || line.contains("= unsafe {"));
        assert!(path.starts_with("sys") || !unsafe_code, "{}: unsafe outside sys", path.display());
    }
}

/// But for 29: nothing here checks whether a service of others is well.
#[test]
fn each_lesson_of_the_predecessor_has_a_test_named_for_it() {
    let has = |(_, text): &(PathBuf, String), n: u32| text.contains(&format!("fn lesson_{n:02}_"));
    let tests: Vec<_> = ["cli", "boot", "hook", "formats", "provision", "offboard", "clones"]
        .iter()
        .flat_map(|dir| files_below(&format!("tests/{dir}")))
        .collect();
    let tested = |n: &u32| tests.iter().any(|file| has(file, *n));
    let missing: Vec<u32> = (1..=37).filter(|n| *n != 29 && !tested(n)).collect();
    assert!(missing.is_empty(), "no test is named for lessons {missing:?}");
}

#[test]
fn no_file_is_longer_than_five_hundred_lines() {
    for (path, text) in sources() {
        assert!(text.lines().count() <= 500, "{}: two things live there", path.display());
    }
}
