//! Command lines for sh that other programs run (pure).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Hides output and failure of the command before it.
pub const QUIETLY: &str = " >/dev/null 2>&1 || :";

/// A command line for sh of words that stay what they are.
pub fn shell_line(words: &[&OsStr]) -> Vec<u8> {
    let mut line = Vec::new();
    for word in words {
        if !line.is_empty() {
            line.push(b' ');
        }
        line.extend(quote(word.as_bytes()));
    }
    line
}

/// A word in single quotes, where it needs any.
fn quote(word: &[u8]) -> Vec<u8> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-".contains(byte);
    if !word.is_empty() && word.iter().all(plain) { word.to_vec() } else { quoted(word) }
}

/// A word in single quotes.
pub fn quoted(word: &[u8]) -> Vec<u8> {
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
