//! An edit keeps every other byte, and says what was meant.

use super::super::edit::{Edit, EditError, edit};
use super::super::{Roster, Tier, parse};
use super::{EXAMPLE, read, rosters, row};
use pretty_assertions::assert_eq as assert_text;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write;

fn out(users: &[&str]) -> Edit {
    let note = |user: &&str| ((*user).to_owned(), format!("left 2026-11-20: {user}"));
    Edit { comment_out: users.iter().map(note).collect(), ..Edit::default() }
}

fn put_in(user: &str) -> Edit {
    let row = row("new.one", Tier::NamespaceOwner);
    Edit { add: BTreeMap::from([(user.to_owned(), row)]), ..Edit::default() }
}

fn edited(text: &str, what: &Edit) -> String {
    String::from_utf8(edit(text.as_bytes(), what).unwrap()).unwrap()
}

const NEW: &str =
    "{authentik_user: new.one, k8s_user: k-new.one, tier: namespace-owner, namespaces: [space]}";

#[test]
fn a_row_in_braces_is_commented_out_with_all_its_lines() {
    let text = edited(EXAMPLE, &out(&["builder"]));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[3], "  # left 2026-11-20: builder");
    assert!(lines[4].starts_with("  # builder: {authentik_user: builder42,"), "{text}");
    assert_eq!(lines[5], "  #           code_layout: workspace, repos: [webapp], parked: false}");
    assert_eq!(lines.len(), EXAMPLE.lines().count() + 1);
}

#[test]
fn block_rows_keep_the_comments_around_them() {
    let text = "# policy\nusers: # here\n  # the first\n  a: # inline\n    authentik_user: x\n\n    k8s_user: y1 # why\n    tier: power-user\n    # trailing\n  b: {authentik_user: b, k8s_user: b, tier: admin} # keep\n# end\n";
    assert_text!(
        edited(text, &out(&["a"])),
        "# policy\nusers: # here\n  # the first\n  # left 2026-11-20: a\n  # a: # inline\n  #   authentik_user: x\n#\n  #   k8s_user: y1 # why\n  #   tier: power-user\n    # trailing\n  b: {authentik_user: b, k8s_user: b, tier: admin} # keep\n# end\n"
    );
    assert_text!(
        edited(text, &put_in("c")),
        text.replace("# keep\n", &format!("# keep\n  c: {NEW}\n"))
    );
}

#[test]
fn rows_are_put_in_wherever_the_table_ends() {
    let one = "{authentik_user: a, k8s_user: a, tier: admin}";
    for (text, expected) in [
        (String::new(), format!("users:\n  c: {NEW}\n")),
        ("# nobody".to_owned(), format!("# nobody\nusers:\n  c: {NEW}\n")),
        ("users:\n".to_owned(), format!("users:\n  c: {NEW}\n")),
        ("users: {}\n".to_owned(), format!("users:\n  c: {NEW}\n")),
        ("users:  {} # none\n# z\n".to_owned(), format!("users:   # none\n  c: {NEW}\n# z\n")),
        ("users: null".to_owned(), format!("users:\n  c: {NEW}\n")),
        ("---\r\nusers: ~\r\n".to_owned(), format!("---\r\nusers:\r\n  c: {NEW}\r\n")),
        ("users: {\n}\n".to_owned(), format!("users:\n  c: {NEW}\n")),
        (format!("users:\n    a: {one}"), format!("users:\n    a: {one}\n    c: {NEW}\n")),
        (
            format!("users:\r\n a: {one}\r\n\r\n"),
            format!("users:\r\n a: {one}\r\n c: {NEW}\r\n\r\n"),
        ),
        (
            format!("\u{feff}users:\n  a: {one}\n...\n"),
            format!("\u{feff}users:\n  a: {one}\n  c: {NEW}\n...\n"),
        ),
    ] {
        assert_text!(edited(&text, &put_in("c")), expected, "{text:?}");
    }
}

#[test]
fn a_row_may_come_and_another_go_at_once() {
    let mut both = out(&["builder"]);
    both.add = put_in("c").add;
    let text = edited(EXAMPLE, &both);
    let roster = read(&text).roster;
    assert_eq!(roster.users.keys().collect::<Vec<_>>(), ["c", "ops", "reader"]);
    assert!(text.ends_with(&format!("parked: false}}\n  c: {NEW}\n")));
    let all = edited(EXAMPLE, &out(&["ops", "reader", "builder"]));
    assert!(read(&all).roster.users.is_empty() && read(&all).has_users());
}

#[test]
fn what_cannot_be_edited_line_by_line_is_left_to_a_person() {
    let one = "{authentik_user: a, k8s_user: a, tier: power-user}";
    let refused = |text: &str, what: &Edit| edit(text.as_bytes(), what).unwrap_err().to_string();
    let braces = format!("users: {{a: {one}}}\n");
    let message = "line 1: the users are in braces, not one below the other";
    assert_eq!(refused(&braces, &out(&["a"])), message);
    assert_eq!(refused(&braces, &put_in("c")), message);
    let explicit = format!("users:\n  ? a\n  : {one}\n");
    assert!(refused(&explicit, &out(&["a"])).contains("there is text before the row"));
    for text in ["{}\n", "{users: {}}\n", "users: { # x\n}\n", "---\n...\n"] {
        assert_eq!(edit(text.as_bytes(), &put_in("c")), Err(EditError::Differs), "{text:?}");
    }
    assert!(refused(EXAMPLE, &out(&["nobody"])).contains("no row of 'nobody'"));
    assert!(refused(EXAMPLE, &put_in("ops")).contains("a row of 'ops' exists already"));
    let mut note = out(&["reader"]);
    note.comment_out.insert("reader".to_owned(), "x\n  evil: {}".to_owned());
    assert!(refused(EXAMPLE, &note).contains("control characters"));
    assert!(matches!(edit(b"users: [", &put_in("c")), Err(EditError::Invalid(_))));
}

/// A roster's text with rows in braces or in blocks, comments and blank lines.
fn texts() -> impl Strategy<Value = (Roster, String)> {
    let style = (any::<bool>(), any::<bool>(), 1..5_usize, any::<bool>(), any::<u64>());
    (rosters(7), style).prop_map(|(roster, (carriage, bom, indent, last, seed))| {
        let mut text = if bom { "\u{feff}" } else { "" }.to_owned();
        text.push_str("# a roster: {not} [this]\n\nusers: # all\n");
        let margin = " ".repeat(indent);
        for (index, (user, row)) in roster.users.iter().enumerate() {
            let bit = |n: usize| seed >> ((index * 4 + n) % 64) & 1 == 1;
            if bit(0) {
                let _ = writeln!(text, "{margin}# before {user}: {{}}");
            }
            if bit(1) {
                text.push('\n');
            }
            let fields = [
                format!("authentik_user: '{}'", row.authentik_user),
                format!("k8s_user: \"{}\"", row.k8s_user),
                format!("tier: {}", row.tier.name()),
                format!("namespaces: [{}]", row.namespaces.join(", ")),
                format!("code_layout: {}", row.code_layout.name()),
                format!("repos: [{}]", row.repos.join(",")),
                format!("parked: {}", row.parked),
            ];
            if bit(2) {
                let inner = format!("\n{margin}  ");
                let _ = writeln!(text, "{margin}'{user}':{inner}{} # x", fields.join(&inner));
            } else {
                let gap = if bit(3) { format!(",\n{margin}     ") } else { ", ".to_owned() };
                let _ = writeln!(text, "{margin}'{user}': {{{}}} # y", fields.join(&gap));
            }
        }
        if last {
            text.truncate(text.trim_end().len());
        }
        let text = if carriage { text.replace('\n', "\r\n") } else { text };
        (roster, text)
    })
}

/// Takes away what an edit put in; what is left must be what was there.
fn undone(text: &str) -> String {
    let mut lines = Vec::new();
    let mut commented = false;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_start_matches(' ');
        if bare.starts_with("# left 2026-11-20") {
            commented = true;
        } else if bare.starts_with("new-row: ") {
            commented = false;
        } else if commented && bare.starts_with('#') && !bare.starts_with("# before") {
            lines.push(
                line.replacen("# ", "", 1).replacen("#\n", "\n", 1).replacen("#\r\n", "\r\n", 1),
            );
        } else {
            commented = false;
            lines.push(line.to_owned());
        }
    }
    lines.concat()
}

proptest! {
    #[test]
    fn an_edit_says_what_was_meant_and_keeps_every_other_byte(
        (roster, text) in texts(),
        leave in any::<u8>(),
        come in any::<bool>(),
    ) {
        prop_assert_eq!(&read(&text).roster, &roster);
        let leavers: Vec<&str> = roster.users.keys().enumerate()
            .filter(|(index, _)| leave >> index & 1 == 1).map(|(_, user)| user.as_str()).collect();
        let mut what = out(&leavers);
        if come {
            what.add = put_in("new-row").add;
        }
        let new = edited(&text, &what);
        let mut meant = roster.clone();
        meant.users.retain(|user, _| !leavers.contains(&user.as_str()));
        meant.users.extend(what.add.clone());
        prop_assert_eq!(read(&new).roster, meant);
        let line_end = if text.contains('\r') { "\r\n" } else { "\n" };
        let added_end = come && !text.ends_with('\n');
        let expected = if added_end { format!("{text}{line_end}") } else { text.clone() };
        prop_assert_eq!(undone(&new), expected);
    }

    #[test]
    fn no_text_is_edited_into_something_else(text in "(users:|[a-c]|[-:?{}\\[\\],#'\" \n])*") {
        if let Ok(new) = edit(text.as_bytes(), &put_in("c")) {
            let (before, after) = (read(&text).roster, parse(&new).unwrap().roster);
            prop_assert_eq!(after.users.len(), before.users.len() + 1);
        }
    }
}
