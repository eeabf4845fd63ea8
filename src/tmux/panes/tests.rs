//! What servers of each version print, and what none would.

use super::*;

const NONCE: &str = "0123456789abcdef0123456789abcdef";

/// A record as a server would print it, with the probe and the values as they come out.
fn record(probe: &str, version: &str, chosen: [&str; 4]) -> String {
    let fixed = format!("{version}|77|$1|@2|%3|4|5|88|1||0|1||0|1|0|0|b25d,80x24,0,0,0|vm|5|6|7");
    let chosen = chosen.join(NONCE) + &NONCE.repeat(8);
    format!(
        "{NONCE}{probe}{NONCE}{fixed}{NONCE}vi|{NONCE}{chosen}{NONCE}a\\ b{NONCE}x\\ y{NONCE}end\n"
    )
}

fn parse_records(records: &str) -> Result<Listing, InvalidAnswer> {
    parse(format!("{GLOBAL}{records}0000000000\non\n").as_bytes(), NONCE, &extra())
}

const GLOBAL: &str = "mode-keys emacs\nhistory-limit 2000\n";

fn extra() -> ExtraFields {
    let options = options::by_name(b"mode-keys").into_iter().collect();
    let environment = vec!["FOO".to_owned()];
    let user_options = vec!["@role".to_owned()];
    ExtraFields { options, environment, user_options, ..ExtraFields::default() }
}

#[test]
fn the_format_asks_for_what_the_parser_reads() {
    let answer = format(NONCE, &extra()).replace(PROBE, "");
    assert_eq!(answer.matches(NONCE).count(), 18);
    assert_eq!(FIXED.matches("#{").count(), FIXED.matches('|').count() + 1);
}

#[test]
fn golden_answers_of_each_dialect_give_the_same_pane() {
    // The session `a$b\c` with a tab, the window `#(x) y`, the title `t\u{e9}`.
    for (probe, version, session, window, title) in [
        ("\u{1f}$A", "3.3a", r"a\\\$b\\\\c\\t", r"\#\(x\)\ y", "t\u{e9}"),
        (r"\037\$A", "3.4", r"a\\\\$b\\\\c\\t", r"\#\(x\)\ y", r"t\303\251"),
        (r"\037$A", "3.5a", r"a\$b\\\\c\\t", r"\#\(x\)\ y", r"t\303\251"),
        ("\u{1f}$A", "3.6b", r"a\$b\\\\c\\t", r"\#\(x\)\ y", "t\u{e9}"),
    ] {
        let answer = record(probe, version, [session, window, title, ""]);
        let listing = parse_records(&answer).unwrap();
        let pane = &listing.panes[0];
        assert_eq!(pane.session, b"a$b\\c\t", "{version}");
        assert_eq!(pane.window_name, b"#(x) y", "{version}");
        assert_eq!(pane.title, "t\u{e9}".as_bytes(), "{version}");
        assert_eq!((pane.session_id, pane.window_id, pane.id, pane.pid), (1, 2, 3, 88));
        assert_eq!(
            (pane.options.as_str(), &pane.environment[0].1[..]),
            ("mode-keys=vi", &b"a b"[..])
        );
        assert_eq!((&pane.user_options[..], pane.activity), (&[b"x y".to_vec()][..], 7));
        assert!(pane.window_active && pane.active && pane.automatic_rename && !pane.dead);
    }
}

#[test]
fn titles_are_decoded_since_3_7_only() {
    for (version, title) in [("3.6b", &br"a\\b"[..]), ("3.7c", br"a\b"), ("next-3.8", br"a\b")] {
        let answer = record("\u{1f}$A", version, ["s", "w", r"a\\\\b", ""]);
        assert_eq!(parse_records(&answer).unwrap().panes[0].title, title, "{version}");
    }
}

#[test]
fn a_line_feed_in_a_value_breaks_nothing() {
    let one = record("\u{1f}$A", "3.3a", ["s", "w", "a\nend\n", ""]);
    let two = one.clone() + &record("\u{1f}$A", "3.3a", ["s2", "w", "", ""]);
    let listing = parse_records(&two).unwrap();
    assert_eq!(listing.panes.len(), 2);
    assert_eq!(listing.panes[0].title, b"a\nend\n");
}

#[test]
fn an_invalid_answer_is_refused_and_an_empty_answer_is_a_server_without_sessions() {
    assert_eq!(parse(format!("{GLOBAL}off\n").as_bytes(), NONCE, &extra()).unwrap().panes, []);
    let record = record("\u{1f}$A", "3.3a", ["s", "w", "t", ""]);
    let valid = format!("{GLOBAL}{record}0000000000\non\n");
    for answer in [
        "HTTP/1.1 400 Bad Request\n".to_owned(),
        String::new(),
        valid[..valid.len() - 4].to_owned(),
        valid.clone() + "more\non\n",
        valid.clone() + "0000000000\non\n",
        valid.replace("0000000000\n", ""),
        valid.replace("|77|", "|x|"),
        valid.replace("\u{1f}$A", "_$A"),
        valid.replace("|vm|5", ""),
        valid.replace("mode-keys", "x"),
        "off\n".to_owned(),
    ] {
        assert!(parse(answer.as_bytes(), NONCE, &extra()).is_err(), "{answer}");
    }
}
