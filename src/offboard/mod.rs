//! The stages of leaving: the cut, which locks and can be undone; the archive of the home; and the
//! removal, which only follows a verified archive. Root's own work: nothing in a live home is opened.

mod account;
pub mod archive;
mod compare;
pub mod cut;
mod frozen;
mod jobs;
mod last_save;
mod manifest;
pub mod pax_reader;
mod processes;
pub mod record;
pub mod remove;
mod settings;
pub mod uncut;
mod units;
mod work;

pub use settings::Settings;
pub use work::{Notes, Silent};

use serde_json::Value;

/// Who is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The OS user.
    pub user: String,
    /// What the cluster calls them; empty when it is not known.
    pub k8s_user: String,
    /// Why.
    pub why: String,
    /// The commit or hash of the roster that decided it.
    pub roster: Option<String>,
    /// The row as it was; null when there was none.
    pub was: Value,
}
