//! Names as providers have them and people choose them: none of them gets another's account, and none of them cuts
//! a user who is still a member.

use super::super::members::Member;
use super::super::membership::{Context, Membership, compare};
use super::super::{HostFacts, Roster, Tier, parse};
use super::row;
use std::collections::{BTreeMap, BTreeSet};

fn member(username: &str) -> Member {
    Member {
        username: username.to_owned(),
        identity: username.to_owned(),
        is_person: true,
        active: Some(true),
        os_user: None,
    }
}

/// Members against rows of power users, each `OS user: identity`.
fn found(members: &[&str], rows: &[(&str, &str)]) -> Membership {
    let users =
        rows.iter().map(|(user, identity)| ((*user).to_owned(), row(identity, Tier::PowerUser)));
    let roster = Roster { users: users.collect() };
    let members: Vec<Member> = members.iter().map(|name| member(name)).collect();
    let (uids, groups) = (BTreeMap::new(), BTreeSet::new());
    let host = HostFacts { uid_min: 1000, uid_max: 60_000, uids, groups };
    let context = Context { former: &[], host: &host, reserved: &[], max_cut_percent: 100 };
    compare(&members, &roster, &context)
}

#[test]
fn a_name_with_a_plus_gets_no_row_that_another_address_of_the_person_has() {
    let found = found(&["ann+admin@example.org", "ann@example.org"], &[("ann", "ann@example.org")]);
    assert!(found.leavers.is_empty(), "{found:?}");
    assert!(!found.new.contains_key("ann"), "{found:?}");
    for name in found.new.keys() {
        assert!(crate::identity::is_user_name(name), "{name}");
    }
}

#[test]
fn upper_case_is_the_same_person_and_is_left_to_a_person() {
    for username in ["ANN@example.org", "Ann@Example.Org", "ann@EXAMPLE.org"] {
        let found = found(&[username], &[("ann", "ann@example.org")]);
        assert!(found.leavers.is_empty() && found.new.is_empty(), "{username}: {found:?}");
        assert_eq!(found.left_to_a_person.len(), 1, "{username}");
    }
}

#[test]
fn letters_that_look_alike_or_are_composed_otherwise_take_no_row() {
    for username in [
        "\u{430}nn",   // a Cyrillic a
        "\u{ff41}nn",  // a full-width a
        "a\u{301}nn",  // a combining accent
        "\u{e1}nn",    // the same, composed
        "a\u{200b}nn", // nothing to see
        "ann\u{202e}", // turned round
        "\u{feff}ann", // a byte order mark
        "ann\u{a0}",   // a blank that is none
    ] {
        let found = found(&[username, "ann.x"], &[("ann", "ann.x")]);
        assert!(
            found.leavers.is_empty() && !found.new.contains_key("ann"),
            "{username:?}: {found:?}"
        );
        for user in found.new.keys() {
            assert!(
                crate::identity::is_user_name(user) && user.is_ascii(),
                "{username:?}: {user:?}"
            );
        }
    }
}

#[test]
fn names_of_only_marks_numbers_or_of_great_length_get_no_account_that_tools_misread() {
    for username in [
        "-rf",
        "--help",
        "1000",
        "0",
        "..",
        "+",
        "@",
        "a".repeat(300).as_str(),
        "ann:0",
        "ann,bob",
        "a/b",
        "$(id)",
        "%admins",
        "#0",
    ] {
        let found = found(&[username], &[("zed", "zed.x")]);
        for user in found.new.keys() {
            assert!(crate::identity::is_user_name(user) && user.len() <= 32, "{username}: {user}");
            assert!(!user.starts_with('-') && user.parse::<u64>().is_err(), "{username}: {user}");
        }
    }
}

#[test]
fn two_members_who_come_to_one_name_are_both_left_to_a_person() {
    for pair in [["ann.lee", "ann-lee"], ["Ann", "ann"], ["ann@a", "ann@b"], ["ann_lee", "ann.lee"]]
    {
        let found = found(&[pair[0], pair[1]], &[]);
        assert!(found.new.is_empty(), "{pair:?}: {found:?}");
        assert_eq!(found.left_to_a_person.len(), 2, "{pair:?}");
    }
}

#[test]
fn two_rows_with_one_identity_are_refused_whatever_else_they_say() {
    for (field, text) in [
        (
            "authentik_user",
            "users:\n  a: {authentik_user: x, k8s_user: a, tier: admin}\n  b: {authentik_user: x, k8s_user: b, tier: power-user}\n",
        ),
        (
            "k8s_user",
            "users:\n  a: {authentik_user: a, k8s_user: x, tier: admin}\n  b: {authentik_user: b, k8s_user: \"x\", tier: power-user}\n",
        ),
    ] {
        let problems = parse(text.as_bytes()).unwrap_err();
        let what: Vec<_> = problems.iter().map(|problem| problem.what.as_str()).collect();
        assert!(
            what.iter().any(|what| what.contains(&format!("have the same {field} 'x'"))),
            "{what:?}"
        );
    }
}

#[test]
fn one_user_twice_in_a_roster_is_refused() {
    for text in [
        "users:\n  a: {authentik_user: x, k8s_user: a, tier: admin}\n  a: {authentik_user: y, k8s_user: b, tier: admin}\n",
        "users:\n  a: {authentik_user: x, k8s_user: a, tier: admin}\n  \"a\": {authentik_user: y, k8s_user: b, tier: admin}\n",
        "users:\n  a: {authentik_user: x, authentik_user: y, k8s_user: a, tier: admin}\n",
        "users: {}\nusers:\n  a: {authentik_user: x, k8s_user: a, tier: admin}\n",
    ] {
        assert!(parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn a_rename_at_the_provider_is_left_to_a_person_where_the_name_before_the_at_sign_stays() {
    let found = found(&["emil@new.org"], &[("emo", "emil@old.org")]);
    assert!(found.leavers.is_empty() && found.new.is_empty(), "{found:?}");
    assert_eq!(found.left_to_a_person.len(), 1);
}
