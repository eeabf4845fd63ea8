//! One connection by which a file is uploaded.

use super::error::FilesError;
use super::routes::Files;
use super::store::Part;
use super::uploads::Upload;
use crate::list::Sessions;
use crate::protocol::conversation::shown;
use crate::protocol::files::{FromLobby, FromPage, MAX_PART};
use axum::extract::ws::{Message, WebSocket};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// How long the first message may take.
const HELLO: Duration = Duration::from_secs(10);
/// How long the browser may send nothing, and take nothing.
const STALLED: Duration = Duration::from_secs(30);

/// How a connection went.
enum End {
    /// All of it is there.
    Done,
    /// The line broke, or stalled.
    Broken,
    /// The browser does not want it any more.
    Cancelled,
    Failed(FilesError),
}

/// Serves one upload.
pub async fn serve(mut socket: WebSocket, files: Files, sessions: Sessions) {
    let hello = timeout(HELLO, socket.recv()).await;
    let Ok(Some(Ok(Message::Text(text)))) = hello else { return };
    let Ok(FromPage::Begin { session, upload, name, size }) = serde_json::from_str(&text) else {
        return;
    };
    if sessions.known(&session).await.is_none() {
        fail(&mut socket, &FilesError::NoSession).await;
        return;
    }
    let began = tokio::select! {
        began = files.uploads().begin(session, upload, name, size) => began,
        // It waits in a queue, and says nothing until it is its turn.
        () = broken(&mut socket) => return,
    };
    match began {
        Ok(upload) => match receive(&mut socket, upload).await {
            (Some(upload), End::Done | End::Broken) => upload.leave(),
            (Some(upload), End::Cancelled) => upload.discard(),
            (Some(upload), End::Failed(error)) => {
                upload.discard();
                fail(&mut socket, &error).await;
            }
            (None, End::Failed(error)) => fail(&mut socket, &error).await,
            (None, _) => {}
        },
        Err(error) => fail(&mut socket, &error).await,
    }
}

/// Until the browser says anything, or is gone.
async fn broken(socket: &mut WebSocket) {
    while let Some(Ok(Message::Ping(_) | Message::Pong(_))) = socket.recv().await {}
}

/// Receives until it is complete, or does not go on; gives the upload back, unless a task of it failed.
async fn receive(socket: &mut WebSocket, mut upload: Upload) -> (Option<Upload>, End) {
    let from = upload.part.written;
    if !send(socket, &FromLobby::Ready { from }).await {
        return (Some(upload), End::Broken);
    }
    while !upload.part.is_complete() {
        let taken_over = Arc::clone(&upload.taken_over);
        let said = tokio::select! {
            said = timeout(STALLED, socket.recv()) => said,
            () = taken_over.notified() => return (Some(upload), End::Broken),
        };
        match said {
            Ok(Some(Ok(Message::Binary(bytes)))) if bytes.len() <= MAX_PART => {
                let written = beside(upload, move |part| part.write(&bytes)).await;
                upload = match written {
                    (Some(upload), Ok(())) => upload,
                    (upload, Err(error)) => return (upload, End::Failed(error)),
                    (None, Ok(())) => return (None, End::Broken),
                };
                let bytes = upload.part.written;
                if !send(socket, &FromLobby::Taken { bytes }).await {
                    return (Some(upload), End::Broken);
                }
            }
            Ok(Some(Ok(Message::Text(text)))) => {
                let end = match serde_json::from_str(&text) {
                    Ok(FromPage::Cancel) => End::Cancelled,
                    _ => End::Failed(FilesError::Invalid),
                };
                return (Some(upload), end);
            }
            Ok(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
            _ => return (Some(upload), End::Broken),
        }
    }
    let (upload, finished) = beside(upload, Part::finish).await;
    match finished {
        Ok(path) => {
            let done = FromLobby::Done { path: path.to_string_lossy().into_owned() };
            let end = if send(socket, &done).await { End::Done } else { End::Broken };
            (upload, end)
        }
        Err(error) => (upload, End::Failed(error)),
    }
}

/// Does something that may wait for a disk beside the thread that serves all.
async fn beside<T: Send + 'static>(
    mut upload: Upload,
    work: impl FnOnce(&mut Part) -> Result<T, FilesError> + Send + 'static,
) -> (Option<Upload>, Result<T, FilesError>) {
    let task = tokio::task::spawn_blocking(move || {
        let done = work(&mut upload.part);
        (upload, done)
    });
    match task.await {
        Ok((upload, done)) => (Some(upload), done),
        Err(error) => (None, Err(error.into())),
    }
}

async fn fail(socket: &mut WebSocket, error: &FilesError) {
    let is_final = !matches!(error, FilesError::Task(_) | FilesError::TooMany);
    send(socket, &FromLobby::Failed { why: shown(&error.to_string()), r#final: is_final }).await;
    // So that it is read before the end is.
    let _ = timeout(Duration::from_secs(1), socket.recv()).await;
}

async fn send(socket: &mut WebSocket, said: &FromLobby) -> bool {
    let Ok(text) = serde_json::to_string(said) else { return false };
    timeout(STALLED, socket.send(Message::Text(text.into()))).await.is_ok_and(|sent| sent.is_ok())
}
