//! The commit of an edited roster: made and pushed by the clone's owner, checked by root.
//!
//! It is made of objects: neither the index nor what is checked out counts or changes.

use super::RepositoryError;
use super::checked::Checked;
use super::clone::{Clone, DEADLINE, error_of};
use crate::provision::settings::roster_repository::RosterRepository;
use crate::text::escape;

/// The branch of the clone that keeps a commit that is not pushed.
pub const BRANCH: &str = "provision-membership";

/// What came of a push.
#[derive(Debug, PartialEq, Eq)]
pub enum Pushed {
    Done,
    /// The remote has what the commit does not follow on, or a rule of its own against it: its words.
    Rejected(String),
}

/// Checks that the clone belongs to an account without privileges, which can commit and push.
///
/// # Errors
/// It is root's.
pub fn check_owner(from: &RosterRepository) -> Result<(), RepositoryError> {
    let clone = Clone::of(from)?;
    if clone.is_roots() {
        return Err(RepositoryError::OfRoot { clone: clone.name() });
    }
    Ok(())
}

/// Commits the roster `bytes` on top of `base`, with nothing else changed. The same edit on the same base is
/// the commit that [`keep`] kept.
///
/// # Errors
/// git failed, or a signature is required and is not by an allowed key.
pub fn commit(
    from: &RosterRepository,
    base: &str,
    bytes: &[u8],
    message: &str,
) -> Result<String, RepositoryError> {
    let clone = Clone::of(from)?;
    let failed = |why: String| RepositoryError::Commit { clone: clone.name(), why };
    let tree = tree(&clone, base, bytes).map_err(failed)?;
    let commit = if let Some(commit) = kept(&clone, base, &tree) {
        commit
    } else {
        let mut args = vec!["commit-tree", &tree, "-p", base, "-F", "-"];
        if from.require_signed || signs(&clone) {
            args.push("-S");
        }
        id(&clone, &args, message.as_bytes()).map_err(failed)?
    };
    let checked = Checked::of(&clone, &commit, std::slice::from_ref(&commit))?;
    if from.require_signed {
        checked.verify(&commit)?;
    }
    checked.follows(&commit, base, std::slice::from_ref(&commit))?;
    let there = format!("{commit}:{}", from.path.as_str());
    if checked.git(&["cat-file", "blob", &there])? != bytes {
        return Err(failed("the commit has another roster than the edited one".to_owned()));
    }
    Ok(commit)
}

/// Keeps a commit in [`BRANCH`], for a person to push.
///
/// # Errors
/// git failed; it does so if that branch is checked out.
pub fn keep(from: &RosterRepository, commit: &str) -> Result<(), RepositoryError> {
    let clone = Clone::of(from)?;
    let args = ["branch", "--force", "--no-track", "--", BRANCH, commit];
    let kept = clone.git(&args, None, DEADLINE);
    kept.map(drop).map_err(|why| RepositoryError::Commit { clone: clone.name(), why })
}

/// Pushes a commit to the branch, forward only.
///
/// # Errors
/// The remote was not reached, or gave no answer about the branch.
pub fn push(from: &RosterRepository, commit: &str) -> Result<Pushed, RepositoryError> {
    let clone = Clone::of(from)?;
    let no_mirror = format!("remote.{}.mirror=false", from.remote.0);
    let refspec = format!("{commit}:refs/heads/{}", from.branch.as_str());
    let args = [
        "-c",
        &no_mirror,
        "push",
        "--porcelain",
        "--no-progress",
        "--no-force",
        "--no-verify",
        "--no-follow-tags",
        "--no-signed",
        "--recurse-submodules=no",
        "--",
        &from.remote.0,
        &refspec,
    ];
    let failed = |why: String| RepositoryError::Push { clone: clone.name(), why };
    let output = clone.run(&args, None, from.deadline()).map_err(failed)?;
    if output.status.success() {
        return Ok(Pushed::Done);
    }
    match rejection(&String::from_utf8_lossy(&output.stdout)) {
        Some(why) => Ok(Pushed::Rejected(escape(why.as_bytes()))),
        None => Err(failed(error_of(&output))),
    }
}

/// Why the remote rejected the branch: `! FROM:TO [rejected] (fetch first)`, with TABs between.
fn rejection(output: &str) -> Option<String> {
    let line = output.lines().find_map(|line| line.strip_prefix("!\t"))?;
    Some(line.split_once('\t').map_or(line, |(_, why)| why).chars().take(200).collect())
}

/// The commit in [`BRANCH`], if it is this tree on top of this base.
fn kept(clone: &Clone<'_>, base: &str, tree: &str) -> Option<String> {
    let branch = format!("refs/heads/{BRANCH}");
    let [its_tree, its_base] = [format!("{branch}^{{tree}}"), format!("{branch}^1")];
    let args = ["rev-parse", "--quiet", "--verify", "--end-of-options"];
    let of = |what: &str| clone.ids(&[&args[..], &[what]].concat()).ok()?.pop();
    let is_same = of(&its_base)? == base && of(&its_tree)? == tree;
    is_same.then(|| of(&branch))?
}

/// Whether the owner signs all commits.
fn signs(clone: &Clone<'_>) -> bool {
    let args = ["config", "--type=bool", "--get", "commit.gpgSign"];
    clone.git(&args, None, DEADLINE).is_ok_and(|value| value.trim_ascii() == b"true")
}

/// The tree of `base` with these bytes as the roster.
// A String: the line of git that the caller puts into its error.
fn tree(clone: &Clone<'_>, base: &str, bytes: &[u8]) -> Result<String, String> {
    let mut object = id(clone, &["hash-object", "-w", "-t", "blob", "--stdin"], bytes)?;
    let mut path = clone.from.path.as_str();
    while !path.is_empty() {
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        let args = ["ls-tree", "-z", "--full-tree", &format!("{base}:{dir}")];
        let listing = clone.git(&args, None, DEADLINE)?;
        let listing = with_entry(&listing, name.as_bytes(), &object)
            .ok_or_else(|| format!("{path} is no plain file in a directory of {base}"))?;
        object = id(clone, &["mktree", "-z", "--missing"], &listing)?;
        path = dir;
    }
    Ok(object)
}

/// The listing of a tree (`MODE TYPE OBJECT`, TAB, name, NUL), with another object for one name; `None` if it
/// is neither a plain file nor a directory.
fn with_entry(listing: &[u8], name: &[u8], object: &str) -> Option<Vec<u8>> {
    let mut new = Vec::with_capacity(listing.len());
    let mut found = false;
    for entry in listing.split_inclusive(|byte| *byte == 0) {
        let tab = entry.iter().position(|byte| *byte == b'\t')?;
        if entry[tab + 1..].strip_suffix(b"\0")? != name {
            new.extend(entry);
            continue;
        }
        let head = std::str::from_utf8(&entry[..tab]).ok()?;
        let kind = ["100644 blob ", "100755 blob ", "040000 tree "]
            .into_iter()
            .find(|kind| head.starts_with(kind))?;
        new.extend(kind.bytes().chain(object.bytes()));
        new.extend(&entry[tab..]);
        found = true;
    }
    found.then_some(new)
}

/// The one id that git prints.
// A String: the line of git that the caller puts into its error.
fn id(clone: &Clone<'_>, args: &[&str], input: &[u8]) -> Result<String, String> {
    let output = clone.git(args, Some(input), DEADLINE)?;
    let id = String::from_utf8_lossy(output.trim_ascii()).into_owned();
    if super::is_id(&id) { Ok(id) } else { Err(format!("'{}' is no id", escape(id.as_bytes()))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_entry_of_a_tree_is_replaced_and_all_others_stay_as_they_are() {
        let listing =
            b"100644 blob 11\ta\xff\n b\x00160000 commit 22\tmodule\x00100755 blob 33\troster.yaml\0";
        let edited = with_entry(listing, b"roster.yaml", "44").unwrap();
        assert_eq!(
            edited,
            b"100644 blob 11\ta\xff\n b\x00160000 commit 22\tmodule\x00100755 blob 44\troster.yaml\0"
        );
        for name in ["module", "link", "absent"] {
            let listing = [&listing[..], b"120000 blob 55\tlink\0"].concat();
            assert_eq!(with_entry(&listing, name.as_bytes(), "44"), None, "{name}");
        }
    }

    #[test]
    fn the_remotes_reason_is_the_last_part_of_its_line() {
        let output = "To /srv/x\n!\tabc:refs/heads/main\t[remote rejected] (pre-receive hook declined)\nDone\n";
        assert_eq!(rejection(output).unwrap(), "[remote rejected] (pre-receive hook declined)");
        assert_eq!(rejection("To /srv/x\n=\ta:b\t[up to date]\nDone\n"), None);
    }
}
