//! Properties over random groups and rosters: what is applied is what was read, no member is
//! cut, no account has two owners.

use super::super::derive::derive;
use super::super::edit::{Edit, edit};
use super::super::groups::TierGroups;
use super::super::members::Member;
use super::super::membership::{Context, compare};
use super::super::ports::{Ledger, Ranges};
use super::super::{HostFacts, Roster, Tier, former_rows, parse};
use super::{read, row};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Names as people have them, many of them alike.
const NAMES: [&str; 14] = [
    "emil",
    "Emil",
    "emil.b",
    "emil_b",
    "emil-b",
    "anna",
    "anna.k",
    "shop",
    "kube-system",
    "default",
    "docker",
    "no",
    "2026-11-28",
    "1e5",
];
const DOMAINS: [&str; 3] = ["", "@example.org", "@other.example"];

fn names() -> impl Strategy<Value = String> {
    (0..NAMES.len(), 0..DOMAINS.len())
        .prop_map(|(name, domain)| format!("{}{}", NAMES[name], DOMAINS[domain]))
}

/// A roster of users whose identities are such names.
fn rosters() -> impl Strategy<Value = Roster> {
    let any_row = ("[a-z][a-z0-9_.-]{0,6}|emil|emil-b|emil_b|anna|shop", names(), 0..3_usize);
    proptest::collection::vec(any_row, 0..8).prop_map(|rows| {
        let mut roster = Roster::default();
        let mut identities = BTreeSet::new();
        for (user, identity, tier) in rows {
            let valid = super::super::rules::user_name(&user).is_ok();
            if valid && identities.insert(identity.clone()) {
                let mut row = row(&identity, Tier::ALL[tier]);
                row.k8s_user = format!("k-{user}");
                if row.tier == Tier::NamespaceOwner {
                    row.namespaces = vec![format!("ns-{}", identities.len())];
                }
                roster.users.insert(user, row);
            }
        }
        let taken: BTreeSet<String> =
            roster.users.values().map(|row| row.k8s_user.clone()).collect();
        assert_eq!(taken.len(), roster.users.len());
        roster
    })
}

fn members() -> impl Strategy<Value = Vec<Member>> {
    let any_member = (names(), proptest::option::of(any::<bool>()), any::<bool>());
    proptest::collection::vec(any_member, 1..8).prop_map(|members| {
        let mut seen = BTreeSet::new();
        let members = members.into_iter().filter(|(name, ..)| seen.insert(name.clone()));
        members
            .map(|(name, active, is_person)| Member {
                identity: name.clone(),
                username: name,
                is_person,
                active,
                os_user: None,
            })
            .collect()
    })
}

fn spelled(name: &str) -> String {
    name.to_lowercase().replace(['_', '.'], "-")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_applied_of_a_roster_is_what_was_read_and_no_account_has_two_owners(
        roster in rosters(),
    ) {
        let add = Edit { add: roster.users.clone(), comment_out: BTreeMap::new() };
        let text = edit(b"users:\n", &add).unwrap();
        let document = read(std::str::from_utf8(&text).unwrap());
        prop_assert_eq!(&document.roster, &roster);
        let (none, ranges) = (Ledger::new(), Ranges::default());
        let derived = derive(&document.roster, &none, &none, &ranges, &TierGroups::default());
        let derived = derived.unwrap();
        let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
        for line in derived.ttyd_user_map.lines().filter(|line| !line.starts_with('#')) {
            let (identity, user) = line.split_once('=').unwrap();
            prop_assert_eq!(&roster.users[user].authentik_user, identity);
            prop_assert_eq!(owners.insert(user, identity), None, "{} has two owners", user);
        }
        prop_assert_eq!(owners.len(), roster.users.len());
        let ports: BTreeSet<u16> =
            derived.ports.values().chain(derived.playwright_ports.values()).copied().collect();
        prop_assert_eq!(ports.len(), 2 * roster.users.len());
        let commented: Vec<(String, String)> =
            roster.users.keys().map(|user| (user.clone(), "left".to_owned())).collect();
        let out = Edit { add: BTreeMap::new(), comment_out: commented.into_iter().collect() };
        let former = former_rows(&edit(&text, &out).unwrap(), &[]);
        prop_assert_eq!(former.into_iter().collect::<BTreeMap<_, _>>(), roster.users);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_member_is_cut_and_no_new_row_shares_a_name_with_another(
        roster in rosters(),
        members in members(),
        gone in proptest::option::of(rosters()),
    ) {
        let former: Vec<_> = gone.unwrap_or_default().users.into_iter().collect();
        let host = HostFacts {
            uid_min: 1000,
            uids: BTreeMap::from([("hand".to_owned(), 1500)]),
            groups: BTreeSet::from(["docker".to_owned()]),
            ..HostFacts::default()
        };
        let context =
            Context { former: &former, host: &host, reserved: &[], max_cut_percent: 100 };
        let found = compare(&members, &roster, &context);
        for user in found.leavers.keys() {
            let row = &roster.users[user];
            prop_assert_ne!(row.tier, Tier::Admin);
            let local = |name: &str| name.split('@').next().unwrap().to_lowercase();
            let theirs = |member: &&Member| {
                member.identity == row.authentik_user
                    || local(&member.identity) == local(&row.authentik_user)
                        && !roster.users.values().any(|row| row.authentik_user == member.identity)
            };
            let active = members.iter().filter(theirs).any(|member| member.active != Some(false));
            prop_assert!(!active, "{} is cut and a member: {:?}", user, members);
        }
        let mut after = roster.clone();
        after.users.retain(|user, _| !found.leavers.contains_key(user));
        for (user, row) in &found.new {
            let same = |(other, theirs): (&String, &super::super::Row)| {
                other != user
                    && (spelled(other) == spelled(user)
                        || theirs.authentik_user == row.authentik_user
                        || spelled(&theirs.k8s_user) == spelled(&row.k8s_user)
                        || theirs.namespaces.iter().any(|name| row.namespaces.contains(name)))
            };
            prop_assert!(!roster.users.iter().chain(&found.new).any(same), "{} in {:?}", user, found);
            let member = members.iter().find(|member| member.identity == row.authentik_user);
            let member = member.unwrap();
            prop_assert!(member.is_person && member.active != Some(false));
            prop_assert!(!user.starts_with("kube-") && user != "default" && user != "docker");
            after.users.insert(user.clone(), row.clone());
        }
        let text = edit(b"users:\n", &Edit { add: after.users.clone(), ..Edit::default() }).unwrap();
        prop_assert_eq!(parse(&text).unwrap().roster, after);
    }
}
