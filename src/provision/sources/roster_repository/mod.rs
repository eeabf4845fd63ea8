//! The roster of its repository's newest commit: fetched as the clone's owner, checked and read by root.
//!
//! Root runs git in two places only: in a clone that is root's own, and in an empty repository that it made
//! itself, without any configuration. Of another owner's clone only objects come over, and objects have the
//! hash of their content as their name. So the owner, and what the clone's configuration makes the owner's
//! git start, can withhold a commit, but not forge a signed one, and not bring back an older one.

mod checked;
mod clone;
mod commit;
mod error;

pub use clone::is_id;
pub use commit::{BRANCH, Pushed, check_owner, commit, keep, push};
pub use error::RepositoryError;

use super::origin::RosterSource;
use crate::provision::settings::roster_repository::RosterRepository;
use crate::provision::state::digest;
use checked::Checked;
use clone::Clone;

/// Fetches, and reads the roster of the newest commit. `last` is the commit that was applied last. `fetch_failed`
/// takes the error of a fetch that is not required: then the commit of the last fetch counts.
///
/// # Errors
/// The clone cannot be used, the commit is not signed as required, or it does not follow on `last`.
pub fn read(
    from: &RosterRepository,
    last: Option<&str>,
    fetch_failed: &mut dyn FnMut(&RepositoryError),
) -> Result<(Vec<u8>, RosterSource), RepositoryError> {
    let clone = Clone::of(from)?;
    let fetch =
        ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"];
    let refspec = from.refspec();
    let fetch = [&fetch[..], &["--", &from.remote.0, &refspec]].concat();
    if let Err(why) = clone.git(&fetch, None, from.deadline()) {
        let error = RepositoryError::Fetch { clone: clone.name(), why };
        if from.required {
            return Err(error);
        }
        fetch_failed(&error);
    }
    let tracking = format!("{}^{{commit}}", from.tracking_ref());
    let new = clone.ids(&["rev-parse", "--verify", "--quiet", "--end-of-options", &tracking])?;
    let new = new.first().cloned().ok_or_else(|| clone.failed("no such commit"))?;
    let commits = match last {
        Some(last) if last != new => clone.commits(&new, last),
        _ => vec![new.clone()],
    };
    let checked = Checked::of(&clone, &new, &commits)?;
    if from.require_signed {
        checked.verify(&new)?;
    }
    if let Some(last) = last.filter(|last| **last != *new) {
        checked.follows(&new, last, &commits)?;
    }
    let bytes = checked.git(&["cat-file", "blob", &format!("{new}:{}", from.path.as_str())])?;
    let source = RosterSource {
        file: from.file(),
        hash: digest::of(&bytes),
        commit: Some(new),
        edited: Some(false),
        is_from_commit: true,
    };
    Ok((bytes, source))
}
