//! The processes that a watch waits for, each held by a descriptor.

use super::roll::{Roll, Started, WatchedAgent, WatchedServer};
use crate::persist::deaths::{Death, Kind, OutOfMemory};
use crate::process::Proc;
use crate::sys::clock::Epoch;
use crate::sys::process::watch::Watched;
use crate::sys::wakeups::Wakeups;
use std::io;

/// The first number that stands for a process; lower ones are the caller's.
const FIRST: u64 = 64;
const SERVER: u64 = FIRST;
/// Two for each agent: itself, and the first process of its pane.
const AGENTS: u64 = FIRST + 2;

/// The processes.
#[derive(Debug, Default)]
pub struct Tracked {
    pub server: Option<(WatchedServer, Watched)>,
    /// The server that was listed last, as a snapshot names it: agents end as it does, and are noticed after it.
    server_id: String,
    /// A place that is free is used again, so that the numbers of the others stay.
    agents: Vec<Option<TrackedAgent>>,
}

#[derive(Debug)]
struct TrackedAgent {
    agent: WatchedAgent,
    process: Watched,
    /// The first process of its pane, if that is another one and could be held.
    leader: Option<Watched>,
}

/// A process that ended, with the control group that it was in.
#[derive(Debug)]
pub struct Ended {
    pub death: Death,
    pub group: String,
    leader: Option<Watched>,
}

impl Ended {
    /// The death; how the first process of the pane ended is looked up now.
    pub fn settled(self) -> Death {
        let leader = self.leader.filter(Watched::has_ended).and_then(|leader| leader.end());
        Death { leader, ..self.death }
    }
}

impl Tracked {
    /// Waits for just what is listed. Returns what ended before it could be held.
    pub fn follow(&mut self, roll: &Roll, wakeups: &Wakeups, now: Epoch) -> io::Result<Vec<Ended>> {
        let mut ended = Vec::new();
        let is_listed = |known: &WatchedServer| {
            roll.server.as_ref().is_some_and(|server| server.process == known.process)
        };
        if let Some((_, watched)) =
            self.server.take_if(|(known, watched)| !is_listed(known) && !watched.has_ended())
        {
            wakeups.remove(&watched);
        }
        match (&roll.server, &mut self.server) {
            (Some(server), Some((known, _))) if known.process == server.process => {
                known.clone_from(server);
            }
            (Some(server), None) => {
                if let Some(watched) = hold(server.process)? {
                    wakeups.add(&watched, SERVER)?;
                    self.server = Some((server.clone(), watched));
                }
            }
            // One that has ended is reported by its descriptor first.
            _ => {}
        }
        if let Some(server) = &roll.server {
            self.server_id.clone_from(&server.id);
        }
        for place in &mut self.agents {
            let listed = |known: &TrackedAgent| {
                roll.agents.iter().find(|agent| agent.process == known.agent.process).cloned()
            };
            let Some(known) = place else { continue };
            match listed(known) {
                Some(agent) => known.agent = agent,
                None if !known.process.has_ended() => {
                    // It runs, but in no pane of the server any more.
                    wakeups.remove(&known.process);
                    *place = None;
                }
                None => {}
            }
        }
        for agent in &roll.agents {
            let is_known = |place: &Option<TrackedAgent>| {
                place.as_ref().is_some_and(|known| known.agent.process == agent.process)
            };
            if self.agents.iter().any(is_known) {
                continue;
            }
            let Some(process) = hold(agent.process)? else {
                let server = roll.server.as_ref().map(|server| server.id.clone());
                ended.push(of_agent(agent, server.unwrap_or_default(), None, None, now));
                continue;
            };
            let leader = if agent.leader == agent.process { None } else { hold(agent.leader)? };
            let place = self.agents.iter().position(Option::is_none).unwrap_or(self.agents.len());
            wakeups.add(&process, AGENTS + place as u64)?;
            let tracked = Some(TrackedAgent { agent: agent.clone(), process, leader });
            if place == self.agents.len() {
                self.agents.push(tracked);
            } else {
                self.agents[place] = tracked;
            }
        }
        Ok(ended)
    }

    /// Whether an agent of that number is waited for.
    pub fn has(&self, pid: i32) -> bool {
        self.agents.iter().flatten().any(|known| known.agent.process.pid == pid)
    }

    /// How many agents are waited for.
    pub fn count(&self) -> usize {
        self.agents.iter().flatten().count()
    }

    /// The control groups of the agents.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.agents.iter().flatten().map(|known| known.agent.group.as_str())
    }

    /// What ended, if a number stands for a process that did. It is no longer waited for.
    pub fn take_ended(&mut self, number: u64, now: Epoch) -> Option<Ended> {
        if number == SERVER {
            let (server, watched) = self.server.take_if(|(_, watched)| watched.has_ended())?;
            let death = Death {
                end: watched.end(),
                server: server.id,
                ..empty(Kind::Server, server.process, now)
            };
            return Some(Ended { death, group: server.group, leader: None });
        }
        let place = usize::try_from(number.checked_sub(AGENTS)?).ok()?;
        let tracked = self.agents.get_mut(place)?.take_if(|known| known.process.has_ended())?;
        let TrackedAgent { agent, process, leader } = tracked;
        let end = process.end();
        Some(of_agent(&agent, self.server_id.clone(), end, leader, now))
    }
}

/// What an earlier watch waited for and is gone.
pub fn ended_meanwhile(before: &Roll, boot: &str, now: Epoch) -> Vec<Death> {
    if before.boot != boot {
        return Vec::new();
    }
    let proc = Proc::default();
    let is_gone =
        |process: Started| proc.stat(process.pid).is_none_or(|stat| stat.start != process.start);
    let server = before.server.iter().filter(|server| is_gone(server.process));
    let server = server.map(|server| Death {
        server: server.id.clone(),
        ..empty(Kind::Server, server.process, now)
    });
    let id = before.server.as_ref().map_or(String::new(), |server| server.id.clone());
    let agents = before.agents.iter().filter(|agent| is_gone(agent.process));
    server.chain(agents.map(|agent| of_agent(agent, id.clone(), None, None, now).death)).collect()
}

/// Holds a process; `None` if it is gone, and another one may have its number.
fn hold(process: Started) -> io::Result<Option<Watched>> {
    let Some(watched) = Watched::new(process.pid)? else { return Ok(None) };
    let stat = Proc::default().stat(process.pid);
    Ok(stat.is_some_and(|stat| stat.start == process.start).then_some(watched))
}

fn of_agent(
    agent: &WatchedAgent,
    server: String,
    end: Option<crate::sys::process::watch::ProcessEnd>,
    leader: Option<Watched>,
    now: Epoch,
) -> Ended {
    let death = Death {
        server,
        pane: Some(agent.pane),
        session: agent.session.clone(),
        agent: agent.agent.clone(),
        conversation: agent.conversation.clone(),
        end,
        ..empty(Kind::Agent, agent.process, now)
    };
    Ended { death, group: agent.group.clone(), leader }
}

fn empty(kind: Kind, process: Started, now: Epoch) -> Death {
    Death {
        kind,
        noticed: now,
        pid: process.pid,
        start: process.start,
        server: String::new(),
        pane: None,
        session: Vec::new(),
        agent: Vec::new(),
        conversation: None,
        end: None,
        leader: None,
        out_of_memory: OutOfMemory::None,
        pressed: false,
        pane_left: false,
        handed_on: None,
        resumed: false,
        cause: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::process::watch::ProcessEnd;
    use std::process::{Child, Command};

    fn start(child: &Child) -> Started {
        let pid = i32::try_from(child.id()).unwrap();
        Started { pid, start: Proc::default().stat(pid).unwrap().start }
    }

    fn sleeper() -> (Child, WatchedAgent) {
        let child = Command::new("sleep").arg("100").spawn().unwrap();
        let process = start(&child);
        (child, WatchedAgent { process, leader: process, pane: 3, ..WatchedAgent::default() })
    }

    fn next_end(tracked: &mut Tracked, wakeups: &Wakeups) -> Ended {
        let mut ready = Vec::new();
        wakeups.wait(&mut ready).unwrap();
        ready.into_iter().find_map(|number| tracked.take_ended(number, 9)).unwrap()
    }

    #[test]
    fn an_end_is_noticed_with_how_it_came_and_its_place_is_used_again() {
        let wakeups = Wakeups::new().unwrap();
        let mut tracked = Tracked::default();
        let ((mut one, first), (mut two, second)) = (sleeper(), sleeper());
        let roll = Roll { agents: vec![first.clone(), second.clone()], ..Roll::default() };
        assert!(tracked.follow(&roll, &wakeups, 9).unwrap().is_empty());
        assert!(tracked.has(first.process.pid) && tracked.count() == 2);
        one.kill().unwrap();
        let death = next_end(&mut tracked, &wakeups).settled();
        assert_eq!((death.pid, death.end), (first.process.pid, Some(ProcessEnd::Signalled(9))));
        one.wait().unwrap();
        let (mut three, third) = sleeper();
        let roll = Roll { agents: vec![second, third.clone()], ..Roll::default() };
        tracked.follow(&roll, &wakeups, 9).unwrap();
        assert_eq!((tracked.count(), tracked.agents.len()), (2, 2));
        three.kill().unwrap();
        assert_eq!(next_end(&mut tracked, &wakeups).death.pid, third.process.pid);
        three.wait().unwrap();
        two.kill().unwrap();
        two.wait().unwrap();
    }

    #[test]
    fn a_number_that_is_used_again_is_another_process() {
        let wakeups = Wakeups::new().unwrap();
        let (mut child, agent) = sleeper();
        let earlier = Started { start: agent.process.start - 1, ..agent.process };
        let roll =
            Roll { agents: vec![WatchedAgent { process: earlier, ..agent }], ..Roll::default() };
        let mut tracked = Tracked::default();
        let ended = tracked.follow(&roll, &wakeups, 9).unwrap();
        assert_eq!((ended.len(), ended[0].death.end, tracked.count()), (1, None, 0));
        assert_eq!(ended_meanwhile(&roll, "", 9).len(), 1);
        assert_eq!(ended_meanwhile(&roll, "another boot", 9), []);
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn two_hundred_agents_are_waited_for_at_once() {
        let wakeups = Wakeups::new().unwrap();
        let (mut children, agents): (Vec<Child>, Vec<WatchedAgent>) =
            (0..200).map(|_| sleeper()).unzip();
        let roll = Roll { agents, ..Roll::default() };
        let mut tracked = Tracked::default();
        assert!(tracked.follow(&roll, &wakeups, 9).unwrap().is_empty());
        for child in &mut children {
            child.kill().unwrap();
        }
        while tracked.count() > 0 {
            assert_eq!(next_end(&mut tracked, &wakeups).death.end, Some(ProcessEnd::Signalled(9)));
        }
        for child in &mut children {
            assert!(!child.wait().unwrap().success());
        }
    }

    #[test]
    fn an_agent_that_left_its_pane_alive_is_not_waited_for() {
        let wakeups = Wakeups::new().unwrap();
        let (mut child, agent) = sleeper();
        let mut tracked = Tracked::default();
        tracked.follow(&Roll { agents: vec![agent], ..Roll::default() }, &wakeups, 9).unwrap();
        assert!(tracked.follow(&Roll::default(), &wakeups, 9).unwrap().is_empty());
        assert_eq!(tracked.count(), 0);
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
