//! How much is kept (pure).

/// Largest file, in bytes.
pub(super) const MAX_FILE: u64 = 64 << 20;
/// Most bytes of all files of one user.
pub(super) const MAX_TOTAL: u64 = 1 << 30;
/// As much stays free on the disk, in bytes.
const MIN_FREE: u64 = 256 << 20;
/// The bounds of what is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) file: u64,
    pub(super) total: u64,
    pub(super) free: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { file: MAX_FILE, total: MAX_TOTAL, free: MIN_FREE }
    }
}
