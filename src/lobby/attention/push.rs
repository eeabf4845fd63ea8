//! Sending to push services (RFC 8030). Their addresses come from browsers, and what answers there is not trusted: no
//! redirect is followed, time is bounded, and of an answer only its status and one header are read.

use super::devices::{DEVICES, Device, Devices};
use super::due::{Millis, Outcome};
use super::keys::KeyPair;
use super::message::{self, Outgoing};
use crate::kept::{Kept, KeptError};
use std::collections::BTreeMap;
use std::time::Duration;
use terminal_lobby::sys::clock;
use terminal_lobby::sys::net::http::Messenger;
use web_push_native::encrypt;

/// How long one push service may take, with everything.
const PATIENCE: Duration = Duration::from_secs(10);
/// The least and the most that a push service can ask to wait, in seconds.
const RETRY_AFTER: (u64, u64) = (1, 3600);

/// What one push service did.
#[derive(Debug, PartialEq, Eq)]
enum Sent {
    Taken,
    /// The browser is no longer subscribed.
    Gone,
    /// It is to be tried again, after so many seconds if it says so.
    Later {
        after: u64,
        why: String,
    },
    /// It does not take this, now or later.
    Refused(String),
}

/// Sends a message to the browsers of these ids, or all if none is named.
///
/// # Errors
/// If the browsers cannot be read. Those that are gone and have trouble are kept so if that is possible.
pub(super) fn send(
    kept: &Kept,
    outgoing: &Outgoing,
    only: &[String],
) -> Result<(Outcome, bool), KeptError> {
    let (results, is_wanted) = send_each(kept, outgoing, only)?;
    let (mut lack, mut wait) = (Vec::new(), 0);
    for (id, sent) in results {
        if let Sent::Later { after, .. } = sent {
            lack.push(id);
            wait = wait.max(after);
        }
    }
    let not_before: Millis = (clock::now() + wait) * 1000;
    let outcome = if lack.is_empty() { Outcome::Done } else { Outcome::Later { lack, not_before } };
    Ok((outcome, is_wanted))
}

/// Sends a test to all browsers: how many took it, why others did not, and whether any is left.
pub(super) fn test(kept: &Kept) -> Result<(usize, Vec<String>, bool), KeptError> {
    let (results, is_wanted) = send_each(kept, &message::test(), &[])?;
    let taken = results.values().filter(|sent| **sent == Sent::Taken).count();
    let why = results.into_values().filter_map(|sent| match sent {
        Sent::Taken => None,
        Sent::Gone => Some("the browser is no longer subscribed".to_owned()),
        Sent::Later { why, .. } | Sent::Refused(why) => Some(why),
    });
    Ok((taken, why.collect(), is_wanted))
}

fn send_each(
    kept: &Kept,
    outgoing: &Outgoing,
    only: &[String],
) -> Result<(BTreeMap<String, Sent>, bool), KeptError> {
    let (key, mut devices) = kept.change(DEVICES, |all: &mut Devices| {
        let key = all.key();
        (key, all.devices.clone())
    })?;
    devices.retain(|device| only.is_empty() || only.contains(&device.id));
    // One that hangs holds up no other that does not.
    devices.sort_by_key(|device| !device.trouble.is_empty());
    let results: BTreeMap<String, Sent> =
        devices.iter().map(|device| (device.id.clone(), send_to(device, &key, outgoing))).collect();
    let note = |all: &mut Devices| {
        all.devices.retain(|device| results.get(&device.id) != Some(&Sent::Gone));
        for device in &mut all.devices {
            match results.get(&device.id) {
                Some(Sent::Taken) => (device.used, device.trouble) = (clock::now(), String::new()),
                Some(Sent::Later { why, .. } | Sent::Refused(why)) => {
                    device.trouble.clone_from(why);
                }
                Some(Sent::Gone) | None => {}
            }
        }
        !all.devices.is_empty()
    };
    let is_wanted = kept.change(DEVICES, note).unwrap_or_else(|error| {
        tracing::warn!(%error, "what push services said is not kept");
        true
    });
    Ok((results, is_wanted))
}

fn send_to(device: &Device, key: &KeyPair, outgoing: &Outgoing) -> Sent {
    let refused = |why: &str| Sent::Refused(why.to_owned());
    let Some((public, auth)) = device.keys() else { return refused("its keys are not valid") };
    let Some(service) = device.service() else { return refused("its address is not valid") };
    let Ok(body) = encrypt(outgoing.text.clone(), &public, &auth) else {
        return refused("the message could not be encrypted");
    };
    let request = axum::http::Request::post(&device.endpoint)
        .header("ttl", outgoing.seconds)
        .header("topic", &outgoing.topic)
        .header("urgency", outgoing.urgency)
        .header("content-encoding", "aes128gcm")
        .header("content-type", "application/octet-stream")
        .header("authorization", key.authorization(&service, device.subject(), clock::now()))
        .body(body);
    let Ok(request) = request else { return refused("its address is not valid") };
    let messenger = match Messenger::new(PATIENCE, None) {
        Ok(messenger) => messenger,
        Err(error) => return Sent::Later { after: 0, why: error.to_string() },
    };
    match messenger.deliver(request) {
        Ok((status, retry_after)) => verdict(status, retry_after.as_deref()),
        Err(error) => Sent::Later { after: 0, why: error.to_string() },
    }
}

fn verdict(status: u16, retry_after: Option<&str>) -> Sent {
    match status {
        200..=299 => Sent::Taken,
        404 | 410 => Sent::Gone,
        408 | 429 | 500.. => {
            let (least, most) = RETRY_AFTER;
            let after = retry_after.and_then(|text| text.trim().parse::<u64>().ok());
            let after = after.map_or(0, |after| after.clamp(least, most));
            Sent::Later { after, why: format!("the push service answers {status}") }
        }
        _ => Sent::Refused(format!("the push service answers {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_push_services_are_what_the_standard_says_and_waiting_is_bounded() {
        assert_eq!(verdict(201, None), Sent::Taken);
        assert_eq!(verdict(404, None), Sent::Gone);
        assert_eq!(verdict(410, Some("5")), Sent::Gone);
        for status in [301, 308, 400, 403, 413] {
            assert!(matches!(verdict(status, None), Sent::Refused(_)), "{status}");
        }
        for (said, expected) in [
            (None, 0),
            (Some("120"), 120),
            (Some("0"), 1),
            (Some("99999999999"), 3600),
            (Some("99999999999999999999999999"), 0),
            (Some("-1"), 0),
            (Some("Sun, 06 Nov 1994 08:49:37 GMT"), 0),
        ] {
            let Sent::Later { after, .. } = verdict(429, said) else { panic!("{said:?}") };
            assert_eq!(after, expected, "{said:?}");
        }
        assert!(matches!(verdict(503, None), Sent::Later { after: 0, .. }));
    }
}
