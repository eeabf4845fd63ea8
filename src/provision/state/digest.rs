//! Hashes of what was last written, and of what a plan must not show (pure).

use crate::text::hex;
use sha2::{Digest as _, Sha256};

/// The SHA-256 of some bytes, as `sha256:` and 64 hexadecimal digits.
pub fn of(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

/// The beginning of the hash: enough to tell two values apart, too little to search for the value.
pub fn short(bytes: &[u8]) -> String {
    let mut text = of(bytes);
    text.truncate("sha256:".len() + 12);
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_hash_is_the_usual_one() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(super::of(b""), empty);
        assert_eq!(super::short(b""), "sha256:e3b0c44298fc");
    }
}
