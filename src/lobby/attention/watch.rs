//! Follows the sessions for as long as a browser is to be notified, though no page is open.

use super::due::{Due, Millis, NOTIFIED, Notified, Plan};
use super::message;
use super::person::{Attention, blocking};
use super::push;
use crate::error::Error;
use crate::list::Sessions;
use crate::protocol::sessions::Session;
use std::sync::Arc;
use std::time::Duration;
use terminal_lobby::sys::clock;
use tokio::time::sleep;

/// After what cannot be kept: nothing is sent then, as it would be sent again and again.
const AFTER_FAILURE: Duration = Duration::from_mins(1);

/// Sends notifications for as long as the lobby runs. Without a browser to notify it does nothing.
pub async fn watch(attention: Attention, sessions: Sessions) {
    while let Err(error) = attention.read_wanted().await {
        tracing::warn!(%error, "it is not known whether browsers are to be notified");
        sleep(AFTER_FAILURE).await;
    }
    let mut wanted = attention.wanted();
    while wanted.wait_for(|wanted| *wanted == Some(true)).await.is_ok() {
        follow(&attention, &sessions).await;
        let kept = attention.kept().clone();
        let forget = move || kept.change(NOTIFIED, |all: &mut Notified| *all = Notified::default());
        if let Ok(Err(error)) = blocking(forget).await {
            tracing::warn!(%error, "what was sent is not forgotten");
        }
    }
}

/// Follows until no browser is to be notified any more.
async fn follow(attention: &Attention, sessions: &Sessions) {
    let mut wanted = attention.wanted();
    let mut looks = attention.looks().subscribe();
    if let Err(error) = attention.read_marks().await {
        tracing::warn!(%error, "it is not known what is muted");
    }
    let mut marks = attention.marks();
    let (mut list, _watching) = sessions.subscribe();
    let mut listing = sessions.refresh().await;
    list.mark_unchanged();
    let (mut known, mut is_first) = (None, true);
    while *wanted.borrow_and_update() == Some(true) {
        looks.mark_unchanged();
        marks.mark_unchanged();
        let mut pause = None;
        // Without a list that is of now nothing is known.
        if listing.trouble.is_empty() {
            match step(attention, &mut known, is_first, &listing.sessions).await {
                Ok(plan) => {
                    is_first = false;
                    let until = |next: Millis| Duration::from_millis(next.saturating_sub(now()));
                    pause = plan.next.map(until);
                    if !plan.due.is_empty() {
                        tokio::spawn(send(attention.clone(), plan));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "no notifications");
                    pause = Some(AFTER_FAILURE);
                }
            }
        }
        tokio::select! {
            changed = list.changed() => if changed.is_err() { return },
            _ = looks.changed() => {}
            _ = marks.changed() => {}
            _ = wanted.changed() => {}
            () = attention.sent().notified() => known = None,
            () = sleep(pause.unwrap_or_default()), if pause.is_some() => {}
        }
        listing = list.borrow_and_update().clone();
    }
}

/// What is due now. The file is only read and written if something has changed: `known` is what it says.
async fn step(
    attention: &Attention,
    known: &mut Option<Notified>,
    is_first: bool,
    sessions: &[Arc<Session>],
) -> Result<Plan, Error> {
    let looks = attention.looks().borrow().clone();
    let marks = attention.marks().borrow().clone();
    let now = now();
    if let Some(known) = known {
        let mut new = known.clone();
        new.observe(sessions, false, now);
        let plan = new.plan(sessions, &marks, &looks, now);
        if new == *known {
            return Ok(plan);
        }
    }
    let (kept, sessions) = (attention.kept().clone(), sessions.to_vec());
    let changed = move || {
        kept.change(NOTIFIED, |all: &mut Notified| {
            all.observe(&sessions, is_first, now);
            let plan = all.plan(&sessions, &marks, &looks, now);
            (plan, all.clone())
        })
    };
    let (plan, new) = blocking(changed).await??;
    *known = Some(new);
    Ok(plan)
}

/// Sends what is due, one after the other.
async fn send(attention: Attention, plan: Plan) {
    let _one = attention.sending().await;
    for due in &plan.due {
        if let Err(error) = send_one(&attention, due, &plan).await {
            tracing::warn!(%error, "a notification was not sent");
        }
    }
    attention.sent().notify_one();
}

async fn send_one(attention: &Attention, due: &Due, plan: &Plan) -> Result<(), Error> {
    let (kept, outgoing, lack) =
        (attention.kept().clone(), message::of(due, plan), due.lack.clone());
    let (id, at) = (due.session.id.clone(), due.at);
    let is_wanted = blocking(move || {
        let (outcome, is_wanted) = push::send(&kept, &outgoing, &lack)?;
        kept.change(NOTIFIED, |all: &mut Notified| all.sent(&id, at, outcome, now()))?;
        Ok::<_, crate::kept::KeptError>(is_wanted)
    });
    attention.is_wanted(is_wanted.await??);
    Ok(())
}

/// The present.
fn now() -> Millis {
    clock::now_in_nanoseconds() / 1_000_000
}
