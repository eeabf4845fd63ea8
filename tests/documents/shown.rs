//! Output that the documents show is what the programs print, apart from times, ids and places.

use super::check_part;
use crate::support::{Sandbox, sandbox, stub_agent::id};
use std::collections::BTreeMap;

/// What stands in the documents instead of what differs from run to run.
struct Shown {
    /// Text of this run, and what is shown for it: of the same length, where tables are aligned by it.
    names: Vec<(String, String)>,
}

impl Shown {
    /// One command as a reader types it, and what it printed.
    fn block(&self, command: &str, printed: &str) -> String {
        let mut text = printed.to_owned();
        for (is, shown) in &self.names {
            text = text.replace(is.as_str(), shown);
        }
        let text: Vec<String> =
            text.lines().map(|line| times(line).trim_end().to_owned()).collect();
        format!("```console\n$ {command}\n{}\n```\n", text.join("\n"))
    }
}

/// A line with one fixed time, age and size.
fn times(line: &str) -> String {
    let mut line: String = line.split_inclusive(' ').map(word).collect();
    for seconds in 0..10 {
        line = line.replace(&format!(" {seconds} s ago"), " 3 s ago");
    }
    line
}

fn word(word: &str) -> String {
    let (text, space) = word.split_at(word.trim_end().len());
    let digits = |range: std::ops::Range<usize>| {
        text.get(range).is_some_and(|part| part.bytes().all(|b| b.is_ascii_digit()))
    };
    let is_id = text.len() >= 16 && digits(0..8) && text.as_bytes()[8] == b'T' && digits(9..15);
    let is_day = text.len() == 10 && digits(0..4) && text.as_bytes()[4] == b'-' && digits(5..7);
    let is_time = text.len() == 5 && digits(0..2) && text.as_bytes()[2] == b':' && digits(3..5);
    let shown = match text {
        _ if is_id => {
            // A second snapshot within a second has a number; then comes punctuation.
            let rest = text[16..].trim_start_matches(|c: char| c == '-' || c.is_ascii_digit());
            format!("20261120T144343Z{rest}")
        }
        _ if is_day => "2026-11-20".to_owned(),
        _ if is_time => "14:43".to_owned(),
        _ => text.to_owned(),
    };
    shown + space
}

/// Whether two texts agree but for numbers, and for the spaces that align a table.
fn same(a: &str, b: &str) -> bool {
    let gist = |text: &str| {
        let words = text.split_whitespace();
        words.map(|word| word.replace(|c: char| c.is_ascii_digit(), "0")).collect::<Vec<_>>()
    };
    let one_digit = |words: Vec<String>| {
        words
            .into_iter()
            .map(|mut word| {
                while word.contains("00") {
                    word = word.replace("00", "0");
                }
                word
            })
            .collect::<Vec<_>>()
    };
    one_digit(gist(a)) == one_digit(gist(b))
}

/// A day with two agents: saved, killed, restored, closed.
fn tour() -> BTreeMap<&'static str, String> {
    let sandbox = Sandbox::new();
    let work = sandbox.work();
    let work = work.to_str().unwrap();
    let shown = Shown {
        names: vec![
            (work.to_owned(), "/home/anna/code/web".to_owned()),
            (sandbox.state().to_str().unwrap().to_owned(), "/var/lib/tmux-persist".to_owned()),
            (format!("/{}.tsv", sandbox::user()), "/anna.tsv".to_owned()),
            (format!("{}:", sandbox::user()), "anna:".to_owned()),
            (format!("{} ", sandbox::user()), "anna ".to_owned()),
        ],
    };
    let mut blocks = BTreeMap::new();
    let mut show = |name, args: &[&str]| {
        let run = sandbox.persist(args);
        let printed = format!("{}{}", run.out(), run.err());
        blocks.insert(name, shown.block(&format!("persist {}", args.join(" ")), &printed));
    };
    sandbox.stub_in(&["new-session", "-d", "-s", "api", "-c", work], &id(1));
    sandbox.tmux(["split-window", "-h", "-t", "api", "-c", work]).ok();
    sandbox.stub_in(&["new-session", "-d", "-s", "web", "-c", work], &id(2));
    (1..=2).for_each(|n| drop(sandbox.prompt(&id(n))));
    show("save", &["save"]);
    sandbox.crash();
    show("show", &["show"]);
    show("restore", &["restore"]);
    (1..=2).for_each(|n| sandbox.wait_for_agent(&id(n)));
    sandbox.persist(["save"]).ok();
    show("status", &["status"]);
    show("forget", &["forget", "--kill", "web"]);
    show("history", &["history"]);
    blocks
}

/// What `provision plan` prints of a host in `tests/provision`, which holds the programs to it.
fn plan(case: &str, command: &str) -> String {
    let path = super::project().join("tests/provision").join(case).join("expected.txt");
    let expected = std::fs::read_to_string(path).unwrap();
    let (printed, _) = expected.rsplit_once("exit ").unwrap();
    Shown { names: Vec::new() }.block(command, printed.trim_end())
}

/// One test, since each part is written into the same page.
#[test]
fn output_in_the_documents_is_what_the_programs_print() {
    for (name, text) in tour() {
        check_part("README.md", &format!("<!-- shown: {name} -->"), &text, same);
    }
    for (page, case, command) in [
        ("README.md", "11-one-user", "provision plan --user new"),
        ("docs/provision.md", "05-leavers", "provision plan"),
    ] {
        check_part(page, "<!-- shown: plan -->", &plan(case, command), same);
    }
}

#[test]
fn only_numbers_and_spaces_may_differ() {
    assert!(same("a  12 b\n", "a 7 b"));
    assert!(same("20261120T144343Z", "20251231T235959Z"));
    assert!(!same("a 12 b", "a 12 c"));
    assert!(!same("a\nb\n", "a\n"));
    assert_eq!(
        times("at 2031-01-02 03:04 UTC, 20310102T030405Z-1"),
        "at 2026-11-20 14:43 UTC, 20261120T144343Z"
    );
}
