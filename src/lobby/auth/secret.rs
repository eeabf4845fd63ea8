//! Secrets that stand for a person: 128 random bits, kept as a hash, compared in constant time.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use terminal_lobby::sys::fs::random_hex;

/// The hash of a secret.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// A new one: the text to hand out, which is not kept, and its hash.
    pub fn new() -> (String, Self) {
        let text = random_hex();
        let hash = Self::of(&text);
        (text, hash)
    }

    /// One that was handed out elsewhere.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Whether a text is this secret.
    pub fn is(&self, text: &str) -> bool {
        Self::of(text).0.ct_eq(&self.0).into()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_itself_and_nothing_else() {
        let ((one, hash), (two, _)) = (Secret::new(), Secret::new());
        assert!(one.len() >= 32 && one != two);
        assert!(hash.is(&one) && !hash.is(&two) && !hash.is("") && !hash.is(&one[1..]));
    }
}
