//! Whether somebody uses a pane, and what it shows.

use super::client::Server;
use super::error::TmuxError;
use crate::sys::fs;
use std::collections::BTreeMap;

/// Panes asked for in one client: tmux takes 16 kB of arguments, since 3.7 no more than 1,000 of them.
const AT_ONCE: usize = 60;
/// Maximum size of one answer, in bytes.
const MAX_ANSWER: usize = 32 << 20;

/// A record, without the nonce before it; what users set comes last.
const FORMAT: &str = "#{pane_id}|#{session_attached}|#{session_activity}|#{@agent_event}|\
    #{@conversation}|#{@agent_state}";

/// How a pane is used, over all sessions that show it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaneUse {
    /// Whether a client is attached to a session that has it.
    pub attached: bool,
    /// When a key was last pressed in such a session, or a client attached, in seconds since the epoch.
    pub typed: u64,
    /// `@agent_state`, unverified.
    pub state: Vec<u8>,
    /// What a hook marked the pane with (`@conversation`), unverified; empty for nothing.
    pub stamp: Vec<u8>,
    /// When a hook set the state, in nanoseconds since the host's start, unverified; `None` if no hook did.
    pub state_at: Option<u64>,
}

/// What a pane shows: the output of `capture-pane -p -e`, and column and row of its cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    pub text: Vec<u8>,
    pub cursor: (usize, usize),
}

impl Server {
    /// How each pane is used, by tmux's id of it. The caller has checked that the server listens.
    pub fn pane_use(&self) -> Result<BTreeMap<u32, PaneUse>, TmuxError> {
        let nonce = fs::random_hex();
        let format = format!("{nonce}{FORMAT}");
        let output = self.read_only_client().args(["list-pane", "-a", "-F", &format]).run()?;
        Ok(parse(&output.stdout, &nonce))
    }

    /// What each of these panes shows. One that has disappeared meanwhile is left out.
    pub fn screens(&self, panes: &[u32]) -> Result<BTreeMap<u32, Shown>, TmuxError> {
        let mut screens = BTreeMap::new();
        let mut rest = panes;
        while !rest.is_empty() {
            let asked = &rest[..rest.len().min(AT_ONCE)];
            let before = screens.len();
            self.ask_screens(asked, &mut screens)?;
            // tmux leaves out what follows a pane that is not there.
            rest = &rest[asked.len().min(screens.len() - before + 1)..];
        }
        Ok(screens)
    }

    fn ask_screens(
        &self,
        panes: &[u32],
        screens: &mut BTreeMap<u32, Shown>,
    ) -> Result<(), TmuxError> {
        let nonce = fs::random_hex();
        let place = format!("{nonce}#{{cursor_x}}|#{{cursor_y}}");
        let mut client = self.read_only_client();
        for (at, pane) in panes.iter().enumerate() {
            let (then, pane) = (if at == 0 { &[][..] } else { &[";"] }, format!("%{pane}"));
            client = client.args(then).args(["capture-pan", "-p", "-e", "-t", &pane, ";"]).args([
                "display-messag",
                "-p",
                "-t",
                &pane,
                &place,
            ]);
        }
        let output = client.max_output(MAX_ANSWER).run()?;
        screens.extend(parse_screens(&output.stdout, &nonce, panes));
        Ok(())
    }
}

fn parse(answer: &[u8], nonce: &str) -> BTreeMap<u32, PaneUse> {
    let mut panes: BTreeMap<u32, PaneUse> = BTreeMap::new();
    for line in answer.split(|&byte| byte == b'\n') {
        let Some(record) = line.strip_prefix(nonce.as_bytes()) else { continue };
        let mut fields = record.splitn(6, |&byte| byte == b'|');
        let mut field = || fields.next().unwrap_or_default();
        let Some(id) = field().strip_prefix(b"%").and_then(number) else { continue };
        let (attached, typed) = (number::<u64>(field()), number(field()));
        let (state_at, stamp, state) = (number(field()), field().to_vec(), field().to_vec());
        let pane = panes.entry(id).or_default();
        pane.attached |= attached != Some(0);
        pane.typed = pane.typed.max(typed.unwrap_or(u64::MAX));
        (pane.state, pane.stamp, pane.state_at) = (state, stamp, state_at);
    }
    panes
}

/// Each pane's text is followed by a line that begins with the nonce; what is not was cut.
fn parse_screens(answer: &[u8], nonce: &str, panes: &[u32]) -> BTreeMap<u32, Shown> {
    let mut shown = BTreeMap::new();
    let mut rest = answer;
    for pane in panes {
        let Some(at) = memchr::memmem::find(rest, nonce.as_bytes()) else { break };
        let after = &rest[at + nonce.len()..];
        let end = memchr::memchr(b'\n', after).unwrap_or(after.len());
        let mut numbers = after[..end].split(|&byte| byte == b'|').map(number);
        if let (Some(Some(x)), Some(Some(y))) = (numbers.next(), numbers.next()) {
            let text = rest[..at].strip_suffix(b"\n").unwrap_or(&rest[..at]).to_vec();
            shown.insert(*pane, Shown { text, cursor: (x, y) });
        }
        rest = after.get(end + 1..).unwrap_or_default();
    }
    shown
}

fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pane_of_several_sessions_is_used_as_in_the_one_where_it_is_used_most() {
        let answer =
            b"N%1|0|500|||idle\nN%1|1|400|||idle\nN%2|0|7|0012|c:1|busy|x\nforged %3|1\nN%4|0||\n";
        let panes = parse(answer, "N");
        assert_eq!((panes[&1].attached, panes[&1].typed), (true, 500));
        assert_eq!((panes[&2].attached, panes[&2].state_at), (false, Some(12)));
        assert_eq!((&*panes[&2].state, &*panes[&2].stamp), (&b"busy|x"[..], &b"c:1"[..]));
        assert_eq!((panes.len(), panes[&4].typed), (3, u64::MAX), "unknown counts as now");
    }

    #[test]
    fn each_screen_has_its_own_cursor_and_a_cut_one_is_left_out() {
        let answer = b"one\n\nN2|1\ntwo\nN0|0\nhalf";
        let screens = parse_screens(answer, "N", &[1, 2, 3]);
        assert_eq!(screens[&1], Shown { text: b"one\n".to_vec(), cursor: (2, 1) });
        assert_eq!((screens[&2].text.as_slice(), screens.len()), (&b"two"[..], 2));
    }
}
