//! The WebSocket of one view of a terminal (pure).
//!
//! Text messages are JSON. Binary messages begin with one byte that says what they are:
//!
//! | first byte | from the page | from the lobby |
//! |---|---|---|
//! | 0 | what was typed | what the terminal printed |
//! | 1 | how many bytes of output were shown in all | how many bytes of input were taken in all |
//!
//! Numbers are 64 bits, little endian. Both sides count what they got, so a view goes on where it was when its
//! connection breaks: the first message says how much output the page has, the answer how much input the lobby has.

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

/// The first byte of data: typed or printed.
const DATA: u8 = 0;
/// The first byte of a count.
const COUNT: u8 = 1;
/// Maximum size of one message from the page, in bytes.
pub const MAX_MESSAGE: usize = 64 << 10;
/// Maximum size of a terminal.
const MAX_SIDE: u16 = 1000;

/// What the page says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum FromPage {
    /// The first message.
    Hello {
        /// The view's own id: 32 hexadecimal digits that the page made at random.
        view: String,
        /// The session's birth id.
        session: String,
        #[serde(flatten)]
        size: Size,
        /// Whether only to look.
        #[serde(default)]
        watch: bool,
        /// Whether to make the view ready before a person opens the session: it neither sizes nor types, until it drives.
        #[serde(default)]
        preload: bool,
        /// How many bytes of this view's output the page has.
        received: u64,
    },
    /// The size has changed.
    Resize(Size),
    /// From now on this view types and sizes, and the one that did no longer does.
    Drive(Size),
}

/// The size of a terminal, in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
}

/// What the lobby says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromLobby {
    /// Answers the first message.
    Welcome {
        /// Whether the view goes on; otherwise the page begins with an empty terminal.
        resumed: bool,
        /// How many bytes of input this view has taken.
        taken: u64,
    },
    /// The size that a view which does not drive has: that of the session, which its driver decides.
    Size(Size),
    /// Whether this view types and sizes.
    Role { drives: bool },
    /// The owner gives the keyboard to this view: it is to say that it drives.
    Handed,
    /// There is no more.
    Ended { reason: Reason },
}

/// Why a view has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// There is no such session.
    NoSession,
    /// The session has ended.
    SessionEnded,
    /// The view was detached, the session goes on.
    Detached,
    /// The page has left.
    Left,
    /// Another connection took the view.
    Elsewhere,
    /// There are too many views.
    TooMany,
    /// The terminal could not be started.
    Failed,
    /// What was shared is not any more.
    Revoked,
    /// The time of the share is over.
    Expired,
}

/// A binary message from the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Binary {
    Typed(Bytes),
    Shown(u64),
}

impl Size {
    /// A size that a terminal can have.
    #[must_use]
    pub fn bounded(self) -> Self {
        Self { columns: self.columns.clamp(2, MAX_SIDE), rows: self.rows.clamp(2, MAX_SIDE) }
    }
}

impl Binary {
    /// `None` if it is no message of ours.
    pub fn parse(mut message: Bytes) -> Option<Self> {
        match *message.first()? {
            DATA => Some(Self::Typed(message.split_off(1))),
            COUNT => Some(Self::Shown(u64::from_le_bytes(message[1..].try_into().ok()?))),
            _ => None,
        }
    }
}

/// A message that counts input.
pub fn taken(bytes: u64) -> Bytes {
    let mut message = BytesMut::with_capacity(9);
    message.put_u8(COUNT);
    message.put_u64_le(bytes);
    message.freeze()
}

/// An empty message of output, to which it is appended.
pub fn output(capacity: usize) -> BytesMut {
    let mut message = BytesMut::with_capacity(capacity + 1);
    message.put_u8(DATA);
    message
}

/// Whether a view's id is one.
pub fn is_view_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_they_are_written_and_others_refused() {
        assert_eq!(Binary::parse(Bytes::from_static(b"\0ab")), Some(Binary::Typed("ab".into())));
        assert_eq!(Binary::parse(taken(700)), Some(Binary::Shown(700)));
        for wrong in [&b""[..], b"\x01\0", b"\x02abc", b"\x01123456789"] {
            assert_eq!(Binary::parse(Bytes::copy_from_slice(wrong)), None);
        }
        let text =
            r#"{"type":"hello","view":"a","session":"b","columns":80,"rows":24,"received":5}"#;
        let hello: FromPage = serde_json::from_str(text).unwrap();
        assert!(matches!(hello, FromPage::Hello { watch: false, received: 5, .. }));
        assert!(serde_json::from_str::<FromPage>(r#"{"type":"run"}"#).is_err());
    }

    #[test]
    fn no_size_is_too_small_or_too_large_for_a_terminal() {
        let size = Size { columns: 0, rows: u16::MAX }.bounded();
        assert_eq!(size, Size { columns: 2, rows: MAX_SIDE });
    }
}
