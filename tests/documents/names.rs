//! Names of modules and tests in the documents exist.

use super::project;
use std::collections::BTreeSet;

/// The words in backticks of a page that look like a path of modules (`tmux::socket`).
fn module_paths(text: &str) -> BTreeSet<&str> {
    let words = text.split('`').skip(1).step_by(2);
    let is_path = |word: &&str| {
        word.contains("::")
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_:".contains(c))
    };
    words.filter(is_path).collect()
}

/// Whether a path names a module, or something in one, of the tests, the programs or the launcher.
fn exists(path: &str) -> bool {
    let parts: Vec<&str> = path.split("::").collect();
    ["tests", "src", "launcher/src"].iter().any(|root| {
        let whole = project().join(root).join(parts.join("/"));
        if whole.with_extension("rs").exists() || whole.join("mod.rs").exists() {
            return true;
        }
        let Some((name, module)) = parts.split_last() else { return false };
        let module = project().join(root).join(module.join("/"));
        let declares = |text: String| {
            ["fn ", "mod "].iter().any(|word| {
                text.match_indices(&format!("{word}{name}")).any(|(at, found)| {
                    !text[at + found.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
                })
            })
        };
        [module.with_extension("rs"), module.join("mod.rs")]
            .iter()
            .filter_map(|file| std::fs::read_to_string(file).ok())
            .any(declares)
    })
}

#[test]
fn modules_and_tests_that_pages_name_exist() {
    for page in ["architecture.md", "security.md", "lessons.md", "boot.md"] {
        let text = std::fs::read_to_string(project().join("docs").join(page)).unwrap();
        let missing: Vec<&str> =
            module_paths(&text).into_iter().filter(|path| !exists(path)).collect();
        assert!(missing.is_empty(), "docs/{page} names what does not exist: {missing:#?}");
    }
    assert!(exists("documents::names::modules_and_tests_that_pages_name_exist"));
    assert!(!exists("documents::names::modules_and_tests"));
    assert!(!exists("documents::no_such_module"));
}

/// docs/lessons.md lists each lesson's tests.
#[test]
fn every_test_that_is_named_for_a_lesson_is_listed() {
    let lessons = std::fs::read_to_string(project().join("docs/lessons.md")).unwrap();
    let mut pending = vec![project().join("tests")];
    let mut count = 0;
    while let Some(dir) = pending.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                pending.push(entry.path());
            } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(entry.path()).unwrap();
                for test in text.split("fn lesson_").skip(1) {
                    let name: String = test
                        .chars()
                        .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                        .collect();
                    if name.starts_with(|c: char| c.is_ascii_digit()) {
                        count += 1;
                        assert!(lessons.contains(&format!("::lesson_{name}`")), "lesson_{name}");
                    }
                }
            }
        }
    }
    assert!(count > 40, "{count}");
}
