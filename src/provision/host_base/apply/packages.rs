//! apt-get and npm.

use super::ApplyRun;
use super::tools::{run, run_as_nobody, run_to_completion, waiting_for_locks};
use crate::provision::host_base::observe;
use crate::provision::host_base::observed::Tool;
use crate::provision::host_base::plan::{Action, Change};
use crate::provision::host_base::{HostApplyError, HostChangeError};
use crate::sys::Dir;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const QUERY_DEADLINE: Duration = Duration::from_mins(1);
const UPDATE_DEADLINE: Duration = Duration::from_mins(5);
/// How long a command of a tool may take to print its version.
const COMMAND_DEADLINE: Duration = Duration::from_secs(30);
const INSTALL_DEADLINE: Duration = Duration::from_mins(30);
/// apt-get's options: installed packages and configuration files are kept; waits for another apt to end.
const OPTIONS: [&str; 9] = [
    "-y",
    "-q",
    "--no-install-recommends",
    "--no-remove",
    "--no-upgrade",
    "-oDpkg::Options::=--force-confdef",
    "-oDpkg::Options::=--force-confold",
    "-oDPkg::Lock::Timeout=120",
    "-oAPT::Get::AutomaticRemove=false",
];

/// Makes lists that cannot be fetched an error, instead of a warning with exit code 0.
const ANY_ERROR: &str = "-oAPT::Update::Error-Mode=any";

/// Installs missing packages with one call; if that fails, each by itself, so that one failure does not
/// prevent the others.
pub(crate) fn install(changes: &[&Change], run: &mut ApplyRun<'_>) -> Result<(), HostApplyError> {
    if changes.is_empty() {
        return Ok(());
    }
    let interrupted = changes.iter().any(|change| run.record.unfinished.contains_key(&change.id));
    for change in changes {
        run.begin(change, "")?;
    }
    (run.progress)(&format!("installing {}", count(changes.len())));
    finish_interrupted(interrupted);
    let known = match known_packages(&names(changes), run.progress) {
        Ok(known) => known,
        Err(error) => {
            let error = Arc::new(error);
            for change in changes {
                run.end(change, Err(HostChangeError::Shared(Arc::clone(&error))));
            }
            return run.save();
        }
    };
    let (installable, unknown): (Vec<&Change>, Vec<&Change>) =
        changes.iter().partition(|change| known.names.contains(name(change)));
    for change in unknown {
        let update = known.update.clone();
        run.end(change, Err(HostChangeError::UnknownPackage { update }));
    }
    let all = call(&installable).map_err(Arc::new);
    let results = installable.iter().map(|change| match &all {
        Ok(()) => Ok(()),
        Err(error) if installable.len() == 1 => Err(HostChangeError::Shared(Arc::clone(error))),
        Err(_) => call(&[change]),
    });
    let results: Vec<Result<(), HostChangeError>> = results.collect();
    // What is installed counts, not the exit code.
    let there = observe::packages().map_err(|error| Arc::new(HostChangeError::from(error)));
    for (change, result) in installable.iter().zip(results) {
        let package = there.as_ref().map(|there| there.get(name(change)).filter(|p| p.installed));
        let result = match (package, result) {
            (Ok(Some(package)), _) => {
                run.record.made.insert(change.id.clone(), package.version.clone());
                Ok(())
            }
            (Ok(None), Ok(())) => Err(HostChangeError::NotInstalled { program: "apt-get" }),
            (_, Err(why)) => Err(why),
            (Err(error), Ok(())) => Err(HostChangeError::Shared(Arc::clone(error))),
        };
        run.end(change, result);
    }
    run.save()
}

/// The name and the pin of a package.
fn package(change: &Change) -> (&str, Option<&str>) {
    match &change.action {
        Some(Action::Package { name, version }) => (name, version.as_deref()),
        _ => (&change.what, None),
    }
}

fn name(change: &Change) -> &str {
    package(change).0
}

fn names<'a>(changes: &[&'a Change]) -> Vec<&'a str> {
    changes.iter().map(|change| name(change)).collect()
}

fn count(packages: usize) -> String {
    format!("{packages} package{}", if packages == 1 { "" } else { "s" })
}

fn call(changes: &[&Change]) -> Result<(), HostChangeError> {
    if changes.is_empty() {
        return Ok(());
    }
    let specs = changes.iter().map(|change| match package(change) {
        (name, Some(version)) => format!("{name}={version}"),
        (name, None) => name.to_owned(),
    });
    let specs: Vec<String> = specs.collect();
    let mut argv = vec!["apt-get", "install"];
    argv.extend(OPTIONS);
    argv.push("--");
    argv.extend(specs.iter().map(String::as_str));
    waiting_for_locks(|| run_to_completion(&argv, INSTALL_DEADLINE)).map(drop)
}

/// Finishes an interrupted installation: until then apt-get refuses to install anything. If that fails for
/// one package, apt-get still installs others and reports the error.
fn finish_interrupted(interrupted: bool) {
    let updates = Dir::open(Path::new("/var/lib/dpkg/updates")).and_then(|dir| dir.names(1000));
    let pending = updates.is_ok_and(|names| names.is_none_or(|names| !names.is_empty()));
    if interrupted || pending {
        let argv = ["dpkg", "--force-confdef", "--force-confold", "--configure", "-a"];
        let _ = waiting_for_locks(|| run_to_completion(&argv, INSTALL_DEADLINE));
    }
}

struct KnownPackages<'a> {
    /// Names that apt can install. apt takes an unknown name for an expression and installs all packages
    /// that match it.
    names: BTreeSet<&'a str>,
    /// Why the lists of apt could not be renewed, to append to an error.
    update: String,
}

/// The names that apt knows; its lists are renewed if one is unknown.
fn known_packages<'a>(
    names: &[&'a str],
    progress: &mut dyn FnMut(&str),
) -> Result<KnownPackages<'a>, HostChangeError> {
    let query = || -> Result<BTreeSet<&'a str>, HostChangeError> {
        let mut argv = vec!["apt-cache", "policy", "--"];
        argv.extend(names);
        let answer = run(&argv, QUERY_DEADLINE)?.stdout;
        let candidates = candidates(&String::from_utf8_lossy(&answer));
        let has = |name: &&&'a str| {
            let base = name.split_once(':').map_or(**name, |(base, _)| base);
            candidates.contains(**name) || candidates.contains(base)
        };
        Ok(names.iter().filter(has).copied().collect())
    };
    let first = query()?;
    if first.len() == names.len() {
        return Ok(KnownPackages { names: first, update: String::new() });
    }
    progress("renewing apt's lists");
    let argv = ["apt-get", "update", "-q", "-oDPkg::Lock::Timeout=120", ANY_ERROR];
    let update = waiting_for_locks(|| run(&argv, UPDATE_DEADLINE));
    let update = update.err().map_or(String::new(), |why| format!("; {why}"));
    Ok(KnownPackages { names: query()?, update })
}

/// The packages in what `apt-cache policy` prints that can be installed.
fn candidates(text: &str) -> BTreeSet<String> {
    let mut candidates = BTreeSet::new();
    let mut name = "";
    for line in text.lines() {
        if !line.starts_with(' ') {
            name = line.strip_suffix(':').unwrap_or_default();
        } else if let Some(version) = line.trim().strip_prefix("Candidate: ")
            && version != "(none)"
        {
            candidates.insert(name.to_owned());
        }
    }
    candidates
}

/// Installs a tool for all users; the registry is npm's own setting. What a killed npm left is removed
/// before: npm would take it for complete.
pub(crate) fn npm(
    name: &str,
    version: &str,
    unfinished: bool,
    progress: &mut dyn FnMut(&str),
) -> Result<(), HostChangeError> {
    let spec = format!("{name}@{version}");
    progress(&format!("installing {spec}"));
    let call = |verb: &str, what: &str| {
        let argv = [
            "npm",
            verb,
            "--global",
            "--prefix=/usr/local",
            "--no-audit",
            "--no-fund",
            "--no-update-notifier",
            // Whatever root's own npm is set to: a tool may need its install script.
            "--ignore-scripts=false",
            "--loglevel=error",
            "--",
            what,
        ];
        run(&argv, INSTALL_DEADLINE)
    };
    if unfinished {
        let _ = call("uninstall", name); // what cannot be removed may still be replaced
    }
    call("install", &spec)?;
    match observe::tool(name) {
        Some(Tool::Version(there, modules)) if there == version => commands_run(name, modules),
        Some(Tool::Broken(why)) => Err(HostChangeError::Broken(why)),
        _ => Err(HostChangeError::NotInstalled { program: "npm" }),
    }
}

/// Whether each command of the tool runs, for an account of no rights: one whose install script failed may only say
/// so, and files that only root may read are nobody else's. A command that knows neither option is asked in vain, so
/// one success is enough.
fn commands_run(name: &str, modules: &str) -> Result<(), HostChangeError> {
    for command in observe::commands(name, modules) {
        let version = run_as_nobody(&[&command, "--version"], COMMAND_DEADLINE);
        if let Err(error) = version
            && run_as_nobody(&[&command, "--help"], COMMAND_DEADLINE).is_err()
        {
            return Err(error);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_what_has_a_candidate_can_be_installed() {
        let text = "jq:\n  Installed: (none)\n  Candidate: 1.6-2\n  Version table:\n     1.6-2 500\n\
                    virtual:\n  Installed: (none)\n  Candidate: (none)\n  Version table:\n";
        assert_eq!(super::candidates(text).into_iter().collect::<Vec<_>>(), ["jq"]);
    }
}
