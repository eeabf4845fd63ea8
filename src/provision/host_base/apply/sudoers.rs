//! Checks a sudoers fragment together with the files that sudo reads beside it: an alias that two of them
//! define makes sudo complain at each call, or refuse to work.

use super::tools::run;
use crate::provision::host_base::HostChangeError;
use crate::sys::fs::{self, Existing, trusted_path, walk};
use crate::sys::{Dir, FileError};
use std::path::Path;
use std::time::Duration;

const SUDOERS: &str = "/etc/sudoers";
const FRAGMENTS: &str = "/etc/sudoers.d";
const STATE: &str = "/var/lib/terminal-lobby";
/// The copy of all of them, below the state directory.
const COPY: &str = "sudoers-check";
/// Maximum size of one of the files, in bytes.
const MAX_SIZE: u64 = 4 << 20;
const MAX_NAMES: usize = 10_000;
const DEADLINE: Duration = Duration::from_secs(30);

/// Checks all of sudo's files with `content` as the fragment `name`, in a copy that only root can read.
///
/// # Errors
/// visudo(8) does not accept them, or they cannot be read.
pub(super) fn check_merged(name: &str, content: &[u8]) -> Result<(), HostChangeError> {
    let main = match fs::read(Path::new(SUDOERS), MAX_SIZE) {
        Ok(bytes) => bytes,
        Err(error) if error.is_not_found() => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let state = trusted_path::ensure_dir(Path::new(STATE))?;
    remove(&state)?;
    let checked = copy(&state, &main, (name, content))
        .and_then(|path| run(&["visudo", "-c", "-f", &path], DEADLINE).map(drop));
    let removed = remove(&state);
    checked.map_err(|error| match error {
        HostChangeError::Program { how, message, .. } => {
            let program = "visudo (all of sudo's files together)".to_owned();
            HostChangeError::Program { program, how, message }
        }
        other => other,
    })?;
    Ok(removed?)
}

fn remove(state: &Dir) -> Result<(), FileError> {
    if state.stat(COPY)?.is_some() { walk::remove(state, COPY) } else { Ok(()) }
}

/// Copies them, and returns the path of the copy of `/etc/sudoers`.
fn copy(state: &Dir, main: &[u8], ours: (&str, &[u8])) -> Result<String, HostChangeError> {
    let copy = state.ensure_dir(COPY)?;
    let fragments = copy.ensure_dir("d")?;
    for name in others(ours.0)? {
        let bytes = fs::read(&Path::new(FRAGMENTS).join(&name), MAX_SIZE)?;
        fragments.write(&name, &bytes, Existing::Replaced)?;
    }
    fragments.write(ours.0, ours.1, Existing::Replaced)?;
    let place = fragments.path().to_string_lossy().into_owned();
    copy.write("sudoers", &redirected(main, &place), Existing::Replaced)?;
    Ok(copy.path().join("sudoers").to_string_lossy().into_owned())
}

/// The names of the other fragments that sudo reads.
fn others(ours: &str) -> Result<Vec<String>, FileError> {
    let dir = match Dir::open(Path::new(FRAGMENTS)) {
        Ok(dir) => dir,
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let names = dir.names(MAX_NAMES)?.unwrap_or_default().into_iter();
    let names = names.filter_map(|name| name.into_string().ok());
    Ok(names.filter(|name| name != ours && is_read(name)).collect())
}

/// sudo skips names with a dot in them, and those that end in `~`.
fn is_read(name: &str) -> bool {
    !name.contains('.') && !name.ends_with('~')
}

/// The main file, with the directory of its fragments replaced by `place`; a file that names none gets it,
/// so that the fragment is checked all the same.
fn redirected(main: &[u8], place: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(main);
    let mut found = false;
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| {
            let rest = line.trim_start();
            let directive = ["@includedir", "#includedir"]
                .iter()
                .find_map(|word| rest.strip_prefix(word))
                .filter(|rest| rest.starts_with([' ', '\t']));
            let path = directive.map(|path| path.trim().trim_matches('"').trim_end_matches('/'));
            match path {
                Some(FRAGMENTS | "sudoers.d") => {
                    found = true;
                    format!("@includedir {place}")
                }
                _ => line.to_owned(),
            }
        })
        .collect();
    if !found {
        lines.push(format!("@includedir {place}"));
    }
    (lines.join("\n") + "\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_includes_the_copied_fragments_and_nothing_else_changes() {
        let text = |main: &str| String::from_utf8(redirected(main.as_bytes(), "/x")).unwrap();
        for line in [
            "@includedir /etc/sudoers.d",
            "#includedir /etc/sudoers.d/",
            "  @includedir\tsudoers.d",
            "@includedir \"/etc/sudoers.d\"",
        ] {
            assert_eq!(text(&format!("A\n{line}\nB")), "A\n@includedir /x\nB\n", "{line}");
        }
        assert_eq!(
            text("# includedir /etc/sudoers.d\n@includedir /opt/s\n"),
            "# includedir /etc/sudoers.d\n@includedir /opt/s\n@includedir /x\n"
        );
        assert!(is_read("10-a") && !is_read("a.bak") && !is_read("a~"));
    }
}
