//! `boot`, `keeper` and `import`: what the units run.

use super::{outcome, text};
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{self, error, note, of_user, print, warning};
use crate::supervisor::boot::{self, SavedUsers, Warning};
use crate::supervisor::config::Config;
use crate::supervisor::{import, keeper};
use crate::sys::notify::Notifier;

/// Restores every terminal user's sessions.
pub(crate) fn restore_all(config: &Config, quiet: bool) -> Result<Exit, Failure> {
    let saved = boot::announce_all(config)?;
    warn(&saved);
    if saved.is_empty() {
        note("no terminal user has sessions to restore");
        return Ok(Exit::Done);
    }
    for (user, result) in saved.restore() {
        match result {
            Ok(status) if !quiet => print(&format!("{user}: {status}\n"))?,
            Ok(_) => {}
            Err(why) => warning(&of_user(user, &why.to_string())),
        }
    }
    // A user's failure is the failure of that user's unit; this one has tried all users.
    Ok(Exit::Done)
}

/// Makes the socket directories and keeps saves from users who are to be restored.
pub(crate) fn announce_all(config: &Config) -> Result<Exit, Failure> {
    // Again: accounts from the network are unknown when the first unit runs.
    let made = make_socket_dirs(config)?;
    let saved = boot::announce_all(config)?;
    warn(&saved);
    Ok(if saved.unannounced.is_empty() { made } else { Exit::Failed })
}

/// Starts the watches of users who were saved for the first time.
pub(crate) fn start_watches(config: &Config) -> Result<Exit, Failure> {
    boot::start_watches(config)?;
    Ok(Exit::Done)
}

/// Fails for an account that has expired.
pub(crate) fn may_watch(uid: u32) -> Result<Exit, Failure> {
    Ok(if boot::has_expired(uid)? { Exit::Failed } else { Exit::Done })
}

/// Makes each terminal user's directory for tmux's sockets.
pub(crate) fn make_socket_dirs(config: &Config) -> Result<Exit, Failure> {
    let failed = boot::make_socket_dirs(config)?;
    for user in &failed {
        error(&message(user));
    }
    Ok(if failed.is_empty() { Exit::Done } else { Exit::Failed })
}

fn warn(saved: &SavedUsers) {
    saved.problems.iter().for_each(|problem| warning(&problem.to_string()));
    saved.unannounced.iter().for_each(|failed| warning(&message(failed)));
}

fn message(failed: &Warning) -> String {
    let message = failed.error.to_string();
    failed.user.as_ref().map_or(message.clone(), |user| of_user(user, &message))
}

/// Restores the caller's sessions and stays until the tmux server has ended.
pub(crate) fn keep(load: impl FnOnce() -> Result<Config, Failure>) -> Result<Exit, Failure> {
    output::is_journal();
    let notifier = Notifier::take();
    let restored = keeper::restore(&load()?, &notifier)?;
    if let Some(why) = &restored.unanswered {
        warning(&why.to_string());
    }
    text::messages(&restored.result, false);
    print(&text::render(&restored.task, &restored.result, false))?;
    restored.keep(&notifier)?;
    Ok(Exit::Done)
}

/// Imports the state of the older suite.
pub(crate) fn import(config: &Config, quiet: bool) -> Result<Exit, Failure> {
    let Some(imported) = import::import(config)? else { return Ok(Exit::Done) };
    for (user, why) in &imported.warnings {
        warning(&user.as_ref().map_or(why.clone(), |user| of_user(user, why)));
    }
    print(&text::render(&imported.task, &imported.result, quiet))?;
    text::messages(&imported.result, quiet);
    Ok(outcome::of(&imported.result))
}
