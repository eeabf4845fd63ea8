//! Properties over any host, and what no directory of files can show.

pub(super) mod model;
mod properties;

use super::*;
use crate::provision::observe::observed::{Account, Group, HomeInode};
use crate::roster::Tier;
use crate::roster::tests::row;
use model::{apply, settings};

pub(super) fn roster(rows: &[(&str, Row)]) -> Roster {
    Roster { users: rows.iter().map(|(user, row)| ((*user).to_owned(), row.clone())).collect() }
}

fn planned(roster: &Roster, observed: &Observed) -> Plan {
    let desired =
        DesiredState { roster, users: &[], membership_unknown: None, failed: BTreeSet::new() };
    plan(&desired, observed, &settings()).unwrap()
}

fn find<'a>(plan: &'a Plan, id: &str) -> &'a Change {
    let found = plan.changes.iter().find(|change| change.id == id);
    found.unwrap_or_else(|| panic!("no {id} in {:#?}", plan.changes))
}

pub(super) fn host(users: &[&str]) -> Observed {
    let mut observed = Observed::default();
    for (uid, user) in (1001..).zip(users) {
        let (home, shell) = (format!("/home/{user}"), "/bin/bash".to_owned());
        let account = Account { uid, gid: uid, home, shell, local: true };
        observed.accounts.insert((*user).to_owned(), account);
    }
    observed
}

#[test]
fn a_group_that_leads_to_root_by_its_number_is_for_admins() {
    let mut observed = host(&["ann"]);
    for (name, gid) in [("docker", 998), ("moby", 998), ("wheel0", 0), ("fine", 3000)] {
        observed.groups.insert(name.to_owned(), Group { gid, ..Group::default() });
    }
    let mut settings = settings();
    let groups = ["fine", "moby", "wheel0"].map(str::to_owned).to_vec();
    settings.groups.set(Tier::PowerUser, groups).unwrap();
    let roster = roster(&[("ann", row("ann.x", Tier::PowerUser))]);
    let desired = DesiredState {
        roster: &roster,
        users: &[],
        membership_unknown: None,
        failed: BTreeSet::new(),
    };
    let plan = plan(&desired, &observed, &settings).unwrap();
    assert_eq!(find(&plan, "ann/group-fine").verb, Verb::Add);
    for group in ["moby", "wheel0"] {
        let change = find(&plan, &format!("ann/group-{group}"));
        assert_eq!(change.verb, Verb::Refuse);
        assert_eq!(change.why, "members can become root: not allowed for tier power-user");
    }
}

#[test]
fn a_wider_mode_is_reported_only_of_a_home_that_was_made_here() {
    let mut observed = host(&["ann"]);
    let inode = HomeInode { uid: 1001, mode: 0o755, directory: true };
    observed.homes.insert("ann".to_owned(), inode);
    let roster = roster(&[("ann", row("ann.x", Tier::PowerUser))]);
    let said = |observed: &Observed| {
        planned(&roster, observed).changes.iter().any(|change| change.id == "ann/account-home-mode")
    };
    assert!(!said(&observed));
    let made = crate::provision::state::written::CreatedAccount {
        uid: Some(1001),
        home: "/home/ann".to_owned(),
        shell: "/bin/bash".to_owned(),
        ..Default::default()
    };
    observed.written.accounts.insert("ann".to_owned(), made);
    assert!(said(&observed));
}

#[test]
fn a_map_that_lost_its_applied_roster_cuts_no_users() {
    let both =
        roster(&[("ann", row("ann.x", Tier::PowerUser)), ("bob", row("bob.x", Tier::PowerUser))]);
    let mut observed = host(&["ann", "bob"]);
    observed = apply(&observed, &planned(&both, &observed));
    observed.applied = None;
    let one = roster(&[("ann", row("ann.x", Tier::PowerUser))]);
    let plan = planned(&one, &observed);
    let map = find(&plan, &format!("host/{USER_MAP}"));
    assert_eq!(map.verb, Verb::Refuse);
    assert_eq!(
        map.why,
        "it would lose bob.x, whose user was not cut (is the applied roster gone?)"
    );
}

#[test]
fn a_map_of_another_programs_form_is_adopted_and_then_kept_up() {
    let one = roster(&[("ann", row("ann.x", Tier::PowerUser))]);
    let mut observed = host(&["ann"]);
    observed = apply(&observed, &planned(&one, &observed));
    observed.written.hashes.remove(USER_MAP);
    let bytes = b"# by another program\nann.x=ann\n".to_vec();
    observed.files.insert(USER_MAP.to_owned(), File::Read { bytes, mode: 0o644 });
    let plan = planned(&one, &observed);
    assert_eq!(plan.changes.iter().filter(|change| change.verb.changes()).count(), 0);
    let observed = apply(&observed, &plan);
    let renamed = roster(&[("ann", row("ann.y", Tier::PowerUser))]);
    let map = planned(&renamed, &observed);
    assert_eq!(find(&map, &format!("host/{USER_MAP}")).verb, Verb::Repair);
}

#[test]
fn one_users_plan_leaves_the_others_as_they_were_applied() {
    let old =
        roster(&[("ann", row("ann.x", Tier::PowerUser)), ("bob", row("bob.x", Tier::PowerUser))]);
    let mut observed = host(&["ann", "bob", "cid"]);
    observed = apply(&observed, &planned(&old, &observed));
    let new = roster(&[
        ("ann", row("bob.x", Tier::PowerUser)),
        ("bob", row("ann.x", Tier::PowerUser)),
        ("cid", row("cid.x", Tier::PowerUser)),
    ]);
    let one = |user: &str| {
        let users = [user.to_owned()];
        let desired = DesiredState {
            roster: &new,
            users: &users,
            membership_unknown: None,
            failed: BTreeSet::new(),
        };
        plan(&desired, &observed, &settings()).unwrap()
    };
    let plan = one("cid");
    assert_eq!(find(&plan, &format!("host/{USER_MAP}")).lines, ["+ cid.x=cid"]);
    assert_eq!(plan.record.roster.users["ann"], old.users["ann"]);
    // Half of an exchange would give two users one identity.
    let plan = one("ann");
    assert_eq!(find(&plan, "ann/account").verb, Verb::Refuse);
    assert_eq!(plan.record.roster, old);
}

#[test]
fn users_cut_by_hand_do_not_count_towards_the_limit_of_cuts() {
    let mut host = host(&["ann", "bob", "eve"]);
    let rows = ["ann", "bob", "eve"].map(|user| (user, row(user, Tier::PowerUser)));
    host.applied = Some(roster(&rows));
    let wanted = roster(&rows[..1]);
    let verbs = |host: &Observed| {
        let plan = planned(&wanted, host);
        ["bob/cut", "eve/cut"].map(|id| find(&plan, id).verb)
    };
    assert_eq!(verbs(&host), [Verb::Refuse; 2]);
    host.cut.insert("bob".to_owned(), 1);
    assert_eq!(verbs(&host), [Verb::Cut; 2]);
}

#[test]
fn parking_waits_for_nothing() {
    let mut parked = row("ann.x", Tier::PowerUser);
    parked.parked = true;
    let mut observed = host(&["ann"]);
    let unit = "t3-serve@ann.service";
    observed.units.templates.insert("t3-serve@.service".to_owned());
    observed.units.enabled.insert(unit.to_owned());
    let file = crate::provision::paths::service_file("ann");
    observed.files.insert(file, File::Unknown("a link".to_owned()));
    let plan = planned(&roster(&[("ann", parked)]), &observed);
    assert_eq!(find(&plan, "ann/T3_PORT").verb, Verb::Refuse);
    assert_eq!(find(&plan, &format!("ann/{unit}")).verb, Verb::Repair);
}

#[test]
fn agents_of_the_lobby_are_for_users_who_are_not_parked_on_hosts_that_have_a_lobby() {
    let mut observed = host(&["ann", "bob"]);
    let template = "lobby-agent@.socket";
    let mut parked = row("bob.x", Tier::PowerUser);
    parked.parked = true;
    let wanted = roster(&[("ann", row("ann.x", Tier::PowerUser)), ("bob", parked)]);
    let of = |observed: &Observed, user: &str| {
        let id = format!("{user}/lobby-agent@{user}.socket");
        let plan = planned(&wanted, observed);
        plan.changes.iter().find(|change| change.id == id).map(|change| change.verb)
    };
    let reported = |observed: &Observed| {
        planned(&wanted, observed).changes.iter().any(|change| change.id.contains(template))
    };
    // Without a lobby the units do not matter, present or not.
    assert!(!reported(&observed));
    observed.has_lobby = true;
    assert!(reported(&observed));
    observed.units.templates.insert(template.to_owned());
    assert_eq!((of(&observed, "ann"), of(&observed, "bob")), (Some(Verb::Add), None));

    // Enabled before they were parked, and an agent that outlived its socket.
    observed.units.enabled.extend(["ann", "bob"].map(|user| format!("lobby-agent@{user}.socket")));
    assert_eq!((of(&observed, "ann"), of(&observed, "bob")), (None, Some(Verb::Repair)));
    observed.units.enabled.remove("lobby-agent@bob.socket");
    assert_eq!(of(&observed, "bob"), None);
    observed.units.active.insert("lobby-agent@bob.service".to_owned());
    assert_eq!(of(&observed, "bob"), Some(Verb::Repair));

    observed.has_lobby = false;
    let plan = planned(&wanted, &observed);
    assert_eq!(find(&plan, "ann/lobby-agent@ann.socket").why, "the host has no lobby");
}
