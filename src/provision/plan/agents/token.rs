//! A shared token in the environment of a user's services, for users without a login of their own (pure).

use crate::provision::edit::environment_file;
use crate::provision::observe::observed::{File, Observed};
use crate::provision::paths::service_file;
use crate::provision::plan::change::{Action, Cause, Change, SecretSource, Step, Verb};
use crate::provision::plan::{Planned, account_id};
use crate::provision::protocol::{Login, clip};
use crate::provision::settings::agents::Settings;
use crate::provision::settings::values::Absolute;
use crate::provision::state::digest;
use crate::provision::state::written::key_place;

/// The variable that Claude Code reads a long-lived token from.
const KEY: &str = "CLAUDE_CODE_OAUTH_TOKEN";
/// Variables that it would read instead.
const OTHERS: [&str; 2] = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"];

pub(super) fn plan(user: &str, login: &Login, observed: &Observed, settings: &Settings) -> Planned {
    // An error in the source is reported once, for the host.
    let source = settings.token_file.as_ref().map(Absolute::as_str);
    let Some(Ok(token)) = source.and_then(|path| observed.configured.tokens.get(path)) else {
        return Planned::default();
    };
    let file = service_file(user);
    let place = key_place(&file, KEY);
    let recorded = observed.written.hashes.contains_key(&place);
    let change = Change::new(Some(user), Step::Agents, KEY, format!("{file} {KEY}"));
    let change = change.to(digest::short(token.0.as_bytes())).needs([account_id(user)]);
    let value = SecretSource::Given(token.clone());
    let action = Action::SetSecret { file: file.clone(), key: KEY, value };
    let bytes: &[u8] = match observed.files.get(&file) {
        Some(File::Read { bytes, .. }) => bytes,
        Some(File::Unknown(why)) => {
            return change.refused(Cause::Drift, format!("not read: {why}")).into();
        }
        None => b"",
    };
    let get = |key: &str| environment_file::get(bytes, key).filter(|value| !value.is_empty());
    if let Some(value) = get(KEY) {
        if value == token.0.as_bytes() {
            return Planned::adopted(place, value);
        }
        let change = change.from(digest::short(&value));
        return match observed.written.is_ours(&place, &value) {
            Some(true) => {
                let change = change.why("the shared token changed");
                change.done(Verb::Repair, Cause::Intent, action).into()
            }
            Some(false) => {
                change.refused(Cause::Edited, "a person changed it: not overwritten").into()
            }
            None => Planned::default(), // the user's own token
        };
    }
    if OTHERS.iter().any(|key| get(key).is_some()) {
        return Planned::default();
    }
    match login {
        Login::Present => Planned::default(),
        Login::Unknown(why) => {
            let why = format!("cannot determine whether the user has a login: {}", clip(why));
            change.refused(Cause::Drift, why).into()
        }
        Login::Absent if recorded && observed.files.contains_key(&file) => {
            change.refused(Cause::Edited, "a person removed it: not restored").into()
        }
        Login::Absent => {
            let (verb, cause) =
                if recorded { (Verb::Repair, Cause::Drift) } else { (Verb::Add, Cause::Intent) };
            let change = change.why("the user has neither a login nor a token");
            change.done(verb, cause, action).into()
        }
    }
}
