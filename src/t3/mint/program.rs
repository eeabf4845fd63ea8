//! The program that makes credentials, run as the user of the instance.
//!
//! `t3 auth pairing create` opens the database of the instance, and migrates it if it is newer than what wrote it, also
//! below a server that runs: so only the program of the very version that runs may be used.

use crate::sys::accounts::Account;
use crate::sys::fs::{FileError, trusted_path};
use crate::sys::process::become_user::Become;
use crate::sys::process::exec::{self, ExecError, Output, Program};
use crate::sys::process::limits::NewPrivileges;
use crate::sys::process::orphans;
use crate::t3::enforce::version::Version;
use crate::t3::enforce::versions::{self, Chosen};
use crate::t3::paths::Paths;
use crate::text::escape;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a program is searched for on a host without versions side by side.
const PATH: [&str; 3] = ["usr/local/bin/t3", "usr/bin/t3", "bin/t3"];
/// Maximum size of what the program prints, in bytes; honest answers have less than 1 KiB.
const MAX_OUTPUT: usize = 64 << 10;
/// Maximum length of its message that is repeated, in bytes.
const MAX_MESSAGE: usize = 300;
/// Lengths of a credential: 12 letters and digits in all versions that are known.
const LENGTHS: std::ops::RangeInclusive<usize> = 6..=128;

/// What pairs a browser, once, for some minutes: a secret of its user, which `Debug` does not show.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(String);

impl Credential {
    /// The text of it.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(…)")
    }
}

/// Why there is no credential, or no program.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("no program t3 is installed on this host")]
    Missing,
    /// The data of the instance are being replaced.
    #[error("the instance is being changed")]
    Held,
    #[error("root has no instance")]
    Root,
    #[error(transparent)]
    Exec(#[from] ExecError),
    #[error("preparing the user's process: {}", crate::text::io_reason(.0))]
    Prepare(std::io::Error),
    /// It ended with an error; what it printed is the user's to choose, and is escaped.
    #[error("t3 {end}: {message}")]
    Ended { end: String, message: String },
    /// What it printed is not what was asked for.
    #[error("t3 printed no {0}")]
    Printed(&'static str),
}

/// A program that is root's own, and the version that it has if root installed it as such.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    pub file: PathBuf,
    pub version: Option<Version>,
}

/// The program that a user's instance runs. Its path leads to the same version, whatever is switched meanwhile.
///
/// # Errors
/// If there is none, or it is not root's own.
pub fn locate(paths: &Paths, user: &str) -> Result<Located, ProgramError> {
    let version = match versions::of_user(paths, user)? {
        Chosen::Held => return Err(ProgramError::Held),
        Chosen::Version(version) => Some(version),
        Chosen::None => versions::current(paths)?,
    };
    if let Some(version) = version {
        let file = versions::program(paths, &version);
        trusted_path::check(&file)?;
        return Ok(Located { file, version: Some(version) });
    }
    for place in PATH {
        let file = paths.root().join(place);
        match trusted_path::check(&file) {
            Ok(_) => return Ok(Located { file, version: None }),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(ProgramError::Missing)
}

/// The version that a program reports, run as the user.
pub fn version_as(
    account: &Account,
    program: &Path,
    deadline: Duration,
) -> Result<Version, ProgramError> {
    let output = run_as(account, program, &["--version".as_ref()], deadline)?;
    Version::reported(&output.stdout).map_err(|_| ProgramError::Printed("version"))
}

/// Makes a credential for the instance with this base directory, as the user: within `deadline`, and with nothing of
/// it left running. The program must be root's own, and of the version that runs.
pub fn mint_as(
    account: &Account,
    program: &Path,
    base: &Path,
    deadline: Duration,
) -> Result<Credential, ProgramError> {
    let args = ["auth", "pairing", "create", "--ttl", "5m", "--json", "--base-dir"];
    let args: Vec<&std::ffi::OsStr> =
        args.iter().map(AsRef::as_ref).chain([base.as_os_str()]).collect();
    let output = run_as(account, program, &args, deadline)?;
    credential(&output.stdout)
}

/// Reads `{"credential": …}`.
fn credential(output: &[u8]) -> Result<Credential, ProgramError> {
    #[derive(Deserialize)]
    struct Made {
        credential: String,
    }
    let none = ProgramError::Printed("credential");
    let Ok(Made { credential }) = serde_json::from_slice(output) else { return Err(none) };
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if LENGTHS.contains(&credential.len()) && credential.bytes().all(is_letter) {
        return Ok(Credential(credential));
    }
    Err(none)
}

fn run_as(
    account: &Account,
    program: &Path,
    args: &[&std::ffi::OsStr],
    deadline: Duration,
) -> Result<Output, ProgramError> {
    if account.uid.is_root() {
        return Err(ProgramError::Root);
    }
    orphans::adopt_orphans().map_err(ProgramError::Prepare)?;
    let new_privileges = NewPrivileges::Deny;
    let become_user = Become { account: account.clone(), umask: 0o077, new_privileges };
    let ran = Program::new(program)
        .args(args)
        .becoming(become_user)
        .deadline(deadline)
        .max_output(MAX_OUTPUT)
        .run();
    orphans::reap_orphans(account.uid);
    let output = ran?;
    if output.status.success() {
        return Ok(output);
    }
    let said = output.stderr.trim_ascii();
    let message = escape(&said[..said.len().min(MAX_MESSAGE)]);
    Err(ProgramError::Ended { end: exec::describe(output.status), message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_prints_is_a_credential_or_an_error() {
        let of = |text: &str| credential(text.as_bytes()).ok().map(|found| found.0);
        let good = r#"{"id": "x", "credential": "ABCDEFGH2345", "scopes": [], "expiresAt": ""}"#;
        assert_eq!(of(good).as_deref(), Some("ABCDEFGH2345"));
        let long = format!(r#"{{"credential": "{}"}}"#, "A".repeat(129));
        for text in [
            "",
            "{}",
            "[]",
            "migrated\n{\"credential\": \"ABCDEFGH2345\"}",
            r#"{"credential": ""}"#,
            r#"{"credential": "AB CD\n"}"#,
            r#"{"credential": ["ABCDEFGH2345"]}"#,
            long.as_str(),
        ] {
            assert_eq!(of(text), None, "{text}");
        }
        assert_eq!(format!("{:?}", credential(good.as_bytes()).unwrap()), "Credential(…)");
    }

    #[test]
    fn the_program_of_an_instance_is_that_of_its_version_and_roots_own() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::below(root.path());
        assert!(matches!(locate(&paths, "ann"), Err(ProgramError::Missing)));
        let put = |path: &Path| {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        };
        put(&root.path().join("usr/bin/t3"));
        let found = locate(&paths, "ann").unwrap();
        assert_eq!(found, Located { file: root.path().join("usr/bin/t3"), version: None });
        let version: Version = "0.0.26".parse().unwrap();
        put(&versions::program(&paths, &version));
        let dir = crate::sys::Dir::open(&paths.versions().join("0.0.26")).unwrap();
        versions::mark_complete(&version, &dir).unwrap();
        versions::switch(&paths, &version).unwrap();
        assert_eq!(locate(&paths, "ann").unwrap().version, Some(version.clone()));
        versions::hold(&paths, "ann").unwrap();
        assert!(matches!(locate(&paths, "ann"), Err(ProgramError::Held)));
        let file = versions::program(&paths, &version);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(matches!(locate(&paths, "bob"), Err(ProgramError::File(_))));
    }
}
