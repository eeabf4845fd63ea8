//! Kernel settings and directories that must be as they should for root to work safely among homes.

use crate::sys::fs::{self, trusted_path};
use std::path::Path;

/// Settings of the kernel, each with its lowest safe value (`proc_sys_fs(5)`).
const PROTECTED: [(&str, u32); 4] = [
    ("protected_symlinks", 1),
    ("protected_hardlinks", 1),
    ("protected_fifos", 1),
    ("protected_regular", 1),
];

/// The unsafe settings of the host below `root`, a sentence each.
pub fn faults(root: &Path, home_base: &str) -> Vec<String> {
    let mut faults: Vec<String> =
        PROTECTED.iter().filter_map(|(name, least)| protected(root, name, *least)).collect();
    let homes = root.join(home_base.trim_start_matches('/'));
    if let Err(error) = trusted_path::check(&homes)
        && !error.is_not_found()
    {
        faults.push(format!("users other than root can move homes: {error}"));
    }
    faults
}

fn protected(root: &Path, name: &str, least: u32) -> Option<String> {
    let path = root.join("proc/sys/fs").join(name);
    let text = fs::read(&path, 64).ok()?; // a kernel without the setting, or no /proc
    let value: u32 = String::from_utf8_lossy(&text).trim().parse().ok()?;
    let why = format!("fs.{name} is {value}: set it to {least} (sysctl.d(5))");
    (value < least).then_some(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_that_lets_links_lead_root_is_reported() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("proc/sys/fs");
        std::fs::create_dir_all(&dir).unwrap();
        for (name, value) in [("protected_symlinks", "0\n"), ("protected_fifos", "2\n")] {
            std::fs::write(dir.join(name), value).unwrap();
        }
        let why = ["fs.protected_symlinks is 0: set it to 1 (sysctl.d(5))"];
        assert_eq!(faults(root.path(), "/home"), why);
    }
}
