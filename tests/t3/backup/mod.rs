//! Backups of instances: what is in one, while the server writes, and whatever else lies about.

mod hostile;
mod made;
mod whole;

pub(super) use whole::Served;

use std::path::{Path, PathBuf};
use terminal_lobby::t3::backup::protocol::Made;
use terminal_lobby::t3::backup::user::{Order, Shelf, UserError, make};
use terminal_lobby::t3::backup::{BackupId, Limits, Manifest, Why};
use terminal_lobby::t3::state_dir;

/// 2026-11-30 15:45.
pub(super) const NOW: u64 = 1_796_053_500;

/// A home with a base directory in it, and a place for backups.
pub(super) struct Place {
    pub(super) dir: tempfile::TempDir,
    pub(super) limits: Limits,
    next: std::sync::atomic::AtomicU64,
}

impl Place {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("home")).unwrap();
        std::fs::create_dir_all(dir.path().join("backups")).unwrap();
        let limits = Limits { keep_free_bytes: 0, seconds: 60, ..Limits::default() };
        Self { dir, limits, next: 0.into() }
    }

    pub(super) fn base(&self) -> PathBuf {
        self.dir.path().join("home/.t3")
    }

    pub(super) fn data(&self, name: &str) -> PathBuf {
        self.base().join("userdata").join(name)
    }

    pub(super) fn backups(&self) -> PathBuf {
        self.dir.path().join("backups")
    }

    pub(super) fn shelf(&self) -> Shelf {
        Shelf::open(&self.backups()).unwrap()
    }

    /// Makes a backup, each a second after the one before.
    pub(super) fn back_up(&self) -> Result<(BackupId, Made), UserError> {
        let second = self.next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let stamp = format!("20261130T1545{second:02}Z");
        let id = BackupId::new(&stamp, &Why::Daily).unwrap();
        let base = state_dir::open_base_at(&self.base()).unwrap().ok_or(UserError::NoData)?;
        let order = Order { id: &id, limits: &self.limits, protected: None, now: NOW };
        make(&base, &self.shelf(), &order).map(|made| (id, made))
    }

    pub(super) fn manifest(&self, id: &BackupId) -> Manifest {
        self.shelf().manifest(id).unwrap().0
    }

    pub(super) fn copy(&self, id: &BackupId, name: &str) -> PathBuf {
        self.backups().join(id.as_str()).join("userdata").join(name)
    }

    /// All names in the directory of backups.
    pub(super) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.backups()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// What a query gives of a database.
pub(super) fn query(file: &Path, sql: &str) -> i64 {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
    let database = rusqlite::Connection::open_with_flags(file, flags).unwrap();
    database.query_row(sql, [], |row| row.get(0)).unwrap()
}
