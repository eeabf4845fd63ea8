//! The account itself: its login, groups and lingering, changed with the system's own tools.

use super::error::{AccountError, OffboardError};
use super::record::{CutRecordFile, Login};
use super::step_runner::StepResult;
use crate::roster::groups::ROOT_EQUIVALENT;
use crate::sys::process::exec::ExecError;
use crate::sys::process::tool::{self, ToolError};
use crate::sys::{Dir, FileError, clock, fs};
use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

/// Maximum size of an account database, in bytes.
const MAX_SIZE: u64 = 64 << 20;
/// How long a tool may take.
const DEADLINE: Duration = Duration::from_mins(1);
/// How often a tool is run again while another program holds the databases.
pub(super) const RETRIES: u32 = 20;
const LINGER: &str = "/var/lib/systemd/linger";
pub(super) const PASSWD: &str = "/etc/passwd";
const SHADOW: &str = "/etc/shadow";
const GROUP: &str = "/etc/group";

/// A line of `/etc/passwd`.
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) home: String,
}

/// The local account; `None` when `/etc/passwd` has none.
pub(super) fn find(user: &str) -> Result<Option<Account>, OffboardError> {
    let text = read(PASSWD)?;
    let line = rows(&text).find(|fields| fields[0] == user);
    let Some(fields) = line else { return Ok(None) };
    let invalid = || AccountError::InvalidLine { database: PASSWD, user: user.to_owned() };
    let [_, _, uid, gid, _, home, _] = fields[..] else { return Err(invalid().into()) };
    let (uid, gid) = (uid.parse().map_err(|_| invalid())?, gid.parse().map_err(|_| invalid())?);
    Ok(Some(Account { uid, gid, home: home.to_owned() }))
}

/// As [`find`], of an account that must exist.
pub(super) fn existing(user: &str) -> Result<Account, OffboardError> {
    let missing = || AccountError::Missing { database: PASSWD, user: user.to_owned() };
    Ok(find(user)?.ok_or_else(missing)?)
}

/// The account of a record, which must still have the recorded uid.
pub(super) fn recorded(user: &str, recorded: u32) -> Result<Account, OffboardError> {
    let account = existing(user)?;
    let (user, uid) = (user.to_owned(), account.uid);
    if uid == recorded {
        Ok(account)
    } else {
        Err(AccountError::OtherUid { user, uid, recorded }.into())
    }
}

/// The ranges of `/etc/subuid` that are this user's alone, as first and last uid. A range that
/// overlaps another user's, or contains the uid of an account, is not.
pub(super) fn subuids(user: &str, uid: u32) -> Result<Vec<(u32, u32)>, FileError> {
    let text = match fs::read(Path::new("/etc/subuid"), MAX_SIZE) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let passwd = read(PASSWD)?;
    let accounts: Vec<u32> =
        rows(&passwd).filter_map(|fields| fields.get(2)?.parse().ok()).collect();
    Ok(own_ranges(&text, &[user, &uid.to_string()], &accounts))
}

fn own_ranges(text: &str, owners: &[&str], accounts: &[u32]) -> Vec<(u32, u32)> {
    let ranges: Vec<(bool, RangeInclusive<u32>)> = rows(text)
        .filter_map(|fields| {
            let [owner, first, count] = fields[..] else { return None };
            let (first, count): (u32, u32) = (first.parse().ok()?, count.parse().ok()?);
            let last = first.checked_add(count.checked_sub(1)?)?;
            (first > 0).then(|| (owners.contains(&owner), first..=last))
        })
        .collect();
    let overlap = |a: &RangeInclusive<u32>, b: &RangeInclusive<u32>| {
        a.start() <= b.end() && b.start() <= a.end()
    };
    let alone = |range: &RangeInclusive<u32>| {
        !ranges.iter().any(|(own, other)| !own && overlap(range, other))
            && !accounts.iter().any(|uid| range.contains(uid))
    };
    let own = ranges.iter().filter(|(own, range)| *own && alone(range));
    own.map(|(_, range)| (*range.start(), *range.end())).collect()
}

/// Locks the password and lets the account expire, which stops keys, timers and cron too. While
/// another program holds the databases, it retries at most this often.
pub(super) fn lock(file: &mut CutRecordFile, retries: u32) -> StepResult {
    let user = file.record.user.clone();
    recorded(&user, file.record.uid)?;
    if file.record.login.is_none() {
        file.record.login = Some(login(&user)?);
        file.save()?;
    }
    if login(&user)?.is_cut() {
        return Ok(vec![format!("login of {user}: already locked and expired")]);
    }
    run_tool_retrying("usermod", &["--lock", "--expiredate", "1", &user], retries)?;
    if !login(&user)?.is_cut() {
        return Err(AccountError::NotLocked { user }.into());
    }
    Ok(vec![format!("login of {user}: locked and expired")])
}

/// Restores the login as it was.
pub(super) fn unlock(file: &CutRecordFile) -> StepResult {
    let Some(was) = &file.record.login else { return Ok(Vec::new()) };
    let user = file.record.user.as_str();
    recorded(user, file.record.uid)?;
    if login(user)?.expires != was.expires {
        run_tool("usermod", &["--expiredate", &was.expires, user])?;
    }
    let now = login(user)?;
    if was.empty && !now.empty {
        run_tool("usermod", &["--password", "", user])?;
    } else if !was.locked && now.locked {
        run_tool("usermod", &["--unlock", user])?;
    }
    let state = if was.locked { "locked as before" } else { "open as before" };
    Ok(vec![format!("login of {user}: {state}")])
}

/// The groups to remove a user with this primary group from, and primary groups that make their
/// members root, which the user stays in. `granted` are groups that gave access besides.
pub(super) fn groups_to_leave(
    user: &str,
    gid: u32,
    granted: &BTreeSet<String>,
) -> Result<(Vec<String>, Vec<String>), FileError> {
    let text = read(GROUP)?;
    let (mut leave, mut stay) = (Vec::new(), Vec::new());
    for fields in rows(&text) {
        let [name, _, number, members] = fields[..] else { continue };
        let root = ROOT_EQUIVALENT.contains(&name) || number == "0";
        if (root || granted.contains(name))
            && members.split(',').any(|member| member.trim() == user)
            && !leave.iter().any(|other| other == name)
        {
            leave.push(name.to_owned());
        }
        if root && number.parse() == Ok(gid) {
            stay.push(name.to_owned());
        }
    }
    Ok((leave, stay))
}

/// Removes the user from groups that give access, or make their members root.
pub(super) fn leave_groups(file: &mut CutRecordFile, granted: &BTreeSet<String>) -> StepResult {
    let user = file.record.user.clone();
    let account = recorded(&user, file.record.uid)?;
    let (leave, stay) = groups_to_leave(&user, account.gid, granted)?;
    if !leave.is_empty() {
        file.record.groups.extend(leave.iter().cloned());
        file.save()?;
    }
    let mut done = Vec::new();
    for group in &leave {
        let left = run_tool("gpasswd", &["--delete", &user, group]);
        let lines = lines_with(&user, group)?;
        if lines.named > 1 && lines.member > 0 {
            return Err(AccountError::StillMember { user, group: group.clone() }.into());
        }
        left?;
        done.push(format!("group {group}: {user} removed"));
    }
    let stays = |group| format!("group {group}: {user} stays in it, as it is the primary group");
    done.extend(stay.iter().map(stays));
    Ok(done)
}

/// The lines of a group.
struct GroupLines {
    /// How many there are: gpasswd(1) changes the first one only.
    named: usize,
    /// How many of them have the user as a member.
    member: usize,
}

fn lines_with(user: &str, group: &str) -> Result<GroupLines, FileError> {
    let text = read(GROUP)?;
    let lines: Vec<Vec<&str>> = rows(&text).filter(|fields| fields[0] == group).collect();
    let has = |fields: &&Vec<&str>| {
        let members = fields.get(3).copied().unwrap_or_default();
        members.split(',').any(|member| member.trim() == user)
    };
    Ok(GroupLines { named: lines.len(), member: lines.iter().filter(has).count() })
}

/// Adds the user to the recorded groups again.
pub(super) fn join_groups(file: &CutRecordFile) -> StepResult {
    let user = file.record.user.as_str();
    let text = read(GROUP)?;
    let mut lines = Vec::new();
    for group in &file.record.groups {
        let Some(fields) = rows(&text).find(|fields| fields[0] == group) else {
            lines.push(format!("group {group}: no longer exists; {user} was in it"));
            continue;
        };
        let members = fields.get(3).copied().unwrap_or_default();
        if !members.split(',').any(|member| member.trim() == user) {
            run_tool("gpasswd", &["--add", user, group])?;
        }
        lines.push(format!("group {group}: {user} added again"));
    }
    Ok(lines)
}

/// Whether a group of this name exists and has no members.
pub(super) fn is_empty_group(name: &str) -> Result<bool, FileError> {
    let (group, passwd) = (read(GROUP)?, read(PASSWD)?);
    let Some(fields) = rows(&group).find(|fields| fields[0] == name) else { return Ok(false) };
    let [_, _, gid, members] = fields[..] else { return Ok(false) };
    Ok(members.trim().is_empty() && !rows(&passwd).any(|fields| fields.get(3) == Some(&gid)))
}

/// Ends lingering, which lets the user's services run without a session.
pub(super) fn end_linger(file: &mut CutRecordFile) -> StepResult {
    let user = file.record.user.clone();
    let lingers = lingers(&user)?;
    if file.record.linger.is_none() {
        file.record.linger = Some(lingers);
        file.save()?;
    }
    if !lingers {
        return Ok(vec![format!("lingering of {user}: already off")]);
    }
    if tool::systemd_runs() {
        // If logind does not answer, removing its file below is enough.
        let _ = tool::run("loginctl", ["disable-linger", &user], DEADLINE);
    }
    Dir::open(Path::new(LINGER)).and_then(|dir| dir.remove(&user))?;
    Ok(vec![format!("lingering of {user}: off")])
}

/// Restores lingering as it was.
pub(super) fn restore_linger(file: &CutRecordFile) -> StepResult {
    let user = file.record.user.as_str();
    if file.record.linger != Some(true) || lingers(user)? {
        return Ok(Vec::new());
    }
    tool::run("loginctl", ["enable-linger", user], DEADLINE)?;
    Ok(vec![format!("lingering of {user}: on as before")])
}

fn lingers(user: &str) -> Result<bool, FileError> {
    match Dir::open(Path::new(LINGER)) {
        Ok(dir) => Ok(dir.stat(user)?.is_some()),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error),
    }
}

impl Login {
    /// Whether every login that asks for the account is refused.
    fn is_cut(&self) -> bool {
        self.locked && self.expires == "1"
    }
}

fn login(user: &str) -> Result<Login, OffboardError> {
    let text = read(SHADOW)?;
    let (database, user) = (SHADOW, user.to_owned());
    let Some(fields) = rows(&text).find(|fields| fields[0] == user) else {
        return Err(AccountError::Missing { database, user }.into());
    };
    let [_, password, _, _, _, _, _, expires, ..] = fields[..] else {
        return Err(AccountError::InvalidLine { database, user }.into());
    };
    let (locked, empty) = (password.starts_with('!'), password.is_empty());
    Ok(Login { locked, empty, expires: expires.to_owned() })
}

/// Runs a tool that changes an account, again while another program holds the databases.
pub(super) fn run_tool(tool: &str, args: &[&str]) -> Result<(), ToolError> {
    run_tool_retrying(tool, args, RETRIES)
}

fn run_tool_retrying(tool: &str, args: &[&str], mut retries: u32) -> Result<(), ToolError> {
    loop {
        match tool::run(tool, args, DEADLINE) {
            Ok(_) => return Ok(()),
            Err(error) if retries > 0 && is_busy(&error) => {
                retries -= 1;
                clock::pause(Duration::from_millis(250));
            }
            Err(error) => return Err(error),
        }
    }
}

/// Whether a retry may help: the shadow tools print that they cannot lock; a full process table
/// empties when the user's processes are killed.
fn is_busy(error: &ToolError) -> bool {
    match error {
        ToolError::Ended { stderr, .. } => stderr.contains("cannot lock"),
        ToolError::Exec(ExecError::Start { source, .. }) => source.kind() == ErrorKind::WouldBlock,
        ToolError::Exec(_) => false,
    }
}

pub(super) fn read(path: &str) -> Result<String, FileError> {
    let bytes = fs::read(Path::new(path), MAX_SIZE)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

pub(super) fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().map(|line| line.split(':').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_a_users_own_only_if_no_other_user_or_account_is_in_it() {
        let text = "ann:100000:65536\nbob:165536:65536\n1001:300000:10\nann:400000:10\n\
                    carol:400005:10\nann:0:10\nann:4294967295:2\nann:x:1\nann:500000:0\n\
                    ann:600000:10\n";
        let own = own_ranges(text, &["ann", "1001"], &[600_003]);
        assert_eq!(own, [(100_000, 165_535), (300_000, 300_009)]);
        assert_eq!(own_ranges(text, &["bob", "7"], &[]), [(165_536, 231_071)]);
    }
}
