//! Files and modes on root's own ground: reached without following a link, whole or not there.

use super::tools::run;
use crate::provision::host_base::plan::{Action, Kind};
use crate::provision::host_base::wanted::Download;
use crate::sys::fs::trusted_path::{self, Missing};
use crate::sys::fs::{self, Attributes, StagedFile};
use crate::sys::net::download::{self, Bounds};
use std::path::Path;
use std::time::Duration;

const ROOT: &str = "/";
const FETCHING: Duration = Duration::from_mins(15);
const CHECKING: Duration = Duration::from_secs(30);

/// Puts a file in place; a sudoers fragment only when visudo finds nothing wrong with it.
pub(crate) fn write(kind: Kind, action: &Action) -> Result<(), String> {
    let Action::Write { path, content, attributes, expected } = action else {
        return Err("no file to write".to_owned());
    };
    let (dir, name) =
        trusted_path::open_parent_below(Path::new(ROOT), Path::new(path), Missing::Made)
            .map_err(|error| error.to_string())?;
    let mut staged = StagedFile::create(&dir, &name).map_err(|error| error.to_string())?;
    staged.write(&content.0).map_err(|error| error.to_string())?;
    if kind == Kind::Sudoers {
        // sudo reads no file with a dot in its name: this one counts for nothing yet.
        let temporary = staged.path().to_string_lossy().into_owned();
        run(&["visudo", "-c", "-f", &temporary], CHECKING)?;
    }
    staged.commit(*attributes, expected.as_deref()).map_err(|error| error.to_string())
}

/// Downloads a file; another one than the hash says is not put in place.
pub(crate) fn fetch(
    download: &Download,
    expected: Option<&str>,
    progress: &mut dyn FnMut(&str),
) -> Result<(), String> {
    let Download { url, path, mode, hash, size, insecure } = download;
    progress(&format!("downloading {path}"));
    let (dir, name) =
        trusted_path::open_parent_below(Path::new(ROOT), Path::new(path), Missing::Made)
            .map_err(|error| error.to_string())?;
    let mut staged = StagedFile::create(&dir, &name).map_err(|error| error.to_string())?;
    let bounds = Bounds { size: *size, within: FETCHING, insecure: *insecure };
    download::fetch(url, bounds, &mut staged).map_err(|error| error.to_string())?;
    let found = staged.hash();
    if found != *hash {
        return Err(format!("not put in place: expected {hash}, found {found}"));
    }
    staged
        .commit(Attributes { uid: 0, gid: 0, mode: *mode }, expected)
        .map_err(|error| error.to_string())
}

pub(crate) fn set_attributes(path: &str, attributes: Attributes) -> Result<(), String> {
    let (dir, name) =
        trusted_path::open_parent_below(Path::new(ROOT), Path::new(path), Missing::Refused)
            .map_err(|error| error.to_string())?;
    fs::set_attributes(&dir, &name, attributes).map_err(|error| error.to_string())
}

/// Sets the mode of a tree's top directory, while it is the one that was looked at.
pub(crate) fn close(path: &str, before: u32, mode: u32) -> Result<(), String> {
    let (parent, name) =
        trusted_path::open_parent_below(Path::new(ROOT), Path::new(path), Missing::Refused)
            .map_err(|error| error.to_string())?;
    let dir = parent.open_dir(&name).map_err(|error| error.to_string())?;
    let found = fs::attributes(&dir, None).map_err(|error| error.to_string())?;
    if found.is_none_or(|found| found.uid != 0 || found.mode != before) {
        return Err("it has changed meanwhile".to_owned());
    }
    fs::set_mode(&dir, mode).map_err(|error| error.to_string())
}
