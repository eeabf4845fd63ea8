//! Accounts and memberships, through the tools that lock their databases.

use super::{ChangeError, uid};
use crate::provision::observe::socket_dir;
use crate::provision::plan::taken_socket_dir;
use crate::provision::settings::Settings;
use crate::provision::state::written::{CreatedAccount, Written};
use crate::sys::fs::trusted_path;
use crate::sys::process::tool::{self, ToolError};
use crate::sys::{Dir, accounts, clock};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_mins(1);
/// How long a database that another program has locked is retried.
const RETRY_FOR: Duration = Duration::from_secs(30);
/// Whether retrying failed before in this run.
static GAVE_UP: AtomicBool = AtomicBool::new(false);
/// useradd(8), gpasswd(1): the exit code if the databases could not be changed, for one because another
/// program has them locked.
const BUSY: i32 = 1;

/// Records that an account is about to be made.
pub(super) fn record_planned(written: &mut Written, user: &str, home: &str, shell: &str) {
    let (home, shell) = (home.to_owned(), shell.to_owned());
    let made = CreatedAccount { home, shell, ..CreatedAccount::default() };
    written.accounts.insert(user.to_owned(), made);
}

/// Records that the account was made.
pub(super) fn record_made(written: &mut Written, user: &str, uid: u32) {
    if let Some(made) = written.accounts.get_mut(user) {
        made.uid = Some(uid);
    }
    written.uids.insert(uid, user.to_owned());
}

/// Takes back [`record_planned`] if nothing was made.
pub(super) fn forget(written: &mut Written, user: &str, before: Option<CreatedAccount>) {
    if accounts::uid_of(user).ok().flatten().is_some() {
        return; // an account was made: the next run finishes it
    }
    match before {
        Some(made) => drop(written.accounts.insert(user.to_owned(), made)),
        None => drop(written.accounts.remove(user)),
    }
}

/// Makes an account with a home of its own (0700) and a locked password, if nothing is at `home`. Returns
/// its uid, which no account had before.
pub(super) fn make(
    user: &str,
    home: &str,
    shell: &str,
    written: &Written,
    settings: &Settings,
) -> Result<u32, ChangeError> {
    let dir = trusted_path::open_dir(Path::new(&settings.home_base))?;
    if dir.stat(user)?.is_some() {
        return Err(ChangeError::HomeExists(home.to_owned()));
    }
    let mut args: Vec<String> =
        ["--create-home", "--home-dir", home, "--shell", shell].map(str::to_owned).to_vec();
    args.extend(["--user-group", "--key", "HOME_MODE=0700"].map(str::to_owned));
    let uid = uid::next(written, settings)?;
    args.extend(["--uid".to_owned(), uid.to_string()]);
    if let Some(first) = written.first_free_subid {
        for key in ["SUB_UID_MIN", "SUB_GID_MIN"] {
            args.extend(["--key".to_owned(), format!("{key}={first}")]);
        }
    }
    args.extend(["--".to_owned(), user.to_owned()]);
    retry_while_locked("useradd", &args)?;
    finish(user, home)
}

/// What the receipt says of an account that was made.
pub(super) fn made_lines(user: &str, uid: u32) -> Vec<String> {
    let mut lines = vec![format!("uid {uid}")];
    // Any user could make it before there was an account.
    let owner = std::fs::symlink_metadata(socket_dir(uid)).ok().map(|found| found.uid());
    let taken = owner.filter(|owner| ![0, uid].contains(owner));
    lines.extend(taken.map(|owner| taken_socket_dir(user, uid, owner)));
    lines
}

/// Finishes an account that useradd(8) made, or was making when the host went down. Returns its uid.
pub(super) fn finish(user: &str, home: &str) -> Result<u32, ChangeError> {
    let account = accounts::by_name(user)?;
    let uid = account.uid.as_raw();
    if uid == 0 {
        return Err(ChangeError::IsRoot);
    }
    if account.home != Path::new(home) {
        let expected = home.to_owned();
        return Err(ChangeError::OtherHome { home: account.home, expected });
    }
    let path = Path::new(home);
    let (Some(base), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(ChangeError::NotAHome(home.to_owned()));
    };
    let dir = Dir::open(base)?;
    if dir.stat(name)?.is_none() {
        // mkhomedir_helper(8) copies /etc/skel, and hands the home over at the end.
        retry_while_locked("mkhomedir_helper", &[user.to_owned(), "0077".to_owned()])?;
    }
    match dir.stat(name)? {
        Some(stat) if stat.st_uid == uid => Ok(uid),
        Some(stat) => {
            let home = home.to_owned();
            Err(ChangeError::HomeOwner { home, found: stat.st_uid, expected: uid })
        }
        None => Err(ChangeError::NoHome(home.to_owned())),
    }
}

/// Adds a user to a group.
pub(super) fn add_to_group(user: &str, group: &str) -> Result<(), ToolError> {
    let args = ["--add", user, group].map(str::to_owned);
    retry_while_locked("gpasswd", &args)
}

/// Runs a tool of the account databases, and retries while another program has them locked. Each try waits
/// for some 15 s by itself (lckpwdf(3)), and any user can suspend a passwd(1) that holds the lock: after
/// retrying failed once in a run, every tool is tried only once, so that the rest of the run is reached.
fn retry_while_locked(name: &str, args: &[String]) -> Result<(), ToolError> {
    let begun = Instant::now();
    loop {
        let Err(error) = tool::run(name, args, DEADLINE) else { return Ok(()) };
        let busy = is_busy(&error);
        if !busy || GAVE_UP.load(Ordering::Relaxed) || begun.elapsed() > RETRY_FOR {
            GAVE_UP.fetch_or(busy, Ordering::Relaxed);
            return Err(error);
        }
        clock::pause(Duration::from_millis(500));
    }
}

fn is_busy(error: &ToolError) -> bool {
    let ToolError::Ended { stderr, .. } = error else { return false };
    error.code() == Some(BUSY) && stderr.contains("lock")
}
