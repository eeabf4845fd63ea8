//! The watch itself: waits for processes, files and memory, notes what ended, and has its children do the work.

use super::groups::Groups;
use super::memory_state::{self, HostMemory};
use super::roll::{Answer, Roll};
use super::schedule::{Schedule, Task};
use super::tracked::{Ended, Tracked, ended_meanwhile};
use super::warn::hierarchy;
use crate::persist::capture::boot_id;
use crate::persist::context::Context;
use crate::persist::deaths::{Death, Deaths, OutOfMemory};
use crate::persist::error::Error;
use crate::persist::report::{Report, WatchReport};
use crate::persist::watch_task::{WatchStep, WatchTask};
use crate::snapshot::Store;
use crate::snapshot::store::WatchFile;
use crate::sys::clock::{self, Epoch};
use crate::sys::file_changes::{FileChange, FileChanges};
use crate::sys::pressure::PressureTrigger;
use crate::sys::process::exec::Program;
use crate::sys::process::limits;
use crate::sys::terminal;
use crate::sys::wakeups::{MOMENT, Wakeups};
use crate::sys::{locks, memory};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The numbers of what is waited for besides processes.
const FILES: u64 = 1;
const PRESSURE: u64 = 2;
/// Deaths within this time are looked into together: agents end as their server does.
const TOGETHER: Duration = Duration::from_millis(400);
/// After a change, for more to come.
const SOON: Duration = Duration::from_millis(300);
/// Minimum time between two lists.
const BETWEEN_LISTS: Duration = Duration::from_secs(2);
/// After a child that failed.
const AFTER_FAILURE: Duration = Duration::from_mins(1);
/// Between two readings while something waits for memory.
const MEMORY_PAUSE: Duration = Duration::from_secs(5);
/// Minimum time between two warnings.
const BETWEEN_WARNINGS: Duration = Duration::from_mins(1);
/// How long the host counts as short of memory after the kernel said so.
const PRESSED: Duration = Duration::from_mins(1);
/// The kernel's notice: so long some task waited for memory, within so long.
const WAITED: Duration = Duration::from_millis(300);
const WINDOW: Duration = Duration::from_secs(2);
/// How long a child may take, besides a restore.
const LIST_DEADLINE: Duration = Duration::from_mins(1);
/// Between two looks for agents that have been idle for long.
const BETWEEN_SUSPENSIONS: Duration = Duration::from_hours(1);
/// How long suspending idle agents may take.
const SUSPEND_DEADLINE: Duration = Duration::from_mins(5);
/// Maximum size of what a child says (bytes).
const MAX_ANSWER: usize = 1 << 20;

/// Runs until the process is ended; with an error if it cannot begin.
pub fn run(context: &Context, task: &WatchTask) -> Report {
    let mut report = WatchReport::default();
    match Watch::begin(context, task).and_then(Watch::run) {
        Ok(()) => report.start_sessions = true,
        Err(error) => report.error = Some(error.into()),
    }
    Report::Watch(report)
}

struct Watch<'a> {
    context: &'a Context,
    task: &'a WatchTask,
    store: Store,
    _lock: locks::Lock,
    wakeups: Wakeups,
    changes: FileChanges,
    tracked: Tracked,
    groups: Groups,
    /// Where the hierarchy of control groups is mounted.
    hierarchy: PathBuf,
    /// The user's slice, from the root of the hierarchy.
    slice: String,
    schedule: Schedule,
    pressure: Option<PressureTrigger>,
    /// When the kernel last said that tasks wait for memory, since boot.
    pressed: Option<Duration>,
    /// How many processes the kernel had killed on this host when it was last looked at.
    kills: Option<u64>,
    listed: Option<Duration>,
    warned: Option<Duration>,
    /// Numbers of the watched directories: of records of agents, and of all others.
    records: Vec<i32>,
    directories: Vec<i32>,
    ended: Vec<Ended>,
}

fn since_boot() -> Duration {
    Duration::from_nanos(clock::since_boot())
}

fn failed(doing: &'static str) -> impl Fn(std::io::Error) -> Error {
    move |source| Error::Watch { doing, source }
}

impl<'a> Watch<'a> {
    fn begin(context: &'a Context, task: &'a WatchTask) -> Result<Self, Error> {
        let store = context.writable_store()?;
        let lock = store.watch_lock().map_err(|error| match locks::holder(&error) {
            Some(pid) => Error::WatchRuns { pid: Some(pid) },
            None if error.is_timeout() => Error::WatchRuns { pid: None },
            None => error.into(),
        })?;
        limits::raise_open_files();
        // It may have been started in a pane of the very server that it watches.
        limits::survive_hangup();
        let wakeups = Wakeups::new().map_err(failed("waiting for events"))?;
        let changes = FileChanges::new().map_err(failed("watching files"))?;
        wakeups.add(&changes, FILES).map_err(failed("watching files"))?;
        let file = task.root.join("proc/pressure/memory");
        let pressure = PressureTrigger::new(&file, WAITED, WINDOW).ok();
        if let Some(trigger) = &pressure {
            wakeups.add_urgent(trigger, PRESSURE).map_err(failed("watching memory"))?;
        }
        Ok(Self {
            hierarchy: hierarchy(&task.root),
            slice: format!("user.slice/user-{}.slice", context.account.uid),
            context,
            task,
            store,
            _lock: lock,
            wakeups,
            changes,
            tracked: Tracked::default(),
            groups: Groups::default(),
            schedule: Schedule::default(),
            pressure,
            pressed: None,
            kills: None,
            listed: None,
            warned: None,
            records: Vec::new(),
            directories: Vec::new(),
            ended: Vec::new(),
        })
    }

    /// Returns when the service manager has to start the sessions.
    fn run(mut self) -> Result<(), Error> {
        let _ = self.host_killed();
        let before = Roll::decode(&self.store.read_watch_file(WatchFile::Watched)?);
        let meanwhile = ended_meanwhile(&before, &boot_id(), clock::now());
        tracing::info!(ended = meanwhile.len(), "watching");
        self.note(meanwhile)?;
        self.list()?;
        self.plan(Task::Suspend, BETWEEN_SUSPENSIONS);
        let mut ready = Vec::new();
        if self.bring_back() {
            return Ok(());
        }
        loop {
            let now = since_boot();
            while let Some(task) = self.schedule.take(now) {
                let must_end = match task {
                    Task::Settle => self.settle()?,
                    Task::Comeback => self.bring_back(),
                    Task::Memory => self.after_shortage(),
                    Task::List => self.list().map(|()| false)?,
                    Task::Warn => self.warn(),
                    Task::Listen => self.listen(),
                    Task::MakeRoom => self.make_room(),
                    Task::Suspend => self.suspend(),
                };
                if must_end {
                    return Ok(());
                }
            }
            let next = self.schedule.next().map(|next| next.saturating_sub(since_boot()));
            self.wakeups.set_moment(next).map_err(failed("waiting for events"))?;
            ready.clear();
            self.wakeups.wait(&mut ready).map_err(failed("waiting for events"))?;
            for number in &ready {
                match *number {
                    MOMENT => {}
                    FILES => self.files_changed(),
                    PRESSURE => self.memory_is_short(),
                    number => self.process_ended(number),
                }
            }
        }
    }

    fn plan(&mut self, task: Task, after: Duration) {
        self.schedule.by(task, since_boot() + after);
    }

    /// Lists soon again, but not more often than every few seconds.
    fn list_soon(&mut self) {
        let next = self.listed.map_or(Duration::ZERO, |listed| listed + BETWEEN_LISTS);
        self.schedule.by(Task::List, next.max(since_boot() + SOON));
    }

    fn files_changed(&mut self) {
        let changes = self.changes.read();
        if changes.iter().any(|change| self.is_worth_a_list(change)) {
            self.list_soon();
        }
        if changes.iter().any(|change| change.overflowed || self.groups.has(change.of)) {
            let is_near = self.groups.update(&self.hierarchy, since_boot());
            if is_near {
                self.warn_soon();
            }
        }
    }

    fn is_worth_a_list(&self, change: &FileChange) -> bool {
        if self.records.contains(&change.of) {
            // Agents write their records again and again: a process that is waited for is nothing new.
            let name = change.name.as_ref().and_then(|name| name.to_str());
            let pid = name.and_then(|name| name.strip_suffix(".json")?.parse().ok());
            return pid.is_some_and(|pid| !self.tracked.has(pid));
        }
        let socket = self.context.server.socket.path().file_name();
        let is_lock = |name: &OsString| name.as_encoded_bytes().starts_with(b".persist-");
        change.overflowed
            || self.directories.contains(&change.of)
                && (change.name.as_deref() == socket
                    || change.name.as_ref().is_some_and(|name| {
                        !is_lock(name)
                            && Path::new(name).extension().is_some_and(|end| end == "tsv")
                    }))
    }

    /// The kernel says so again and again for as long as it lasts: once in a while is enough.
    fn memory_is_short(&mut self) {
        self.pressed = Some(since_boot());
        if let Some(trigger) = &self.pressure {
            self.wakeups.remove(trigger);
            self.plan(Task::Listen, PRESSED);
        }
        self.plan(Task::MakeRoom, SOON);
        self.warn_soon();
    }

    /// While memory is short, agents that have been idle for a while give back theirs.
    fn make_room(&mut self) -> bool {
        let memory = self.host_memory();
        if self.context.suspend.idle_for(true).is_some() && memory.is_short() {
            let need = format!("{}M", memory.needed() >> 20);
            let _ = self.run_child(&["suspend", "--idle", "--need", &need], SUSPEND_DEADLINE);
            self.plan(Task::MakeRoom, PRESSED);
        }
        false
    }

    /// Agents that have been idle for long give back their memory.
    fn suspend(&mut self) -> bool {
        if self.context.suspend.idle_for(false).is_some() {
            let _ = self.run_child(&["suspend", "--idle"], SUSPEND_DEADLINE);
            self.plan(Task::Suspend, BETWEEN_SUSPENSIONS);
        }
        false
    }

    fn listen(&mut self) -> bool {
        if let Some(trigger) = &self.pressure {
            let _ = self.wakeups.add_urgent(trigger, PRESSURE); // without it nothing is warned of
        }
        false
    }

    fn warn_soon(&mut self) {
        let next = self.warned.map_or(Duration::ZERO, |warned| warned + BETWEEN_WARNINGS);
        self.schedule.by(Task::Warn, next.max(since_boot() + SOON));
    }

    fn process_ended(&mut self, number: u64) {
        if let Some(ended) = self.tracked.take_ended(number, clock::now()) {
            tracing::info!(pid = ended.death.pid, end = ?ended.death.end, "ended");
            self.ended.push(ended);
            self.plan(Task::Settle, TOGETHER);
        }
    }

    /// Notes what ended, with what was short of memory then, and has it looked into.
    fn settle(&mut self) -> Result<bool, Error> {
        let now = since_boot();
        let _ = self.groups.update(&self.hierarchy, now);
        let pressed = self.is_pressed();
        let host_killed = self.host_killed();
        let shared = self.tracked.server.as_ref().map(|(server, _)| server.group.clone());
        let shared = shared.unwrap_or_default();
        let mut deaths = Vec::new();
        for ended in std::mem::take(&mut self.ended) {
            let reason = self.groups.reason(&ended.group, &shared, &self.slice, now);
            let ended_in = ended.group.clone();
            let mut death = ended.settled();
            death.pressed = pressed;
            death.out_of_memory = match reason {
                // Where no counter says it, as without cgroup v2.
                OutOfMemory::None if host_killed && !self.groups.knows(&ended_in) => {
                    OutOfMemory::Host
                }
                reason => reason,
            };
            deaths.push(death);
        }
        self.note(deaths)?;
        self.list_soon();
        Ok(self.bring_back())
    }

    fn host_memory(&self) -> HostMemory {
        let read = |file: &str| {
            std::fs::read_to_string(self.task.root.join("proc").join(file)).unwrap_or_default()
        };
        HostMemory::parse(&read("pressure/memory"), &read("meminfo"))
    }

    /// Whether the kernel said just now that tasks wait for memory.
    fn was_said(&self) -> bool {
        self.pressed.is_some_and(|time| since_boot().saturating_sub(time) <= PRESSED)
    }

    fn is_pressed(&self) -> bool {
        let memory = self.host_memory();
        memory.is_short() || self.was_said() && memory.is_tight()
    }

    /// Whether the kernel has killed something on this host since the last look, for want of memory: a look that may
    /// be old, so tasks must have waited for memory just now.
    fn host_killed(&mut self) -> bool {
        let text = std::fs::read_to_string(self.task.root.join("proc/vmstat")).unwrap_or_default();
        let now = memory_state::kills(&text);
        let before = std::mem::replace(&mut self.kills, now);
        before.zip(now).is_some_and(|(before, now)| now > before) && self.was_said()
    }

    /// Adds to the deaths that are not settled.
    fn note(&self, new: Vec<Death>) -> Result<(), Error> {
        if new.is_empty() {
            return Ok(());
        }
        let _lock = self.store.deaths_lock()?;
        let mut deaths = Deaths::decode(&self.store.read_watch_file(WatchFile::Deaths)?).0;
        deaths.add(new);
        Ok(self.store.write_watch_file(WatchFile::Deaths, &deaths.encode())?)
    }

    /// Has a child look into the deaths that are not settled, if there are any. Returns whether the service manager
    /// has to start the sessions.
    fn bring_back(&mut self) -> bool {
        if self
            .store
            .read_watch_file(WatchFile::Deaths)
            .is_ok_and(|text| Deaths::is_empty_file(&text))
        {
            return false;
        }
        let deadline = self.context.server.start_deadline + LIST_DEADLINE;
        let Some(answer) = self.child(WatchStep::Comeback, deadline) else {
            self.plan(Task::Comeback, AFTER_FAILURE);
            return false;
        };
        let answer = Answer::decode(&answer);
        tracing::debug!(?answer, "looked into what ended");
        if let Some(next) = answer.next {
            let wait: Epoch = next.saturating_sub(clock::now());
            self.plan(Task::Comeback, Duration::from_secs(wait) + SOON);
        }
        if answer.waits_for_memory {
            self.plan(Task::Memory, MEMORY_PAUSE);
        }
        // What came back may end at once: it is not waited with.
        self.plan(Task::List, SOON);
        answer.start_server
    }

    /// Brings back what waited for memory, once it is no longer short.
    fn after_shortage(&mut self) -> bool {
        if self.host_memory().is_still_short() {
            self.plan(Task::Memory, MEMORY_PAUSE);
            return false;
        }
        self.bring_back()
    }

    fn warn(&mut self) -> bool {
        self.warned = Some(since_boot());
        let answer = self.child(WatchStep::Warn, LIST_DEADLINE).map(|text| Answer::decode(&text));
        if let Some(next) = answer.and_then(|answer| answer.next) {
            self.plan(Task::Warn, Duration::from_secs(next.saturating_sub(clock::now())));
        }
        false
    }

    /// Lists what to wait for, and waits for just that.
    fn list(&mut self) -> Result<(), Error> {
        self.listed = Some(since_boot());
        self.schedule.cancel(Task::List);
        self.watch_directories(&[]);
        let Some(text) = self.child(WatchStep::List, LIST_DEADLINE) else {
            self.plan(Task::List, AFTER_FAILURE);
            return Ok(());
        };
        let roll = Roll::decode(text.as_bytes());
        let now = clock::now();
        let gone = self.tracked.follow(&roll, &self.wakeups, now);
        let gone = gone.map_err(failed("watching processes"))?;
        if !gone.is_empty() {
            self.ended.extend(gone);
            self.plan(Task::Settle, TOGETHER);
        }
        self.watch_directories(&roll.records);
        let groups = self.tracked.groups().chain([self.slice.as_str()]);
        self.groups.follow(groups, &self.hierarchy, &self.changes);
        tracing::info!(agents = self.tracked.count(), "waiting");
        memory::give_back();
        let known = self.store.read_watch_file(WatchFile::Watched)?;
        if known != text.as_bytes() {
            self.store.write_watch_file(WatchFile::Watched, text.as_bytes())?;
        }
        Ok(())
    }

    fn watch_directories(&mut self, records: &[PathBuf]) {
        let own = self.store.path();
        let snapshots = own.join("snapshots");
        // Without a snapshot the directory itself, which changes more often.
        let state = if snapshots.is_dir() { snapshots } else { own.to_owned() };
        let add = |dir: &Path| self.changes.add_dir(dir).ok();
        let socket = self.context.server.socket.directory();
        self.directories = [add(&state), add(socket)].into_iter().flatten().collect();
        if !records.is_empty() {
            self.records = records.iter().filter_map(|dir| add(dir)).collect();
        }
    }

    /// Runs a child for one step; what it says, or `None` if it failed.
    fn child(&self, step: WatchStep, deadline: Duration) -> Option<String> {
        let mut words = vec!["watch", "--step", step.word()];
        words.extend(self.task.by_unit.then_some("--by-unit"));
        let root = self.task.root.to_str().filter(|root| *root != "/");
        words.extend(root.into_iter().flat_map(|root| ["--root", root]));
        self.run_child(&words, deadline)
    }

    /// Runs this program with some words; what it says, or `None` if it failed.
    fn run_child(&self, words: &[&str], deadline: Duration) -> Option<String> {
        let mut args: Vec<OsString> = words.iter().map(Into::into).collect();
        args.extend(self.context.options.iter().cloned());
        let program = Program::ourselves().args(args).deadline(deadline).max_output(MAX_ANSWER);
        match program.run() {
            Ok(output) => {
                terminal::relay(&output.stderr);
                output
                    .status
                    .success()
                    .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
            }
            Err(error) => {
                tracing::warn!(?words, %error, "a child failed");
                None
            }
        }
    }
}
