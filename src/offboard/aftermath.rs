//! What a cut cannot do: files that still act as the user, and what a person must do elsewhere.

use super::error::OffboardError;
use super::processes;
use super::record::CutRecordFile;
use super::settings::Settings;
use super::step_runner::StepResult;
use crate::sys::fs::set_id;
use crate::text::shown;
use std::time::Duration;

/// Lists the user's files with a set-id bit, and what was not searched.
pub(super) fn set_id_files(file: &CutRecordFile, settings: &Settings) -> StepResult {
    let patience = Duration::from_secs(settings.set_id_search_seconds.into());
    let theirs = processes::uids_of(&file.record);
    let search = set_id::find(&|uid| theirs.has(uid), patience).map_err(OffboardError::from)?;
    let user = &file.record.user;
    let mut lines: Vec<String> = search
        .found
        .iter()
        .map(|(path, mode)| {
            format!(
                "set-id file of {user}: {} ({mode:04o}): any user who runs it acts as {user}",
                shown(path)
            )
        })
        .collect();
    if lines.is_empty() {
        lines.push(format!("set-id files of {user}: none found"));
    }
    lines.extend(
        search.skipped.iter().map(|place| format!("not searched for set-id files: {place}")),
    );
    Ok(lines)
}

/// Puts on record what a person must still do, and returns it as lines.
pub(super) fn to_do(file: &mut CutRecordFile) -> Vec<String> {
    let record = &file.record;
    let user = &record.user;
    let identity = record.was.get("authentik_user").and_then(|name| name.as_str());
    let provider = identity.map_or_else(String::new, |name| format!(" ({name})"));
    let mut to_do = vec![
        format!("rotate the agents' shared token, and any other secret that {user} could read"),
        format!("deactivate {user}{provider} at the identity provider, and end the sessions there"),
        format!("revoke keys and tokens of {user} at the forge"),
    ];
    if !record.cluster_revoked {
        let name = if record.k8s_user.is_empty() { user } else { &record.k8s_user };
        to_do.push(format!("revoke the cluster access of {name}"));
    }
    let lines = to_do.iter().map(|line| format!("to do: {line}")).collect();
    file.record.to_do = to_do;
    lines
}
