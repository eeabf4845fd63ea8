//! File systems: what they are, what is free, and files of a size on them.

use super::{Dir, FileError, StagedFile};
use rustix::fs::{FallocateFlags, IFlags};
use rustix::io::Errno;
use std::os::unix::fs::FileExt;

const EXT: u64 = 0xef53;
const XFS: u64 = 0x5846_5342;
const BTRFS: u64 = 0x9123_683e;

/// What a file system is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileSystemKind {
    /// ext2, ext3 or ext4.
    Ext,
    Xfs,
    Btrfs {
        /// Whether new files in the directory are written in place.
        no_cow: bool,
    },
    Other,
}

/// The file system of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSystem {
    pub kind: FileSystemKind,
    /// What is free for users, in bytes.
    pub free: u64,
    pub total: u64,
}

impl FileSystem {
    /// Why no swap file can be there: swapon(8) needs blocks that never move.
    pub fn swap_obstacle(&self) -> Option<&'static str> {
        match self.kind {
            FileSystemKind::Ext | FileSystemKind::Xfs | FileSystemKind::Btrfs { no_cow: true } => {
                None
            }
            FileSystemKind::Btrfs { no_cow: false } => Some(
                "btrfs copies on write: use a directory of its own, made with mkdir and chattr +C",
            ),
            FileSystemKind::Other => {
                Some("swap files are made on ext4, xfs and btrfs: name a path on one of them")
            }
        }
    }
}

impl Dir {
    pub fn file_system(&self) -> Result<FileSystem, FileError> {
        let failed = |source: Errno| FileError::system("inspecting", self.path(), source);
        let found = rustix::fs::fstatfs(self.fd()).map_err(failed)?;
        #[expect(
            clippy::cast_sign_loss,
            reason = "a magic number; its type depends on the machine"
        )]
        let kind = match found.f_type as u64 & 0xffff_ffff {
            EXT => FileSystemKind::Ext,
            XFS => FileSystemKind::Xfs,
            BTRFS => {
                let flags = rustix::fs::ioctl_getflags(self.fd()).map_err(failed)?;
                FileSystemKind::Btrfs { no_cow: flags.contains(IFlags::NOCOW) }
            }
            _ => FileSystemKind::Other,
        };
        let counted = rustix::fs::fstatvfs(self.fd()).map_err(failed)?;
        let bytes = |blocks: u64| blocks.saturating_mul(counted.f_frsize);
        Ok(FileSystem { kind, free: bytes(counted.f_bavail), total: bytes(counted.f_blocks) })
    }
}

impl Dir {
    /// Makes all that was written to its file system durable.
    pub fn sync_file_system(&self) -> Result<(), FileError> {
        rustix::fs::syncfs(self.fd())
            .map_err(|source| FileError::system("syncing", self.path(), source))
    }
}

impl StagedFile<'_> {
    /// Gives the file blocks on the disk for `size` bytes: of zeros, and without holes.
    pub fn allocate(&self, size: u64) -> Result<(), FileError> {
        let failed = |source: Errno| FileError::system("making", self.path(), source);
        match rustix::fs::fallocate(self.file(), FallocateFlags::empty(), 0, size) {
            Err(Errno::OPNOTSUPP | Errno::NOSYS) => self.fill(size),
            result => result.map_err(failed),
        }
    }

    /// Writes the zeros, where the file system cannot reserve blocks.
    fn fill(&self, size: u64) -> Result<(), FileError> {
        let zeros = vec![0_u8; 1 << 20];
        let mut written = 0;
        while written < size {
            let part = usize::try_from(size - written).unwrap_or(usize::MAX).min(zeros.len());
            let more = self.file().write_all_at(&zeros[..part], written);
            more.map_err(|source| FileError { doing: "making", path: self.path(), source })?;
            written += part as u64;
        }
        Ok(())
    }
}
