//! Entries for the system journal, in its native protocol (<https://systemd.io/JOURNAL_NATIVE_PROTOCOL/>).

use super::notify::send_datagram;
use std::io;
use std::path::Path;

/// Where the journal listens.
pub const SOCKET: &str = "/run/systemd/journal/socket";

/// An entry, field by field. A value cannot add another field.
#[derive(Debug, Default)]
pub struct Entry(Vec<u8>);

impl Entry {
    /// Adds a field.
    pub fn field(&mut self, name: &str, value: &[u8]) {
        self.0.extend(name.as_bytes());
        if value.contains(&b'\n') {
            // A value of several lines is preceded by its length, 64 bits, little-endian.
            self.0.push(b'\n');
            self.0.extend((value.len() as u64).to_le_bytes());
        } else {
            self.0.push(b'=');
        }
        self.0.extend(value);
        self.0.push(b'\n');
    }

    /// The bytes of the datagram.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Enters it. `_UID` and the like are added by the journal itself, which asks the kernel.
    ///
    /// # Errors
    /// If there is no journal, or it takes no more.
    pub fn send(self, socket: &Path) -> io::Result<()> {
        send_datagram(socket, &self.0)
    }
}
