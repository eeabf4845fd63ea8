//! docs/configuration.md, the example files and the programs' defaults agree.

use super::project;
use std::collections::{BTreeMap, BTreeSet};
use terminal_lobby::supervisor::config::{File, Overrides, resolve};

/// Keys by table (`""` is the top level) with their defaults; `None` where there is none.
type Keys = BTreeMap<(String, String), Option<toml::Value>>;

fn parse(text: &str) -> toml::Value {
    let table: toml::Table =
        toml::from_str(&format!("x = {text}")).unwrap_or_else(|e| panic!("{text}: {e}"));
    table["x"].clone()
}

/// The tables of one half of the page: of `config.toml`, or of `launcher.toml`.
fn documented(launcher: bool) -> Keys {
    let page = std::fs::read_to_string(project().join("docs/configuration.md")).unwrap();
    let (page, _of_lobby) = page.split_once("\n## lobby.toml\n").unwrap();
    let (site, of_launcher) = page.split_once("\n## launcher.toml\n").unwrap();
    let mut keys = Keys::new();
    let mut table = String::new();
    for line in if launcher { of_launcher } else { site }.lines() {
        if let Some(heading) = line.strip_prefix('#') {
            let name = heading.trim_start_matches('#').trim();
            name.trim_matches(['[', ']']).clone_into(&mut table);
            if !name.starts_with('[') {
                table.clear();
            }
        }
        let cells: Vec<&str> = line.split(" | ").collect();
        let [key, default, _, ..] = cells[..] else { continue };
        let Some(key) = key.strip_prefix("| `").and_then(|key| key.strip_suffix('`')) else {
            continue;
        };
        if key.contains('/') {
            continue; // the list of files
        }
        let default = match default {
            "none" | "all" => None,
            text => Some(parse(text.trim_matches('`'))),
        };
        keys.insert((table.clone(), key.to_owned()), default);
    }
    keys
}

/// A line of an example file as it is with the default: without its `#`, or with the value that a line which
/// counts says it has by default.
fn with_default(line: &str) -> Option<String> {
    if let Some(line) = line.strip_prefix('#') {
        return Some(line.to_owned());
    }
    let Some((key, _)) = line.split_once(" = ") else {
        return line.starts_with('[').then(|| line.to_owned());
    };
    let (_, default) =
        line.split_once(" # default ").unwrap_or_else(|| panic!("{line}: which default?"));
    Some(format!("{key} = {default}"))
}

/// What an example file has: every line that is a key or a table, with its default.
fn example(name: &str) -> (Keys, String) {
    let text = std::fs::read_to_string(project().join("units/config").join(name)).unwrap();
    let (mut keys, mut defaults, mut table) = (Keys::new(), String::new(), String::new());
    for line in text.lines().filter_map(with_default) {
        let line = line.as_str();
        if line.starts_with('[') {
            line.trim_matches(['[', ']']).clone_into(&mut table);
            // It would describe an agent of that name.
            if table != "agents.NAME" {
                defaults += line;
                defaults += "\n";
            }
        } else if let Some((key, value)) = line.split_once(" = ").filter(|_| !line.starts_with(' '))
        {
            let is_example = value.ends_with("# example");
            keys.insert((table.clone(), key.to_owned()), (!is_example).then(|| parse(value)));
            if !is_example {
                defaults += line;
                defaults += "\n";
            }
        }
    }
    (keys, defaults)
}

#[test]
fn the_page_and_the_example_files_agree() {
    for (name, launcher) in [("config.toml", false), ("launcher.toml", true)] {
        let (mut documented, (example, _)) = (documented(launcher), example(name));
        // `{}` and `[]` are shown by an example.
        for (key, default) in &mut documented {
            let empty = default.as_ref().is_some_and(|value| {
                value.as_table().is_some_and(toml::map::Map::is_empty)
                    || value.as_array().is_some_and(Vec::is_empty)
            });
            if empty && example.get(key).is_some_and(Option::is_none) {
                *default = None;
            }
        }
        pretty_assertions::assert_eq!(
            documented,
            example,
            "docs/configuration.md and units/config/{name}"
        );
        assert!(documented.len() > 10, "{documented:?}");
    }
}

#[test]
fn the_documented_defaults_are_those_of_persist() {
    let (_, defaults) = example("config.toml");
    let resolved = |file: File| format!("{:#?}", resolve(&Overrides::default(), file).unwrap());
    let given: File = toml::from_str(&defaults).unwrap();
    // Where the configuration names no state directory, it depends on who calls.
    let without =
        |text: String| text.replace("Some(\n        \"/var/lib/tmux-persist\",\n    )", "None");
    pretty_assertions::assert_eq!(without(resolved(given)), without(resolved(File::default())));
    // That this test would notice.
    let other: File = toml::from_str(&defaults.replace("at_once = 2", "at_once = 3")).unwrap();
    assert_ne!(without(resolved(other)), without(resolved(File::default())));
}

#[test]
fn the_documented_defaults_are_those_of_the_launcher() {
    let (_, defaults) = example("launcher.toml");
    let home = tempfile::tempdir().unwrap();
    let before = launcher::config::load(home.path());
    std::fs::create_dir_all(home.path().join(".config/terminal-lobby")).unwrap();
    std::fs::write(home.path().join(".config/terminal-lobby/launcher.toml"), &defaults).unwrap();
    let after = launcher::config::load(home.path());
    assert_eq!(after.warnings, before.warnings);
    pretty_assertions::assert_eq!(after.config, before.config);
}

/// An unknown key makes serde name all keys of a table.
#[test]
fn every_key_that_the_programs_know_is_documented() {
    let keys = documented(false);
    let tables: BTreeSet<&str> = keys.keys().map(|(table, _)| table.as_str()).collect();
    let sandbox = crate::support::Sandbox::new();
    let mut checked = 0;
    for table in tables {
        if table == "provision.groups" {
            continue; // its keys are the tiers
        }
        let heading = if table.is_empty() { String::new() } else { format!("[{table}]\n") };
        let config = sandbox.root().join("unknown.toml");
        std::fs::write(&config, format!("{heading}no_such_key = 1\n")).unwrap();
        let program = if table.starts_with("provision") {
            env!("CARGO_BIN_EXE_provision")
        } else {
            env!("CARGO_BIN_EXE_persist")
        };
        let verb: &[&str] = if table.starts_with("provision") { &["plan"] } else { &["list"] };
        let run =
            crate::support::run(sandbox.command(program).args(verb).arg("--config").arg(&config));
        let message = run.code(2).err();
        let Some((_, known)) = message.split_once(", expected ") else {
            panic!("[{table}]: {message}");
        };
        let known: BTreeSet<&str> = known.split('`').skip(1).step_by(2).collect();
        for key in known
            .into_iter()
            .filter(|key| !keys.keys().any(|(other, _)| is_table(other, table, key)))
        {
            let documented = keys.contains_key(&(table.to_owned(), key.to_owned()));
            assert!(documented, "docs/configuration.md has no key {key} in [{table}]");
            checked += 1;
        }
    }
    assert!(checked > 40, "{checked}");
}

/// Whether `key` of a table is itself a table that the page describes.
fn is_table(other: &str, table: &str, key: &str) -> bool {
    let name = if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") };
    other == name || other.starts_with(&format!("{name}."))
}
