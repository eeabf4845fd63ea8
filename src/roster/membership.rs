//! Compares the members of a group with the rows of the roster (pure).

use super::members::Member;
use super::row::{Layout, Roster, Row, Tier};
use super::rules;
use super::validate::HostFacts;
use crate::yaml::problem::quoted;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The rows to add and to comment out, and what a person must decide.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// New members with a row of the lowest tier, by OS user.
    pub new: BTreeMap<String, Row>,
    /// Rows to comment out, by OS user, each with the reason.
    pub leavers: BTreeMap<String, String>,
    /// Admins who are not members: their rows stay.
    pub protected: BTreeMap<String, String>,
    /// Identities that a person must decide about, each with the reason. Their rows stay.
    pub left_to_a_person: BTreeMap<String, String>,
    /// Members whose activity the provider does not report.
    pub activity_unknown: Vec<String>,
    /// Why no rows are commented out.
    pub refused: Option<String>,
}

/// The OS user of a member: the one that the provider names, else the username without its domain, in
/// lower case, with '-' for everything but letters and digits.
pub fn os_user(member: &Member) -> String {
    member.os_user.clone().unwrap_or_else(|| {
        let local = member.username.split('@').next().unwrap_or_default();
        label(local)
    })
}

/// A name as a DNS label: lower case, with '-' for everything but letters and digits.
fn label(name: &str) -> String {
    let name = name.to_lowercase();
    let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    name.chars().map(plain).collect::<String>().trim_matches('-').to_owned()
}

/// Compares. `host` has the accounts of the host by the names that [`os_user`] gives.
pub fn compare(
    members: &[Member],
    roster: &Roster,
    host: &HostFacts,
    max_cut_percent: u8,
) -> Membership {
    let mut found = Membership::default();
    let mut concerned = BTreeSet::new();
    let rows: BTreeMap<&str, &String> =
        roster.users.iter().map(|(user, row)| (row.authentik_user.as_str(), user)).collect();
    let mut fresh: BTreeMap<String, Vec<&Member>> = BTreeMap::new();
    for member in members {
        if member.active.is_none() {
            found.activity_unknown.push(member.username.clone());
        }
        match rows.get(member.username.as_str()) {
            Some(user) => {
                if let Some(os_user) = member.os_user.as_ref().filter(|other| other != user) {
                    let why = format!(
                        "the row is {}, but the provider names {}",
                        quoted(user),
                        quoted(os_user)
                    );
                    found.left_to_a_person.insert(member.username.clone(), why);
                    concerned.insert(user.as_str());
                }
            }
            None if member.active == Some(false) => {}
            None => fresh.entry(os_user(member)).or_default().push(member),
        }
    }
    for (user, members) in &fresh {
        match new_row(user, members, roster, host, &mut concerned) {
            Ok(row) => drop(found.new.insert(user.clone(), row)),
            Err(why) => {
                let each = members.iter().map(|member| (member.username.clone(), why.to_string()));
                found.left_to_a_person.extend(each);
            }
        }
    }
    find_leavers(&mut found, members, roster, &concerned);
    let (leavers, users) = (found.leavers.len(), roster.users.len());
    if leavers * 100 > usize::from(max_cut_percent) * users {
        found.refused =
            Some(format!("{leavers} of {users} users would be cut, more than {max_cut_percent} %"));
    }
    found
}

/// Why a person must decide about a new member.
#[derive(Debug, thiserror::Error)]
enum NoRow {
    #[error("{names} would all become user {user}")]
    Ambiguous { names: String, user: String },
    /// A name breaks a rule.
    #[error("{0}")]
    Invalid(String),
    #[error("differs from the identity of {0} only in case")]
    OnlyCase(String),
    #[error("user {user} is taken: its row belongs to {identity}")]
    UserTaken { user: String, identity: String },
    #[error("k8s_user {k8s_user} is taken by {other}")]
    K8sUserTaken { k8s_user: String, other: String },
    #[error("this host has an account {user} (uid {uid}) that is in no row")]
    Account { user: String, uid: u32 },
}

/// The row of a new member, or why a person must decide.
fn new_row<'r>(
    user: &str,
    members: &[&Member],
    roster: &'r Roster,
    host: &HostFacts,
    concerned: &mut BTreeSet<&'r str>,
) -> Result<Row, NoRow> {
    let [member] = members else {
        let names: Vec<String> = members.iter().map(|member| quoted(&member.username)).collect();
        return Err(NoRow::Ambiguous { names: names.join(", "), user: quoted(user) });
    };
    let identity = &member.username;
    let rule = |violation: rules::RuleViolation| NoRow::Invalid(violation.what);
    rules::authentik_user(identity).map_err(rule)?;
    let same = |(_, row): &(&String, &Row)| row.authentik_user.eq_ignore_ascii_case(identity);
    if let Some((other, _)) = roster.users.iter().find(same) {
        concerned.insert(other);
        return Err(NoRow::OnlyCase(quoted(other)));
    }
    if let Some((other, row)) = roster.users.get_key_value(user) {
        concerned.insert(other);
        let identity = quoted(&row.authentik_user);
        return Err(NoRow::UserTaken { user: quoted(user), identity });
    }
    if let Some((other, _)) = roster.users.iter().find(|(_, row)| row.k8s_user == user) {
        return Err(NoRow::K8sUserTaken { k8s_user: quoted(user), other: quoted(other) });
    }
    rules::user_name(user).map_err(rule)?;
    rules::k8s_user(user).map_err(rule)?;
    let namespace = label(user);
    rules::namespace(&namespace).map_err(rule)?;
    if let Some(uid) = host.uids.get(user) {
        return Err(NoRow::Account { user: quoted(user), uid: *uid });
    }
    Ok(Row {
        authentik_user: identity.clone(),
        k8s_user: user.to_owned(),
        tier: Tier::NamespaceOwner,
        namespaces: vec![namespace],
        code_layout: Layout::Workspace,
        repos: Vec::new(),
        parked: false,
    })
}

fn find_leavers(
    found: &mut Membership,
    members: &[Member],
    roster: &Roster,
    concerned: &BTreeSet<&str>,
) {
    let by_name: BTreeMap<&str, &Member> =
        members.iter().map(|member| (member.username.as_str(), member)).collect();
    for (user, row) in &roster.users {
        let why = match by_name.get(row.authentik_user.as_str()) {
            None => "not a member of the group",
            Some(Member { active: Some(false), .. }) => "deactivated",
            Some(_) => continue,
        };
        if row.tier == Tier::Admin {
            found.protected.insert(user.clone(), why.to_owned());
        } else if !concerned.contains(user.as_str()) {
            found.leavers.insert(user.clone(), why.to_owned());
        }
    }
}
