//! Reads root's files that the configuration names, and the files of root's that are made from them.

use super::Unreadable;
use super::configured::{CodexLoginFacts, GitLogin, SharedEntries};
use super::host_root::HostRoot;
use super::observed::Observed;
use crate::agent::machine::MANAGED;
use crate::identity::is_user_name;
use crate::provision::paths;
use crate::provision::protocol::SecretText;
use crate::provision::protocol::shared::Kind;
use crate::provision::settings::Settings;
use crate::provision::settings::agents::{SharedLogin, SkelSource};
use crate::provision::settings::staged::SecretFile;
use crate::provision::settings::values::Absolute;
use crate::provision::sources::kubeconfig::{self, Authority, Cluster};
use crate::sys::fs::{self, trusted_path};
use crate::sys::net::secret;
use crate::sys::{Dir, FileError, accounts};
use crate::text::{io_reason, shown};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Maximum size of a text to deploy, in bytes.
const MAX_TEXT: u64 = 1 << 20;
/// Maximum number of shared entries of a kind.
const MAX_SHARED: usize = 400;

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
        if !path.starts_with("/etc/skel") {
            let closed = closed_directory(&source, &path);
            observed.configured.closed.extend(closed.map(|closed| (path.clone(), closed)));
        }
        observed.files.extend(source.file(&path).map(|file| (path, file)));
    }
    let configured = &mut observed.configured;
    configured.texts = texts.iter().map(|path| ((*path).to_owned(), text(&source, path))).collect();
    if let Some(path) = agents.token_file.as_ref().map(Absolute::as_str) {
        configured.tokens.insert(path.to_owned(), token(&source, path));
    }
    let mut directories: Vec<&str> =
        settings.browser.snapshot_token_dir.iter().map(Absolute::as_str).collect();
    for secret in &settings.secrets {
        match &secret.source {
            SecretFile::Each(directory) => directories.push(directory.as_str()),
            SecretFile::Shared(file) => {
                let path = file.as_str();
                configured.tokens.insert(path.to_owned(), token(&source, path));
            }
        }
    }
    for (path, _) in directories.into_iter().flat_map(|dir| staged_files(&source, dir)) {
        configured.tokens.insert(path.clone(), token(&source, &path));
    }
    if let Some(git) = &settings.git {
        for (path, user) in staged_files(&source, git.directory.as_str()) {
            configured.git_logins.insert(user, git_login(&source, &path));
        }
    }
    configured.codex_login = agents.codex_login.as_ref().map(|login| codex_login(&source, login));
    if let Some(base) = agents.shared.as_ref().map(Absolute::as_str) {
        for kind in Kind::ALL {
            let directory = format!("{base}/{}", kind.name());
            let entries = shared_entries(&source, base, kind);
            if entries.as_ref().is_ok_and(|entries| !entries.is_empty()) {
                let closed = closed_directory(&source, &format!("{directory}/"));
                configured.closed.extend(closed.map(|closed| (directory, closed)));
            }
            configured.shared.insert(kind, entries);
        }
    }
    if let Some(path) = settings.cluster.kubeconfig() {
        let cluster = bytes(&source, path, kubeconfig::MAX_SIZE)
            .and_then(|bytes| kubeconfig::read(&bytes).map_err(|why| in_file(path, why)))
            .and_then(|cluster| by_content(&source, cluster));
        configured.clusters.insert(path.to_owned(), cluster);
    }
    if let Some(path) = settings.browser.agent.as_ref().map(Absolute::as_str) {
        configured.programs.insert(path.to_owned(), program(&source, path));
    }
    configured.persist = agents.wants_hook().then(|| persist(root));
}

/// The files in a directory that has one for each user: the path, and the user. A directory that cannot be
/// listed has none; a file in it that cannot be used says why.
fn staged_files(source: &HostRoot<'_>, dir: &str) -> Vec<(String, String)> {
    let names = source.names(dir).unwrap_or_default();
    let users = names.into_iter().filter(|name| is_user_name(name));
    users.map(|user| (paths::staged_file(dir, &user), user)).collect()
}

/// A staged login: four lines `KEY = "VALUE"`. No error repeats what is in the file.
fn git_login(source: &HostRoot<'_>, path: &str) -> Result<GitLogin, Unreadable> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Staged {
        username: String,
        token: String,
        name: String,
        email: String,
    }
    let meta = source.stat(path).map_err(|error| unreadable(path, &error))?;
    if let Some(mode) = meta.map(|meta| meta.mode() & 0o7777).filter(|mode| mode & 0o077 != 0) {
        return Err(in_file(path, format!("mode {mode:04o}: others can read it; make it 0600")));
    }
    let text = text(source, path)?;
    let staged: Staged = toml::from_str(&text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |before| before.matches('\n').count() + 1);
        Unreadable(format!(
            "{path}:{line}: expected username, token, name and email, each as KEY = \"VALUE\""
        ))
    })?;
    let is_line = |text: &str| !text.trim().is_empty() && !text.chars().any(char::is_control);
    let checks = [
        (is_line(&staged.username), "username: expected one line of text"),
        (is_token(&staged.token), "token: expected a token alone"),
        (is_line(&staged.name), "name: expected one line of text"),
        (is_line(&staged.email) && staged.email.contains('@'), "email: expected an address"),
    ];
    if let Some((_, why)) = checks.into_iter().find(|(is_valid, _)| !is_valid) {
        return Err(in_file(path, why));
    }
    let Staged { username, token, name, email } = staged;
    Ok(GitLogin { username, token: SecretText(token), name, email })
}

fn codex_login(source: &HostRoot<'_>, login: &SharedLogin) -> Result<CodexLoginFacts, Unreadable> {
    let file = login.file.as_str();
    let meta = source.stat(file).map_err(|error| unreadable(file, &error))?;
    if let Some(mode) = meta.map(|meta| meta.mode() & 0o7777).filter(|mode| mode & 0o077 != 0) {
        return Err(in_file(file, format!("mode {mode:04o}: others can read it; make it 0600")));
    }
    let text = text(source, file)?;
    if !serde_json::from_str::<serde_json::Value>(&text).is_ok_and(|value| value.is_object()) {
        return Err(in_file(file, "not a JSON object"));
    }
    let directory = login.directory.as_str();
    let bits = |path: &str| -> Result<Option<(u32, u32)>, Unreadable> {
        let meta = source.stat(path).map_err(|error| unreadable(path, &error))?;
        match meta {
            Some(meta) if meta.is_symlink() => Err(in_file(path, "a link: not followed")),
            Some(meta) => Ok(Some((meta.mode() & 0o7777, meta.gid()))),
            None => Ok(None),
        }
    };
    Ok(CodexLoginFacts {
        staged: SecretText(text),
        directory: bits(directory)?,
        login: bits(&format!("{directory}/auth.json"))?,
        lock: bits(&format!("{directory}/auth.json.lock"))?,
    })
}

/// The entries of a folder of the administrator's directory; none if the folder is absent, but not if the
/// directory is.
fn shared_entries(
    source: &HostRoot<'_>,
    base: &str,
    kind: Kind,
) -> Result<SharedEntries, Unreadable> {
    let open = if must_be_roots(source) { trusted_path::open_dir } else { Dir::open };
    let base_dir = open(&source.at(base)).map_err(|error| unreadable(base, &error))?;
    let path = format!("{base}/{}", kind.name());
    if base_dir.stat(kind.name()).map_err(|error| unreadable(&path, &error))?.is_none() {
        return Ok(BTreeMap::new());
    }
    let dir = open(&source.at(&path)).map_err(|error| unreadable(&path, &error))?;
    let names = dir.names(MAX_SHARED).map_err(|error| unreadable(&path, &error))?;
    let names = names.ok_or_else(|| in_file(&path, format!("more than {MAX_SHARED} names")))?;
    let names = names.into_iter().filter_map(|name| name.into_string().ok());
    let names = names.filter(|name| is_shared_name(kind, name));
    Ok(names.map(|name| (name.clone(), program(source, &format!("{path}/{name}")))).collect())
}

/// Whether an entry of that name is for all users: no hidden one, and none that is personal.
fn is_shared_name(kind: Kind, name: &str) -> bool {
    let plain = !name.starts_with('.') && name.len() <= 200 && !name.chars().any(char::is_control);
    plain && !kind.is_personal(name) && kind.accepts(name)
}

/// A cluster whose certificate authority is not a path: users may not read the administrator's files.
fn by_content(source: &HostRoot<'_>, cluster: Cluster) -> Result<Cluster, Unreadable> {
    let Some(Authority::File(path)) = &cluster.authority else { return Ok(cluster) };
    let text = bytes(source, path, kubeconfig::MAX_SIZE)?;
    let authority = kubeconfig::certificates(&text).map_err(|why| in_file(path, why))?;
    Ok(Cluster { authority: Some(authority), ..cluster })
}

fn in_file(path: &str, why: impl std::fmt::Display) -> Unreadable {
    Unreadable(format!("{path}: {why}"))
}

/// The first directory on the way to a file that not all users can enter and list.
fn closed_directory(source: &HostRoot<'_>, path: &str) -> Option<(String, u32)> {
    const OPEN: u32 = 0o005;
    let directories = Path::new(path).ancestors().skip(1).filter(|dir| *dir != Path::new("/"));
    let mut directories: Vec<String> =
        directories.map(|dir| dir.to_string_lossy().into_owned()).collect();
    directories.reverse();
    directories.into_iter().find_map(|dir| {
        let mode = source.stat(&dir).ok().flatten()?.mode() & 0o7777;
        (mode & OPEN != OPEN).then_some((dir, mode))
    })
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

/// Checks a program, or an entry that users link to.
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
    let text = secret.text();
    if !is_token(text) {
        let why = "not a token alone: expected neither NAME=, quotes, braces nor blanks";
        return Err(in_file(path, why));
    }
    Ok(SecretText(text.to_owned()))
}

/// Whether a text has the form of a token. An assignment would be given to users as the value.
fn is_token(text: &str) -> bool {
    let name = text.split('=').next().unwrap_or_default();
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let is_assignment = text.contains('=') && name.chars().all(is_name) && name.contains('_');
    let is_plain = |c: char| c.is_ascii_graphic() && !"\"'`{}[]()<>$\\;,".contains(c);
    !text.is_empty() && !is_assignment && text.chars().all(is_plain)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_told_from_an_assignment_and_from_other_texts() {
        for token in ["sk-ant-oat01-Ab_9-x", "c2VjcmV0Cg==", "a.b.c", "YQ=="] {
            assert!(is_token(token), "{token}");
        }
        for other in [
            "",
            "CLAUDE_CODE_OAUTH_TOKEN=sk-1",
            "CLAUDE_CODE_OAUTH_TOKEN=",
            "export A=b",
            "\"sk-1\"",
            "'sk-1'",
            "{\"token\": \"sk-1\"}",
            "sk-1 # note",
            "sk-1\nsk-2",
            "${TOKEN}",
            "sk\u{e9}",
            "sk-1\r",
            "sk-1\r\nsk-2",
            "\u{feff}sk-1",
            "sk-1\u{200b}",
            "sk-1\0",
            "Bearer sk-1",
        ] {
            assert!(!is_token(other), "{other}");
        }
    }
}
