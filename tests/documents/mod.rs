//! The documents agree with each other, with the code, and with what the programs print.
//!
//! Lists and output that are made from the code are rewritten by `make docs` (`TL_WRITE_DOCS=1`).

pub(crate) mod alerts;
mod configuration;
mod launcher_manual;
mod links;
mod names;
mod shown;

use std::path::{Path, PathBuf};

pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md, CHANGELOG.md and the pages of docs/, by their path in the project.
fn pages() -> Vec<(PathBuf, String)> {
    let mut paths = vec!["README.md".into(), "CHANGELOG.md".into()];
    for entry in std::fs::read_dir(project().join("docs")).unwrap() {
        let name = entry.unwrap().file_name();
        if Path::new(&name).extension().is_some_and(|extension| extension == "md") {
            paths.push(Path::new("docs").join(name));
        }
    }
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(project().join(&path)).unwrap();
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

/// Compares a marked part of a page (from the line `begin` to the next `<!-- end -->`) with what it
/// should be, or writes it where `TL_WRITE_DOCS` is set. `same` says whether two texts agree.
#[track_caller]
pub(crate) fn check_part(page: &str, begin: &str, should: &str, same: impl Fn(&str, &str) -> bool) {
    let path = project().join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let from =
        text.find(begin).unwrap_or_else(|| panic!("{page}: no line {begin}")) + begin.len() + 1;
    let to = from
        + text[from..].find("<!-- end -->").unwrap_or_else(|| panic!("{page}: no end of {begin}"));
    let is = &text[from..to];
    if same(is, should) {
        return;
    }
    if std::env::var_os("TL_WRITE_DOCS").is_some() {
        std::fs::write(&path, format!("{}{should}{}", &text[..from], &text[to..])).unwrap();
        return;
    }
    panic!("{page}, {begin}: run `make docs`\n--- the page\n{is}\n--- the code\n{should}");
}
