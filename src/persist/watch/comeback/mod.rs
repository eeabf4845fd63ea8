//! Looks into the deaths that are not settled, and brings back what was killed: as `restore` does, within limits.

mod bring_back;
mod stays;

use super::facts::Facts;
use super::guard::{Comebacks, Permission, Subject};
use super::roll::Answer;
use super::verdict::{self, Evidence, Verdict};
use crate::events::{self, Cause, Event};
use crate::persist::context::Context;
use crate::persist::deaths::explain;
use crate::persist::deaths::{Death, Deaths, Kind, OutOfMemory};
use crate::persist::error::Error;
use crate::persist::report::{Report, WatchReport};
use crate::persist::restore;
use crate::persist::restore_pending;
use crate::persist::watch_task::WatchTask;
use crate::snapshot::store::WatchFile;
use crate::snapshot::{EndKind, Ending, Endings, Store};
use crate::sys::clock::{self, Epoch};
use crate::sys::process::watch::ProcessEnd;
use crate::text::escape;
use std::collections::{BTreeMap, BTreeSet};

/// After a request to the service manager, how long its restore may take before another one is made.
const HANDED_ON: Epoch = 60;
/// How long a launcher may take to record how its agent ended.
const RECORDED: Epoch = 5;
/// An agent that ends so soon after it was started again has not come back (seconds). By then it is watched.
const STAYS: Epoch = 2;
/// An agent that ended sooner after its start has not worked (seconds).
const WORKED: Epoch = 2;
/// How long its launcher may take to start it, and how often it is looked whether it has.
const LAUNCHED: Epoch = 60;
const LOOK_AGAIN: Epoch = 5;
/// While the host comes up.
const WHILE_BOOTING: Epoch = 10;

/// Brings back what may come back now.
pub fn comeback(context: &Context, task: &WatchTask) -> Report {
    let mut report = WatchReport::default();
    match try_comeback(context, task, &mut report.notes) {
        Ok(answer) => report.text = answer.encode() + "\n",
        Err(error) => report.error = Some(error.into()),
    }
    Report::Watch(report)
}

fn try_comeback(
    context: &Context,
    task: &WatchTask,
    notes: &mut Vec<String>,
) -> Result<Answer, Error> {
    let store = context.writable_store()?;
    let deaths = Deaths::decode(&store.read_watch_file(WatchFile::Deaths)?).0;
    if deaths.0.is_empty() {
        return Ok(Answer::default());
    }
    if restore_pending::is_pending(&context.account) {
        return Ok(Answer { next: Some(context.now + WHILE_BOOTING), ..Answer::default() });
    }
    let comebacks = Comebacks::decode(&store.read_watch_file(WatchFile::Comebacks)?).0;
    let facts = Facts::gather(context, &store, &task.root, notes)?;
    let mut work = Work {
        all: &deaths.0,
        context,
        task,
        store: &store,
        facts,
        comebacks,
        answer: Answer::default(),
        settled: Vec::new(),
        changed: Vec::new(),
        notes,
    };
    let servers = deaths.0.iter().filter(|death| death.kind == Kind::Server).cloned();
    let mut waits_for_server = BTreeSet::new();
    for death in servers.collect::<Vec<_>>() {
        if !work.server(&death)? {
            waits_for_server.insert(death.server.clone());
        }
    }
    let agents = deaths.0.iter().filter(|death| {
        death.kind == Kind::Agent
            && !work.settled.contains(&death.key())
            && !waits_for_server.contains(&death.server)
    });
    work.agents(agents.cloned().collect())?;
    work.write()?;
    Ok(work.answer)
}

struct Work<'a> {
    /// All deaths that are not settled.
    all: &'a [Death],
    context: &'a Context,
    task: &'a WatchTask,
    store: &'a Store,
    facts: Facts,
    comebacks: Comebacks,
    answer: Answer,
    settled: Vec<(i32, u64)>,
    changed: Vec<Death>,
    notes: &'a mut Vec<String>,
}

impl Work<'_> {
    /// Records what is settled and how often what came back.
    fn write(&mut self) -> Result<(), Error> {
        self.store.write_watch_file(WatchFile::Comebacks, &self.comebacks.encode())?;
        let _lock = self.store.deaths_lock()?;
        let mut deaths = Deaths::decode(&self.store.read_watch_file(WatchFile::Deaths)?).0;
        deaths.settle(&self.settled, &self.changed);
        self.store.write_watch_file(WatchFile::Deaths, &deaths.encode())?;
        Ok(())
    }

    fn settle(&mut self, death: &Death) {
        self.settled.push(death.key());
    }

    fn come_again_at(&mut self, time: Epoch) {
        self.answer.next = Some(self.answer.next.map_or(time, |next| next.min(time)));
    }

    /// What a person sees who started the watch by hand; the unit's journal has the events.
    fn note(&mut self, text: String) {
        if !self.task.by_unit {
            self.notes.push(text);
        }
    }

    fn announce(&mut self, death: &Death, kind: events::Kind, text: &str) {
        let event = Event {
            time: self.context.now,
            kind,
            session: Some(death.session.clone()).filter(|_| death.kind == Kind::Agent),
            pane: death.pane,
            agent: Some(death.agent.clone()).filter(|_| death.kind == Kind::Agent),
            conversation: death.conversation.clone(),
            cause: death.cause,
            bytes: None,
            text: text.as_bytes().to_vec(),
        };
        self.context.announce(&event, self.notes);
    }

    /// Enters the cause, and announces the death if it is new.
    fn decided(&mut self, death: &mut Death, cause: Cause) {
        if death.cause.replace(cause).is_none() {
            let kind = match death.kind {
                Kind::Agent => events::Kind::Death,
                Kind::Server => events::Kind::ServerDeath,
            };
            let text = explain::what_happened(death, cause, &clock::hhmm(death.noticed));
            self.announce(death, kind, &text);
        }
    }

    /// Looks into the death of a server. Returns whether it is settled.
    fn server(&mut self, death: &Death) -> Result<bool, Error> {
        let evidence = Evidence {
            stale_socket: self.facts.stale_socket,
            server_runs: self.facts.server.is_some(),
            earlyoom: self.facts.earlyoom,
            ..Evidence::default()
        };
        let with_it: Vec<&Death> =
            self.all.iter().filter(|one| one.server == death.server).collect();
        if self.facts.server.is_some() {
            // Another one runs already: a person started it, or the service manager did as it was asked.
            if death.handed_on.is_some() {
                self.announce(death, events::Kind::Restored, "");
                self.settle(death);
                return Ok(true);
            }
            self.settled.extend(with_it.iter().map(|death| death.key()));
            return Ok(true);
        }
        let Verdict::Killed(cause) = verdict::of(death, evidence) else {
            self.settle(death);
            return Ok(true);
        };
        let mut death = death.clone();
        self.decided(&mut death, cause);
        let death = &death;
        let looked = self.facts.looked_anywhere();
        let now = self.context.now;
        if let Some(then) = death.handed_on.filter(|then| now < then.saturating_add(HANDED_ON)) {
            self.come_again_at(then.saturating_add(HANDED_ON));
            return Ok(false);
        }
        match self.comebacks.permission(&Subject::Server, now, looked, &self.context.watch) {
            Permission::At(time) => {
                self.come_again_at(time);
                self.changed.push(death.clone());
                return Ok(false);
            }
            Permission::Never => {
                self.settled.extend(with_it.iter().map(|death| death.key()));
                return Ok(true);
            }
            Permission::GivenUp { .. } => {
                let happened = explain::what_happened(death, cause, &clock::hhmm(death.noticed));
                self.note(format!(
                    "{happened}; it is left as it is: 'persist restore' brings it back"
                ));
                self.announce(death, events::Kind::GaveUp, "");
                self.comebacks.give_up(&Subject::Server);
                self.settled.extend(with_it.iter().map(|death| death.key()));
                return Ok(true);
            }
            Permission::Now => {}
        }
        if self.facts.memory_is_short {
            self.answer.waits_for_memory = true;
            self.changed.push(death.clone());
            return Ok(false);
        }
        self.comebacks.enter(Subject::Server, now, looked);
        let handed_on = self.task.by_unit.then_some(now);
        self.changed.push(Death { handed_on, ..death.clone() });
        self.write()?;
        if self.task.by_unit {
            self.answer.start_server = true;
            return Ok(false);
        }
        let report = restore::restore(self.context, &[], None, None, false);
        self.notes.extend(report.notes().iter().cloned());
        match report.problem() {
            Some(problem) => self.announce(death, events::Kind::NotResumed, &problem.message),
            None => self.announce(death, events::Kind::Restored, ""),
        }
        self.note(explain::comes_back(death, cause, &clock::hhmm(death.noticed)));
        self.settle(death);
        Ok(true)
    }

    fn agents(&mut self, deaths: Vec<Death>) -> Result<(), Error> {
        let mut killed: Vec<(Death, Cause)> = Vec::new();
        for death in deaths {
            let was_back = death.resumed;
            let Some(death) = self.unless_it_stays(death) else { continue };
            if self.is_back_with_its_server(&death) {
                continue;
            }
            if was_back {
                let cause = death.cause.unwrap_or(Cause::Unknown);
                killed.push((death, cause));
                continue;
            }
            match verdict::of(&death, self.facts.evidence(&death)) {
                Verdict::Killed(cause) => killed.push((death, cause)),
                // The launcher may not have recorded yet how it ended.
                Verdict::Unclear
                    if death.end.is_none()
                        && self.context.now < death.noticed.saturating_add(RECORDED) =>
                {
                    self.come_again_at(death.noticed.saturating_add(RECORDED));
                }
                Verdict::Closed => {
                    self.record_close(&death);
                    self.settle(&death);
                }
                Verdict::Unclear => self.settle(&death),
            }
        }
        let mut permissions: BTreeMap<Vec<u8>, Permission> = BTreeMap::new();
        let mut now_back = Vec::new();
        for (mut death, cause) in killed {
            let Some(id) = self.facts.conversation_of(&death) else {
                self.note(format!("{}: its conversation is unknown", escape(&death.agent)));
                self.settle(&death);
                continue;
            };
            death.conversation = Some(id.clone());
            let pane_is_there = self.facts.has_pane(&death);
            if self.facts.is_live(&id)
                || self.facts.runs_agent(&death)
                || death.pane_left && !pane_is_there
            {
                // A person was quicker, or closed the pane; or the service manager did as it was asked.
                if death.handed_on.is_some() && self.facts.is_live(&id) {
                    self.announce(&death, events::Kind::Resumed, "");
                }
                self.settle(&death);
                continue;
            }
            self.decided(&mut death, cause);
            death.pane_left |= pane_is_there;
            let subject = Subject::Session(death.session.clone());
            let looked = self.facts.looked_at(&death.session);
            let permission = *permissions.entry(death.session.clone()).or_insert_with(|| {
                self.comebacks.permission(&subject, self.context.now, looked, &self.context.watch)
            });
            match permission {
                Permission::At(time) => {
                    self.come_again_at(time);
                    self.changed.push(death);
                }
                Permission::Never => self.settle(&death),
                Permission::GivenUp { is_new } => self.give_up(&death, is_new),
                Permission::Now if self.facts.memory_is_short => {
                    self.answer.waits_for_memory = true;
                    self.changed.push(death);
                }
                Permission::Now => now_back.push(death),
            }
        }
        self.bring_back(now_back)
    }

    /// Records that a person ended an agent at its own prompt, as its launcher does for one that it started: it exited
    /// with 0, the shell below it goes on, and nothing was short of memory.
    fn record_close(&mut self, death: &Death) {
        let is_left = death.end == Some(ProcessEnd::Exited(0))
            && death.leader.is_none()
            && !death.pressed
            && death.out_of_memory == OutOfMemory::None;
        let Some(id) = self.facts.conversation_of(death).filter(|_| is_left) else { return };
        let ran = self.facts.started(death).map(|started| death.noticed.saturating_sub(started));
        if ran.is_none_or(|ran| ran < WORKED)
            || !self.facts.has_pane(death)
            || self.facts.runs_agent(death)
            || self.facts.is_live(&id)
        {
            return;
        }
        // Like a tombstone: not before the newest snapshot, even if the clock was set back.
        let newest = self.store.ids().ok().and_then(|(ids, _)| Some(ids.first()?.seconds()));
        let add = |endings: &mut Endings| {
            endings.add(Ending {
                session: death.session.clone(),
                ended: self.context.now.max(newest.unwrap_or(0)),
                conversation: id.clone(),
                agent: death.agent.clone(),
                how: EndKind::Closed,
                reason: b"exited with 0, and the shell below it goes on".to_vec(),
            });
        };
        let recorded = self.store.change_endings(self.context.lock_wait, self.notes, add);
        self.notes.extend(recorded.err().map(|error| error.to_string()));
    }

    fn give_up(&mut self, death: &Death, is_new: bool) {
        let Some(cause) = death.cause else { return };
        let times = self.context.watch.comebacks;
        let text = explain::given_up(death, cause, &clock::hhmm(death.noticed), times);
        self.facts.print_in_pane(death, &text);
        if is_new {
            self.comebacks.give_up(&Subject::Session(death.session.clone()));
        }
        self.announce(death, events::Kind::GaveUp, "");
        self.note(text);
        self.settle(death);
    }
}
