//! Checks of the site: configuration, map, state directory.

use crate::cli::exit::Failure;
use crate::cli::persist::args::Common;
use crate::persist::report::Check;
use crate::supervisor::targets;
use crate::sys::FileError;
use crate::sys::fs::trusted_path;
use crate::text::escape;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Whether the configuration can be used.
pub(crate) fn configuration(common: &Common, failure: Option<&Failure>) -> Check {
    const NAME: &str = "configuration";
    match failure {
        Some(failure) => {
            Check::fault(NAME, failure.message.clone(), edit(common.config.as_deref()))
        }
        None => Check::ok(NAME, "valid, or absent: every value has a default"),
    }
}

fn edit(config: Option<&Path>) -> String {
    let path = config.unwrap_or(Path::new(crate::cli::config_file::CONFIG));
    format!("editor {}", shown(path))
}

/// The map of terminal users, as root uses it.
pub(crate) fn user_map(path: &Path) -> Check {
    let read = targets::read_map(path).map(|read| {
        read.map(|(map, bad)| (map.users().count(), bad.iter().map(ToString::to_string).collect()))
    });
    let read = read.map_err(|error| error.to_string());
    judge_map(path, read, trusted_path::check(path).map(drop).err())
}

// A String: the text that the check shows.
type Map = Result<Option<(usize, Vec<String>)>, String>;

fn judge_map(path: &Path, read: Map, own: Option<FileError>) -> Check {
    const NAME: &str = "user map";
    let path = shown(path);
    if let Some(error) = own.filter(FileError::is_untrusted) {
        let fix = format!("chown root: {path} && chmod go-w {path}");
        return Check::fault(NAME, error.to_string(), fix);
    }
    let (users, bad) = match read {
        Ok(Some(read)) => read,
        Ok(None) => {
            let what = format!("{path} is missing: persist works for root only");
            return Check::warn(NAME, what, format!("echo 'IDENTITY=OS_USER' >>{path}"));
        }
        Err(why) => return Check::fault(NAME, why, format!("ls -l {path}")),
    };
    match (users, bad.first()) {
        (_, Some(first)) => {
            let more = if bad.len() > 1 {
                format!(" (and {} more)", bad.len() - 1)
            } else {
                String::new()
            };
            Check::fault(NAME, format!("{first}{more}"), format!("editor {path}"))
        }
        (0, None) => {
            let what = format!("{path}: no terminal users");
            Check::fault(NAME, what, format!("echo 'IDENTITY=OS_USER' >>{path}"))
        }
        (users, None) => Check::ok(NAME, format!("{path}: {users} users")),
    }
}

/// The directory that holds every user's state.
pub(crate) fn state_dir(path: &Path) -> Check {
    let mode = path.metadata().map(|meta| meta.mode() & 0o7777).ok();
    judge_state_dir(path, mode, trusted_path::check(path).map(drop).err())
}

fn judge_state_dir(path: &Path, mode: Option<u32>, own: Option<FileError>) -> Check {
    const NAME: &str = "state directory";
    let path = shown(path);
    let Some(mode) = mode else {
        return Check::ok(NAME, format!("{path}: missing, the first save makes it"));
    };
    if let Some(error) = own {
        let fix = format!("chown root: {path} && chmod 755 {path}");
        return Check::fault(NAME, error.to_string(), fix);
    }
    if mode & 0o055 != 0o055 {
        let what = format!("{path} has mode {mode:o}: users cannot reach their own directories");
        return Check::fault(NAME, what, format!("chmod 755 {path}"));
    }
    Check::ok(NAME, path)
}

fn shown(path: &Path) -> String {
    escape(path.as_os_str().as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::CheckState;

    fn foreign() -> FileError {
        FileError::untrusted("/m", "belongs to uid 7, not to root")
    }

    #[test]
    fn a_map_that_root_would_not_use_is_a_fault() {
        let judged = |read, own| judge_map(Path::new("/m"), read, own);
        let valid = || Ok(Some((2, vec![])));
        assert_eq!(judged(valid(), None).what, "/m: 2 users");
        assert_eq!(judged(Ok(None), None).state, CheckState::Warn);
        for (check, fix) in [
            (judged(valid(), Some(foreign())), "chown root: /m && chmod go-w /m"),
            (judged(Ok(Some((2, vec!["line 3".into()]))), None), "editor /m"),
            (judged(Ok(Some((0, vec![]))), None), "echo 'IDENTITY=OS_USER' >>/m"),
            (judged(Err("a fifo".into()), None), "ls -l /m"),
        ] {
            assert_eq!((check.state, check.fix.as_deref()), (CheckState::Fault, Some(fix)));
        }
    }

    #[test]
    fn a_state_directory_must_be_roots_and_open_to_be_passed_through() {
        let judged = |mode, own| judge_state_dir(Path::new("/s"), mode, own).state;
        assert_eq!(judged(Some(0o755), None), CheckState::Ok);
        assert_eq!(judged(None, Some(foreign())), CheckState::Ok);
        assert_eq!(judged(Some(0o700), None), CheckState::Fault);
        assert_eq!(judged(Some(0o755), Some(foreign())), CheckState::Fault);
    }
}
