//! Man pages and completions say what the program does.

use crate::support::{Sandbox, lobby_program, run};
use std::path::{Path, PathBuf};

/// Those whose arguments are parsed by clap.
fn programs() -> [PathBuf; 3] {
    [env!("CARGO_BIN_EXE_persist").into(), env!("CARGO_BIN_EXE_provision").into(), lobby_program()]
}

#[test]
fn the_man_pages_in_docs_are_those_of_the_program() {
    let sandbox = Sandbox::new();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/man");
    let dir = sandbox.work();
    for program in programs() {
        run(sandbox.command(program).arg("manual").arg(&dir)).ok();
    }
    let names = |dir: &Path| {
        let mut names: Vec<_> =
            std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    // The launcher's page is made from its help (tests/documents).
    std::fs::copy(docs.join("start-claude.1"), dir.join("start-claude.1")).unwrap();
    assert_eq!(names(&docs), names(&dir), "run: make man");
    for name in names(&dir) {
        let (fresh, kept) = (std::fs::read(dir.join(&name)), std::fs::read(docs.join(&name)));
        assert!(fresh.unwrap() == kept.unwrap(), "{}: run: make man", name.display());
    }
}

#[test]
fn completions_are_there_for_the_usual_shells() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish"] {
        let run =
            run(sandbox.command(env!("CARGO_BIN_EXE_persist")).args(["completions", shell])).ok();
        assert!(run.out().contains("restore"), "{shell}");
        let program = env!("CARGO_BIN_EXE_provision");
        let run = crate::support::run(sandbox.command(program).args(["completions", shell])).ok();
        assert!(run.out().contains("membership"), "{shell}");
    }
}

#[test]
fn completions_offer_no_internal_commands() {
    let sandbox = Sandbox::new();
    for program in programs() {
        for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
            let script = run(sandbox.command(&program).args(["completions", shell])).ok().out();
            for internal in ["worker", "keeper", "manual"] {
                let words = script.split(|c: char| !c.is_alphanumeric());
                let found = words.filter(|word| *word == internal).count();
                assert_eq!(found, 0, "{} {shell} {internal}", program.display());
            }
        }
    }
}

#[test]
fn synopses_show_the_values_of_options() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/man");
    let mut checked = 0;
    for page in std::fs::read_dir(docs).unwrap() {
        let page = std::fs::read_to_string(page.unwrap().path()).unwrap();
        let synopsis = page.split(".SH SYNOPSIS\n").nth(1).unwrap().split(".SH").next().unwrap();
        // An option is described with its value, if it takes one, and stands so in the synopsis.
        for line in page.lines().filter(|line| line.starts_with("\\fB\\-\\-")) {
            let Some((option, value)) = line.split_once(" \\fI") else { continue };
            let value = value.split("\\fR").next().unwrap().trim_matches(['<', '>']);
            let expected = format!("{option} \\fI{value}\\fR");
            assert!(synopsis.contains(&expected), "{expected}: {synopsis}");
            checked += 1;
        }
    }
    assert!(checked > 50, "{checked}");
}

#[test]
fn man_pages_are_formatted_without_complaints() {
    let sandbox = Sandbox::new();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/man");
    for page in std::fs::read_dir(docs).unwrap() {
        let page = page.unwrap().path();
        let mut man = sandbox.command("man");
        man.args(["--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z"]).arg(&page);
        let Ok(formatted) = man.env("MANWIDTH", "80").output() else {
            return crate::support::lacks::lacks("man_pages_are_formatted", "man");
        };
        let said = String::from_utf8_lossy(&formatted.stderr);
        assert!(formatted.status.success() && said.is_empty(), "{}: {said}", page.display());
    }
}
