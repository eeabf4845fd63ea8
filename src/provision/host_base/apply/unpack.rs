//! Archives that are unpacked as a whole: beside their place, and complete before they get it.

use super::files::fetch_pinned;
use crate::provision::host_base::HostChangeError;
use crate::provision::host_base::archive_tree::unpack_tree;
use crate::provision::host_base::spec::Unpack;
use crate::sys::Dir;
use crate::sys::fs::trusted_path::{self, Missing};
use crate::sys::fs::{self, walk};
use std::ffi::OsStr;
use std::path::Path;

const ROOT: &str = "/";
const OPEN: u32 = 0o755;

/// Downloads and unpacks an archive; nothing may be at its place.
pub(super) fn unpack(
    unpack: &Unpack,
    progress: &mut dyn FnMut(&str),
) -> Result<(), HostChangeError> {
    let download = &unpack.download;
    progress(&format!("downloading {}", download.path));
    let (parent, name) =
        trusted_path::open_parent_below(Path::new(ROOT), Path::new(&download.path), Missing::Made)?;
    let archive = fetch_pinned(download, &parent, &format!("{name}.archive"))?;
    let temporary = format!(".new-{name}.tmp");
    remove(&parent, &temporary)?; // what a killed run left
    let made = parent.ensure_dir(&temporary)?;
    let done = unpack_tree(archive.reopen()?, download.size, &made)
        .map_err(HostChangeError::from)
        .and_then(|()| Ok(fs::set_mode(&made, OPEN)?))
        .and_then(|()| Ok(parent.place(&temporary, &name)?));
    if done.is_err() {
        remove(&parent, &temporary)?;
    }
    done
}

fn remove(parent: &Dir, name: &str) -> Result<(), HostChangeError> {
    if parent.stat(name)?.is_some() {
        walk::remove(parent, name)?;
    }
    Ok(())
}

/// Makes a link to a program, or points one of ours to another; only if the program is there.
pub(super) fn link(path: &str, target: &str) -> Result<(), HostChangeError> {
    trusted_path::check(Path::new(target))?;
    let (dir, name) =
        trusted_path::open_parent_below(Path::new(ROOT), Path::new(path), Missing::Made)?;
    dir.point_link(&name, OsStr::new(target))?;
    let found = dir.link_target(&name)?;
    if found.is_some_and(|found| found == *target) {
        return Ok(());
    }
    Err(HostChangeError::Changed { path: path.to_owned() })
}
