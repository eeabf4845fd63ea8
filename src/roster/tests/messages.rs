//! Every rejected roster, with its message.

use super::super::edit::{Edit, edit_ignoring};
use super::super::{HostFacts, Row, Tier, parse, tiers, validate};
use super::{EXAMPLE, read};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn messages(text: &[u8]) -> Vec<String> {
    match parse(text) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(|problem| problem.in_file("r")).collect(),
    }
}

/// Cases of `rejected.txt`, parted by lines of `====`: a roster, then its messages after `> `.
#[test]
fn every_rejected_roster_has_its_message() {
    let cases = include_str!("rejected.txt").split("====\n").skip(1);
    let mut count = 0;
    for case in cases {
        let (messages_of_it, text): (Vec<&str>, Vec<&str>) =
            case.split_inclusive('\n').partition(|line| line.starts_with("> "));
        let expected: Vec<&str> = messages_of_it.iter().map(|line| line[2..].trim_end()).collect();
        let text = text.concat();
        assert!(!expected.is_empty(), "{text}");
        assert_eq!(messages(text.as_bytes()), expected, "{text}");
        count += 1;
    }
    assert!(count >= 60, "{count}");
}

#[test]
fn what_is_no_text_too_large_or_too_deep_is_refused() {
    let utf8 = messages(b"users:\n  a\xc3\xa9\xff: 1\n");
    assert_eq!(utf8, ["r:2:5: not UTF-8; hint: save the file as UTF-8"]);
    let huge = messages(&vec![b'#'; (1 << 20) + 1]);
    assert_eq!(
        huge,
        ["r:1:1: the file is larger than 1048576 bytes; hint: check that it is a roster"]
    );
    for open in ["[", "{a: ", "- ", "? "] {
        let deep = messages(format!("users:\n  a: {}", open.repeat(100_000)).as_bytes());
        assert_eq!(deep.len(), 1, "{deep:?}");
    }
    let deep = messages(format!("users: {}", "[".repeat(100_000)).as_bytes());
    assert_eq!(deep, ["r:1:24: nested too deeply, in 'users'; hint: a roster nests three deep"]);
}

#[test]
fn of_many_problems_the_first_are_reported() {
    let bad = "A,".repeat(5000);
    for text in [
        "  u: {}\n".repeat(5000),
        format!("  u: {{{}}}\n", "f: 1, ".repeat(5000)),
        format!("  u: {{namespaces: [{bad}], repos: [{bad}]}}\n"),
    ] {
        let count = messages(format!("users:\n{text}").as_bytes()).len();
        assert!((200..500).contains(&count), "{count}");
    }
}

#[test]
fn a_system_account_of_the_host_is_no_terminal_user() {
    let document = read(EXAMPLE);
    let found = |uids: &[(&str, u32)]| {
        let uids = uids.iter().map(|(user, uid)| ((*user).to_owned(), *uid)).collect();
        let problems =
            validate(&document, &HostFacts { uid_min: 1000, uids, ..HostFacts::default() });
        problems.iter().map(|problem| problem.in_file("r")).collect::<Vec<_>>()
    };
    assert_eq!(found(&[("ops", 1000), ("reader", 60_001)]), Vec::<String>::new());
    assert_eq!(
        found(&[("ops", 0), ("reader", 999), ("builder", 65_534)]),
        [
            "r:2:3: 'ops' is root on this host (uid 0); hint: choose another name",
            "r:3:3: 'reader' is a system account of this host: uid 999 is below 1000; hint: choose another name",
            "r:4:3: 'builder' is a system account of this host: uid 65534; hint: choose another name",
        ]
    );
}

#[test]
fn the_lowest_uid_of_a_person_is_in_login_defs() {
    for (text, expected) in [
        ("", 1000),
        ("#UID_MIN 5\nUID_MIN\t\t 500\nSYS_UID_MIN 100\n", 500),
        ("UID_MIN x\n", 1000),
        ("UID_MIN", 1000),
        ("UID_MIN 0x3E8\n", 1000),
        ("UID_MIN 01750\n", 1000),
        ("UID_MIN 0\n", 0),
    ] {
        assert_eq!(super::super::uid_min(text), expected, "{text}");
    }
}

#[test]
fn a_tier_that_the_cluster_contradicts_is_an_error_and_an_absent_user_a_warning() {
    let document = read(EXAMPLE);
    let check = |users: &[(&str, &str)]| {
        let users: BTreeMap<String, String> =
            users.iter().map(|(user, tier)| ((*user).to_owned(), (*tier).to_owned())).collect();
        let check = tiers::check(&document, &users);
        let lines = |problems: &[super::super::Problem]| {
            problems.iter().map(|problem| problem.in_file("r")).collect::<Vec<_>>()
        };
        (lines(&check.errors), lines(&check.warnings))
    };
    let both = [("ro", "power-user"), ("bld", "namespace-owner")];
    assert_eq!(check(&both), (vec![], vec![]));
    let (errors, warnings) = check(&[("ops", "power-user"), ("ro", "admin")]);
    assert_eq!(
        errors,
        [
            "r:3:3: 'reader' has tier power-user here, but 'ro' has 'admin' in the cluster; hint: give both the same tier"
        ]
    );
    assert_eq!(
        warnings,
        [
            "r:4:3: 'bld', the k8s_user of 'builder', is not known in the cluster; hint: add the user to the cluster's k8s_users"
        ]
    );
    let duplicate = tiers::read(b"{\"a\":\"admin\",\"a\":\"admin\"}").unwrap_err();
    assert_eq!(duplicate.to_string(), "duplicate user 'a'");
    assert!(tiers::read(b"[]").is_err() && tiers::read(b"{\"a\":1}").is_err());
}

#[test]
fn fields_that_a_site_declares_are_passed_over_with_a_warning() {
    let text = "version: 1\nusers:\n  a: {authentik_user: a, k8s_user: k, tier: admin, claude_auth: {x: [1]}}\n";
    let ignored = ["claude_auth", "version"].map(str::to_owned);
    let document = super::super::parse_ignoring(text.as_bytes(), &ignored).unwrap();
    assert_eq!(
        document.roster.users["a"],
        Row { k8s_user: "k".into(), ..super::row("a", Tier::Admin) }
    );
    let warnings: Vec<String> = document.warnings.iter().map(|it| it.in_file("r")).collect();
    assert_eq!(
        warnings,
        [
            "r:1:1: field 'version' is passed over",
            "r:3:52: row 'a': field 'claude_auth' is passed over"
        ]
    );
    assert_eq!(messages(text.as_bytes()).len(), 2, "undeclared ones are refused");
    let add = BTreeMap::from([("b".to_owned(), super::row("b", Tier::Admin))]);
    let what = Edit { add, comment_out: BTreeMap::new() };
    let edited = edit_ignoring(text.as_bytes(), &what, &ignored).unwrap();
    assert!(edited.starts_with(text.as_bytes()), "every other byte is kept");
}

#[test]
fn a_namespace_with_two_owners_is_a_warning() {
    let row = |name: &str| {
        format!(
            "  {name}: {{authentik_user: {name}, k8s_user: {name}, tier: namespace-owner, namespaces: [shop]}}\n"
        )
    };
    let document = read(&format!("users:\n{}{}", row("b"), row("a")));
    let warnings = super::super::warnings(&document);
    let lines: Vec<String> = warnings.iter().map(|problem| problem.in_file("r")).collect();
    assert_eq!(lines, ["r:3:3: 'a' and 'b' both own namespace 'shop'; hint: is that meant?"]);
}

#[test]
fn the_clusters_users_may_have_their_tier_as_role() {
    let read = |text: &str| tiers::read(text.as_bytes()).map_err(|error| error.to_string());
    let users = read(r#"{"anna":{"role":"namespace-owner","namespaces":["shop"]},"b":"admin"}"#);
    let users = users.unwrap();
    assert_eq!((users["anna"].as_str(), users["b"].as_str()), ("namespace-owner", "admin"));
    for text in [r#"{"a":{}}"#, r#"{"a":{"role":1}}"#, r#"{"a":["admin"]}"#, r#"{"a":null}"#] {
        assert!(read(text).unwrap_err().starts_with("expected "), "{text}");
    }
    assert_eq!(read(r#"{"a":{"role":"x"},"a":"y"}"#).unwrap_err(), "duplicate user 'a'");
}

#[test]
fn a_sound_roster_reads_as_written() {
    for text in [EXAMPLE.to_owned(), EXAMPLE.replace('\n', "\r\n"), format!("\u{feff}{EXAMPLE}")] {
        let document = read(&text);
        assert_eq!(document.roster.users.keys().collect::<Vec<_>>(), ["builder", "ops", "reader"]);
        let builder = &document.roster.users["builder"];
        assert_eq!(
            (&builder.namespaces[..], &builder.repos[..]),
            (&["builds".to_owned()][..], &["webapp".to_owned()][..])
        );
        assert!(!builder.parked);
    }
    let block = "users:\n  a: # who\n    authentik_user: 'x'\n    k8s_user: \"y\"\n    # note\n    tier: namespace-owner\n    namespaces:\n    - one\n    - two\n    parked: True\n";
    let document = read(block);
    assert_eq!(document.roster.users["a"].namespaces, ["one", "two"]);
    assert!(document.roster.users["a"].parked);
}

#[test]
fn nothing_is_an_empty_roster() {
    for (text, has_users) in [
        ("", false),
        ("# nobody\n", false),
        ("---\n", false),
        ("{}\n", false),
        ("null\n", false),
        ("users:\n", true),
        ("users: {}\n", true),
        ("users: null # nobody\n", true),
    ] {
        let document = read(text);
        assert!(document.roster.users.is_empty(), "{text}");
        assert_eq!(document.has_users(), has_users, "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn no_yaml_makes_the_reader_panic(text in "([a-c]|users|tier|[-:?{}\\[\\],&*!|>'\"%@#~ \n\t\r]|\\PC){0,60}") {
        if let Err(problems) = parse(text.as_bytes()) {
            for problem in problems {
                prop_assert!(!problem.in_file("r").chars().any(char::is_control), "{:?}", problem);
            }
        }
    }

    #[test]
    fn a_damaged_roster_is_refused_in_one_line_or_read(at in 0..EXAMPLE.len(), byte in any::<u8>()) {
        let mut text = EXAMPLE.as_bytes().to_vec();
        text[at] = byte;
        let _ = messages(&text);
    }
}
