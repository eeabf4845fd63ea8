//! A shared token in the environment of a user's services, for those who have none of their own.

use super::Settings;
use crate::provision::edit::environment_file;
use crate::provision::home::Clipped;
use crate::provision::home::agents::Login;
use crate::provision::observe::observed::{File, Observed, service_file};
use crate::provision::plan::account_id;
use crate::provision::plan::change::{Action, Cause, Change, SecretValue, Step, Verb};
use crate::provision::plan::deployed::{Planned, only};
use crate::provision::state::digest;
use crate::provision::state::written::key_place;

/// What Claude Code takes a long-lived token from.
const KEY: &str = "CLAUDE_CODE_OAUTH_TOKEN";
/// What it would take instead.
const OTHERS: [&str; 2] = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"];

/// What a user lacks of it.
pub(super) fn plan(user: &str, login: &Login, observed: &Observed, settings: &Settings) -> Planned {
    // What is wrong with the source is said once, for the host.
    let source =
        settings.token_file.as_ref().map(crate::provision::settings::values::Absolute::as_str);
    let Some(Ok(token)) = source.and_then(|path| observed.site.tokens.get(path)) else {
        return Planned::default();
    };
    let file = service_file(user);
    let place = key_place(&file, KEY);
    let recorded = observed.written.hashes.contains_key(&place);
    let change = Change::new(Some(user), Step::Agents, KEY, format!("{file} {KEY}"));
    let change = change.to(digest::short(token.0.as_bytes())).needs([account_id(user)]);
    let value = SecretValue::Given(token.clone());
    let action = Action::SetSecret { file: file.clone(), key: KEY, value };
    let bytes: &[u8] = match observed.files.get(&file) {
        Some(File::Read { bytes, .. }) => bytes,
        Some(File::Unknown(why)) => {
            return only(change.refused(Cause::Drift, format!("not read: {why}")));
        }
        None => b"",
    };
    let get = |key: &str| environment_file::get(bytes, key).filter(|value| !value.is_empty());
    if let Some(value) = get(KEY) {
        if value == token.0.as_bytes() {
            return (Vec::new(), vec![(place, value)]);
        }
        let change = change.from(digest::short(&value));
        return match observed.written.is_ours(&place, &value) {
            Some(true) => {
                let change = change.why("the shared token is another one now");
                only(change.done(Verb::Repair, Cause::Intent, action))
            }
            Some(false) => {
                only(change.refused(Cause::Edited, "a person changed it: not overwritten"))
            }
            None => Planned::default(), // a token of the user's own
        };
    }
    if OTHERS.iter().any(|key| get(key).is_some()) {
        return Planned::default();
    }
    match login {
        Login::There => Planned::default(),
        Login::Unknown(why) => {
            let why = format!("whether the user has a login cannot be told: {}", why.clipped());
            only(change.refused(Cause::Drift, why))
        }
        Login::Absent if recorded && observed.files.contains_key(&file) => {
            only(change.refused(Cause::Edited, "a person took it out: not put back"))
        }
        Login::Absent => {
            let (verb, cause) =
                if recorded { (Verb::Repair, Cause::Drift) } else { (Verb::Add, Cause::Intent) };
            let change = change.why("the user has neither a login nor a token");
            only(change.done(verb, cause, action))
        }
    }
}
