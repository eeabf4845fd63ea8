//! One page that searches.

use super::answer::{Answer, answer};
use super::error::SearchError;
use super::index::Index;
use super::service::Search;
use super::words::{MAX_QUERY, query};
use crate::list::Sessions;
use crate::protocol::search::{Found, FromLobby, FromPage};
use axum::extract::ws::{Message, WebSocket};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// How long one search may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// While transcripts are read, so often the words are searched again.
const AGAIN: Duration = Duration::from_secs(1);
/// Most conversations of one answer.
const MAX_FOUND: usize = 200;

/// What is searched.
#[derive(Debug, Clone)]
struct Wanted {
    number: u64,
    words: String,
    limit: usize,
}

/// A search that is under way.
struct Running {
    wanted: Wanted,
    task: JoinHandle<Result<Answer, SearchError>>,
    end: Instant,
    interrupter: Option<rusqlite::InterruptHandle>,
}

/// How a search ended.
type Ended = Result<Result<Answer, SearchError>, tokio::task::JoinError>;

/// The index as this page reads it.
struct Opened {
    index: Arc<Mutex<Index>>,
}

enum Step {
    Said(Option<Result<Message, axum::Error>>),
    Read,
    Done(Ended),
    Late,
    Again,
}

/// Serves one page until it leaves.
pub async fn serve(mut socket: WebSocket, search: Search, sessions: Sessions) {
    let _searching = search.enter();
    let mut progress = search.progress();
    progress.mark_changed();
    let mut opened: Option<Opened> = None;
    let mut wanted: Option<Wanted> = None;
    let mut running: Option<Running> = None;
    // What was said next, while a search is under way.
    let mut is_pending = false;
    let mut again: Option<Instant> = None;
    loop {
        if is_pending && running.is_none() {
            is_pending = false;
            again = None;
            if let Some(wanted) = wanted.clone() {
                match start(&search, &mut opened, wanted.clone()).await {
                    Ok(started) => running = Some(started),
                    Err(error) => {
                        let failed =
                            FromLobby::Failed { number: wanted.number, why: error.to_string() };
                        if !send(&mut socket, &failed).await {
                            return;
                        }
                    }
                }
            }
        }
        let end = running.as_ref().map(|running| running.end);
        let step = tokio::select! {
            said = socket.recv() => Step::Said(said),
            changed = progress.changed() => if changed.is_ok() { Step::Read } else { return },
            done = done(&mut running) => Step::Done(done),
            () = at(end) => Step::Late,
            () = at(again) => Step::Again,
        };
        match step {
            Step::Said(Some(Ok(Message::Text(text)))) => {
                let Ok(FromPage::Find { number, words, limit }) = serde_json::from_str(&text)
                else {
                    return;
                };
                if words.len() > MAX_QUERY {
                    return;
                }
                wanted = Some(Wanted { number, words, limit: limit.min(MAX_FOUND) });
                is_pending = true;
                search.again();
                if let Some(Running { interrupter: Some(interrupter), .. }) = &running {
                    interrupter.interrupt();
                }
            }
            Step::Said(Some(Ok(Message::Ping(_) | Message::Pong(_)))) => {}
            Step::Said(_) => return,
            Step::Read => {
                let now = progress.borrow_and_update().clone();
                if !send(&mut socket, &FromLobby::Progress(now)).await {
                    return;
                }
                if wanted.is_some() && again.is_none() {
                    again = Some(Instant::now() + AGAIN);
                }
            }
            Step::Again => (again, is_pending) = (None, true),
            Step::Late => {
                if let Some(running) = &mut running {
                    if let Some(interrupter) = &running.interrupter {
                        interrupter.interrupt();
                    }
                    running.end += PATIENCE;
                }
            }
            Step::Done(done) => {
                let Some(Running { wanted: Wanted { number, .. }, .. }) = running.take() else {
                    continue;
                };
                let is_current = wanted.as_ref().is_some_and(|wanted| wanted.number == number);
                let said = match done {
                    Ok(Ok((conversations, all, messages))) => {
                        let conversations = with_sessions(conversations, &sessions).await;
                        FromLobby::Found { number, conversations, all, messages }
                    }
                    Ok(Err(error)) if error.is_interrupt() && (is_pending || !is_current) => {
                        continue;
                    }
                    Ok(Err(error)) => {
                        if error.is_damage() {
                            opened = None;
                        }
                        let error = if error.is_interrupt() { SearchError::Slow } else { error };
                        FromLobby::Failed { number, why: error.to_string() }
                    }
                    Err(error) => FromLobby::Failed { number, why: error.to_string() },
                };
                if is_current && !send(&mut socket, &said).await {
                    return;
                }
            }
        }
    }
}

async fn done(running: &mut Option<Running>) -> Ended {
    match running {
        Some(running) => (&mut running.task).await,
        None => std::future::pending().await,
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

async fn send(socket: &mut WebSocket, said: &FromLobby) -> bool {
    let Ok(text) = serde_json::to_string(said) else { return false };
    let sent = tokio::time::timeout(crate::terminal::LOST, socket.send(Message::Text(text.into())));
    sent.await.is_ok_and(|sent| sent.is_ok())
}

async fn start(
    search: &Search,
    opened: &mut Option<Opened>,
    wanted: Wanted,
) -> Result<Running, SearchError> {
    let end = Instant::now() + PATIENCE;
    let Some(query) = query(&wanted.words) else {
        let task = tokio::spawn(async { Ok((Vec::new(), 0, 0)) });
        return Ok(Running { wanted, task, end, interrupter: None });
    };
    let known = if let Some(known) = opened.take() {
        known
    } else {
        let kept = search.kept().clone();
        let open = move || Index::open(&kept.directory()?);
        let index = tokio::task::spawn_blocking(open).await;
        let index = index.map_err(|error| SearchError::Thread(std::io::Error::other(error)))??;
        Opened { index: Arc::new(Mutex::new(index)) }
    };
    let index = Arc::clone(&known.index);
    // No search of this page is under way, so that nothing is waited for.
    let interrupter = Some(index.lock().unwrap_or_else(PoisonError::into_inner).interrupter());
    *opened = Some(known);
    let limit = wanted.limit;
    let kept = search.kept().clone();
    let task = tokio::task::spawn_blocking(move || {
        let mut index = index.lock().unwrap_or_else(PoisonError::into_inner);
        let dir = kept.directory()?;
        if !index.is_current(&dir) {
            *index = Index::open(&dir)?;
        }
        answer(&index, &query, limit)
    });
    Ok(Running { wanted, task, end, interrupter })
}

/// Adds the sessions that run these conversations.
async fn with_sessions(mut found: Vec<Found>, sessions: &Sessions) -> Vec<Found> {
    let running = sessions.conversations().await;
    for one in &mut found {
        let key = (one.agent.clone(), one.id.to_ascii_lowercase());
        one.session = running.get(&key).cloned();
    }
    found
}
