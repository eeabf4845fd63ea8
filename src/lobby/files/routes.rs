//! What can be asked of files.

use super::bounds::Bounds;
use super::error::FilesError;
use super::fetch::{Opened, Waiting, open};
use super::list::{Listed, list};
use super::names::image_type;
use super::store::Store;
use super::uploads::Uploads;
use crate::kept::Kept;
use crate::list::Sessions;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// The files of one user. Clones are the same ones.
#[derive(Debug, Clone)]
pub struct Files {
    uploads: Uploads,
    waiting: Waiting,
}

/// Asks for the entries of a directory below a session's.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    session: String,
    /// Below that of the session; empty for that itself.
    path: String,
}

/// Asks for a file below a session's directory, or by its whole path.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    session: String,
    path: String,
}

/// A file that can be fetched, for a moment.
#[derive(Debug, Serialize)]
struct Fetchable {
    word: String,
    name: String,
    size: u64,
    image: bool,
}

impl Files {
    /// Those that are kept there.
    pub fn new(kept: Kept) -> Self {
        let uploads = Uploads::new(Store { kept, bounds: Bounds::default() });
        Self { uploads, waiting: Waiting::default() }
    }

    pub(super) fn uploads(&self) -> &Uploads {
        &self.uploads
    }

    /// Lists a directory.
    ///
    /// # Errors
    /// If it is not below the session's, or cannot be read.
    pub async fn list(&self, sessions: &Sessions, wanted: List) -> Result<Response, FilesError> {
        let root = directory(sessions, &wanted.session).await?;
        let listed = move || list(&root, std::path::Path::new(&wanted.path));
        let listed: Listed = tokio::task::spawn_blocking(listed).await??;
        Ok(Json(listed).into_response())
    }

    /// Opens a file, and says by which word it is fetched.
    ///
    /// # Errors
    /// If it is neither below the session's directory nor in the home, or cannot be read.
    pub async fn open(&self, sessions: &Sessions, wanted: Fetch) -> Result<Response, FilesError> {
        let root = directory(sessions, &wanted.session).await?;
        let (home, uploads) = (sessions.home().to_owned(), self.uploads.store().kept.path());
        // As a person writes a path in the home.
        let path = if wanted.path.starts_with("~/") {
            sessions.directory(&wanted.path)
        } else {
            PathBuf::from(wanted.path)
        };
        let opened = move || open(&[&root, &uploads, &home], &path);
        let opened: Opened = tokio::task::spawn_blocking(opened).await??;
        let (name, size) = (opened.name.clone(), opened.size);
        let image = image_type(&name).is_some();
        let word = self.waiting.put(opened);
        Ok(Json(Fetchable { word, name, size, image }).into_response())
    }

    /// Sends a file that was opened.
    pub fn fetch(&self, word: &str) -> Response {
        match self.waiting.take(word) {
            Some(opened) => opened.into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

async fn directory(sessions: &Sessions, session: &str) -> Result<PathBuf, FilesError> {
    let view = sessions.known(session).await.ok_or(FilesError::NoSession)?;
    Ok(PathBuf::from(OsString::from_vec(view.cwd)))
}

impl IntoResponse for FilesError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::NoSession => StatusCode::NOT_FOUND,
            Self::File(error) if error.is_not_found() => StatusCode::NOT_FOUND,
            Self::Elsewhere => StatusCode::FORBIDDEN,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let error = crate::protocol::conversation::shown(&self.to_string());
        (status, Json(serde_json::json!({ "error": error }))).into_response()
    }
}
