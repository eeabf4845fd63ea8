//! The user's directory of backups: what is complete, what a killed run left, what is no longer needed.

use super::UserError;
use crate::sys::Dir;
use crate::sys::fs::{FileError, walk};
use crate::t3::backup::id::BackupId;
use crate::t3::backup::manifest::{self, Attachment, FILES, MANIFEST, Manifest};
use crate::t3::backup::protocol::{Listed, MAX_LISTED};
use crate::t3::state_dir::DATABASE;
use crate::text::hex;
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// What a backup that is not complete is called until it is.
const PARTIAL: &str = ".partial-";
/// Maximum number of entries of the directory.
const MAX_ENTRIES: usize = 10_000;

/// The directory.
#[derive(Debug)]
pub struct Shelf {
    dir: Dir,
}

impl Shelf {
    /// Opens it.
    ///
    /// # Errors
    /// If it is not there, or another user's.
    pub fn open(place: &Path) -> Result<Self, FileError> {
        let dir = Dir::open(place)?;
        if dir.is_own()? {
            return Ok(Self { dir });
        }
        Err(FileError::refused("opening", place, "belongs to another user"))
    }

    pub(super) fn dir(&self) -> &Dir {
        &self.dir
    }

    /// The complete backups, oldest first.
    pub fn complete(&self) -> Result<Vec<BackupId>, UserError> {
        let names = self.names()?;
        let ids = names.iter().filter_map(|name| name.parse::<BackupId>().ok());
        let mut ids: Vec<BackupId> =
            ids.filter(|id| self.has_manifest(id).unwrap_or(false)).collect();
        ids.sort();
        Ok(ids)
    }

    /// The complete ones with what their manifests say, newest first.
    pub fn list(&self) -> Result<Vec<Listed>, UserError> {
        let mut list = Vec::new();
        for id in self.complete()?.into_iter().rev().take(MAX_LISTED) {
            let Ok((manifest, sha256)) = self.manifest(&id) else { continue };
            list.push(Listed {
                database_bytes: manifest.files.get(DATABASE).map_or(0, |file| file.bytes),
                attachments: manifest.attachments,
                attachment_bytes: manifest.attachment_bytes,
                migration_level: manifest.migration_level,
                environment: manifest.environment,
                id,
                sha256,
            });
        }
        Ok(list)
    }

    /// What a complete backup says of itself, and the hash of that.
    pub fn manifest(&self, id: &BackupId) -> Result<(Manifest, String), UserError> {
        let dir = self.open_backup(id)?;
        let bytes = dir.read(MANIFEST, manifest::MAX_MANIFEST)?;
        let path = dir.path().join(MANIFEST);
        let found: Manifest = serde_json::from_slice(&bytes)
            .map_err(|source| UserError::Json { path: path.clone(), source })?;
        if found.format != manifest::FORMAT || found.id != *id {
            let why = "not the manifest of this backup, or of a later release".to_owned();
            return Err(UserError::Unusable { path, why });
        }
        Ok((found, hex(&Sha256::digest(&bytes))))
    }

    /// The directory of a complete backup.
    pub fn open_backup(&self, id: &BackupId) -> Result<Dir, UserError> {
        match self.dir.open_dir(id.as_str()) {
            Ok(dir) => Ok(dir),
            Err(error) if error.is_not_found() => Err(UserError::NoBackup(id.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    /// The attachments of a complete backup; none if the list is not the one that its manifest names.
    pub(crate) fn attachments(&self, id: &BackupId) -> Result<Vec<Attachment>, UserError> {
        let (found, _) = self.manifest(id)?;
        let bytes = self.open_backup(id)?.read(FILES, manifest::MAX_FILES)?;
        if hex(&Sha256::digest(&bytes)) == found.list_sha256 {
            return Ok(manifest::decode(&bytes));
        }
        let path = self.dir.path().join(id.as_str()).join(FILES);
        Err(UserError::Unusable { path, why: "changed since it was written".to_owned() })
    }

    /// Begins a backup: removes what killed runs left, and makes the directory that is filled.
    pub(super) fn begin(&self, id: &BackupId) -> Result<Dir, UserError> {
        self.remove_partial()?;
        if self.dir.stat(id.as_str())?.is_some() {
            let path = self.dir.path().join(id.as_str());
            return Err(UserError::Unusable { path, why: "exists already".to_owned() });
        }
        Ok(self.dir.ensure_dir(&format!("{PARTIAL}{id}"))?)
    }

    /// Gives a filled backup its name.
    pub(super) fn finish(&self, id: &BackupId) -> Result<(), FileError> {
        self.dir.place(&format!("{PARTIAL}{id}"), id.as_str())
    }

    /// Removes what killed or failed runs left. The caller's run is the only one.
    pub(super) fn remove_partial(&self) -> Result<(), UserError> {
        for name in self.names()?.iter().filter(|name| name.starts_with(PARTIAL)) {
            walk::remove(&self.dir, name)?;
        }
        Ok(())
    }

    /// Removes a complete backup: first its name, so that a half-removed one is none.
    pub(super) fn remove(&self, id: &BackupId) -> Result<(), FileError> {
        let partial = format!("{PARTIAL}{id}");
        self.dir.place(id.as_str(), &partial)?;
        walk::remove(&self.dir, &partial)
    }

    fn has_manifest(&self, id: &BackupId) -> Result<bool, FileError> {
        self.dir.open_dir(id.as_str())?.has_file(MANIFEST)
    }

    fn names(&self) -> Result<Vec<String>, UserError> {
        let names = self.dir.names(MAX_ENTRIES)?.ok_or_else(|| UserError::Unusable {
            path: self.dir.path().to_owned(),
            why: format!("more than {MAX_ENTRIES} entries"),
        })?;
        Ok(names.into_iter().filter_map(|name| name.into_string().ok()).collect())
    }
}
