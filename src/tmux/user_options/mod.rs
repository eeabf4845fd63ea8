//! Options that users and their tools set on sessions, windows and panes (pure): those whose names
//! begin with `@`, styles, and the text of pane borders. They are data. What could run a command is not
//! among them: no hook, command, status line, and no value that tmux would expand to one.

pub mod groups;
mod question;

pub use groups::{GroupAnswers, Groups};
pub(super) use question::{AT_ONCE, parse, question, question_of};
pub use question::{Answer, Key, MAX_KEYS};

use std::collections::BTreeSet;

/// What an option is set on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    Session,
    Window,
    Pane,
}

/// An option with its value.
pub type UserOption = (Vec<u8>, Vec<u8>);

/// Most options of one session, window or pane, and most bytes of a name and of a value.
const MAX_OPTIONS: usize = 32;
const MAX_NAME: usize = 64;
const MAX_VALUE: usize = 1024;

/// Styles that are kept.
const STYLES: [&str; 12] = [
    "message-style",
    "mode-style",
    "pane-active-border-style",
    "pane-border-style",
    "status-left-style",
    "status-right-style",
    "status-style",
    "window-active-style",
    "window-status-activity-style",
    "window-status-current-style",
    "window-status-style",
    "window-style",
];
/// The one format that is kept, if it shows values and nothing else.
const BORDER_FORMAT: &str = "pane-border-format";
/// Our own marks and those of our hooks, by the beginnings of their names.
const OWN: [&[u8]; 3] = [b"@persist", b"@conversation", b"@agent_"];
/// The one of them that a user sets to last: agents are not suspended by themselves there.
const KEEP: (&[u8], &[u8]) = (b"@persist", b"keep");
/// Parts of names whose values are probably secrets.
const SECRET: [&str; 6] = ["token", "secret", "passw", "credential", "apikey", "api_key"];

impl Owner {
    const ALL: [Self; 3] = [Self::Session, Self::Window, Self::Pane];

    /// The letter in snapshots and answers.
    fn letter(self) -> u8 {
        match self {
            Self::Session => b's',
            Self::Window => b'w',
            Self::Pane => b'p',
        }
    }

    /// The same as a character.
    fn letter_char(self) -> char {
        char::from(self.letter())
    }

    /// The flag of `set-option`.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Session => "",
            Self::Window => "-w",
            Self::Pane => "-p",
        }
    }

    fn parse(letter: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|owner| owner.letter() == letter)
    }
}

/// Most names whose values are asked for with each pane.
const MAX_ASKED: usize = 8;

/// Whether an option is kept, by its name and its value; `names` are the patterns of the configuration.
pub fn is_kept(name: &[u8], value: &[u8], names: &[String]) -> bool {
    let Ok(text) = std::str::from_utf8(name) else { return false };
    if value.len() > MAX_VALUE || name.len() > MAX_NAME || value.contains(&0) {
        return false;
    }
    let lists = |pattern: &String| crate::text::wildcard::matches(pattern.as_bytes(), name);
    if STYLES.contains(&text) {
        return names.iter().any(lists) && is_plain_style(value);
    }
    if text == BORDER_FORMAT {
        return names.iter().any(lists) && shows_values_alone(value);
    }
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-".contains(byte);
    let is_user_option = name.len() > 1 && name[0] == b'@' && name[1..].iter().all(word);
    let is_own = OWN.iter().any(|own| name.starts_with(own)) && (name, value) != KEEP;
    if !is_user_option || is_own {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    let is_secret = SECRET.iter().any(|part| lower.contains(part));
    // What may be a secret must be named as it is.
    names.iter().any(|pattern| if is_secret { pattern == text } else { lists(pattern) })
}

/// Whether a style is colours and attributes: styles are formats, too, and a format can run a command.
fn is_plain_style(value: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b" ,=-_#.".contains(byte);
    value.iter().all(plain)
}

/// Whether a format is text, styles and values of variables: `#P`, `#{pane_title}`, `#{?pane_active,...}`. No
/// `#(command)`, and no modifier, of which some expand a value again.
fn shows_values_alone(format: &[u8]) -> bool {
    let mut rest = format;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'#' {
            continue;
        }
        match rest.split_first() {
            Some((b'{', after)) => {
                let after = after.strip_prefix(b"?").unwrap_or(after);
                let word = |byte: &u8| byte.is_ascii_alphanumeric() || b"_@-".contains(byte);
                let length = after.iter().take_while(|byte| word(byte)).count();
                if length == 0 || !matches!(after.get(length), Some(b'}' | b',')) {
                    return false;
                }
                rest = &after[length..];
            }
            // `#P` and the like, `#[style]`, `##`, and digits of a colour.
            Some((byte, after)) if byte.is_ascii_alphanumeric() || b"#[,}".contains(byte) => {
                rest = after;
            }
            _ => return false,
        }
    }
    true
}

/// Writes options as a field of a snapshot.
pub fn encode(owner: Owner, options: &[UserOption]) -> Vec<u8> {
    let entry = |(name, value): &UserOption| {
        [&[owner.letter(), b':'], name.as_slice(), b"=", value, b"\0"].concat()
    };
    options.iter().flat_map(entry).collect()
}

/// The names of user options in fields of a snapshot, of which a format can ask for the value in effect: some
/// at most.
pub fn names<'a>(fields: impl Iterator<Item = &'a [u8]>, patterns: &[String]) -> Vec<String> {
    let mut names = BTreeSet::new();
    for field in fields {
        for owner in Owner::ALL {
            names.extend(decode(field, owner, patterns).into_iter().map(|(name, _)| name));
        }
    }
    let names = names.into_iter().filter(|name| name.starts_with(b"@"));
    names.filter_map(|name| String::from_utf8(name).ok()).take(MAX_ASKED).collect()
}

/// The part of a field of a snapshot that is about one owner.
pub fn part(field: &[u8], owner: Owner) -> Vec<u8> {
    let entries = field.split_inclusive(|&byte| byte == 0);
    entries.filter(|entry| entry.starts_with(&[owner.letter(), b':'])).flatten().copied().collect()
}

/// Reads the options of one owner in a field of a snapshot, which may be forged: what is not kept is
/// skipped.
pub fn decode(field: &[u8], owner: Owner, names: &[String]) -> Vec<UserOption> {
    let entries = field.split(|&byte| byte == 0);
    let option = |entry: &[u8]| {
        let entry = entry.strip_prefix(&[owner.letter(), b':'])?;
        let equals = entry.iter().position(|&byte| byte == b'=')?;
        let (name, value) = (&entry[..equals], &entry[equals + 1..]);
        is_kept(name, value, names).then(|| (name.to_vec(), value.to_vec()))
    };
    entries.filter_map(option).take(MAX_OPTIONS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<String> {
        vec!["*".to_owned()]
    }

    #[test]
    fn a_value_that_tmux_would_run_is_not_kept() {
        let kept = |name: &str, value: &str| is_kept(name.as_bytes(), value.as_bytes(), &all());
        for format in
            ["#P #T", "#{pane_title} #[fg=#ff0000]x", "#{?pane_active,#[reverse],}#W", "##"]
        {
            assert!(kept("pane-border-format", format), "{format}");
        }
        for format in [
            "#(x)",
            "#{E:@x}",
            "#{T:status-left}",
            "#{l:#(x)}",
            "###(x)",
            "#{?#(x),a,b}",
            "#",
            "#{S:x}",
        ] {
            assert!(!kept("pane-border-format", format), "{format}");
        }
        assert!(kept("status-style", "bg=#ff0000,bold") && !kept("status-style", "#{?x,bg=red,}"));
        assert!(!kept("window-style", "#(touch x)"));
        for name in
            ["status-left", "default-command", "pane-died", "@persist", "@agent_state", "@a b", "@"]
        {
            assert!(!kept(name, "x"), "{name}");
        }
        assert!(kept("@persist", "keep") && !kept("@persist-restored", "keep"));
        assert!(kept("@x", "#(data) and no code") && !kept("@GITHUB_TOKEN", "x"));
        assert!(is_kept(b"@my_token", b"x", &["@my_token".to_owned()]));
        assert!(!is_kept(b"@role", b"x", &[]) && !is_kept(b"@role", &[b'x'; 1025], &all()));
    }

    #[test]
    fn a_field_gives_back_what_was_written_and_nothing_forged() {
        let options = vec![(b"@a".to_vec(), b"x=y\nz".to_vec()), (b"@b".to_vec(), Vec::new())];
        let mut field = encode(Owner::Window, &options);
        field.extend(encode(Owner::Pane, &[(b"default-command".to_vec(), b"x".to_vec())]));
        assert_eq!(decode(&field, Owner::Window, &all()), options);
        assert_eq!(decode(&field, Owner::Pane, &all()), []);
        assert_eq!(decode(&field, Owner::Session, &all()), []);
    }
}
