//! Checks the user's tmux server: whether it can be used, whether changes are saved, and which unit
//! its processes belong to.

use crate::persist::capture::MARKED_OFF;
use crate::persist::context::Context;
use crate::persist::report::{Check, ServerState, StatusReport};
use crate::text::escape;
use crate::tmux::{Pane, program};
use std::collections::BTreeSet;
use std::path::Path;

/// Checks the server, if one runs.
pub(crate) fn checks(context: &Context, root: &Path, standing: &StatusReport) -> Vec<Check> {
    let socket = crate::text::escape(context.server.socket.path().as_os_str().as_encoded_bytes());
    match standing.server {
        ServerState::None => return vec![Check::ok("tmux server", "not running")],
        ServerState::Refused => {
            let what = format!("{socket} must not be used (see 'snapshots'): nothing can be saved");
            let dir = crate::text::shown(context.server.socket.directory());
            return vec![Check::fault("tmux server", what, format!("chmod 700 {dir}"))];
        }
        ServerState::Running => {}
    }
    let mut checks = vec![Check::ok("tmux server", format!("running at {socket}"))];
    if let Some(own) = program::of_server(&context.server.socket) {
        checks.push(upgraded(program::version(Some(&own)), program::version(None)));
    }
    checks.push(saves_changes(context.server.option("@persist_save").as_deref()));
    checks.extend(excluded(context));
    if root.join("run/systemd/system").is_dir() {
        let cgroup =
            context.server.socket.server_pid().and_then(|pid| {
                std::fs::read_to_string(root.join(format!("proc/{pid}/cgroup"))).ok()
            });
        checks.push(slice(cgroup.as_deref(), context.account.uid.as_raw()));
    }
    checks
}

/// Sessions that are not saved; `None` if there are none and no pattern.
fn excluded(context: &Context) -> Option<Check> {
    let listing = context.server.list().ok().flatten().unwrap_or_default();
    let is_excluded =
        |pane: &&Pane| pane.mark == MARKED_OFF || context.keep.excludes(&pane.session);
    let names: BTreeSet<String> =
        listing.panes.iter().filter(is_excluded).map(|pane| escape(&pane.session)).collect();
    let patterns = &context.keep.exclude;
    if names.is_empty() && patterns.is_empty() {
        return None;
    }
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    let names = if names.is_empty() { "none is live".to_owned() } else { format!("live: {names}") };
    let patterns = patterns.iter().map(|pattern| escape(pattern.as_bytes())).collect::<Vec<_>>();
    let by = if patterns.is_empty() {
        "by @persist off".to_owned()
    } else {
        format!("by @persist off or as {}", patterns.join(", "))
    };
    Some(Check::ok("excluded sessions", format!("not saved {by}; {names}")))
}

/// A server whose program is not the one on PATH, because tmux was upgraded since it started.
fn upgraded(server: Option<String>, installed: Option<String>) -> Check {
    const NAME: &str = "tmux upgrade";
    let shown = |version: Option<String>| {
        version.map_or_else(|| "not known".to_owned(), |text| crate::text::escape(text.as_bytes()))
    };
    let (server, installed) = (shown(server), shown(installed));
    if server == installed {
        return Check::ok(NAME, format!("the server runs another build of {server}"));
    }
    let what = format!(
        "the server runs {server}, installed is {installed}: it is saved and restored by its own \
         program, but a new client may fail to attach"
    );
    Check::warn(NAME, what, "persist save && tmux kill-server && persist restore")
}

/// Whether the server saves when something changes, by the mark of our hooks.
fn saves_changes(mark: Option<&str>) -> Check {
    const NAME: &str = "tmux hooks";
    match mark {
        Some(mark) if !mark.is_empty() => Check::ok(NAME, "changes are saved immediately"),
        _ => {
            let what = "changes since the last timed save would be lost in a crash";
            Check::warn(NAME, what, "persist save")
        }
    }
}

/// The processes of a service end with it, or with its next restart.
fn slice(cgroup: Option<&str>, uid: u32) -> Check {
    const NAME: &str = "tmux slice";
    let slice = format!("user-{uid}.slice");
    let Some(cgroup) = cgroup else {
        return Check::skipped(NAME, "the server's control group cannot be read");
    };
    let path = cgroup.lines().find_map(|line| line.strip_prefix("0::")).unwrap_or(cgroup).trim();
    if path.split('/').any(|part| part == slice) {
        return Check::ok(NAME, slice);
    }
    let what = format!(
        "the server runs in {path} instead of {slice}: it is not subject to the user's limits and ends with that unit"
    );
    let fix = "persist save && tmux kill-server && persist restore";
    Check::warn(NAME, what, fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::CheckState;

    #[test]
    fn a_server_outside_the_users_slice_is_named_with_its_unit() {
        let at = |path: &str| slice(Some(&format!("0::{path}\n")), 1000);
        assert_eq!(at("/user.slice/user-1000.slice/session-3.scope").state, CheckState::Ok);
        for path in ["/system.slice/web.service", "/user.slice/user-10001.slice/session-3.scope"] {
            let check = at(path);
            assert_eq!(check.state, CheckState::Warn);
            assert!(check.what.contains(path), "{check:?}");
        }
        assert_eq!(slice(None, 1000).state, CheckState::Skipped);
    }

    #[test]
    fn a_server_older_than_the_installed_tmux_is_named_with_both_versions() {
        let check = upgraded(Some("tmux 3.3a".to_owned()), Some("tmux 3.8".to_owned()));
        assert_eq!(check.state, CheckState::Warn);
        assert!(check.what.contains("runs tmux 3.3a, installed is tmux 3.8"), "{check:?}");
        let check = upgraded(Some("tmux 3.3a".to_owned()), Some("tmux 3.3a".to_owned()));
        assert_eq!(check.state, CheckState::Ok, "a new build of the same version");
    }

    #[test]
    fn a_server_without_our_mark_saves_no_change() {
        assert_eq!(saves_changes(Some("abc")).state, CheckState::Ok);
        assert_eq!(
            [saves_changes(Some("")).state, saves_changes(None).state],
            [CheckState::Warn; 2]
        );
    }
}
