//! Members against rows: who comes, who leaves, and what is left to a person.

use super::super::edit::{Edit, edit};
use super::super::members::Member;
use super::super::membership::{Membership, compare, os_user};
use super::super::{HostFacts, Layout, Roster, Tier};
use super::{rosters, row};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn member(username: &str) -> Member {
    Member { username: username.to_owned(), active: Some(true), os_user: None }
}

fn named(username: &str, os_user: &str) -> Member {
    Member { os_user: Some(os_user.to_owned()), ..member(username) }
}

/// Ten users u0..u9 with identities id0..id9; u0 is an admin.
fn ten() -> Roster {
    let tier = |n| if n == 0 { Tier::Admin } else { Tier::PowerUser };
    let users = (0..10).map(|n| (format!("u{n}"), row(&format!("id{n}"), tier(n))));
    Roster { users: users.collect() }
}

fn all_but(gone: &[usize]) -> Vec<Member> {
    (0..10).filter(|n| !gone.contains(n)).map(|n| member(&format!("id{n}"))).collect()
}

fn found(members: &[Member], roster: &Roster) -> Membership {
    let uids = BTreeMap::from([("mail".to_owned(), 8), ("hand".to_owned(), 1500)]);
    compare(members, roster, &HostFacts { uid_min: 1000, uids }, 20)
}

#[test]
fn a_new_member_gets_the_floor_row() {
    let mut members = all_but(&[]);
    members.extend([member("Jane.Doe@example.com"), named("someone", "os_name")]);
    let found = found(&members, &ten());
    assert_eq!(found.new.keys().collect::<Vec<_>>(), ["jane-doe", "os_name"]);
    let jane = &found.new["jane-doe"];
    assert_eq!(
        (jane.authentik_user.as_str(), jane.k8s_user.as_str(), jane.tier, jane.code_layout),
        ("Jane.Doe@example.com", "jane-doe", Tier::NamespaceOwner, Layout::Workspace)
    );
    assert_eq!(found.new["os_name"].namespaces, ["os-name"]);
    let added = Edit { add: found.new.clone(), ..Edit::default() };
    edit(b"users:\n", &added).unwrap();
}

#[test]
fn a_leaver_goes_and_an_admin_stays() {
    let mut members = all_but(&[0, 3, 4]);
    members.push(Member { active: Some(false), ..member("id4") });
    let found = found(&members, &ten());
    assert_eq!(
        found.leavers,
        BTreeMap::from([("u3", "not a member of the group"), ("u4", "deactivated")].map(owned))
    );
    assert_eq!(found.protected, BTreeMap::from([("u0", "not a member of the group")].map(owned)));
    assert_eq!(found.refused, None);
}

fn owned((a, b): (&str, &str)) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

#[test]
fn more_than_a_fifth_is_refused() {
    let refused = found(&all_but(&[1, 2, 3]), &ten()).refused.unwrap();
    assert_eq!(refused, "3 of 10 users would be cut, more than 20 %");
    let admins_do_not_count = found(&all_but(&[0, 1, 2]), &ten());
    assert_eq!(admins_do_not_count.refused, None);
    let host = HostFacts::default();
    assert_eq!(compare(&all_but(&[1, 2, 3]), &ten(), &host, 30).refused, None);
    assert!(compare(&all_but(&[1]), &ten(), &host, 0).refused.is_some());
}

#[test]
fn whoever_is_not_said_to_be_inactive_stays_and_is_named() {
    let mut members = all_but(&[5]);
    members.push(Member { active: None, ..member("id5") });
    let found = found(&members, &ten());
    assert!(found.leavers.is_empty());
    assert_eq!(found.activity_unknown, ["id5"]);
}

#[test]
fn names_that_collide_are_left_to_a_person_and_cut_nobody() {
    let mut members = all_but(&[1, 2]);
    members.extend([
        member("ID1"),          // id1 in other letters
        named("renamed", "u2"), // the row u2 belongs to id2
        member("twin@x"),       // both would be user twin
        member("twin@y"),
        member("k-id3"), // the k8s_user of u3
        member("mail"),  // accounts of the host
        member("hand"),
        named("odd", "../x"), // no name of a user
        named("chief", "root"),
        member("a b"), // no identity of a roster
        member("..."),
        Member { active: Some(false), ..member("idle") },
    ]);
    let found = found(&members, &ten());
    assert!(found.new.is_empty() && found.leavers.is_empty(), "{found:?}");
    let said: Vec<(&str, &str)> =
        found.left_to_a_person.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(
        said,
        [
            ("...", "invalid name '...'"),
            ("ID1", "differs from the identity of 'u1' only in case"),
            ("a b", "invalid name 'a b'"),
            ("chief", "'root' cannot be a terminal user"),
            ("hand", "this host has an account 'hand' (uid 1500) that is in no row"),
            ("k-id3", "k8s_user 'k-id3' is taken by 'u3'"),
            ("mail", "this host has an account 'mail' (uid 8) that is in no row"),
            ("odd", "useradd would refuse the user name '../x'"),
            ("renamed", "user 'u2' is taken: its row belongs to 'id2'"),
            ("twin@x", "'twin@x', 'twin@y' would all become user 'twin'"),
            ("twin@y", "'twin@x', 'twin@y' would all become user 'twin'"),
        ]
    );
}

#[test]
fn a_provider_that_names_another_user_than_the_row_is_left_to_a_person() {
    let mut members = all_but(&[7]);
    members.push(Member { active: Some(false), ..named("id7", "other") });
    let found = found(&members, &ten());
    assert!(found.leavers.is_empty() && found.new.is_empty());
    assert_eq!(found.left_to_a_person["id7"], "the row is 'u7', but the provider names 'other'");
}

proptest! {
    #[test]
    fn what_is_found_can_be_written_and_then_nothing_is_found(
        roster in rosters(9),
        keep in any::<u16>(),
        new in proptest::collection::btree_set("\\PC{1,12}|[a-zA-Z0-9.@_-]{1,12}", 0..4),
    ) {
        let mut text = "users:\n".to_owned().into_bytes();
        text = edit(&text, &Edit { add: roster.users.clone(), ..Edit::default() }).unwrap();
        let kept = roster.users.values().enumerate().filter(|(n, _)| keep >> n & 1 == 1);
        let mut members: Vec<Member> = kept.map(|(_, row)| member(&row.authentik_user)).collect();
        members.extend(new.iter().map(|name| member(name)));
        let host = HostFacts::default();
        let first = compare(&members, &roster, &host, 100);
        let admins = |roster: &Roster| {
            roster.users.iter().filter(|(_, row)| row.tier == Tier::Admin).count()
        };
        let notes = first.leavers.iter().map(|(user, why)| (user.clone(), why.clone()));
        let what = Edit { add: first.new.clone(), comment_out: notes.collect() };
        let new_text = edit(&text, &what).unwrap();
        let after = super::read(std::str::from_utf8(&new_text).unwrap()).roster;
        prop_assert_eq!(admins(&after), admins(&roster));
        let again = compare(&members, &after, &host, 100);
        prop_assert!(again.new.is_empty() && again.leavers.is_empty(), "{:?}", again);
        for member in &members {
            prop_assert!(!os_user(member).contains(char::is_control));
        }
    }
}
