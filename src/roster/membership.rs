//! Who should have a row: the members of a group against the rows of the roster.

use super::members::Member;
use super::row::{Layout, Roster, Row, Tier};
use super::rules;
use super::validate::HostFacts;
use crate::yaml::problem::quoted;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What to change, and what is left to a person.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Membership {
    /// New members with the floor row, by OS user.
    pub new: BTreeMap<String, Row>,
    /// Rows to comment out, by OS user, each with why.
    pub leavers: BTreeMap<String, String>,
    /// Admins who are no members: their rows stay.
    pub protected: BTreeMap<String, String>,
    /// Names that lead to no clear answer, each with why. Rows that they concern stay.
    pub left_to_a_person: BTreeMap<String, String>,
    /// Members of whom the provider does not say whether they are active.
    pub activity_unknown: Vec<String>,
    /// Why the leavers' rows may not be commented out.
    pub refused: Option<String>,
}

/// The OS user that a member gets: the one the provider names, else the username without its
/// domain, in small letters, everything but letters and digits a '-'.
pub fn os_user(member: &Member) -> String {
    member.os_user.clone().unwrap_or_else(|| {
        let local = member.username.split('@').next().unwrap_or_default();
        label(local)
    })
}

/// A name as a DNS label may be, as far as letters and digits allow.
fn label(name: &str) -> String {
    let name = name.to_lowercase();
    let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    name.chars().map(plain).collect::<String>().trim_matches('-').to_owned()
}

/// Compares. `host` knows the accounts of the host by the names of [`os_user`].
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
                        "the row is {}, the provider says {}",
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
        match newcomer(user, members, roster, host, &mut concerned) {
            Ok(row) => drop(found.new.insert(user.clone(), row)),
            Err(why) => {
                let each = members.iter().map(|member| (member.username.clone(), why.clone()));
                found.left_to_a_person.extend(each);
            }
        }
    }
    leave(&mut found, members, roster, &concerned);
    let (leavers, users) = (found.leavers.len(), roster.users.len());
    if leavers * 100 > usize::from(max_cut_percent) * users {
        let most = format!("more than {max_cut_percent} percent");
        found.refused = Some(format!("{leavers} of {users} users would be cut: {most}"));
    }
    found
}

/// The floor row of a new member, or why there is none.
fn newcomer<'r>(
    user: &str,
    members: &[&Member],
    roster: &'r Roster,
    host: &HostFacts,
    concerned: &mut BTreeSet<&'r str>,
) -> Result<Row, String> {
    let [member] = members else {
        let names: Vec<String> = members.iter().map(|member| quoted(&member.username)).collect();
        return Err(format!("{} would all be user {}", names.join(", "), quoted(user)));
    };
    let identity = &member.username;
    let (shown, rule) = (quoted(user), |broken: rules::Broken| broken.0);
    rules::authentik_user(identity).map_err(rule)?;
    let same = |(_, row): &(&String, &Row)| row.authentik_user.eq_ignore_ascii_case(identity);
    if let Some((other, _)) = roster.users.iter().find(same) {
        concerned.insert(other);
        return Err(format!("differs from the identity of {} only in case", quoted(other)));
    }
    if let Some((other, row)) = roster.users.get_key_value(user) {
        concerned.insert(other);
        let identity = quoted(&row.authentik_user);
        return Err(format!("user {shown} is taken: its row belongs to {identity}"));
    }
    if let Some((other, _)) = roster.users.iter().find(|(_, row)| row.k8s_user == user) {
        return Err(format!("k8s_user {shown} is taken by {}", quoted(other)));
    }
    rules::user_name(user).map_err(rule)?;
    rules::k8s_user(user).map_err(rule)?;
    let namespace = label(user);
    rules::namespace(&namespace).map_err(rule)?;
    if let Some(uid) = host.uids.get(user) {
        return Err(format!("the host has an account {shown} (uid {uid}) that no row names"));
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

fn leave(found: &mut Membership, members: &[Member], roster: &Roster, concerned: &BTreeSet<&str>) {
    let by_name: BTreeMap<&str, &Member> =
        members.iter().map(|member| (member.username.as_str(), member)).collect();
    for (user, row) in &roster.users {
        let why = match by_name.get(row.authentik_user.as_str()) {
            None => "no member of the group",
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
