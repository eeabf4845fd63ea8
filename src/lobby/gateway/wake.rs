//! Starts agents that are to run though no page is open: they notify browsers. They said so with their answers; when the
//! gateway starts, as after a boot or an upgrade, it connects to their sockets, which starts them.

use super::relay::agents;
use super::state::Gateway;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How many are started at once.
const AT_ONCE: usize = 4;
/// How long to wait before the next try of one that cannot be reached, as while the host starts. After the last, its
/// person's next page starts it.
const PAUSES: [u64; 8] = [1, 2, 4, 8, 15, 30, 60, 120];

/// Starts the agents that are to run, once.
pub(super) async fn wake(gateway: Gateway) {
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    let mut all = JoinSet::new();
    let people = gateway.people.now();
    for user in gateway.awake.users().into_iter().filter(|user| people.is_user(user)) {
        let (gateway, slots) = (gateway.clone(), Arc::clone(&slots));
        all.spawn(async move {
            for pause in PAUSES {
                let slot = slots.acquire().await;
                let is_awake = agents::wake(&gateway, &user).await;
                drop(slot);
                if is_awake || !gateway.people.now().is_user(&user) {
                    return;
                }
                sleep(Duration::from_secs(pause)).await;
            }
            tracing::warn!(user, "its agent could not be started");
        });
    }
    while all.join_next().await.is_some() {}
}
