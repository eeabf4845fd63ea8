//! The agents' configuration, for each user and for the host (pure).

mod codex_login;
mod host;
mod shared;
mod source;
#[cfg(test)]
mod tests;
mod token;

pub(super) use host::plan_host;

use super::change::{Action, Cause, Change, Step, Verb};
use super::{Planned, account_id, deployed};
use crate::provision::observe::observed::{HomeView, Observed};
use crate::provision::protocol::agents::INSTRUCTIONS_FILE;
use crate::provision::protocol::{
    AgentsFacts, AgentsTask, CodexLogin, HomeTask, Instructions, Login, clip,
};
use crate::provision::settings::agents::Settings;
use crate::provision::state::digest;
use crate::provision::state::written::home_place;

pub(super) fn plan(user: &str, observed: &Observed, settings: &Settings) -> Planned {
    let mut planned = Planned::default();
    if settings.shared.is_some() {
        planned.join(shared::plan(user, observed, settings));
    }
    if !settings.manages_instructions()
        && settings.token_file.is_none()
        && settings.codex_login.is_none()
    {
        return planned;
    }
    let new = AgentsFacts {
        instructions: Some(Instructions::NoFile),
        login: Some(Login::Absent),
        codex_login: Some(CodexLogin::Absent),
    };
    let facts = match observed.home_view(user) {
        HomeView::New => &new,
        HomeView::Facts(facts) => match &facts.agents {
            Some(facts) => facts,
            None => return planned,
        },
        HomeView::Unknown(why) => {
            let change =
                Change::new(Some(user), Step::Agents, "agents", "the agents' configuration");
            let why = format!("the home was not inspected: {}", clip(why));
            return change.refused(Cause::Drift, why).into();
        }
        HomeView::NotInspected => return planned,
    };
    if let Some(found) = &facts.instructions {
        planned.join(instructions(user, found, observed, settings));
    }
    if let Some(login) = &facts.login {
        planned.join(token::plan(user, login, observed, settings));
    }
    if let (Some(found), Some(login)) = (&facts.codex_login, &settings.codex_login) {
        planned.join(codex_login::plan(user, found, observed, login));
    }
    planned
}

fn instructions(
    user: &str,
    found: &Instructions,
    observed: &Observed,
    settings: &Settings,
) -> Planned {
    // An error in the source is reported once, for the host.
    let Some(Ok(text)) = source::instructions(observed, settings) else {
        return Planned::default();
    };
    let place = home_place(user, INSTRUCTIONS_FILE);
    let wanted = digest::of(text.as_bytes());
    let recorded = observed.written.hashes.get(&place);
    let change =
        Change::new(Some(user), Step::Agents, "instructions", format!("~/{INSTRUCTIONS_FILE}"));
    let change = change.to("the site's instructions").needs([account_id(user)]);
    let before = match found {
        Instructions::Managed(digest) => Some(digest.clone()),
        _ => None,
    };
    let task =
        HomeTask::Agents(AgentsTask::Instructions { text: text.clone().into_owned(), before });
    let action = Action::Home(Box::new(task));
    match found {
        Instructions::Unusable(why) => change.refused(Cause::Drift, clip(why)).into(),
        Instructions::NoFile => deployed::missing(change, recorded.is_some(), action).into(),
        Instructions::Unmanaged if recorded.is_some() => {
            change.refused(Cause::Edited, "a person removed it: not restored").into()
        }
        Instructions::Unmanaged if settings.mirror_claude_md => {
            let why = "a person's file, without the line that marks it as generated: left as it is";
            change.reported(Cause::Drift, why).into()
        }
        Instructions::Unmanaged => {
            let change = change.why("in a marked block; the rest of the file is kept");
            change.done(Verb::Add, Cause::Intent, action).into()
        }
        Instructions::Managed(digest) if *digest == wanted => {
            Planned::adopted(place, text.as_bytes().to_vec())
        }
        Instructions::Managed(digest) => {
            let change = change.from("another version");
            deployed::replacing(change, recorded.map(|hash| hash == digest), action).into()
        }
    }
}
