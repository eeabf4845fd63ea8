//! Archives the home of a user who is cut: the home is frozen first; tar writes the archive, which is
//! read back, compared, and only then given its name.

mod archive_file;
pub mod compare;
mod format;
mod manifest;
pub mod pax_reader;
mod verify;

pub(super) use archive_file::ArchiveFile;
pub(super) use verify::verify;

use super::error::{ArchiveError, OffboardError, PolicyError, StageError};
use super::record::{Archive, Archiving, CutRecord, CutRecordFile};
use super::step_runner::{StageReport, StepLog, StepResult, StepRunner};
use super::steps::ArchiveStep;
use super::{account, frozen, policy, processes, sharers};
use crate::sys::fs::{trusted_path, walk};
use crate::sys::process::tool;
use crate::sys::{Dir, FileError, clock};
use crate::text::shown;
use format::{Format, manifest_name};
use std::ffi::OsString;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

/// How long writing an archive may take.
const DEADLINE: Duration = Duration::from_hours(24);
/// What an entry takes in an archive besides its content and its names, in bytes.
const ENTRY_OVERHEAD: u64 = 2048;
/// What a byte of a name takes in archive and manifest together, in bytes: it is in both, plain and
/// escaped.
const NAME_FACTOR: u64 = 6;
/// The end of an unfinished file's name.
const PART: &str = ".part";

/// Archives the home of a user who is cut into the directory `to`, which must be root's, by the steps
/// of [`ArchiveStep::ALL`]. What an earlier try left is removed first.
///
/// # Errors
/// When it is refused, or which step failed.
pub fn archive(
    state: &Dir,
    user: &str,
    to: &Path,
    log: &mut dyn StepLog,
) -> Result<(Archive, StageReport), StageError> {
    let mut file = find(state, user)?;
    let to = Rc::new(target_directory(&file.record, to)?);
    check_ready(&file.record, &to)?;
    let mut runner = StepRunner::new(user, log);
    let mut written = None;
    for step in ArchiveStep::ALL {
        if step == ArchiveStep::WriteArchive && runner.has_failed() {
            break;
        }
        runner.run(step, || match step {
            ArchiveStep::RemoveUnfinishedArchive => remove_unfinished(&mut file),
            ArchiveStep::FreezeHome => {
                let (dir, name) = frozen::freeze(&mut file)?;
                let place = dir.path().join(name);
                Ok(vec![format!("home of {user}: frozen at {}", shown(&place))])
            }
            ArchiveStep::WriteArchive => {
                written = Some(write(&mut file, &to)?);
                Ok(Vec::new())
            }
        });
    }
    let report = runner.finish()?;
    // Without a failure the last step has written it.
    let missing = || OffboardError::from(ArchiveError::NotArchived { user: user.to_owned() });
    Ok((written.ok_or_else(missing)?, report))
}

/// What archiving would do now, as lines.
///
/// # Errors
/// When it would be refused.
pub fn preview(state: &Dir, user: &str, to: &Path) -> Result<Vec<String>, StageError> {
    let record = find(state, user)?.record;
    let to = target_directory(&record, to)?;
    check_ready(&record, &to)?;
    let freeze = record.frozen.is_none().then(|| format!("freeze {}", record.home));
    let archive = format!("archive it to {}, read it back and compare", shown(to.path()));
    Ok(freeze.into_iter().chain([archive]).collect())
}

fn find(state: &Dir, user: &str) -> Result<CutRecordFile, OffboardError> {
    let Some(file) = CutRecordFile::load(state, user)? else {
        return Err(PolicyError::NotCut { user: user.to_owned() }.into());
    };
    policy::check_archive(&file.record)?;
    account::recorded(user, file.record.uid)?;
    sharers::check_uid(user, file.record.uid)?;
    sharers::check_home(user, &file.record.home)?;
    Ok(file)
}

/// The directory for archives: only root can change where its path leads, and it is not in the home.
fn target_directory(record: &CutRecord, to: &Path) -> Result<Dir, OffboardError> {
    let option = "--to";
    let inside = |path: &Path| path.starts_with(&record.home);
    if let Ok(real) = to.canonicalize()
        && inside(&real)
    {
        return Err(ArchiveError::InsideHome(real).into());
    }
    let dir =
        trusted_path::open_dir(to).map_err(|source| ArchiveError::Unusable { option, source })?;
    if inside(dir.path()) {
        return Err(ArchiveError::InsideHome(dir.path().to_owned()).into());
    }
    Ok(dir)
}

/// Checks that no process runs, that the home can be frozen, and that there is room.
fn check_ready(record: &CutRecord, to: &Dir) -> Result<(), OffboardError> {
    let uids = processes::uids_of(record);
    let running = processes::running(&uids)?;
    if !running.is_empty() || !processes::none_left(&uids)? {
        let (user, names) = (record.user.clone(), processes::names(&running));
        return Err(PolicyError::Running { user, names }.into());
    }
    let frozen = record.frozen.as_ref().map(frozen::find).transpose()?.flatten();
    let (parent, name) = frozen.map_or_else(|| frozen::freezable(record), Ok)?;
    let mut needed = 0_u64;
    walk::walk(&parent, &name, |node| {
        needed = needed.saturating_add(size_in_archive(node));
        Ok::<_, FileError>(())
    })?;
    needed = needed.saturating_add(needed / 20);
    let free = walk::free_space(to)?;
    if free < needed {
        let (needed, free, to) = (needed >> 20, free >> 20, to.path().to_owned());
        return Err(ArchiveError::NoSpace { to, free, needed }.into());
    }
    Ok(())
}

/// The space that an entry may take in archive and manifest, in bytes: many empty files with long
/// paths take much.
fn size_in_archive(node: &walk::Node<'_>) -> u64 {
    let content = node.stat.st_blocks.unsigned_abs().saturating_mul(512);
    let is_link = node.kind() == rustix::fs::FileType::Symlink;
    let target = if is_link { node.stat.st_size.unsigned_abs() } else { 0 };
    // The second name of a file is stored with the first one.
    let other = if node.stat.st_nlink > 1 && !node.kind().is_dir() { node.path.len() } else { 0 };
    let names = (node.path.len() + other) as u64 + target;
    content.saturating_add(ENTRY_OVERHEAD).saturating_add(names.saturating_mul(NAME_FACTOR))
}

/// Removes what an unfinished archive left; it was never reported.
pub(super) fn remove_unfinished(file: &mut CutRecordFile) -> StepResult {
    let Some(Archiving { dir, name }) = file.record.archiving.clone() else {
        return Ok(Vec::new());
    };
    match trusted_path::open_dir(Path::new(&dir)) {
        Ok(dir) => {
            for name in [name.clone(), manifest_name(&name)] {
                dir.remove(format!("{name}{PART}")).and_then(|()| dir.remove(&name))?;
            }
        }
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error.into()),
    }
    file.record.archiving = None;
    file.save()?;
    Ok(vec![format!("{}: unfinished, removed", shown(&format!("{dir}/{name}")))])
}

fn write(file: &mut CutRecordFile, to: &Rc<Dir>) -> Result<Archive, OffboardError> {
    let (parent, home) = frozen::existing(&file.record)?;
    let (format, time) = (Format::best(), clock::now());
    let name = free_name(to, &format!("{}-{}", file.record.user, stamp(time)), format)?;
    let dir = to.path().to_str().ok_or_else(|| ArchiveError::NotUtf8(to.path().to_owned()))?;
    file.record.archiving = Some(Archiving { dir: dir.to_owned(), name: name.clone() });
    file.save()?;
    let (part, manifest) = (format!("{name}{PART}"), manifest_name(&name));
    let written = to.create_new(&part)?;
    run_tar(&parent, &home, &to.path().join(&part), format)?;
    written.sync_all().map_err(OffboardError::io(format!("syncing {part}")))?;
    let archive = ArchiveFile::new(Rc::clone(to), part, format);
    let verified = verify::read_back(&parent, &home, &archive, Some(&format!("{manifest}{PART}")))?;
    let digest = archive.digest()?;
    for name in [&manifest, &name] {
        to.move_across(&format!("{name}{PART}"), to, name, 0)?;
    }
    let path = shown(&to.path().join(&name)).to_string();
    let (manifest, entries) = (verified.manifest_digest, verified.entries);
    let made = Archive { file: path, digest, manifest, entries, time };
    file.record.archives.push(made.clone());
    file.record.archiving = None;
    file.save()?;
    Ok(made)
}

/// A name that neither an archive nor a manifest in the directory has.
fn free_name(to: &Dir, stem: &str, format: &Format) -> Result<String, FileError> {
    let mut name = format!("{stem}{}", format.suffix);
    let mut number = 0;
    while to.stat(&name)?.is_some() || to.stat(manifest_name(&name))?.is_some() {
        number += 1;
        name = format!("{stem}-{number}{}", format.suffix);
    }
    Ok(name)
}

fn run_tar(parent: &Dir, home: &str, to: &Path, format: &Format) -> Result<(), OffboardError> {
    let mut args: Vec<OsString> = [
        "--create",
        "--format=posix",
        "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime",
        "--one-file-system",
        "--sparse",
        "--sparse-version=1.0",
        "--numeric-owner",
        "--acls",
        "--xattrs",
        "--sort=name",
        "--warning=no-file-ignored",
    ]
    .map(Into::into)
    .to_vec();
    args.extend(format.compress.map(|program| format!("--use-compress-program={program}").into()));
    args.push(option("--file=", to));
    args.push(option("--directory=", parent.path()));
    args.extend(["--".into(), home.into()]);
    Ok(tool::run_with_us("tar", args, DEADLINE).map(drop)?)
}

/// A time as the names of snapshots have it.
fn stamp(time: clock::Epoch) -> String {
    let utc = i64::try_from(time).ok().and_then(|s| chrono::DateTime::from_timestamp(s, 0));
    utc.unwrap_or_default().format("%Y%m%dT%H%M%SZ").to_string()
}

fn option(name: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(name);
    argument.push(path);
    argument
}
