//! Installing a version beside the others: the site's commands run as an account of no other purpose, never as root,
//! since a package brings scripts of its own; what they leave is copied as root's, tried, and marked last of all.

use super::check::{becoming, clip};
use super::error::EnforceError;
use super::settings::Enforce;
use super::trial::scratch::Scratch;
use super::version::Version;
use super::versions;
use crate::sys::accounts::Account;
use crate::sys::fs::{TreeLimits, copy_tree, trusted_path, walk};
use crate::sys::process::exec::{self, Program};
use crate::t3::paths::Paths;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a version may have: the largest that was seen has a tenth of this.
const LIMITS: TreeLimits = TreeLimits { entries: 500_000, bytes: 4 << 30, depth: 100 };
/// How long a tag may take to be resolved.
const RESOLVE: Duration = Duration::from_mins(1);
/// How long the program may take to print its version.
const VERSION: Duration = Duration::from_mins(1);
/// Maximum size of what a command prints, in bytes.
const MAX_OUTPUT: usize = 16 << 20;

/// The version that the site wants, and whether it pins it; `None` if it wants none.
pub(super) fn wanted(
    paths: &Paths,
    settings: &Enforce,
    account: Option<&Account>,
) -> Result<Option<Version>, EnforceError> {
    match (&settings.version, &settings.track) {
        (Some(_), Some(_)) => Err(EnforceError::TwoTargets),
        (Some(version), None) => Ok(Some(version.clone())),
        (None, None) => Ok(None),
        (None, Some(tag)) => match account {
            Some(account) if !settings.resolve.is_empty() => {
                let words = Enforce::filled(&settings.resolve, &[("tag", tag)]);
                let scratch = Scratch::new(paths, account)?;
                let output = run(&words, scratch.account(), RESOLVE)?;
                Ok(Some(Version::reported(&output)?))
            }
            _ => {
                let fits = |version: &Version| version.is_nightly() == (tag == "nightly");
                let newest = versions::installed(paths)?.into_iter().rfind(fits);
                newest.map(Some).ok_or_else(|| EnforceError::NothingFits(tag.clone()))
            }
        },
    }
}

/// Installs a version, unless it is there.
///
/// # Errors
/// Then there is no such version: what was made of it is removed, now or by the next run.
pub(super) fn stage(
    paths: &Paths,
    version: &Version,
    settings: &Enforce,
    account: &Account,
) -> Result<(), EnforceError> {
    if versions::is_complete(paths, version)? {
        return reports(&versions::program(paths, version), version, account);
    }
    let dir = trusted_path::ensure_dir(&paths.versions())?;
    let name = version.to_string();
    if dir.stat(&name)?.is_some() {
        return Err(EnforceError::Unmarked(dir.path().join(name).display().to_string()));
    }
    let new = format!(".new-{name}");
    walk::remove(&dir, &new)?;
    let staged = install(version, settings, account, paths).and_then(|(scratch, _)| {
        let to = dir.ensure_dir(&new)?;
        copy_tree(&scratch.dir()?.open_dir(INSTALLED)?, &to, LIMITS)?;
        drop(scratch);
        reports(&to.path().join("bin/t3"), version, account)?;
        to.sync_file_system()?;
        versions::mark_complete(version, &to)?;
        dir.place(&new, &name)?;
        Ok(())
    });
    if staged.is_err() {
        walk::remove(&dir, &new)?;
    }
    staged
}

/// The directory that a version is installed into, in the scratch directory.
const INSTALLED: &str = "installed";

/// Installs a version into a scratch directory, as the account; also returns its program.
pub(super) fn install(
    version: &Version,
    settings: &Enforce,
    account: &Account,
    paths: &Paths,
) -> Result<(Scratch, PathBuf), EnforceError> {
    if settings.install.is_empty() {
        return Err(EnforceError::NotLaid(version.clone()));
    }
    let scratch = Scratch::new(paths, account)?;
    let dir = scratch.make_dir(INSTALLED)?;
    let text = version.to_string();
    let values = [("dir", dir.path().to_str().unwrap_or_default()), ("version", &text)];
    let words = Enforce::filled(&settings.install, &values);
    run(&words, scratch.account(), Duration::from_secs(settings.install_seconds))?;
    // Nothing of it writes on while it is copied.
    scratch.end_processes();
    let program = dir.path().join("bin/t3");
    Ok((scratch, program))
}

/// Checks what a program says that it is.
fn reports(program: &Path, wanted: &Version, account: &Account) -> Result<(), EnforceError> {
    let program = program.to_string_lossy().into_owned();
    let output = run(&[program, "--version".to_owned()], account, VERSION)?;
    match Version::reported(&output) {
        Ok(reported) if reported == *wanted => Ok(()),
        _ => {
            let reported = clip(&output);
            Err(EnforceError::OtherVersion { reported, wanted: wanted.clone() })
        }
    }
}

/// Runs a command of the site as the account; returns what it prints.
fn run(words: &[String], account: &Account, deadline: Duration) -> Result<Vec<u8>, EnforceError> {
    let Some((program, args)) = words.split_first() else { return Ok(Vec::new()) };
    let output = Program::new(program)
        .args(args)
        .becoming(becoming(account))
        .deadline(deadline)
        .max_output(MAX_OUTPUT)
        .run()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(EnforceError::Command {
        command: program.clone(),
        how: exec::describe(output.status),
        message: clip(&output.stderr),
    })
}
