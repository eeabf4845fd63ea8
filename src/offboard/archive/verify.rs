//! Reads an archive back and compares it with the home that it was made of.

use super::archive_file::ArchiveFile;
use super::compare::compare;
use super::manifest::Line;
use crate::offboard::error::{ArchiveError, OffboardError};
use crate::sys::Dir;
use crate::sys::process::tool;
use sha2::{Digest, Sha256};
use std::ffi::OsStr;
use std::io::{BufReader, BufWriter, Write};
use std::os::fd::AsFd;

/// An archive that holds what the home holds.
pub(super) struct Verified {
    pub(super) entries: u64,
    /// SHA-256 of the manifest in hexadecimal digits.
    pub(super) manifest_digest: String,
}

/// Whether the archive holds what `home` in `parent` holds now.
///
/// # Errors
/// [`ArchiveError::Differs`], with the first difference or with what could not be read.
pub(in crate::offboard) fn verify(
    parent: &Dir,
    home: &str,
    archive: &ArchiveFile,
) -> Result<(), OffboardError> {
    match read_back(parent, home, archive, None) {
        Ok(_) => Ok(()),
        Err(error) => Err(ArchiveError::Differs(Box::new(error)).into()),
    }
}

/// Reads an archive back beside the home that it was made of, and writes the manifest beside the
/// archive, if it is to have that name.
pub(super) fn read_back(
    parent: &Dir,
    home: &str,
    archive: &ArchiveFile,
    manifest: Option<&str>,
) -> Result<Verified, OffboardError> {
    let dir = &archive.dir;
    let mut out = manifest.map(|name| dir.create_new(name)).transpose()?.map(BufWriter::new);
    let mut hash = Sha256::new();
    let line = |line: &Line| -> Result<(), OffboardError> {
        let text = serde_json::to_string(line).map_err(|error| manifest_error(error.into()))?;
        let text = text + "\n";
        hash.update(&text);
        let written = out.as_mut().map_or(Ok(()), |out| out.write_all(text.as_bytes()));
        written.map_err(manifest_error)
    };
    let entries = match archive.format.decompress {
        None => compare(parent, home, archive.file()?, line)?,
        Some((program, args)) => {
            let file = archive.path();
            let args = args.iter().map(OsStr::new).chain([file.as_os_str()]);
            let running = tool::prepared(program, args, &[]).converse()?;
            let pipe = running.stdout().and_then(|pipe| pipe.as_fd().try_clone_to_owned());
            let pipe = pipe.map_err(OffboardError::io(format!("reading from {program}")))?;
            let source = BufReader::with_capacity(1 << 20, std::fs::File::from(pipe));
            compare(parent, home, source, line)?
        }
    };
    if let Some(out) = out {
        let file = out.into_inner().map_err(|error| manifest_error(error.into_error()))?;
        file.sync_all().map_err(manifest_error)?;
    }
    Ok(Verified { entries, manifest_digest: crate::text::hex(&hash.finalize()) })
}

fn manifest_error(source: std::io::Error) -> OffboardError {
    OffboardError::Io { doing: "writing the manifest".to_owned(), source }
}
