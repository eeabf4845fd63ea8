//! `provision host`: plans of hosts that are directories (`NN-name/{root/,args,modes}` in,
//! `NN-name/expected.txt` out), files that are rejected, and applies with the real tools.

mod applied;
mod archives;
mod boxed;
mod host_parts;
mod killed;
mod real_use;
mod refused;
mod unpacked;

use super::{chmod, copy, without_owner};
use crate::support::{Run, Sandbox, run};
use pretty_assertions::assert_eq;
use std::path::{Path, PathBuf};

fn cases() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/provision/machine");
    let mut cases: Vec<_> = std::fs::read_dir(all).unwrap().map(|e| e.unwrap().path()).collect();
    cases.retain(|path| path.is_dir());
    cases.sort();
    cases
}

fn plan(sandbox: &Sandbox, case: &Path, more: &[&str]) -> Run {
    let place = sandbox.root().join("case");
    copy(case, &place);
    for line in std::fs::read_to_string(case.join("modes")).unwrap_or_default().lines() {
        let (bits, path) = line.split_once(' ').unwrap();
        chmod(&place.join("root").join(path), u32::from_str_radix(bits, 8).unwrap());
    }
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_provision"));
    command.current_dir(&place).args(["host", "plan", "--root", "root"]);
    run(command.args(more))
}

#[test]
fn every_host_of_the_table_has_its_plan() {
    let cases = cases();
    assert!(cases.len() >= 5, "{}", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        let sandbox = Sandbox::new();
        let run = plan(&sandbox, case, &["--detailed-exitcode"]);
        let found = without_owner(&format!("{}{}exit {}\n", run.out(), run.err(), run.code));
        let expected = std::fs::read_to_string(case.join("expected.txt")).unwrap_or_default();
        if found != expected {
            wrong.push(format!("{}:\n{found}", case.file_name().unwrap().display()));
        }
    }
    assert_eq!(wrong.join("\n"), "", "differs from expected.txt");
}

#[test]
fn a_plan_shows_secrets_as_hashes_only() {
    for case in cases() {
        for more in [&["--explain"][..], &["--json"][..]] {
            let sandbox = Sandbox::new();
            let run = plan(&sandbox, &case, more);
            let output = format!("{}{}", run.out(), run.err());
            assert!(!output.contains("hunter2"), "{output}");
        }
    }
}
