//! Bytes as hexadecimal digits (pure).

use std::fmt::Write;

/// Two lower-case hexadecimal digits for each byte.
///
/// ```
/// assert_eq!(terminal_lobby::text::hex(b"\x00\xfe"), "00fe");
/// ```
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // writing to a String cannot fail
        text
    })
}
