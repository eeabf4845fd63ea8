//! Accounts and memberships, through the tools that lock their databases.

use crate::provision::plan::Settings;
use crate::provision::state::written::{Made, Written};
use crate::sys::fs::trusted_path;
use crate::sys::process::tool::{self, ToolError};
use crate::sys::{Dir, accounts, clock};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_mins(1);
/// How long a database that another program has locked is tried for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Whether that was in vain before.
static GAVE_UP: AtomicBool = AtomicBool::new(false);
/// useradd(8), gpasswd(1): the databases could not be changed, since somebody else holds them.
const BUSY: i32 = 1;
/// The last uid of a person where login.defs(5) says nothing.
const UID_MAX: u32 = 60_000;

/// Remembers that an account is about to be made.
pub(super) fn note(written: &mut Written, user: &str, home: &str, shell: &str) {
    let made = Made { uid: None, home: home.to_owned(), shell: shell.to_owned() };
    written.accounts.insert(user.to_owned(), made);
}

/// Remembers the account.
pub(super) fn made(written: &mut Written, user: &str, uid: u32) {
    if let Some(made) = written.accounts.get_mut(user) {
        made.uid = Some(uid);
    }
    written.uids.insert(uid, user.to_owned());
}

/// Takes back [`note`] when nothing was made.
pub(super) fn forget(written: &mut Written, user: &str, before: Option<Made>) {
    if accounts::uid_of(user).ok().flatten().is_some() {
        return; // something was: the next run finishes it
    }
    match before {
        Some(made) => drop(written.accounts.insert(user.to_owned(), made)),
        None => drop(written.accounts.remove(user)),
    }
}

/// Makes an account with a home of its own (0700) and a locked password, where nothing is; gives
/// its uid, which nobody had before.
pub(super) fn make(
    user: &str,
    home: &str,
    shell: &str,
    written: &Written,
    settings: &Settings,
) -> Result<u32, String> {
    let base = Path::new(&settings.home_base);
    trusted_path::assert_roots_own(base).map_err(|error| error.to_string())?;
    let dir = Dir::open(base).map_err(|error| error.to_string())?;
    if dir.stat(user).map_err(|error| error.to_string())?.is_some() {
        return Err(format!("{home} has come to be there meanwhile"));
    }
    let mut args: Vec<String> =
        ["--create-home", "--home-dir", home, "--shell", shell].map(str::to_owned).to_vec();
    args.extend(["--user-group", "--key", "HOME_MODE=0700"].map(str::to_owned));
    if let Some(uid) = fresh_uid(written, settings.uid_min) {
        args.extend(["--uid".to_owned(), uid.to_string()]);
    }
    if let Some(first) = written.first_free_subid {
        for key in ["SUB_UID_MIN", "SUB_GID_MIN"] {
            args.extend(["--key".to_owned(), format!("{key}={first}")]);
        }
    }
    args.extend(["--".to_owned(), user.to_owned()]);
    patiently("useradd", &args)?;
    finish(user, home)
}

/// The uid after all that are and were given; `None` leaves it to useradd(8).
fn fresh_uid(written: &Written, uid_min: u32) -> Option<u32> {
    let people = uid_min..UID_MAX;
    let were = written.uids.keys().copied();
    let made = written.accounts.values().filter_map(|made| made.uid);
    let last = were.chain(made).filter(|uid| people.contains(uid)).max()?;
    // What is there now: useradd takes the one after the last, which may be one of the past.
    let free = |uid: &u32| accounts::name_of(*uid).is_ok_and(|name| name.is_none());
    (last + 1..UID_MAX).find(free)
}

/// Makes sure of an account that useradd(8) made, or was making when the host went down.
pub(super) fn finish(user: &str, home: &str) -> Result<u32, String> {
    let account = accounts::by_name(user).map_err(|error| error.to_string())?;
    let uid = account.uid.as_raw();
    if uid == 0 {
        return Err("it has become root".to_owned());
    }
    if account.home != Path::new(home) {
        return Err(format!("its home is {}, not {home}", account.home.display()));
    }
    let path = Path::new(home);
    let (Some(base), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(format!("{home}: not a home"));
    };
    let dir = Dir::open(base).map_err(|error| error.to_string())?;
    if dir.stat(name).map_err(|error| error.to_string())?.is_none() {
        // mkhomedir_helper(8) copies /etc/skel, and hands the home over at the end.
        patiently("mkhomedir_helper", &[user.to_owned(), "0077".to_owned()])?;
    }
    let stat = dir.stat(name).map_err(|error| error.to_string())?;
    match stat {
        Some(stat) if stat.st_uid == uid => Ok(uid),
        Some(stat) => Err(format!("{home} belongs to uid {}, not to {uid}", stat.st_uid)),
        None => Err(format!("{home} was not made")),
    }
}

/// Puts a user into a group.
pub(super) fn add_to_group(user: &str, group: &str) -> Result<(), String> {
    let args = ["--add", user, group].map(str::to_owned);
    patiently("gpasswd", &args)
}

/// Runs a tool of the account databases; while another program has them locked, again. Each try waits
/// for some 15 s by itself (lckpwdf(3)), and any user can stop a passwd(1) that holds them: whoever gave
/// up once in a run tries only once from then on, so that the rest of the run is reached.
fn patiently(name: &str, args: &[String]) -> Result<(), String> {
    let begun = Instant::now();
    loop {
        let Err(error) = tool::run(name, args, DEADLINE) else { return Ok(()) };
        let busy = is_busy(&error);
        if !busy || GAVE_UP.load(Ordering::Relaxed) || begun.elapsed() > PATIENCE {
            GAVE_UP.fetch_or(busy, Ordering::Relaxed);
            return Err(error.to_string());
        }
        clock::pause(Duration::from_millis(500));
    }
}

fn is_busy(error: &ToolError) -> bool {
    let ToolError::Ended { said, .. } = error else { return false };
    error.code() == Some(BUSY) && said.contains("lock")
}
