//! The table of states in `docs/freshen.md` and these tests are the same list.

use std::collections::BTreeSet;

const DOCUMENT: &str = include_str!("../../../../docs/freshen.md");

const SOURCES: [&str; 10] = [
    include_str!("broken.rs"),
    include_str!("full_disk.rs"),
    include_str!("layouts.rs"),
    include_str!("left_alone.rs"),
    include_str!("many.rs"),
    include_str!("remotes.rs"),
    include_str!("speed.rs"),
    include_str!("ssh.rs"),
    include_str!("stopping.rs"),
    concat!(include_str!("under_way.rs"), include_str!("undone.rs"), include_str!("updates.rs")),
];

/// The names in the tables' last columns.
fn documented() -> Vec<&'static str> {
    let rows = DOCUMENT.lines().filter(|line| line.starts_with("| "));
    let last = rows.filter_map(|row| row.trim_end_matches([' ', '|']).rsplit("| ").next());
    last.filter_map(|cell| cell.strip_prefix('`')?.strip_suffix('`')).collect()
}

fn tested() -> BTreeSet<&'static str> {
    let tests = SOURCES.iter().flat_map(|source| source.split("#[test]\nfn ").skip(1));
    tests.filter_map(|test| test.split('(').next()).collect()
}

#[test]
fn every_row_has_its_test_and_every_test_its_row() {
    let rows = documented();
    let documented: BTreeSet<&str> = rows.iter().copied().collect();
    assert_eq!(rows.len(), documented.len(), "a test stands in two rows");
    let tested = tested();
    let missing: Vec<_> = documented.difference(&tested).collect();
    assert!(missing.is_empty(), "rows without a test: {missing:?}");
    let extra: Vec<_> = tested.difference(&documented).collect();
    assert!(extra.is_empty(), "tests without a row: {extra:?}");
}
