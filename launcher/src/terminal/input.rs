//! What is typed and clicked in a pane that waits (pure): the bytes of a terminal, one after the other.

/// Asks the terminal to report clicks and the wheel, with decimal numbers (xterm: 1000, 1006).
pub(crate) const MOUSE_ON: &[u8] = b"\x1b[?1000h\x1b[?1006h";
/// Takes that back.
pub(crate) const MOUSE_OFF: &[u8] = b"\x1b[?1006l\x1b[?1000l";
/// A longer sequence is skipped.
const MAX_SEQUENCE: usize = 32;

/// What the user did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    Key(u8),
    /// The first button was pressed and released in one place.
    Click,
    /// The wheel was turned.
    Wheel,
}

/// Reads a terminal's bytes.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    state: State,
    /// Where the first button was pressed.
    pressed: Option<(u32, u32)>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Plain,
    Escape,
    /// The bytes after `ESC [`.
    Sequence(Vec<u8>),
    /// One more byte belongs to `ESC O`.
    OneMore,
}

impl Reader {
    /// Takes one byte; returns what it completes.
    pub(crate) fn take(&mut self, byte: u8) -> Option<Input> {
        match std::mem::take(&mut self.state) {
            State::Escape if byte == b'[' => {
                self.state = State::Sequence(Vec::new());
                None
            }
            State::Escape if byte == b'O' => {
                self.state = State::OneMore;
                None
            }
            State::OneMore if !byte.is_ascii_control() => None,
            State::Sequence(mut bytes) if (b' '..=b'?').contains(&byte) => {
                bytes.push(byte);
                if bytes.len() <= MAX_SEQUENCE {
                    self.state = State::Sequence(bytes);
                }
                None
            }
            State::Sequence(bytes) if (b'@'..=b'~').contains(&byte) => self.sequence(&bytes, byte),
            // A control character ends what was begun, and counts.
            _ if byte == b'\x1b' => {
                self.state = State::Escape;
                None
            }
            _ => Some(Input::Key(byte)),
        }
    }

    /// A report of the mouse: `ESC [ < button ; column ; row`, then `M`, or `m` for a release.
    fn sequence(&mut self, bytes: &[u8], last: u8) -> Option<Input> {
        const MODIFIERS: u32 = 4 | 8 | 16;
        const WHEEL: [u32; 2] = [64, 65];
        let text = std::str::from_utf8(bytes).ok()?.strip_prefix('<')?;
        let mut numbers = text.split(';').map(str::parse::<u32>);
        let mut number = || numbers.next()?.ok();
        let (button, at) = (number()? & !MODIFIERS, (number()?, number()?));
        match (button, last) {
            (0, b'M') => self.pressed = Some(at),
            (0, b'm') if self.pressed.take() == Some(at) => return Some(Input::Click),
            (button, b'M') if WHEEL.contains(&button) => return Some(Input::Wheel),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<Input> {
        let mut reader = Reader::default();
        bytes.iter().filter_map(|byte| reader.take(*byte)).collect()
    }

    #[test]
    fn a_click_is_a_press_and_a_release_in_one_place() {
        assert_eq!(read(b"\x1b[<0;10;5M\x1b[<0;10;5m"), [Input::Click]);
        assert_eq!(read(b"\x1b[<0;10;5M\x1b[<0;12;5m"), [], "text was marked");
        assert_eq!(read(b"\x1b[<2;10;5M\x1b[<2;10;5m"), [], "another button");
        assert_eq!(read(b"\x1b[<0;1;1m"), [], "it was pressed elsewhere");
        assert_eq!(read(b"\x1b[<64;1;1M\x1b[<65;1;1M"), [Input::Wheel; 2]);
    }

    #[test]
    fn keys_that_send_sequences_are_no_letters() {
        assert_eq!(read(b"\x1b[A\x1bOP\x1b[1;5C\x1b[15~"), []);
        assert_eq!(read(b"\x1b[200~q\x1b[201~"), [Input::Key(b'q')]);
        assert_eq!(read(b"x\r"), [Input::Key(b'x'), Input::Key(b'\r')]);
    }

    #[test]
    fn enter_counts_whatever_was_begun_before_it() {
        for begun in [&b"\x1b"[..], b"\x1b[", b"\x1b[<0;1", b"\x1bO", b"\x1b\x1b"] {
            let last = read(&[begun, b"\r"].concat()).pop();
            assert_eq!(last, Some(Input::Key(b'\r')), "{begun:?}");
        }
        let long = [&b"\x1b["[..], &[b'1'; 100], b"\r"].concat();
        assert_eq!(read(&long).pop(), Some(Input::Key(b'\r')));
    }
}
