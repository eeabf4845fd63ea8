//! How a tmux server writes bytes to its client's standard output (pure).
//!
//! With `-u`, 3.2a, 3.3a, 3.6b and 3.7c print raw bytes; 3.4 and 3.5a pass them through vis(3),
//! and 3.4 also puts a backslash before `$` and a name. Version numbers do not show it (builds are
//! patched), so every answer starts with a probe of known bytes.

use super::escape::unquote;

/// Printed first in every answer.
pub const PROBE: &str = "\u{1f}$A";

/// The output layer of one server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Raw bytes: 3.2a, 3.3a, 3.6b, 3.7c.
    Raw,
    /// vis(3): 3.5a.
    Vis,
    /// vis(3), and a backslash before `$` and a name: 3.4.
    VisDollar,
}

impl Dialect {
    /// Recognises the dialect by how [`PROBE`] came out; `None` for anything else, such as the
    /// `_` of a client without `-u`.
    pub fn of(probe: &[u8]) -> Option<Self> {
        match probe {
            b"\x1f$A" => Some(Self::Raw),
            br"\037$A" => Some(Self::Vis),
            br"\037\$A" => Some(Self::VisDollar),
            _ => None,
        }
    }

    /// Gives the value that `#{q:value}` was printed for.
    pub fn value(self, printed: &[u8]) -> Vec<u8> {
        match self {
            Self::Raw => unquote(printed, false),
            Self::Vis => unquote(printed, true),
            Self::VisDollar => unquote(&drop_dollar_escapes(printed), true),
        }
    }
}

impl Dialect {
    /// A line without the backslashes that 3.4 puts before dollars. The rest of what an output layer does is
    /// undone with the escapes that `show-options` itself writes.
    pub fn without_dollars(self, printed: &[u8]) -> Vec<u8> {
        if self == Self::VisDollar { drop_dollar_escapes(printed) } else { printed.to_vec() }
    }
}

/// Drops the backslash that 3.4 puts before each `$` that a name character or `{` follows.
fn drop_dollar_escapes(printed: &[u8]) -> Vec<u8> {
    let starts_name = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b'{';
    let mut dropped = Vec::with_capacity(printed.len());
    for (at, &byte) in printed.iter().enumerate() {
        let added = byte == b'\\'
            && printed.get(at + 1) == Some(&b'$')
            && printed.get(at + 2).is_some_and(|&byte| starts_name(byte));
        if !added {
            dropped.push(byte);
        }
    }
    dropped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// `#{q:}`, as measured: a backslash before these characters and nothing else.
    fn q(value: &[u8]) -> Vec<u8> {
        let mut quoted = Vec::new();
        for &byte in value {
            if b"|&;<>()$`\\\"'*?[# =%".contains(&byte) {
                quoted.push(b'\\');
            }
            quoted.push(byte);
        }
        quoted
    }

    /// The output layers, as measured (vis NOSLASH; 3.4's dollar).
    fn print(dialect: Dialect, bytes: &[u8]) -> Vec<u8> {
        if dialect == Dialect::Raw {
            return bytes.to_vec();
        }
        let mut printed = Vec::new();
        for (at, &byte) in bytes.iter().enumerate() {
            let named = bytes
                .get(at + 1)
                .is_some_and(|&byte| byte.is_ascii_alphabetic() || b"_{".contains(&byte));
            match byte {
                b'$' if dialect == Dialect::VisDollar && named => printed.extend(b"\\$"),
                0x07 => printed.extend(b"\\a"),
                0x08 => printed.extend(b"\\b"),
                0x0b => printed.extend(b"\\v"),
                0x0c => printed.extend(b"\\f"),
                b'\r' => printed.extend(b"\\r"),
                b'\t' | b'\n' | b' '..=b'~' => printed.push(byte),
                _ => printed.extend(format!("\\{byte:03o}").bytes()),
            }
        }
        printed
    }

    #[test]
    fn the_probe_tells_the_three_dialects_and_refuses_a_wrecked_one() {
        for dialect in [Dialect::Raw, Dialect::Vis, Dialect::VisDollar] {
            assert_eq!(Dialect::of(&print(dialect, PROBE.as_bytes())), Some(dialect));
        }
        assert_eq!(Dialect::of(b"_$A"), None);
    }

    proptest! {
        #[test]
        fn every_value_survives_every_dialect(value in proptest::collection::vec(1_u8.., 0..60)) {
            for dialect in [Dialect::Raw, Dialect::Vis, Dialect::VisDollar] {
                prop_assert_eq!(dialect.value(&print(dialect, &q(&value))), value.clone());
            }
        }

        #[test]
        fn names_full_of_dollars_and_backslashes_survive(value in "[$\\\\{_a0-3 #]{0,20}") {
            for dialect in [Dialect::Raw, Dialect::Vis, Dialect::VisDollar] {
                prop_assert_eq!(dialect.value(&print(dialect, &q(value.as_bytes()))), value.as_bytes());
            }
        }
    }
}
