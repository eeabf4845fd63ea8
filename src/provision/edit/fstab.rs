//! The line of a swap file in `/etc/fstab` (pure). Every other byte is kept.

pub const FSTAB: &str = "/etc/fstab";

/// What the file says of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FstabEntry {
    Absent,
    /// It is swap.
    Swap,
    /// Its line is a comment: a person wants it no longer.
    Disabled,
    /// It is something else: the line.
    Other(String),
}

/// Finds a path.
pub fn find(fstab: &[u8], path: &str) -> FstabEntry {
    let mut found = FstabEntry::Absent;
    for line in fstab.split(|byte| *byte == b'\n') {
        let text = String::from_utf8_lossy(line);
        let text = text.trim();
        let (is_comment, text) = match text.strip_prefix('#') {
            Some(comment) => (true, comment.trim_start_matches('#')),
            None => (false, text),
        };
        let mut fields = text.split_ascii_whitespace();
        if fields.next() != Some(path) {
            continue;
        }
        let is_swap = fields.nth(1) == Some("swap");
        match (is_comment, is_swap) {
            (false, true) => return FstabEntry::Swap,
            (false, false) => return FstabEntry::Other(text.to_owned()),
            (true, true) => found = FstabEntry::Disabled,
            (true, false) => {}
        }
    }
    found
}

/// The line of a swap file. A host whose swap file is gone still boots.
pub fn line(path: &str) -> String {
    format!("{path} none swap sw,nofail 0 0")
}

/// The file with the line at its end.
pub fn with_line(fstab: &[u8], path: &str) -> Vec<u8> {
    let gap: &[u8] = if fstab.is_empty() || fstab.ends_with(b"\n") { b"" } else { b"\n" };
    [fstab, gap, line(path).as_bytes(), b"\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_path_is_found_in_whatever_way_it_is_written() {
        for (fstab, expected) in [
            ("", FstabEntry::Absent),
            ("/swapfile none swap sw 0 0", FstabEntry::Swap),
            ("  /swapfile\tnone\tswap\tdefaults\r\n", FstabEntry::Swap),
            ("#/swapfile none swap sw 0 0\n/swapfile none swap sw 0 0\n", FstabEntry::Swap),
            ("#/swapfile none swap sw 0 0\n", FstabEntry::Disabled),
            ("## /swapfile none swap sw 0 0\n", FstabEntry::Disabled),
            ("# /swapfile is made by provision\n", FstabEntry::Absent),
            ("/swapfile.old none swap sw 0 0\n", FstabEntry::Absent),
            ("UUID=1 /swapfile ext4 defaults 0 1\n", FstabEntry::Absent),
            ("/swapfile\n", FstabEntry::Other("/swapfile".to_owned())),
            (
                "/swapfile /mnt ext4 loop 0 0\n",
                FstabEntry::Other("/swapfile /mnt ext4 loop 0 0".to_owned()),
            ),
        ] {
            assert_eq!(find(fstab.as_bytes(), "/swapfile"), expected, "{fstab:?}");
        }
    }

    proptest! {
        #[test]
        fn a_line_is_added_once_and_every_other_byte_stays(
            fstab in proptest::collection::vec(any::<u8>(), 0..80)
        ) {
            let new = with_line(&fstab, "/swapfile");
            prop_assert!(new.starts_with(&fstab));
            prop_assert_eq!(new.len() - fstab.len() - line("/swapfile").len() <= 2, true);
            prop_assert_eq!(find(&new, "/swapfile"), FstabEntry::Swap);
        }
    }
}
