//! The list, to one page: everything at first, then what changes.

use super::access::{Access, Reach};
use super::sharing::people_of;
use super::state::Agent;
use crate::attention::Looking;
use crate::layout::Shown;
use crate::list::{Listing, Sessions};
use crate::protocol::attention::Look;
use crate::protocol::people::{Grant, Person};
use crate::protocol::sessions::{Message as Event, Session, changes};
use crate::terminal::{Beat, Heartbeat, LOST};
use axum::extract::ws::{Message, WebSocket};
use bytes::Bytes;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use terminal_lobby::persist::capture;
use tokio::time::timeout;

/// What one page may see.
struct Sees {
    /// With whom something is shared; `None` for the user and for admins, who see all.
    guest: Option<String>,
    grants: BTreeMap<String, Grant>,
}

impl Sees {
    fn session(&self, id: &str) -> bool {
        self.guest.is_none() || self.grants.contains_key(id)
    }

    /// The list as this page sees it.
    fn of(&self, list: &Arc<Listing>) -> Arc<Listing> {
        if self.guest.is_none() {
            return Arc::clone(list);
        }
        let own = list.sessions.iter().filter(|session| session.live && self.session(&session.id));
        // A prompt that is held was not said yet.
        let shown = |session: &Arc<Session>| match session.held {
            None => Arc::clone(session),
            Some(_) => Arc::new(Session { held: None, ..(**session).clone() }),
        };
        Arc::new(Listing { sessions: own.map(shown).collect(), ..Listing::default() })
    }
}

/// What a page knows of people.
#[derive(Default)]
struct Told {
    watched_by: Vec<String>,
    people: BTreeMap<String, Vec<Person>>,
    granted: Option<BTreeMap<String, Grant>>,
}

impl Told {
    /// Adds what has changed: who looks at all (`by`, for the user), who has which session open, and what is shared.
    fn add(
        &mut self,
        agent: &Agent,
        sees: &Sees,
        by: Option<Vec<String>>,
        events: &mut Vec<Event>,
    ) {
        if let Some(by) = by.filter(|by| *by != self.watched_by) {
            events.push(Event::Watched { by: by.clone() });
            self.watched_by = by;
        }
        let people: BTreeMap<_, _> =
            people_of(agent, |session| sees.session(session)).into_iter().collect();
        if people != self.people {
            events.push(Event::People { sessions: people.clone() });
            self.people = people;
        }
        if sees.guest.is_some() && self.granted.as_ref() != Some(&sees.grants) {
            events.push(Event::Shared { sessions: sees.grants.clone() });
            self.granted = Some(sees.grants.clone());
        }
    }
}

/// Serves one page until it leaves.
pub(super) async fn serve(mut socket: WebSocket, agent: Agent, access: Access) {
    let is_own = access.onlooker.is_none();
    let guest = access.onlooker.clone().filter(|_| access.reach == Reach::Shared);
    let mut shares = agent.shares.changes();
    let grants = guest.as_deref().map(|guest| shares.grants(guest)).unwrap_or_default();
    let mut sees = Sees { guest, grants };
    // A guest's list is open beside the guest's own: only who opens a session looks at it.
    let _looking = agent.onlookers.enter(access.onlooker.filter(|_| sees.guest.is_none()));
    let mut onlookers = agent.onlookers.subscribe();
    let mut told = Told::default();
    let mut layouts = agent.layouts.subscribe();
    let mut layout = match &sees.guest {
        None => Some(agent.layouts.read().await),
        Some(_) => None,
    };
    layouts.mark_unchanged();
    let mut looking = is_own.then(|| agent.attention.look());
    let mut marks = agent.attention.marks();
    if is_own && let Err(error) = agent.attention.visit().await {
        tracing::warn!(%error, "it is not known what was seen");
    }
    marks.mark_changed();
    let mut present = agent.present.changes();
    let sessions = &agent.sessions;
    let (mut list, _watching) = sessions.subscribe();
    let mut sent: Option<Arc<Listing>> = None;
    // What another page saw may be old.
    let mut newest = sessions.refresh().await;
    list.mark_unchanged();
    let mut heartbeat = Heartbeat::default();
    loop {
        let next = sees.of(&newest);
        let mut events = events(sent.as_deref(), &next, sessions);
        let by = onlookers.borrow_and_update().keys().cloned().collect();
        told.add(&agent, &sees, is_own.then_some(by), &mut events);
        if let Some(layout) = layout.take() {
            events.push(arranged(layout));
        }
        if is_own && marks.has_changed().is_ok_and(|is| is) {
            events.push(Event::Attention(Arc::clone(&marks.borrow_and_update())));
        }
        for event in events {
            let Ok(text) = serde_json::to_string(&event) else { return };
            if send(&mut socket, Message::Text(text.into())).await.is_err() {
                return;
            }
        }
        if sees.guest.is_some() && sees.grants.is_empty() {
            return; // nothing is shared any more
        }
        sent = Some(next);
        loop {
            tokio::select! {
                _ = layouts.changed() => {
                    let now = layouts.borrow_and_update().clone();
                    layout = Some(now).filter(|_| sees.guest.is_none());
                    break;
                }
                _ = onlookers.changed() => break,
                () = present.next() => break,
                () = ended(&agent, &sees) => {
                    if let Some(guest) = &sees.guest {
                        sees.grants = shares.grants(guest);
                    }
                    break;
                }
                () = shares.next() => {
                    if let Some(guest) = &sees.guest {
                        sees.grants = shares.grants(guest);
                    }
                    break;
                }
                _ = marks.changed(), if is_own => {
                    marks.mark_changed();
                    break;
                }
                changed = list.changed() => match changed {
                    Ok(()) => {
                        newest = list.borrow_and_update().clone();
                        break;
                    }
                    Err(_) => return,
                },
                beat = poll_fn(|cx| heartbeat.poll(cx)) => match beat {
                    Beat::Ping if send(&mut socket, Message::Ping(Bytes::new())).await.is_ok() => {}
                    Beat::Ping | Beat::Lost => return,
                },
                message = socket.recv() => {
                    if !heard(message, &mut heartbeat, &mut looking) {
                        return;
                    }
                }
            }
        }
    }
}

/// Takes what the page sent, and whether it is still there. It says what is looked at; all that it sends keeps the
/// connection alive.
fn heard(
    message: Option<Result<Message, axum::Error>>,
    heartbeat: &mut Heartbeat,
    looking: &mut Option<Looking>,
) -> bool {
    match message {
        Some(Ok(Message::Text(text))) => {
            heartbeat.heard();
            if let (Some(looking), Some(look)) = (looking, Look::of(&text)) {
                looking.is_at(look);
            }
            true
        }
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
            heartbeat.heard();
            if let Some(looking) = looking {
                looking.heard();
            }
            true
        }
        // It leaves in good order: until now what it showed was seen.
        Some(Ok(Message::Close(_))) => {
            if let Some(looking) = looking {
                looking.heard();
            }
            false
        }
        _ => false,
    }
}

/// Ready when the first of a guest's shares is over.
async fn ended(agent: &Agent, sees: &Sees) {
    match sees.grants.values().min_by_key(|grant| grant.until) {
        Some(first) => drop(agent.shares.ends(first.id.clone()).await),
        None => std::future::pending().await,
    }
}

fn arranged(layout: Shown) -> Event {
    match layout {
        Shown::Known(layout) => Event::Layout { layout: Some(layout), problem: String::new() },
        Shown::Problem(problem) => Event::Layout { layout: None, problem },
    }
}

/// The page is gone, or takes nothing any more.
struct Gone;

async fn send(socket: &mut WebSocket, message: Message) -> Result<(), Gone> {
    match timeout(LOST, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        _ => Err(Gone),
    }
}

fn events(last: Option<&Listing>, next: &Listing, sessions: &Sessions) -> Vec<Event> {
    let mut events = Vec::new();
    match last {
        None => events.push(Event::List {
            sessions: next.sessions.clone(),
            host: capture::host_name(),
            user: sessions.user().to_owned(),
        }),
        Some(last) => events.extend(changes(&last.sessions, &next.sessions)),
    }
    if last.map_or("", |last| &last.trouble) != next.trouble {
        events.push(Event::Trouble { message: next.trouble.clone() });
    }
    events
}
