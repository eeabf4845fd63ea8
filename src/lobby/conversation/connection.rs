//! One page that reads one session's conversation.

use super::appended::{Appended, Appends};
use crate::list::Sessions;
use crate::present::{Over as Ends, Visitor};
use crate::protocol::conversation::{About, FromLobby, FromPage, Shown, Why, shown};
use axum::extract::ws::{Message, WebSocket};
use std::sync::Arc;
use std::time::Duration;
use terminal_lobby::agent::ConversationId;
use terminal_lobby::agent::messages::{Page, Payload, Transcript};
use terminal_lobby::persist::sessions::Conversation;
use tokio::time::{sleep, timeout};

/// How long the first message may take.
const HELLO: Duration = Duration::from_secs(10);
/// How many messages a page gets at once.
const PAGE: usize = 60;
/// How long the last message may take.
const LAST: Duration = Duration::from_millis(500);
/// After a change, for more to come: an agent writes several lines at once.
const GATHER: Duration = Duration::from_millis(20);

/// A conversation that is read.
struct Reading {
    conversation: Conversation,
    transcript: Arc<Transcript>,
    appended: Option<Appended>,
    /// Where what was not sent yet begins.
    end: u64,
    /// Whether there is more than was sent at once.
    has_more: bool,
}

/// What happened.
enum Step {
    Asked(FromPage),
    Appended,
    /// The list has changed: the session may have another conversation.
    Listed,
    Nothing,
    /// It may look no longer.
    Ends(Ends),
    Over,
}

/// The conversation that a link shows, and no other: its agent and its id.
type Pinned = Option<(String, String)>;

/// What a page wants to read.
enum Wanted {
    /// Whatever conversation the session has, by its birth id; or the one of it that a link shows.
    Session(String, Pinned),
    Past(Conversation),
}

/// What the first message asks for, and where to begin; `None` if it may not.
fn wanted(
    text: &str,
    visitor: &Visitor,
    pinned: Pinned,
    past: bool,
) -> Option<(Wanted, Option<u64>)> {
    match serde_json::from_str(text).ok()? {
        FromPage::Hello { session, at } => {
            // A link's page does not know the session.
            let session = match (&pinned, &visitor.only) {
                (Some(_), Some(only)) => only.clone(),
                _ => session,
            };
            visitor.may_reach(&session).then_some((Wanted::Session(session, pinned), at))
        }
        FromPage::Past { agent, id, at } if past => {
            let conversation = Conversation::past(&agent, ConversationId::parse(id.as_bytes())?)?;
            Some((Wanted::Past(conversation), at))
        }
        _ => None,
    }
}

/// Serves one page until it leaves. A guest reads only the session that is shared, one with a link only its
/// conversation. `past`: whether the page may read conversations that are in no session.
pub async fn serve(
    mut socket: WebSocket,
    sessions: Sessions,
    appends: Appends,
    mut visitor: Visitor,
    pinned: Pinned,
    past: bool,
) {
    let hello = timeout(HELLO, socket.recv()).await;
    let Ok(Some(Ok(Message::Text(text)))) = hello else { return };
    let Some((wanted, mut at)) = wanted(&text, &visitor, pinned, past) else { return };
    let _here = match &wanted {
        Wanted::Session(session, _) => Some(visitor.enter(session, false)),
        Wanted::Past(_) => None,
    };
    let (mut list, _watching) = sessions.subscribe();
    let mut reading: Option<Reading> = None;
    let mut said: Option<Why> = None;
    let mut step = Step::Listed;
    // A session that is not in the newest list is looked for once: to look makes a list, which is a change of it.
    if let Wanted::Session(session, _) = &wanted {
        let _ = sessions.known(session).await;
    }
    list.mark_unchanged();
    loop {
        let answer = match step {
            Step::Over => return,
            Step::Appended => {
                sleep(GATHER).await;
                later(&mut reading).await
            }
            Step::Ends(over) => {
                let why = match over {
                    Ends::Revoked => Why::Revoked,
                    Ends::Expired => Why::Expired,
                };
                let Ok(text) = serde_json::to_string(&FromLobby::Nothing { why }) else { return };
                let said = async {
                    let _ = socket.send(Message::Text(text.into())).await;
                    let _ = socket.send(Message::Close(None)).await;
                };
                let _ = timeout(LAST, said).await;
                return;
            }
            Step::Listed => {
                match newest(&sessions, &appends, &wanted, &mut at, &mut reading).await {
                    Ok(answer) => {
                        said = None;
                        answer
                    }
                    Err(why) if said == Some(why) => None,
                    Err(why) => {
                        (reading, said) = (None, Some(why));
                        Some(FromLobby::Nothing { why })
                    }
                }
            }
            Step::Asked(asked) => match &reading {
                Some(reading) => answer(reading, asked).await,
                None => None,
            },
            Step::Nothing => None,
        };
        if let Some(answer) = answer {
            let Ok(text) = serde_json::to_string(&answer) else { return };
            if socket.send(Message::Text(text.into())).await.is_err() {
                return;
            }
        }
        if reading.as_ref().is_some_and(|reading| reading.has_more) {
            step = Step::Appended;
            continue;
        }
        let appended = async {
            match reading.as_mut().and_then(|reading| reading.appended.as_mut()) {
                Some(appended) => appended.next().await,
                None => std::future::pending().await,
            }
        };
        step = tokio::select! {
            biased;
            over = visitor.ends.as_mut() => Step::Ends(over),
            () = appended => Step::Appended,
            changed = list.changed() => if changed.is_ok() { Step::Listed } else { Step::Over },
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => {
                    serde_json::from_str(&text).map_or(Step::Over, Step::Asked)
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => Step::Nothing,
                _ => Step::Over,
            },
        };
    }
}

/// The newest messages, if another conversation than is read is wanted, or it has a transcript now. The first time
/// those around a place, if there is one.
async fn newest(
    sessions: &Sessions,
    appends: &Appends,
    wanted: &Wanted,
    at: &mut Option<u64>,
    reading: &mut Option<Reading>,
) -> Result<Option<FromLobby>, Why> {
    let conversation = match wanted {
        Wanted::Session(session, pinned) => {
            let view = sessions.listed(session).ok_or(Why::NoSession)?;
            match pinned {
                None => view.conversation.ok_or(Why::NoConversation)?,
                Some((agent, id)) => {
                    let now = view.conversation.filter(|now| now.agent == agent);
                    let id = ConversationId::parse(id.as_bytes()).ok_or(Why::Failed)?;
                    now.ok_or(Why::Over)?.with_id(id)
                }
            }
        }
        Wanted::Past(conversation) => conversation.clone(),
    };
    if reading.as_ref().is_some_and(|reading| reading.conversation == conversation) {
        return Ok(None);
    }
    let home = sessions.home().to_owned();
    let (opening, appends, place) = (conversation.clone(), appends.clone(), at.take());
    let is_past = matches!(wanted, Wanted::Past(_));
    let opened = tokio::task::spawn_blocking(move || {
        let Some((path, transcript)) = opening.transcript(&home).map_err(|_| Why::Failed)? else {
            return Err(Why::NoTranscript);
        };
        // First: what is appended after the reading must not be missed.
        let appended = appends.to(&path).ok();
        let read = page(&transcript, place).map_err(|_| Why::Failed)?;
        let described = is_past.then(|| opening.description(&home)).flatten();
        Ok((transcript, appended, read, described))
    });
    let (transcript, appended, (page, end), described) =
        opened.await.map_err(|_| Why::Failed)??;
    let agent = conversation.agent;
    let about = match described {
        Some(described) => {
            let running = sessions.conversations().await;
            let key = (agent.to_owned(), conversation.id.key().to_owned());
            let directory = described.cwd.unwrap_or_default();
            Some(About {
                title: shown(&described.title.unwrap_or_default()),
                directory: shown(&directory.to_string_lossy()),
                session: running.get(&key).map(|(id, _)| id.clone()),
            })
        }
        None => None,
    };
    let transcript = Arc::new(transcript);
    let last = page.end == end;
    *reading = Some(Reading { conversation, transcript, appended, end, has_more: false });
    Ok(Some(FromLobby::Newest { agent, page: Shown::of(page), last, about }))
}

/// The last messages, or those around a place; and where the last finished line ends.
fn page(transcript: &Transcript, place: Option<u64>) -> std::io::Result<(Page, u64)> {
    let newest = transcript.before(u64::MAX, PAGE)?;
    let end = newest.end;
    match place.filter(|place| *place < newest.begin) {
        None => Ok((newest, end)),
        Some(place) => {
            let mut page = transcript.before(place, PAGE / 2)?;
            // Where no line begins there, as in another transcript, the newest are shown.
            if page.end != place {
                return Ok((newest, end));
            }
            let next = transcript.following(place, PAGE / 2)?;
            page.messages.extend(next.messages);
            page.end = next.end;
            Ok((page, end))
        }
    }
}

/// What was appended since, if that is anything.
async fn later(reading: &mut Option<Reading>) -> Option<FromLobby> {
    let now = reading.as_mut()?;
    let (transcript, begin) = (Arc::clone(&now.transcript), now.end);
    let page = tokio::task::spawn_blocking(move || transcript.after(begin)).await.ok()?;
    match page {
        Ok(page) => {
            (now.has_more, now.end) = (page.end != begin, page.end);
            (!page.messages.is_empty()).then(|| FromLobby::Later(Shown::of(page)))
        }
        // It was written anew: it is found again at the next change of the list.
        Err(error) => {
            tracing::debug!(%error, "a transcript is read anew");
            *reading = None;
            None
        }
    }
}

async fn answer(reading: &Reading, asked: FromPage) -> Option<FromLobby> {
    let agent = reading.conversation.agent;
    let (transcript, end) = (Arc::clone(&reading.transcript), reading.end);
    let answered = tokio::task::spawn_blocking(move || match asked {
        FromPage::Hello { .. } | FromPage::Past { .. } => None,
        FromPage::Newest => {
            let page = transcript.before(end, PAGE).ok()?;
            Some(FromLobby::Newest { agent, page: Shown::of(page), last: true, about: None })
        }
        FromPage::Next { after } => {
            // What is behind the end is said when it is seen to be appended.
            let mut page = transcript.following(after, PAGE).ok()?;
            if page.end > end {
                page.messages.retain(|message| message.at < end);
                page.end = end;
            }
            let last = page.end == end || page.end == after;
            Some(FromLobby::Next { page: Shown::of(page), last })
        }
        FromPage::Earlier { before } => {
            let page = transcript.before(before, PAGE).ok()?;
            Some(FromLobby::Earlier(Shown::of(page)))
        }
        FromPage::Unfold { at, part } => {
            let Payload { text, images } = transcript.payload(at, part).ok()?.unwrap_or_default();
            let payload = Payload { text: shown(&text), images };
            Some(FromLobby::Unfolded { at, part, payload })
        }
    });
    answered.await.ok()?
}
