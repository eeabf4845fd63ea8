//! Site values of clones: the table `[provision.code]` (pure).

use super::values::Name;
use super::{Invalid, repository};
use crate::roster::Row;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The placeholder for a repository's name in an address.
const NAME: &str = "{repo}";

/// Every address in it is one that git may clone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Table")]
pub struct Settings {
    /// The address of the infrastructure's repository.
    pub(crate) infra: Option<String>,
    /// The branch of the infrastructure [default: the remote's own].
    pub(crate) branch: Option<String>,
    /// The address of a repository of a row, with [`NAME`] in it.
    repos: Option<String>,
    /// Addresses of single repositories, by name.
    remotes: BTreeMap<String, String>,
    /// The remote that each clone has besides the one it was cloned from.
    pub(crate) second_remote: Option<SecondRemote>,
    /// Whether addresses may be paths.
    pub(crate) allow_file: bool,
    /// How long one clone may take.
    pub(crate) clone_seconds: u64,
    /// How long bringing all clones of one user up to date may take.
    pub(crate) freshen_seconds: u64,
}

/// Another remote of clones: the canonical one, where they were cloned from a mirror.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondRemote {
    /// Its name in a clone.
    pub(crate) name: Name,
    /// The address of the infrastructure's repository.
    infra: Option<String>,
    /// The address of a repository of a row, with [`NAME`] in it.
    repo: Option<String>,
}

impl SecondRemote {
    pub(crate) fn infra(&self) -> Option<String> {
        self.infra.clone()
    }

    /// The address of a repository of a row.
    pub(crate) fn repo(&self, repo: &str) -> Option<String> {
        self.repo.as_ref().map(|template| template.replace(NAME, repo))
    }

    fn check(&self, allow_file: bool) -> Result<(), Invalid> {
        if self.name.0 == "origin" {
            return Err(Invalid::key("second_remote.name", "expected another name than origin"));
        }
        if let Some(address) = &self.infra {
            check_address("second_remote.infra", address, allow_file)?;
        }
        self.repo
            .iter()
            .try_for_each(|template| check_template("second_remote.repo", template, allow_file))
    }
}

fn check_address(key: &str, address: &str, allow_file: bool) -> Result<(), Invalid> {
    repository::check(address, allow_file).map_err(|rule| Invalid::key(key, rule.to_string()))
}

/// Checks an address with [`NAME`] in its path.
fn check_template(key: &str, template: &str, allow_file: bool) -> Result<(), Invalid> {
    let after_host = template.split_once("://").map_or(template, |(_, rest)| rest);
    let after_host = after_host.split_once(['/', ':']).map_or("", |(_, path)| path);
    if after_host.matches(NAME).count() != 1 || template.matches(NAME).count() != 1 {
        return Err(Invalid::key(key, format!("expected {NAME} once, in its path")));
    }
    check_address(key, &template.replace(NAME, "x"), allow_file)
}

impl Settings {
    /// Whether the site manages clones at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.infra.is_none() && self.repos.is_none() && self.remotes.is_empty()
    }

    /// The address of a repository of a row.
    pub(crate) fn remote(&self, repo: &str) -> Option<String> {
        let template = || self.repos.as_ref().map(|template| template.replace(NAME, repo));
        self.remotes.get(repo).cloned().or_else(template)
    }

    /// The repositories of a row that have an address.
    pub(crate) fn remotes_of<'a>(
        &'a self,
        row: &'a Row,
    ) -> impl Iterator<Item = (&'a String, String)> + 'a {
        row.repos.iter().filter_map(|name| Some((name, self.remote(name)?)))
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Table {
    infra_remote: Option<String>,
    infra_branch: Option<String>,
    repo_remote: Option<String>,
    remotes: BTreeMap<String, String>,
    second_remote: Option<SecondRemote>,
    allow_file: bool,
    clone_seconds: Option<u64>,
    freshen_seconds: Option<u64>,
}

impl TryFrom<Table> for Settings {
    type Error = Invalid;

    fn try_from(table: Table) -> Result<Self, Invalid> {
        let allow_file = table.allow_file;
        if let Some(address) = &table.infra_remote {
            check_address("infra_remote", address, allow_file)?;
        }
        if let Some(template) = &table.repo_remote {
            check_template("repo_remote", template, allow_file)?;
        }
        for (name, address) in &table.remotes {
            check_address(&format!("remotes.{}", crate::text::shown(name)), address, allow_file)?;
        }
        if let Some(second) = &table.second_remote {
            second.check(allow_file)?;
        }
        if let Some(branch) = &table.infra_branch {
            let fine = |c: char| c.is_ascii_alphanumeric() || "._/-".contains(c);
            let parts = |part: &str| part.is_empty() || part.starts_with('.');
            let broken = branch.starts_with('-') || branch.split('/').any(parts);
            if broken || branch.contains("..") || !branch.chars().all(fine) {
                return Err(Invalid::key("infra_branch", "expected the name of a branch"));
            }
        }
        let seconds = |key: &str, given: Option<u64>, default: u64| match given.unwrap_or(default) {
            seconds @ 1..=3600 => Ok(seconds),
            _ => Err(Invalid::key(key, "expected 1 to 3600 seconds")),
        };
        Ok(Self {
            clone_seconds: seconds("clone_seconds", table.clone_seconds, 300)?,
            freshen_seconds: seconds("freshen_seconds", table.freshen_seconds, 10)?,
            infra: table.infra_remote,
            branch: table.infra_branch,
            repos: table.repo_remote,
            remotes: table.remotes,
            second_remote: table.second_remote,
            allow_file: table.allow_file,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_are_checked_when_the_configuration_is_read() {
        for (text, why) in [
            ("infra_remote = 'file:///srv/i'", "infra_remote: file:// is allowed only"),
            ("infra_remote = 'ext::sh -c x'", "infra_remote: expected an address of plain"),
            ("infra_remote = 'https://u:p@h/i'", "infra_remote: expected no login"),
            ("repo_remote = 'https://h/a'", "repo_remote: expected {repo} once"),
            ("repo_remote = 'https://{repo}/a'", "repo_remote: expected {repo} once"),
            ("repo_remote = '{repo}://h/a'", "repo_remote: expected {repo} once"),
            ("repo_remote = 'http://h/{repo}'", "repo_remote: expected the scheme"),
            ("remotes = {a = '-x'}", "remotes.a: expected an address, not an option"),
            ("infra_branch = '-x'", "infra_branch: expected the name"),
            ("infra_branch = 'a/../b'", "infra_branch: expected the name"),
            ("clone_seconds = 0", "clone_seconds: expected 1 to 3600"),
            ("freshen_seconds = 99999", "freshen_seconds: expected 1 to 3600"),
            ("second_remote = {name = '-x'}", "expected a name of letters"),
            ("second_remote = {name = 'origin'}", "second_remote.name: expected another name"),
            ("second_remote = {name = 'a', infra = 'ext::x'}", "second_remote.infra: expected"),
            (
                "second_remote = {name = 'a', repo = 'https://h/a'}",
                "second_remote.repo: expected {repo}",
            ),
            ("wat = 1", "unknown field `wat`"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn a_repository_has_its_own_address_or_the_templates() {
        let settings = read(
            "repo_remote = 'git@h:o/{repo}.git'\nallow_file = true\nremotes = {b = 'file:///srv/b'}",
        )
        .unwrap();
        assert_eq!(settings.remote("a").unwrap(), "git@h:o/a.git");
        assert_eq!(settings.remote("b").unwrap(), "file:///srv/b");
        assert!(read("infra_remote = 'https://h/i'").unwrap().remote("a").is_none());
        assert!(read("").unwrap().is_empty());
    }
}
