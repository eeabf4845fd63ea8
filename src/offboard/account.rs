//! The account itself: its login, groups and lingering, by the system's own tools.

use super::record::{Kept, Login};
use super::settings::Settings;
use crate::roster::groups::ROOT_EQUIVALENT;
use crate::sys::process::tool::{self, ToolError};
use crate::sys::{Dir, clock, fs};
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

/// No account database is larger (bytes).
const MAX: u64 = 64 << 20;
/// How long a tool may take.
const DEADLINE: Duration = Duration::from_mins(1);
/// How often a tool is asked again while another one holds the databases.
pub(super) const TRIES: u32 = 20;
const LINGER: &str = "/var/lib/systemd/linger";

/// A line of `/etc/passwd`.
pub(super) struct Account {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) home: String,
}

/// The local account; `None` when `/etc/passwd` has none.
pub(super) fn find(user: &str) -> Result<Option<Account>, String> {
    let text = read("/etc/passwd")?;
    let line = rows(&text).find(|fields| fields[0] == user);
    let Some(fields) = line else { return Ok(None) };
    let broken = || format!("/etc/passwd: the line of {user} does not parse");
    let [_, _, uid, gid, _, home, _] = fields[..] else { return Err(broken()) };
    let (uid, gid) = (uid.parse().map_err(|_| broken())?, gid.parse().map_err(|_| broken())?);
    Ok(Some(Account { uid, gid, home: home.to_owned() }))
}

/// The account of a record, which must still be the same one.
pub(super) fn same(user: &str, uid: u32) -> Result<Account, String> {
    let account = find(user)?.ok_or_else(|| format!("/etc/passwd has no {user}"))?;
    if account.uid != uid {
        return Err(format!("{user} has uid {} now, and was cut with {uid}", account.uid));
    }
    Ok(account)
}

/// The ranges of `/etc/subuid` that are this user's alone. One that overlaps another's range, or
/// has an account in it, is nobody's.
pub(super) fn subuids(user: &str, uid: u32) -> Result<Vec<(u32, u32)>, String> {
    let text = match fs::read(Path::new("/etc/subuid"), MAX) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.is_not_found() => return Ok(Vec::new()),
        Err(error) => return Err(error.to_string()),
    };
    let passwd = read("/etc/passwd")?;
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

/// Locks the password and lets the account expire: keys, timers and cron end with it. While somebody
/// holds the databases it is tried again so often.
pub(super) fn lock(kept: &mut Kept, tries: u32) -> Result<Vec<String>, String> {
    let user = kept.record.user.clone();
    same(&user, kept.record.uid)?;
    if kept.record.login.is_none() {
        kept.record.login = Some(login(&user)?);
        kept.save()?;
    }
    if login(&user)?.is_cut() {
        return Ok(vec![format!("login of {user}: locked and expired already")]);
    }
    change_within("usermod", &["--lock", "--expiredate", "1", &user], tries)?;
    let now = login(&user)?;
    if !now.is_cut() {
        return Err(format!("usermod ended well, and {user} is still open"));
    }
    Ok(vec![format!("login of {user}: locked and expired")])
}

/// Puts the login back as it was.
pub(super) fn unlock(kept: &Kept) -> Result<Vec<String>, String> {
    let Some(was) = &kept.record.login else { return Ok(Vec::new()) };
    let user = kept.record.user.as_str();
    same(user, kept.record.uid)?;
    if login(user)?.expires != was.expires {
        change("usermod", &["--expiredate", &was.expires, user])?;
    }
    let now = login(user)?;
    if was.empty && !now.empty {
        change("usermod", &["--password", "", user])?;
    } else if !was.locked && now.locked {
        change("usermod", &["--unlock", user])?;
    }
    let state = if was.locked { "locked as before" } else { "open as before" };
    Ok(vec![format!("login of {user}: {state}")])
}

/// The groups to be taken out of, and those that stay though they make root: primary ones.
pub(super) fn groups_to_leave(
    user: &str,
    gid: u32,
    settings: &Settings,
) -> Result<(Vec<String>, Vec<String>), String> {
    let text = read("/etc/group")?;
    let (mut leave, mut stay) = (Vec::new(), Vec::new());
    for fields in rows(&text) {
        let [name, _, number, members] = fields[..] else { continue };
        let root = ROOT_EQUIVALENT.contains(&name) || number == "0";
        let ours =
            settings.added_groups.contains(name) || settings.t3_group.as_deref() == Some(name);
        if (root || ours) && members.split(',').any(|member| member.trim() == user) {
            leave.push(name.to_owned());
        }
        if root && number.parse() == Ok(gid) {
            stay.push(name.to_owned());
        }
    }
    Ok((leave, stay))
}

/// Takes the user out of groups that let in, or make root.
pub(super) fn leave_groups(kept: &mut Kept, settings: &Settings) -> Result<Vec<String>, String> {
    let user = kept.record.user.clone();
    let account = same(&user, kept.record.uid)?;
    let (leave, stay) = groups_to_leave(&user, account.gid, settings)?;
    if !leave.is_empty() {
        kept.record.groups.extend(leave.iter().cloned());
        kept.save()?;
    }
    let mut lines = Vec::new();
    for group in &leave {
        change("gpasswd", &["--delete", &user, group])?;
        lines.push(format!("group {group}: {user} taken out"));
    }
    let is = |group| format!("group {group}: is the primary group of {user}, who stays in it");
    lines.extend(stay.iter().map(is));
    Ok(lines)
}

/// Puts the user back.
pub(super) fn join_groups(kept: &Kept) -> Result<Vec<String>, String> {
    let user = kept.record.user.as_str();
    let text = read("/etc/group")?;
    let mut lines = Vec::new();
    for group in &kept.record.groups {
        let Some(fields) = rows(&text).find(|fields| fields[0] == group) else {
            lines.push(format!("group {group}: is gone, {user} was in it"));
            continue;
        };
        let members = fields.get(3).copied().unwrap_or_default();
        if !members.split(',').any(|member| member.trim() == user) {
            change("gpasswd", &["--add", user, group])?;
        }
        lines.push(format!("group {group}: {user} is in it again"));
    }
    Ok(lines)
}

/// Whether there is a group of this name that nobody is in.
pub(super) fn is_empty_group(name: &str) -> Result<bool, String> {
    let (group, passwd) = (read("/etc/group")?, read("/etc/passwd")?);
    let Some(fields) = rows(&group).find(|fields| fields[0] == name) else { return Ok(false) };
    let [_, _, gid, members] = fields[..] else { return Ok(false) };
    Ok(members.trim().is_empty() && !rows(&passwd).any(|fields| fields.get(3) == Some(&gid)))
}

/// Ends what lets the user's services run without a session.
pub(super) fn end_linger(kept: &mut Kept) -> Result<Vec<String>, String> {
    let user = kept.record.user.clone();
    let lingers = lingers(&user)?;
    if kept.record.linger.is_none() {
        kept.record.linger = Some(lingers);
        kept.save()?;
    }
    if !lingers {
        return Ok(vec![format!("linger of {user}: off already")]);
    }
    if tool::systemd_runs() {
        // Its file decides, and goes below where logind does not answer.
        let _ = tool::run("loginctl", ["disable-linger", &user], DEADLINE);
    }
    Dir::open(Path::new(LINGER)).and_then(|dir| dir.remove(&user)).map_err(String::from)?;
    Ok(vec![format!("linger of {user}: off")])
}

/// Puts it back as it was.
pub(super) fn restore_linger(kept: &Kept) -> Result<Vec<String>, String> {
    let user = kept.record.user.as_str();
    if kept.record.linger != Some(true) || lingers(user)? {
        return Ok(Vec::new());
    }
    tool::run("loginctl", ["enable-linger", user], DEADLINE).map_err(|error| error.to_string())?;
    Ok(vec![format!("linger of {user}: on as before")])
}

fn lingers(user: &str) -> Result<bool, String> {
    match Dir::open(Path::new(LINGER)) {
        Ok(dir) => Ok(dir.stat(user).map_err(String::from)?.is_some()),
        Err(error) if error.is_not_found() => Ok(false),
        Err(error) => Err(error.to_string()),
    }
}

impl Login {
    /// Whether nobody gets in, by any way that asks for the account.
    fn is_cut(&self) -> bool {
        self.locked && self.expires == "1"
    }
}

fn login(user: &str) -> Result<Login, String> {
    let text = read("/etc/shadow")?;
    let fields = rows(&text).find(|fields| fields[0] == user);
    let fields = fields.ok_or_else(|| format!("/etc/shadow has no {user}"))?;
    let [_, password, _, _, _, _, _, expires, ..] = fields[..] else {
        return Err(format!("/etc/shadow: the line of {user} does not parse"));
    };
    let (locked, empty) = (password.starts_with('!'), password.is_empty());
    Ok(Login { locked, empty, expires: expires.to_owned() })
}

/// Runs a tool that changes an account, again while somebody else holds the databases.
pub(super) fn change(tool: &str, args: &[&str]) -> Result<(), String> {
    change_within(tool, args, TRIES)
}

fn change_within(tool: &str, args: &[&str], mut tries: u32) -> Result<(), String> {
    loop {
        match tool::run(tool, args, DEADLINE) {
            Ok(_) => return Ok(()),
            Err(error) if tries > 0 && is_busy(&error) => {
                tries -= 1;
                clock::pause(Duration::from_millis(250));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

/// Whether asking again may help: shadow's tools say that they cannot lock; a full table of
/// processes empties when those of the user are ended.
fn is_busy(error: &ToolError) -> bool {
    match error {
        ToolError::Ended { said, .. } => said.contains("cannot lock"),
        ToolError::Exec(error) => error.to_string().contains("temporarily unavailable"),
    }
}

fn read(path: &str) -> Result<String, String> {
    let bytes = fs::read(Path::new(path), MAX).map_err(String::from)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().map(|line| line.split(':').collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_somebodys_only_when_nobody_else_is_in_it() {
        let text = "ann:100000:65536\nbob:165536:65536\n1001:300000:10\nann:400000:10\n\
                    carol:400005:10\nann:0:10\nann:4294967295:2\nann:x:1\nann:500000:0\n\
                    ann:600000:10\n";
        let own = own_ranges(text, &["ann", "1001"], &[600_003]);
        assert_eq!(own, [(100_000, 165_535), (300_000, 300_009)]);
        assert_eq!(own_ranges(text, &["bob", "7"], &[]), [(165_536, 231_071)]);
    }
}
