//! A strict reader of the Prometheus text format (0.0.4): what it accepts, the node exporter does.

use std::collections::{BTreeMap, BTreeSet};

/// Values, as written, by name and labels (`name{label="value",...}`).
pub(crate) type Samples = BTreeMap<String, String>;

/// Reads a whole file; panics with the line that is wrong.
#[track_caller]
pub(crate) fn parse(text: &str) -> Samples {
    assert!(text.ends_with('\n'), "the last line does not end");
    let (mut samples, mut types) = (Samples::new(), BTreeMap::new());
    let (mut helped, mut closed) = (BTreeSet::new(), BTreeSet::new());
    let mut current = String::new();
    for line in text.strip_suffix('\n').unwrap().split('\n') {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap_or_else(|| panic!("{line}"));
            assert!(is_name(name) && !help.is_empty(), "{line}");
            assert!(helped.insert(name.to_owned()), "a second HELP: {line}");
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap_or_else(|| panic!("{line}"));
            assert!(["counter", "gauge"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
            assert!(types.insert(name.to_owned(), kind).is_none(), "a second TYPE: {line}");
        } else {
            let (name, labels, value) = sample(line);
            assert!(types.contains_key(name) && helped.contains(name), "no TYPE or HELP: {line}");
            if name != current {
                assert!(closed.insert(name.to_owned()), "not all of a metric together: {line}");
                name.clone_into(&mut current);
            }
            let key = format!("{name}{labels}");
            assert!(samples.insert(key, value.to_owned()).is_none(), "a second value: {line}");
        }
    }
    samples
}

/// A line's name, labels as written, and value.
#[track_caller]
fn sample(line: &str) -> (&str, &str, &str) {
    let end = line.find([' ', '{']).unwrap_or_else(|| panic!("no value: {line}"));
    let name = &line[..end];
    assert!(is_name(name), "{line}");
    let labels = if line[end..].starts_with('{') { labels(&line[end..]) } else { "" };
    let value = line[end + labels.len()..].strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
    assert!(value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'), "{line}");
    assert!(value.parse().is_ok_and(f64::is_finite), "{line}");
    (name, labels, value)
}

/// The labels at the begin of a text, with their braces.
#[track_caller]
fn labels(text: &str) -> &str {
    let mut rest = &text[1..];
    let mut seen = BTreeSet::new();
    loop {
        let (label, value) = rest.split_once("=\"").unwrap_or_else(|| panic!("{text}"));
        assert!(is_name(label) && !label.contains(':') && seen.insert(label), "{text}");
        let mut characters = value.char_indices();
        let end = loop {
            match characters.next().unwrap_or_else(|| panic!("an open quote: {text}")) {
                (at, '"') => break at,
                (_, '\\') => {
                    let (_, escaped) = characters.next().unwrap_or_else(|| panic!("{text}"));
                    assert!(['\\', '"', 'n'].contains(&escaped), "{text}");
                }
                _ => {}
            }
        };
        rest = &value[end + 1..];
        match rest.as_bytes().first() {
            Some(b',') => rest = &rest[1..],
            Some(b'}') => return &text[..=text.len() - rest.len()],
            _ => panic!("{text}"),
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')
}

#[test]
fn the_strict_reader_takes_what_is_right_and_refuses_what_is_not() {
    let head = "# HELP a_total what\n# TYPE a_total counter\n";
    let read = parse(&format!("{head}a_total{{u=\"x\\\"\\n,}} 1\"}} 1.5\na_total 2\n"));
    assert_eq!(read["a_total{u=\"x\\\"\\n,} 1\"}"], "1.5");
    let wrong = [
        "a_total 1",
        "a_total{u=\"x} 1\n",
        "b 1\n",
        "a_total  1\n",
        "a_total -\n",
        "a_total{} 1\n",
        "a_total 1\na_total 1\n",
        "a_total{u=\"\\q\"} 1\n",
        "a_total{u=\"x\",u=\"y\"} 1\n",
        "\n",
        "a_total 1 2\n",
    ];
    for line in wrong {
        let text = format!("{head}{line}");
        assert!(std::panic::catch_unwind(|| parse(&text)).is_err(), "{line}");
    }
}
