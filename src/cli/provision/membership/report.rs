//! What `provision membership` prints.

use super::publish::Published;
use crate::cli::output::{paint, style};
use crate::roster::membership::Membership;
use crate::text::escape;
use serde::Serialize;
use serde_json::{Value, json};
use std::fmt::Write;

/// What came of the comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Unchanged,
    /// There are differences, which this option writes.
    Compared(&'static str),
    Applied,
    Published(Published),
    Refused,
    Unknown,
}

/// The name of an outcome in JSON.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum MembershipResult {
    Unchanged,
    Compared,
    Applied,
    Committed,
    Pushed,
    Rejected,
    Refused,
    Unknown,
}

impl Outcome {
    fn result(&self) -> MembershipResult {
        match self {
            Self::Unchanged => MembershipResult::Unchanged,
            Self::Compared(_) => MembershipResult::Compared,
            Self::Applied => MembershipResult::Applied,
            Self::Published(Published::Committed { .. }) => MembershipResult::Committed,
            Self::Published(Published::Pushed { .. }) => MembershipResult::Pushed,
            Self::Published(Published::Rejected { .. }) => MembershipResult::Rejected,
            Self::Refused => MembershipResult::Refused,
            Self::Unknown => MembershipResult::Unknown,
        }
    }

    fn text(&self) -> String {
        let short = |commit: &str| commit.chars().take(12).collect::<String>();
        match self {
            Self::Applied => "written to the roster".to_owned(),
            Self::Refused => "refused".to_owned(),
            Self::Unchanged => "no changes".to_owned(),
            Self::Unknown => "not written".to_owned(),
            Self::Compared(option) => format!("not written; {option} writes it"),
            Self::Published(Published::Committed { commit, branch }) => {
                format!("commit {} in branch {branch}, not pushed", short(commit))
            }
            Self::Published(Published::Pushed { commit, branch }) => {
                format!("commit {} pushed to {branch}", short(commit))
            }
            Self::Published(Published::Rejected { .. }) => "rejected by the remote".to_owned(),
        }
    }
}

/// The result as JSON.
pub(super) fn as_json(file: &str, outcome: &Outcome, found: &Membership) -> Value {
    let mut value = json!({ "file": file, "result": outcome.result() });
    if let (Value::Object(value), Ok(Value::Object(found))) =
        (&mut value, serde_json::to_value(found))
    {
        value.extend(found);
    }
    if let Outcome::Published(
        Published::Committed { commit, .. } | Published::Pushed { commit, .. },
    ) = outcome
    {
        value["commit"] = json!(commit);
    }
    value
}

/// The result if the members cannot be determined, as JSON.
pub(super) fn unknown_as_json(file: &str, why: &str) -> Value {
    json!({ "file": file, "result": Outcome::Unknown.result(), "error": why })
}

/// The result as text.
pub(super) fn text(found: &Membership, outcome: &Outcome) -> String {
    let mut text = String::new(); // writing to it cannot fail
    for (user, row) in &found.new {
        let (sign, identity) =
            (paint(style::ADDED, "+ add"), escape(row.authentik_user.as_bytes()));
        let _ = writeln!(text, "{sign} {user}: {identity}, {}", row.tier.name());
    }
    for (user, why) in &found.leavers {
        let _ = writeln!(text, "{} {user}: {why}", paint(style::REMOVED, "- cut"));
    }
    for (user, why) in &found.protected {
        let _ = writeln!(text, "  keep {user}: {why}, but an admin");
    }
    for (identity, why) in &found.left_to_a_person {
        let identity = escape(identity.as_bytes());
        let _ = writeln!(text, "{} {identity}: {why}", paint(style::WARNING, "! unclear"));
    }
    let (new, cut) = (found.new.len(), found.leavers.len());
    let (protected, unclear) = (found.protected.len(), found.left_to_a_person.len());
    let outcome = outcome.text();
    text + &format!(
        "Membership: {new} to add, {cut} to cut, {protected} protected, {unclear} unclear ({outcome}).\n"
    )
}
