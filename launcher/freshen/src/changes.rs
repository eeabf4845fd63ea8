//! What an update changes in the tree (pure): the answer of `git diff-tree --raw -z`.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// One path that the update changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    /// Relative to the tree.
    pub(super) path: PathBuf,
    /// Whether the commit before has a file or link there.
    pub(super) was_file: bool,
    /// Whether the commit after has a submodule there.
    pub(super) is_submodule: bool,
    /// The object that the commit after has there; `None` if it has nothing.
    pub(super) new: Option<String>,
}

/// Parses the answer; `None` if it has another form, or a path that leads out of the tree.
pub(super) fn parse(raw: &[u8]) -> Option<Vec<Change>> {
    let mut fields = raw.split(|byte| *byte == 0);
    let mut changes = Vec::new();
    while let Some(head) = fields.next().filter(|head| !head.is_empty()) {
        let head = std::str::from_utf8(head.strip_prefix(b":")?).ok()?;
        let mut words = head.split(' ');
        let (old_mode, new_mode) = (words.next()?, words.next()?);
        let (_, new) = (words.next()?, words.next()?);
        let path = PathBuf::from(OsStr::from_bytes(fields.next()?));
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return None;
        }
        changes.push(Change {
            path,
            was_file: !matches!(old_mode, "000000" | SUBMODULE),
            is_submodule: old_mode == SUBMODULE || new_mode == SUBMODULE,
            new: (new_mode != "000000").then(|| new.to_owned()),
        });
    }
    Some(changes)
}

const SUBMODULE: &str = "160000";

/// The directories above the changed paths, each after the one that it lies in; without the tree itself.
pub(super) fn directories(changes: &[Change]) -> BTreeSet<&Path> {
    let mut directories = BTreeSet::new();
    for change in changes {
        for above in change.path.ancestors().skip(1).filter(|above| !above.as_os_str().is_empty()) {
            if !directories.insert(above) {
                break; // and so those above it
            }
        }
    }
    directories
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_list_of_paths() {
        let (a, b, none) = ("a".repeat(40), "b".repeat(40), "0".repeat(40));
        let raw = format!(
            ":100644 100755 {a} {b} M\0d/x y\0:000000 100644 {none} {a} A\0new\n\0:100644 000000 {a} {none} D\0d/e/gone\0:160000 160000 {a} {b} M\0sub\0"
        );
        let changes = parse(raw.as_bytes()).unwrap();
        let found: Vec<_> = changes
            .iter()
            .map(|c| (c.path.to_str().unwrap(), c.was_file, c.is_submodule, c.new.as_deref()))
            .collect();
        assert_eq!(
            found,
            [
                ("d/x y", true, false, Some(&*b)),
                ("new\n", false, false, Some(&*a)),
                ("d/e/gone", true, false, None),
                ("sub", false, true, Some(&*b)),
            ]
        );
        let above: Vec<_> = directories(&changes).into_iter().collect();
        assert_eq!(above, [Path::new("d"), Path::new("d/e")]);
        assert_eq!(parse(b""), Some(Vec::new()));
    }

    #[test]
    fn an_answer_of_another_form_is_none() {
        let id = "a".repeat(40);
        for path in ["../x", "/etc/x", "a/../../x"] {
            let raw = format!(":100644 100644 {id} {id} M\0{path}\0");
            assert_eq!(parse(raw.as_bytes()), None, "{path}");
        }
        assert_eq!(parse(b"warning\0x\0"), None);
        assert_eq!(parse(b":100644 100644 a\0x\0"), None);
    }
}
