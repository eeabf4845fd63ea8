//! Checks the user's state directory.

use crate::persist::context::Context;
use crate::persist::report::{Check, StatusReport};
use crate::snapshot::store::{MAX_LINES as MAX_RECORDS, RECORDS};
use crate::text::{io_reason, shown};
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

const NAME: &str = "state";

/// Facts about the directory.
#[derive(Debug, Clone, Copy)]
struct DirectoryFacts {
    is_dir: bool,
    uid: u32,
    mode: u32,
}

/// Checks the directory itself.
pub(crate) fn directory(context: &Context) -> Check {
    let path = context.own_dir();
    let found = path.symlink_metadata().map(|meta| DirectoryFacts {
        is_dir: meta.is_dir(),
        uid: meta.uid(),
        mode: meta.mode() & 0o7777,
    });
    match found {
        Ok(found) => judge(&path, context.account.uid.as_raw(), found),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Check::ok(NAME, format!("{}: nothing has been saved yet", shown(&path)))
        }
        Err(error) => {
            let what = format!("{}: {}", shown(&path), io_reason(&error));
            Check::fault(NAME, what, format!("ls -ld {}", shown(&path)))
        }
    }
}

/// Checks whether a watch runs.
pub(crate) fn watch(standing: &StatusReport) -> Option<Check> {
    const WATCH: &str = "watch";
    if standing.watched {
        return Some(Check::ok(WATCH, "what is killed comes back by itself"));
    }
    // Without anything saved there is nothing to watch.
    standing.snapshot.as_ref()?;
    Some(Check::skipped(WATCH, "none runs: what is killed waits for 'persist restore'"))
}

fn judge(path: &Path, own: u32, found: DirectoryFacts) -> Check {
    let path = shown(path).to_string();
    let DirectoryFacts { is_dir, uid, mode } = found;
    if !is_dir {
        let what = format!("{path} is not a directory: nothing can be saved");
        Check::fault(NAME, what, format!("mv {path} {path}.old"))
    } else if uid != own {
        let what = format!("{path} belongs to uid {uid} instead of {own}: nothing can be saved");
        Check::fault(NAME, what, format!("mv {path} {path}.old"))
    } else if mode & 0o700 != 0o700 {
        let what = format!("{path} has mode {mode:o}: its owner cannot use it");
        Check::fault(NAME, what, format!("chmod 700 {path}"))
    } else if mode & 0o077 != 0 {
        let what = format!("{path} has mode {mode:o}: other users can read your sessions");
        Check::fault(NAME, what, format!("chmod 700 {path}"))
    } else {
        Check::ok(NAME, path)
    }
}

/// How long a save may take that is waited for.
const SAVE: Duration = Duration::from_secs(5);

/// Checks the documented link `<user>.tsv`: other programs read the newest snapshot there.
///
/// A save first writes the snapshot, then the link. What was read while one ran is therefore looked at again
/// while none does.
pub(crate) fn link(context: &Context, standing: &StatusReport) -> Option<Check> {
    let at_first = compare_link(context, standing.snapshot.as_ref()?)?;
    let Ok(Some(mut store)) = context.store() else { return Some(at_first) };
    let Ok(_no_save) = store.lock(SAVE) else { return Some(at_first) };
    match store.newest(&mut Vec::new()) {
        Ok(Some((_, newest))) => compare_link(context, &newest.id.to_string()),
        _ => Some(at_first),
    }
}

fn compare_link(context: &Context, newest: &str) -> Option<Check> {
    let own = context.own_dir();
    let mut link = own.clone().into_os_string();
    link.push(".tsv");
    let link = Path::new(&link);
    let found = link.canonicalize().map_err(|error| error.kind());
    let expected = own.join("snapshots").join(format!("{newest}.tsv")).canonicalize();
    let shown = shown(link).to_string();
    judge_link(&shown, found.as_deref().map_err(|kind| *kind), expected.ok().as_deref())
}

fn judge_link(
    link: &str,
    found: Result<&Path, ErrorKind>,
    expected: Option<&Path>,
) -> Option<Check> {
    let what = match found {
        Err(ErrorKind::NotFound) => "leads nowhere",
        Err(_) => "cannot be followed",
        Ok(found) if expected.is_some_and(|expected| expected != found) => {
            "does not lead to the newest snapshot"
        }
        Ok(_) => return None,
    };
    let what = format!("{link} {what}: programs that read it miss what was saved");
    Some(Check::fault(NAME, what, "persist save"))
}

/// Checks the snapshots: each invalid file is one check.
pub(crate) fn snapshots(standing: &StatusReport) -> Vec<Check> {
    let damaged = |note: &String| Check::warn("snapshots", note.clone(), "persist list");
    let mut checks: Vec<Check> = standing.notes.iter().map(damaged).collect();
    if let Some(problem) = &standing.error {
        let fix = "persist save";
        checks.push(Check::fault("snapshots", problem.message.clone(), fix));
    }
    if checks.is_empty() {
        let newest = standing.snapshot.as_deref().unwrap_or("none yet");
        checks.push(Check::ok("snapshots", format!("newest: {newest}")));
    }
    checks
}

/// Checks the files that every save and restore needs. Anything else in their place makes all of them
/// fail.
pub(crate) fn records(context: &Context) -> Vec<Check> {
    // The content of a lock does not matter.
    let is_read = |path: &Path| path.extension() == Some(OsStr::new("tsv"));
    let check = |name: &&str| {
        let path = context.own_dir().join(name);
        let meta = path.symlink_metadata().ok()?;
        let why = match meta.len() {
            _ if !meta.is_file() => "is not a regular file",
            size if size > MAX_RECORDS && is_read(&path) => "is too large to be read",
            _ => return None,
        };
        let path = shown(&path).to_string();
        Some(Check::fault(NAME, format!("{path} {why}"), format!("mv {path} {path}.old")))
    };
    RECORDS.iter().chain(&crate::events::FILES).filter_map(check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::CheckState;

    #[test]
    fn the_documented_link_must_lead_to_the_newest_snapshot() {
        let (here, newest) = (Path::new("/s/u/snapshots/2.tsv"), Path::new("/s/u/snapshots/2.tsv"));
        assert_eq!(judge_link("/s/u.tsv", Ok(here), Some(newest)), None);
        for (found, what) in [
            (Err(ErrorKind::NotFound), "leads nowhere"),
            (Err(ErrorKind::PermissionDenied), "cannot be followed"),
            (Ok(Path::new("/s/snapshots/u/1.tsv")), "does not lead to the newest"),
        ] {
            let check = judge_link("/s/u.tsv", found, Some(newest)).unwrap();
            assert_eq!(
                (check.state, check.fix.as_deref()),
                (CheckState::Fault, Some("persist save"))
            );
            assert!(check.what.starts_with(&format!("/s/u.tsv {what}")), "{}", check.what);
        }
    }

    #[test]
    fn a_directory_that_is_anothers_open_or_none_is_a_fault_with_what_fixes_it() {
        let judged =
            |is_dir, uid, mode| judge(Path::new("/s/u"), 7, DirectoryFacts { is_dir, uid, mode });
        assert_eq!(judged(true, 7, 0o700).state, CheckState::Ok);
        for (check, fix) in [
            (judged(false, 7, 0o700), "mv /s/u /s/u.old"),
            (judged(true, 8, 0o700), "mv /s/u /s/u.old"),
            (judged(true, 7, 0o755), "chmod 700 /s/u"),
            (judged(true, 7, 0o500), "chmod 700 /s/u"),
        ] {
            assert_eq!((check.state, check.fix.as_deref()), (CheckState::Fault, Some(fix)));
        }
    }
}
