//! A clone's configuration file (git-config(1)), as far as remotes and upstreams go (pure).

use crate::provision::protocol::code::{MAX_REMOTES, Remote};
use std::collections::{BTreeMap, BTreeSet};

/// git would not read the file either.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ConfigError {
    #[error("its configuration is invalid")]
    Syntax,
    #[error("its configuration has an invalid section")]
    Section,
    #[error("its configuration has an invalid value")]
    Value,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Config {
    /// Remotes with an address, the first one of each.
    pub(super) remotes: Vec<Remote>,
    /// Branches with an upstream, or half of one.
    pub(super) upstreams: BTreeSet<String>,
    /// The last upstream of each branch: its remote, and the ref there.
    pub(super) merges: BTreeMap<String, (Option<String>, Option<String>)>,
    /// Whether other files belong to it.
    pub(super) includes: bool,
}

pub(super) fn parse(text: &str) -> Result<Config, ConfigError> {
    let mut config = Config::default();
    let mut at = text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable();
    let mut section = (String::new(), None);
    while let Some(c) = at.next() {
        match c {
            '#' | ';' => while at.next_if(|c| *c != '\n').is_some() {},
            '[' => {
                section = header(&mut at)?;
                config.includes |= section.0 == "include" || section.0 == "includeif";
            }
            c if c.is_whitespace() => {}
            c if c.is_ascii_alphabetic() => {
                let mut key = String::from(c.to_ascii_lowercase());
                while let Some(c) = at.next_if(|c| c.is_ascii_alphanumeric() || *c == '-') {
                    key.push(c.to_ascii_lowercase());
                }
                while at.next_if(|c| *c == ' ' || *c == '\t').is_some() {}
                let value =
                    if at.next_if_eq(&'=').is_some() { value(&mut at)? } else { String::new() };
                note(&mut config, &section, &key, value);
            }
            _ => return Err(ConfigError::Syntax),
        }
    }
    Ok(config)
}

fn note(config: &mut Config, section: &(String, Option<String>), key: &str, value: String) {
    let (section, Some(name)) = section else { return };
    match (section.as_str(), key) {
        ("remote", "url") => {
            let known = config.remotes.iter().any(|remote| remote.name == *name);
            if !known && config.remotes.len() < MAX_REMOTES {
                config.remotes.push(Remote { name: name.clone(), url: value });
            }
        }
        ("branch", "merge" | "remote") => {
            config.upstreams.insert(name.clone());
            let (remote, merge) = config.merges.entry(name.clone()).or_default();
            *(if key == "remote" { remote } else { merge }) = Some(value);
        }
        _ => {}
    }
}

type Characters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// `name "sub"]` or `name.sub]`, after the bracket.
fn header(at: &mut Characters<'_>) -> Result<(String, Option<String>), ConfigError> {
    let mut name = String::new();
    while let Some(c) = at.next_if(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '.') {
        name.push(c.to_ascii_lowercase());
    }
    while at.next_if(|c| *c == ' ' || *c == '\t').is_some() {}
    match at.next() {
        Some(']') => Ok(match name.split_once('.') {
            Some((name, sub)) => (name.to_owned(), Some(sub.to_owned())),
            None => (name, None),
        }),
        Some('"') => {
            let mut sub = String::new();
            loop {
                match at.next() {
                    Some('"') => break,
                    Some('\\') => sub.push(at.next().ok_or(ConfigError::Section)?),
                    None | Some('\n') => return Err(ConfigError::Section),
                    Some(c) => sub.push(c),
                }
            }
            if at.next() == Some(']') { Ok((name, Some(sub))) } else { Err(ConfigError::Section) }
        }
        _ => Err(ConfigError::Section),
    }
}

/// A value up to the end of its line; quotes and a continued line as git has them.
fn value(at: &mut Characters<'_>) -> Result<String, ConfigError> {
    let (mut value, mut quoted, mut kept) = (String::new(), false, 0);
    loop {
        match at.next() {
            None | Some('\n') if quoted => return Err(ConfigError::Value),
            None | Some('\n') => break,
            Some('"') => {
                quoted = !quoted;
                kept = value.len();
            }
            Some('\\') => {
                match at.next() {
                    Some('\n') => continue,
                    Some('n') => value.push('\n'),
                    Some('t') => value.push('\t'),
                    Some('b') => value.push('\u{8}'),
                    Some(c @ ('"' | '\\')) => value.push(c),
                    _ => return Err(ConfigError::Value),
                }
                kept = value.len();
            }
            Some('#' | ';') if !quoted => while at.next_if(|c| *c != '\n').is_some() {},
            Some(c) if c.is_whitespace() && !quoted => {
                if !value.is_empty() {
                    value.push(c);
                }
            }
            Some(c) => {
                value.push(c);
                kept = value.len();
            }
        }
    }
    value.truncate(kept); // blanks at the end count only in quotes
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remotes_and_upstreams_are_read_as_git_reads_them() {
        let text = "\u{feff}[core]\n\tbare = false\n\
            [Remote \"origin\"] URL = https://h/a.git # why\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n\
            \turl = second\n[remote \"with \\\"quotes\\\\\"]\n\turl = \" https://h/b ;\\n\" x  \n\
            ; comment [remote \"no\"]\n[remote.old]\n\turl = a\\\nb\n\tpushurl\n\
            [branch \"main\"]\n\tremote = origin\n\tmerge = refs/heads/main\n[branch \"x\"]\n\tdescription = d\n";
        let config = parse(text).unwrap();
        let remotes: Vec<_> =
            config.remotes.iter().map(|r| (r.name.as_str(), r.url.as_str())).collect();
        let expected = [
            ("origin", "https://h/a.git"),
            ("with \"quotes\\", " https://h/b ;\n x"),
            ("old", "ab"),
        ];
        assert_eq!(remotes, expected);
        assert_eq!(config.upstreams, BTreeSet::from(["main".to_owned()]));
        assert!(!config.includes);
        assert!(parse("[includeIf \"gitdir:x\"]\n\tpath = y\n").unwrap().includes);
    }

    #[test]
    fn what_git_refuses_is_refused() {
        for text in [
            "[remote",
            "[remote \"a]\n",
            "[remote \"a\" x]",
            "=x",
            "[a]\n\tb = \"x\n",
            "[a]\nb = \\x",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        let many: Vec<String> = (0..50).map(|n| format!("[remote \"r{n}\"]\nurl = x\n")).collect();
        assert_eq!(parse(&many.concat()).unwrap().remotes.len(), MAX_REMOTES);
    }
}
