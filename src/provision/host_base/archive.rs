//! Takes one member out of an archive whose hash was checked: a zip or tar file, the latter perhaps compressed with
//! gzip or xz. No name in the archive becomes a path, and no link in it is followed.

use crate::sys::FileError;
use crate::sys::fs::StagedFile;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use zip::ZipArchive;
use zip::result::ZipError;

/// How far the mark of a tar file is from its beginning.
const TAR_MARK: usize = 257;
/// The memory that unpacking xz may take, in KiB: its presets need up to 65 MiB.
const XZ_MEMORY: u32 = 256 << 10;
/// The type of a file in its permission bits, and that of a regular one.
const TYPE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;

/// Why a member cannot be installed.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    #[error("not installed: neither a zip nor a tar archive (perhaps compressed with gzip or xz)")]
    Unknown,
    #[error("not installed: the archive has no '{0}'")]
    Missing(String),
    #[error("not installed: the archive has '{0}' more than once")]
    Ambiguous(String),
    #[error("not installed: '{0}' is no regular file in the archive")]
    NotAFile(String),
    #[error("not installed: '{0}' is encrypted")]
    Encrypted(String),
    #[error("not installed: the archive unpacks to more than {0} bytes")]
    TooLarge(u64),
    #[error("not installed: '{0}' is not a name inside of the archive's directory")]
    Name(String),
    #[error("not installed: '{0}' is a link that leads out of its directory")]
    Outside(String),
    #[error("not installed: the archive has more than {0} entries")]
    TooMany(usize),
    #[error("not installed: not a tar archive: others are not unpacked as a whole")]
    NotATar,
    #[error("not installed: unpacking the archive: {0}")]
    Invalid(String),
    #[error(transparent)]
    File(#[from] FileError),
}

/// Adds the content of the regular file `member` to `into`. What must be unpacked to reach it counts, too: at most
/// `limit` bytes in all.
pub(crate) fn unpack(
    archive: File,
    member: &str,
    limit: u64,
    into: &mut StagedFile<'_>,
) -> Result<(), ArchiveError> {
    match unpacked(archive)? {
        Unpacked::Zip(archive) => of_zip(archive, member, limit, into),
        Unpacked::Tar(archive) => of_tar(archive, member, limit, into),
    }
}

/// An archive without the compression around it.
pub(super) enum Unpacked {
    Zip(BufReader<File>),
    Tar(Box<dyn Read>),
}

pub(super) fn unpacked(mut archive: File) -> Result<Unpacked, ArchiveError> {
    let format = Format::of(&mut archive)?;
    let archive = BufReader::with_capacity(64 << 10, archive);
    Ok(match format {
        Format::Zip => Unpacked::Zip(archive),
        Format::Tar => Unpacked::Tar(Box::new(archive)),
        Format::TarGz => Unpacked::Tar(Box::new(MultiGzDecoder::new(archive))),
        Format::TarXz => Unpacked::Tar(Box::new(XzReader::new_mem_limit(archive, true, XZ_MEMORY))),
    })
}

#[derive(Debug, Clone, Copy)]
enum Format {
    Zip,
    Tar,
    TarGz,
    TarXz,
}

impl Format {
    /// Tells it by the first bytes, not by a name: a site's address may have any.
    fn of(archive: &mut File) -> Result<Self, ArchiveError> {
        let mut start = Vec::new();
        let invalid = |error| ArchiveError::of(&error, 0);
        archive.take(512).read_to_end(&mut start).map_err(invalid)?;
        archive.seek(SeekFrom::Start(0)).map_err(invalid)?;
        if start.starts_with(b"PK\x03\x04") {
            Ok(Self::Zip)
        } else if start.starts_with(b"\x1f\x8b") {
            Ok(Self::TarGz)
        } else if start.starts_with(b"\xfd7zXZ\0") {
            Ok(Self::TarXz)
        } else if start.get(TAR_MARK..).is_some_and(|rest| rest.starts_with(b"ustar")) {
            Ok(Self::Tar)
        } else {
            Err(ArchiveError::Unknown)
        }
    }
}

impl ArchiveError {
    pub(super) fn of(error: &io::Error, limit: u64) -> Self {
        match error.kind() {
            io::ErrorKind::FileTooLarge => Self::TooLarge(limit),
            _ => Self::Invalid(error.to_string()),
        }
    }
}

fn of_zip(
    archive: BufReader<File>,
    member: &str,
    limit: u64,
    into: &mut StagedFile<'_>,
) -> Result<(), ArchiveError> {
    let invalid = |error: ZipError| ArchiveError::Invalid(error.to_string());
    let mut archive = ZipArchive::new(archive).map_err(invalid)?;
    // Of two members with one name readers take different ones.
    if archive.has_duplicate_names() {
        return Err(ArchiveError::Ambiguous(member.to_owned()));
    }
    let index = archive
        .index_for_name_raw(member.as_bytes())
        .or_else(|| archive.index_for_name_raw(format!("./{member}").as_bytes()));
    let Some(index) = index else { return Err(missing(&mut archive, member)) };
    let raw = archive.by_index_raw(index).map_err(invalid)?;
    let (is_encrypted, mode) = (raw.entry().encrypted(), raw.entry().unix_mode());
    let is_regular = raw.entry().is_file() && matches!(mode.unwrap_or(0) & TYPE, 0 | REGULAR);
    drop(raw);
    if is_encrypted {
        return Err(ArchiveError::Encrypted(member.to_owned()));
    }
    if !is_regular {
        return Err(ArchiveError::NotAFile(member.to_owned()));
    }
    let found = archive.by_index(index).map_err(invalid)?;
    copy(Bounded::new(found, limit), limit, into)
}

/// The error for a name that no member has; a directory or its entry may have it with a slash.
fn missing<R: Read + Seek>(archive: &mut ZipArchive<R>, member: &str) -> ArchiveError {
    match archive.index_for_name_raw(format!("{member}/").as_bytes()) {
        Some(_) => ArchiveError::NotAFile(member.to_owned()),
        None => ArchiveError::Missing(member.to_owned()),
    }
}

fn of_tar(
    unpacked: impl Read,
    member: &str,
    limit: u64,
    into: &mut StagedFile<'_>,
) -> Result<(), ArchiveError> {
    let invalid = |error: io::Error| ArchiveError::of(&error, limit);
    let mut archive = tar::Archive::new(Bounded::new(unpacked, limit));
    let mut is_found = false;
    // To the end: of two members with one name tar(1) leaves the last.
    for entry in archive.entries().map_err(invalid)? {
        let entry = entry.map_err(invalid)?;
        let name = entry.path_bytes();
        let name = name.strip_prefix(b"./").unwrap_or(&name);
        if name.strip_suffix(b"/").unwrap_or(name) != member.as_bytes() {
            continue;
        }
        if !entry.header().entry_type().is_file() {
            return Err(ArchiveError::NotAFile(member.to_owned()));
        }
        if is_found {
            return Err(ArchiveError::Ambiguous(member.to_owned()));
        }
        is_found = true;
        copy(entry, limit, into)?;
    }
    if is_found { Ok(()) } else { Err(ArchiveError::Missing(member.to_owned())) }
}

fn copy(mut from: impl Read, limit: u64, into: &mut StagedFile<'_>) -> Result<(), ArchiveError> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match from.read(&mut buffer).map_err(|error| ArchiveError::of(&error, limit))? {
            0 => return Ok(()),
            read => into.write(&buffer[..read])?,
        }
    }
}

/// Fails once more than `left` bytes were read.
pub(super) struct Bounded<R> {
    from: R,
    left: u64,
}

impl<R> Bounded<R> {
    pub(super) fn new(from: R, limit: u64) -> Self {
        Self { from, left: limit }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => return Err(io::ErrorKind::FileTooLarge.into()),
        }
        Ok(read)
    }
}
