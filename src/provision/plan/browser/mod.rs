//! A user's browser tool: a token, and the agent's registration of it. Its port is the
//! environment's.

use super::account_id;
use super::change::{Action, Cause, Change, SecretValue, Step, Verb};
use super::deployed::Planned;
use super::environment::Kind;
use crate::provision::edit::environment_file;
use crate::provision::home::browser::{Facts, Look, Work};
use crate::provision::home::{self, Clipped};
use crate::provision::observe::observed::{File, Home, Observed, playwright_file, service_file};
use crate::provision::settings::values::{Absolute, Name};
use crate::provision::state::digest;
use crate::provision::state::written::key_place;
use crate::roster::Row;
use serde::Deserialize;

/// What a request must show; the server and the agent have it in their environments.
const KEY: &str = "PLAYWRIGHT_MCP_TOKEN";

/// Site values: the table `[provision.browser]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The agent that is told of the tool; without one, nobody is.
    pub agent: Option<Absolute>,
    /// What the agent calls it.
    pub name: Name,
    /// Whether the tool has a token.
    pub token: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { agent: None, name: Name("playwright".to_owned()), token: true }
    }
}

/// What to look at in a user's home; nothing when the site asks for nothing.
pub(in crate::provision) fn look(_user: &str, _row: &Row, settings: &Settings) -> Option<Look> {
    settings.agent.as_ref().map(|_| Look { name: settings.name.0.clone() })
}

/// What a user lacks. `port` is the one of the user's tool.
pub(super) fn plan(
    user: &str,
    port: Option<u16>,
    observed: &Observed,
    settings: &Settings,
) -> Planned {
    let (Some(agent), Some(port)) = (&settings.agent, port) else { return Planned::default() };
    let (mut changes, mut adopted) =
        if settings.token { tokens(user, observed) } else { Planned::default() };
    let change = Change::new(
        Some(user),
        Step::Browser,
        "browser",
        format!("browser tool {}", settings.name.0),
    );
    let facts = match observed.home(user) {
        Home::Fresh => &Facts::Absent,
        Home::Seen(facts) => match &facts.browser {
            Some(facts) => facts,
            None => return (changes, adopted),
        },
        Home::Unknown(why) => {
            let why = format!("the home was not looked at: {}", why.clipped());
            changes.push(change.refused(Cause::Drift, why));
            return (changes, adopted);
        }
        Home::NotAsked => return (changes, adopted),
    };
    let url = format!("http://localhost:{port}/mcp");
    match facts {
        Facts::There(Some(there)) if *there != url => {
            let why = "the agent has it with another address: left as it is";
            changes.push(change.to(url).reported(Cause::Drift, why));
        }
        Facts::There(_) => {}
        Facts::Unfit(why) => changes.push(change.refused(Cause::Drift, why.clipped())),
        Facts::Absent => {
            let needs = [account_id(user), Kind::Playwright.id(user)].into_iter();
            let needs: Vec<String> =
                needs.chain(changes.iter().map(|change| change.id.clone())).collect();
            changes.push(register(change.needs(needs), agent, url, observed, settings));
        }
    }
    adopted.dedup();
    (changes, adopted)
}

fn register(
    change: Change,
    agent: &Absolute,
    url: String,
    observed: &Observed,
    settings: &Settings,
) -> Change {
    let agent = agent.as_str().to_owned();
    match observed.site.programs.get(&agent) {
        Some(Ok(())) => {}
        Some(Err(why)) => return change.refused(Cause::Drift, why.clone()),
        None => return change.refused(Cause::Drift, format!("{agent} was not looked at")),
    }
    // The agent puts the value in when it asks: neither its arguments nor its file hold the token.
    let header = format!("Authorization: Bearer ${{{KEY}}}");
    let headers = if settings.token { vec![header] } else { Vec::new() };
    let name = settings.name.0.clone();
    let change = change.to(format!("{url}, for every project of the user's"));
    let change = change.why("unless the agent knows one of that name from elsewhere");
    let work = Work::Register { agent, name, url, headers };
    let action = Action::Home(Box::new(home::Work::Browser(work)));
    change.done(Verb::Add, Cause::Intent, action)
}

/// The tool's token, made if absent, and the same one in the environment in which agents run.
fn tokens(user: &str, observed: &Observed) -> Planned {
    let (tool, service) = (playwright_file(user), service_file(user));
    let made = format!("{user}/{KEY}");
    let there = value(&tool, observed);
    let (mut changes, mut adopted) = (Vec::new(), Vec::new());
    let change = |part: &str, file: &str| {
        let change = Change::new(Some(user), Step::Browser, part, format!("{file} {KEY}"));
        change.needs([account_id(user)])
    };
    let recorded = |file: &str| observed.written.hashes.contains_key(&key_place(file, KEY));
    let first = change(KEY, &tool).to("32 random bytes");
    match &there {
        Err(why) => {
            changes.push(first.refused(Cause::Drift, why.clone()));
            return (changes, adopted);
        }
        Ok(None) if recorded(&tool) && observed.files.contains_key(&tool) => {
            let why = "a person took it out: not put back";
            changes.push(first.refused(Cause::Edited, why));
            return (changes, adopted);
        }
        Ok(None) => {
            let value = SecretValue::Random;
            let action = Action::SetSecret { file: tool.clone(), key: KEY, value };
            changes.push(first.done(Verb::Add, Cause::Intent, action));
        }
        // A person's, too: whatever it is, it counts.
        Ok(Some(value)) => adopted.push((key_place(&tool, KEY), value.clone())),
    }
    let second = change(&format!("{KEY}-of-agents"), &service);
    let second = Change { needs: vec![account_id(user), made], ..second };
    let second = second.to(format!("as in {tool}"));
    let action = Action::SetSecret {
        file: service.clone(),
        key: KEY,
        value: SecretValue::SameAs(tool.clone()),
    };
    let place = key_place(&service, KEY);
    match value(&service, observed) {
        Err(why) => changes.push(second.refused(Cause::Drift, why)),
        Ok(None) if recorded(&service) && observed.files.contains_key(&service) => {
            changes.push(second.refused(Cause::Edited, "a person took it out: not put back"));
        }
        Ok(None) => changes.push(second.done(Verb::Add, Cause::Intent, action)),
        Ok(Some(value)) if there.as_ref().is_ok_and(|there| there.as_ref() == Some(&value)) => {
            adopted.push((place, value));
        }
        Ok(Some(value)) => {
            let second = second.from(digest::short(&value));
            changes.push(super::deployed::other(
                second,
                observed.written.is_ours(&place, &value),
                action,
            ));
        }
    }
    (changes, adopted)
}

fn value(file: &str, observed: &Observed) -> Result<Option<Vec<u8>>, String> {
    match observed.files.get(file) {
        None => Ok(None),
        Some(File::Unknown(why)) => Err(format!("not read: {why}")),
        Some(File::Read { bytes, .. }) => {
            Ok(environment_file::get(bytes, KEY).filter(|value| !value.is_empty()))
        }
    }
}

#[cfg(test)]
mod tests;
