//! All views of one user's lobby: how many there may be, and those whose connection broke, which are kept for a while.

use super::stored::{Left, Store};
use super::view::View;
use crate::error::Error;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use terminal_lobby::sys::passed::Passed;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

/// For how long a view waits for its page to come back.
const KEPT: Duration = Duration::from_mins(1);
/// How long another connection of the same view may take to let it go.
const LETS_GO: Duration = Duration::from_secs(2);
/// Most views at once.
const MAX_VIEWS: usize = 200;

/// All views, by their ids.
#[derive(Debug, Default, Clone)]
pub struct Views {
    slots: Arc<Mutex<HashMap<String, Slot>>>,
    store: Store,
    /// By session, the view that drives it.
    drivers: Arc<Mutex<HashMap<String, Driver>>>,
}

#[derive(Debug)]
struct Driver {
    view: String,
    /// Asks it to give way.
    gives_way: Arc<Notify>,
}

#[derive(Debug)]
struct Slot {
    state: State,
    /// Asks the connection that has the view to let it go.
    let_go: Arc<Notify>,
    /// Says that it has.
    free: Arc<Notify>,
}

#[derive(Debug)]
enum State {
    Connected,
    Waits { view: Box<View>, until: Instant },
}

/// A view that a connection has, or a place for one.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) view: Option<Box<View>>,
    /// Another connection wants it.
    pub(super) wanted: Arc<Notify>,
}

/// The place of a view; it is free again when this is dropped without the view having been given back, as when a
/// login ends.
#[derive(Debug)]
pub(super) struct Place<'a> {
    views: &'a Views,
    id: &'a str,
    is_given_back: bool,
}

impl Place<'_> {
    /// Gives a view back, to wait for its page; without one, its place.
    pub(super) fn give_back(mut self, view: Option<Box<View>>) {
        self.is_given_back = true;
        self.views.give_back(self.id, view);
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.is_given_back {
            self.views.give_back(self.id, None);
        }
    }
}

impl Views {
    /// Those that an earlier process left in the store; each waits for its page. To be called in the runtime.
    pub fn adopt(store: Store, passed: Vec<Passed>) -> Self {
        let views = Self { store, ..Self::default() };
        for Left { id, terminal, input, kept } in views.store.left(passed) {
            let view = match View::adopt(terminal, input, kept) {
                Ok(view) => view,
                Err(error) => {
                    tracing::info!(%error, "a view has ended meanwhile");
                    continue;
                }
            };
            if view.drives() {
                views.drive(&view.session, &id);
            }
            let (let_go, free) = Default::default();
            views.lock().insert(id.clone(), Slot { state: State::Connected, let_go, free });
            views.give_back(&id, Some(Box::new(view)));
        }
        views
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// The place of a view that was taken.
    pub(super) fn place<'a>(&'a self, id: &'a str) -> Place<'a> {
        Place { views: self, id, is_given_back: false }
    }

    /// Takes the view with an id, from another connection if need be; a place for a new one if there is none.
    pub(super) async fn take(&self, id: &str) -> Result<Held, Error> {
        loop {
            let free = {
                let mut slots = self.lock();
                let now = Instant::now();
                slots.retain(
                    |_, slot| !matches!(slot.state, State::Waits { until, .. } if until <= now),
                );
                let count = slots.len();
                match slots.get_mut(id) {
                    None if count >= MAX_VIEWS => return Err(Error::TooManyViews(MAX_VIEWS)),
                    None => {
                        let wanted = Arc::new(Notify::new());
                        let slot = Slot {
                            state: State::Connected,
                            let_go: Arc::clone(&wanted),
                            free: Arc::default(),
                        };
                        slots.insert(id.to_owned(), slot);
                        return Ok(Held { view: None, wanted });
                    }
                    Some(slot) => match std::mem::replace(&mut slot.state, State::Connected) {
                        State::Waits { view, .. } => {
                            slot.let_go = Arc::default();
                            return Ok(Held { view: Some(view), wanted: Arc::clone(&slot.let_go) });
                        }
                        State::Connected => {
                            slot.let_go.notify_one();
                            Arc::clone(&slot.free)
                        }
                    },
                }
            };
            if timeout(LETS_GO, free.notified()).await.is_err() {
                return Err(Error::Refused("another connection of this view does not end"));
            }
        }
    }

    /// A view begins to drive a session, and the one that did is asked to give way. What is returned asks this one.
    pub(super) fn drive(&self, session: &str, view: &str) -> Arc<Notify> {
        let mut drivers = self.drivers();
        let gives_way = Arc::<Notify>::default();
        let driver = Driver { view: view.to_owned(), gives_way: Arc::clone(&gives_way) };
        if let Some(old) = drivers.insert(session.to_owned(), driver)
            && old.view != view
        {
            old.gives_way.notify_one();
        }
        gives_way
    }

    /// Whether another view drives a session.
    pub(super) fn is_driven_by_another(&self, session: &str, view: &str) -> bool {
        self.drivers().get(session).is_some_and(|driver| driver.view != view)
    }

    fn drivers(&self) -> std::sync::MutexGuard<'_, HashMap<String, Driver>> {
        self.drivers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a view back, to wait for its page; without one, its place.
    fn give_back(&self, id: &str, view: Option<Box<View>>) {
        let mut slots = self.lock();
        let Some(slot) = slots.get_mut(id) else { return };
        slot.free.notify_one();
        let Some(view) = view else {
            slots.remove(id);
            self.drivers().retain(|_, driver| driver.view != id);
            return;
        };
        slot.state = State::Waits { view, until: Instant::now() + KEPT };
        let views = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(KEPT + Duration::from_millis(10)).await;
            views.forget_old();
        });
    }

    fn forget_old(&self) {
        let now = Instant::now();
        let mut slots = self.lock();
        slots.retain(|_, slot| !matches!(slot.state, State::Waits { until, .. } if until <= now));
        self.drivers().retain(|_, driver| slots.contains_key(&driver.view));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
