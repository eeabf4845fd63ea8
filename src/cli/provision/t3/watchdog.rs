//! `provision t3 watchdog`.

use crate::cli::exit::{Exit, Failure};
use crate::cli::output::{note, progress};
use crate::cli::provision::output::Output;
use crate::cli::provision::root_run::require_root;
use crate::t3::backup::{self, Why};
use crate::t3::paths::Paths;
use crate::t3::served;
use crate::t3::settings::Settings;
use crate::t3::watchdog::decide::Decision;
use crate::t3::watchdog::{restart, run};
use crate::text::shown;
use serde_json::json;

/// How long a backup before a restart may take: the user waits meanwhile.
const BACKUP_SECONDS: u64 = 120;

pub(super) fn watch(output: Output) -> Result<Exit, Failure> {
    require_root("provision t3 watchdog")?;
    let paths = Paths::host();
    let settings = Settings::read(&paths).map_err(Failure::failed)?.watchdog;
    let watched = run::run(&paths, &settings).map_err(Failure::failed)?;
    let given_up = watched.iter().any(|one| one.decision == Decision::StandDown);
    let word = |decision| match decision {
        Decision::Nothing => "unknown",
        Decision::Recovered => "answers-again",
        Decision::Counted => "no-answer",
        Decision::Restart => "restart",
        Decision::StandDown => "given-up",
    };
    for one in &watched {
        let line = format!("watchdog user={} {}: {}", one.user, word(one.decision), one.why);
        let line = shown(line.trim_end_matches([':', ' '])).to_string();
        if one.decision == Decision::StandDown { note(&line) } else { progress(&line) }
    }
    if output.json {
        let users = watched
            .iter()
            .map(|one| json!({ "user": one.user, "result": word(one.decision), "why": one.why }));
        output.json(&json!({ "users": users.collect::<Vec<_>>() }))?;
    }
    Ok(if given_up { Exit::Failed } else { Exit::Done })
}

pub(super) fn restart(output: Output, user: &str) -> Result<Exit, Failure> {
    require_root("provision t3 watchdog")?;
    let paths = Paths::host();
    if !served::ports(&paths).map_err(Failure::failed)?.contains_key(user) {
        let user = shown(user);
        return Err(Failure::refused(format!("'{user}' is not in the table of instances")));
    }
    let mut limits = Settings::read(&paths).map_err(Failure::failed)?.backup;
    limits.seconds = limits.seconds.min(BACKUP_SECONDS);
    let back_up = || backup::take_within(user, &Why::BeforeRestart, &paths, &limits).map(drop);
    let failed = restart::restart(user, &paths, back_up);
    if let Some(why) = failed.map_err(Failure::failed)? {
        output.note(&format!("{user}: restarted without a backup: {}", shown(&why)));
    } else {
        output.progress(&format!("{user}: backed up and restarted"));
    }
    Ok(Exit::Done)
}
