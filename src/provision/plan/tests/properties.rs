//! Any two rosters, any host between them.

use super::super::*;
use super::model::{apply, settings};
use crate::provision::observe::observed::{Account, Group, HomeInode, Units};
use crate::provision::paths::{ADMINS, DISPATCH, playwright_file, service_file};
use crate::provision::state::written::key_place;
use crate::roster::Tier;
use crate::roster::tests::row;
use proptest::collection::vec;
use proptest::prelude::*;

const NAMES: [&str; 6] = ["ann", "bob", "cid", "dee", "eve", "playwright-ann"];

/// Rows of some of the names; identities are now and then those of another name.
fn rosters() -> impl Strategy<Value = Roster> {
    let any_row = (0..3_usize, any::<bool>(), 0..8_usize, any::<bool>());
    vec(any_row, NAMES.len()).prop_map(|rows| {
        let mut roster = Roster::default();
        for (name, (tier, parked, identity, there)) in NAMES.into_iter().zip(rows) {
            let identity = NAMES.get(identity).unwrap_or(&name);
            let mut row = row(&format!("{identity}.x"), Tier::ALL[tier]);
            row.parked = parked;
            let taken =
                roster.users.values().any(|other| other.authentik_user == row.authentik_user);
            if there && !taken {
                roster.users.insert(name.to_owned(), row);
            }
        }
        roster
    })
}

/// What a host may have of one name: each number picks one of a few states.
type Picks = Vec<(u8, u8, u8, u8, u8, u16)>;

fn hosts() -> impl Strategy<Value = Observed> {
    let pick = (0..4_u8, 0..6_u8, 0..6_u8, 0..4_u8, 0..4_u8, 3773..3780_u16);
    let maps = (0..4_u8, 0..4_u8, 0..4_u8);
    (vec(pick, NAMES.len()), maps, proptest::option::of(rosters()), any::<bool>())
        .prop_map(|(picks, maps, applied, templates)| host(&picks, maps, applied, templates))
}

fn host(picks: &Picks, maps: (u8, u8, u8), applied: Option<Roster>, templates: bool) -> Observed {
    let mut host = Observed { applied, ..Observed::default() };
    for (name, gid) in [("docker", 998), ("sudo", 27)] {
        host.groups.insert(name.to_owned(), Group { gid, ..Group::default() });
    }
    let kinds = ["t3-serve@.service", "playwright-mcp@.service", "lobby-agent@.socket"];
    let templates = kinds.into_iter().filter(|_| templates).map(str::to_owned).collect();
    host.units = Units { templates, ..Units::default() };
    host.has_lobby = maps.0.is_multiple_of(2);
    for (index, (name, picks)) in (1_u32..).zip(NAMES.into_iter().zip(picks)) {
        one(&mut host, index, name, *picks);
    }
    let texts: [&[u8]; 3] = [b"ann.x=ann\n", b"# nobody\n", b"\xff{"];
    for (pick, file) in [maps.0, maps.1, maps.2].into_iter().zip([USER_MAP, ADMINS, DISPATCH]) {
        if let Some(text) = texts.get(usize::from(pick)) {
            let bytes = text.to_vec();
            host.files.insert(file.to_owned(), File::Read { bytes, mode: 0o644 });
            if pick == 1 {
                host.written.note(file, text);
            }
        }
    }
    host
}

fn one(
    host: &mut Observed,
    index: u32,
    name: &str,
    (account, t3, playwright, groups, units, port): (u8, u8, u8, u8, u8, u16),
) {
    let uid = 2000 + index;
    if account > 0 {
        let (home, shell) = (format!("/home/{name}"), "/bin/zsh".to_owned());
        host.accounts
            .insert(name.to_owned(), Account { uid, gid: uid, home, shell, local: account > 1 });
    }
    if account == 3 || (account == 0 && groups == 3) {
        let inode = HomeInode { uid, mode: 0o755, directory: true };
        host.homes.insert(name.to_owned(), inode);
    }
    if groups == 1 {
        host.groups.get_mut("docker").unwrap().members.insert(name.to_owned());
    }
    if groups == 2 {
        host.written.groups.entry(name.to_owned()).or_default().insert("sudo".to_owned());
    }
    let unit = format!("t3-serve@{name}.service");
    match units {
        1 => drop(host.units.enabled.insert(unit)),
        2 => drop(host.units.masked.insert(unit)),
        3 => drop(host.written.units.insert(unit, true)),
        _ => {}
    }
    let files = [
        (t3, service_file(name), "T3_PORT", port),
        (playwright, playwright_file(name), "PLAYWRIGHT_PORT", port + 5158),
    ];
    for (pick, file, key, port) in files {
        let text = match pick {
            1 => format!("A=1\n{key}={port}\nB=2"),
            2 => "A=1\n".to_owned(),
            3 => format!("{key}=words\n"),
            4 => {
                host.files.insert(file, File::Unknown("a link".to_owned()));
                continue;
            }
            _ => continue,
        };
        if port % 2 == 0 {
            host.written.note(&key_place(&file, key), port.to_string().as_bytes());
        }
        let mode = if port % 3 == 0 { 0o644 } else { 0o600 };
        host.files.insert(file, File::Read { bytes: text.into_bytes(), mode });
    }
}

fn planned(roster: &Roster, host: &Observed, users: &[String]) -> Plan {
    let desired = DesiredState { roster, users, membership_unknown: None, failed: BTreeSet::new() };
    plan(&desired, host, &settings()).unwrap()
}

proptest! {
    #[test]
    fn what_was_planned_and_done_needs_no_other_plan(
        roster in rosters(),
        host in hosts(),
        user in proptest::option::of(0..NAMES.len()),
    ) {
        let users: Vec<String> = user.map(|index| NAMES[index].to_owned()).into_iter().collect();
        let first = planned(&roster, &host, &users);
        let after = apply(&host, &first);
        let again = planned(&roster, &after, &users);
        let left: Vec<_> = again.changes.iter().filter(|change| change.verb.changes()).collect();
        prop_assert!(left.is_empty(), "{left:#?}\nfirst: {:#?}", first.changes);
        // And nothing that it would note is new.
        prop_assert_eq!(apply(&after, &again), after);
    }

    #[test]
    fn nobody_who_is_there_loses_anything_but_by_a_cut(roster in rosters(), host in hosts()) {
        let plan = planned(&roster, &host, &[]);
        let after = apply(&host, &plan);
        for (user, account) in &host.accounts {
            prop_assert_eq!(after.accounts.get(user), Some(account));
        }
        for (name, group) in &host.groups {
            prop_assert!(group.members.is_subset(&after.groups[name].members));
        }
        let cut = |user: &str| plan.changes.iter().any(|change| {
            change.verb == Verb::Cut && change.scope.user.as_deref() == Some(user)
        });
        for (user, row) in host.applied.iter().flat_map(|applied| &applied.users) {
            let stays = plan.record.roster.users.contains_key(user);
            prop_assert!(stays != cut(user), "{}", user);
            prop_assert!(stays || row.tier != Tier::Admin, "{} is an admin", user);
        }
        for (user, port) in &host.ports {
            prop_assert_eq!(plan.record.ports.get(user), Some(port));
        }
    }

    #[test]
    fn a_file_that_a_person_changed_is_as_it_was(roster in rosters(), host in hosts()) {
        let after = apply(&host, &planned(&roster, &host, &[]));
        for (path, file) in &host.files {
            let File::Read { bytes, .. } = file else {
                prop_assert_eq!(after.files.get(path), Some(file));
                continue;
            };
            if host.written.is_ours(path, bytes) == Some(false) {
                prop_assert_eq!(after.files.get(path), Some(file));
            }
            let File::Read { bytes: now, .. } = &after.files[path] else { continue };
            if path.strip_suffix(".env").is_some() {
                let get = crate::provision::edit::environment_file::get;
                prop_assert_eq!(get(now, "A"), get(bytes, "A"));
                prop_assert!(now.starts_with(b"A=1\n") == bytes.starts_with(b"A=1\n"));
            }
        }
    }

    #[test]
    fn what_must_be_done_before_stands_before_once_and_is_done(
        roster in rosters(),
        host in hosts(),
    ) {
        let changes = planned(&roster, &host, &[]).changes;
        for (index, change) in changes.iter().enumerate() {
            for need in &change.scope.needs {
                let before = changes[..index].iter().find(|other| other.id == *need);
                prop_assert!(before.is_some_and(|other| other.verb.changes()), "{:?}", change);
            }
            prop_assert!(changes[..index].iter().all(|other| other.id != change.id), "{:?}", change);
            prop_assert_eq!(change.action.is_some(), change.verb.changes());
        }
    }

    #[test]
    fn no_two_users_of_a_record_share_an_identity_or_a_port(
        roster in rosters(),
        host in hosts(),
        user in proptest::option::of(0..NAMES.len()),
    ) {
        let users: Vec<String> = user.map(|index| NAMES[index].to_owned()).into_iter().collect();
        let record = planned(&roster, &host, &users).record;
        let identities: BTreeSet<_> =
            record.roster.users.values().map(|row| &row.authentik_user).collect();
        prop_assert_eq!(identities.len(), record.roster.users.len());
        let ports: Vec<_> = record.ports.values().chain(record.playwright_ports.values()).collect();
        prop_assert_eq!(ports.iter().collect::<BTreeSet<_>>().len(), ports.len());
    }
}
