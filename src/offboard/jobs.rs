//! What would still run, or could be read, in the user's name: the crontab, at jobs and the
//! environments of services. They are moved where only root reaches them, and back.

use super::record::Kept;
use crate::sys::Dir;
use crate::sys::process::tool;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

const CRONTABS: &str = "/var/spool/cron/crontabs";
const AT_JOBS: &str = "/var/spool/cron/atjobs";
const SERVICES: &str = "/etc/t3-serve";
/// Nothing larger is copied to another file system (bytes).
const MAX: u64 = 16 << 20;
/// More jobs than these are left, and that is said.
const MOST: usize = 100_000;
/// No more of them are told one by one.
const MOST_LINES: usize = 100;

/// The files that are there now.
pub(super) fn present(user: &str, uid: u32) -> Result<Vec<String>, String> {
    let mut files = environments(user)?;
    files.extend(scheduled(user, uid)?);
    Ok(files)
}

/// Environments of services, with their tokens.
pub(super) fn environments(user: &str) -> Result<Vec<String>, String> {
    let names = [format!("{user}.env"), format!("playwright-{user}.env")];
    let mut found = Vec::new();
    if let Some(dir) = open(SERVICES)? {
        for name in names {
            if dir.stat(&name).map_err(String::from)?.is_some() {
                found.push(format!("{SERVICES}/{name}"));
            }
        }
    }
    Ok(found)
}

/// The crontab and at jobs.
pub(super) fn scheduled(user: &str, uid: u32) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    if let Some(dir) = open(CRONTABS)?
        && dir.stat(user).map_err(String::from)?.is_some()
    {
        found.push(format!("{CRONTABS}/{user}"));
    }
    if let Some(dir) = open(AT_JOBS)? {
        let names = dir.names(MOST).map_err(String::from)?;
        for name in names.ok_or_else(|| format!("{AT_JOBS}: more than {MOST} jobs"))? {
            let Some(name) = name.to_str() else { continue };
            let theirs =
                dir.stat(name).map_err(String::from)?.is_some_and(|stat| stat.st_uid == uid);
            if theirs && !name.starts_with('.') {
                found.push(format!("{AT_JOBS}/{name}"));
            }
        }
    }
    Ok(found)
}

/// Moves files away. Those on record from an earlier try keep their names.
pub(super) fn take(kept: &mut Kept, files: &[String]) -> Result<Vec<String>, String> {
    let away = kept.files()?;
    let (mut lines, mut failed, mut chosen) = (Vec::new(), Vec::new(), Vec::new());
    for path in files {
        let (parent, name) = split(path)?;
        let mut number = 0;
        let to = name_for(kept, path, name, &mut number)?;
        kept.record.files.insert(to.clone(), path.clone());
        chosen.push((path, parent, name, to, number));
    }
    // Once for all of them: there may be as many as somebody likes.
    if !chosen.is_empty() {
        kept.save()?;
    }
    for (path, parent, name, mut to, mut number) in chosen {
        let moved = loop {
            let dir = Dir::open(Path::new(parent));
            match dir.and_then(|dir| dir.move_across(name, &away, &to, MAX)) {
                // Another one of that name was moved away before.
                Err(error) if error.source.kind() == ErrorKind::AlreadyExists => {
                    to = name_for(kept, path, name, &mut number)?;
                    kept.record.files.insert(to.clone(), path.clone());
                    kept.save()?;
                }
                moved => break moved,
            }
        };
        match moved {
            Ok(()) => lines.push(format!("{path}: moved away")),
            Err(error) if error.is_not_found() => {}
            Err(error) => failed.push(error.to_string()),
        }
    }
    if lines.len() > MOST_LINES {
        let more = lines.len() - MOST_LINES;
        lines.truncate(MOST_LINES);
        lines.push(format!("{more} more files: moved away"));
    }
    if failed.len() > MOST_LINES {
        let more = failed.len() - MOST_LINES;
        failed.truncate(MOST_LINES);
        failed.push(format!("{more} more"));
    }
    if failed.is_empty() { Ok(lines) } else { Err(failed.join("; ")) }
}

/// The next name below the directory that is on record for this path, or for none.
fn name_for(kept: &Kept, path: &str, name: &str, next: &mut usize) -> Result<String, String> {
    for number in *next..MOST {
        *next = number + 1;
        let candidate = format!("{number}-{name}");
        let other = kept.record.files.get(&candidate).is_some_and(|from| from != path);
        if !other {
            return Ok(candidate);
        }
    }
    Err(format!("{path}: moved away too often"))
}

/// Puts all of them back. What is in the way stays, and is named.
pub(super) fn give_back(kept: &Kept) -> Result<Vec<String>, String> {
    if kept.record.files.is_empty() {
        return Ok(Vec::new());
    }
    let away = kept.files()?;
    let (mut lines, mut failed, mut at) = (Vec::new(), Vec::new(), false);
    for (name, path) in &kept.record.files {
        if away.stat(name).map_err(String::from)?.is_none() {
            continue; // a killed try put it back, or never took it
        }
        let (parent, to) = split(path)?;
        match Dir::open(Path::new(parent)).and_then(|dir| away.move_across(name, &dir, to, MAX)) {
            Ok(()) => lines.push(format!("{path}: put back")),
            Err(error) if error.source.kind() == ErrorKind::AlreadyExists => {
                let kept = away.path().join(name);
                lines.push(format!(
                    "{path}: is there again, so the old one stays at {}",
                    kept.display()
                ));
            }
            Err(error) => failed.push(error.to_string()),
        }
        at |= parent == AT_JOBS;
    }
    if at && tool::systemd_runs() {
        // The daemon looks again within the hour without it.
        let _ = tool::run(
            "systemctl",
            ["kill", "--signal=HUP", "atd.service"],
            Duration::from_secs(20),
        );
    }
    if failed.is_empty() { Ok(lines) } else { Err(failed.join("; ")) }
}

fn open(path: &str) -> Result<Option<Dir>, String> {
    match Dir::open(Path::new(path)) {
        Ok(dir) => Ok(Some(dir)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

fn split(path: &str) -> Result<(&str, &str), String> {
    let known = [CRONTABS, AT_JOBS, SERVICES];
    match path.rsplit_once('/') {
        Some((parent, name)) if known.contains(&parent) && !name.is_empty() => Ok((parent, name)),
        _ => Err(format!("{}: not a place of such files", path.escape_debug())),
    }
}
