//! Deaths that were noticed and are not settled yet: `deaths.tsv` (pure). The watch adds, its child removes; so a
//! watch that is killed loses none.

use crate::events::Cause;
use crate::sys::clock::Epoch;
use crate::sys::process::watch::ProcessEnd;
use crate::text::escape::unescape;
use crate::text::tsv::{self, Line, Writer};

/// Maximum number of deaths; the oldest are dropped first.
const MAX_KEPT: usize = 2000;

/// What ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Agent,
    Server,
}

/// Which memory the kernel's out-of-memory killer was short of as it killed something there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OutOfMemory {
    /// It killed nothing that is known.
    #[default]
    None,
    /// The limit of the control group that the process was in.
    Pane,
    /// The limit of the user's slice.
    Slice,
    /// The host's.
    Host,
}

/// A process that ended, as it was noticed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Death {
    pub kind: Kind,
    /// When it was noticed, in seconds since the epoch.
    pub noticed: Epoch,
    pub pid: i32,
    /// Its start, in clock ticks since boot.
    pub start: u64,
    /// The server, as a snapshot names it.
    pub server: String,
    pub pane: Option<u32>,
    pub session: Vec<u8>,
    pub agent: Vec<u8>,
    pub conversation: Option<Vec<u8>>,
    /// How it ended, if the kernel said so.
    pub end: Option<ProcessEnd>,
    /// How the first process of its pane ended, if that is another one and has ended.
    pub leader: Option<ProcessEnd>,
    pub out_of_memory: OutOfMemory,
    /// Whether the host was short of memory then.
    pub pressed: bool,
    /// Whether its pane was still there when the death was looked into first: then a pane that is gone later was
    /// closed by a person.
    pub pane_left: bool,
    /// When it was last brought back, in seconds since the epoch: the service manager was asked to start the server,
    /// or the agent was started in its pane.
    pub handed_on: Option<Epoch>,
    /// Whether the agent was started in its pane, and it is to be seen whether it stays.
    pub resumed: bool,
    /// What killed it, once that was decided.
    pub cause: Option<Cause>,
}

/// All deaths of one user that are not settled, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deaths(pub Vec<Death>);

impl Death {
    /// What names the process for good.
    pub fn key(&self) -> (i32, u64) {
        (self.pid, self.start)
    }
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Server => "server",
        }
    }
}

impl OutOfMemory {
    const ALL: [Self; 4] = [Self::None, Self::Pane, Self::Slice, Self::Host];

    fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pane => "pane",
            Self::Slice => "slice",
            Self::Host => "host",
        }
    }
}

impl Deaths {
    /// Reads `deaths.tsv`. Lines that do not parse are given back by number; the others count.
    pub fn decode(text: &[u8]) -> (Self, Vec<usize>) {
        let (deaths, bad) = tsv::records(text, decode_line);
        (Self(deaths), bad)
    }

    /// Writes `deaths.tsv`.
    pub fn encode(&self) -> Vec<u8> {
        let columns = [
            "# kind",
            "noticed",
            "pid",
            "start",
            "server",
            "pane",
            "session",
            "agent",
            "conversation",
            "end",
            "leader",
            "out_of_memory",
            "flags",
            "handed_on",
            "cause",
        ];
        let mut file = Writer::with_columns(&columns);
        for death in &self.0 {
            file.plain(death.kind.word()).plain(death.noticed).plain(death.pid).plain(death.start);
            file.text(death.server.as_bytes());
            let pane = death.pane.map(|pane| pane.to_string());
            file.optional(pane.as_deref().map(str::as_bytes));
            file.optional(Some(&death.session)).optional(Some(&death.agent));
            file.optional(death.conversation.as_deref());
            for end in [death.end, death.leader] {
                let word = end.map(end_word);
                file.optional(word.as_deref().map(str::as_bytes));
            }
            file.plain(death.out_of_memory.word());
            let flags = [('p', death.pressed), ('l', death.pane_left), ('r', death.resumed)];
            let flags: String =
                flags.iter().filter(|(_, set)| *set).map(|(letter, _)| *letter).collect();
            file.optional((!flags.is_empty()).then_some(flags.as_bytes()));
            let handed_on = death.handed_on.map(|time| time.to_string());
            file.optional(handed_on.as_deref().map(str::as_bytes));
            file.optional(death.cause.map(|cause| cause.word().as_bytes()));
            file.end();
        }
        file.into_bytes()
    }

    /// Whether a file holds no death.
    pub fn is_empty_file(text: &[u8]) -> bool {
        text.split(|&byte| byte == b'\n').all(|line| line.is_empty() || line.starts_with(b"#"))
    }

    /// Adds deaths; one that is known is kept as it is.
    pub fn add(&mut self, new: impl IntoIterator<Item = Death>) {
        for death in new {
            if !self.0.iter().any(|known| known.key() == death.key()) {
                self.0.push(death);
            }
        }
        let surplus = self.0.len().saturating_sub(MAX_KEPT);
        self.0.drain(..surplus);
    }

    /// Removes what is settled, and replaces what changed.
    pub fn settle(&mut self, settled: &[(i32, u64)], changed: &[Death]) {
        self.0.retain(|death| !settled.contains(&death.key()));
        for death in &mut self.0 {
            if let Some(new) = changed.iter().find(|new| new.key() == death.key()) {
                death.clone_from(new);
            }
        }
    }
}

fn end_word(end: ProcessEnd) -> String {
    match end {
        ProcessEnd::Exited(code) => format!("exit-{code}"),
        ProcessEnd::Signalled(signal) => format!("signal-{signal}"),
    }
}

#[expect(clippy::option_option, reason = "absent and invalid are two things")]
fn parse_end(word: &[u8]) -> Option<Option<ProcessEnd>> {
    if word == b"-" {
        return Some(None);
    }
    let (kind, number) = std::str::from_utf8(word).ok()?.split_once('-')?;
    let number = number.parse().ok()?;
    match kind {
        "exit" => Some(Some(ProcessEnd::Exited(number))),
        "signal" => Some(Some(ProcessEnd::Signalled(number))),
        _ => None,
    }
}

fn number<T: std::str::FromStr>(field: &[u8]) -> Option<T> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

#[expect(clippy::option_option, reason = "absent and invalid are two things")]
fn optional_number<T: std::str::FromStr>(field: &[u8]) -> Option<Option<T>> {
    if field == b"-" { Some(None) } else { number(field).map(Some) }
}

fn decode_line(line: Line<'_>) -> Option<Death> {
    let [
        kind,
        noticed,
        pid,
        start,
        server,
        pane,
        session,
        agent,
        conversation,
        end,
        leader,
        out_of_memory,
        flags,
        handed_on,
        cause,
    ] = line.exactly()?;
    let has = |letter: u8| flags != b"-" && flags.contains(&letter);
    Some(Death {
        kind: [Kind::Agent, Kind::Server]
            .into_iter()
            .find(|known| known.word().as_bytes() == kind)?,
        noticed: number(noticed)?,
        pid: number(pid)?,
        start: number(start)?,
        server: String::from_utf8(unescape(server)?).ok()?,
        pane: optional_number(pane)?,
        session: unescape(session)?,
        agent: unescape(agent)?,
        conversation: tsv::optional(conversation)?,
        end: parse_end(end)?,
        leader: parse_end(leader)?,
        out_of_memory: OutOfMemory::ALL
            .into_iter()
            .find(|known| known.word().as_bytes() == out_of_memory)?,
        pressed: has(b'p'),
        pane_left: has(b'l'),
        resumed: has(b'r'),
        handed_on: optional_number(handed_on)?,
        cause: match cause {
            b"-" => None,
            word => Some(Cause::parse(word)?),
        },
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn death(pid: i32) -> Death {
        Death {
            kind: Kind::Agent,
            noticed: 1000,
            pid,
            start: 7,
            server: "50-900".into(),
            pane: Some(3),
            session: b"a\tb".to_vec(),
            agent: b"claude".to_vec(),
            conversation: Some(b"0d0a8f5e-0000-4000-8000-000000000001".to_vec()),
            end: Some(ProcessEnd::Signalled(9)),
            leader: None,
            out_of_memory: OutOfMemory::None,
            pressed: false,
            pane_left: false,
            handed_on: None,
            resumed: false,
            cause: None,
        }
    }

    #[test]
    fn deaths_come_back_and_bad_lines_are_named() {
        let server = Death {
            kind: Kind::Server,
            pane: None,
            session: b"-".to_vec(),
            agent: Vec::new(),
            conversation: None,
            end: None,
            leader: Some(ProcessEnd::Exited(1)),
            out_of_memory: OutOfMemory::Host,
            pressed: true,
            pane_left: true,
            handed_on: Some(8),
            resumed: true,
            cause: Some(Cause::HostMemory),
            ..death(2)
        };
        let all = Deaths(vec![death(1), server]);
        let mut text = all.encode();
        text.extend(b"agent\tx\n");
        assert_eq!(Deaths::decode(&text), (all, vec![4]));
    }

    #[test]
    fn a_death_is_kept_once_and_until_it_is_settled() {
        let mut deaths = Deaths::default();
        deaths.add([death(1), Death { pressed: true, ..death(1) }, death(2)]);
        assert_eq!(deaths.0, [death(1), death(2)]);
        let changed = Death { pane_left: true, ..death(2) };
        deaths.settle(&[death(1).key()], std::slice::from_ref(&changed));
        assert_eq!(deaths.0, [changed]);
    }

    #[test]
    fn the_oldest_go_when_there_are_too_many() {
        let mut deaths = Deaths::default();
        deaths.add((1..=2100).map(death));
        assert_eq!((deaths.0.len(), deaths.0[0].pid), (2000, 101));
    }
}
