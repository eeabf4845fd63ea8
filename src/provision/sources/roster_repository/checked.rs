//! A repository of root's own that holds what came from the clone.

use super::RepositoryError;
use super::clone::{Clone, DEADLINE, MAX_PACK, output_of};
use crate::sys::fs::trusted_path;
use crate::sys::process::tool;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A repository of root's own that holds what came from the clone; removed in the end.
pub(super) struct Checked<'a> {
    clone: &'a Clone<'a>,
    dir: String,
}

impl Drop for Checked<'_> {
    fn drop(&mut self) {
        let removed = tool::run("rm", ["-rf", "--", &self.dir], DEADLINE);
        if let Err(error) = removed {
            tracing::info!(%error, "removing {}", self.dir);
        }
    }
}

impl<'a> Checked<'a> {
    /// Takes over the commits, and of `new` the directories on the way to the roster, and the roster.
    pub(super) fn of(
        clone: &'a Clone<'a>,
        new: &str,
        commits: &[String],
    ) -> Result<Self, RepositoryError> {
        let path = clone.from.path.as_str();
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let mut words = vec!["rev-parse".to_owned(), format!("{new}^{{tree}}")];
        words.extend(ends.map(|end| format!("{new}:{}", &path[..end])));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut wanted = commits.to_vec();
        wanted.extend(clone.ids(&words)?);
        let wanted = wanted.join("\n") + "\n";
        let pack = clone
            .git(&["pack-objects", "--quiet", "--stdout"], Some(wanted.as_bytes()), DEADLINE)
            .map_err(|why| clone.failed(&why))?;
        if pack.len() > MAX_PACK {
            return Err(clone.failed("more than is read of it"));
        }
        let dir = tool::run("mktemp", ["-d", "/run/terminal-lobby-roster.XXXXXXXXXX"], DEADLINE)
            .map_err(|error| clone.failed(&error))?;
        let dir = String::from_utf8_lossy(dir.trim_ascii()).into_owned();
        let checked = Self { clone, dir };
        let format = if new.len() == 64 { "sha256" } else { "sha1" };
        let format = format!("--object-format={format}");
        checked.git(&["init", "--quiet", "--bare", "--template=", &format])?;
        checked.run(&["index-pack", "--stdin"], Some(&pack)).map_err(|why| clone.failed(&why))?;
        Ok(checked)
    }

    pub(super) fn git(&self, args: &[&str]) -> Result<Vec<u8>, RepositoryError> {
        self.run(args, None).map_err(|why| self.clone.failed(&why))
    }

    // A String: the line of git that the callers put into their errors.
    fn run(&self, args: &[&str], input: Option<&[u8]>) -> Result<Vec<u8>, String> {
        let variables = [
            ("GIT_DIR", self.dir.as_str()),
            ("GIT_CONFIG_NOSYSTEM", "1"),
            ("GIT_CONFIG_GLOBAL", "/dev/null"),
            ("GIT_NO_REPLACE_OBJECTS", "1"),
        ];
        let mut program = tool::prepared("git", args, &variables);
        if let Some(input) = input {
            program = program.input(input).map_err(|error| crate::text::io_reason(&error))?;
        }
        let output = program.deadline(DEADLINE).max_output(MAX_PACK + 1).run();
        output_of(&output.map_err(|error| error.to_string())?)
    }

    /// Checks the signature of a commit. That of the newest one is enough, as for `git merge --verify-signatures`:
    /// it covers the roster that is used, and by the parents all that was before.
    pub(super) fn verify(&self, commit: &str) -> Result<(), RepositoryError> {
        let signers = Path::new(self.clone.from.allowed_signers.as_str());
        let signers = trusted_path::check(signers)?;
        let signers = format!("gpg.ssh.allowedSignersFile={}", signers.display());
        let settings = [
            &signers,
            "gpg.minTrustLevel=fully",
            "gpg.ssh.program=ssh-keygen",
            "gpg.program=false", // root's own keyring is not the list of signers
            "gpg.openpgp.program=false",
            "gpg.x509.program=false",
        ];
        let mut args: Vec<&str> =
            settings.into_iter().flat_map(|setting| ["-c", setting]).collect();
        args.extend(["verify-commit", commit]);
        let refused = |why: String| RepositoryError::NotSigned {
            clone: self.clone.name(),
            commit: commit.to_owned(),
            why,
        };
        self.run(&args, None).map(drop).map_err(refused)
    }

    /// Checks that `last` is among the ancestors of `new`, as far as `commits` hold them.
    pub(super) fn follows(
        &self,
        new: &str,
        last: &str,
        commits: &[String],
    ) -> Result<(), RepositoryError> {
        let named = commits.join("\n") + "\n";
        let args = ["log", "--no-walk=unsorted", "--format=%H %P", "--stdin"];
        let log = self.run(&args, Some(named.as_bytes())).map_err(|why| self.clone.failed(&why))?;
        let log = String::from_utf8_lossy(&log);
        let parents: BTreeMap<&str, Vec<&str>> = log
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(commit, parents)| (commit, parents.split(' ').collect()))
            .collect();
        if is_ancestor(last, new, &parents) {
            return Ok(());
        }
        let (old, new) = (last.to_owned(), new.to_owned());
        Err(RepositoryError::NotForward { clone: self.clone.name(), old, new })
    }
}

/// Whether `old` is reached from `new` by the parents that are known.
fn is_ancestor(old: &str, new: &str, parents: &BTreeMap<&str, Vec<&str>>) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![new]);
    while let Some(commit) = next.pop() {
        if commit == old {
            return true;
        }
        if seen.insert(commit) {
            next.extend(parents.get(commit).into_iter().flatten());
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_follows_on_what_its_known_parents_lead_to() {
        let parents = BTreeMap::from([("d", vec!["c", "x"]), ("c", vec!["b"]), ("x", vec!["y"])]);
        for (old, is) in [("b", true), ("y", true), ("d", true), ("a", false), ("z", false)] {
            assert_eq!(is_ancestor(old, "d", &parents), is, "{old}");
        }
    }
}
