//! Reading what a server printed (pure).

use super::{END, ExtraFields, Listing, Pane};
use crate::tmux::dialect::Dialect;
use crate::tmux::escape::{is_escaped, unvis};
use crate::tmux::hooks;
use crate::tmux::options::Globals;
use crate::tmux::user_options::groups;

/// Beyond every pid that Linux gives (`PID_MAX_LIMIT` is 2^22).
const NO_PROCESS: i32 = i32::MAX;

/// Why an answer is not one of a tmux server to our question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the tmux server's answer is invalid: {0}")]
pub struct InvalidAnswer(pub(in crate::tmux) &'static str);

/// Reads what a server printed for [`super::question`] with the same nonce.
pub fn parse(answer: &[u8], nonce: &str, extra: &ExtraFields) -> Result<Listing, InvalidAnswer> {
    let mut listing = Listing::default();
    let ended = [&b"on\n"[..], b"off\n"].into_iter().find_map(|word| answer.strip_suffix(word));
    let answer = ended.ok_or(InvalidAnswer("its end is missing"))?;
    let (answer, behind) = groups::split(answer, nonce);
    if memchr::memmem::find(answer, nonce.as_bytes()).is_none() && Globals::parse(answer).is_some()
    {
        return Ok(listing);
    }
    let (rest, last) =
        last_line(behind.unwrap_or(answer)).ok_or(InvalidAnswer("its end is missing"))?;
    let (answer, of_groups) = behind.map_or((rest, None), |_| (answer, Some(rest)));
    listing.hooks =
        hooks::answer(last).ok_or(InvalidAnswer("its last line does not list hooks"))?;
    let mut pieces = split(answer, nonce.as_bytes());
    let globals = pieces.next().and_then(Globals::parse);
    let globals = globals.ok_or(InvalidAnswer("no options before the first record"))?;
    let mut same: Option<(&[u8], String)> = None;
    loop {
        let mut piece = || pieces.next().ok_or(InvalidAnswer("a record is cut short"));
        let dialect = Dialect::of(piece()?).ok_or(InvalidAnswer("unknown output encoding"))?;
        let fixed = Fixed::parse(piece()?)?;
        let values = piece()?;
        // Nearly all panes have the same.
        let options = match same.take().filter(|(known, _)| *known == values) {
            Some((_, options)) => options,
            None => globals.differing(&extra.options, values),
        };
        same = Some((values, options.clone()));
        let mut chosen = || Ok(dialect.value(piece()?));
        let (session, window, title, group) = (chosen()?, chosen()?, chosen()?, chosen()?);
        let (start_path, restored) = (chosen()?, chosen()?);
        let (stamp, stamped) = split_at_last_space(chosen()?);
        let (origin, mark, session_path) = (chosen()?, chosen()?, chosen()?);
        let (directory, agent_state) = (chosen()?, chosen()?);
        let mut environment = Vec::new();
        for name in &extra.environment {
            let value = chosen()?;
            environment.extend(Some((name.clone(), value)).filter(|(_, value)| !value.is_empty()));
        }
        let user_options = extra.user_options.iter().map(|_| chosen());
        let user_options = user_options.collect::<Result<_, _>>()?;
        let end = piece()?;
        // A loop of a format puts nothing between two records.
        if end.strip_suffix(b"\n").unwrap_or(end) != END.as_bytes() {
            return Err(InvalidAnswer("a record does not end"));
        }
        let last = pieces.rest.is_none();
        listing.server_pid = fixed.server_pid;
        listing.server_start = fixed.server_start;
        listing.host.clone_from(&fixed.host);
        let pane = fixed.pane(&session, &window, &title, &group);
        let marks = Pane { restored, stamp, stamped, agent_state, origin, mark, ..pane };
        let places = Pane { start_path, session_path, directory, ..marks };
        listing.panes.push(Pane { options, environment, user_options, ..places });
        if last {
            let (groups, patterns) = (&extra.option_groups, &extra.option_patterns);
            listing.group_answers =
                of_groups.and_then(|text| groups.answers(text, nonce, dialect, patterns));
            return Ok(listing);
        }
    }
}

/// What is before the last space and what is behind it; all is before it if there is none.
fn split_at_last_space(mut text: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let Some(at) = text.iter().rposition(|&byte| byte == b' ') else { return (text, Vec::new()) };
    let behind = text.split_off(at + 1);
    text.truncate(at);
    (text, behind)
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
    fn parse(text: &[u8]) -> Result<Self, InvalidAnswer> {
        let text = std::str::from_utf8(text).map_err(|_| InvalidAnswer("not text"))?;
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
            window_activity,
            session_activity,
        ] = fields[..]
        else {
            return Err(InvalidAnswer("wrong number of fields"));
        };
        let pane = Pane {
            session_id: number(strip(session_id, '$')?)?,
            window_id: number(strip(window_id, '@')?)?,
            id: number(strip(id, '%')?)?,
            session: Vec::new(),
            group: Vec::new(),
            window_index: number(window_index)?,
            window_name: Vec::new(),
            plain_window_name: false,
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
            stamped: Vec::new(),
            agent_state: Vec::new(),
            origin: Vec::new(),
            mark: Vec::new(),
            session_path: Vec::new(),
            directory: Vec::new(),
            alternate: flag(alternate)?,
            options: String::new(),
            environment: Vec::new(),
            user_options: Vec::new(),
            activity: number::<u64>(window_activity)?.max(number(session_activity)?),
        };
        let (version, server_pid) = (parse_version(version), number(server_pid)?);
        let server_start = number(server_start)?;
        Ok(Self { version, server_pid, server_start, host: host.to_owned(), pane })
    }

    /// Session and window names are stored escaped in every version, titles since 3.7.
    fn pane(self, session: &[u8], window: &[u8], title: &[u8], group: &[u8]) -> Pane {
        let title = if self.version >= (3, 7) { unvis(title) } else { title.to_vec() };
        let (session, mut window_name, group) = (unvis(session), unvis(window), unvis(group));
        // But 3.3a to 3.6 have a name that `-n` gave as it is: known by what no name is escaped to.
        let plain_window_name =
            has_plain_names(self.version) && !is_escaped(window, self.version < (3, 5));
        if plain_window_name {
            window_name = window.to_vec();
        }
        Pane { session, group, window_name, plain_window_name, title, ..self.pane }
    }
}

fn strip(text: &str, mark: char) -> Result<&str, InvalidAnswer> {
    text.strip_prefix(mark).ok_or(InvalidAnswer("an id without its mark"))
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, InvalidAnswer> {
    text.parse().map_err(|_| InvalidAnswer("not a number"))
}

/// A flag; tmux prints 1, 0 or nothing.
fn flag(text: &str) -> Result<bool, InvalidAnswer> {
    match text {
        "1" | "on" => Ok(true),
        "" | "0" | "off" => Ok(false),
        _ => Err(InvalidAnswer("not a flag")),
    }
}

/// Whether a tmux of that version has a window's name as it is if `new-window -n` or `new-session -n` gave
/// it (measured on 3.3a and 3.5a). Others have it escaped.
pub(in crate::tmux) fn has_plain_names(version: (u32, u32)) -> bool {
    ((3, 3)..(3, 7)).contains(&version)
}

/// `3.3a`, `3.7c`, `next-3.8`; anything else counts as 0.0, the oldest.
pub(in crate::tmux) fn parse_version(text: &str) -> (u32, u32) {
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
