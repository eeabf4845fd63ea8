//! The running program as a command line for a shell, for what others are told to run.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where the running program is; none when it has been replaced since.
pub(super) fn program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    program.is_file().then_some(program)
}

/// Whatever it does, who runs it sees neither output nor failure.
pub(super) const QUIETLY: &str = " >/dev/null 2>&1 || :";

/// A command line for sh of words that stay what they are.
pub(super) fn shell_line(words: &[&OsStr]) -> Vec<u8> {
    let mut line = Vec::new();
    for word in words {
        if !line.is_empty() {
            line.push(b' ');
        }
        line.extend(quote(word.as_bytes()));
    }
    line
}

/// `NAME='value' `, to go before a command line.
pub(super) fn assignment(name: &str, value: &Path) -> Vec<u8> {
    [name.as_bytes(), b"=", &always_quoted(value.as_os_str().as_bytes()), b" "].concat()
}

/// A word in single quotes, where it needs any.
fn quote(word: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    if !word.is_empty() && word.iter().all(plain) { word.to_vec() } else { always_quoted(word) }
}

fn always_quoted(word: &[u8]) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for &byte in word {
        if byte == b'\'' {
            quoted.extend(br"'\''");
        } else {
            quoted.push(byte);
        }
    }
    quoted.push(b'\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_stays_one_word() {
        let words = ["/usr/bin/persist", "a b", "", "it's", "$(x);~"].map(OsStr::new);
        let line = String::from_utf8(shell_line(&words)).unwrap();
        assert_eq!(line, r"/usr/bin/persist 'a b' '' 'it'\''s' '$(x);~'");
    }
}
