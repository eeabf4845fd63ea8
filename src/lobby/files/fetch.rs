//! Getting a file: it is opened when it is asked for, and sent to the address that the answer names, once. So no log
//! of requests has its name.

use super::error::FilesError;
use super::names::image_type;
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use terminal_lobby::sys::Dir;
use terminal_lobby::sys::fs::random_hex;
use tokio::time::Instant;

/// How long a file may be asked for and not be fetched.
const WAITS: Duration = Duration::from_mins(1);
/// Files that wait at once; the oldest gives way.
const MAX_WAITING: usize = 16;
/// As much is read at once, in bytes.
const PART: usize = 128 << 10;

/// A file that is open, and was asked for.
#[derive(Debug)]
pub(super) struct Opened {
    file: File,
    pub(super) name: String,
    pub(super) size: u64,
}

/// Files that were asked for, each under a random word.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting(Arc<Mutex<Vec<(String, Instant, Opened)>>>);

/// Opens a file by a path that is below one of these directories, or in the first of them if it is relative.
pub(super) fn open(roots: &[&Path], path: &Path) -> Result<Opened, FilesError> {
    let is_plain = |part: Component<'_>| !matches!(part, Component::ParentDir);
    let name = path.file_name().and_then(|name| name.to_str()).ok_or(FilesError::Invalid)?;
    if !path.components().all(is_plain) {
        return Err(FilesError::Elsewhere);
    }
    let below = |root: &Path| {
        if path.is_absolute() { path.strip_prefix(root).ok() } else { Some(path) }
    };
    let found = roots.iter().find_map(|root| Some((root, below(root)?)));
    let (root, below) = found.ok_or(FilesError::Elsewhere)?;
    let file = Dir::open(root)?.file_below(below)?;
    let size = file.metadata().map_err(FilesError::Write)?.len();
    Ok(Opened { file, name: name.to_owned(), size })
}

impl Waiting {
    /// Keeps an open file for a moment; gives the word that it is fetched by.
    pub(super) fn put(&self, opened: Opened) -> String {
        let word = random_hex();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(_, since, _)| since.elapsed() < WAITS);
        if all.len() == MAX_WAITING {
            all.remove(0);
        }
        all.push((word.clone(), Instant::now(), opened));
        let waiting = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(WAITS).await;
            let mut all = waiting.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.retain(|(_, since, _)| since.elapsed() < WAITS);
        });
        word
    }

    /// Takes it: once.
    pub(super) fn take(&self, word: &str) -> Option<Opened> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at =
            all.iter().position(|(known, since, _)| known == word && since.elapsed() < WAITS)?;
        Some(all.remove(at).2)
    }
}

impl IntoResponse for Opened {
    /// Whatever it holds, a browser stores it, or shows it as an image; it runs nothing.
    fn into_response(self) -> Response {
        let kind = image_type(&self.name).unwrap_or("application/octet-stream");
        let headers = [
            (header::CONTENT_TYPE, kind),
            (header::CONTENT_DISPOSITION, "attachment"),
            (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::CACHE_CONTROL, "no-store"),
        ];
        let length = [(header::CONTENT_LENGTH, self.size.to_string())];
        (headers, length, Body::from_stream(parts(self.file, self.size))).into_response()
    }
}

/// The file in parts, as the browser takes them. Exactly as many bytes as were promised: one that grows is cut, one
/// that shrinks breaks off.
fn parts(file: File, size: u64) -> impl stream::Stream<Item = io::Result<Bytes>> {
    stream::try_unfold((file, size), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let read = tokio::task::spawn_blocking(move || {
            let wanted = usize::try_from(left).unwrap_or(PART).min(PART);
            let mut part = vec![0; wanted];
            let count = file.read(&mut part)?;
            part.truncate(count);
            Ok::<_, io::Error>((file, part))
        });
        let (file, part) = read.await.map_err(io::Error::other)??;
        if part.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let left = left - part.len() as u64;
        Ok(Some((Bytes::from(part), (file, left))))
    })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "what users do to their files")]
mod tests {
    use super::*;

    #[test]
    fn only_files_below_these_directories_are_opened() {
        let root = tempfile::tempdir().unwrap();
        let (work, home) = (root.path().join("work"), root.path().join("home"));
        for dir in [&work, &home] {
            std::fs::create_dir(dir).unwrap();
            std::fs::write(dir.join("a.txt"), "xy").unwrap();
        }
        std::fs::write(root.path().join("secret"), "no").unwrap();
        std::os::unix::fs::symlink("../secret", work.join("link")).unwrap();
        let roots = [&*work, &*home];
        let open = |path: &Path| open(&roots, path);
        for good in [Path::new("a.txt"), &work.join("a.txt"), &home.join("a.txt")] {
            let opened = open(good).unwrap();
            assert_eq!((opened.name.as_str(), opened.size), ("a.txt", 2));
        }
        let up = work.join("../secret");
        for bad in [
            &root.path().join("secret"),
            &up,
            &work.join("link"),
            &work,
            Path::new("../secret"),
            Path::new(""),
        ] {
            assert!(open(bad).is_err(), "{}", bad.display());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_is_fetched_once_and_soon() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("a"), "x").unwrap();
        let waiting = Waiting::default();
        let put = || waiting.put(open(&[root.path()], Path::new("a")).unwrap());
        let word = put();
        assert!(waiting.take("x").is_none() && waiting.take(&word).is_some());
        assert!(waiting.take(&word).is_none());
        let word = put();
        tokio::time::advance(WAITS).await;
        assert!(waiting.take(&word).is_none());
        let first = put();
        for _ in 0..MAX_WAITING {
            put();
        }
        assert!(waiting.take(&first).is_none());
        assert_eq!(waiting.0.lock().unwrap().len(), MAX_WAITING);
    }
}
