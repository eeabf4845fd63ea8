//! Members against rows: who comes, who leaves, and what is left to a person.

use super::super::edit::{Edit, edit};
use super::super::members::Member;
use super::super::membership::{Context, Membership, compare, os_user};
use super::super::{HostFacts, Layout, Roster, Row, Tier};
use super::{rosters, row};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn member(username: &str) -> Member {
    Member {
        username: username.to_owned(),
        identity: username.to_owned(),
        is_person: true,
        active: Some(true),
        os_user: None,
    }
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
    let groups = ["docker", "users"].map(str::to_owned).into();
    within(members, roster, &HostFacts { uid_min: 1000, uid_max: 60_000, uids, groups }, 20)
}

fn within(
    members: &[Member],
    roster: &Roster,
    host: &HostFacts,
    max_cut_percent: u8,
) -> Membership {
    compare(members, roster, &Context { former: &[], host, reserved: &[], max_cut_percent })
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
    assert_eq!(within(&all_but(&[1, 2, 3]), &ten(), &host, 30).refused, None);
    assert!(within(&all_but(&[1]), &ten(), &host, 0).refused.is_some());
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
            ("ID1", "may be the user of row 'u1': the names differ only after the '@', or in case"),
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

fn with_former(members: &[Member], roster: &Roster, former: &[(String, Row)]) -> Membership {
    let host = HostFacts::default();
    compare(members, roster, &Context { former, host: &host, reserved: &[], max_cut_percent: 20 })
}

/// The reason that one member is left to a person; nothing else may come of it.
#[track_caller]
fn only_left(found: &Membership, member: &str) -> String {
    assert!(found.new.is_empty() && found.leavers.is_empty(), "{found:?}");
    found.left_to_a_person[member].clone()
}

#[test]
fn a_member_whose_part_before_the_at_sign_is_a_rows_identity_cuts_nobody() {
    for (gone, name) in [(3, "id3@example.org"), (3, "ID3@example.org")] {
        let mut members = all_but(&[gone]);
        members.push(member(name));
        let why = only_left(&found(&members, &ten()), name);
        assert_eq!(
            why,
            "may be the user of row 'u3': the names differ only after the '@', or in case"
        );
        let mut inactive = all_but(&[gone]);
        inactive.push(Member { active: Some(false), ..member(name) });
        only_left(&found(&inactive, &ten()), name);
    }
}

#[test]
fn a_row_with_a_mail_address_and_a_member_without_are_left_to_a_person() {
    let mut roster = ten();
    roster.users.get_mut("u4").unwrap().authentik_user = "id4@example.org".to_owned();
    only_left(&found(&all_but(&[]), &roster), "id4");
    let mut members = all_but(&[4]);
    members.push(member("id4@other.example"));
    only_left(&found(&members, &roster), "id4@other.example");
}

#[test]
fn a_whole_provider_of_mail_addresses_cuts_nobody() {
    let members: Vec<Member> = (0..10).map(|n| member(&format!("id{n}@example.org"))).collect();
    let found = found(&members, &ten());
    assert!(found.new.is_empty() && found.leavers.is_empty() && found.protected.len() == 1);
    assert_eq!(found.left_to_a_person.len(), 10);
}

#[test]
fn a_row_whose_own_member_is_there_is_not_taken_for_that_of_a_namesake() {
    let mut members = all_but(&[]);
    members.push(member("id3@example.org"));
    let found = found(&members, &ten());
    assert_eq!(found.new.keys().collect::<Vec<_>>(), ["id3"]);
}

#[test]
fn a_deactivated_member_beside_an_active_namesake_is_left_to_a_person() {
    let mut members = all_but(&[3]);
    members.extend([Member { active: Some(false), ..member("id3") }, member("id3@example.org")]);
    only_left(&found(&members, &ten()), "id3@example.org");
}

#[test]
fn members_with_one_identity_are_left_to_a_person_and_their_row_stays() {
    let mut members = all_but(&[]);
    let identity = "id3".to_owned();
    members.push(Member { identity, active: Some(false), ..member("id3@b") });
    let found = found(&members, &ten());
    assert!(found.new.is_empty() && found.leavers.is_empty());
    assert_eq!(found.left_to_a_person["id3@b"], "several members have the identity 'id3'");
}

#[test]
fn a_service_account_of_the_provider_gets_no_row() {
    let mut members = all_but(&[]);
    members.push(Member { is_person: false, ..member("ak-outpost-0a1b2c") });
    let why = only_left(&found(&members, &ten()), "ak-outpost-0a1b2c");
    assert_eq!(why, "a service account of the provider, not a person");
}

#[test]
fn names_of_the_cluster_of_the_hosts_groups_and_of_the_site_get_no_row() {
    for name in
        ["kube-system", "default", "KUBE-public", "kube.node-lease", "kube", "docker", "users"]
    {
        let mut members = all_but(&[]);
        members.push(member(name));
        only_left(&found(&members, &ten()), name);
    }
    let host = HostFacts::default();
    let reserved = ["monitoring".to_owned(), "ingress-nginx".to_owned()];
    let context = Context { former: &[], host: &host, reserved: &reserved, max_cut_percent: 20 };
    for name in ["monitoring", "ingress.nginx@x"] {
        let mut members = all_but(&[]);
        members.push(member(name));
        only_left(&compare(&members, &ten(), &context), name);
    }
}

#[test]
fn a_member_called_like_somebody_elses_namespace_is_left_to_a_person() {
    let mut roster = ten();
    let mut anna = row("anna", Tier::NamespaceOwner);
    anna.namespaces = ["plotting-book", "shop"].map(str::to_owned).to_vec();
    roster.users.insert("anna".to_owned(), anna);
    let mut members = all_but(&[]);
    members.extend([member("anna"), member("shop"), member("Plotting.Book@x")]);
    let found = found(&members, &roster);
    assert!(found.new.is_empty() && found.leavers.is_empty());
    assert_eq!(found.left_to_a_person["shop"], "namespace 'shop' belongs to 'anna'");
    assert!(found.left_to_a_person.contains_key("Plotting.Book@x"));
}

#[test]
fn names_that_differ_only_in_underscores_and_dashes_are_one_name() {
    let mut roster = ten();
    roster.users.insert("a_b".to_owned(), row("other", Tier::PowerUser));
    let taken = |name: &str| {
        let mut members = all_but(&[]);
        members.extend([member("other"), member(name)]);
        let uids = BTreeMap::from([("c.d".to_owned(), 1700)]);
        let host = HostFacts { uid_min: 1000, uid_max: 60_000, uids, ..HostFacts::default() };
        let former = [("e_f".to_owned(), row("gone", Tier::PowerUser))];
        let context = Context { former: &former, host: &host, reserved: &[], max_cut_percent: 20 };
        only_left(&compare(&members, &roster, &context), name)
    };
    assert_eq!(taken("a_b@x"), "user 'a_b' is taken: its row belongs to 'other'");
    assert_eq!(taken("a-b"), "user 'a_b' is taken: its row belongs to 'other'");
    assert_eq!(taken("c_d"), "this host has an account 'c.d' (uid 1700) that is in no row");
    assert_eq!(taken("E-F"), "user 'e-f' was the user of 'gone', whose row is commented out");
}

#[test]
fn new_members_whose_names_are_one_name_are_all_left_to_a_person() {
    let mut members = all_but(&[]);
    members.extend([named("x", "a_b"), named("y", "a-b"), named("z", "zed")]);
    let found = found(&members, &ten());
    assert_eq!(found.new.keys().collect::<Vec<_>>(), ["zed"]);
    assert_eq!(found.left_to_a_person["x"], "user 'a_b' is too like 'a-b'");
    assert!(found.left_to_a_person.contains_key("y"));
}

#[test]
fn a_returning_member_gets_the_row_of_before() {
    let was =
        Row { namespaces: vec!["a".into(), "b".into()], ..row("emil.b", Tier::NamespaceOwner) };
    let older = row("emil.b", Tier::PowerUser);
    let former = [("em".to_owned(), older), ("emo".to_owned(), was.clone())];
    let mut members = all_but(&[]);
    members.push(member("emil.b"));
    let found = with_former(&members, &ten(), &former);
    assert_eq!(found.new, BTreeMap::from([("emo".to_owned(), was)]));
}

#[test]
fn a_former_row_whose_names_are_taken_or_that_was_an_admins_does_not_come_back_by_itself() {
    let mut members = all_but(&[]);
    members.push(member("emil.b"));
    let mut roster = ten();
    let space = row("s", Tier::NamespaceOwner);
    roster.users.insert("space".to_owned(), space);
    members.push(member("s"));
    for (user, was, why) in [
        ("u3", row("emil.b", Tier::PowerUser), "user 'u3' is taken"),
        ("emo", Row { k8s_user: "k-id3".into(), ..row("emil.b", Tier::PowerUser) }, "k8s_user"),
        ("emo", row("emil.b", Tier::NamespaceOwner), "namespace 'space' belongs to 'space'"),
        ("emo", row("emil.b", Tier::Admin), "its tier was admin"),
    ] {
        let found = with_former(&members, &roster, &[(user.to_owned(), was)]);
        let said = only_left(&found, "emil.b");
        assert!(said.starts_with("was user") && said.contains(why), "{said}");
    }
}

#[test]
fn a_new_member_who_may_be_a_former_user_is_left_to_a_person() {
    let former = [("emo".to_owned(), row("emil.b@old.example", Tier::PowerUser))];
    for name in ["emil.b", "emil.b@new.example", "emo@x"] {
        let mut members = all_but(&[]);
        members.push(member(name));
        only_left(&with_former(&members, &ten(), &former), name);
    }
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
        let first = within(&members, &roster, &host, 100);
        let admins = |roster: &Roster| {
            roster.users.iter().filter(|(_, row)| row.tier == Tier::Admin).count()
        };
        let notes = first.leavers.iter().map(|(user, why)| (user.clone(), why.clone()));
        let what = Edit { add: first.new.clone(), comment_out: notes.collect() };
        let new_text = edit(&text, &what).unwrap();
        let after = super::read(std::str::from_utf8(&new_text).unwrap()).roster;
        prop_assert_eq!(admins(&after), admins(&roster));
        let again = within(&members, &after, &host, 100);
        prop_assert!(again.new.is_empty() && again.leavers.is_empty(), "{:?}", again);
        for member in &members {
            prop_assert!(!os_user(member).contains(char::is_control));
        }
    }
}
