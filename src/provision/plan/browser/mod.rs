//! A user's browser tool: a token, and the agent's registration of it (pure). Its port is part of the
//! environment.

mod snapshot_token;

use super::change::{Action, Cause, Change, SecretSource, Step, Verb};
use super::service::Service;
use super::{Planned, account_id, deployed};
use crate::provision::edit::environment_file;
use crate::provision::observe::Unreadable;
use crate::provision::observe::observed::{File, HomeView, Observed};
use crate::provision::paths::{playwright_file, service_file};
use crate::provision::protocol::{BrowserFacts, BrowserTask, HomeTask, clip};
use crate::provision::settings::browser::Settings;
use crate::provision::settings::values::Absolute;
use crate::provision::state::digest;
use crate::provision::state::written::key_place;

/// The variable with the token, in the environments of the tool and of the agents.
const KEY: &str = "PLAYWRIGHT_MCP_TOKEN";

pub(super) use snapshot_token::plan as plan_snapshot_token;

/// `port` is the one of the user's tool.
pub(super) fn plan(
    user: &str,
    port: Option<u16>,
    observed: &Observed,
    settings: &Settings,
) -> Planned {
    let (Some(agent), Some(port)) = (&settings.agent, port) else { return Planned::default() };
    let mut planned = if settings.token { tokens(user, observed) } else { Planned::default() };
    let change = Change::new(
        Some(user),
        Step::Browser,
        "browser",
        format!("browser tool {}", settings.name.0),
    );
    let facts = match observed.home_view(user) {
        HomeView::New => &BrowserFacts::Absent,
        HomeView::Facts(facts) => match &facts.browser {
            Some(facts) => facts,
            None => return planned,
        },
        HomeView::Unknown(why) => {
            let why = format!("the home was not inspected: {}", clip(why));
            planned.changes.push(change.refused(Cause::Drift, why));
            return planned;
        }
        HomeView::NotInspected => return planned,
    };
    let url = format!("http://localhost:{port}/mcp");
    match facts {
        BrowserFacts::Registered(Some(there)) if *there != url => {
            let why = "registered with another address: left as it is";
            planned.changes.push(change.to(url).reported(Cause::Drift, why));
        }
        BrowserFacts::Registered(_) => {}
        BrowserFacts::Unknown(why) => {
            planned.changes.push(change.refused(Cause::Drift, clip(why)));
        }
        BrowserFacts::Absent => {
            let needs = [account_id(user), Service::Playwright.change_id(user)].into_iter();
            let needs: Vec<String> =
                needs.chain(planned.changes.iter().map(|change| change.id.clone())).collect();
            planned.changes.push(register(change.needs(needs), agent, url, observed, settings));
        }
    }
    planned.adopted.dedup();
    planned
}

fn register(
    change: Change,
    agent: &Absolute,
    url: String,
    observed: &Observed,
    settings: &Settings,
) -> Change {
    let agent = agent.as_str().to_owned();
    match observed.configured.programs.get(&agent) {
        Some(Ok(())) => {}
        Some(Err(why)) => return change.refused(Cause::Drift, why.to_string()),
        None => return change.refused(Cause::Drift, format!("{agent} was not inspected")),
    }
    // The agent inserts the value with each request: neither its arguments nor its file hold the token.
    let header = format!("Authorization: Bearer ${{{KEY}}}");
    let headers = if settings.token { vec![header] } else { Vec::new() };
    let name = settings.name.0.clone();
    let change = change.to(format!("{url}, in all of the user's projects"));
    let change = change.why("skipped if the agent knows a server of that name already");
    let task = BrowserTask::Register { agent, name, url, headers };
    let action = Action::Home(Box::new(HomeTask::Browser(task)));
    change.done(Verb::Add, Cause::Intent, action)
}

/// The tool's token, made if absent, and the same one in the environment in which agents run.
fn tokens(user: &str, observed: &Observed) -> Planned {
    let (tool, service) = (playwright_file(user), service_file(user));
    let made = format!("{user}/{KEY}");
    let there = value(&tool, observed);
    let mut planned = Planned::default();
    let change = |part: &str, file: &str| {
        let change = Change::new(Some(user), Step::Browser, part, format!("{file} {KEY}"));
        change.needs([account_id(user)])
    };
    let recorded = |file: &str| observed.written.hashes.contains_key(&key_place(file, KEY));
    let first = change(KEY, &tool).to("32 random bytes");
    match &there {
        Err(why) => {
            planned.changes.push(first.refused(Cause::Drift, why.to_string()));
            return planned;
        }
        Ok(None) if recorded(&tool) && observed.files.contains_key(&tool) => {
            let why = "a person removed it: not restored";
            planned.changes.push(first.refused(Cause::Edited, why));
            return planned;
        }
        Ok(None) => {
            let value = SecretSource::Random;
            let action = Action::SetSecret { file: tool.clone(), key: KEY, value };
            planned.changes.push(first.done(Verb::Add, Cause::Intent, action));
        }
        // Any value counts, also one that a person wrote.
        Ok(Some(value)) => planned.adopted.push((key_place(&tool, KEY), value.clone())),
    }
    let second = change(&format!("{KEY}-of-agents"), &service);
    let second = second.needs([account_id(user), made]).to(format!("as in {tool}"));
    let action = Action::SetSecret {
        file: service.clone(),
        key: KEY,
        value: SecretSource::SameAs(tool.clone()),
    };
    let place = key_place(&service, KEY);
    match value(&service, observed) {
        Err(why) => planned.changes.push(second.refused(Cause::Drift, why.to_string())),
        Ok(None) if recorded(&service) && observed.files.contains_key(&service) => {
            planned
                .changes
                .push(second.refused(Cause::Edited, "a person removed it: not restored"));
        }
        Ok(None) => planned.changes.push(second.done(Verb::Add, Cause::Intent, action)),
        Ok(Some(value)) if there.as_ref().is_ok_and(|there| there.as_ref() == Some(&value)) => {
            planned.adopted.push((place, value));
        }
        Ok(Some(value)) => {
            let second = second.from(digest::short(&value));
            let ours = observed.written.is_ours(&place, &value);
            planned.changes.push(deployed::replacing(second, ours, action));
        }
    }
    planned
}

/// The token in an environment file.
fn value(file: &str, observed: &Observed) -> Result<Option<Vec<u8>>, Unreadable> {
    match observed.files.get(file) {
        None => Ok(None),
        Some(File::Unknown(why)) => Err(Unreadable(format!("not read: {why}"))),
        Some(File::Read { bytes, .. }) => {
            Ok(environment_file::get(bytes, KEY).filter(|value| !value.is_empty()))
        }
    }
}

#[cfg(test)]
mod tests;
