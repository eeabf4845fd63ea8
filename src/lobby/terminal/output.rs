//! What a view printed and the page has not shown yet (pure): kept, so that it can be sent again, and bounded, so that
//! a page which is slower than the terminal holds the terminal up instead of filling memory.

use crate::protocol::terminal;
use bytes::Bytes;
use std::collections::VecDeque;

/// No more is read from the terminal while so many bytes are not shown.
const HIGH: u64 = 512 << 10;
/// It is read again once no more than so many are.
const LOW: u64 = 128 << 10;

/// No view prints more: as many bytes as a page can count.
const MAX_COUNT: u64 = 1 << 53;

/// The end of a view's output.
#[derive(Debug, Default)]
pub(super) struct Unshown {
    /// Pieces as they were sent, each with its first byte that says what it is.
    messages: VecDeque<Bytes>,
    /// How many bytes were printed before the first of them.
    begin: u64,
    /// How many bytes were printed in all.
    printed: u64,
    is_full: bool,
}

impl Unshown {
    /// That of a view which printed so many bytes that are gone; `None` for a number that cannot be.
    pub(super) fn after(bytes: u64) -> Option<Self> {
        let can_be = bytes <= MAX_COUNT;
        can_be.then(|| Self { begin: bytes, printed: bytes, ..Self::default() })
    }

    /// Whether more may be read from the terminal.
    pub(super) fn has_room(&self) -> bool {
        !self.is_full
    }

    /// Keeps a message of output.
    pub(super) fn push(&mut self, message: Bytes) {
        self.printed += message.len() as u64 - 1;
        self.messages.push_back(message);
        self.is_full |= self.printed - self.begin >= HIGH;
    }

    /// The page has shown so many bytes in all. `false` for a number that cannot be.
    pub(super) fn shown(&mut self, bytes: u64) -> bool {
        if bytes > self.printed {
            return false;
        }
        while let Some(first) = self.messages.front() {
            let end = self.begin + first.len() as u64 - 1;
            if end > bytes {
                break;
            }
            self.begin = end;
            self.messages.pop_front();
        }
        self.is_full &= self.printed - self.begin > LOW;
        true
    }

    /// What a page that has so many bytes lacks, as messages; `None` if it is no longer there.
    pub(super) fn since(&self, received: u64) -> Option<Vec<Bytes>> {
        if received < self.begin || received > self.printed {
            return None;
        }
        let mut at = self.begin;
        let mut lacking = Vec::new();
        for message in &self.messages {
            let (begin, data) = (at, message.slice(1..));
            at += data.len() as u64;
            if at <= received {
                continue;
            }
            let skip = usize::try_from(received.saturating_sub(begin)).unwrap_or(0);
            let mut part = terminal::output(data.len() - skip);
            part.extend_from_slice(&data[skip..]);
            lacking.push(part.freeze());
        }
        Some(lacking)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(text: &str) -> Bytes {
        Bytes::from(format!("\0{text}"))
    }

    #[test]
    fn a_page_gets_again_just_what_it_lacks() {
        let mut unshown = Unshown::default();
        for text in ["abc", "de", "fgh"] {
            unshown.push(printed(text));
        }
        let since = |unshown: &Unshown, received| {
            let messages = unshown.since(received)?;
            Some(
                messages
                    .iter()
                    .map(|part| String::from_utf8_lossy(&part[1..]).into_owned())
                    .collect::<String>(),
            )
        };
        for received in 0..=8 {
            let rest = &"abcdefgh"[usize::try_from(received).unwrap()..];
            assert_eq!(since(&unshown, received).as_deref(), Some(rest));
        }
        assert_eq!(since(&unshown, 9), None);
        assert!(unshown.shown(4));
        // Of a message that was shown in part all is kept.
        assert_eq!(since(&unshown, 3).as_deref(), Some("defgh"));
        assert_eq!(since(&unshown, 2), None);
        assert!(!unshown.shown(9));
    }

    #[test]
    fn counts_go_on_after_output_that_is_gone() {
        let mut unshown = Unshown::after(1000).unwrap();
        unshown.push(printed("abc"));
        assert_eq!(unshown.since(1000), Some(vec![printed("abc")]));
        assert_eq!(unshown.since(999), None);
        assert!(unshown.shown(1003) && !unshown.shown(1004));
        assert!(Unshown::after(u64::MAX).is_none());
    }

    #[test]
    fn a_slow_page_holds_the_terminal_up_until_it_has_shown_most() {
        let mut unshown = Unshown::default();
        let piece = "x".repeat(64 << 10);
        let mut bytes = 0;
        while unshown.has_room() {
            unshown.push(printed(&piece));
            bytes += piece.len() as u64;
        }
        assert!((HIGH..HIGH + (64 << 10)).contains(&bytes));
        assert!(unshown.shown(bytes - LOW - 1) && !unshown.has_room());
        assert!(unshown.shown(bytes - LOW) && unshown.has_room());
    }
}
