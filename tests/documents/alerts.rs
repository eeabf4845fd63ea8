//! The alerting rules are YAML of the form that Prometheus reads, each alert is explained, and each metric is printed.

use super::project;
use crate::support::lacks::lacks;
use crate::support::{Sandbox, run};
use granit_parser::{Event, Parser, StrInput};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const FILES: [&str; 3] = ["docs/alerts.yml", "docs/alerts-host.yml", "docs/alerts-t3.yml"];

type Events<'a> = Parser<'a, StrInput<'a>>;

fn next<'a>(events: &mut Events<'a>) -> Event<'a> {
    events.next_event().expect("the document ends early").expect("not YAML").0
}

/// The value that `event` begins.
fn value<'a>(event: Event<'a>, events: &mut Events<'a>) -> Value {
    match event {
        Event::Scalar(text, ..) => Value::String(text.into()),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match next(events) {
                    Event::SequenceEnd => return Value::Array(items),
                    event => items.push(value(event, events)),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut entries = Map::new();
            loop {
                let key = match next(events) {
                    Event::MappingEnd => return Value::Object(entries),
                    Event::Scalar(key, ..) => String::from(key),
                    other => panic!("a key is {other:?}"),
                };
                let event = next(events);
                let value = value(event, events);
                assert!(entries.insert(key.clone(), value).is_none(), "duplicate key {key}");
            }
        }
        other => panic!("unexpected {other:?}"),
    }
}

fn read(text: &str) -> Value {
    let mut events = Parser::new_from_str(text);
    loop {
        match next(&mut events) {
            Event::StreamStart | Event::DocumentStart(..) => {}
            event => return value(event, &mut events),
        }
    }
}

/// Whether brackets and quotes of an expression are closed.
fn is_balanced(expression: &str) -> bool {
    let mut open = Vec::new();
    let mut quoted = false;
    for c in expression.chars() {
        match c {
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' => open.push(')'),
            '[' => open.push(']'),
            '{' => open.push('}'),
            ')' | ']' | '}' if open.pop() != Some(c) => return false,
            _ => {}
        }
    }
    open.is_empty() && !quoted
}

fn is_duration(text: &str) -> bool {
    let number = text.strip_suffix(['s', 'm', 'h', 'd']).unwrap_or_default();
    number.parse().is_ok_and(|number: u32| number > 0)
}

#[test]
fn every_alerting_rule_has_the_form_that_prometheus_reads_and_is_explained() {
    let explained = std::fs::read_to_string(project().join("docs/operations.md")).unwrap();
    let mut names = BTreeSet::new();
    for file in FILES {
        let rules = read(&std::fs::read_to_string(project().join(file)).unwrap());
        assert_eq!(rules.as_object().unwrap().keys().collect::<Vec<_>>(), ["groups"], "{file}");
        for group in rules["groups"].as_array().unwrap() {
            assert!(group["name"].is_string());
            for rule in group["rules"].as_array().unwrap() {
                let name = rule["alert"].as_str().unwrap();
                assert!(names.insert(name.to_owned()), "{name} is twice");
                for key in rule.as_object().unwrap().keys() {
                    let known = ["alert", "expr", "for", "labels", "annotations"];
                    assert!(known.contains(&key.as_str()), "{name}: {key}");
                }
                assert!(rule["expr"].as_str().is_some_and(is_balanced), "{name}: {}", rule["expr"]);
                let wait = rule.get("for").map(|wait| wait.as_str().unwrap());
                assert!(wait.is_none_or(is_duration), "{name}: {wait:?}");
                let severity = rule["labels"]["severity"].as_str().unwrap();
                assert!(["critical", "warning", "info"].contains(&severity), "{name}: {severity}");
                for key in ["summary", "fix"] {
                    assert!(rule["annotations"][key].is_string(), "{name}: no {key}");
                }
                assert!(explained.contains(&format!("| `{name}` |")), "{name} is not explained");
            }
        }
    }
    for part in ["Pressure", "Memory", "Swap", "Disk"] {
        assert!(names.iter().any(|name| name.starts_with("Host") && name.contains(part)), "{part}");
    }
}

/// A metric as an expression names it, with the values that it wants of its labels.
type Metric = (String, Vec<String>);

/// The metrics of an expression: names that no bracket follows, and that are no words of the language.
fn metrics_of(expression: &str) -> Vec<Metric> {
    const WORDS: [&str; 9] = ["and", "or", "unless", "on", "sum", "min", "max", "avg", "count"];
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut metrics = Vec::new();
    let mut rest = expression;
    // The labels of `by (...)` and `without (...)` are no metrics.
    let mut are_labels = false;
    while let Some(begin) = rest.find(|c: char| c.is_ascii_alphanumeric() || "{[)".contains(c)) {
        rest = &rest[begin..];
        let end = match rest.chars().next() {
            Some('[') => rest.find(']').unwrap() + 1,
            Some('{') => rest.find('}').unwrap() + 1,
            Some(')') => 1,
            _ => rest.find(|c| !is_name(c)).unwrap_or(rest.len()),
        };
        let (word, after) = rest.split_at(end);
        rest = after;
        if word == ")" {
            are_labels = false;
        } else if word == "by" || word == "without" {
            are_labels = true;
        } else if let Some(labels) = word.strip_prefix('{') {
            let (_, wanted): &mut Metric = metrics.last_mut().unwrap();
            let matchers = labels.trim_end_matches('}').split(',');
            for (label, value) in matchers.filter_map(|matcher| matcher.split_once('=')) {
                let values = value.trim_start_matches('~').trim_matches('"');
                let of_value = |value| format!("{label}=\"{value}\"");
                // What is excluded need not be printed.
                wanted.extend(values.split('|').map(of_value).filter(|_| !label.ends_with('!')));
            }
        } else if word.starts_with(|c: char| c.is_ascii_alphabetic())
            && !after.starts_with('(')
            && !are_labels
            && !WORDS.contains(&word)
        {
            metrics.push((word.to_owned(), Vec::new()));
        }
    }
    metrics
}

#[test]
fn the_metrics_of_an_expression_are_found() {
    let of = |expression| metrics_of(expression).into_iter().map(|(name, _)| name);
    let found = |expression| of(expression).collect::<Vec<String>>().join(" ");
    assert_eq!(found("max without (seen_by) (increase(a_total[6h])) > 6"), "a_total");
    assert_eq!(found("time() - a_b_seconds < 900"), "a_b_seconds");
    assert_eq!(found(r#"(a{b!~"x|y"} / c < 0.1) and (d == 0)"#), "a c d");
    let wanted = metrics_of(r#"increase(a{k=~"x|y",r="z",n!="w"}[1h]) > 0 or absent(b)"#);
    let labels = [r#"k="x""#, r#"k="y""#, r#"r="z""#].map(str::to_owned).to_vec();
    assert_eq!(wanted, [("a".to_owned(), labels), ("b".to_owned(), Vec::new())]);
}

/// The metrics that the rules want whose names begin so.
pub(crate) fn wanted_metrics(prefix: &str) -> BTreeSet<Metric> {
    let expression = |line: &str| line.trim().strip_prefix("expr: ").map(metrics_of);
    let of_file = |file| {
        let text = std::fs::read_to_string(project().join(file)).unwrap();
        text.lines().filter_map(expression).flatten().collect::<Vec<Metric>>()
    };
    let all = FILES.into_iter().flat_map(of_file);
    all.filter(|(name, _)| name.starts_with(prefix)).collect()
}

/// What lacks in a file of metrics.
pub(crate) fn lacking(wanted: &BTreeSet<Metric>, printed: &str) -> Vec<String> {
    let is_printed = |name: &str| printed.contains(&format!("# TYPE {name} "));
    let mut lacking = Vec::new();
    for (name, labels) in wanted {
        let samples = || printed.lines().filter(|line| line.starts_with(&format!("{name}{{")));
        lacking.extend((!is_printed(name)).then(|| name.clone()));
        let absent = labels.iter().filter(|label| !samples().any(|line| line.contains(*label)));
        lacking.extend(absent.map(|label| format!("{name}{{{label}}}")));
    }
    lacking
}

#[test]
fn each_metric_that_a_rule_names_is_printed_with_the_labels_that_it_wants() {
    let own = wanted_metrics("tmux_persist_");
    assert!(own.len() >= 10, "{own:?}");
    let sandbox = Sandbox::new();
    sandbox.tmux(["new-session", "-d", "-s", "one"]).ok();
    sandbox.persist(["save"]).ok();
    let file = sandbox.work().join("persist.prom");
    sandbox.persist(["status".as_ref(), "--metrics".as_ref(), file.as_os_str()]).ok();
    assert_eq!(lacking(&own, &std::fs::read_to_string(file).unwrap()), [""; 0]);
    // What node_exporter 1.5.0 of Debian printed, with its default collectors.
    let list = project().join("tests/documents/node-exporter-1.5.0.txt");
    let list = std::fs::read_to_string(list).unwrap();
    let of_host = wanted_metrics("node_");
    for (name, _) in &of_host {
        assert!(list.lines().any(|line| line == name), "{name}");
    }
    // Those of a backup are looked at where one is made (`provision::backup`), those of T3 Code where its version is
    // changed (`t3::enforce`), those of the lobby where it runs (`lobby::gateway::t3`).
    let elsewhere = [
        "terminal_lobby_backup_",
        "terminal_lobby_t3_backup_",
        "terminal_lobby_t3_enforce_",
        "lobby_",
    ];
    let elsewhere: usize = elsewhere.iter().map(|prefix| wanted_metrics(prefix).len()).sum();
    let known = own.len() + of_host.len() + elsewhere;
    assert_eq!(known, wanted_metrics("").len(), "{:?}", wanted_metrics(""));
}

#[test]
fn promtool_accepts_the_rules() {
    // Where `install-prerequisites.sh` puts it.
    let own = project().join("target/tools/bin/promtool");
    let promtool = if own.exists() { own.as_path() } else { Path::new("promtool") };
    let mut check = Command::new(promtool);
    check.args(["check", "rules", "--lint=all", "--lint-fatal"]).current_dir(project());
    if Command::new(promtool).arg("--version").output().is_err() {
        lacks(
            "documents::alerts::promtool_accepts_the_rules",
            "promtool (make test installs it on Debian)",
        );
        return;
    }
    let said = run(check.args(FILES)).ok().out();
    assert_eq!(said.matches("SUCCESS: ").count(), FILES.len(), "{said}");
}
