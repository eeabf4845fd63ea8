//! Parses dpkg's status file (pure).

use super::observed::Package;
use std::collections::BTreeMap;

/// Packages by name and by `name:arch`. If there are several architectures of one, the name alone means
/// one that is installed.
pub(crate) fn read(status: &[u8]) -> BTreeMap<String, Package> {
    let mut packages: BTreeMap<String, Package> = BTreeMap::new();
    for stanza in String::from_utf8_lossy(status).split("\n\n") {
        let field = |name: &str| {
            let value = |line: &str| line.strip_prefix(name)?.strip_prefix(": ").map(str::to_owned);
            stanza.lines().find_map(value)
        };
        let (Some(name), Some(status)) = (field("Package"), field("Status")) else { continue };
        if status.ends_with(" config-files") || status.ends_with(" not-installed") {
            continue; // removed
        }
        let version = field("Version").unwrap_or_default();
        // The first word is what is wanted of it: a package on hold is there, too.
        let installed = status.ends_with(" ok installed");
        let package = Package { version, installed };
        if let Some(architecture) = field("Architecture") {
            packages.insert(format!("{name}:{architecture}"), package.clone());
        }
        let known = packages.get(&name).is_some_and(|known| known.installed);
        if !known {
            packages.insert(name, package);
        }
    }
    packages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installed_packages_are_told_from_removed_and_incomplete_ones() {
        let status = "Package: jq\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.6-2\n\
                      Description: x\n Package: no\n\nPackage: git\nStatus: deinstall ok config-files\n\
                      Version: 1\n\nPackage: held\nStatus: hold ok installed\nVersion: 3\n\n\
                      Package: half\nStatus: install ok half-configured\nVersion: 2\n";
        let packages = read(status.as_bytes());
        let installed = |name: &str| packages.get(name).map(|package| package.installed);
        assert_eq!(installed("jq"), Some(true));
        assert_eq!(installed("jq:amd64"), Some(true));
        assert_eq!(installed("git"), None);
        assert_eq!(installed("held"), Some(true));
        assert_eq!(installed("half"), Some(false));
        assert_eq!(installed("no"), None);
    }
}
