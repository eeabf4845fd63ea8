//! What is kept of shares and links, and what they allow (pure).

use crate::protocol::people::Grant;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most shares and most links of one user.
const MAX: usize = 100;
/// How long a share is good by itself and at most, in hours.
const HOURS: u64 = 8;
const MAX_HOURS: u64 = 30 * 24;
/// How long a link is good by itself and at most, in days.
const DAYS: u64 = 7;
const MAX_DAYS: u64 = 90;
/// How many people may use a link by itself and at most.
const VIEWERS: usize = 5;
const MAX_VIEWERS: usize = 100;
/// Most characters of a name that is kept to be shown.
const MAX_NAME: usize = 128;

/// A session that one other person may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    pub id: String,
    /// The session's birth id.
    pub session: String,
    /// The session's name when it was shared.
    pub name: String,
    /// The other person's user.
    pub with: String,
    /// Whether that person may type.
    pub drive: bool,
    /// In seconds since the epoch.
    pub made: u64,
    pub until: u64,
}

/// A link to the text of one conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub id: String,
    /// SHA-256 of its secret, hexadecimal.
    pub hash: String,
    pub session: String,
    pub name: String,
    pub agent: String,
    /// The conversation's own id.
    pub conversation: String,
    pub made: u64,
    pub until: u64,
    /// How many people may use it.
    pub most: usize,
    /// Those who did: users, or hashes of browsers that are not logged in.
    pub viewers: BTreeSet<String>,
    /// When one of them last opened it; 0 if none did.
    pub viewed: u64,
}

/// What the owner wants to share.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareWish {
    pub session: String,
    pub with: String,
    pub drive: bool,
    #[serde(default)]
    pub hours: Option<u64>,
}

/// What the owner wants a link to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkWish {
    pub session: String,
    #[serde(default)]
    pub days: Option<u64>,
    #[serde(default)]
    pub viewers: Option<usize>,
}

/// Everything that is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct File {
    #[serde(default)]
    pub(super) shares: Vec<Share>,
    #[serde(default)]
    pub(super) links: Vec<Link>,
}

/// Why something is not shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("a share lasts from 1 hour to 30 days")]
    Hours,
    #[error("a link lasts from 1 to 90 days")]
    Days,
    #[error("a link is for 1 to 100 people")]
    Viewers,
    #[error("there are too many shares; revoke some first")]
    TooMany,
}

impl File {
    /// Adds a share; an older one of the same session with the same person gives way to it.
    pub(super) fn share(
        &mut self,
        wish: &ShareWish,
        name: &str,
        id: String,
        now: u64,
    ) -> Result<Share, Refused> {
        let hours = wish.hours.unwrap_or(HOURS);
        if !(1..=MAX_HOURS).contains(&hours) {
            return Err(Refused::Hours);
        }
        self.shares.retain(|share| share.session != wish.session || share.with != wish.with);
        if self.shares.len() >= MAX {
            return Err(Refused::TooMany);
        }
        let share = Share {
            id,
            session: wish.session.clone(),
            name: name.chars().take(MAX_NAME).collect(),
            with: wish.with.clone(),
            drive: wish.drive,
            made: now,
            until: now + hours * 3600,
        };
        self.shares.push(share.clone());
        Ok(share)
    }

    /// Adds a link; its times are filled in here.
    pub(super) fn link(&mut self, wish: &LinkWish, link: Link, now: u64) -> Result<Link, Refused> {
        let (days, most) = (wish.days.unwrap_or(DAYS), wish.viewers.unwrap_or(VIEWERS));
        if !(1..=MAX_DAYS).contains(&days) {
            return Err(Refused::Days);
        }
        if !(1..=MAX_VIEWERS).contains(&most) {
            return Err(Refused::Viewers);
        }
        if self.links.len() >= MAX {
            return Err(Refused::TooMany);
        }
        let name = link.name.chars().take(MAX_NAME).collect();
        let link = Link { name, made: now, until: now + days * 24 * 3600, most, ..link };
        self.links.push(link.clone());
        Ok(link)
    }

    /// Removes those whose time is over; gives the shares and how many links.
    pub(super) fn expire(&mut self, now: u64) -> (Vec<Share>, Vec<Link>) {
        let is_over = |until: u64| until <= now;
        let shares = self.shares.extract_if(.., |share| is_over(share.until)).collect();
        let links = self.links.extract_if(.., |link| is_over(link.until)).collect();
        (shares, links)
    }

    pub(super) fn has_expired(&self, now: u64) -> bool {
        self.shares.iter().any(|share| share.until <= now)
            || self.links.iter().any(|link| link.until <= now)
    }

    /// What a person may see: by session.
    pub(super) fn grants(&self, with: &str, now: u64) -> BTreeMap<String, Grant> {
        let own = self.shares.iter().filter(|share| share.with == with && now < share.until);
        let grant = |share: &Share| {
            let Share { id, drive, until, .. } = share.clone();
            (share.session.clone(), Grant { id, drive, until })
        };
        own.map(grant).collect()
    }

    /// Until when a share or link is good; `None` if it is no more.
    pub(super) fn until(&self, id: &str) -> Option<u64> {
        let share = self.shares.iter().find(|share| share.id == id).map(|share| share.until);
        share.or_else(|| self.links.iter().find(|link| link.id == id).map(|link| link.until))
    }

    /// Each person with whom something is shared, and until when at most.
    pub(super) fn people(&self) -> BTreeMap<&str, u64> {
        let mut people = BTreeMap::new();
        for share in &self.shares {
            let until: &mut u64 = people.entry(share.with.as_str()).or_default();
            *until = share.until.max(*until);
        }
        people
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(session: &str, with: &str, drive: bool, hours: Option<u64>) -> ShareWish {
        ShareWish { session: session.into(), with: with.into(), drive, hours }
    }

    #[test]
    fn a_share_allows_one_person_one_session_for_a_while() {
        let mut file = File::default();
        for hours in [0, MAX_HOURS + 1, u64::MAX] {
            let refused = file.share(&wish("s", "ann", true, Some(hours)), "n", "1".into(), 100);
            assert_eq!(refused, Err(Refused::Hours));
        }
        file.share(&wish("s", "ann", true, None), "n", "1".into(), 100).unwrap();
        file.share(&wish("t", "bob", false, Some(1)), "n", "2".into(), 100).unwrap();
        let until = 100 + 8 * 3600;
        let grant = Grant { id: "1".into(), drive: true, until };
        assert_eq!(file.grants("ann", until - 1), [("s".to_owned(), grant)].into());
        assert!(file.grants("ann", until).is_empty() && file.grants("eve", 100).is_empty());
        // The newer one counts.
        file.share(&wish("s", "ann", false, None), "n", "3".into(), 200).unwrap();
        assert!(!file.grants("ann", 300)["s"].drive);
        assert_eq!(file.until("1"), None);
        assert_eq!(file.people().len(), 2);
        assert_eq!(file.expire(100 + 3600).0.len(), 1);
        assert!(!file.has_expired(100 + 3600));
    }

    #[test]
    fn there_are_only_so_many() {
        let mut file = File::default();
        for number in 0..MAX {
            file.share(&wish(&number.to_string(), "ann", false, None), "n", "x".into(), 1).unwrap();
        }
        let more = file.share(&wish("more", "ann", false, None), "n", "x".into(), 1);
        assert_eq!(more, Err(Refused::TooMany));
    }
}
