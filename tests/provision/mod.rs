//! `provision plan` on hosts that are directories: `NN-name/{roster.yaml,args,modes,root/}` in,
//! `NN-name/expected.txt` out: standard output, standard error, exit code.

pub(crate) mod apply;
mod backup;
mod configured;
mod hostile;
mod hostile_homes;
mod hostile_live;
mod machine;
mod meddling;
mod real_homes;
mod trouble;
pub(crate) mod worker;

use crate::support::{Run, Sandbox, run};
use pretty_assertions::assert_eq;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn cases() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/provision");
    let mut cases: Vec<_> = std::fs::read_dir(all).unwrap().map(|e| e.unwrap().path()).collect();
    let numbered =
        |path: &PathBuf| path.file_name().unwrap().as_encoded_bytes()[0].is_ascii_digit();
    cases.retain(|path| path.is_dir() && numbered(path));
    cases.sort();
    cases
}

/// Copies a tree, links as links; environments of services are root's alone, as git cannot say.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_symlink() {
            std::os::unix::fs::symlink(path.read_link().unwrap(), target).unwrap();
        } else if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
            let mode = if path.extension().is_some_and(|end| end == "env") { 0o600 } else { 0o644 };
            chmod(&target, mode);
        }
    }
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A host of its own for a case.
struct Host {
    sandbox: Sandbox,
}

impl Host {
    fn new(case: &Path) -> Self {
        let host = Self { sandbox: Sandbox::new() };
        copy(case, &host.place());
        let config = host.place().join("config.toml");
        if !config.exists() {
            std::fs::write(config, "").unwrap();
        }
        for line in std::fs::read_to_string(case.join("modes")).unwrap_or_default().lines() {
            let (mode, path) = line.split_once(' ').unwrap();
            chmod(&host.place().join("root").join(path), u32::from_str_radix(mode, 8).unwrap());
        }
        host
    }

    fn place(&self) -> PathBuf {
        self.sandbox.root().join("case")
    }

    #[track_caller]
    fn plan(&self, more: &[&str]) -> Run {
        let mut command = self.sandbox.command(env!("CARGO_BIN_EXE_provision"));
        command.current_dir(self.place());
        command.args(["plan", "--roster", "roster.yaml", "--root", "root"]);
        run(command.args(["--config", "config.toml"]).args(more))
    }
}

/// Owners are whoever runs the tests; no uid of a case is anybody's here (61001 and on).
fn without_owner(text: &str) -> String {
    let uid = rustix::process::geteuid().as_raw();
    text.replace(&format!("belongs to uid {uid}"), "belongs to uid UID")
}

#[test]
fn every_host_of_the_table_has_its_plan() {
    let cases = cases();
    assert!(cases.len() >= 13, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let host = Host::new(case);
        let args = std::fs::read_to_string(case.join("args")).unwrap_or_default();
        let mut args: Vec<&str> = args.split_whitespace().collect();
        args.push("--detailed-exitcode");
        let run = host.plan(&args);
        let found = format!("{}{}exit {}\n", run.out(), run.err(), run.code);
        let found = without_owner(&found);
        let expected = std::fs::read_to_string(case.join("expected.txt")).unwrap_or_default();
        if found != expected {
            std::fs::write(host.place().join("found"), &found).unwrap();
            wrong.push(format!("{}:\n{found}", case.file_name().unwrap().display()));
        }
    }
    assert_eq!(wrong.join("\n"), "", "differs from expected.txt");
}

#[test]
fn secrets_of_an_environment_are_in_no_plan() {
    for case in cases() {
        let host = Host::new(&case);
        for more in [&["--explain"][..], &["--json"][..]] {
            let run = host.plan(more);
            for secret in ["secret", "hunter2"] {
                assert!(!run.out().contains(secret), "{}", run.out());
                assert!(!run.err().contains(secret), "{}", run.err());
            }
        }
    }
}

#[test]
fn a_plan_changes_no_file() {
    use std::collections::BTreeMap;
    use std::os::unix::fs::MetadataExt;
    fn all(dir: &Path, into: &mut BTreeMap<PathBuf, (i64, i64, u32, u64)>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            into.insert(path.clone(), (meta.ctime(), meta.ctime_nsec(), meta.mode(), meta.ino()));
            if meta.is_dir() {
                all(&path, into);
            }
        }
    }
    for case in cases() {
        let host = Host::new(&case);
        let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
        all(&host.place(), &mut before);
        host.plan(&[]);
        all(&host.place(), &mut after);
        assert_eq!(before, after);
    }
}
