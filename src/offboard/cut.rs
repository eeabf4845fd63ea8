//! The cut: nobody gets in as the user, and nothing runs as the user. It deletes nothing, and
//! `uncut` undoes all of it.

use super::record::{self, Kept, Stage};
use super::settings::{Settings, argv_for};
use super::work::{Notes, Silent, Work};
use super::{Who, account, jobs, last_save, processes, units};
use crate::sys::Dir;
use crate::sys::fs::{self, trusted_path};
use crate::sys::process::tool;
use std::path::Path;
use std::time::Duration;

/// How long the configured command may take.
const CLUSTER_DEADLINE: Duration = Duration::from_mins(2);
/// How often processes are ended for the login to be locked.
const ROUNDS: u32 = 3;

/// Cuts a user off. `state` is `/var/lib/terminal-lobby`, whose run lock the caller holds. What is
/// cut already stays as it is; what an earlier try left open is done. Gives lines for the receipt.
///
/// # Errors
/// Which steps failed, and which were done: one that fails does not stop the others.
pub fn cut(
    state: &Dir,
    who: &Who,
    settings: &Settings,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<String>, String> {
    cut_telling(state, who, settings, &mut Silent(progress))
}

/// As [`cut`], telling of each step before and after it.
pub fn cut_telling(
    state: &Dir,
    who: &Who,
    settings: &Settings,
    notes: &mut dyn Notes,
) -> Result<Vec<String>, String> {
    let mut kept = begin(state, who)?;
    let mut work = Work::new(&who.user, notes);
    let user = &who.user;
    if kept.record.stage != Stage::Cut || !kept.record.saved {
        work.step("save", &format!("save the sessions of {user}"), || last_save::save(&mut kept));
    }
    work.step("kill", &format!("kill the processes of {user}"), || processes::thin(&kept));
    work.step("lock", &format!("lock the login of {user}"), || lock(&mut kept));
    work.step("linger", &format!("end the lingering of {user}"), || account::end_linger(&mut kept));
    work.step("units", &format!("mask the units of {user}"), || units::close(&mut kept));
    work.step("jobs", &format!("move the crontab and at jobs of {user} away"), || {
        let files = jobs::scheduled(user, kept.record.uid)?;
        jobs::take(&mut kept, &files)
    });
    work.step("tokens", &format!("move the service environments of {user} away"), || {
        jobs::take(&mut kept, &jobs::environments(user)?)
    });
    work.step("groups", &format!("take {user} out of groups"), || {
        account::leave_groups(&mut kept, settings)
    });
    work.step("processes", &format!("end the processes of {user}"), || processes::end(&kept));
    work.step("cluster", &format!("revoke the cluster access of {user}"), || {
        revoke(&mut kept, settings)
    });
    // A job that cron or at had begun, a login that was under way: what came in while it was open.
    work.step("again", &format!("look once more for jobs and processes of {user}"), || {
        let files = jobs::present(user, kept.record.uid)?;
        let mut lines = jobs::take(&mut kept, &files)?;
        lines.extend(processes::end(&kept)?);
        Ok(lines)
    });
    if work.is_well() {
        kept.record.stage = Stage::Cut;
        work.step("record", &format!("put the cut of {user} on record"), || {
            kept.save().map(|()| Vec::new())
        });
    }
    work.end()
}

/// What a cut would do now, as lines.
///
/// # Errors
/// When it would be refused, or the host cannot be looked at.
pub fn preview(state: &Dir, who: &Who, settings: &Settings) -> Result<Vec<String>, String> {
    let user = &who.user;
    let (uid, _, gid) = may_be_cut(state, who)?;
    let mut lines = vec![
        format!("save the sessions of {user} a last time"),
        format!("lock the password of {user}, and let the account expire"),
        format!("end the lingering of {user}"),
    ];
    lines.extend(units::present(user, uid)?.keys().map(|unit| format!("stop and mask {unit}")));
    lines.extend(jobs::present(user, uid)?.iter().map(|file| format!("move {file} away")));
    let (leave, _) = account::groups_to_leave(user, gid, settings)?;
    lines.extend(leave.iter().map(|group| format!("take {user} out of group {group}")));
    let ranges = account::subuids(user, uid)?.iter().map(|(first, last)| *first..=*last).collect();
    let running = processes::seen(&crate::sys::process::signal_all::Theirs { uid, ranges })?;
    lines.push(format!("end {} processes", running.len()));
    lines.push(match &settings.revoke_cluster {
        Some(argv) if !who.k8s_user.is_empty() => {
            format!("run {}", argv_for(argv, &who.k8s_user).join(" "))
        }
        _ => format!("leave the cluster access of {} to a person", named(&who.k8s_user)),
    });
    Ok(lines)
}

/// The record to go on with: that of an earlier try, or a new one.
fn begin(state: &Dir, who: &Who) -> Result<Kept, String> {
    let (uid, home, _) = may_be_cut(state, who)?;
    if let Some(mut kept) = Kept::load(state, &who.user)? {
        if kept.record.uid != uid {
            let then = kept.record.uid;
            return Err(format!("{} has uid {uid} now, and was cut with {then}", who.user));
        }
        if kept.record.stage == Stage::Removing {
            return Err(format!("{} is being removed", who.user));
        }
        if kept.record.stage == Stage::Undoing {
            kept.record.stage = Stage::Cutting;
            kept.record.cluster_revoked = false;
            kept.save()?;
        }
        return Ok(kept);
    }
    let subuids = account::subuids(&who.user, uid)?;
    let kept = Kept::new(state, record::begin(who, (uid, home), subuids));
    let kept = kept.map_err(|error| error.to_string())?;
    kept.save()?;
    Ok(kept)
}

/// The uid, the home and the group of one who may be cut.
fn may_be_cut(state: &Dir, who: &Who) -> Result<(u32, String, u32), String> {
    let user = &who.user;
    if !crate::identity::is_user_name(user) || user == "root" {
        return Err(format!("'{}' is no user who can be cut", user.escape_debug()));
    }
    let account = account::find(user)?.ok_or_else(|| format!("/etc/passwd has no user {user}"))?;
    let defs = fs::read(Path::new("/etc/login.defs"), 1 << 20).unwrap_or_default();
    let least = crate::roster::uid_min(&String::from_utf8_lossy(&defs));
    if account.uid < least.max(1) {
        return Err(format!("{user} is a system account: uid {} is below {least}", account.uid));
    }
    let record = Kept::load(state, user)?;
    let theirs = match &record {
        Some(kept) => processes::theirs(&kept.record),
        None => crate::sys::process::signal_all::Theirs { uid: account.uid, ranges: Vec::new() },
    };
    if processes::would_end_us(&theirs) {
        return Err(format!("this command runs in a session of {user}, which it would end"));
    }
    Ok((account.uid, account.home, account.gid))
}

/// A passwd(1) of theirs holds the databases for as long as they like, and who is back before the login
/// is locked may have started another: so what runs is ended once more, and then it is locked.
fn lock(kept: &mut Kept) -> Result<Vec<String>, String> {
    let mut tried = account::lock(kept, 0);
    for _ in 0..ROUNDS {
        if tried.is_ok() {
            return tried;
        }
        processes::end(kept)?;
        tried = account::lock(kept, 0);
    }
    // Held by somebody else, then.
    tried.or_else(|_| account::lock(kept, account::TRIES))
}

fn revoke(kept: &mut Kept, settings: &Settings) -> Result<Vec<String>, String> {
    let k8s_user = kept.record.k8s_user.clone();
    let Some(argv) = &settings.revoke_cluster else { return Ok(vec![to_a_person(&k8s_user)]) };
    if k8s_user.is_empty() {
        return Ok(vec![to_a_person(&k8s_user)]);
    }
    if kept.record.cluster_revoked {
        return Ok(vec![format!("cluster access of {k8s_user}: revoked already")]);
    }
    run(argv, &k8s_user)?;
    kept.record.cluster_revoked = true;
    kept.save()?;
    Ok(vec![format!("cluster access of {k8s_user}: revoked")])
}

/// Runs a configured command of the cluster's.
pub(super) fn run(argv: &[String], k8s_user: &str) -> Result<(), String> {
    let argv = argv_for(argv, k8s_user);
    let (program, rest) = argv.split_first().ok_or("no command is configured")?;
    trusted_path::assert_roots_own(Path::new(program)).map_err(|error| error.to_string())?;
    tool::run(program, rest, CLUSTER_DEADLINE).map(drop).map_err(|error| error.to_string())
}

fn named(k8s_user: &str) -> &str {
    if k8s_user.is_empty() { "the user (no name on record)" } else { k8s_user }
}

fn to_a_person(k8s_user: &str) -> String {
    let name = named(k8s_user);
    format!("cluster access of {name}: left to a person, as no command is configured or known")
}
