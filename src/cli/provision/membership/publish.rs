//! The edit of the roster as a commit of its repository.

use crate::cli::exit::Failure;
use crate::provision::settings::roster_repository::RosterRepository;
use crate::provision::sources::roster_repository::{self, BRANCH, Pushed};
use crate::roster::Row;
use crate::roster::membership::Membership;
use crate::text::escape;
use std::fmt::Write;

/// Maximum length of a commit's first line, in characters.
const MAX_SUBJECT: usize = 72;

/// What came of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Published {
    /// It is kept in this branch of the clone.
    Committed { commit: String, branch: String },
    /// It is the newest commit of this branch of the remote.
    Pushed { commit: String, branch: String },
    /// The remote did not take it: its words.
    Rejected { why: String },
}

/// Commits an edited roster on top of `base`, and pushes the commit or keeps it.
pub(super) fn publish(
    from: &RosterRepository,
    base: &str,
    edited: &[u8],
    message: &str,
    push: bool,
) -> Result<Published, Failure> {
    let commit = roster_repository::commit(from, base, edited, message)?;
    if !push {
        roster_repository::keep(from, &commit)?;
        return Ok(Published::Committed { commit, branch: BRANCH.to_owned() });
    }
    Ok(match roster_repository::push(from, &commit)? {
        Pushed::Done => {
            let branch = format!("{}/{}", from.remote.0, from.branch.as_str());
            Published::Pushed { commit, branch }
        }
        Pushed::Rejected(why) => Published::Rejected { why },
    })
}

/// Who is added and cut, and why. `former` are rows that are commented out; `source` is where the members are
/// from.
pub(super) fn message(
    found: &Membership,
    former: &[(String, Row)],
    source: &str,
    note: Option<&str>,
) -> String {
    let mut text = subject(found) + "\n\n"; // writing to it cannot fail
    for (user, row) in &found.new {
        let identity = escape(row.authentik_user.as_bytes());
        let was = |(other, theirs): &(String, Row)| {
            other == user && theirs.authentik_user == row.authentik_user
        };
        let why = if former.iter().any(was) {
            "a member again, with the row of before"
        } else {
            "a member without a row"
        };
        let _ = writeln!(text, "add {user}: {identity}, {}: {why}", row.tier.name());
    }
    for (user, why) in &found.leavers {
        let _ = writeln!(text, "cut {user}: {why}");
    }
    let _ = writeln!(text, "\nMembers: {}", escape(source.as_bytes()));
    if let Some(note) = note {
        let _ = writeln!(text, "Note: {}", escape(note.as_bytes()));
    }
    text
}

fn subject(found: &Membership) -> String {
    let (new, cut) = (found.new.len(), found.leavers.len());
    let part = |verb: &str, users: Vec<&str>| {
        (!users.is_empty()).then(|| format!("{verb} {}", users.join(", ")))
    };
    let new_users = found.new.keys().map(String::as_str).collect();
    let cut_users = found.leavers.keys().map(String::as_str).collect();
    let parts: Vec<String> =
        part("add", new_users).into_iter().chain(part("cut", cut_users)).collect();
    let named = format!("roster: {}", parts.join("; "));
    if named.chars().count() <= MAX_SUBJECT {
        return named;
    }
    let count = |verb: &str, count: usize| (count > 0).then(|| format!("{verb} {count}"));
    let parts: Vec<String> = count("add", new).into_iter().chain(count("cut", cut)).collect();
    format!("roster: {} users", parts.join(" and "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::roster::{Layout, Tier};

    fn row(identity: &str) -> Row {
        Row {
            authentik_user: identity.to_owned(),
            k8s_user: "k".to_owned(),
            tier: Tier::NamespaceOwner,
            namespaces: Vec::new(),
            code_layout: Layout::Workspace,
            repos: Vec::new(),
            parked: false,
        }
    }

    #[test]
    fn a_commit_says_who_and_why() {
        let mut found = Membership::default();
        found.new.insert("ann".to_owned(), row("ann@x"));
        found.new.insert("zoe".to_owned(), row("zoe\u{1b}"));
        found.leavers.insert("bob".to_owned(), "deactivated".to_owned());
        let former = [("ann".to_owned(), row("ann@x")), ("zoe".to_owned(), row("other"))];
        assert_eq!(
            message(&found, &former, "group 'a' of https://x", Some("moved")),
            "roster: add ann, zoe; cut bob\n\n\
             add ann: ann@x, namespace-owner: a member again, with the row of before\n\
             add zoe: zoe\\x1b, namespace-owner: a member without a row\n\
             cut bob: deactivated\n\n\
             Members: group 'a' of https://x\n\
             Note: moved\n"
        );
        for n in 0..20 {
            found.leavers.insert(format!("user{n}"), String::new());
        }
        assert!(message(&found, &[], "f", None).starts_with("roster: add 2 and cut 21 users\n\n"));
    }
}
