//! Jobs: conversations in the background, which no pane shows (`claude --bg`, `/background`), in
//! `~/.claude/jobs/<job>/state.json`. `claude attach JOB` continues one, after a crash, too.

use super::record::read;
use super::transcripts::is_anywhere;
use crate::agent::background::Backgrounded;
use crate::agent::conversation::ConversationId;
use crate::agent::home::Home;
use crate::agent::program::CLAUDE;
use crate::sys::Dir;
use serde::Deserialize;
use std::path::PathBuf;
use std::rc::Rc;

/// One directory for each job, below the directory of the agent's data.
const JOBS: &str = "jobs";
/// With more jobs than this, none is listed.
const MAX_LISTED: usize = 1000;

/// What is recorded of a job.
#[derive(Debug, Deserialize)]
struct JobState {
    #[serde(rename = "sessionId")]
    session_id: String,
    #[serde(default)]
    cwd: Option<String>,
}

/// The id of a job's conversation, as it is recorded.
pub(super) fn conversation(job: &str, home: &Home) -> Option<String> {
    Some(state(job, home)?.1.session_id)
}

/// All conversations of jobs that were prompted.
pub(super) fn all(home: &Home) -> Vec<Backgrounded> {
    let jobs = home.dir(home.claude().join(JOBS));
    let Some(names) = jobs.and_then(|dir| dir.names(MAX_LISTED).ok()?) else { return Vec::new() };
    let one = |name: &std::ffi::OsString| {
        let job = name.to_str()?;
        let (dir, state) = state(job, home)?;
        let conversation = ConversationId::parse(state.session_id.as_bytes())?;
        let changed = dir.stat("state.json").ok()??.st_mtime;
        is_anywhere(&conversation, home).then(|| Backgrounded {
            agent: CLAUDE,
            conversation,
            attach: format!("{CLAUDE} attach {job}"),
            cwd: PathBuf::from(state.cwd.unwrap_or_default()),
            changed: u64::try_from(changed).unwrap_or_default(),
        })
    };
    names.iter().filter_map(one).collect()
}

fn state(job: &str, home: &Home) -> Option<(Rc<Dir>, JobState)> {
    let is_id = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    if job.is_empty() || !job.bytes().all(is_id) {
        return None;
    }
    let dir = home.dir(home.claude().join(JOBS).join(job))?;
    let state = read(home, &dir, "state.json")?;
    Some((dir, state))
}
