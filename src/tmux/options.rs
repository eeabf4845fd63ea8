//! The options of sessions, windows and panes that are kept (pure): a fixed list of harmless ones. None
//! is code (a command, a format, a style, a key table), and each value is a plain word or number.
//!
//! What counts is the value in effect, where it differs from the server's global one: where an
//! option was set (`show-options -w` of each window) would cost a command per window, a format
//! costs nothing.

use std::collections::BTreeMap;

/// What an option belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// A session.
    Session,
    /// A window.
    Window,
    /// A pane, or all panes of a window.
    Pane,
}

/// An option that is kept.
#[derive(Debug, PartialEq, Eq)]
pub struct KeptOption {
    pub name: &'static str,
    pub scope: Scope,
}

/// Every option that can be kept, in the order in which they are written.
pub static KEPT: [KeptOption; 22] = [
    kept(Scope::Session, "base-index"),
    kept(Scope::Session, "detach-on-destroy"),
    kept(Scope::Session, "history-limit"),
    kept(Scope::Session, "mouse"),
    kept(Scope::Session, "renumber-windows"),
    kept(Scope::Session, "status"),
    kept(Scope::Session, "status-position"),
    kept(Scope::Window, "aggressive-resize"),
    kept(Scope::Window, "main-pane-height"),
    kept(Scope::Window, "main-pane-width"),
    kept(Scope::Window, "mode-keys"),
    kept(Scope::Window, "monitor-activity"),
    kept(Scope::Window, "monitor-bell"),
    kept(Scope::Window, "monitor-silence"),
    kept(Scope::Window, "other-pane-height"),
    kept(Scope::Window, "other-pane-width"),
    kept(Scope::Window, "pane-base-index"),
    kept(Scope::Window, "pane-border-status"),
    kept(Scope::Window, "window-size"),
    kept(Scope::Pane, "allow-rename"),
    kept(Scope::Pane, "remain-on-exit"),
    kept(Scope::Pane, "synchronize-panes"),
];

const fn kept(scope: Scope, name: &'static str) -> KeptOption {
    KeptOption { name, scope }
}

impl KeptOption {
    /// Whether its values are numbers; else they are words, of which formats print `on` and `off` of flags
    /// as numbers.
    fn is_number(&self) -> bool {
        ["-index", "-limit", "-height", "-width", "-silence"]
            .iter()
            .any(|end| self.name.ends_with(end))
    }
}

/// The option of that name, if it can be kept.
pub fn by_name(name: &[u8]) -> Option<&'static KeptOption> {
    KEPT.iter().find(|kept| kept.name.as_bytes() == name)
}

/// Whether a value is a plain word or number, as every value of a kept option is.
pub fn is_plain(value: &[u8]) -> bool {
    let plain =
        |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-%".contains(byte);
    (1..=24).contains(&value.len()) && value.iter().all(plain)
}

/// The format for the values of options, in one piece.
pub(super) fn format(options: &[&'static KeptOption]) -> String {
    options.iter().flat_map(|kept| ["#{", kept.name, "}|"]).collect()
}

/// A server's global values of the options.
#[derive(Debug)]
pub(super) struct Globals(BTreeMap<&'static str, String>);

/// The format that prints them where it has no session; [`Globals::parse`] reads the answer.
pub(super) fn globals() -> String {
    let lines: Vec<String> =
        KEPT.iter().map(|kept| format!("{name} #{{{name}}}", name = kept.name)).collect();
    lines.join("\n")
}

impl Globals {
    /// Reads the answer to [`globals`], a line for each option; `None` for anything else.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut known = BTreeMap::new();
        for line in text.split(|&byte| byte == b'\n') {
            let Some(space) = line.iter().position(|&byte| byte == b' ') else { continue };
            let (name, value) = (&line[..space], &line[space + 1..]);
            if let Some(kept) = by_name(name)
                && let Some(value) = std::str::from_utf8(value).ok()
            {
                known.insert(kept.name, value.to_owned());
            }
        }
        // Every server has these two.
        (known.contains_key("mode-keys") && known.contains_key("history-limit"))
            .then_some(Self(known))
    }

    /// Those of `values`, printed for [`format`] of the same options, that differ from the global
    /// ones: `name=value`, separated by spaces; empty when none does.
    pub(super) fn differing(&self, options: &[&'static KeptOption], values: &[u8]) -> String {
        let mut differing = String::new();
        for (kept, value) in options.iter().zip(values.split(|&byte| byte == b'|')) {
            let Some(global) = self.0.get(kept.name) else { continue };
            if value == global.as_bytes() || !is_plain(value) {
                continue;
            }
            // A format prints flags as 0 and 1.
            let value = match value {
                b"0" if !kept.is_number() => &b"off"[..],
                b"1" if !kept.is_number() => &b"on"[..],
                _ => value,
            };
            if !differing.is_empty() {
                differing.push(' ');
            }
            differing.push_str(kept.name);
            differing.push('=');
            differing.push_str(&String::from_utf8_lossy(value)); // plain, so ASCII
        }
        differing
    }
}

/// Reads options as [`Globals::differing`] writes them, in text that may be forged: what is not kept,
/// or not plain, is skipped.
pub fn parse(text: &[u8]) -> Vec<(&'static KeptOption, &str)> {
    let words = text.split(|&byte| byte == b' ');
    words
        .filter_map(|word| {
            let equals = word.iter().position(|&byte| byte == b'=')?;
            let (name, value) = (&word[..equals], &word[equals + 1..]);
            let kept = by_name(name)?;
            is_plain(value).then_some(())?;
            Some((kept, std::str::from_utf8(value).ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: &[u8] =
        b"mode-keys emacs\nmonitor-bell 1\nmonitor-silence 0\nmain-pane-width 80\nstatus on\n\
        history-limit 2000\nmouse 0\nremain-on-exit off\n";

    #[test]
    fn only_what_differs_from_the_global_value_is_kept() {
        let globals = Globals::parse(SHOWN).unwrap();
        let options: Vec<&KeptOption> =
            ["mode-keys", "monitor-bell", "monitor-silence", "mouse", "status"]
                .into_iter()
                .map(|name| by_name(name.as_bytes()).unwrap())
                .collect();
        let print = |values: &str| globals.differing(&options, values.as_bytes());
        assert_eq!(print("emacs|1|0|0|on|"), "");
        assert_eq!(
            print("vi|0|1|1|on|"),
            "mode-keys=vi monitor-bell=off monitor-silence=1 mouse=on"
        );
        assert_eq!(print("#(touch x)|1|0|0|on|"), "");
        assert!(Globals::parse(b"HTTP/1.1 400 Bad Request\n").is_none());
    }

    #[test]
    fn what_is_read_back_is_kept_and_plain_whoever_wrote_it() {
        let text = b"mode-keys=vi default-command=sh history-limit=#(x) mouse=on x =";
        let read: Vec<_> =
            parse(text).into_iter().map(|(kept, value)| (kept.name, value)).collect();
        assert_eq!(read, [("mode-keys", "vi"), ("mouse", "on")]);
    }
}
