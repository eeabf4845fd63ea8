//! The checks of an instance, after its start: the same for a trial and for a user's instance. Each step that a browser
//! needs is done; `/` is asked for nowhere, since it is answered even when all sessions are gone.

use super::error::EnforceError;
use super::settings::Enforce;
use super::version::Version;
use crate::sys::accounts::Account;
use crate::sys::clock;
use crate::sys::process::become_user::Become;
use crate::sys::process::exec::{self, Program};
use crate::sys::process::limits::NewPrivileges;
use crate::t3::instance::{Cookie, Instance};
use serde::Deserialize;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long to wait before an instance is asked again whether it answers.
const PAUSE: Duration = Duration::from_millis(100);
/// Maximum size of what the program prints, in bytes.
const MAX_OUTPUT: usize = 64 << 10;
/// Maximum length of its message that is repeated, in characters.
const MAX_MESSAGE: usize = 300;

/// An instance that is to be checked.
#[derive(Debug)]
pub(super) struct Subject<'a> {
    /// The account as which it runs.
    pub account: &'a Account,
    pub port: u16,
    /// Its program, and its base directory.
    pub program: &'a Path,
    pub base: &'a Path,
    pub version: &'a Version,
}

/// Waits until the instance answers with its version and a session check, at most for the start's deadline, and only as
/// long as `runs`. Asking the port alone is not enough: it accepts before routes answer.
///
/// # Errors
/// If it does not, or runs another version, or the port is another account's.
pub(super) fn wait(
    subject: &Subject<'_>,
    settings: &Enforce,
    runs: &mut dyn FnMut() -> Result<bool, EnforceError>,
) -> Result<(), EnforceError> {
    let end = Instant::now() + settings.start_deadline();
    let mut known = None;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let instance = Instance::on(subject.port, settings.step_deadline().min(left));
        let answered = instance
            .check_owner(subject.account.uid)
            .and_then(|()| instance.version())
            .and_then(|version| instance.session(&[]).map(|_| version));
        match answered {
            Ok(version) if version == subject.version.to_string() => return Ok(()),
            Ok(reported) => {
                let wanted = subject.version.clone();
                return Err(EnforceError::OtherVersion { reported, wanted });
            }
            // The last one only says that the time was over.
            Err(error) if Instant::now() >= end => {
                return Err(EnforceError::check("start", known.unwrap_or(error)));
            }
            Err(error) => {
                if !runs()? {
                    return Err(EnforceError::check("start", format!("it has ended ({error})")));
                }
                known = Some(error);
            }
        }
        clock::pause(PAUSE);
    }
}

/// Does what a browser does: a credential, its exchange, the session check, the WebSocket. Returns the cookie.
///
/// # Errors
/// At the first step that fails.
pub(super) fn browse(subject: &Subject<'_>, settings: &Enforce) -> Result<Cookie, EnforceError> {
    let instance = Instance::on(subject.port, settings.step_deadline());
    let step = |step| move |error| EnforceError::check(step, error);
    let credential = mint(subject, settings.step_deadline())?;
    // The port may have become another's meanwhile.
    instance.check_owner(subject.account.uid).map_err(step("owner of the port"))?;
    let cookie = instance.exchange(&credential).map_err(step("exchange"))?;
    is_session(&instance, &cookie)?;
    instance.ping(&cookie).map_err(step("WebSocket"))?;
    Ok(cookie)
}

/// Checks that a cookie is a session.
pub(super) fn is_session(instance: &Instance, cookie: &Cookie) -> Result<(), EnforceError> {
    let session = instance.session(std::slice::from_ref(cookie));
    match session.map_err(|error| EnforceError::check("session", error))? {
        session if session.authenticated => Ok(()),
        _ => Err(EnforceError::check("session", "the instance does not know it")),
    }
}

/// Makes a credential by the program itself, as the account.
fn mint(subject: &Subject<'_>, deadline: Duration) -> Result<String, EnforceError> {
    #[derive(Deserialize)]
    struct Made {
        credential: String,
    }
    let base = subject.base.as_os_str();
    let args = ["auth", "pairing", "create", "--ttl", "5m", "--json", "--base-dir"];
    let output = Program::new(subject.program)
        .args(args)
        .args([base])
        .becoming(becoming(subject.account))
        .deadline(deadline)
        .max_output(MAX_OUTPUT)
        .run()
        .map_err(|error| EnforceError::check("credential", error))?;
    if !output.status.success() {
        let why = format!("{}: {}", exec::describe(output.status), clip(&output.stderr));
        return Err(EnforceError::check("credential", why));
    }
    let made: Made = serde_json::from_slice(&output.stdout)
        .map_err(|_| EnforceError::check("credential", "what it prints has none"))?;
    Ok(made.credential)
}

/// How the account is become: what it writes is private.
pub(super) fn becoming(account: &Account) -> Become {
    Become { account: account.clone(), umask: 0o077, new_privileges: NewPrivileges::Deny }
}

/// The beginning of what a program printed, for a message.
pub(super) fn clip(output: &[u8]) -> String {
    String::from_utf8_lossy(output.trim_ascii()).chars().take(MAX_MESSAGE).collect()
}
