//! Checks the base directory of the user's instance of T3 Code, which holds credentials in clear.

use crate::persist::report::Check;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

const NAME: &str = "t3 directory";

/// `None` for a user without one.
pub(crate) fn check(home: &Path) -> Option<Check> {
    let mode = home.join(".t3").metadata().ok()?.mode() & 0o777;
    let others = mode & 0o077;
    Some(if others == 0 {
        Check::ok(NAME, "for the user alone")
    } else {
        let what = format!("mode {mode:o}: other users can read credentials in ~/.t3");
        Check::fault(NAME, what, "chmod 700 ~/.t3")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::CheckState::{Fault, Ok};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_directory_that_others_can_enter_is_a_fault() {
        let home = tempfile::tempdir().unwrap();
        assert!(check(home.path()).is_none());
        let base = home.path().join(".t3");
        std::fs::create_dir(&base).unwrap();
        for (mode, state) in [(0o700, Ok), (0o711, Fault), (0o740, Fault)] {
            std::fs::set_permissions(&base, PermissionsExt::from_mode(mode)).unwrap();
            assert_eq!(check(home.path()).unwrap().state, state, "{mode:o}");
        }
    }
}
