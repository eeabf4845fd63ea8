//! The swap file: made completely, switched on, and named in `/etc/fstab` only after that worked.

use super::block;
use super::tools::run;
use crate::provision::edit::fstab;
use crate::provision::host_base::HostChangeError;
use crate::provision::host_base::plan::SwapSteps;
use crate::sys::Dir;
use crate::sys::fs::trusted_path::{self, Missing};
use crate::sys::fs::{Attributes, StagedFile};
use std::path::Path;
use std::time::Duration;

const DEADLINE: Duration = Duration::from_mins(2);
const PRIVATE: Attributes = Attributes { uid: 0, gid: 0, mode: 0o600 };

pub(super) fn set_up(
    steps: &SwapSteps,
    progress: &mut dyn FnMut(&str),
) -> Result<(), HostChangeError> {
    let SwapSteps { path, size, makes_file, switches_on, adds_line } = steps;
    let (dir, name) =
        trusted_path::open_parent_below(Path::new("/"), Path::new(path), Missing::Refused)?;
    if *makes_file {
        progress(&format!("making {path}"));
        make(&dir, &name, *size)?;
    }
    if *switches_on {
        run(&["swapon", "--", path], DEADLINE)?;
    }
    if *adds_line {
        block::edit(fstab::FSTAB, |file| Ok(fstab::with_line(file.unwrap_or_default(), path)))?;
    }
    Ok(())
}

/// Makes the file beside its place; nothing may be at its place. What a killed run left is replaced.
fn make(dir: &Dir, name: &str, size: u64) -> Result<(), HostChangeError> {
    let staged = StagedFile::create(dir, name)?;
    staged.allocate(size)?;
    run(&["mkswap", "--", &staged.path().to_string_lossy()], DEADLINE)?;
    Ok(staged.commit(PRIVATE, None)?)
}
