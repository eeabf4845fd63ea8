//! Man pages and completions say what the program does.

use crate::support::{Sandbox, run};
use std::path::Path;

#[test]
fn the_man_pages_in_docs_are_those_of_the_program() {
    let sandbox = Sandbox::new();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/man");
    let dir = sandbox.work();
    for program in [env!("CARGO_BIN_EXE_persist"), env!("CARGO_BIN_EXE_provision")] {
        run(sandbox.command(program).arg("manual").arg(&dir)).ok();
    }
    let names = |dir: &Path| {
        let mut names: Vec<_> =
            std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
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
