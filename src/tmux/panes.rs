//! One round trip for everything: the format that `list-panes -a` is asked to print, and the
//! reading of what it printed.
//!
//! Values can hold line feeds, so fields and records are framed by a random printable nonce,
//! which works in every version; values are quoted by `#{q:}` so that the output layer of 3.4
//! and 3.5a can be undone (see [`super::dialect`]).

use super::dialect::{Dialect, PROBE};
use super::escape::unvis;
use super::hooks::{self, Found};
use super::options::{self, Globals, Kept};

/// Numbers and flags that can hold no separator of ours, in the order of [`Fixed`].
const FIXED: &str = "#{version}|#{pid}|#{session_id}|#{window_id}|#{pane_id}|#{window_index}|\
    #{pane_index}|#{pane_pid}|#{window_active}|#{window_last_flag}|#{window_zoomed_flag}|\
    #{pane_active}|#{pane_last}|#{pane_dead}|#{automatic-rename}|#{window_stack_index}|\
    #{alternate_on}|#{window_layout}|#{host}|#{start_time}";
/// Values chosen by users, quoted.
const CHOSEN: [&str; 7] = [
    "#{q:session_name}",
    "#{q:window_name}",
    "#{q:pane_title}",
    "#{q:session_group}",
    "#{?pane_dead,#{q:pane_start_path},}",
    "#{q:@persist-restored}",
    "#{q:@conversation}",
];
/// What is asked besides: which options and which variables of the sessions' environments.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Options, see [`options::KEPT`].
    pub options: Vec<&'static Kept>,
    /// Names of variables: letters, digits and underscores.
    pub environment: Vec<String>,
}

/// Beyond every pid that Linux gives (`PID_MAX_LIMIT` is 2^22).
const NO_PROCESS: i32 = i32::MAX;

/// What ends a record; anything else there means that the answer is not one of ours.
const END: &str = "end";

/// One pane of one session. A window that is linked into two sessions is listed in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pane {
    /// tmux's session id, the number after `$`.
    pub session_id: u32,
    /// tmux's window id, the number after `@`.
    pub window_id: u32,
    /// tmux's pane id, the number after `%`; unique in the server for as long as it runs.
    pub id: u32,
    /// Session name, as its user gave it.
    pub session: Vec<u8>,
    /// Session group, empty for none.
    pub group: Vec<u8>,
    /// Window index.
    pub window_index: u32,
    /// Window name.
    pub window_name: Vec<u8>,
    /// `#{window_layout}`, unverified.
    pub layout: String,
    /// Whether the window is its session's current one.
    pub window_active: bool,
    /// Whether the window is its session's last one (`select-window -l`).
    pub window_last: bool,
    /// Its place in the stack of the session's last windows, from 1; 0 for the current one and one
    /// that has not been visited.
    pub stack: u32,
    /// Whether the window's active pane is zoomed.
    pub zoomed: bool,
    /// Whether tmux renames the window by itself (the option in effect).
    pub automatic_rename: bool,
    /// Pane index in its window.
    pub index: u32,
    /// Whether the pane is its window's active one.
    pub active: bool,
    /// Whether the pane is its window's last one.
    pub last: bool,
    /// Whether the program has ended and the pane remains; `pid` may name another process then.
    pub dead: bool,
    /// The pane's first process. A number that no process has for a dead pane since 3.8, which
    /// says none.
    pub pid: i32,
    /// Pane title.
    pub title: Vec<u8>,
    /// Where a dead pane was started; empty for others, and before 3.3.
    pub start_path: Vec<u8>,
    /// The conversation that a restore resumed here; empty for none (`@persist-restored`).
    pub restored: Vec<u8>,
    /// What a hook marked the pane with, unverified; empty for nothing.
    pub stamp: Vec<u8>,
    /// Whether its program shows the alternate screen.
    pub alternate: bool,
    /// Options that differ from the server's global ones: `name=value`, separated by spaces.
    pub options: String,
    /// Variables of the session's environment, in the order asked for; none without a value.
    pub environment: Vec<(String, Vec<u8>)>,
}

/// Everything one server told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The server's pid, as it says.
    pub server_pid: i32,
    /// When the server was started, in seconds since the epoch, as it says.
    pub server_start: u64,
    /// The host name that a pane's title starts as.
    pub host: String,
    /// Its panes, in the server's order.
    pub panes: Vec<Pane>,
    /// What it has of our hooks.
    pub hooks: Found,
}

/// An answer that is not one of a tmux server to our question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tmux server's answer makes no sense ({0})")]
pub struct Nonsense(&'static str);

/// The format to ask for; `nonce` is 32 random hexadecimal digits.
pub fn format(nonce: &str, wanted: &Wanted) -> String {
    let mut format = format!("{nonce}{PROBE}{nonce}{FIXED}{nonce}");
    format.push_str(&options::format(&wanted.options));
    for chosen in CHOSEN {
        format.push_str(nonce);
        format.push_str(chosen);
    }
    for name in &wanted.environment {
        // The session's own value, else the server's: what a new pane of the session would get.
        format.extend([nonce, "#{q:", name, "}"]);
    }
    format.push_str(nonce);
    format.push_str(END);
    format
}

/// Questions before it in the same round trip: the options that all sessions share.
pub const FIRST_QUESTIONS: [&str; 6] = options::GLOBALS;

/// A last question in the same round trip, answered by every server with one word: it tells a
/// whole answer from one that was cut or never given.
pub const LAST_QUESTION: [&str; 4] = ["show-options", "-s", "-v", "exit-empty"];

/// Reads what a server printed for [`FIRST_QUESTIONS`], for [`format`] with the same nonce, for
/// [`hooks::question`] and for [`LAST_QUESTION`].
pub fn parse(answer: &[u8], nonce: &str, wanted: &Wanted) -> Result<Listing, Nonsense> {
    let mut listing = Listing::default();
    let ended = [&b"on\n"[..], b"off\n"].into_iter().find_map(|word| answer.strip_suffix(word));
    let answer = ended.ok_or(Nonsense("it does not end as asked"))?;
    if memchr::memmem::find(answer, nonce.as_bytes()).is_none() && Globals::parse(answer).is_some()
    {
        return Ok(listing);
    }
    let (answer, last) = last_line(answer).ok_or(Nonsense("it does not end as asked"))?;
    listing.hooks = hooks::answer(last).ok_or(Nonsense("it does not tell its hooks"))?;
    let mut pieces = split(answer, nonce.as_bytes());
    let globals = pieces.next().and_then(Globals::parse);
    let globals = globals.ok_or(Nonsense("no options before the first record"))?;
    let mut same: Option<(&[u8], String)> = None;
    loop {
        let mut piece = || pieces.next().ok_or(Nonsense("a record is cut short"));
        let dialect = Dialect::of(piece()?).ok_or(Nonsense("unknown output encoding"))?;
        let fixed = Fixed::parse(piece()?)?;
        let values = piece()?;
        // Nearly all panes have the same.
        let options = match same.take().filter(|(known, _)| *known == values) {
            Some((_, options)) => options,
            None => globals.differing(&wanted.options, values),
        };
        same = Some((values, options.clone()));
        let mut chosen = || Ok(dialect.value(piece()?));
        let (session, window, title, group) = (chosen()?, chosen()?, chosen()?, chosen()?);
        let (start_path, restored, stamp) = (chosen()?, chosen()?, chosen()?);
        let mut environment = Vec::new();
        for name in &wanted.environment {
            let value = chosen()?;
            environment.extend(Some((name.clone(), value)).filter(|(_, value)| !value.is_empty()));
        }
        if piece()?.strip_suffix(b"\n") != Some(END.as_bytes()) {
            return Err(Nonsense("a record does not end"));
        }
        let last = pieces.rest.is_none();
        listing.server_pid = fixed.server_pid;
        listing.server_start = fixed.server_start;
        listing.host.clone_from(&fixed.host);
        let pane = fixed.pane(&session, &window, &title, &group);
        listing.panes.push(Pane { start_path, restored, stamp, options, environment, ..pane });
        if last {
            return Ok(listing);
        }
    }
}

/// Splits off the last line.
fn last_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_suffix(b"\n")?;
    let at = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    Some(text.split_at(at))
}

struct Fixed {
    version: (u32, u32),
    server_pid: i32,
    server_start: u64,
    host: String,
    pane: Pane,
}

impl Fixed {
    fn parse(text: &[u8]) -> Result<Self, Nonsense> {
        let text = std::str::from_utf8(text).map_err(|_| Nonsense("not text"))?;
        let fields: Vec<&str> = text.split('|').collect();
        let [
            version,
            server_pid,
            session_id,
            window_id,
            id,
            window_index,
            index,
            pid,
            window_active,
            window_last,
            zoomed,
            active,
            last,
            dead,
            automatic_rename,
            stack,
            alternate,
            layout,
            host,
            server_start,
        ] = fields[..]
        else {
            return Err(Nonsense("wrong number of fields"));
        };
        let pane = Pane {
            session_id: number(strip(session_id, '$')?)?,
            window_id: number(strip(window_id, '@')?)?,
            id: number(strip(id, '%')?)?,
            session: Vec::new(),
            group: Vec::new(),
            window_index: number(window_index)?,
            window_name: Vec::new(),
            layout: layout.to_owned(),
            window_active: flag(window_active)?,
            window_last: flag(window_last)?,
            stack: number(stack)?,
            zoomed: flag(zoomed)?,
            automatic_rename: flag(automatic_rename)?,
            index: number(index)?,
            active: flag(active)?,
            last: flag(last)?,
            dead: flag(dead)?,
            pid: if dead == "1" && pid.is_empty() { NO_PROCESS } else { number(pid)? },
            title: Vec::new(),
            start_path: Vec::new(),
            restored: Vec::new(),
            stamp: Vec::new(),
            alternate: flag(alternate)?,
            options: String::new(),
            environment: Vec::new(),
        };
        let (version, server_pid) = (parse_version(version), number(server_pid)?);
        let server_start = number(server_start)?;
        Ok(Self { version, server_pid, server_start, host: host.to_owned(), pane })
    }

    /// Session and window names are stored escaped in every version, titles since 3.7.
    fn pane(self, session: &[u8], window: &[u8], title: &[u8], group: &[u8]) -> Pane {
        let title = if self.version >= (3, 7) { unvis(title) } else { title.to_vec() };
        let (session, window_name, group) = (unvis(session), unvis(window), unvis(group));
        Pane { session, group, window_name, title, ..self.pane }
    }
}

fn strip(text: &str, mark: char) -> Result<&str, Nonsense> {
    text.strip_prefix(mark).ok_or(Nonsense("an id without its mark"))
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, Nonsense> {
    text.parse().map_err(|_| Nonsense("not a number"))
}

/// A flag; tmux prints 1, 0 or nothing.
fn flag(text: &str) -> Result<bool, Nonsense> {
    match text {
        "1" | "on" => Ok(true),
        "" | "0" | "off" => Ok(false),
        _ => Err(Nonsense("not a flag")),
    }
}

/// `3.3a`, `3.7c`, `next-3.8`; anything else counts as 0.0, the oldest.
fn parse_version(text: &str) -> (u32, u32) {
    let text = text.trim_start_matches("next-");
    let (major, minor) = text.split_once('.').unwrap_or((text, ""));
    let minor: String = minor.chars().take_while(char::is_ascii_digit).collect();
    (major.parse().unwrap_or(0), minor.parse().unwrap_or(0))
}

struct Pieces<'a> {
    rest: Option<&'a [u8]>,
    separator: &'a [u8],
}

fn split<'a>(text: &'a [u8], separator: &'a [u8]) -> Pieces<'a> {
    Pieces { rest: Some(text), separator }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest?;
        let found = memchr::memmem::find(rest, self.separator);
        let Some(at) = found else {
            self.rest = None;
            return Some(rest);
        };
        self.rest = Some(&rest[at + self.separator.len()..]);
        Some(&rest[..at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: &str = "0123456789abcdef0123456789abcdef";

    /// A record as a server would print it, with the probe and the values as they come out.
    fn record(probe: &str, version: &str, chosen: [&str; 4]) -> String {
        let fixed = format!("{version}|77|$1|@2|%3|4|5|88|1||0|1||0|1|0|0|b25d,80x24,0,0,0|vm|5");
        let chosen = chosen.join(NONCE) + NONCE + NONCE + NONCE;
        format!("{NONCE}{probe}{NONCE}{fixed}{NONCE}vi|{NONCE}{chosen}{NONCE}a\\ b{NONCE}end\n")
    }

    fn parse_records(records: &str) -> Result<Listing, Nonsense> {
        parse(format!("{GLOBAL}{records}0000000000\non\n").as_bytes(), NONCE, &wanted())
    }

    const GLOBAL: &str = "mode-keys emacs\nhistory-limit 2000\n";

    fn wanted() -> Wanted {
        let options = options::by_name(b"mode-keys").into_iter().collect();
        Wanted { options, environment: vec!["FOO".to_owned()] }
    }

    #[test]
    fn the_format_asks_for_what_the_parser_reads() {
        let answer = format(NONCE, &wanted()).replace(PROBE, "");
        assert_eq!(answer.matches(NONCE).count(), 12);
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
            assert!(pane.window_active && pane.active && pane.automatic_rename && !pane.dead);
        }
    }

    #[test]
    fn titles_are_decoded_since_3_7_only() {
        for (version, title) in [("3.6b", &br"a\\b"[..]), ("3.7c", br"a\b"), ("next-3.8", br"a\b")]
        {
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
    fn nonsense_is_refused_and_an_empty_answer_is_a_server_without_sessions() {
        assert_eq!(parse(format!("{GLOBAL}off\n").as_bytes(), NONCE, &wanted()).unwrap().panes, []);
        let record = record("\u{1f}$A", "3.3a", ["s", "w", "t", ""]);
        let sound = format!("{GLOBAL}{record}0000000000\non\n");
        for answer in [
            "HTTP/1.1 400 Bad Request\n".to_owned(),
            String::new(),
            sound[..sound.len() - 4].to_owned(),
            sound.clone() + "more\non\n",
            sound.clone() + "0000000000\non\n",
            sound.replace("0000000000\n", ""),
            sound.replace("|77|", "|x|"),
            sound.replace("\u{1f}$A", "_$A"),
            sound.replace("|vm|5", ""),
            sound.replace("mode-keys", "x"),
            "off\n".to_owned(),
        ] {
            assert!(parse(answer.as_bytes(), NONCE, &wanted()).is_err(), "{answer}");
        }
    }
}
