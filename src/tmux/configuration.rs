//! The configuration files that a server was started with, as by `tmux -f FILE`.

use crate::sys::fs;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The files after `-f` in the arguments of a tmux server, which are those of the client that
/// started it.
pub fn named_in(argv: &[Vec<u8>]) -> Vec<&[u8]> {
    /// Options that take a value (tmux(1)).
    const WITH_VALUE: &[u8] = b"cfLST";
    let mut files = Vec::new();
    let mut words = argv.iter().skip(1).map(Vec::as_slice);
    while let Some(options) = words.next().and_then(|word| word.strip_prefix(b"-")) {
        let Some(at) = options.iter().position(|option| WITH_VALUE.contains(option)) else {
            if matches!(options, b"" | b"-") {
                break;
            }
            continue;
        };
        let attached = Some(&options[at + 1..]).filter(|value| !value.is_empty());
        let Some(value) = attached.or_else(|| words.next()) else { break };
        if options[at] == b'f' {
            files.push(value);
        }
    }
    files
}

/// The files among `files` that a server may be started with: regular, readable, and the user's own
/// or root's. The others are returned second.
pub fn usable(files: &[Vec<u8>]) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let paths = files.iter().map(|file| Path::new(OsStr::from_bytes(file)).to_owned());
    paths.partition(|path| path.is_absolute() && is_usable(path))
}

fn is_usable(path: &Path) -> bool {
    let own = rustix::process::geteuid().as_raw();
    path.metadata().is_ok_and(|meta| {
        meta.is_file() && (meta.uid() == own || meta.uid() == 0) && fs::may_read(path)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(line: &str) -> Vec<String> {
        let argv: Vec<Vec<u8>> = line.split(' ').map(|word| word.as_bytes().to_vec()).collect();
        let files = named_in(&argv);
        files.into_iter().map(|file| String::from_utf8_lossy(file).into_owned()).collect()
    }

    #[test]
    fn the_files_of_a_server_are_found_however_the_option_is_written() {
        assert_eq!(named("tmux -u -f /a -L x new-session -f /no"), ["/a"]);
        assert_eq!(named("tmux -uf/a -f b -S /s -- -f /no"), ["/a", "b"]);
        assert_eq!(named("tmux new-session -f /no"), [""; 0]);
        assert_eq!(named("tmux -L f -c f"), [""; 0]);
        assert_eq!(named("tmux -f"), [""; 0]);
        assert_eq!(named("tmux - -f /no"), [""; 0]);
    }
}
