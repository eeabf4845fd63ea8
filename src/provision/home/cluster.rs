//! Of a home, the cluster's configuration: what is there, and work on it, as the user.

use super::files;
use crate::sys::fs::Existing;
use serde::{Deserialize, Serialize};

const DIRECTORY: &str = ".kube";
const CONFIG: &str = "config";

/// What to look at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Look {}

/// What is at `~/.kube/config`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Facts {
    /// Nothing.
    #[default]
    Absent,
    /// Something: it is the user's, whatever it is.
    There,
    /// It cannot be told, or not be written: why.
    Unfit(String),
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Work {
    /// Writes `~/.kube/config` where nothing is.
    Config {
        /// All of it.
        text: String,
    },
}

/// Looks, as the user.
pub(super) fn look(_look: &Look) -> Facts {
    let there = files::home().and_then(|home| {
        files::dir(&home, DIRECTORY)?.map_or(Ok(false), |dir| files::is_there(&dir, CONFIG))
    });
    match there {
        Ok(true) => Facts::There,
        Ok(false) => Facts::Absent,
        Err(why) => Facts::Unfit(why),
    }
}

/// Works, as the user.
pub(super) fn perform(work: &Work) -> Result<Vec<String>, String> {
    let Work::Config { text } = work;
    let dir = files::ensure_dir(&files::home()?, DIRECTORY)?;
    if files::is_there(&dir, CONFIG)? {
        return Ok(vec![format!("~/{DIRECTORY}/{CONFIG} is there already: left as it is")]);
    }
    // Whoever makes one meanwhile keeps it: the rename replaces nothing.
    dir.write(CONFIG, text.as_bytes(), Existing::Kept).map_err(|error| error.to_string())?;
    Ok(vec![format!("~/{DIRECTORY}/{CONFIG} written (0600)")])
}
