//! The rules on small made-up trees: each finds what it is there to find.

use super::graph::graph;
use super::rules::{self, Floor};
use super::source::Sources;

fn tree(files: &[(&str, &str)]) -> Sources {
    let mut tree: Sources =
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    tree.entry("src/lib.rs".to_owned()).or_default();
    tree
}

fn circles(files: &[(&str, &str)]) -> Vec<String> {
    rules::circles_of_files(&graph(&tree(files)).uses)
}

const DECLARES_A_AND_B: (&str, &str) = ("src/lib.rs", "mod a; mod b;");

#[test]
fn a_circle_is_found_however_the_names_are_written() {
    let ways_back = [
        "use crate::a::A;",
        "use super::a::{self};",
        "use crate::{a::A as Other};",
        "fn f() { crate::a::f(); }",
        "fn f() { println!(\"{}\", super::a::f()); }",
        "fn f() -> Result<Vec<super::a::A>, ()> { Ok(Vec::new()) }",
        "fn f() { use crate::a; a::f(); }",
        "use crate::*; fn f() { a::f(); }",
        "use crate::a as other; fn f() { other::f(); }",
        "mod inner { use super::super::a::A; }",
    ];
    for back in ways_back {
        let found = circles(&[DECLARES_A_AND_B, ("src/a.rs", "use crate::b;"), ("src/b.rs", back)]);
        assert_eq!(found.len(), 1, "{back}");
        assert!(found[0].contains("src/a.rs -> src/b.rs (crate::b)"), "{}", found[0]);
    }
}

#[test]
fn a_circle_through_a_re_export_is_found() {
    let found = circles(&[
        ("src/lib.rs", "mod a; mod room;"),
        ("src/a.rs", "use crate::room::Thing; pub struct A;"),
        ("src/room/mod.rs", "mod thing; pub use thing::Thing;"),
        ("src/room/thing.rs", "use crate::a::A; pub struct Thing;"),
    ]);
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("src/a.rs -> src/room/thing.rs"), "{}", found[0]);
}

#[test]
fn a_circle_through_a_glob_of_the_parent_is_found() {
    let found = circles(&[
        ("src/room/mod.rs", "mod a; mod b; use a::A; use b::B;"),
        ("src/room/a.rs", "use super::*; pub struct A { b: B }"),
        ("src/room/b.rs", "use super::*; pub struct B { a: Box<A> }"),
    ]);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn what_is_no_circle_is_not_found() {
    let harmless: [&[(&str, &str)]; 6] = [
        // A child may use its own mod.rs,
        &[
            ("src/room/mod.rs", "mod a; pub use a::A; pub struct R;"),
            ("src/room/a.rs", "use super::R; pub struct A;"),
        ],
        // tests may use anything,
        &[
            DECLARES_A_AND_B,
            ("src/a.rs", "use crate::b::B;"),
            ("src/b.rs", "pub struct B; #[cfg(test)] mod tests { use crate::a; }"),
        ],
        // in a file of their own, too,
        &[
            ("src/lib.rs", "mod a; mod b;"),
            ("src/a.rs", "use crate::b::B;"),
            ("src/b/mod.rs", "pub struct B; #[cfg(test)] mod tests;"),
            ("src/b/tests.rs", "use crate::a; use super::B;"),
        ],
        // a comment or a text names what it likes,
        &[
            DECLARES_A_AND_B,
            ("src/a.rs", "use crate::b;"),
            ("src/b.rs", "/* crate::a */ const A: &str = \"crate::a::A\";"),
        ],
        // and so does a visibility,
        &[
            DECLARES_A_AND_B,
            ("src/a.rs", "use crate::b;"),
            ("src/b.rs", "pub(in crate::a) struct B;"),
        ],
        // or another crate with a module of the same name.
        &[DECLARES_A_AND_B, ("src/a.rs", "use crate::b;"), ("src/b.rs", "use other::a::A;")],
    ];
    for files in harmless {
        assert_eq!(circles(files), Vec::<String>::new());
    }
}

const FLOOR: Floor = Floor { dir: "src", parts: &[("high", &["low"]), ("low", &[])] };

fn arrows(files: &[(&str, &str)]) -> Vec<String> {
    let graph = graph(&tree(files));
    rules::arrows_up(&graph.uses, &graph.files.keys().map(String::as_str).collect(), &FLOOR)
}

#[test]
fn an_arrow_up_is_found_and_one_down_is_not() {
    let high = ("src/high/mod.rs", "use crate::low::low; pub fn high() {}");
    assert_eq!(arrows(&[high, ("src/low.rs", "pub fn low() {}")]), Vec::<String>::new());
    let found = arrows(&[
        ("src/high/mod.rs", "pub fn high() {}"),
        ("src/low.rs", "use crate::high::high;"),
    ]);
    assert_eq!(
        found,
        ["src/low.rs uses src/high/mod.rs (crate::high::high): low may not use high"]
    );
    let found = arrows(&[
        ("src/low.rs", "fn low() { launcher::start(); }"),
        ("launcher/src/lib.rs", "pub fn start() {}"),
    ]);
    assert_eq!(found.len(), 2, "{found:?}"); // the floor does not know the launcher, either
}

#[test]
fn a_folder_that_the_floor_does_not_know_is_found() {
    let found = arrows(&[("src/attic/mod.rs", "")]);
    assert_eq!(found, ["src/attic/mod.rs: tests/architecture knows no part \"attic\" of src"]);
}

#[test]
fn an_effect_in_a_pure_file_is_found() {
    let effects = [
        "fn f() { std::fs::read(\"/x\"); }",
        "use std::fs; fn f() { fs::read(\"/x\"); }",
        "use std::{time::SystemTime as Time}; fn f() { Time::now(); }",
        "fn f() { println!(); }",
        "use crate::sys::clock; fn f() -> clock::Epoch { clock::now() }",
    ];
    for effect in effects {
        let sys = ("src/sys/mod.rs", "pub mod clock;");
        let clock = ("src/sys/clock.rs", "pub fn now() {} pub struct Epoch;");
        let faults = |first: &str| {
            let text = format!("{first}\n{effect}");
            let sources = tree(&[
                sys,
                clock,
                ("src/a.rs", &text),
                ("src/room/mod.rs", first),
                ("src/room/b.rs", effect),
            ]);
            rules::effects_in_pure_files(&sources, &graph(&sources))
        };
        let found = faults("//! Values (pure).");
        assert!(found.iter().any(|fault| fault.starts_with("src/a.rs: ")), "{effect}: {found:?}");
        assert!(
            found.iter().any(|fault| fault.starts_with("src/room/b.rs: ")),
            "{effect}: {found:?}"
        );
        assert_eq!(faults("//! Files.").len(), 0, "{effect}");
    }
    let value = tree(&[
        ("src/sys/mod.rs", "pub mod clock;"),
        ("src/sys/clock.rs", "pub struct Epoch;"),
        (
            "src/a.rs",
            "//! Values (pure).\nuse crate::sys::clock;\nstruct A(clock::Epoch);\n#[cfg(test)] mod tests { use std::fs; }",
        ),
    ]);
    assert_eq!(rules::effects_in_pure_files(&value, &graph(&value)), Vec::<String>::new());
}

#[test]
fn unsafe_code_is_found_but_not_the_word() {
    let sources = tree(&[
        ("src/a.rs", "// unsafe\nfn f() {\n    g(unsafe { 1 }, \"unsafe\");\n}"),
        ("src/sys/b.rs", "unsafe fn f() {}"),
    ]);
    let found = rules::unsafe_lines(&graph(&sources), &|file| file.starts_with("src/sys/"));
    assert_eq!(found, ["src/a.rs:3: unsafe code"]);
}

#[test]
fn an_error_that_is_text_is_found_and_so_is_its_reason() {
    let text = "fn a() -> Result<(), String> {}\n\n// A String, since it is shown as it is.\nfn b(\n    at: usize,\n) -> Result<Vec<Result<u8, E>>, String> {}\nfn c() -> Result<String, E> {}\nfn d() -> Result<HashMap<u8, String>, Vec<String>> {}\n";
    let found = rules::string_errors(&graph(&tree(&[("src/a.rs", text)])));
    assert_eq!(found, [("src/a.rs".to_owned(), 1), ("src/a.rs".to_owned(), 6)]);
    assert!(!rules::gives_reason(text, 1));
    assert!(rules::gives_reason(text, 6));
}

#[test]
fn long_files_and_full_folders_are_found() {
    let sources =
        tree(&[("src/a.rs", "\n\n\n"), ("src/b.rs", "\n"), ("src/c/d.rs", ""), ("src/c/e.rs", "")]);
    assert_eq!(
        rules::long_files(&sources, 2),
        ["src/a.rs: 3 lines; more than one thing lives there"]
    );
    assert_eq!(rules::full_folders(&sources, 2), ["src: 3 files in one folder"]);
}

#[test]
fn a_folder_is_described_by_the_first_sentence_of_its_mod_rs() {
    let sources = tree(&[
        ("src/lib.rs", "//! All."),
        ("src/a/mod.rs", "//! Rows that\n//! last (pure). Not this.\n"),
        ("src/a/b.rs", "//! B."),
    ]);
    assert_eq!(rules::folders(&sources).unwrap()["src/a"], "Rows that last (pure)");
    assert!(
        rules::folders(&tree(&[("src/lib.rs", "//! All."), ("src/a/b.rs", "//! B.")]))
            .unwrap_err()
            .starts_with("src/a:")
    );
}
