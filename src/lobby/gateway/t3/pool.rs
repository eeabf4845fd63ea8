//! Connections to instances that wait for the next request. Each was opened to a port that was the user's, and stays with
//! the process that took it.

use axum::body::Body as AxumBody;
use hyper::client::conn::http1::SendRequest;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use terminal_lobby::t3::table::Instance;
use tokio::time::timeout;

/// How many wait for each instance.
const EACH: usize = 8;
/// How long one waits: instances close them after 5 s.
const IDLE: Duration = Duration::from_secs(3);
/// How long one may take to be ready.
const READY: Duration = Duration::from_millis(50);

/// A connection.
pub(super) type Sender = SendRequest<AxumBody>;

/// A connection, and since when it waits.
type Waiting = (Sender, Instant);

/// All that wait.
#[derive(Debug, Clone, Default)]
pub(super) struct Pool(Arc<Mutex<HashMap<Instance, Vec<Waiting>>>>);

impl Pool {
    /// One that can take a request, if there is one.
    pub(super) async fn take(&self, instance: &Instance) -> Option<Sender> {
        loop {
            let (mut sender, since) = self.lock().get_mut(instance)?.pop()?;
            if since.elapsed() < IDLE
                && !sender.is_closed()
                && matches!(timeout(READY, sender.ready()).await, Ok(Ok(())))
            {
                return Some(sender);
            }
        }
    }

    /// Keeps one whose last answer was read.
    pub(super) fn put(&self, instance: &Instance, sender: Sender) {
        if sender.is_closed() {
            return;
        }
        let mut all = self.lock();
        let waiting = all.entry(instance.clone()).or_default();
        waiting.retain(|(sender, since)| since.elapsed() < IDLE && !sender.is_closed());
        if waiting.len() < EACH {
            waiting.push((sender, Instant::now()));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Instance, Vec<Waiting>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is done with a connection when an answer was read.
#[derive(Debug)]
pub(super) struct Back {
    pub(super) pool: Pool,
    pub(super) instance: Instance,
    pub(super) sender: Sender,
}

impl Back {
    pub(super) fn give(self) {
        self.pool.put(&self.instance, self.sender);
    }
}
