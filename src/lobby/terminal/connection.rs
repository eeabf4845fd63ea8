//! One connection of one view: a WebSocket on one side, a terminal on the other.
//!
//! No timer is in the way of a key or of its echo. Both directions go on while one of them waits.

use super::client::{Client, Role};
use super::heartbeat::{Beat, Heartbeat};
use super::stored::Store;
use super::view::View;
use super::views::{Place, Views};
use crate::list::{Listing, Sessions, Watching};
use crate::present::{Here, Over, Visitor};
use crate::protocol::terminal::{self, Binary, FromLobby, FromPage, Reason, Size, is_view_id};
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use bytes::Bytes;
use futures_util::{Sink, SinkExt, StreamExt};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// The WebSocket's close codes: no message of ours; the page has to begin anew.
const UNEXPECTED: u16 = 1008;
/// The page closes a connection that may be dead, and comes again.
const LINE_LOST: u16 = 4000;
/// How long a terminal whose output has ended may take to end.
const ENDS: Duration = Duration::from_secs(5);
/// How long the first message may take.
const HELLO: Duration = Duration::from_secs(10);

/// What happened.
enum Step {
    Output(Bytes),
    OutputEnded,
    Message(Message),
    Gone,
    /// The page has left: it is closed, or shows something else.
    Left,
    /// Input was taken.
    Taken,
    /// Another connection wants the view.
    Wanted,
    /// The session that is watched may have another size.
    Listed,
    /// Another view drives the session.
    GivesWay,
    /// The page has said nothing for a while.
    Ping,
    /// The owner gives the keyboard to this view.
    Handed,
    /// It may look no longer.
    Over(Over),
}

/// Everything that one connection has to do with.
struct Relay<'a> {
    socket: &'a mut WebSocket,
    view: &'a mut View,
    id: &'a str,
    views: &'a Views,
    sessions: &'a Sessions,
    /// Says that another connection wants the view.
    wanted: &'a Notify,
    /// While it drives: says that another view does.
    gives_way: Option<Arc<Notify>>,
    /// While it does not: the size of the session.
    follows: Option<Follows>,
    visitor: &'a mut Visitor,
    here: &'a Here,
    /// Of a guest: says when the session is gone.
    guards: Option<(watch::Receiver<Arc<Listing>>, Watching)>,
    /// Whether something may be in the socket's buffer.
    is_unsent: bool,
    heartbeat: Heartbeat,
}

/// Follows the size of a session that is only watched.
struct Follows {
    list: watch::Receiver<Arc<Listing>>,
    _watching: Watching,
    size: Option<Size>,
}

/// Serves one connection until it ends; one that may only watch does, whatever its page asks, and a guest reaches
/// only the session that is shared.
pub async fn serve(mut socket: WebSocket, views: Views, sessions: Sessions, mut visitor: Visitor) {
    let hello = timeout(HELLO, socket.recv()).await;
    let Ok(Some(Ok(Message::Text(text)))) = hello else { return };
    let Ok(FromPage::Hello { view: id, session, size, watch, preload, received }) =
        serde_json::from_str(&text)
    else {
        close(&mut socket, UNEXPECTED).await;
        return;
    };
    let watch = watch || visitor.watch;
    if !is_view_id(&id) {
        close(&mut socket, UNEXPECTED).await;
        return;
    }
    if !visitor.may_reach(&session) {
        end(&mut socket, Reason::NoSession).await;
        return;
    }
    let is_guest = visitor.only.is_some();
    let held = match views.take(&id).await {
        Ok(held) => held,
        Err(error) => {
            tracing::debug!(%error, "a view was refused");
            end(&mut socket, Reason::TooMany).await;
            return;
        }
    };
    let place = views.place(&id);
    let role = role(is_guest, watch, preload);
    let known = held.view.filter(|view| view.session == session && view.watch == watch);
    let known = known.and_then(|mut view| {
        let lacking = view.resume(received)?;
        Some((view, lacking))
    });
    let resumed = known.is_some();
    let (mut view, lacking) = match known {
        Some(known) => known,
        None => match begin(&sessions, views.store(), &id, &session, size, role).await {
            Ok(view) => (Box::new(view), Vec::new()),
            Err(reason) => {
                place.give_back(None);
                end(&mut socket, reason).await;
                return;
            }
        },
    };
    let welcome = json(&FromLobby::Welcome { resumed, taken: view.taken() });
    let mut ended = None;
    let here = visitor.enter(&session, true);
    let mut is_connected = socket.send(welcome).await.is_ok();
    for message in lacking {
        is_connected = is_connected && socket.send(Message::Binary(message)).await.is_ok();
    }
    if is_connected {
        let mut relay = Relay {
            socket: &mut socket,
            view: &mut view,
            id: &id,
            views: &views,
            sessions: &sessions,
            wanted: &held.wanted,
            gives_way: None,
            follows: None,
            guards: is_guest.then(|| sessions.subscribe()),
            visitor: &mut visitor,
            here: &here,
            is_unsent: false,
            heartbeat: Heartbeat::default(),
        };
        // One that comes back drives again, unless another has begun to meanwhile. A guest begins to only by an act.
        let drives = match role {
            Role::Drives => !(resumed && views.is_driven_by_another(&session, &id)),
            Role::Follows => relay.view.drives() && !views.is_driven_by_another(&session, &id),
            Role::Watches | Role::Preloads | Role::Visits => false,
        };
        let begun = match (drives, relay.view.drives()) {
            (true, _) => relay.drive(size).await,
            (false, true) => relay.give_way().await,
            (false, false) => relay.follow().await,
        };
        if begun.is_ok() {
            ended = relay.run().await;
        }
    }
    // The client of a guest whose session is gone may be at another one, and is not waited for.
    let patience = if is_guest { Duration::ZERO } else { ENDS };
    finish(socket, &sessions, place, view, ended, patience).await;
}

fn role(is_guest: bool, watch: bool, preload: bool) -> Role {
    match (is_guest, watch, preload) {
        (true, true, _) => Role::Visits,
        (true, false, _) => Role::Follows,
        (false, true, _) => Role::Watches,
        (false, false, true) => Role::Preloads,
        (false, false, false) => Role::Drives,
    }
}

/// What becomes of a view whose connection is over, and what its page hears.
async fn finish(
    mut socket: WebSocket,
    sessions: &Sessions,
    place: Place<'_>,
    mut view: Box<View>,
    ended: Option<Reason>,
    patience: Duration,
) {
    match ended {
        Some(Reason::SessionEnded) => {
            let _ = timeout(patience, view.ended()).await;
            let session = view.session.clone();
            drop(view);
            place.give_back(None);
            let is_there = sessions.has(&session).await;
            end(&mut socket, if is_there { Reason::Detached } else { Reason::SessionEnded }).await;
        }
        Some(Reason::Left) => {
            drop(view);
            place.give_back(None);
        }
        Some(reason @ (Reason::Revoked | Reason::Expired)) => {
            drop(view);
            place.give_back(None);
            let _ = timeout(ENDS, end(&mut socket, reason)).await;
        }
        Some(reason) => {
            place.give_back(Some(view));
            end(&mut socket, reason).await;
        }
        None => place.give_back(Some(view)),
    }
}

async fn begin(
    sessions: &Sessions,
    store: &Store,
    id: &str,
    session: &str,
    size: Size,
    role: Role,
) -> Result<View, Reason> {
    let found = sessions.find(session).await.ok_or(Reason::NoSession)?;
    let number = found.number.ok_or(Reason::NoSession)?;
    if role == Role::Preloads && !found.survives_detach {
        return Err(Reason::Failed);
    }
    let own = found.size.map(|(columns, rows)| Size { columns, rows });
    let size = own.filter(|_| role != Role::Drives).unwrap_or(size);
    let view = Client::attach(sessions.server(), (number, session), size, role)
        .and_then(|client| View::new(client, id, store, session.to_owned(), role));
    match view {
        Ok(view) => Ok(view),
        Err(error) => {
            tracing::warn!(%error, "a view could not be started");
            Err(Reason::Failed)
        }
    }
}

/// The connection is over.
struct Closed;

impl Relay<'_> {
    /// Relays until something ends: the terminal, with its reason, or the connection.
    async fn run(&mut self) -> Option<Reason> {
        let wanted = self.wanted;
        let mut wanted = pin!(wanted.notified());
        let mut acknowledged = self.view.taken();
        loop {
            let message = match self.step(wanted.as_mut(), acknowledged).await {
                Step::Output(bytes) => Message::Binary(bytes),
                Step::OutputEnded => return Some(Reason::SessionEnded),
                Step::Gone => return None,
                Step::Left => return Some(Reason::Left),
                Step::Wanted => return Some(Reason::Elsewhere),
                Step::Listed => {
                    if self.is_gone() {
                        return Some(Reason::SessionEnded);
                    }
                    self.follow_size().await.ok()?;
                    continue;
                }
                Step::Over(Over::Revoked) => return Some(Reason::Revoked),
                Step::Over(Over::Expired) => return Some(Reason::Expired),
                Step::Handed => {
                    self.say(&FromLobby::Handed).await.ok()?;
                    continue;
                }
                Step::GivesWay => {
                    self.give_way().await.ok()?;
                    continue;
                }
                Step::Taken => {
                    acknowledged = self.view.taken();
                    Message::Binary(terminal::taken(acknowledged))
                }
                Step::Ping => Message::Ping(Bytes::new()),
                Step::Message(message) => {
                    self.heartbeat.heard();
                    match take(self.view, message) {
                        Ok(None) => {}
                        Ok(Some(size)) => self.drive(size).await.ok()?,
                        Err(Unexpected) => {
                            close(self.socket, UNEXPECTED).await;
                            return None;
                        }
                    }
                    continue;
                }
            };
            // It is ready for one: no step needs to send otherwise.
            if Pin::new(&mut *self.socket).start_send(message).is_err() {
                return None;
            }
            self.is_unsent = true;
        }
    }

    async fn step(&mut self, mut wanted: Pin<&mut Notified<'_>>, acknowledged: u64) -> Step {
        let guards = self.guards.as_ref().map(|(list, _)| list.clone());
        let mut list = guards.or(self.follows.as_ref().map(|follows| follows.list.clone()));
        let handed = Arc::clone(&self.here.handed);
        let mut handed = pin!(handed.notified());
        let mut listed = pin!(async {
            match &mut list {
                Some(list) => drop(list.changed().await),
                None => std::future::pending().await,
            }
        });
        let gives_way = self.gives_way.clone();
        let mut gives_way = pin!(async {
            match &gives_way {
                Some(gives_way) => gives_way.notified().await,
                None => std::future::pending().await,
            }
        });
        poll_fn(|cx| {
            if listed.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Step::Listed);
            }
            if wanted.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Step::Wanted);
            }
            if gives_way.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Step::GivesWay);
            }
            if handed.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Step::Handed);
            }
            if let Poll::Ready(over) = self.visitor.ends.as_mut().poll(cx) {
                return Poll::Ready(Step::Over(over));
            }
            self.poll_step(acknowledged, cx)
        })
        .await
    }

    /// Begins to drive: the view that did follows from now on.
    async fn drive(&mut self, size: Size) -> Result<(), Closed> {
        self.gives_way = Some(self.views.drive(&self.view.session, self.id));
        self.follows = None;
        self.here.set_drives(true);
        self.visitor.drove.as_ref().inspect(|note| note());
        self.view.resize(size);
        if !self.view.drives() {
            self.view.set_drives(true);
            self.let_size(true).await;
        }
        self.say(&FromLobby::Role { drives: true }).await
    }

    async fn give_way(&mut self) -> Result<(), Closed> {
        self.gives_way = None;
        self.view.set_drives(false);
        self.let_size(false).await;
        self.follow().await
    }

    async fn let_size(&mut self, is_sizing: bool) {
        let is_guest = self.visitor.only.is_some();
        let Some(words) = self.view.sizes(is_sizing, is_guest) else { return };
        if let Err(error) = self.sessions.send(words).await {
            tracing::debug!(%error, "a client keeps its flags");
        }
    }

    /// Takes the size of the session from now on.
    async fn follow(&mut self) -> Result<(), Closed> {
        self.here.set_drives(false);
        let (list, watching) = self.sessions.subscribe();
        self.follows = Some(Follows { list, _watching: watching, size: None });
        self.say(&FromLobby::Role { drives: false }).await?;
        self.follow_size().await
    }

    /// Whether the session of a guest is gone.
    fn is_gone(&mut self) -> bool {
        let Some((list, _)) = &mut self.guards else { return false };
        let listing = list.borrow_and_update();
        // One that could not be made says nothing.
        let mut all = listing.views.iter();
        listing.trouble.is_empty()
            && !all.any(|view| view.birth_id == self.view.session && view.number.is_some())
    }

    async fn follow_size(&mut self) -> Result<(), Closed> {
        let size = self.follows.as_mut().and_then(|follows| follows.next(&self.view.session));
        let Some(size) = size else { return Ok(()) };
        self.view.resize(size);
        self.say(&FromLobby::Size(size)).await
    }

    async fn say(&mut self, message: &FromLobby) -> Result<(), Closed> {
        self.is_unsent = true;
        self.socket.feed(json(message)).await.map_err(|_| Closed)
    }
}

impl Follows {
    /// The size of the session, if it is another one than before.
    fn next(&mut self, session: &str) -> Option<Size> {
        let listing = self.list.borrow_and_update();
        let found = listing.views.iter().find(|view| view.birth_id == session)?;
        let size = found.size.map(|(columns, rows)| Size { columns, rows })?;
        (self.size != Some(size)).then(|| *self.size.insert(size))
    }
}

impl Relay<'_> {
    /// One poll of everything that a connection waits for.
    fn poll_step(&mut self, acknowledged: u64, cx: &mut Context<'_>) -> Poll<Step> {
        self.view.poll_type(cx);
        let mut is_ready = match Pin::new(&mut *self.socket).poll_ready(cx) {
            Poll::Ready(Ok(())) => true,
            Poll::Ready(Err(_)) => return Poll::Ready(Step::Gone),
            Poll::Pending => false,
        };
        if self.is_unsent {
            match self.socket.poll_flush_unpin(cx) {
                Poll::Ready(Ok(())) => self.is_unsent = false,
                Poll::Ready(Err(_)) => return Poll::Ready(Step::Gone),
                Poll::Pending => is_ready = false,
            }
        }
        if is_ready && self.view.taken() != acknowledged {
            return Poll::Ready(Step::Taken);
        }
        if is_ready && let Poll::Ready(output) = self.view.poll_output(cx) {
            return Poll::Ready(output.map_or(Step::OutputEnded, Step::Output));
        }
        if self.view.has_room() {
            match self.socket.poll_next_unpin(cx) {
                Poll::Ready(Some(Ok(Message::Close(frame)))) => {
                    let is_lost = frame.is_some_and(|frame| frame.code == LINE_LOST);
                    return Poll::Ready(if is_lost { Step::Gone } else { Step::Left });
                }
                Poll::Ready(Some(Ok(message))) => return Poll::Ready(Step::Message(message)),
                Poll::Ready(_) => return Poll::Ready(Step::Gone),
                Poll::Pending => {}
            }
        } else {
            // What is not read cannot be heard.
            self.heartbeat.heard();
        }
        match self.heartbeat.poll(cx) {
            Poll::Ready(Beat::Lost) => Poll::Ready(Step::Gone),
            Poll::Ready(Beat::Ping) if is_ready => Poll::Ready(Step::Ping),
            // Nothing can be sent: the next beat tells.
            Poll::Ready(Beat::Ping) => self.heartbeat.poll(cx).map(|_| Step::Gone),
            Poll::Pending => Poll::Pending,
        }
    }
}

/// What the page says is no message of ours, or cannot be.
struct Unexpected;

/// Takes a message; gives the size with which the page wants to drive, if it says so.
fn take(view: &mut View, message: Message) -> Result<Option<Size>, Unexpected> {
    match message {
        Message::Binary(bytes) => match Binary::parse(bytes).ok_or(Unexpected)? {
            Binary::Typed(bytes) => view.type_in(bytes),
            Binary::Shown(bytes) => {
                if !view.unshown.shown(bytes) {
                    return Err(Unexpected);
                }
            }
        },
        Message::Text(text) => match serde_json::from_str(&text).map_err(|_| Unexpected)? {
            FromPage::Resize(size) if view.drives() => view.resize(size),
            FromPage::Resize(_) => {}
            FromPage::Drive(size) => return Ok((!view.watch).then_some(size)),
            FromPage::Hello { .. } => return Err(Unexpected),
        },
        Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
    }
    Ok(None)
}

fn json(message: &FromLobby) -> Message {
    Message::Text(serde_json::to_string(message).unwrap_or_default().into())
}

async fn end(socket: &mut WebSocket, reason: Reason) {
    let _ = socket.send(json(&FromLobby::Ended { reason })).await;
    close(socket, 1000).await;
}

async fn close(socket: &mut WebSocket, code: u16) {
    let _ = socket.send(Message::Close(Some(CloseFrame { code, reason: "".into() }))).await;
}
