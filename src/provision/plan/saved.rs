//! A saved plan, to be applied later if nothing that it follows from changed (pure).
//!
//! It holds hashes of the facts, not the changes: what is applied is planned again from the same facts, so
//! nothing that was put into the file is ever carried out.

use super::Plan;
use crate::provision::observe::observed::Observed;
use crate::provision::state::digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// The format that is written.
const FORMAT: u32 = 1;
/// Maximum number of facts that are named.
const MAX_NAMES: usize = 5;

/// The saved plan cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SavedPlanError {
    #[error("not a plan of `provision plan --out`: {0}")]
    Invalid(#[from] serde_json::Error),
    #[error("a plan of format {0}, made by another version: make it again with --out")]
    Format(u32),
}

/// The file of `plan --out`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    pub format: u32,
    /// When it was made, in seconds since 1970.
    pub made: u64,
    /// The file of the roster.
    pub roster: String,
    /// Only these users; all if empty.
    pub users: Vec<String>,
    /// The hash of each fact, by name.
    pub facts: BTreeMap<String, String>,
    /// The hash of the changes.
    pub plan: String,
}

impl SavedPlan {
    /// `inputs` are what the plan follows from besides the host: the bytes of the roster and of the
    /// configuration, by name.
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

    pub fn read(text: &[u8]) -> Result<Self, SavedPlanError> {
        let saved: Self = serde_json::from_slice(text)?;
        if saved.format == FORMAT { Ok(saved) } else { Err(SavedPlanError::Format(saved.format)) }
    }

    /// The facts that changed since the plan was made; `None` if it can be applied.
    pub fn changed(&self, now: &Self) -> Option<String> {
        let names = self.facts.keys().chain(now.facts.keys());
        let mut changed: Vec<&str> = names
            .filter(|name| self.facts.get(*name) != now.facts.get(*name))
            .map(String::as_str)
            .collect();
        changed.sort_unstable();
        changed.dedup();
        if changed.is_empty() {
            let other = self.plan != now.plan || self.users != now.users;
            return other.then(|| "the same facts now lead to another plan".to_owned());
        }
        let more = changed.len().saturating_sub(MAX_NAMES);
        changed.truncate(MAX_NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        Some(format!("{}{more}", changed.join(", ")))
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
    each(&mut facts, "contents of home", &observed.home_reports);
    each(&mut facts, "file", &observed.files);
    let units = &observed.units;
    for (name, hash) in [
        ("units", of(&(&units.templates, &units.enabled, &units.masked))), // not the ones that run at the moment
        ("ports", of(&(&observed.ports, &observed.playwright_ports))),
        ("users who are cut", of(&observed.cut)),
        ("configured files", of(&observed.configured)),
        ("record of what was written", of(&observed.written)),
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
    use crate::provision::plan::PlanRecord;
    use crate::roster::Roster;

    fn saved(observed: &Observed) -> SavedPlan {
        let record = PlanRecord {
            roster: Roster::default(),
            ports: BTreeMap::new(),
            playwright_ports: BTreeMap::new(),
            adopted: Vec::new(),
        };
        let plan = Plan { changes: Vec::new(), record };
        SavedPlan::of(("r.yaml", &[]), &[("the roster", b"users:\n")], observed, &plan, 7)
    }

    #[test]
    fn a_fact_that_changed_is_named() {
        let mut observed = Observed::default();
        let before = saved(&observed);
        assert_eq!(before.changed(&saved(&observed)), None);
        observed.groups.insert("docker".to_owned(), Group::default());
        let file = File::Read { bytes: b"SECRET".to_vec(), mode: 0o600 };
        observed.files.insert("/etc/t3-serve/ann.env".to_owned(), file);
        let now = saved(&observed);
        assert_eq!(before.changed(&now).unwrap(), "file /etc/t3-serve/ann.env, group docker");
        let text = serde_json::to_string(&now).unwrap();
        assert!(!text.contains("SECRET"), "{text}");
        assert_eq!(SavedPlan::read(text.as_bytes()).unwrap(), now);
    }
}
