//! What a watch has to wait for, as its child lists it; and what another child answers (pure). The list is kept as
//! `watched.tsv`, so that the next watch finds out what ended in between.

use crate::sys::clock::Epoch;
use crate::text::escape::unescape;
use crate::text::tsv::{self, Line, Writer};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// The tmux server and the agents in its panes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roll {
    /// The kernel's id of this boot: the numbers of processes mean nothing in another one.
    pub boot: String,
    pub server: Option<WatchedServer>,
    pub agents: Vec<WatchedAgent>,
    /// Directories in which agents write down that they run, in files named by the number of the process.
    pub records: Vec<PathBuf>,
}

/// A process, by number and start, so that a number that is used again is no other one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Started {
    pub pid: i32,
    /// In clock ticks since boot.
    pub start: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchedServer {
    pub process: Started,
    /// As a snapshot names it.
    pub id: String,
    /// Its control group, from the root of the hierarchy; empty if unknown.
    pub group: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchedAgent {
    pub process: Started,
    /// The first process of its pane.
    pub leader: Started,
    pub pane: u32,
    pub session: Vec<u8>,
    pub agent: Vec<u8>,
    pub conversation: Option<Vec<u8>>,
    /// Its control group, from the root of the hierarchy; empty if unknown.
    pub group: String,
}

/// What a child that brought something back says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answer {
    /// When it should be run again, in seconds since the epoch.
    pub next: Option<Epoch>,
    /// It should be run again once memory is no longer short.
    pub waits_for_memory: bool,
    /// A tmux server has to be started where this unit may start none.
    pub start_server: bool,
}

impl Roll {
    /// Reads what [`Roll::encode`] wrote. Lines that are not understood are skipped.
    pub fn decode(text: &[u8]) -> Self {
        let mut roll = Self::default();
        let _ = tsv::records(text, |line| decode_line(line, &mut roll));
        roll
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut file = Writer::default();
        file.plain("boot").text(self.boot.as_bytes()).end();
        if let Some(server) = &self.server {
            file.plain("server").plain(server.process.pid).plain(server.process.start);
            file.text(server.id.as_bytes()).optional(Some(server.group.as_bytes())).end();
        }
        for agent in &self.agents {
            file.plain("agent").plain(agent.process.pid).plain(agent.process.start);
            file.plain(agent.leader.pid).plain(agent.leader.start).plain(agent.pane);
            file.optional(Some(&agent.session)).optional(Some(&agent.agent));
            file.optional(agent.conversation.as_deref());
            file.optional(Some(agent.group.as_bytes())).end();
        }
        for dir in &self.records {
            file.plain("records").text(dir.as_os_str().as_bytes()).end();
        }
        file.into_bytes()
    }
}

fn decode_line(line: Line<'_>, roll: &mut Roll) -> Option<()> {
    let text = |field: &[u8]| String::from_utf8(unescape(field)?).ok();
    let fields: Vec<&[u8]> = line.fields().collect();
    match fields[..] {
        [b"boot", boot] => roll.boot = text(boot)?,
        [b"server", pid, start, id, group] => {
            roll.server = Some(WatchedServer {
                process: started(pid, start)?,
                id: text(id)?,
                group: text(group)?,
            });
        }
        [b"agent", pid, start, leader, leader_start, pane, session, agent, conversation, group] => {
            roll.agents.push(WatchedAgent {
                process: started(pid, start)?,
                leader: started(leader, leader_start)?,
                pane: number(pane)?,
                session: unescape(session)?,
                agent: unescape(agent)?,
                conversation: tsv::optional(conversation)?,
                group: text(group)?,
            });
        }
        [b"records", dir] => roll.records.push(OsString::from_vec(unescape(dir)?).into()),
        _ => return None,
    }
    Some(())
}

fn started(pid: &[u8], start: &[u8]) -> Option<Started> {
    Some(Started { pid: number(pid)?, start: number(start)? })
}

fn number<T: std::str::FromStr>(field: &[u8]) -> Option<T> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

impl Answer {
    /// Reads what [`Answer::encode`] wrote; words that are not understood are skipped.
    pub fn decode(text: &str) -> Self {
        let mut answer = Self::default();
        for word in text.split_ascii_whitespace() {
            match word {
                "memory" => answer.waits_for_memory = true,
                "server" => answer.start_server = true,
                word => {
                    let next = word.strip_prefix("next=").and_then(|time| time.parse().ok());
                    answer.next = next.or(answer.next);
                }
            }
        }
        answer
    }

    pub fn encode(self) -> String {
        let mut words: Vec<String> =
            self.next.map(|next| format!("next={next}")).into_iter().collect();
        words.extend(self.waits_for_memory.then(|| "memory".to_owned()));
        words.extend(self.start_server.then(|| "server".to_owned()));
        words.join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_comes_back_whatever_names_are_in_it() {
        let server = WatchedServer {
            process: Started { pid: 5, start: 6 },
            id: "5-900".into(),
            group: "user.slice/x".into(),
        };
        let agent = WatchedAgent {
            process: Started { pid: 7, start: 8 },
            leader: Started { pid: 9, start: 10 },
            pane: 3,
            session: b"#a\t\n-\xff".to_vec(),
            agent: b"claude".to_vec(),
            conversation: None,
            group: String::new(),
        };
        let other = WatchedAgent {
            session: b"-".to_vec(),
            conversation: Some(b"0d0a8f5e".to_vec()),
            ..agent.clone()
        };
        let roll = Roll {
            boot: "b".into(),
            server: Some(server),
            agents: vec![agent, other],
            records: vec!["/home/a b\n/.claude/sessions".into()],
        };
        assert_eq!(Roll::decode(&roll.encode()), roll);
        let mut text = roll.encode();
        text.extend(b"agent\t1\nnew\tthing\n");
        assert_eq!(Roll::decode(&text), roll, "what a newer version added is skipped");
    }

    #[test]
    fn an_answer_comes_back() {
        for answer in [
            Answer::default(),
            Answer { next: Some(7), waits_for_memory: true, start_server: true },
            Answer { next: None, waits_for_memory: false, start_server: true },
        ] {
            assert_eq!(Answer::decode(&answer.encode()), answer);
        }
        assert_eq!(Answer::decode("next=x soon"), Answer::default());
    }
}
