//! The members of an identity provider's group (pure). An incomplete answer is an error.

use super::identity_source::IdentitySource;
use crate::yaml::problem::quoted;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashSet;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The provider's name of the member.
    pub username: String,
    /// What is compared with the roster's `authentik_user`.
    pub identity: String,
    /// Whether this is a person, as far as the provider says: services get no account.
    pub is_person: bool,
    /// Whether the member may log in; `None` if the provider does not say.
    pub active: Option<bool>,
    /// The OS user, if the provider names one.
    pub os_user: Option<String>,
}

/// Why the members cannot be determined. No users are removed then. Callers only print the reason, so it is
/// one text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MembersUnknown(pub String);

/// The number of users that are requested with one page.
pub const PAGE_SIZE: usize = 100;
/// Maximum number of members of a group.
const MAX_MEMBERS: u64 = 10_000;

/// Reads a file: a list of members, `{"members": [...]}` or the one page of an Authentik answer.
/// A member is a name or `{"username", "is_active", "os_user"}`; a `count` must agree.
///
/// `source` says which attribute is the identity.
///
/// # Errors
/// The answer is incomplete or invalid, or a person has no such attribute.
pub fn read(text: &[u8], source: &IdentitySource) -> Result<Vec<Member>, MembersUnknown> {
    let value: Value = serde_json::from_slice(text).map_err(|error| {
        MembersUnknown(format!("the list of members is not valid JSON: {error}"))
    })?;
    if value.get("pagination").is_some() || value.get("results").is_some() {
        let mut pages = Pages::new("", source.clone());
        pages.add(text)?;
        return pages.finish();
    }
    let count = value.get("count").cloned();
    let list = match value {
        Value::Array(list) => list,
        Value::Object(mut object) => match object.remove("members") {
            Some(Value::Array(list)) => list,
            _ => return Err(MembersUnknown("expected a list 'members'".to_owned())),
        },
        _ => return Err(MembersUnknown("expected a list or an object".to_owned())),
    };
    if let Some(count) = count
        && count.as_u64() != Some(list.len() as u64)
    {
        return Err(MembersUnknown(format!("{} members, but the count is {count}", list.len())));
    }
    let members = list.iter().map(|value| member(value, source)).collect::<Result<Vec<_>, _>>()?;
    check_complete(members)
}

/// The pages of an Authentik answer, in order.
#[derive(Debug)]
pub struct Pages {
    group: String,
    source: IdentitySource,
    members: Vec<Member>,
    count: Option<u64>,
    next: u32,
}

#[derive(Deserialize)]
struct Page {
    pagination: Pagination,
    results: Vec<Value>,
}

/// Authentik's numbers come as integers or floats.
#[derive(Deserialize)]
struct Pagination {
    next: serde_json::Number,
    count: serde_json::Number,
    current: Option<serde_json::Number>,
}

impl Pages {
    /// Begins with page 1. If the group has a name, users who are not in it according to their entry are
    /// refused.
    pub fn new(group: &str, source: IdentitySource) -> Self {
        Self { group: group.to_owned(), source, members: Vec::new(), count: None, next: 1 }
    }

    /// The page to request; `None` if all have been added.
    pub fn next(&self) -> Option<u32> {
        (self.next != 0).then_some(self.next)
    }

    /// Adds the body of the page that [`Pages::next`] named.
    pub fn add(&mut self, body: &[u8]) -> Result<(), MembersUnknown> {
        let number = self.next;
        let unknown = |why: String| MembersUnknown(format!("page {number}: {why}"));
        let page: Page =
            serde_json::from_slice(body).map_err(|error| unknown(error.to_string()))?;
        let Pagination { next, count, current } = page.pagination;
        let count =
            whole_number(&count).ok_or_else(|| unknown(format!("invalid count {count}")))?;
        if *self.count.get_or_insert(count) != count {
            let before = self.count.unwrap_or_default();
            return Err(unknown(format!("the count changed from {before} to {count}")));
        }
        if count > MAX_MEMBERS {
            return Err(unknown(format!(
                "a group of {count} members; at most {MAX_MEMBERS} are supported"
            )));
        }
        if current.as_ref().is_some_and(|page| whole_number(page) != Some(u64::from(number))) {
            return Err(unknown("the server answered with another page".to_owned()));
        }
        self.next = match whole_number(&next) {
            Some(0) => 0,
            Some(next) if next == u64::from(number) + 1 && !page.results.is_empty() => number + 1,
            _ => return Err(unknown(format!("invalid next page {next}"))),
        };
        for user in &page.results {
            self.check_group(user).map_err(|why| unknown(why.0))?;
            self.members.push(member(user, &self.source).map_err(|why| unknown(why.0))?);
        }
        if self.members.len() as u64 > count {
            return Err(unknown(format!("more users than the count {count}")));
        }
        Ok(())
    }

    /// A server that does not support the filter answers with all users.
    fn check_group(&self, user: &Value) -> Result<(), MembersUnknown> {
        let Some(groups) = user.get("groups_obj").and_then(Value::as_array) else { return Ok(()) };
        let named = |group: &Value| group.get("name").and_then(Value::as_str) == Some(&self.group);
        if self.group.is_empty() || groups.is_empty() || groups.iter().any(named) {
            return Ok(());
        }
        Err(MembersUnknown(format!("a user is not in the group {}", quoted(&self.group))))
    }

    /// All members, if every page was added and their number equals the provider's count.
    pub fn finish(self) -> Result<Vec<Member>, MembersUnknown> {
        if let Some(page) = self.next() {
            return Err(MembersUnknown(format!("page {page} is missing")));
        }
        let (count, got) = (self.count.unwrap_or_default(), self.members.len());
        if count != got as u64 {
            return Err(MembersUnknown(format!("{got} members, but the count is {count}")));
        }
        check_complete(self.members)
    }
}

fn whole_number(number: &serde_json::Number) -> Option<u64> {
    let float = || number.as_f64().filter(|f| f.fract() == 0.0 && (0.0..1e9).contains(f));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    number.as_u64().or_else(|| float().map(|f| f as u64))
}

/// Kinds of users that Authentik keeps for programs.
const SERVICES: [&str; 2] = ["service_account", "internal_service_account"];

fn member(value: &Value, source: &IdentitySource) -> Result<Member, MembersUnknown> {
    let odd = |what: &str| MembersUnknown(format!("a member {what}"));
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if let Value::String(username) = value {
        // A plain list of names lists active members.
        let identity = source.of(username, value);
        let without = || odd(&format!("{} without {}", quoted(username), source.name()));
        return Ok(Member {
            username: username.clone(),
            identity: identity.ok_or_else(without)?,
            is_person: true,
            active: Some(true),
            os_user: None,
        });
    }
    let username = value.get("username").and_then(text).filter(|name| !name.is_empty());
    let username = username.ok_or_else(|| odd("without a username"))?;
    let active = match value.get("is_active") {
        None | Some(Value::Null) => None,
        Some(Value::Bool(active)) => Some(*active),
        Some(_) => return Err(odd("whose is_active is neither true nor false")),
    };
    let attribute = value.get("attributes").and_then(|attributes| attributes.get("os_user"));
    let os_user = match attribute.or_else(|| value.get("os_user")) {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name.clone()),
        Some(_) => return Err(odd("whose os_user is not a text")),
    };
    let is_person = match value.get("type") {
        None | Some(Value::Null) => true,
        Some(Value::String(kind)) => !SERVICES.contains(&kind.as_str()),
        Some(_) => return Err(odd("whose type is not a text")),
    };
    let identity = match source.of(&username, value) {
        Some(identity) => identity,
        // It matches no row, and gets none.
        None if !is_person => username.clone(),
        None => return Err(odd(&format!("{} without {}", quoted(&username), source.name()))),
    };
    let os_user = os_user.filter(|name| !name.is_empty());
    Ok(Member { username, identity, is_person, active, os_user })
}

/// An empty list, or a duplicate (for one, a user who was added between two pages), is an error.
fn check_complete(members: Vec<Member>) -> Result<Vec<Member>, MembersUnknown> {
    let mut seen = HashSet::new();
    if let Some(duplicate) = members.iter().find(|member| !seen.insert(member.username.as_str())) {
        return Err(MembersUnknown(format!("duplicate member {}", quoted(&duplicate.username))));
    }
    if members.is_empty() {
        return Err(MembersUnknown("the group is empty".to_owned()));
    }
    Ok(members)
}
