//! `provision offboard cut|uncut|archive|remove`: one stage, under the run lock, with a journal.

use super::args::{StageArgs, StageCommand};
use super::config::Config;
use super::output::Output;
use super::root_run::{holder, open_state, require_root};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output as lines;
use crate::identity::UserMap;
use crate::offboard::error::{PolicyError, StepFailures};
use crate::offboard::remove::{self, RemovalRequest};
use crate::offboard::{
    self, CutTarget, ProgressOnly, StageError, StageReport, StepLog, archive, cut, policy, record,
    uncut,
};
use crate::provision::paths::{STATE, USER_MAP};
use crate::provision::state::applied;
use crate::provision::state::journal::Journal;
use crate::provision::state::state_dir::State;
use crate::sys::process::own_arguments;
use crate::sys::{FileError, clock, fs};
use crate::text::table::{count, shown};
use serde_json::{Value, json};
use std::fmt::Write;
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::time::Duration;

/// Maximum size of the user map, in bytes.
const MAX_MAP: u64 = 64 << 20;

/// Maximum size of a user and a reason on standard input, in bytes.
const MAX_INPUT: u64 = 64 << 10;

/// Runs one stage.
pub(super) fn run(output: Output, command: &StageCommand, config: Config) -> Result<Exit, Failure> {
    let settings = config.offboard;
    match command {
        StageCommand::Cut { user, admin, why, stage } => {
            own_arguments::hide();
            let (user, why) = &named(user, why)?;
            if !stage.dry_run {
                cut_at_once(output, (user, *admin, why), &settings)?;
            }
            let run = StageRun::open(output, "cut", user, *stage)?;
            let target = cut_target(&run.state, user, *admin, why)?;
            let preview = cut::preview(run.state.dir(), &target, &settings);
            run.perform(preview, |log| {
                let mut report = cut::cut(run.state.dir(), &target, &settings, log)?;
                report.lines.extend(still_mapped(user));
                Ok((report, json!({})))
            })
        }
        StageCommand::Uncut { user, stage } => {
            let run = StageRun::open(output, "uncut", user, *stage)?;
            let preview = uncut::preview(run.state.dir(), user);
            run.perform(preview, |log| {
                let report = uncut::uncut(run.state.dir(), user, &settings, log)?;
                Ok((report, json!({})))
            })
        }
        StageCommand::Archive { user, to, stage } => {
            let run = StageRun::open(output, "archive", user, *stage)?;
            let preview = archive::preview(run.state.dir(), user, to);
            run.perform(preview, |log| {
                let (made, mut report) = archive::archive(run.state.dir(), user, to, log)?;
                report.lines.push(format!("{}: {} entries, read back", made.file, made.entries));
                report.lines.push(format!("digest {}", made.digest));
                report.lines.push(format!(
                    "to remove the account: provision offboard remove {user} --archive {} \
                     --confirm {user}@{}",
                    made.file,
                    &made.digest[..16]
                ));
                Ok((report, json!({"archive": made})))
            })
        }
        StageCommand::Remove { user, archive, confirm, stage } => {
            let run = StageRun::open(output, "remove", user, *stage)?;
            let (applied, _) = applied::roster(&run.state).map_err(Failure::failed)?;
            policy::check_removal(user, &applied)?;
            let request = RemovalRequest { user, archive, confirm };
            // The removal checks the archive itself: it is not read twice.
            let preview = if stage.dry_run {
                remove::preview(run.state.dir(), &request, &settings)
            } else {
                Ok(Vec::new())
            };
            run.perform(preview, |log| {
                let mut retire_uid =
                    |user: &str, uid| Ok(applied::retire_uid(&run.state, user, uid)?);
                let dir = run.state.dir();
                let report = remove::remove(dir, &request, &settings, log, &mut retire_uid)?;
                Ok((report, json!({})))
            })
        }
    }
}

/// The user and the reason: from standard input if the user is `-`, so that nothing of them is in the
/// process list even for a moment. The first line is the user, the rest the reason.
fn named(user: &str, why: &str) -> Result<(String, String), Failure> {
    if user != "-" {
        return Ok((user.to_owned(), why.to_owned()));
    }
    let mut text = String::new();
    let read = std::io::stdin().lock().take(MAX_INPUT).read_to_string(&mut text);
    read.map_err(|error| Failure::failed(format!("standard input: {error}")))?;
    let (user, rest) = text.split_once('\n').unwrap_or((&text, ""));
    let rest = rest.trim();
    let why = if rest.is_empty() { why } else { rest };
    if user.trim().is_empty() {
        return Err(Failure::usage("standard input: expected the user on the first line"));
    }
    Ok((user.trim().to_owned(), why.to_owned()))
}

/// If another run holds the lock: takes the user's access away without waiting for it. What that run is
/// doing for this user ends, too.
fn cut_at_once(
    output: Output,
    (user, admin, why): (&str, bool, &str),
    settings: &offboard::Settings,
) -> Result<(), Failure> {
    require_root("provision offboard cut")?;
    let error = match State::open(Path::new(STATE), Duration::ZERO) {
        Err(error) if error.is_timeout() => error,
        _ => return Ok(()),
    };
    let state = State::open_unlocked(Path::new(STATE))?;
    let target = cut_target(&state, user, admin, why)?;
    let holder = holder(&error);
    lines::note(&format!("another provision run{holder} is in progress: {user} is cut off first"));
    let mut progress = |line: &str| {
        if std::io::stderr().is_terminal() {
            output.progress(line);
        }
    };
    match cut::urgent(state.dir(), &target, settings, &mut ProgressOnly(&mut progress)) {
        Ok(report) => report.lines.iter().for_each(|line| lines::note(line)),
        Err(StageError::Failed(failures)) => lines::warning(&failures.to_string()),
        Err(refused) => return Err(refused.into()),
    }
    Ok(())
}

/// The user to cut by hand, if the applied roster allows it.
fn cut_target(state: &State, user: &str, admin: bool, why: &str) -> Result<CutTarget, Failure> {
    let (roster, hash) = applied::roster(state).map_err(Failure::failed)?;
    let cut = record::load_all(state.dir()).map_err(Failure::failed)?;
    policy::check_cut(user, admin, &roster, &cut)?;
    let mut target = CutTarget::new(user, roster.users.get(user), why.to_owned(), hash);
    let mut written = applied::written(state).map_err(Failure::failed)?;
    target.added_groups = written.groups.remove(user).unwrap_or_default();
    target.leaves_tables = true;
    Ok(target)
}

/// A stage of one user, with the state directory locked.
struct StageRun<'a> {
    output: Output,
    stage: &'static str,
    user: &'a str,
    dry_run: bool,
    state: State,
}

impl<'a> StageRun<'a> {
    fn open(
        output: Output,
        stage: &'static str,
        user: &'a str,
        args: StageArgs,
    ) -> Result<Self, Failure> {
        require_root(&format!("provision offboard {stage}"))?;
        let dry_run = args.dry_run;
        let wait = Duration::from_secs(args.wait);
        Ok(Self { output, stage, user, dry_run, state: open_state(wait)? })
    }

    /// Prints the preview of a dry run; otherwise acts, and prints what was done. `act` gives more
    /// fields of the JSON object besides.
    fn perform(
        &self,
        preview: Result<Vec<String>, StageError>,
        act: impl FnOnce(&mut dyn StepLog) -> Result<(StageReport, Value), StageError>,
    ) -> Result<Exit, Failure> {
        let preview = preview?;
        let (output, stage, user) = (self.output, self.stage, self.user);
        if self.dry_run {
            let value = json!({"stage": stage, "user": user, "dry_run": true, "lines": preview});
            output.result(&value, || text(&preview, "would "))?;
            return Ok(Exit::Done);
        }
        let run = format!("{}-{}", clock::now(), std::process::id());
        let journal = Journal::new(self.state.dir(), &run, &format!("offboard {stage} {user}"));
        let mut log = JournalLog { output, journal };
        let outcome = act(&mut log);
        let last = if outcome.is_ok() { "done" } else { "failed" };
        if let Err(error) = log.journal.end(last) {
            lines::warning(&error.to_string());
        }
        let (report, more) = match outcome {
            Ok(outcome) => outcome,
            Err(StageError::Failed(failures)) => return Ok(self.failed(&failures)),
            Err(refused) => return Err(refused.into()),
        };
        let mut value = json!({"stage": stage, "user": user, "lines": report.lines});
        if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
            value.extend(more);
        }
        let last = format!("Done: {stage} {user}, {}.\n", count(report.steps, "step"));
        output.result(&value, || text(&report.lines, "") + &last)?;
        Ok(Exit::Done)
    }

    /// Prints what the other steps did, and each step that failed.
    fn failed(&self, failures: &StepFailures) -> Exit {
        for line in &failures.done {
            self.output.note(&format!("{}: {line}", self.user));
        }
        for failure in &failures.failed {
            lines::error(&lines::of_user(self.user, &failure.to_string()));
            if let Some(hint) = failure.error.hint() {
                lines::hint(&hint);
            }
        }
        let (failed, done) = (count(failures.failed.len(), "step"), failures.steps_done);
        lines::error(&format!(
            "provision offboard {} {}: {failed} failed, {done} done",
            self.stage, self.user
        ));
        lines::hint("run the same command again: it does what is left");
        Exit::Failed
    }
}

/// Journals each step, and prints it on a terminal.
struct JournalLog<'a> {
    output: Output,
    journal: Journal<'a>,
}

impl StepLog for JournalLog<'_> {
    fn before(&mut self, id: &str, what: &str) -> Result<(), FileError> {
        if std::io::stderr().is_terminal() {
            self.output.progress(what);
        }
        self.journal.before(id, what)
    }

    fn after(&mut self, id: &str, outcome: Result<&str, &str>) -> Result<(), FileError> {
        self.journal.after(id, outcome)
    }
}

impl From<StageError> for Failure {
    fn from(error: StageError) -> Self {
        let failure = match &error {
            StageError::Refused(_) => Self::refused(&error),
            StageError::Failed(_) => Self::failed(&error),
        };
        failure.with_optional_hint(error.hint())
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        Self::refused(&error).with_optional_hint(error.hint())
    }
}

/// What is left to do if the user map, which is made from the roster, still has the user.
fn still_mapped(user: &str) -> Option<String> {
    let text = fs::read(Path::new(USER_MAP), MAX_MAP).ok()?;
    let (map, _) = UserMap::parse(&String::from_utf8_lossy(&text), Path::new(USER_MAP));
    map.contains(user)
        .then(|| format!("{USER_MAP} still has {user}: `provision apply` removes the line"))
}

fn text(lines: &[String], before: &str) -> String {
    let mut text = String::new();
    for line in lines {
        let _ = writeln!(text, "{before}{}", shown(line)); // writing to a String cannot fail
    }
    text
}
