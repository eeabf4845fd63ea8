//! Reads root's files that the configuration names, and the files of root's that are made from them.

use super::Unreadable;
use super::host_root::HostRoot;
use super::observed::Observed;
use crate::agent::machine::MANAGED;
use crate::provision::paths;
use crate::provision::protocol::SecretText;
use crate::provision::settings::Settings;
use crate::provision::settings::agents::SkelSource;
use crate::provision::settings::values::Absolute;
use crate::provision::sources::kubeconfig;
use crate::sys::fs::{self, trusted_path};
use crate::sys::net::secret;
use crate::sys::{FileError, accounts};
use crate::text::{io_reason, shown};
use std::path::Path;

/// Maximum size of a text to deploy, in bytes.
const MAX_TEXT: u64 = 1 << 20;

/// Reads them into `observed`. A file that cannot be used is a fact like others, which the plan reports.
pub fn read_configured_files(observed: &mut Observed, root: &Path, settings: &Settings) {
    let source = HostRoot { root };
    let agents = &settings.agents;
    let mut texts: Vec<&str> = Vec::new();
    texts.extend(agents.managed_settings.iter().chain(&agents.instructions).map(Absolute::as_str));
    let mut made: Vec<String> = Vec::new();
    made.extend(agents.managed_settings.iter().map(|_| MANAGED.to_owned()));
    made.extend(agents.wants_hook().then(paths::drop_in));
    for entry in agents.skel.entries() {
        let path = paths::skel_path(entry);
        match &entry.source {
            SkelSource::Copy(source) => texts.push(source.as_str()),
            SkelSource::Link(_) => {
                let target = source.link(&path).map(|to| to.to_string_lossy().into_owned());
                observed.configured.links.extend(target.map(|target| (path.clone(), target)));
            }
        }
        made.push(path);
    }
    for path in made {
        observed.files.extend(source.file(&path).map(|file| (path, file)));
    }
    let configured = &mut observed.configured;
    configured.texts = texts.iter().map(|path| ((*path).to_owned(), text(&source, path))).collect();
    if let Some(path) = agents.token_file.as_ref().map(Absolute::as_str) {
        configured.tokens.insert(path.to_owned(), token(&source, path));
    }
    if let Some(path) = settings.cluster.kubeconfig() {
        let cluster = bytes(&source, path, kubeconfig::MAX_SIZE)
            .and_then(|bytes| kubeconfig::read(&bytes).map_err(|why| in_file(path, why)));
        configured.clusters.insert(path.to_owned(), cluster);
    }
    if let Some(path) = settings.browser.agent.as_ref().map(Absolute::as_str) {
        configured.programs.insert(path.to_owned(), program(&source, path));
    }
    configured.persist = agents.wants_hook().then(|| persist(root));
}

fn in_file(path: &str, why: impl std::fmt::Display) -> Unreadable {
    Unreadable(format!("{path}: {why}"))
}

/// Whether a file must be root's own, all directories above it included.
fn must_be_roots(source: &HostRoot<'_>) -> bool {
    accounts::is_root() || source.root == Path::new("/")
}

fn unreadable(path: &str, error: &FileError) -> Unreadable {
    if error.is_untrusted() {
        Unreadable::new(error)
    } else {
        in_file(path, io_reason(&error.source))
    }
}

fn bytes(source: &HostRoot<'_>, path: &str, limit: u64) -> Result<Vec<u8>, Unreadable> {
    let read = if must_be_roots(source) { trusted_path::read } else { fs::read };
    read(&source.at(path), limit).map_err(|error| unreadable(path, &error))
}

/// Checks a program.
fn program(source: &HostRoot<'_>, path: &str) -> Result<(), Unreadable> {
    let at = source.at(path);
    if must_be_roots(source) {
        return trusted_path::check(&at).map(drop).map_err(|error| unreadable(path, &error));
    }
    at.metadata().map(drop).map_err(|error| in_file(path, io_reason(&error)))
}

fn text(source: &HostRoot<'_>, path: &str) -> Result<String, Unreadable> {
    let bytes = bytes(source, path, MAX_TEXT)?;
    String::from_utf8(bytes).map_err(|_| in_file(path, "not UTF-8"))
}

fn token(source: &HostRoot<'_>, path: &str) -> Result<SecretText, Unreadable> {
    let at = source.at(path);
    let secret = if must_be_roots(source) {
        trusted_path::open_file(&at).and_then(|(file, real)| secret::read_open(file, &real))
    } else {
        secret::read(&at)
    };
    let secret = secret.map_err(|error| unreadable(path, &error))?;
    Ok(SecretText(secret.text().to_owned()))
}

/// The program that agents' hooks call: beside this one.
fn persist(root: &Path) -> Result<String, Unreadable> {
    let ours = std::env::current_exe().map_err(|error| Unreadable(io_reason(&error)))?;
    let path = ours.with_file_name("persist");
    if !path.is_file() {
        return Err(Unreadable(format!("{}: no such program", shown(&path))));
    }
    if root == Path::new("/") {
        // Every user will run it.
        trusted_path::check(&path).map_err(Unreadable::new)?;
    }
    path.into_os_string().into_string().map_err(|_| Unreadable("its path is not UTF-8".to_owned()))
}
