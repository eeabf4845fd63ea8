//! How archives are compressed, and the names of archives and manifests.

use crate::sys::process::tool;

/// A compression: the end of the file's name, what writes and what reads it.
#[derive(Debug)]
pub(super) struct Format {
    pub(super) suffix: &'static str,
    /// For tar's option.
    pub(super) compress: Option<&'static str>,
    /// Program and arguments that write the plain archive to standard output.
    pub(super) decompress: Option<(&'static str, &'static [&'static str])>,
}

const PLAIN: Format = Format { suffix: ".tar", compress: None, decompress: None };
/// The best one first.
const FORMATS: [Format; 3] = [
    Format {
        suffix: ".tar.zst",
        compress: Some("zstd -q -T0"),
        decompress: Some(("zstd", &["-q", "-dc", "--"])),
    },
    Format {
        suffix: ".tar.gz",
        compress: Some("gzip -n"),
        decompress: Some(("gzip", &["-dc", "--"])),
    },
    PLAIN,
];

impl Format {
    /// The best one whose program this host has.
    pub(super) fn best() -> &'static Self {
        let is_usable =
            |format: &&Self| format.decompress.is_none_or(|(name, _)| tool::exists(name));
        FORMATS.iter().find(is_usable).unwrap_or(&PLAIN)
    }

    /// The format of a file by its name.
    pub(super) fn of_name(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| name.ends_with(format.suffix))
    }
}

/// The name of an archive's manifest.
pub(super) fn manifest_name(archive: &str) -> String {
    let stem = FORMATS.iter().find_map(|format| archive.strip_suffix(format.suffix));
    format!("{}.manifest", stem.unwrap_or(archive))
}
