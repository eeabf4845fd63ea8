//! Reads a clone's git directory without starting git.

use super::layout::{GitDirs, bounded_file, small_file};
use std::fs::Metadata;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Packed refs are searched up to this size, in bytes; beyond it, git is started.
const PACKED_REFS: u64 = 4 << 20;

/// Whether a fetch brought something into one of the repository's worktrees within `age`.
///
/// `FETCH_HEAD` is emptied when a fetch begins and filled when a remote has answered, whoever
/// fetched: so it is the stamp, and nothing of ours lies in the clone. One from the future is
/// no stamp.
pub(super) fn is_fresh(dirs: &GitDirs, age: Duration) -> bool {
    newest_fetch(dirs)
        .and_then(|(_, time)| SystemTime::now().duration_since(time).ok())
        .is_some_and(|since| since < age)
}

/// The newest fetch that brought something: whether it was in this worktree, and when.
fn newest_fetch(dirs: &GitDirs) -> Option<(bool, SystemTime)> {
    let own = fetch_time(&dirs.own);
    let others = std::fs::read_dir(dirs.common.join("worktrees")).into_iter().flatten();
    let others = others.filter_map(Result::ok).map(|entry| entry.path());
    let others = others.chain([dirs.common.clone()]).filter(|other| *other != dirs.own);
    let newest = others.filter_map(|other| fetch_time(&other)).max();
    match (own, newest) {
        (Some(own), Some(other)) if other > own => Some((false, other)),
        (Some(own), _) => Some((true, own)),
        (None, other) => other.map(|other| (false, other)),
    }
}

fn fetch_time(git_dir: &Path) -> Option<SystemTime> {
    let meta = git_dir.join("FETCH_HEAD").symlink_metadata().ok();
    meta.filter(|meta| meta.is_file() && meta.len() > 0).and_then(|meta| modified(&meta))
}

fn modified(meta: &Metadata) -> Option<SystemTime> {
    meta.modified().ok()
}

/// Whether the branch that is checked out is where its upstream was at the newest fetch: then
/// there is nothing to do, and no need to ask git. Any doubt is a no.
pub(super) fn is_at_upstream(dirs: &GitDirs) -> bool {
    let Some((true, fetched)) = newest_fetch(dirs) else { return false };
    let head = dirs.own.join("HEAD");
    // Another branch may have been checked out since.
    let switched = head.symlink_metadata().ok().and_then(|meta| modified(&meta));
    if switched.is_none_or(|switched| switched > fetched) {
        return false;
    }
    let Ok(head) = small_file(&head) else { return false };
    let Some(branch) = head.strip_prefix(b"ref: ").map(<[u8]>::trim_ascii) else { return false };
    let (Ok(branch), Ok(fetched)) =
        (std::str::from_utf8(branch), bounded_file(&dirs.own.join("FETCH_HEAD"), PACKED_REFS))
    else {
        return false;
    };
    branch.starts_with("refs/heads/")
        && upstream(&fetched).is_some_and(|upstream| tip(&dirs.common, branch) == Some(upstream))
}

/// Whether the newest fetch found the branch's upstream.
pub(super) fn has_upstream(dirs: &GitDirs) -> bool {
    bounded_file(&dirs.own.join("FETCH_HEAD"), PACKED_REFS)
        .is_ok_and(|fetched| upstream(&fetched).is_some())
}

/// The one commit that a `FETCH_HEAD` offers for merging: the upstream's of the branch that was
/// checked out then.
fn upstream(fetch_head: &[u8]) -> Option<String> {
    let mut offered = fetch_head.split(|byte| *byte == b'\n').filter_map(|line| {
        let mut fields = line.split(|byte| *byte == b'\t');
        let (commit, mark) = (fields.next()?, fields.next()?);
        mark.is_empty().then_some(commit)
    });
    let only = object_id(offered.next()?)?;
    offered.next().is_none().then_some(only)
}

/// The commit of a branch.
fn tip(common: &Path, branch: &str) -> Option<String> {
    if branch.split('/').any(|part| part == "..") {
        return None;
    }
    if let Ok(loose) = small_file(&common.join(branch)) {
        return object_id(loose.trim_ascii());
    }
    let packed = bounded_file(&common.join("packed-refs"), PACKED_REFS).ok()?;
    packed.split(|byte| *byte == b'\n').find_map(|line| {
        let (commit, name) = line.split_at_checked(line.iter().position(|byte| *byte == b' ')?)?;
        (&name[1..] == branch.as_bytes()).then(|| object_id(commit)).flatten()
    })
}

fn object_id(text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    (text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| text.to_owned())
}

/// The operation that waits to be continued, if any.
pub(super) fn under_way(dirs: &GitDirs) -> Option<&'static str> {
    const STATES: [(&str, &str); 7] = [
        ("rebase-merge", "rebase"),
        ("rebase-apply", "rebase"),
        ("MERGE_HEAD", "merge"),
        ("CHERRY_PICK_HEAD", "cherry-pick"),
        ("REVERT_HEAD", "revert"),
        ("sequencer", "cherry-pick or revert"),
        ("BISECT_LOG", "bisect"),
    ];
    let exists = |file: &str| dirs.own.join(file).symlink_metadata().is_ok();
    STATES.into_iter().find(|(file, _)| exists(file)).map(|(_, what)| what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commit_for_merging_is_the_upstream() {
        let (a, b) = ("a".repeat(40), "b".repeat(40));
        let lines = format!("{a}\t\tbranch 'main' of h:r\n{b}\tnot-for-merge\tbranch 'x' of h:r\n");
        assert_eq!(upstream(lines.as_bytes()), Some(a.clone()));
        assert_eq!(upstream(format!("{a}\t\tx\n{b}\t\ty\n").as_bytes()), None);
        assert_eq!(upstream(format!("{a}\tnot-for-merge\tx\n").as_bytes()), None);
        assert_eq!(upstream(b"torn"), None);
        assert_eq!(upstream(b""), None);
    }
}
