//! `membership` from a file: what is printed, what is edited, how it ends.

use super::{Desk, ROSTER};
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

/// The example and eight more power users: one of eleven may leave.
fn wide() -> String {
    let rows = (0..8).map(|n| {
        format!("  tl-u{n}: {{authentik_user: id{n}, k8s_user: k{n}, tier: power-user}} # {n}\n")
    });
    format!("# The people.\n{ROSTER}{}\n# End.\n", rows.collect::<String>())
}

/// Everybody of [`wide`] but those, with those others.
fn members(without: &[&str], with: &[&str]) -> String {
    let ids = (0..8).map(|n| format!("id{n}"));
    let all = ["ops.lead", "reader.ro", "builder42"].map(str::to_owned).into_iter().chain(ids);
    let all: Vec<String> = all
        .filter(|id| !without.contains(&id.as_str()))
        .chain(with.iter().map(|id| (*id).to_owned()))
        .collect();
    json!(all).to_string()
}

const RUN: &str = "membership --roster roster.yaml --members members.json";

fn desk(without: &[&str], with: &[&str]) -> Desk {
    let desk = Desk::new();
    desk.write("roster.yaml", wide());
    desk.write("members.json", members(without, with));
    desk
}

#[test]
fn nothing_is_written_unless_asked() {
    let desk = desk(&["id3", "ops.lead"], &["jane@x"]);
    let run = desk.run(RUN).ok();
    assert_eq!(
        run.out(),
        "+ add jane: jane@x, namespace-owner\n\
         - cut tl-u3: not a member of the group\n  \
           keep tl-ops: not a member of the group, but an admin\n\
         Membership: 1 to add, 1 to cut, 1 protected, 0 unclear (not written; --apply writes it).\n"
    );
    assert_eq!(desk.read("roster.yaml"), wide());
}

#[test]
fn applying_keeps_every_other_byte_and_the_file_as_it_was() {
    let desk = desk(&["id3"], &["jane@x"]);
    let file = desk.path("roster.yaml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let json = desk.run(&format!("{RUN} --apply --note moved_on --json")).ok().json();
    assert_eq!(
        (&json["result"], &json["leavers"]),
        (&json!("applied"), &json!({"tl-u3": "not a member of the group"}))
    );
    assert_eq!(json["new"]["jane"]["tier"], "namespace-owner");
    let text = desk.read("roster.yaml");
    let note = text.lines().find(|line| line.starts_with("  # left 2")).unwrap();
    assert!(
        note.ends_with(": moved_on") && note.len() == "  # left 2026-11-20: moved_on".len(),
        "{note}"
    );
    let undone = text
        .replace(&format!("{note}\n"), "")
        .replace("  # tl-u3", "  tl-u3")
        .replace("  jane: {authentik_user: jane@x, k8s_user: jane, tier: namespace-owner, namespaces: [jane], code_layout: workspace}\n", "");
    assert_eq!(undone, wide());
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o640);
    let again = desk.run(&format!("{RUN} --apply")).ok();
    assert!(again.out().contains("0 to add, 0 to cut"), "{}", again.out());
    assert_eq!(desk.read("roster.yaml"), text);
}

#[test]
fn more_than_a_fifth_is_refused_and_changes_nothing() {
    let desk = desk(&["id1", "id2", "id3"], &["jane@x"]);
    let run = desk.run(&format!("{RUN} --apply")).code(3);
    assert!(run.err().contains("3 of 11 users would be cut, more than 20 %"), "{}", run.err());
    assert_eq!(desk.read("roster.yaml"), wide());
    assert_eq!(desk.run(&format!("{RUN} --apply --json")).code(3).json()["result"], "refused");
    desk.write("config.toml", "[provision]\nmax_cut_percent = 30\n");
    desk.run(&format!("{RUN} --config config.toml")).ok();
    desk.run(&format!("{RUN} --apply --max-cut-percent 30")).ok();
    assert!(desk.read("roster.yaml").contains("# tl-u1"));
}

#[test]
fn a_list_that_cannot_be_determined_removes_no_users() {
    let desk = desk(&[], &[]);
    let answers = [
        "",
        "[]",
        "{}",
        "null",
        "[{}]",
        "{\"count\": 9, \"members\": [\"ops.lead\"]}",
        "{\"pagination\": {\"next\": 2, \"count\": 2}, \"results\": [{\"username\": \"id1\"}]}",
        "[\"id1\", \"id1\"]",
        "[\"id1\"",
    ];
    for answer in answers {
        desk.write("members.json", answer);
        let run = desk.run(&format!("{RUN} --apply --max-cut-percent 100")).code(4);
        assert!(run.err().contains("cannot determine group members: "), "{}", run.err());
        assert_eq!(run.out(), "");
        assert_eq!(desk.read("roster.yaml"), wide(), "{answer}");
    }
    let json = desk.run(&format!("{RUN} --json")).code(4).json();
    assert_eq!(json["result"], "unknown");
    let absent = RUN.replace("members.json", "none.json");
    assert!(desk.run(&absent).code(4).err().contains("none.json"));
}

#[test]
fn names_that_collide_are_unclear() {
    let desk = desk(&["id3"], &["tl-u3", "ID4", "daemon", "a\u{1b}b"]);
    let run = desk.run(&format!("{RUN} --apply")).code(5);
    assert!(run.out().contains("0 to add, 0 to cut, 0 protected, 4 unclear"), "{}", run.out());
    assert!(!run.out().replace('\n', "").chars().any(char::is_control));
    assert_eq!(desk.read("roster.yaml"), wide());
}

#[test]
fn a_form_that_is_not_understood_is_left_to_a_person() {
    let desk = Desk::new();
    let text = "users: {tl-a: {authentik_user: a, k8s_user: a, tier: admin}}\n";
    desk.write("roster.yaml", text);
    desk.write("members.json", "[\"a\", \"jane\"]");
    let run = desk.run(&format!("{RUN} --apply")).code(1);
    assert!(run.err().contains("roster.yaml: line 1: the users are in braces"), "{}", run.err());
    assert_eq!(desk.read("roster.yaml"), text);
    desk.args(&[
        "membership",
        "--roster",
        "roster.yaml",
        "--members",
        "members.json",
        "--note",
        "a\nb",
    ])
    .code(2);
}

#[test]
fn the_first_member_makes_the_table() {
    let desk = Desk::new();
    for text in ["", "# nobody yet\nusers: {}\n"] {
        desk.write("roster.yaml", text);
        desk.write("members.json", "[\"jane\"]");
        desk.run(&format!("{RUN} --apply")).ok();
        assert!(desk.read("roster.yaml").ends_with("users:\n  jane: {authentik_user: jane, k8s_user: jane, tier: namespace-owner, namespaces: [jane], code_layout: workspace}\n"));
        desk.run("roster check --roster roster.yaml").ok();
    }
}

#[test]
fn what_is_left_to_a_person_has_an_exit_code_of_its_own_and_the_rest_is_done() {
    let desk = desk(&["id3", "id4"], &["id3@example.org", "jane@x", "daemon", "default"]);
    let run = desk.run(&format!("{RUN} --apply")).code(5);
    assert!(run.out().contains("1 to add, 1 to cut, 0 protected"), "{}", run.out());
    assert!(run.out().contains("! unclear id3@example.org: may be the user of row 'tl-u3'"));
    let text = desk.read("roster.yaml");
    assert!(text.contains("\n  tl-u3: {") && text.contains("\n  # tl-u4: {"), "{text}");
    assert!(text.contains("\n  jane: {"), "{text}");
    let json = desk.run(&format!("{RUN} --json")).code(5).json();
    assert!(json["left_to_a_person"].as_object().unwrap().contains_key("id3@example.org"));
}

#[test]
fn a_provider_of_mail_addresses_is_compared_by_the_attribute_that_the_site_names() {
    let desk = Desk::new();
    desk.write("roster.yaml", wide());
    let ids = (0..8).map(|n| format!("id{n}"));
    let all = ["ops.lead", "reader.ro", "builder42"].map(str::to_owned).into_iter().chain(ids);
    let users: Vec<_> = all
        .map(|id| json!({"username": format!("{id}@example.org"), "attributes": {"nick": id}}))
        .collect();
    desk.write("members.json", json!(users).to_string());
    let run = desk.run(&format!("{RUN} --apply")).code(5);
    assert!(run.out().contains("0 to add, 0 to cut, 1 protected, 11 unclear"), "{}", run.out());
    for identity in ["local-part", "attributes.nick"] {
        desk.write("config.toml", format!("[provision.membership]\nidentity = \"{identity}\"\n"));
        let run = desk.run(&format!("{RUN} --apply --config config.toml")).ok();
        assert!(run.out().contains("0 to add, 0 to cut, 0 protected, 0 unclear"), "{}", run.out());
    }
    desk.write("config.toml", "[provision.membership]\nidentity = \"email\"\n");
    let run = desk.run(&format!("{RUN} --apply --config config.toml")).code(4);
    assert!(run.err().contains("without email"), "{}", run.err());
    desk.write("config.toml", "[provision.membership]\nidentity = \"a b\"\n");
    desk.run(&format!("{RUN} --config config.toml")).code(2);
    assert_eq!(desk.read("roster.yaml"), wide());
}

#[test]
fn one_who_leaves_and_comes_back_gets_the_row_of_before() {
    let desk = desk(&["builder42"], &[]);
    desk.run(&format!("{RUN} --apply")).ok();
    assert!(desk.read("roster.yaml").contains("\n  # tl-builder: {"));
    desk.write("members.json", members(&[], &[]));
    let run = desk.run(&format!("{RUN} --apply")).ok();
    assert!(run.out().contains("+ add tl-builder: builder42, namespace-owner"), "{}", run.out());
    let text = desk.read("roster.yaml");
    let row = "  tl-builder: {authentik_user: builder42, k8s_user: bld, tier: namespace-owner, \
               namespaces: [builds], code_layout: workspace, repos: [webapp]}\n";
    assert!(text.contains(row), "{text}");
    // And once more.
    desk.write("members.json", members(&["builder42"], &[]));
    desk.run(&format!("{RUN} --apply")).ok();
    assert!(!desk.read("roster.yaml").contains(row));
    desk.write("members.json", members(&[], &[]));
    desk.run(&format!("{RUN} --apply")).ok();
    assert!(desk.read("roster.yaml").contains(row));
}

#[test]
fn service_accounts_and_the_clusters_own_names_get_no_row() {
    let desk = desk(&[], &[]);
    let mut users: Vec<serde_json::Value> =
        serde_json::from_str(&members(&[], &["kube-system", "builds"])).unwrap();
    let outpost = json!({"username": "ak-outpost-0a1b2c", "type": "internal_service_account"});
    users.push(outpost);
    desk.write("members.json", json!(users).to_string());
    let run = desk.run(&format!("{RUN} --apply")).code(5);
    assert!(run.out().contains("0 to add, 0 to cut, 0 protected, 3 unclear"), "{}", run.out());
    assert_eq!(desk.read("roster.yaml"), wide());
}

#[test]
fn root_reads_no_list_of_members_or_tiers_that_another_user_could_exchange() {
    if !nix::unistd::geteuid().is_root() {
        return crate::support::lacks::lacks(
            "root_reads_no_list_that_another_could_exchange",
            "root",
        );
    }
    let desk = desk(&["id3"], &[]);
    let theirs = desk.path("theirs");
    std::fs::create_dir(&theirs).unwrap();
    std::fs::write(theirs.join("members.json"), members(&["id3"], &[])).unwrap();
    std::fs::write(theirs.join("k8s.json"), "{}").unwrap();
    std::os::unix::fs::chown(&theirs, Some(12345), None).unwrap();
    let run = desk.run("membership --roster roster.yaml --members theirs/members.json").code(4);
    assert!(run.err().contains("theirs"), "{}", run.err());
    // A link from a directory of root's leads there as well.
    std::os::unix::fs::symlink("theirs/members.json", desk.path("link.json")).unwrap();
    desk.run("membership --roster roster.yaml --members link.json --apply").code(4);
    assert_eq!(desk.read("roster.yaml"), wide());
    let run = desk.run("roster check --roster roster.yaml --k8s-users theirs/k8s.json").ok();
    assert!(run.err().contains("tiers not compared"), "{}", run.err());
}
