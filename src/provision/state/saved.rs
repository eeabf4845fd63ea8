//! A plan that was looked at, to be carried out later: as long as nothing it follows from has moved
//! (pure).
//!
//! It holds hashes of the facts, not the work: what is carried out is planned again from the same
//! facts, so nothing that was put into the file is ever done.

use super::digest;
use crate::provision::observe::observed::Observed;
use crate::provision::plan::Plan;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// The form that is written.
const FORMAT: u32 = 1;
/// More names than these say less than their number.
const MOST: usize = 5;

/// The file of `plan --out`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// Of this form.
    pub format: u32,
    /// Seconds since 1970.
    pub made: u64,
    /// The roster's file.
    pub roster: String,
    /// Only these users.
    pub users: Vec<String>,
    /// The hash of each fact, by name.
    pub facts: BTreeMap<String, String>,
    /// The hash of the changes.
    pub plan: String,
}

impl Saved {
    /// What a plan follows from. `inputs` are the bytes of files besides the host: the roster, the
    /// configuration.
    pub fn of(
        (roster, users): (&str, &[String]),
        inputs: &[(&str, &[u8])],
        observed: &Observed,
        plan: &Plan,
        made: u64,
    ) -> Self {
        Self {
            format: FORMAT,
            made,
            roster: roster.to_owned(),
            users: users.to_vec(),
            facts: facts(inputs, observed),
            plan: of(&plan.changes),
        }
    }

    /// Reads the file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &[u8]) -> Result<Self, String> {
        let saved: Self = serde_json::from_slice(text)
            .map_err(|error| format!("not a plan of `provision plan --out`: {error}"))?;
        if saved.format == FORMAT {
            Ok(saved)
        } else {
            Err(format!("a plan of form {}, of another version", saved.format))
        }
    }

    /// What is not as it was when the plan was made; nothing when it can be carried out.
    pub fn moved(&self, now: &Self) -> Option<String> {
        let names = self.facts.keys().chain(now.facts.keys());
        let mut moved: Vec<&str> = names
            .filter(|name| self.facts.get(*name) != now.facts.get(*name))
            .map(String::as_str)
            .collect();
        moved.sort_unstable();
        moved.dedup();
        if moved.is_empty() {
            let other = self.plan != now.plan || self.users != now.users;
            return other.then(|| "the same facts lead to another plan now".to_owned());
        }
        let more = moved.len().saturating_sub(MOST);
        moved.truncate(MOST);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Some(format!("{}{more}", moved.join(", ")))
    }
}

fn facts(inputs: &[(&str, &[u8])], observed: &Observed) -> BTreeMap<String, String> {
    let mut facts: BTreeMap<String, String> = BTreeMap::new();
    for (name, bytes) in inputs {
        facts.insert((*name).to_owned(), digest::of(bytes));
    }
    each(&mut facts, "account", &observed.accounts);
    each(&mut facts, "group", &observed.groups);
    each(&mut facts, "lock", observed.locks.as_ref().unwrap_or(&BTreeMap::new()));
    each(&mut facts, "home", &observed.homes);
    each(&mut facts, "inside", &observed.inside);
    each(&mut facts, "file", &observed.files);
    let units = &observed.units;
    for (name, hash) in [
        ("units", of(&(&units.templates, &units.enabled, &units.masked))), // not what runs just now
        ("ports", of(&(&observed.ports, &observed.playwright_ports))),
        ("who is cut", of(&observed.cut)),
        ("configured files", of(&observed.site)),
        ("what was written", of(&observed.written)),
        ("the applied roster", of(&observed.applied)),
    ] {
        facts.insert(name.to_owned(), hash);
    }
    facts
}

fn each<T: Debug>(facts: &mut BTreeMap<String, String>, kind: &str, all: &BTreeMap<String, T>) {
    facts.extend(all.iter().map(|(name, fact)| (format!("{kind} {name}"), of(fact))));
}

/// The hash of a value, by the text that shows all of it.
fn of(value: &impl Debug) -> String {
    digest::of(format!("{value:?}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::observe::observed::{File, Group};
    use crate::provision::plan::Record;
    use crate::roster::Roster;

    fn saved(observed: &Observed) -> Saved {
        let record = Record {
            roster: Roster::default(),
            ports: BTreeMap::new(),
            playwright_ports: BTreeMap::new(),
            adopted: Vec::new(),
        };
        let plan = Plan { changes: Vec::new(), record };
        Saved::of(("r.yaml", &[]), &[("the roster", b"users:\n")], observed, &plan, 7)
    }

    #[test]
    fn a_fact_that_moved_is_named() {
        let mut observed = Observed::default();
        let before = saved(&observed);
        assert_eq!(before.moved(&saved(&observed)), None);
        observed.groups.insert("docker".to_owned(), Group::default());
        let file = File::Read { bytes: b"SECRET".to_vec(), mode: 0o600 };
        observed.files.insert("/etc/t3-serve/ann.env".to_owned(), file);
        let now = saved(&observed);
        assert_eq!(before.moved(&now).unwrap(), "file /etc/t3-serve/ann.env, group docker");
        let text = serde_json::to_string(&now).unwrap();
        assert!(!text.contains("SECRET"), "{text}");
        assert_eq!(Saved::read(text.as_bytes()).unwrap(), now);
    }
}
