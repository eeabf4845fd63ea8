//! Conversations of Claude Code that ran in the background. The first resume after a crash may find a service that takes the
//! killed one for alive: it ends with 1 and asks to be run again, and then succeeds (measured, 2.1.332).

use crate::process::mounts::answers;
use std::ffi::OsStr;
use std::path::Path;

/// How many digits of its conversation's id name a job.
const NAME_OF_JOB: usize = 8;

/// Whether Claude Code has a job of that conversation: a directory `jobs/<first eight digits of the id>` in its data.
/// `config_dir` is the agent's `CLAUDE_CONFIG_DIR`.
pub(crate) fn was_in_background(home: &Path, config_dir: Option<&Path>, id: &OsStr) -> bool {
    let Some(job) = id.to_str().and_then(|id| id.get(..NAME_OF_JOB)) else { return false };
    if !job.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return false;
    }
    let config_dir = config_dir.filter(|dir| !dir.as_os_str().is_empty());
    let data = config_dir.map_or_else(|| home.join(".claude"), Path::to_path_buf);
    let job = data.join("jobs").join(job);
    answers(&std::path::absolute(&job).unwrap_or_default()) && job.is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_known_by_its_directory() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(home.path().join(".claude/jobs/0a1b2c3d")).unwrap();
        std::fs::create_dir_all(home.path().join("other/jobs/11112222")).unwrap();
        let other = home.path().join("other");
        let was = |config_dir, id: &str| was_in_background(home.path(), config_dir, OsStr::new(id));
        assert!(was(None, "0a1b2c3d-0000-4000-8000-000000000000"));
        assert!(was(Some(&*other), "11112222-0000-4000-8000-000000000000"));
        assert!(!was(Some(&*other), "0a1b2c3d-0000-4000-8000-000000000000"));
        assert!(!was(None, "11112222-0000-4000-8000-000000000000"));
        assert!(!was(None, "../../..") && !was(None, "") && !was(None, "0a1b"));
    }
}
