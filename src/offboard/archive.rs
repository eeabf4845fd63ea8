//! The archive of a home, after the cut: frozen first, written by tar, read back and compared, and
//! only then given its name.

use super::record::{Archive, Archiving, Kept, Stage};
use super::work::{Notes, Work};
use super::{account, compare, frozen, manifest, processes};
use crate::sys::fs::{trusted_path, walk};
use crate::sys::process::tool;
use crate::sys::{Dir, FileError, clock};
use sha2::{Digest, Sha256};
use std::ffi::{OsStr, OsString};
use std::io::{BufReader, BufWriter, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

/// How long writing one may take.
const DEADLINE: Duration = Duration::from_hours(24);
/// What an entry takes in an archive besides its content and its names (bytes).
const OVERHEAD: u64 = 2048;
/// What a byte of a name takes in archive and manifest, where it is told plainly and in escapes.
const NAMED: u64 = 6;
const PART: &str = ".part";

/// Why nothing came of it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It must not be done, and nothing was.
    #[error("{0}")]
    Refused(String),
    /// It could not be done.
    #[error("{0}")]
    Failed(String),
}

/// How archives are compressed here: the end of their names, what writes and what reads.
pub(super) struct Format {
    end: &'static str,
    write: Option<&'static str>,
    read: Option<(&'static str, &'static [&'static str])>,
}

const FORMATS: [Format; 3] = [
    Format {
        end: ".tar.zst",
        write: Some("zstd -q -T0"),
        read: Some(("zstd", &["-q", "-dc", "--"])),
    },
    Format { end: ".tar.gz", write: Some("gzip -n"), read: Some(("gzip", &["-dc", "--"])) },
    Format { end: ".tar", write: None, read: None },
];

/// Archives the home of a user who is cut into the directory `to`, which must be root's. What an
/// earlier try left is cleared away. Gives what was made, and lines for the receipt.
///
/// # Errors
/// What is refused, or which step failed.
pub fn archive(
    state: &Dir,
    user: &str,
    to: &Path,
    notes: &mut dyn Notes,
) -> Result<(Archive, Vec<String>), Problem> {
    let mut kept = find(state, user).map_err(Problem::Refused)?;
    let to = directory(&kept, to).map_err(Problem::Refused)?;
    ready(&kept, &to).map_err(Problem::Refused)?;
    let mut work = Work::new(user, notes);
    work.step("clear", "clear an unfinished archive away", || give_up(&mut kept));
    work.step("freeze", &format!("freeze the home of {user}"), || {
        let (dir, name) = frozen::freeze(&mut kept)?;
        Ok(vec![format!("home of {user}: frozen at {}", dir.path().join(name).display())])
    });
    let mut made = None;
    if work.is_well() {
        work.step("archive", &format!("archive the home of {user}"), || {
            made = Some(write(&mut kept, &to)?);
            Ok(Vec::new())
        });
    }
    let lines = work.end().map_err(Problem::Failed)?;
    made.map(|made| (made, lines)).ok_or_else(|| Problem::Failed("nothing was made".to_owned()))
}

/// Looks whether it would be refused; changes nothing.
///
/// # Errors
/// Why.
pub fn check(state: &Dir, user: &str, to: &Path) -> Result<Vec<String>, Problem> {
    let look = || -> Result<Vec<String>, String> {
        let kept = find(state, user)?;
        let to = directory(&kept, to)?;
        ready(&kept, &to)?;
        let home = &kept.record.home;
        let first = kept.record.frozen.is_none().then(|| format!("freeze {home}"));
        let archive = format!("archive it to {}, read it back and compare", to.path().display());
        Ok(first.into_iter().chain([archive]).collect())
    };
    look().map_err(Problem::Refused)
}

fn find(state: &Dir, user: &str) -> Result<Kept, String> {
    let kept = Kept::load(state, user)?;
    let kept = kept.ok_or_else(|| format!("{user} is not cut: `provision offboard cut {user}`"))?;
    let why = match kept.record.stage {
        Stage::Cut => return account::same(user, kept.record.uid).map(|_| kept),
        Stage::Cutting => format!("is not done: `provision offboard cut {user}` ends it"),
        Stage::Undoing => format!("is being undone: `provision offboard uncut {user}` ends it"),
        Stage::Removing => format!("is over: {user} is being removed"),
    };
    Err(format!("the cut of {user} {why}"))
}

/// The directory for archives: where nobody but root could lead it elsewhere, and not in the home.
fn directory(kept: &Kept, to: &Path) -> Result<Dir, String> {
    let real = to.canonicalize().map_err(|error| format!("--to {}: {error}", to.display()))?;
    if real.starts_with(&kept.record.home) {
        return Err(format!("--to {}: is in the home", real.display()));
    }
    trusted_path::assert_roots_own(&real).map_err(|error| format!("--to: {error}"))?;
    Dir::open(&real).map_err(String::from)
}

/// Whether nothing runs, the home can be frozen and there is room.
fn ready(kept: &Kept, to: &Dir) -> Result<(), String> {
    let user = &kept.record.user;
    let theirs = processes::theirs(&kept.record);
    let running = processes::seen(&theirs)?;
    if !running.is_empty() || !processes::is_quiet(&theirs)? {
        let names = processes::names(&running);
        return Err(format!(
            "{user} runs something ({names}): `provision offboard cut {user}` first"
        ));
    }
    let place = kept.record.frozen.as_ref().map(frozen::find).transpose()?.flatten();
    let (parent, name) = place.map_or_else(|| frozen::live(kept), Ok)?;
    let mut needed = 0_u64;
    let measured = walk::walk(&parent, &name, |node| {
        needed = needed.saturating_add(room(node));
        Ok::<_, FileError>(())
    });
    measured.map_err(String::from)?;
    needed = needed.saturating_add(needed / 20);
    let free = walk::free_space(to).map_err(String::from)?;
    if free < needed {
        let (needed, free, to) = (needed >> 20, free >> 20, to.path().display());
        return Err(format!("{to}: {free} MiB are free, and up to {needed} MiB are needed"));
    }
    Ok(())
}

/// What an entry may take in archive and manifest: many empty files far below take much.
fn room(node: &walk::Node<'_>) -> u64 {
    let content = node.stat.st_blocks.unsigned_abs().saturating_mul(512);
    let is_link = node.kind() == rustix::fs::FileType::Symlink;
    let target = if is_link { node.stat.st_size.unsigned_abs() } else { 0 };
    // A second name of a file tells the first one, too.
    let other = if node.stat.st_nlink > 1 && !node.kind().is_dir() { node.path.len() } else { 0 };
    let names = (node.path.len() + other) as u64 + target;
    content.saturating_add(OVERHEAD).saturating_add(names.saturating_mul(NAMED))
}

/// Removes what an unfinished archive left; nobody was told of it.
pub(super) fn give_up(kept: &mut Kept) -> Result<Vec<String>, String> {
    let Some(Archiving { dir, name }) = kept.record.archiving.clone() else {
        return Ok(Vec::new());
    };
    match Dir::open(Path::new(&dir)) {
        Ok(dir) => {
            trusted_path::assert_roots_own(dir.path()).map_err(String::from)?;
            for name in [name.clone(), manifest_of(&name)] {
                dir.remove(format!("{name}{PART}"))
                    .and_then(|()| dir.remove(&name))
                    .map_err(String::from)?;
            }
        }
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error.to_string()),
    }
    kept.record.archiving = None;
    kept.save()?;
    Ok(vec![format!("{dir}/{name}: unfinished, removed")])
}

fn write(kept: &mut Kept, to: &Dir) -> Result<Archive, String> {
    let frozen = kept.record.frozen.clone().ok_or("the home is not frozen")?;
    let (parent, home) = frozen::find(&frozen)?.ok_or("the frozen home is gone")?;
    let there = |format: &&Format| format.read.is_none_or(|(program, _)| tool::exists(program));
    let format = FORMATS.iter().find(there).ok_or("no way to write an archive")?;
    let time = clock::now();
    let user = &kept.record.user;
    let taken = |name: &str| to.stat(name).map(|stat| stat.is_some()).map_err(String::from);
    let mut name = format!("{user}-{}{}", stamp(time), format.end);
    let mut number = 0;
    while taken(&name)? || taken(&manifest_of(&name))? {
        number += 1;
        name = format!("{user}-{}-{number}{}", stamp(time), format.end);
    }
    let dir = to.path().to_str().ok_or("a directory whose path is not UTF-8")?.to_owned();
    kept.record.archiving = Some(Archiving { dir, name: name.clone() });
    kept.save()?;
    let part = format!("{name}{PART}");
    let file = to.create_new(&part).map_err(String::from)?;
    tar(&parent, &home, &to.path().join(&part), format)?;
    file.sync_all().map_err(|error| format!("syncing {part}: {error}"))?;
    let list = manifest_of(&name);
    let (entries, listed) = read_back(&parent, &home, to, &part, format, Some(&list))?;
    let digest = digest_of(to, &part)?;
    for name in [&list, &name] {
        to.move_across(&format!("{name}{PART}"), to, name, 0).map_err(String::from)?;
    }
    let file = to.path().join(&name).display().to_string();
    let made = Archive { file, digest, manifest: listed, entries, time };
    kept.record.archives.push(made.clone());
    kept.record.archiving = None;
    kept.save()?;
    Ok(made)
}

fn tar(parent: &Dir, home: &str, to: &Path, format: &Format) -> Result<(), String> {
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
    args.extend(format.write.map(|program| format!("--use-compress-program={program}").into()));
    args.push(joined("--file=", to));
    args.push(joined("--directory=", parent.path()));
    args.extend(["--".into(), home.into()]);
    tool::run_with_us("tar", args, DEADLINE).map(drop).map_err(|error| error.to_string())
}

/// Reads an archive back beside the tree, and writes the manifest where it is wanted: gives the
/// number of entries and the hash of the manifest.
pub(super) fn read_back(
    parent: &Dir,
    home: &str,
    to: &Dir,
    name: &str,
    format: &Format,
    list: Option<&str>,
) -> Result<(u64, String), String> {
    let mut out = match list {
        Some(list) => {
            Some(BufWriter::new(to.create_new(&format!("{list}{PART}")).map_err(String::from)?))
        }
        None => None,
    };
    let mut hash = Sha256::new();
    let line = |line: &manifest::Line| -> Result<(), String> {
        let text = serde_json::to_string(line).map_err(|error| error.to_string())? + "\n";
        hash.update(&text);
        match &mut out {
            Some(out) => out.write_all(text.as_bytes()).map_err(|e| format!("the manifest: {e}")),
            None => Ok(()),
        }
    };
    let entries = match format.read {
        None => compare::compare(parent, home, open(to, name)?, line)?,
        Some((program, args)) => {
            let file = to.path().join(name);
            let args = args.iter().map(OsStr::new).chain([file.as_os_str()]);
            let reader = tool::prepared(program, args, &[]);
            let running = reader.converse().map_err(|error| error.to_string())?;
            let pipe = running.stdout().map_err(|error| error.to_string())?;
            let pipe = pipe.as_fd().try_clone_to_owned().map_err(|error| error.to_string())?;
            let source = BufReader::with_capacity(1 << 20, std::fs::File::from(pipe));
            compare::compare(parent, home, source, line)?
        }
    };
    if let Some(out) = out {
        let file = out.into_inner().map_err(|error| format!("the manifest: {error}"))?;
        file.sync_all().map_err(|error| format!("the manifest: {error}"))?;
    }
    Ok((entries, crate::text::hex(&hash.finalize())))
}

/// The format that a name tells.
pub(super) fn format_of(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| name.ends_with(format.end))
}

/// SHA-256 of a file.
pub(super) fn digest_of(dir: &Dir, name: &str) -> Result<String, String> {
    let mut file = open(dir, name)?;
    let (mut hash, mut buffer) = (Sha256::new(), vec![0_u8; 256 << 10]);
    loop {
        match file.read(&mut buffer).map_err(|error| format!("reading {name}: {error}"))? {
            0 => return Ok(crate::text::hex(&hash.finalize())),
            count => hash.update(&buffer[..count]),
        }
    }
}

fn open(dir: &Dir, name: &str) -> Result<std::fs::File, String> {
    dir.open_file(name).map_err(String::from)
}

fn manifest_of(name: &str) -> String {
    let stem = FORMATS.iter().find_map(|format| name.strip_suffix(format.end));
    format!("{}.manifest", stem.unwrap_or(name))
}

/// As names of snapshots are.
fn stamp(time: clock::Epoch) -> String {
    let utc = i64::try_from(time).ok().and_then(|s| chrono::DateTime::from_timestamp(s, 0));
    utc.unwrap_or_default().format("%Y%m%dT%H%M%SZ").to_string()
}

fn joined(option: &str, path: &Path) -> OsString {
    let mut argument = OsString::from(option);
    argument.push(path);
    argument
}
