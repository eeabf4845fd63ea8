//! The last save of the user's sessions, so that `persist` can show later what the cut ended.

use super::processes;
use super::record::CutRecordFile;
use super::step_runner::StepResult;
use crate::sys::fs::Existing;
use crate::sys::process::tool;
use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

/// The user can hold it up: it gets no more than this.
const DEADLINE: Duration = Duration::from_secs(3);

/// A map of this user alone, among the files that were moved away.
const MAP: &str = "map";

/// Saves once. A failure is reported as a line and is not an error.
pub(super) fn save(file: &mut CutRecordFile) -> StepResult {
    if file.record.saved {
        return Ok(Vec::new());
    }
    let user = file.record.user.clone();
    // The map of the host may no longer contain the user.
    let files = file.files()?;
    files.write(MAP, format!("{user}={user}\n").as_bytes(), Existing::Replaced)?;
    let map = files.path().join(MAP);
    processes::let_tmux_go_on(&file.record);
    let args = [OsStr::new("save"), "--user".as_ref(), user.as_ref(), "--user-map".as_ref()];
    let args = args.into_iter().chain([map.as_os_str()]);
    let saved = tool::run(&program(), args, DEADLINE);
    files.remove(MAP)?;
    file.record.saved = true;
    file.save()?;
    Ok(vec![match saved {
        Ok(_) => format!("sessions of {user}: saved a last time"),
        Err(error) => format!("sessions of {user}: not saved a last time: {error}"),
    }])
}

/// `persist` beside this program, else the installed one.
fn program() -> String {
    let ours = std::fs::read_link("/proc/self/exe").ok();
    let beside = ours.map(|ours| ours.with_file_name("persist")).filter(|path| path.is_file());
    let path = beside.unwrap_or_else(|| Path::new("/usr/bin/persist").to_owned());
    path.to_string_lossy().into_owned()
}
