//! Sessions whose agents were started here and do not run yet: programs that an agent needs first may take their time.

use crate::protocol::sessions::Session;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use terminal_lobby::persist::sessions::{Need, SessionView};
use terminal_lobby::sys::clock;

/// An agent that does not run after this time is not taken to be starting any more.
const PATIENCE: Duration = Duration::from_mins(2);
/// One that runs and does not say what it does after this time will not: it has no hook.
const SAYS_NOTHING: Duration = Duration::from_secs(10);
/// When the list is to be made again though nothing has changed, each after the one before.
pub(super) const TIMES: [Duration; 2] = [SAYS_NOTHING, PATIENCE];
/// Maximum length of what is shown of a prompt, in characters.
const MAX_TITLE: usize = 120;

/// All of them, by birth id.
#[derive(Debug, Clone, Default)]
pub(super) struct Starting(Arc<Mutex<BTreeMap<String, One>>>);

#[derive(Debug, Clone)]
struct One {
    agent: String,
    title: Option<String>,
    begun: Instant,
    since: u64,
}

impl Starting {
    pub(super) fn begin(&self, id: &str, agent: &str, prompt: Option<&str>) {
        let line = prompt.and_then(|prompt| prompt.trim_start().lines().next());
        let visible = |c: char| if c.is_control() { ' ' } else { c };
        let title = line.map(|line| line.chars().take(MAX_TITLE).map(visible).collect());
        let (begun, since) = (Instant::now(), clock::now());
        let one = One { agent: agent.to_owned(), title, begun, since };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), one);
    }

    /// Shows those as starting that do; the others are forgotten. They come after those that work.
    pub(super) fn show(&self, sessions: &mut Vec<Arc<Session>>, views: &mut Vec<SessionView>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.is_empty() {
            return;
        }
        all.retain(|_, one| one.begun.elapsed() < PATIENCE);
        let mut pairs: Vec<(Arc<Session>, SessionView)> =
            sessions.drain(..).zip(views.drain(..)).collect();
        for (session, view) in &mut pairs {
            let Some(one) = all.get(&view.birth_id).filter(|_| view.number.is_some()) else {
                continue;
            };
            let says_nothing = view.need == Need::Unknown && one.begun.elapsed() < SAYS_NOTHING;
            if view.need != Need::Shell && !says_nothing {
                all.remove(&view.birth_id);
            } else {
                let session = Arc::make_mut(session);
                session.state = "starting";
                session.agent = Some(one.agent.clone());
                session.since = Some(one.since);
                session.title =
                    session.title.take().or_else(|| one.title.as_deref().map(Session::title));
            }
        }
        let place = |(session, view): &(Arc<Session>, SessionView)| {
            if session.state == "starting" { (Need::Working, true) } else { (view.need, false) }
        };
        pairs.sort_by_key(place);
        (*sessions, *views) = pairs.into_iter().unzip();
    }
}
