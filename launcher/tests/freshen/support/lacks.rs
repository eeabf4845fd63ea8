//! Saying loudly that a test could not run here.

use std::io::Write;

/// Reports that `test` could not run because the machine lacks `what`: on stderr, and in the file
/// that `TL_LACKS_FILE` names, because the test runner hides the stderr of a test that passes.
pub(crate) fn lacks(test: &str, what: &str) {
    let line = format!("LACKS: {test}: {}\n", what.trim().replace('\n', "; "));
    eprint!("{line}");
    if let Some(file) = std::env::var_os("TL_LACKS_FILE") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(file);
        file.unwrap().write_all(line.as_bytes()).unwrap();
    }
}
