//! The agents' configuration of a user, and of the machine.

mod machine;
#[cfg(test)]
mod tests;
mod token;

pub use crate::provision::settings::agents::{Settings, Skel, SkelEntry, Source};
pub(super) use machine::machine;
pub(in crate::provision) use machine::{drop_in, skel_path};

use super::account_id;
use super::change::{Action, Cause, Change, Step, Verb};
use super::deployed::{self, Planned, only};
use crate::provision::edit::marked_block;
use crate::provision::home::agents::{Facts, Instructions, Login, Look, Work};
use crate::provision::home::{self, Clipped};
use crate::provision::observe::observed::{Home, Observed};
use crate::provision::state::digest;
use crate::provision::state::written::home_place;
use crate::roster::Row;

/// The user's instructions, below the home.
const INSTRUCTIONS: &str = ".codex/AGENTS.md";

/// What to look at in a user's home; nothing when the site asks for nothing.
pub(in crate::provision) fn look(_user: &str, _row: &Row, settings: &Settings) -> Option<Look> {
    let (instructions, login) = (settings.instructions.is_some(), settings.token_file.is_some());
    (instructions || login).then_some(Look { instructions, login })
}

/// What a user lacks; the second value is what is there as it should be, for the record.
pub(super) fn plan(user: &str, row: &Row, observed: &Observed, settings: &Settings) -> Planned {
    let mut planned = Planned::default();
    if look(user, row, settings).is_none() {
        return planned;
    }
    let fresh = Facts { instructions: Some(Instructions::Absent), login: Some(Login::Absent) };
    let facts = match observed.home(user) {
        Home::Fresh => &fresh,
        Home::Seen(facts) => match &facts.agents {
            Some(facts) => facts,
            None => return planned,
        },
        Home::Unknown(why) => {
            let change =
                Change::new(Some(user), Step::Agents, "agents", "the agents' configuration");
            let why = format!("the home was not looked at: {}", why.clipped());
            return only(change.refused(Cause::Drift, why));
        }
        Home::NotAsked => return planned,
    };
    if let Some(seen) = &facts.instructions {
        deployed::join(&mut planned, instructions(user, seen, observed, settings));
    }
    if let Some(login) = &facts.login {
        deployed::join(&mut planned, token::plan(user, login, observed, settings));
    }
    planned
}

fn instructions(
    user: &str,
    seen: &Instructions,
    observed: &Observed,
    settings: &Settings,
) -> Planned {
    // What is wrong with the source is said once, for the host.
    let source =
        settings.instructions.as_ref().map(crate::provision::settings::values::Absolute::as_str);
    let Some(Ok(text)) = source.and_then(|path| observed.site.texts.get(path)) else {
        return Planned::default();
    };
    if marked_block::fit(text.as_bytes()).is_err() {
        return Planned::default();
    }
    let place = home_place(user, INSTRUCTIONS);
    let wanted = digest::of(text.as_bytes());
    let recorded = observed.written.hashes.get(&place);
    let change = Change::new(Some(user), Step::Agents, "instructions", format!("~/{INSTRUCTIONS}"));
    let change = change.to("the site's instructions").needs([account_id(user)]);
    let before = match seen {
        Instructions::Holds(digest) => Some(digest.clone()),
        _ => None,
    };
    let work = home::Work::Agents(Work::Instructions { text: text.clone(), before });
    let action = Action::Home(Box::new(work));
    match seen {
        Instructions::Unfit(why) => only(change.refused(Cause::Drift, why.clipped())),
        Instructions::Absent => only(deployed::missing(change, recorded.is_some(), action)),
        Instructions::Without if recorded.is_some() => {
            only(change.refused(Cause::Edited, "a person took it out: not put back"))
        }
        Instructions::Without => {
            let change = change.why("in a marked block; what is around it stays");
            only(change.done(Verb::Add, Cause::Intent, action))
        }
        Instructions::Holds(digest) if *digest == wanted => {
            (Vec::new(), vec![(place, text.as_bytes().to_vec())])
        }
        Instructions::Holds(digest) => {
            let change = change.from("others");
            only(deployed::other(change, recorded.map(|hash| hash == digest), action))
        }
    }
}
