//! Where the site's instructions come from (pure): a file of their own, or `claudeMd` of the managed
//! settings, so that one text is the source for all agents.

use crate::provision::edit::marked_block::MARKDOWN;
use crate::provision::observe::Unreadable;
use crate::provision::observe::observed::Observed;
use crate::provision::settings::agents::Settings;
use crate::provision::settings::values::Absolute;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The organisation's text in Claude Code's managed settings.
const KEY: &str = "claudeMd";

/// The text that users' instructions are to have; `None` unless the site manages them.
pub(super) fn instructions<'a>(
    observed: &'a Observed,
    settings: &Settings,
) -> Option<Result<Cow<'a, str>, Unreadable>> {
    let path = match (&settings.managed_settings, &settings.instructions) {
        (Some(managed), _) if settings.mirror_claude_md => managed,
        (_, Some(instructions)) => instructions,
        _ => return None,
    };
    let path = Absolute::as_str(path);
    let found = text(path, observed).and_then(|text| {
        let found = if settings.mirror_claude_md { claude_md(text, path)? } else { text.into() };
        MARKDOWN.check(found.as_bytes()).map_err(|error| Unreadable(format!("{path}: {error}")))?;
        Ok(found)
    });
    Some(found)
}

fn claude_md(text: &str, path: &str) -> Result<Cow<'static, str>, Unreadable> {
    let settings = object(text).map_err(|why| Unreadable(format!("{path} {why}")))?;
    let text = match settings.get(KEY) {
        Some(Value::String(text)) if !text.trim().is_empty() => text,
        Some(Value::String(_)) => return Err(Unreadable(format!("{path}: {KEY} is empty"))),
        Some(_) => return Err(Unreadable(format!("{path}: {KEY} is not a text"))),
        None => return Err(Unreadable(format!("{path} has no {KEY}"))),
    };
    Ok(Cow::Owned(format!("{}\n", text.trim_end_matches('\n'))))
}

/// The text of a configured file.
pub(super) fn text<'a>(path: &str, observed: &'a Observed) -> Result<&'a str, Unreadable> {
    match observed.configured.texts.get(path) {
        Some(Ok(text)) => Ok(text),
        Some(Err(why)) => Err(why.clone()),
        None => Err(Unreadable(format!("{path} was not read"))),
    }
}

/// Why a text is not a JSON object.
#[derive(Debug, thiserror::Error)]
pub(super) enum ObjectError {
    #[error("is not a JSON object")]
    Other,
    #[error("is not valid JSON: {0}")]
    Json(#[from] serde_json::Error),
}

pub(super) fn object(text: &str) -> Result<Map<String, Value>, ObjectError> {
    match serde_json::from_str(text)? {
        Value::Object(object) => Ok(object),
        _ => Err(ObjectError::Other),
    }
}
