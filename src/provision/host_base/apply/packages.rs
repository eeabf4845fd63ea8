//! apt-get and npm.

use super::Work;
use super::tools::{run, run_to_its_end};
use crate::provision::host_base::observe;
use crate::provision::host_base::observed::Tool;
use crate::provision::host_base::plan::{Action, Change};
use crate::sys::Dir;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

const ASKING: Duration = Duration::from_mins(1);
const FETCHING: Duration = Duration::from_mins(5);
const INSTALLING: Duration = Duration::from_mins(30);
/// apt-get's options: what is there stays, configuration files included, and another apt is waited for.
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

/// Lists that could not be fetched are an error, and not a warning with exit code 0.
const ANY_ERROR: &str = "-oAPT::Update::Error-Mode=any";

/// Installs what is missing with one call; if that fails, each by itself, so that one that cannot be
/// installed does not keep the others out.
pub(crate) fn install(changes: &[&Change], work: &mut Work<'_>) -> Result<(), String> {
    if changes.is_empty() {
        return Ok(());
    }
    let interrupted = changes.iter().any(|change| work.record.unfinished.contains_key(&change.id));
    for change in changes {
        work.begin(change, "")?;
    }
    (work.progress)(&format!("installing {}", count(changes.len())));
    mend(interrupted);
    let known = match known(&names(changes), work.progress) {
        Ok(known) => known,
        Err(why) => {
            for change in changes {
                work.end(change, Err(why.clone()));
            }
            return work.save();
        }
    };
    let (installable, unknown): (Vec<&Change>, Vec<&Change>) =
        changes.iter().partition(|change| known.names.contains(name(change)));
    for change in unknown {
        work.end(change, Err(format!("apt knows no package of this name{}", known.update)));
    }
    let all = call(&installable);
    let results = installable.iter().map(|change| match &all {
        Ok(()) => Ok(()),
        Err(why) if installable.len() == 1 => Err(why.clone()),
        Err(_) => call(&[change]),
    });
    let results: Vec<Result<(), String>> = results.collect();
    // Facts count, not exit codes.
    let there = observe::packages().map_err(|error| error.to_string());
    for (change, result) in installable.iter().zip(results) {
        let package = there.as_ref().map(|there| there.get(name(change)).filter(|p| p.installed));
        let result = match (package, result) {
            (Ok(Some(package)), _) => {
                work.record.made.insert(change.id.clone(), package.version.clone());
                Ok(())
            }
            (Ok(None), Ok(())) => Err("apt-get said nothing, and it is not installed".to_owned()),
            (_, Err(why)) => Err(why),
            (Err(why), Ok(())) => Err(why.clone()),
        };
        work.end(change, result);
    }
    work.save()
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

fn call(changes: &[&Change]) -> Result<(), String> {
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
    run_to_its_end(&argv, INSTALLING).map(drop)
}

/// Finishes what a killed installation left half done: apt-get refuses everything until then. If that
/// fails for one package, apt-get still installs others, and says what is wrong.
fn mend(interrupted: bool) {
    let updates = Dir::open(Path::new("/var/lib/dpkg/updates")).and_then(|dir| dir.names(1000));
    let pending = updates.is_ok_and(|names| names.is_none_or(|names| !names.is_empty()));
    if interrupted || pending {
        let argv = ["dpkg", "--force-confdef", "--force-confold", "--configure", "-a"];
        let _ = run_to_its_end(&argv, INSTALLING);
    }
}

struct Known<'a> {
    /// Those that apt can install, by exactly these names: it takes a name that it does not know for
    /// an expression, and installs whatever that fits.
    names: BTreeSet<&'a str>,
    /// Why its lists could not be renewed.
    update: String,
}

/// Which of the names apt knows; its lists are renewed when it does not know one.
fn known<'a>(names: &[&'a str], progress: &mut dyn FnMut(&str)) -> Result<Known<'a>, String> {
    let ask = || -> Result<BTreeSet<&'a str>, String> {
        let mut argv = vec!["apt-cache", "policy", "--"];
        argv.extend(names);
        let answer = run(&argv, ASKING)?.stdout;
        let candidates = candidates(&String::from_utf8_lossy(&answer));
        let has = |name: &&&'a str| {
            let base = name.split_once(':').map_or(**name, |(base, _)| base);
            candidates.contains(**name) || candidates.contains(base)
        };
        Ok(names.iter().filter(has).copied().collect())
    };
    let first = ask()?;
    if first.len() == names.len() {
        return Ok(Known { names: first, update: String::new() });
    }
    progress("renewing apt's lists");
    let update =
        run(&["apt-get", "update", "-q", "-oDPkg::Lock::Timeout=120", ANY_ERROR], FETCHING);
    let update = update.err().map_or(String::new(), |why| format!("; {why}"));
    Ok(Known { names: ask()?, update })
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

/// Installs a tool where everybody has it; which registry it comes from is npm's own setting. What a
/// killed npm left is taken away before: npm would take it for whole.
pub(crate) fn npm(
    name: &str,
    version: &str,
    unfinished: bool,
    progress: &mut dyn FnMut(&str),
) -> Result<(), String> {
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
            "--loglevel=error",
            "--",
            what,
        ];
        run(&argv, INSTALLING)
    };
    if unfinished {
        let _ = call("uninstall", name); // what cannot be taken away may yet be replaced
    }
    call("install", &spec)?;
    match observe::tool(name) {
        Some(Tool::Version(there, _)) if there == version => Ok(()),
        _ => Err("npm said nothing, and it is not installed".to_owned()),
    }
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
