//! Names on their way into and out of tmux (pure).
//!
//! tmux stores a name escaped with vis(3) and expands the name arguments of its commands as
//! formats. So a stored name comes back as `escape_format(unvis(stored))`; fed back as it is, it
//! doubles its backslashes at every cycle, and one that holds `#(command)` runs the command.
//! Verified for 35 hostile names on 3.2a, 3.3a, 3.5a, 3.6b and 3.7c.

/// Turns what tmux stores of a session or window name (of a title since 3.7) into the name's bytes.
///
/// `\\` is a backslash, `\ooo` a byte, `\n \t \r \b \a \v \f \s` as in vis(3), any other `\X` is X.
pub fn unvis(stored: &[u8]) -> Vec<u8> {
    decode(stored, true)
}

/// Escapes a name as tmux 3.3a to 3.6 store it: vis(3) with `VIS_OCTAL`, `VIS_CSTYLE`, `VIS_TAB` and `VIS_NL`, characters
/// of UTF-8 as they are, and up to 3.4 a backslash before `$` and a name (`escapes_dollar`; 3.5a has none).
pub fn vis(name: &[u8], escapes_dollar: bool) -> Vec<u8> {
    let mut stored = Vec::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        let mut characters = chunk.valid().chars().peekable();
        while let Some(character) = characters.next() {
            let next = characters.peek();
            let starts_name = next.is_some_and(|c| c.is_ascii_alphabetic() || "_{".contains(*c));
            match character {
                '\\' => stored.extend(b"\\\\"),
                '$' if escapes_dollar && starts_name => stored.extend(b"\\$"),
                c => match u8::try_from(c) {
                    Ok(byte) if byte.is_ascii() => vis_byte(byte, &mut stored),
                    // Control characters of Latin-1 have no width: tmux escapes their bytes.
                    _ if c.is_control() => {
                        for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                            vis_byte(byte, &mut stored);
                        }
                    }
                    _ => stored.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
                },
            }
        }
        for &byte in chunk.invalid() {
            vis_byte(byte, &mut stored);
        }
    }
    stored
}

/// Whether a stored name is one that tmux escaped, and not one that it took as it is. Which characters beyond ASCII
/// it escapes depends on the C library's widths. `escapes_dollar` as for [`vis`].
pub fn is_escaped(stored: &[u8], escapes_dollar: bool) -> bool {
    with_high_bytes(&vis(&unvis(stored), escapes_dollar)) == with_high_bytes(stored)
}

/// The text with each byte beyond ASCII as it is, escaped or not.
fn with_high_bytes(stored: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(stored.len());
    let mut rest = stored;
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'\\' && matches!(after, [b'2'..=b'3', b'0'..=b'7', b'0'..=b'7', ..]) {
            bytes.extend(unvis(&rest[..4]));
            rest = &rest[4..];
            continue;
        }
        let length = if byte == b'\\' { rest.len().min(2) } else { 1 };
        bytes.extend(&rest[..length]);
        rest = &rest[length..];
    }
    bytes
}

/// Escapes one byte other than backslash, if it cannot be printed.
fn vis_byte(byte: u8, stored: &mut Vec<u8>) {
    let letter = match byte {
        b' '..=b'~' => return stored.push(byte),
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x07 => b'a',
        0x08 => b'b',
        0x0b => b'v',
        0x0c => b'f',
        _ => 0,
    };
    if letter == 0 {
        stored.extend(format!("\\{byte:03o}").as_bytes());
    } else {
        stored.extend([b'\\', letter]);
    }
}

/// Removes what `#{q:}` added: a backslash before each character that a shell would take as its
/// own. With `octal_and_letters` also decodes what only the output layer of tmux 3.4 and 3.5a
/// can have written: `\ooo` and the letter escapes (`#{q:}` never puts a backslash before a
/// letter or digit, so the two cannot be confused).
pub fn unquote(quoted: &[u8], octal_and_letters: bool) -> Vec<u8> {
    decode(quoted, octal_and_letters)
}

fn decode(text: &[u8], octal_and_letters: bool) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        let Some((&escaped, after)) = rest.split_first().filter(|_| byte == b'\\') else {
            decoded.push(byte);
            continue;
        };
        rest = after;
        if !octal_and_letters {
            decoded.push(escaped);
            continue;
        }
        match escaped {
            b'0'..=b'3' if matches!(rest, [b'0'..=b'7', b'0'..=b'7', ..]) => {
                let digit = |digit: u8| digit - b'0';
                decoded.push(digit(escaped) << 6 | digit(rest[0]) << 3 | digit(rest[1]));
                rest = &rest[2..];
            }
            b'n' => decoded.push(b'\n'),
            b't' => decoded.push(b'\t'),
            b'r' => decoded.push(b'\r'),
            b'b' => decoded.push(0x08),
            b'a' => decoded.push(0x07),
            b'v' => decoded.push(0x0b),
            b'f' => decoded.push(0x0c),
            b's' => decoded.push(b' '),
            other => decoded.push(other),
        }
    }
    decoded
}

/// Escapes an argument that tmux will expand as a format, so that it expands to itself: each run
/// of `#` is doubled, except one directly followed by `[`, which tmux leaves alone.
///
/// For `-s -n -c -T` and every other expanded argument; not for option values, program arguments
/// or targets, which tmux does not expand.
pub fn escape_format(name: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(name.len());
    let mut rest = name;
    while let Some(&byte) = rest.first() {
        if byte != b'#' {
            escaped.push(byte);
            rest = &rest[1..];
            continue;
        }
        let run = rest.iter().take_while(|&&byte| byte == b'#').count();
        let doubled = if rest.get(run) == Some(&b'[') { run } else { 2 * run };
        escaped.resize(escaped.len() + doubled, b'#');
        rest = &rest[run..];
    }
    escaped
}

/// A name as tmux 3.7 and later take it, which refuse what is not UTF-8 or cannot be printed: `_` in
/// its place.
pub fn printable_name(name: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(name);
    let plain = |c: char| if c.is_control() || c == '\u{fffd}' { '_' } else { c };
    text.chars().map(plain).collect::<String>().into_bytes()
}

/// Quotes one argument for a line read by control mode or `source-file`: inside double quotes,
/// every byte outside a plain set as octal. That reproduced all 255 byte values exactly on every
/// tested version and neutralises `~ $ # ; { } %if`. A NUL byte cannot be passed and is left out.
pub fn quote(argument: &[u8]) -> String {
    use std::fmt::Write;
    let mut quoted = String::with_capacity(argument.len() + 2);
    quoted.push('"');
    for &byte in argument.iter().filter(|&&byte| byte != 0) {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => quoted.push(char::from(byte)),
            b' ' | b'_' | b'.' | b'/' | b':' | b',' | b'@' | b'%' | b'+' | b'=' | b'-' => {
                quoted.push(char::from(byte));
            }
            other => {
                let _ = write!(quoted, "\\{other:03o}"); // writing to a String cannot fail
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_escaped_is_read_back_and_what_no_name_is_escaped_to_is_not() {
        for (name, stored) in [
            (&b"a\\b"[..], &b"a\\\\b"[..]),
            (b"x$HOME ${y} $ $1", b"x\\$HOME \\${y} $ $1"),
            (b"t\tl\nz\x1b\x7f\xff", b"t\\tl\\nz\\033\\177\\377"),
            ("\u{fc}\u{1f600}".as_bytes(), "\u{fc}\u{1f600}".as_bytes()),
        ] {
            assert_eq!(super::vis(name, true), stored);
            assert_eq!(unvis(stored), name);
            assert!(is_escaped(stored, true));
        }
        assert!(is_escaped(b"\\336\\260", true), "a character without a width");
        for plain in [&b"a\\qb"[..], b"foo\\(x\\)", b"$HOME", b"\\", b"t\tx"] {
            assert!(!is_escaped(plain, true));
        }
        assert!(is_escaped(b"$HOME", false) && !is_escaped(b"\\$HOME", false), "since 3.5");
    }
    use proptest::prelude::*;

    #[test]
    fn a_name_is_made_printable_and_any_other_stays() {
        assert_eq!(printable_name(b"a\tb\xff\x7f c"), b"a_b__ c");
        let name = "caf\u{e9} \u{1f600} #(x) $HOME a.b:c".as_bytes();
        assert_eq!(printable_name(name), name);
    }

    /// How tmux 3.5a to 3.7 store a name: vis(3) with octal, C-style letters and `\\`.
    fn vis_of_later(name: &[u8]) -> Vec<u8> {
        let mut stored = Vec::new();
        for &byte in name {
            match byte {
                b'\\' => stored.extend(b"\\\\"),
                b'\n' => stored.extend(b"\\n"),
                b'\t' => stored.extend(b"\\t"),
                0..=0x1f | 0x7f..=0xff => stored.extend(format!("\\{byte:03o}").bytes()),
                _ => stored.push(byte),
            }
        }
        stored
    }

    /// How tmux expands an argument without variables (`format_expand`, seen on every version):
    /// `##` is one `#`, a run of `#` before `[` stays.
    fn expand(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = text;
        while let Some(&byte) = rest.first() {
            let run = rest.iter().take_while(|&&byte| byte == b'#').count();
            if run == 0 {
                out.push(byte);
                rest = &rest[1..];
                continue;
            }
            let kept = if rest.get(run) == Some(&b'[') { run } else { run / 2 };
            assert!(rest.get(run) == Some(&b'[') || run % 2 == 0, "would expand: {text:?}");
            out.resize(out.len() + kept, b'#');
            rest = &rest[run..];
        }
        out
    }

    #[test]
    fn stored_forms_of_every_version_decode_to_the_name() {
        for (stored, name) in [
            (&br"a\\b"[..], &br"a\b"[..]),
            (br"\$HOME", b"$HOME"),
            (b"a$b", b"a$b"),
            (br"\t\n\001\033\177\377\376", b"\t\n\x01\x1b\x7f\xff\xfe"),
            ("\u{1f600}e\u{301}".as_bytes(), "\u{1f600}e\u{301}".as_bytes()),
            (br"end\", br"end\"),
        ] {
            assert_eq!(unvis(stored), name);
        }
    }

    #[test]
    fn a_name_that_holds_a_command_expands_to_itself() {
        assert_eq!(escape_format(b"#(touch x)"), b"##(touch x)");
        assert_eq!(escape_format(b"a#[b]##[c]#{d}##e"), b"a#[b]##[c]##{d}####e");
    }

    proptest! {
        #[test]
        fn unvis_undoes_vis(name in proptest::collection::vec(1_u8.., 0..60)) {
            prop_assert_eq!(unvis(&vis_of_later(&name)), name);
        }

        #[test]
        fn an_escaped_format_expands_to_the_name(name in "[#\\[({a-c%]{0,30}") {
            prop_assert_eq!(expand(&escape_format(name.as_bytes())), name.as_bytes());
        }

        #[test]
        fn a_quoted_argument_is_one_plain_line(argument in proptest::collection::vec(1_u8.., 0..60)) {
            let quoted = quote(&argument);
            let inside = &quoted[1..quoted.len() - 1];
            prop_assert!(inside.bytes().all(|byte| (b' '..=b'z').contains(&byte) && !b"\"$#;~`'".contains(&byte)));
            prop_assert_eq!(unvis(inside.as_bytes()), argument);
        }
    }
}
