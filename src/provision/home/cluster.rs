//! The cluster's configuration in the caller's home.

use super::{HomeError, files};
use crate::provision::protocol::cluster::CONFIG_FILE;
use crate::provision::protocol::{ClusterFacts, ClusterTask};
use crate::sys::fs::Existing;

const DIRECTORY: &str = ".kube";
/// The name in [`DIRECTORY`] of [`CONFIG_FILE`].
const CONFIG: &str = "config";

pub(super) fn inspect() -> ClusterFacts {
    let exists = files::open_home().and_then(|home| {
        files::dir(&home, DIRECTORY)?.map_or(Ok(false), |dir| files::exists(&dir, CONFIG))
    });
    match exists {
        Ok(true) => ClusterFacts::Present,
        Ok(false) => ClusterFacts::Absent,
        Err(error) => ClusterFacts::Unusable(error.to_string()),
    }
}

pub(super) fn perform(task: &ClusterTask) -> Result<Vec<String>, HomeError> {
    let ClusterTask::Config { text } = task;
    let dir = files::ensure_dir(&files::open_home()?, DIRECTORY)?;
    if files::exists(&dir, CONFIG)? {
        return Ok(vec![format!("~/{CONFIG_FILE} exists already: left as it is")]);
    }
    // A file that appears in the meantime is kept: the rename replaces nothing.
    dir.write(CONFIG, text.as_bytes(), Existing::Kept)?;
    Ok(vec![format!("~/{CONFIG_FILE} written (0600)")])
}
