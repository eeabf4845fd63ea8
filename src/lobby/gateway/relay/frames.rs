//! Where WebSocket frames begin in bytes that go by (RFC 6455, 5.2), so that a close frame can be put between two.

/// The opcode of a close frame.
const CLOSE: u8 = 8;

/// How far the bytes that went by are into a frame.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    header: [u8; 14],
    have: usize,
    payload: u64,
    has_closed: bool,
}

impl Frames {
    /// Goes on by these bytes.
    pub(crate) fn pass(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.payload > 0 {
                let length = usize::try_from(self.payload).unwrap_or(usize::MAX).min(bytes.len());
                self.payload -= length as u64;
                bytes = &bytes[length..];
                continue;
            }
            self.header[self.have] = bytes[0];
            self.have += 1;
            bytes = &bytes[1..];
            if self.have >= 2 && self.have == self.header_length() {
                self.payload = self.payload_length();
                self.has_closed |= self.header[0] & 0x0f == CLOSE;
                self.have = 0;
            }
        }
    }

    /// Whether a frame has ended and the next has not begun.
    pub(crate) fn is_between(&self) -> bool {
        self.have == 0 && self.payload == 0
    }

    /// Whether a close frame has begun.
    pub(crate) fn has_closed(&self) -> bool {
        self.has_closed
    }

    fn header_length(&self) -> usize {
        let length = match self.header[1] & 0x7f {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        length + if self.header[1] & 0x80 == 0 { 0 } else { 4 }
    }

    fn payload_length(&self) -> u64 {
        let header = &self.header;
        match header[1] & 0x7f {
            126 => u16::from_be_bytes([header[2], header[3]]).into(),
            127 => header[2..10].iter().fold(0, |length, byte| length << 8 | u64::from(*byte)),
            length => length.into(),
        }
    }
}

/// A close frame of a server's.
pub(crate) fn close(code: u16) -> [u8; 4] {
    let [high, low] = code.to_be_bytes();
    [0x88, 2, high, low]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_every_length_are_followed_however_they_are_cut() {
        let mut all = Vec::new();
        let mut ends = Vec::new();
        for (length, mask) in
            [(0usize, 0u8), (5, 0x80), (125, 0), (126, 0), (70_000, 0x80), (65_536, 0)]
        {
            all.push(0x82);
            match length {
                0..126 => all.push(mask | u8::try_from(length).unwrap()),
                126..65_536 => {
                    all.push(mask | 0x7e);
                    all.extend(u16::try_from(length).unwrap().to_be_bytes());
                }
                _ => {
                    all.push(mask | 0x7f);
                    all.extend((length as u64).to_be_bytes());
                }
            }
            if mask > 0 {
                all.extend([1, 2, 3, 4]);
            }
            all.resize(all.len() + length, 0xff);
            ends.push(all.len());
        }
        for step in [1, 3, 1000, all.len()] {
            let (mut frames, mut at) = (Frames::default(), 0);
            for part in all.chunks(step) {
                frames.pass(part);
                at += part.len();
                assert_eq!(frames.is_between(), ends.contains(&at), "{step} {at}");
            }
        }
    }
}
