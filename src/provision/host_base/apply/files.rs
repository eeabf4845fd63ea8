//! Files and modes below directories of root's own: no link is followed, a file appears whole.

use super::sudoers;
use super::tools::run;
use crate::provision::host_base::plan::{Action, Kind};
use crate::provision::host_base::spec::Download;
use crate::provision::host_base::{HostChangeError, archive};
use crate::sys::Dir;
use crate::sys::fs::trusted_path::{self, Missing};
use crate::sys::fs::{self, Attributes, StagedFile};
use crate::sys::net::download::{self, Bounds};
use std::path::Path;
use std::time::Duration;

const ROOT: &str = "/";
const FETCH_DEADLINE: Duration = Duration::from_mins(15);
const CHECK_DEADLINE: Duration = Duration::from_secs(30);

/// Installs a file; a sudoers fragment only if visudo(8) accepts it.
pub(crate) fn write(kind: Kind, action: &Action) -> Result<(), HostChangeError> {
    let Action::Write { path, content, attributes, expected } = action else {
        return Err(HostChangeError::Internal("not a file to write"));
    };
    let (dir, name) =
        trusted_path::open_parent_below(Path::new(ROOT), Path::new(path), Missing::Made)?;
    let mut staged = StagedFile::create(&dir, &name)?;
    staged.write(&content.0)?;
    if kind == Kind::Sudoers {
        // sudo skips files with a dot in their name, as this temporary one has.
        let temporary = staged.path().to_string_lossy().into_owned();
        run(&["visudo", "-c", "-f", &temporary], CHECK_DEADLINE)?;
        sudoers::check_merged(&name, &content.0)?;
    }
    if path.starts_with("/etc/profile.d/") {
        check_profile(path, &content.0, &staged.path())?;
    }
    Ok(staged.commit(*attributes, expected.as_deref())?)
}

/// Checks a file that every login shell reads: what is wrong in it is printed at each login.
fn check_profile(path: &str, content: &[u8], staged: &Path) -> Result<(), HostChangeError> {
    if content.contains(&b'\r') {
        let why = "its lines end with carriage returns: shells take them for text".to_owned();
        return Err(HostChangeError::Content { path: path.to_owned(), why });
    }
    let staged = staged.to_string_lossy();
    run(&["sh", "-n", &staged], CHECK_DEADLINE).map(drop).map_err(|error| match error {
        HostChangeError::Program { message, .. } => {
            let why = format!("not a valid shell script: {}", message.replace(&*staged, path));
            HostChangeError::Content { path: path.to_owned(), why }
        }
        other => other,
    })
}

/// Downloads a file, and installs it, or its member, only if it has the pinned hash; `ready` is called with the
/// hash of what is about to be installed, which is returned.
pub(crate) fn fetch(
    download: &Download,
    expected: Option<&str>,
    ready: &mut dyn FnMut(&str) -> Result<(), HostChangeError>,
) -> Result<String, HostChangeError> {
    let Download { path, member, mode, size, .. } = download;
    let (dir, name) =
        trusted_path::open_parent_below(Path::new(ROOT), Path::new(path), Missing::Made)?;
    let staged = match member {
        None => fetch_pinned(download, &dir, &name)?,
        Some(member) => {
            // Removed again, also by the next run if this one is killed.
            let archive = fetch_pinned(download, &dir, &format!("{name}.archive"))?;
            let mut staged = StagedFile::create(&dir, &name)?;
            archive::unpack(archive.reopen()?, member, *size, &mut staged)?;
            staged
        }
    };
    let hash = staged.hash();
    ready(&hash)?;
    staged.commit(Attributes { uid: 0, gid: 0, mode: *mode }, expected)?;
    Ok(hash)
}

/// Downloads what has the pinned hash.
pub(super) fn fetch_pinned<'a>(
    download: &Download,
    dir: &'a Dir,
    name: &str,
) -> Result<StagedFile<'a>, HostChangeError> {
    let Download { url, hash, size, insecure, .. } = download;
    let mut staged = StagedFile::create(dir, name)?;
    let bounds = Bounds { size: *size, within: FETCH_DEADLINE, insecure: *insecure };
    download::fetch(url, bounds, &mut staged)?;
    let found = staged.hash();
    if found == *hash {
        Ok(staged)
    } else {
        Err(HostChangeError::Hash { expected: hash.clone(), found })
    }
}

pub(crate) fn set_attributes(path: &str, attributes: Attributes) -> Result<(), HostChangeError> {
    let (dir, name) =
        trusted_path::open_parent_below(Path::new(ROOT), Path::new(path), Missing::Refused)?;
    Ok(fs::set_attributes(&dir, &name, attributes)?)
}

/// Sets the mode of a directory, unless it changed since it was observed.
pub(crate) fn close(path: &str, before: u32, mode: u32) -> Result<(), HostChangeError> {
    let (parent, name) =
        trusted_path::open_parent_below(Path::new(ROOT), Path::new(path), Missing::Refused)?;
    let dir = parent.open_dir(&name)?;
    let found = fs::attributes(&dir, None)?;
    if found.is_none_or(|found| found.uid != 0 || found.mode != before) {
        return Err(HostChangeError::Changed { path: path.to_owned() });
    }
    Ok(fs::set_mode(&dir, mode)?)
}
