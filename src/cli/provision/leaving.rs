//! `provision offboard cut|uncut|archive|remove`: by hand, under the run lock, with a journal.

use super::args::{HowArgs, OffboardCommand};
use super::config::Config;
use super::output::{Output, shown, warn};
use crate::cli::exit::{Exit, Failure};
use crate::identity::UserMap;
use crate::offboard::archive::{self, Problem};
use crate::offboard::remove::{self, Asked};
use crate::offboard::{Notes, Settings, Who, cut, record, uncut};
use crate::provision::apply::State;
use crate::provision::observe::observed::{
    APPLIED, STATE, USER_MAP, playwright_file, service_file,
};
use crate::provision::state::journal::Journal;
use crate::provision::state::written::Written;
use crate::roster::{self, Roster, Row, Tier};
use crate::sys::fs::{self, Existing};
use crate::sys::{Dir, FileError, accounts, clock};
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

/// No record of what was applied is larger (bytes).
const MAX: u64 = 64 << 20;

/// Does one stage.
pub(super) fn run(
    output: Output,
    command: &OffboardCommand,
    config: Config,
) -> Result<Exit, Failure> {
    if !accounts::is_root() {
        return Err(Failure::refused("only root may do that"));
    }
    match command {
        OffboardCommand::Plan { .. } => Ok(Exit::Done), // asked for elsewhere
        OffboardCommand::Cut { user, admin, why, how } => {
            let ground = Ground::open(*how)?;
            let (who, settings) =
                Ground::who(ground.state.dir(), user, *admin, why, config.offboard)?;
            let preview = cut::preview(ground.state.dir(), &who, &settings).map_err(refused)?;
            ground.stage(output, "cut", user, &preview, |notes| {
                let lines = cut::cut_telling(ground.state.dir(), &who, &settings, notes);
                let mut lines = lines.map_err(Failure::failed)?;
                lines.extend(unmap(user));
                Ok((lines, json!({})))
            })
        }
        OffboardCommand::Uncut { user, how } => {
            let ground = Ground::open(*how)?;
            let settings = config.offboard;
            let preview = uncut::preview(ground.state.dir(), user).map_err(refused)?;
            ground.stage(output, "uncut", user, &preview, |notes| {
                let lines = uncut::uncut_telling(ground.state.dir(), user, &settings, notes);
                lines.map(|lines| (lines, json!({}))).map_err(Failure::failed)
            })
        }
        OffboardCommand::Archive { user, to, how } => {
            let ground = Ground::open(*how)?;
            let preview = archive::check(ground.state.dir(), user, to).map_err(problem)?;
            ground.stage(output, "archive", user, &preview, |notes| {
                let made = archive::archive(ground.state.dir(), user, to, notes);
                let (made, mut lines) = made.map_err(problem)?;
                lines.push(format!("{}: {} entries, read back", made.file, made.entries));
                lines.push(format!("digest {}", made.digest));
                let confirm = format!("{user}@{}", &made.digest[..16]);
                lines.push(format!(
                    "then: provision offboard remove {user} --archive {} --confirm {confirm}",
                    made.file
                ));
                Ok((lines, json!({"archive": made})))
            })
        }
        OffboardCommand::Remove { user, archive, confirm, how } => {
            let ground = Ground::open(*how)?;
            // The next apply would make an account of that name anew, with another uid.
            if applied()?.0.users.contains_key(user) {
                return Err(refused(format!(
                    "the applied roster has a row of {user}: take it out and `provision apply` first"
                )));
            }
            let (asked, settings) = (Asked { user, archive, confirm }, config.offboard);
            // The archive is read once more: not twice for one removal.
            let preview = if how.dry_run {
                remove::check(ground.state.dir(), &asked, &settings).map_err(problem)?
            } else {
                Vec::new()
            };
            ground.stage(output, "remove", user, &preview, |notes| {
                let mut bury = |user: &str, uid| bury(ground.state.dir(), user, uid);
                let lines = remove::remove(ground.state.dir(), &asked, &settings, notes, &mut bury);
                lines.map(|lines| (lines, json!({}))).map_err(problem)
            })
        }
    }
}

/// The state directory, and the lock that all runs share.
struct Ground {
    state: State,
    how: HowArgs,
}

impl Ground {
    fn open(how: HowArgs) -> Result<Self, Failure> {
        let wait = Duration::from_secs(how.wait);
        let state = State::open(Path::new(STATE), wait);
        Ok(Self { state: state.map_err(|error| Failure::failed(error.to_string()))?, how })
    }

    /// Who is cut, by the applied roster; an admin only when that is said, and never the last one.
    fn who(
        state: &Dir,
        user: &str,
        admin: bool,
        why: &str,
        settings: Settings,
    ) -> Result<(Who, Settings), Failure> {
        let (applied, hash) = applied()?;
        let row = applied.users.get(user);
        if row.is_some_and(|row| row.tier == Tier::Admin) {
            if !admin {
                return Err(refused(format!("{user} is an admin: cut only with --admin")));
            }
            let cut = record::load_all(state).map_err(Failure::failed)?;
            let admin =
                |(user, row): &(&String, &Row)| row.tier == Tier::Admin && !cut.contains_key(*user);
            if !applied.users.iter().filter(admin).any(|(other, _)| other != user) {
                return Err(refused(format!("{user} is the last admin of the applied roster")));
            }
        }
        let who = Who {
            user: user.to_owned(),
            k8s_user: row.map(|row| row.k8s_user.clone()).unwrap_or_default(),
            why: why.to_owned(),
            roster: hash,
            was: row.map_or(Value::Null, |row| json!(row)),
        };
        let added_groups = written()?.groups.remove(user).unwrap_or_default();
        Ok((who, Settings { added_groups, ..settings }))
    }

    fn stage(
        &self,
        output: Output,
        stage: &str,
        user: &str,
        preview: &[String],
        act: impl FnOnce(&mut dyn Notes) -> Result<(Vec<String>, Value), Failure>,
    ) -> Result<Exit, Failure> {
        if self.how.dry_run {
            let value = json!({"stage": stage, "user": user, "dry_run": true, "lines": preview});
            output.result(&value, || text(preview, "would "))?;
            return Ok(Exit::Done);
        }
        let run = format!("{}-{}", clock::now(), std::process::id());
        let journal = Journal::new(self.state.dir(), &run, &format!("offboard {stage} {user}"));
        let mut told = Told { output, journal };
        let outcome = act(&mut told);
        let ended = if outcome.is_ok() { "done" } else { "failed" };
        if let Err(error) = told.journal.end(ended) {
            warn(&error.to_string());
        }
        let (lines, more) = outcome?;
        let mut value = json!({"stage": stage, "user": user, "lines": lines});
        if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
            value.extend(more);
        }
        output.result(&value, || text(&lines, ""))?;
        Ok(Exit::Done)
    }
}

/// Puts each step in the journal, and says it to whoever watches.
struct Told<'a> {
    output: Output,
    journal: Journal<'a>,
}

impl Notes for Told<'_> {
    fn before(&mut self, id: &str, what: &str) -> Result<(), String> {
        if std::io::stderr().is_terminal() {
            self.output.progress(what);
        }
        self.journal.before(id, what).map_err(|error| error.to_string())
    }

    fn after(&mut self, id: &str, outcome: Result<&str, &str>) -> Result<(), String> {
        self.journal.after(id, outcome).map_err(|error| error.to_string())
    }
}

/// The maps are made from the roster alone: what is left to do where one still names the user.
fn unmap(user: &str) -> Option<String> {
    let text = fs::read(Path::new(USER_MAP), MAX).ok()?;
    let (map, _) = UserMap::parse(&String::from_utf8_lossy(&text), Path::new(USER_MAP));
    map.contains(user)
        .then(|| format!("{USER_MAP} still names {user}: `provision apply` takes that out"))
}

/// Puts on record that a uid and the subordinate ones are never given again, and forgets what was written for the user.
fn bury(state: &Dir, user: &str, uid: u32) -> Result<(), String> {
    let failed = |error: FileError| error.to_string();
    let mut written = written().map_err(|failure| failure.message)?;
    written.bury(user, uid, &[service_file(user), playwright_file(user)]);
    let texts = ["/etc/subuid", "/etc/subgid"].map(|path| match fs::read(Path::new(path), MAX) {
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        read => read.map_err(failed),
    });
    let [uids, gids] = texts;
    written.bury_subids(&[&uids?, &gids?]);
    let bytes = serde_json::to_vec_pretty(&written).map_err(|error| error.to_string())?;
    let dir = state.ensure_dir("applied").map_err(failed)?;
    dir.write("written.json", &bytes, Existing::Replaced).map_err(failed)
}

/// The roster that was applied last, and the hash of its bytes; an empty one before the first time.
fn applied() -> Result<(Roster, Option<String>), Failure> {
    let path = Path::new(APPLIED).join("roster.yaml");
    match fs::read(&path, MAX) {
        Ok(bytes) => {
            let broken = |_| Failure::failed(format!("{}: does not parse", shown(&path)));
            let document = roster::parse(&bytes).map_err(broken)?;
            Ok((document.roster, Some(crate::provision::state::digest::of(&bytes))))
        }
        Err(error) if error.is_not_found() => Ok((Roster::default(), None)),
        Err(error) => Err(Failure::failed(error.to_string())),
    }
}

fn written() -> Result<Written, Failure> {
    let path = Path::new(APPLIED).join("written.json");
    match fs::read(&path, MAX) {
        Ok(bytes) => {
            Written::read(&bytes).map_err(|why| Failure::failed(format!("{}: {why}", shown(&path))))
        }
        Err(error) if error.is_not_found() => Ok(Written::default()),
        Err(error) => Err(Failure::failed(error.to_string())),
    }
}

fn refused(why: String) -> Failure {
    Failure::refused(why)
}

fn problem(problem: Problem) -> Failure {
    match problem {
        Problem::Refused(why) => Failure::refused(why),
        Problem::Failed(why) => Failure::failed(why),
    }
}

fn text(lines: &[String], before: &str) -> String {
    let line = |line: &String| format!("{before}{}\n", crate::text::table::shown(line));
    lines.iter().map(line).collect()
}
