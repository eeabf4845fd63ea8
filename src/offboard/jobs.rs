//! The user's crontab, at jobs and service environments, which would still run or could be read:
//! moved to where only root reaches them, and back.

use super::error::OffboardError;
use super::record::CutRecordFile;
use super::step_runner::StepResult;
use crate::sys::process::tool;
use crate::sys::{Dir, FileError};
use crate::text::shown;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

const CRONTABS: &str = "/var/spool/cron/crontabs";
const AT_JOBS: &str = "/var/spool/cron/atjobs";
const SERVICES: &str = "/etc/t3-serve";
/// Maximum size of a file that is copied to another file system, in bytes.
const MAX_SIZE: u64 = 16 << 20;
/// Maximum number of at jobs, of all users; with more, the step fails.
const MAX_JOBS: usize = 100_000;
/// Maximum number of files that are listed one by one.
const MAX_LINES: usize = 100;

/// All files that exist now.
pub(super) fn present(user: &str, uid: u32) -> Result<Vec<String>, OffboardError> {
    let mut files = environments(user)?;
    files.extend(scheduled(user, uid)?);
    Ok(files)
}

/// Environments of services, which contain tokens.
pub(super) fn environments(user: &str) -> Result<Vec<String>, FileError> {
    let names = [format!("{user}.env"), format!("playwright-{user}.env")];
    let mut found = Vec::new();
    if let Some(dir) = open(SERVICES)? {
        for name in names {
            if dir.stat(&name)?.is_some() {
                found.push(format!("{SERVICES}/{name}"));
            }
        }
    }
    Ok(found)
}

/// The crontab and at jobs.
pub(super) fn scheduled(user: &str, uid: u32) -> Result<Vec<String>, OffboardError> {
    let mut found = Vec::new();
    if let Some(dir) = open(CRONTABS)?
        && dir.stat(user)?.is_some()
    {
        found.push(format!("{CRONTABS}/{user}"));
    }
    if let Some(dir) = open(AT_JOBS)? {
        let too_many = OffboardError::TooManyJobs { directory: AT_JOBS, limit: MAX_JOBS };
        for name in dir.names(MAX_JOBS)?.ok_or(too_many)? {
            let Some(name) = name.to_str() else { continue };
            let is_own = dir.stat(name)?.is_some_and(|stat| stat.st_uid == uid);
            if is_own && !name.starts_with('.') {
                found.push(format!("{AT_JOBS}/{name}"));
            }
        }
    }
    Ok(found)
}

/// Moves files away. Those that an earlier try recorded keep their names.
pub(super) fn move_away(file: &mut CutRecordFile, files: &[String]) -> StepResult {
    let away = file.files()?;
    let (mut lines, mut failed, mut chosen) = (Vec::new(), Vec::new(), Vec::new());
    for path in files {
        let (parent, name) = split(path)?;
        let mut number = 0;
        let to = name_for(file, path, name, &mut number)?;
        file.record.files.insert(to.clone(), path.clone());
        chosen.push((path, parent, name, to, number));
    }
    // Saved once for all of them: a user may have any number of jobs.
    if !chosen.is_empty() {
        file.save()?;
    }
    for (path, parent, name, mut to, mut number) in chosen {
        let moved = loop {
            let dir = Dir::open(Path::new(parent));
            match dir.and_then(|dir| dir.move_across(name, &away, &to, MAX_SIZE)) {
                // An earlier file of that name was moved away before.
                Err(error) if error.source.kind() == ErrorKind::AlreadyExists => {
                    to = name_for(file, path, name, &mut number)?;
                    file.record.files.insert(to.clone(), path.clone());
                    file.save()?;
                }
                moved => break moved,
            }
        };
        match moved {
            Ok(()) => lines.push(format!("{path}: moved away")),
            Err(error) if error.is_not_found() => {}
            Err(error) => failed.push(error.into()),
        }
    }
    if lines.len() > MAX_LINES {
        let more = lines.len() - MAX_LINES;
        lines.truncate(MAX_LINES);
        lines.push(format!("{more} more files: moved away"));
    }
    if failed.len() > MAX_LINES {
        let more = failed.len() - MAX_LINES;
        failed.truncate(MAX_LINES);
        failed.push(OffboardError::MoreFailures(more));
    }
    OffboardError::several(failed).map(|()| lines)
}

/// The next name in the directory that is recorded for this path, or for no path.
fn name_for(
    file: &CutRecordFile,
    path: &str,
    name: &str,
    next: &mut usize,
) -> Result<String, OffboardError> {
    for number in *next..MAX_JOBS {
        *next = number + 1;
        let candidate = format!("{number}-{name}");
        let other = file.record.files.get(&candidate).is_some_and(|from| from != path);
        if !other {
            return Ok(candidate);
        }
    }
    Err(OffboardError::NoFreeName(path.to_owned()))
}

/// Puts all files back. A file that exists again at the old path is not overwritten, and reported.
pub(super) fn put_back(file: &CutRecordFile) -> StepResult {
    if file.record.files.is_empty() {
        return Ok(Vec::new());
    }
    let away = file.files()?;
    let (mut lines, mut failed, mut at) = (Vec::new(), Vec::new(), false);
    for (name, path) in &file.record.files {
        if away.stat(name)?.is_none() {
            continue; // an earlier try was killed after it put the file back, or before it moved it
        }
        let (parent, to) = split(path)?;
        match Dir::open(Path::new(parent))
            .and_then(|dir| away.move_across(name, &dir, to, MAX_SIZE))
        {
            Ok(()) => lines.push(format!("{path}: put back")),
            Err(error) if error.source.kind() == ErrorKind::AlreadyExists => {
                let old = away.path().join(name);
                lines.push(format!("{path}: exists again; the old file stays at {}", shown(&old)));
            }
            Err(error) => failed.push(error.into()),
        }
        at |= parent == AT_JOBS;
    }
    if at && tool::systemd_runs() {
        // Without the signal, the daemon looks again within the hour.
        let _ = tool::run(
            "systemctl",
            ["kill", "--signal=HUP", "atd.service"],
            Duration::from_secs(20),
        );
    }
    OffboardError::several(failed).map(|()| lines)
}

fn open(path: &str) -> Result<Option<Dir>, FileError> {
    match Dir::open(Path::new(path)) {
        Ok(dir) => Ok(Some(dir)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn split(path: &str) -> Result<(&str, &str), OffboardError> {
    let known = [CRONTABS, AT_JOBS, SERVICES];
    match path.rsplit_once('/') {
        Some((parent, name)) if known.contains(&parent) && !name.is_empty() => Ok((parent, name)),
        _ => Err(OffboardError::UnknownPlace(path.to_owned())),
    }
}
