//! The browsers that are notified: their push services, and their keys.

use super::keys::{KeyPair, PrivateKey, decode};
use axum::http::Uri;
use serde::{Deserialize, Serialize};
use terminal_lobby::sys::clock::Epoch;
use terminal_lobby::sys::fs::random_hex;
use terminal_lobby::sys::net::http::{check_address, host, is_exposed};
use web_push_native::{Auth, p256};

/// The file with them.
pub(super) const DEVICES: &str = "push.json";
/// How many there are at most; the one that was of use longest ago gives way.
const MAX_DEVICES: usize = 20;
/// Maximum length of an endpoint's URL, in bytes.
const MAX_ENDPOINT: usize = 2048;
/// Maximum length of a key of a browser's, in characters.
const MAX_KEY: usize = 128;
/// Where the sender is reached, if the lobby has no address that others reach: push services refuse `localhost`.
const NO_SITE: &str = "https://example.org/";

/// The key pair of the user's, and the browsers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Devices {
    private: Option<PrivateKey>,
    pub(super) devices: Vec<Device>,
}

/// One browser. Its endpoint and keys let others send to it: no page gets them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Device {
    pub(super) id: String,
    pub(super) endpoint: String,
    p256dh: String,
    auth: String,
    name: String,
    /// The lobby's address in that browser.
    site: String,
    created: Epoch,
    /// When its push service last took a message.
    #[serde(default)]
    pub(super) used: Epoch,
    /// Why its push service did not take the last message; empty if it did.
    #[serde(default)]
    pub(super) trouble: String,
}

/// What a browser says when it subscribes: the endpoint of its push service, its keys (RFC 8291), and the page's origin.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewDevice {
    endpoint: String,
    p256dh: String,
    auth: String,
    site: String,
}

/// A browser as its person sees it.
#[derive(Debug, Serialize)]
pub struct ShownDevice {
    id: String,
    name: String,
    /// The host of its push service.
    service: String,
    created: Epoch,
    used: Epoch,
    trouble: String,
    /// The SHA-256 of its endpoint, by which a browser finds itself.
    endpoint: String,
}

impl ShownDevice {
    pub(super) fn of(device: &Device) -> Self {
        use sha2::{Digest, Sha256};
        Self {
            id: device.id.clone(),
            name: device.name.clone(),
            service: host(&device.endpoint).to_owned(),
            created: device.created,
            used: device.used,
            trouble: device.trouble.clone(),
            endpoint: terminal_lobby::text::hex(&Sha256::digest(device.endpoint.as_bytes())),
        }
    }
}

impl NewDevice {
    /// Checks what the browser says.
    pub(super) fn checked(self, name: String, now: Epoch) -> Result<Device, &'static str> {
        let is_fit = self.endpoint.len() <= MAX_ENDPOINT
            && check_address(&self.endpoint).is_ok()
            && self.endpoint.parse::<Uri>().is_ok();
        if !is_fit {
            return Err("the address of the push service is not valid");
        }
        if is_exposed(&self.endpoint) {
            return Err("the push service does not use https");
        }
        let id = random_hex()[..16].to_owned();
        let site = if self.site.len() <= 256
            && self.site.starts_with("https://")
            && check_address(&self.site).is_ok()
        {
            self.site
        } else {
            NO_SITE.to_owned()
        };
        let Self { endpoint, p256dh, auth, .. } = self;
        let (used, trouble) = (0, String::new());
        let device = Device { id, endpoint, p256dh, auth, name, site, created: now, used, trouble };
        device.keys().ok_or("the keys of the browser are not valid").map(|_| device)
    }
}

impl Device {
    /// What is encrypted for the browser is encrypted with; `None` if it is not valid.
    pub(super) fn keys(&self) -> Option<(p256::PublicKey, Auth)> {
        if self.p256dh.len() > MAX_KEY || self.auth.len() > MAX_KEY {
            return None;
        }
        let public = p256::PublicKey::from_sec1_bytes(&decode(&self.p256dh)?).ok()?;
        let auth: [u8; 16] = decode(&self.auth)?.try_into().ok()?;
        Some((public, auth.into()))
    }

    /// The origin of its push service.
    pub(super) fn service(&self) -> Option<String> {
        let uri: Uri = self.endpoint.parse().ok()?;
        Some(format!("{}://{}", uri.scheme_str()?, uri.authority()?.as_str()))
    }

    /// A URL at which the sender is reached.
    pub(super) fn subject(&self) -> &str {
        &self.site
    }
}

impl Devices {
    /// The key pair, made if there is none.
    pub(super) fn key(&mut self) -> KeyPair {
        loop {
            if let Some(pair) = self.private.as_ref().and_then(PrivateKey::pair) {
                return pair;
            }
            // Browsers that subscribed with another key are not reached with this one.
            self.devices.clear();
            self.private = Some(PrivateKey::new());
        }
    }

    /// Whether there is a key pair with which a browser can have subscribed.
    pub(super) fn has_key(&self) -> bool {
        self.private.as_ref().and_then(PrivateKey::pair).is_some()
    }

    /// Adds a browser, or renews the one with its endpoint; gives its id.
    pub(super) fn add(&mut self, new: Device) -> String {
        if let Some(known) = self.devices.iter_mut().find(|known| known.endpoint == new.endpoint) {
            *known = Device { id: known.id.clone(), created: known.created, ..new };
            return known.id.clone();
        }
        while self.devices.len() >= MAX_DEVICES {
            let oldest = self.devices.iter().enumerate();
            let oldest = oldest.min_by_key(|(_, device)| device.used.max(device.created));
            let Some((at, _)) = oldest else { break };
            self.devices.remove(at);
        }
        let id = new.id.clone();
        self.devices.push(new);
        id
    }

    /// Removes one; whether it was there.
    pub(super) fn remove(&mut self, id: &str) -> bool {
        let before = self.devices.len();
        self.devices.retain(|device| device.id != id);
        self.devices.len() != before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn new(endpoint: &str) -> NewDevice {
        NewDevice {
            endpoint: endpoint.to_owned(),
            // Of the example of RFC 8291, section 5.
            p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4".to_owned(),
            auth: "BTBZMqHH6r4Tts7J_aSIgg".to_owned(),
            site: "https://lobby.example".to_owned(),
        }
    }

    #[test]
    fn only_https_and_valid_keys_are_taken() {
        let check = |new: NewDevice| new.checked("x".into(), 1);
        for endpoint in ["https://push.example/a", "http://127.0.0.1:9/a", "http://localhost/"] {
            assert!(check(new(endpoint)).is_ok(), "{endpoint}");
        }
        let long = format!("https://push.example/{}", "a".repeat(MAX_ENDPOINT));
        for endpoint in [
            "",
            "ftp://push.example/",
            "file:///etc/passwd",
            "http://push.example/a",
            "http://localhost.example/",
            "http://127.0.0.1.example/",
            "https://user:secret@push.example/",
            "https://",
            "https://push.example/a\r\nx: y",
            "https://[::1/",
            &long,
        ] {
            assert!(check(new(endpoint)).is_err(), "{endpoint}");
        }
        let sites = ["javascript:x", "http://127.0.0.1:8000", "https://a b"];
        for site in sites {
            let new = NewDevice { site: site.to_owned(), ..new("https://push.example") };
            assert_eq!(check(new).unwrap().subject(), NO_SITE);
        }
        let short =
            NewDevice { auth: "BTBZMqHH6r4Tts7J_aSI".into(), ..new("https://push.example") };
        let no_point = NewDevice { p256dh: "A".repeat(87), ..new("https://push.example") };
        let endless = NewDevice { p256dh: "A".repeat(100_000), ..new("https://push.example") };
        for wrong in [short, no_point, endless] {
            assert!(check(wrong).is_err());
        }
        let device = check(new("http://127.0.0.1:9/a?b")).unwrap();
        assert_eq!(device.service().unwrap(), "http://127.0.0.1:9");
    }

    #[test]
    fn a_browser_that_subscribes_again_is_the_same_and_there_are_not_more_than_some() {
        let mut devices = Devices::default();
        let mut add = |endpoint: &str, at| {
            let device = new(endpoint).checked("x".into(), at).unwrap();
            devices.add(device)
        };
        let first = add("https://push.example/0", 0);
        assert_eq!(add("https://push.example/0", 100), first);
        for number in 1..=20 {
            add(&format!("https://push.example/{number}"), number);
        }
        assert_eq!(devices.devices.len(), MAX_DEVICES);
        assert!(devices.devices.iter().all(|device| device.id != first));
        assert!(devices.remove(&devices.devices[0].id.clone()));
        assert!(!devices.remove("x"));
    }

    #[test]
    fn a_damaged_key_is_replaced_and_browsers_with_it_go() {
        let mut devices = Devices::default();
        let public = devices.key().public();
        assert_eq!(devices.key().public(), public);
        devices.add(new("https://push.example").checked("x".into(), 1).unwrap());
        devices.private = serde_json::from_str(r#""damaged""#).unwrap();
        assert_ne!(devices.key().public(), public);
        assert!(devices.devices.is_empty());
    }
}
