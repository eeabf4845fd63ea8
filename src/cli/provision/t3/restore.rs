//! `provision t3 restore`: puts back the data of an instance.

use super::users::held;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{error, of_user};
use crate::cli::provision::output::Output;
use crate::cli::provision::root_run::require_root;
use crate::t3::backup::BackupId;
use crate::t3::paths::Paths;
use crate::t3::restore::{self, RestoreError, Restored, What};
use crate::text::shown;
use serde_json::json;

/// What is to be put back.
pub(super) struct Asked<'a> {
    pub(super) from: Option<&'a str>,
    pub(super) database: bool,
    pub(super) undo: bool,
}

pub(super) fn run(
    output: Output,
    user: Option<&str>,
    asked: &Asked<'_>,
    resume: bool,
) -> Result<Exit, Failure> {
    require_root("provision t3 restore")?;
    let paths = Paths::host();
    if resume {
        return resume_all(output, user, &paths);
    }
    let user = user.ok_or_else(|| Failure::usage("expected a user"))?;
    let id: Option<BackupId> = asked.from.map(str::parse).transpose().map_err(Failure::usage)?;
    let what = if asked.database { What::Database } else { What::All };
    let done = held(&paths, user, || {
        if asked.undo {
            return restore::undo(user, &paths).map(|done| (None, done));
        }
        restore::restore(user, id.as_ref(), what, &paths).map(|(id, done)| (Some(id), done))
    });
    let (id, done) = done.map_err(|why| failed(user, &why))?;
    let value =
        json!({"user": user, "id": id, "set_aside": done.set_aside, "answers": done.answers});
    output.result(&value, || {
        let what = id.as_ref().map_or_else(|| "what was set aside".to_owned(), ToString::to_string);
        format!(
            "{user}: restored {what}; the data from before are ~{user}/.t3/{}\n",
            done.set_aside
        )
    })?;
    Ok(judge(user, &done))
}

fn resume_all(output: Output, user: Option<&str>, paths: &Paths) -> Result<Exit, Failure> {
    let mut users = restore::unfinished(paths)?;
    users.retain(|one| user.is_none_or(|user| user == one));
    let mut exit = Exit::Done;
    for user in &users {
        match held(paths, user, || restore::resume(user, paths)) {
            Ok(done) => {
                output.note(&of_user(user, "the restore that was interrupted is finished"));
                let judged = done.map_or(Exit::Done, |done| judge(user, &done));
                exit = if judged == Exit::Done { exit } else { judged };
            }
            Err(why) => {
                error(&failed(user, &why).message);
                exit = Exit::Failed;
            }
        }
    }
    Ok(exit)
}

fn judge(user: &str, done: &Restored) -> Exit {
    if done.answers == Some(false) {
        error(&of_user(user, "the data are restored, and the instance does not answer"));
        return Exit::Failed;
    }
    Exit::Done
}

fn failed(user: &str, why: &RestoreError) -> Failure {
    let failure = Failure::failed(of_user(user, &shown(&why.to_string()).to_string()));
    match why {
        RestoreError::NoBackup => {
            failure.with_hint(format!("provision t3 backups {}", shown(user)))
        }
        _ => failure,
    }
}
