//! The key pair by which push services know who sends (RFC 8292), and what it signs.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use terminal_lobby::sys::clock::Epoch;
use web_push_native::p256::ecdsa::signature::Signer;
use web_push_native::p256::ecdsa::{Signature, SigningKey};
use web_push_native::p256::elliptic_curve::rand_core::OsRng;

/// How long a signature is good, in seconds: at most a day is allowed.
const GOOD: Epoch = 12 * 60 * 60;

/// The private key, base64url: it is never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct PrivateKey(String);

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PrivateKey")
    }
}

impl PrivateKey {
    /// A new one.
    pub(super) fn new() -> Self {
        Self(encode(&SigningKey::random(&mut OsRng).to_bytes()))
    }

    /// The key pair; `None` if the text is none.
    pub(super) fn pair(&self) -> Option<KeyPair> {
        let bytes = decode(&self.0)?;
        SigningKey::from_slice(&bytes).ok().map(KeyPair)
    }
}

/// The key pair.
#[derive(Debug)]
pub(super) struct KeyPair(SigningKey);

impl KeyPair {
    /// The public key, base64url of the uncompressed point: what browsers call `applicationServerKey`.
    pub(super) fn public(&self) -> String {
        encode(self.0.verifying_key().to_encoded_point(false).as_bytes())
    }

    /// The `Authorization` header for a push service (RFC 8292, section 2): `audience` is its origin, `subject` a URL
    /// at which the sender is reached.
    pub(super) fn authorization(&self, audience: &str, subject: &str, now: Epoch) -> String {
        let header = encode(br#"{"typ":"JWT","alg":"ES256"}"#);
        let claims = serde_json::json!({ "aud": audience, "exp": now + GOOD, "sub": subject });
        let signed = format!("{header}.{}", encode(claims.to_string().as_bytes()));
        let signature: Signature = self.0.sign(signed.as_bytes());
        format!("vapid t={signed}.{}, k={}", encode(&signature.to_bytes()), self.public())
    }
}

pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base64url, with padding or without: browsers differ.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use web_push_native::p256::ecdsa::signature::Verifier;

    #[test]
    fn what_is_signed_can_be_checked_with_the_public_key_and_the_private_one_is_not_shown() {
        let private = PrivateKey::new();
        let pair = private.pair().unwrap();
        assert!(!format!("{private:?} {pair:?}").contains(&private.0));
        let header = pair.authorization("https://push.example", "https://lobby.example", 100);
        let (token, key) = header.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        assert_eq!(key, pair.public());
        assert_eq!(decode(key).unwrap().len(), 65);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = Signature::from_slice(&decode(signature).unwrap()).unwrap();
        pair.0.verifying_key().verify(signed.as_bytes(), &signature).unwrap();
        let claims = decode(signed.split_once('.').unwrap().1).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(
            (&claims["aud"], &claims["exp"]),
            (&"https://push.example".into(), &(100 + GOOD).into())
        );
    }

    #[test]
    fn a_damaged_key_is_none() {
        for text in ["", "x", "AAAA", &"A".repeat(43), "!"] {
            assert!(PrivateKey(text.to_owned()).pair().is_none(), "{text}");
        }
    }
}
