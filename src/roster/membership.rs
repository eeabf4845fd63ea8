//! Compares the members of a group with the rows of the roster (pure).

use super::identity_source::local_part;
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

/// The OS user of a member: the one that the provider names, else the identity without its domain, in
/// lower case, with '-' for everything but letters and digits.
pub fn os_user(member: &Member) -> String {
    member.os_user.clone().unwrap_or_else(|| label(local_part(&member.identity)))
}

/// The names under which the host may already know the user of a member: other spellings of a name in
/// which only letters and digits count.
pub fn spellings(member: &Member) -> Vec<String> {
    let name = os_user(member);
    let raw = local_part(&member.identity).to_lowercase();
    let with = |to: &str| name.replace('-', to);
    let mut names = vec![with("_"), with("."), with(""), raw, name];
    names.sort();
    names.dedup();
    names
}

/// A name as a DNS label: lower case, with '-' for everything but letters and digits.
fn label(name: &str) -> String {
    let name = name.to_lowercase();
    let plain = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    name.chars().map(plain).collect::<String>().trim_matches('-').to_owned()
}

/// What the members are compared with, besides the rows.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// Rows that are commented out, by OS user, in their order.
    pub former: &'a [(String, Row)],
    /// Accounts and groups of the host, in any spelling of the names that [`os_user`] gives.
    pub host: &'a HostFacts,
    /// Names that no new user or namespace may have, besides the cluster's own.
    pub reserved: &'a [String],
    pub max_cut_percent: u8,
}

/// Compares members with the rows of a roster.
pub fn compare(members: &[Member], roster: &Roster, context: &Context<'_>) -> Membership {
    let mut found = Membership::default();
    let mut concerned = BTreeSet::new();
    let rows: BTreeMap<&str, &String> =
        roster.users.iter().map(|(user, row)| (row.authentik_user.as_str(), user)).collect();
    let mut fresh: BTreeMap<String, Vec<&Member>> = BTreeMap::new();
    let duplicates = duplicate_identities(members);
    for member in members {
        if member.active.is_none() {
            found.activity_unknown.push(member.username.clone());
        }
        let row = rows.get(member.identity.as_str());
        if duplicates.contains(member.identity.as_str()) {
            let why = format!("several members have the identity {}", quoted(&member.identity));
            found.left_to_a_person.insert(member.username.clone(), why);
            concerned.extend(row.map(|user| user.as_str()));
            continue;
        }
        if let Some(user) = row {
            if let Some(os_user) = member.os_user.as_ref().filter(|other| other != user) {
                let why = format!(
                    "the row is {}, but the provider names {}",
                    quoted(user),
                    quoted(os_user)
                );
                found.left_to_a_person.insert(member.username.clone(), why);
                concerned.insert(user.as_str());
            }
            continue;
        }
        let same_person = same_local_part(member, roster, &rows, members);
        if !same_person.is_empty() {
            let users: Vec<String> = same_person.iter().map(|user| quoted(user)).collect();
            let why = format!(
                "may be the user of row {}: the names differ only after the '@', or in case",
                users.join(", ")
            );
            found.left_to_a_person.insert(member.username.clone(), why);
            concerned.extend(same_person);
        } else if member.active != Some(false) {
            fresh.entry(os_user(member)).or_default().push(member);
        }
    }
    for (user, members) in &fresh {
        match new_row(user, members, roster, context, &mut concerned) {
            Ok((user, row)) => drop(found.new.insert(user, row)),
            Err(why) => {
                let each = members.iter().map(|member| (member.username.clone(), why.to_string()));
                found.left_to_a_person.extend(each);
            }
        }
    }
    leave_clashes(&mut found, members);
    find_leavers(&mut found, members, roster, &concerned);
    let (leavers, users) = (found.leavers.len(), roster.users.len());
    let max = context.max_cut_percent;
    if leavers * 100 > usize::from(max) * users {
        found.refused = Some(format!("{leavers} of {users} users would be cut, more than {max} %"));
    }
    found
}

/// Identities that more than one member has.
fn duplicate_identities(members: &[Member]) -> BTreeSet<&str> {
    let mut seen = BTreeSet::new();
    members.iter().map(|member| member.identity.as_str()).filter(|it| !seen.insert(*it)).collect()
}

/// The rows of other identities that may be this member's: those that differ only after the `@` or in
/// case, unless they have an active member of their own.
fn same_local_part<'r>(
    member: &Member,
    roster: &'r Roster,
    rows: &BTreeMap<&str, &'r String>,
    members: &[Member],
) -> Vec<&'r str> {
    let key = |name: &str| local_part(name).to_lowercase();
    let own = [key(&member.identity), key(&member.username)];
    let has_member = |identity: &str| {
        members.iter().any(|member| member.identity == identity && member.active != Some(false))
    };
    let same = |(_, row): &(&String, &Row)| {
        let theirs = &row.authentik_user;
        member.identity.to_lowercase() == theirs.to_lowercase()
            || own.contains(&key(theirs)) && !has_member(theirs)
    };
    debug_assert!(!rows.contains_key(member.identity.as_str()));
    roster.users.iter().filter(same).map(|(user, _)| user.as_str()).collect()
}

/// Leaves those new rows to a person that would clash with another new row.
fn leave_clashes(found: &mut Membership, members: &[Member]) {
    let clashing: Vec<(String, String)> = found
        .new
        .iter()
        .filter_map(|(user, row)| {
            let others = found.new.iter().filter(|(other, _)| *other != user);
            let clash = |(other, theirs): &(&String, &Row)| {
                spelled(other) == spelled(user)
                    || spelled(&theirs.k8s_user) == spelled(&row.k8s_user)
                    || row.namespaces.iter().any(|name| theirs.namespaces.contains(name))
            };
            let other = others.into_iter().find(clash)?.0;
            Some((user.clone(), format!("user {} is too like {}", quoted(user), quoted(other))))
        })
        .collect();
    for (user, why) in clashing {
        let Some(row) = found.new.remove(&user) else { continue };
        let member = members.iter().find(|member| member.identity == row.authentik_user);
        let name = member.map_or(row.authentik_user, |member| member.username.clone());
        found.left_to_a_person.insert(name, why);
    }
}

/// Why a person must decide about a new member.
#[derive(Debug, thiserror::Error)]
enum NoRow {
    #[error("{names} would all become user {user}")]
    Ambiguous { names: String, user: String },
    /// A name breaks a rule.
    #[error("{0}")]
    Invalid(String),
    #[error("a service account of the provider, not a person")]
    Service,
    #[error("user {user} is taken: its row belongs to {identity}")]
    UserTaken { user: String, identity: String },
    #[error("user {user} was the user of {identity}, whose row is commented out")]
    FormerUser { user: String, identity: String },
    #[error("was user {user}, whose row is commented out; it cannot come back: {why}")]
    NotBack { user: String, why: String },
    #[error("k8s_user {k8s_user} is taken by {other}")]
    K8sUserTaken { k8s_user: String, other: String },
    #[error("namespace {namespace} belongs to {other}")]
    NamespaceTaken { namespace: String, other: String },
    #[error("the name {0} is reserved")]
    Reserved(String),
    #[error("this host has an account {user} (uid {uid}) that is in no row")]
    Account { user: String, uid: u32 },
    #[error("this host has a group {0}")]
    Group(String),
}

/// The row of a new member, or why a person must decide.
fn new_row<'r>(
    user: &str,
    members: &[&Member],
    roster: &'r Roster,
    context: &Context<'_>,
    concerned: &mut BTreeSet<&'r str>,
) -> Result<(String, Row), NoRow> {
    let [member] = members else {
        let names: Vec<String> = members.iter().map(|member| quoted(&member.username)).collect();
        return Err(NoRow::Ambiguous { names: names.join(", "), user: quoted(user) });
    };
    let identity = &member.identity;
    if !member.is_person {
        return Err(NoRow::Service);
    }
    let rule = |violation: rules::RuleViolation| NoRow::Invalid(violation.what);
    rules::authentik_user(identity).map_err(rule)?;
    let former = context.former.iter().rev();
    if let Some((user, row)) = former.clone().find(|(_, row)| row.authentik_user == *identity) {
        return match is_free(user, row, roster, concerned) {
            Ok(()) if row.tier != Tier::Admin => Ok((user.clone(), row.clone())),
            Ok(()) => {
                let why = "its tier was admin".to_owned();
                Err(NoRow::NotBack { user: quoted(user), why })
            }
            Err(why) => Err(NoRow::NotBack { user: quoted(user), why: why.to_string() }),
        };
    }
    let row = Row {
        authentik_user: identity.clone(),
        k8s_user: user.to_owned(),
        tier: Tier::NamespaceOwner,
        namespaces: vec![label(user)],
        code_layout: Layout::Workspace,
        repos: Vec::new(),
        parked: false,
    };
    is_free(user, &row, roster, concerned)?;
    let namespace = &row.namespaces[0];
    let like = |other: &str| spelled(other) == spelled(user);
    let was = |(other, row): &&(String, Row)| {
        like(other)
            || like(&row.k8s_user)
            || row.namespaces.contains(namespace)
            || local_part(&row.authentik_user).eq_ignore_ascii_case(local_part(identity))
    };
    if let Some((_, row)) = former.clone().find(was) {
        let identity = quoted(&row.authentik_user);
        return Err(NoRow::FormerUser { user: quoted(user), identity });
    }
    rules::user_name(user).map_err(rule)?;
    rules::k8s_user(user).map_err(rule)?;
    rules::namespace(namespace).map_err(rule)?;
    if is_reserved(user, context.reserved) || is_reserved(namespace, context.reserved) {
        return Err(NoRow::Reserved(quoted(user)));
    }
    if let Some((name, uid)) = context.host.uids.iter().find(|(name, _)| like(name)) {
        return Err(NoRow::Account { user: quoted(name), uid: *uid });
    }
    if let Some(group) = context.host.groups.iter().find(|group| like(group)) {
        return Err(NoRow::Group(quoted(group)));
    }
    Ok((user.to_owned(), row))
}

/// Whether no row has the user, the name in the cluster or a namespace of this one.
fn is_free<'r>(
    user: &str,
    row: &Row,
    roster: &'r Roster,
    concerned: &mut BTreeSet<&'r str>,
) -> Result<(), NoRow> {
    let like = |one: &str, other: &str| spelled(one) == spelled(other);
    if let Some((other, row)) = roster.users.iter().find(|(other, _)| like(other, user)) {
        concerned.insert(other);
        let identity = quoted(&row.authentik_user);
        return Err(NoRow::UserTaken { user: quoted(other), identity });
    }
    let mut others = roster.users.iter();
    if let Some((other, theirs)) = others.find(|(_, other)| like(&other.k8s_user, &row.k8s_user)) {
        let k8s_user = quoted(&theirs.k8s_user);
        return Err(NoRow::K8sUserTaken { k8s_user, other: quoted(other) });
    }
    let owner = |name: &String| roster.users.iter().find(|(_, row)| row.namespaces.contains(name));
    let taken = row.namespaces.iter().find_map(|name| Some((name, owner(name)?.0)));
    match taken {
        Some((namespace, other)) => {
            let (namespace, other) = (quoted(namespace), quoted(other));
            Err(NoRow::NamespaceTaken { namespace, other })
        }
        None => Ok(()),
    }
}

/// A name in the spelling that all names have which a person would take for the same.
fn spelled(name: &str) -> String {
    label(name)
}

/// Names that the cluster uses itself, and those of `more`.
fn is_reserved(name: &str, more: &[String]) -> bool {
    const CLUSTER: [&str; 4] = ["default", "kube", "kubernetes", "system"];
    let name = spelled(name);
    CLUSTER.contains(&name.as_str())
        || ["kube-", "system-"].iter().any(|prefix| name.starts_with(prefix))
        || more.iter().any(|other| spelled(other) == name)
}

fn find_leavers(
    found: &mut Membership,
    members: &[Member],
    roster: &Roster,
    concerned: &BTreeSet<&str>,
) {
    let by_name: BTreeMap<&str, &Member> =
        members.iter().map(|member| (member.identity.as_str(), member)).collect();
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
