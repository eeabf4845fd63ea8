//! Follows the sessions while a page is open.

use super::changes::Changes;
use super::hooks;
use super::sessions::Sessions;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// After a change, for more to come.
const GATHER: Duration = Duration::from_millis(25);
/// Minimum time between two lists.
const BETWEEN: Duration = Duration::from_millis(100);
/// After what cannot be waited for.
const AFTER_FAILURE: Duration = Duration::from_secs(10);

/// Follows them for those who subscribed; runs for as long as the lobby.
pub async fn follow(sessions: Sessions) {
    let mut watching = sessions.watching();
    loop {
        if watching.wait_for(|count| *count > 0).await.is_err() {
            return;
        }
        let mut changes = match Changes::new() {
            Ok(changes) => changes,
            Err(error) => {
                tracing::warn!(%error, "changes cannot be followed");
                sessions.refresh().await;
                sleep(AFTER_FAILURE).await;
                continue;
            }
        };
        while *watching.borrow_and_update() > 0 {
            let listening = changes.listen(sessions.server()).await;
            if let Err(error) = &listening {
                tracing::warn!(%error, "the tmux server cannot be followed");
            }
            let listing = sessions.refresh().await;
            let next = Instant::now() + BETWEEN;
            let socket = sessions.server().socket.directory().to_owned();
            let own = [socket, sessions.state_dir()];
            changes.watch(listing.record_dirs.iter().cloned().chain(own));
            let is_failing = listening.is_err() || !listing.trouble.is_empty();
            tokio::select! {
                () = sleep(AFTER_FAILURE), if is_failing => {}
                () = changes.next() => {}
                () = sessions.touched() => {}
                _ = watching.changed() => continue,
            }
            sleep_until(next.max(Instant::now() + GATHER)).await;
        }
        // First the client of ours that waits, which the removal would only wake.
        drop(changes);
        remove_hooks(&sessions).await;
    }
}

/// Removes the hooks from the tmux server, for a lobby that ends or without an open page.
pub async fn remove_hooks(sessions: &Sessions) {
    if sessions.server().is_listening().unwrap_or(false)
        && let Err(error) = sessions.send(hooks::unset()).await
    {
        tracing::debug!(%error, "hooks were not removed");
    }
}
