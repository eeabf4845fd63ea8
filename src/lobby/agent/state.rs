//! What the lobby of one user has.

use super::create::{Creations, Resumed};
use super::onlookers::Onlookers;
use super::restore::Restoring;
use crate::attention::Attention;
use crate::conversation::Appends;
use crate::error::Error;
use crate::files::Files;
use crate::held::Held;
use crate::kept::Kept;
use crate::layout::Layouts;
use crate::list::Sessions;
use crate::present::Present;
use crate::search::Search;
use crate::share::Shares;
use crate::spares::Spares;
use crate::terminal::Views;
use terminal_lobby::persist::Job;

/// The lobby of one user.
#[derive(Debug, Clone)]
pub struct Agent {
    pub sessions: Sessions,
    pub views: Views,
    pub onlookers: Onlookers,
    pub creations: Creations,
    pub appends: Appends,
    pub kept: Kept,
    pub held: Held,
    pub(super) restoring: Restoring,
    pub layouts: Layouts,
    /// After how many days no snapshot has a session any more.
    pub kept_days: u64,
    pub attention: Attention,
    pub shares: Shares,
    pub present: Present,
    pub search: Search,
    pub spares: Spares,
    pub files: Files,
    pub(super) resumed: Resumed,
}

impl Agent {
    /// That of the caller.
    pub fn of(job: Job, views: Views) -> Result<Self, Error> {
        let (state, may_create) = (job.state_dir.clone(), job.may_create);
        let kept_days = u64::from(job.retention.daily_days.max(job.retention.hourly_days));
        let sessions = Sessions::new(job)?;
        let user = sessions.user().to_owned();
        let kept = Kept::new(&state, sessions.user(), may_create);
        let files = Files::new(kept.clone());
        let search = Search::new(kept.clone(), sessions.home());
        Ok(Self {
            held: Held::new(kept.clone(), sessions.clone()),
            spares: Spares::new(kept.clone(), sessions.clone()),
            sessions,
            views,
            onlookers: Onlookers::default(),
            creations: Creations::default(),
            appends: Appends::default(),
            attention: Attention::new(kept.clone()),
            layouts: Layouts::new(kept.clone()),
            kept_days,
            shares: Shares::new(kept.clone(), &user),
            present: Present::default(),
            kept,
            restoring: Restoring::default(),
            search,
            files,
            resumed: Resumed::default(),
        })
    }
}
