//! Files and modes below directories of root's own: no link is followed, a file appears whole.

use super::sudoers;
use super::tools::run;
use crate::provision::host_base::HostChangeError;
use crate::provision::host_base::plan::{Action, Kind};
use crate::provision::host_base::spec::Download;
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

/// Downloads a file, and installs it only if it has the pinned hash.
pub(crate) fn fetch(
    download: &Download,
    expected: Option<&str>,
    progress: &mut dyn FnMut(&str),
) -> Result<(), HostChangeError> {
    let Download { url, path, mode, hash, size, insecure } = download;
    progress(&format!("downloading {path}"));
    let (dir, name) =
        trusted_path::open_parent_below(Path::new(ROOT), Path::new(path), Missing::Made)?;
    let mut staged = StagedFile::create(&dir, &name)?;
    let bounds = Bounds { size: *size, within: FETCH_DEADLINE, insecure: *insecure };
    download::fetch(url, bounds, &mut staged)?;
    let found = staged.hash();
    if found != *hash {
        return Err(HostChangeError::Hash { expected: hash.clone(), found });
    }
    Ok(staged.commit(Attributes { uid: 0, gid: 0, mode: *mode }, expected)?)
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
