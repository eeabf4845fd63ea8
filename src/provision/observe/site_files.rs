//! Configured files of root's, and the files of root's that are made from them.

use super::observed::Observed;
use super::source::Source;
use crate::agent::machine::MANAGED;
use crate::provision::home::Sealed;
use crate::provision::plan::Settings;
use crate::provision::plan::agents::{self, Source as From};
use crate::provision::sources::kubeconfig;
use crate::sys::accounts;
use crate::sys::fs::{self, trusted_path};
use crate::sys::net::secret;
use std::path::{Path, PathBuf};

/// No text that is deployed is larger (bytes).
const MAX_TEXT: u64 = 1 << 20;

/// Reads them. What is wrong with one is a fact like others: the plan says it.
pub fn site(observed: &mut Observed, root: &Path, settings: &Settings) {
    let source = Source { root };
    let agents = &settings.agents;
    let mut texts: Vec<&str> = Vec::new();
    texts.extend(
        agents
            .managed_settings
            .iter()
            .chain(&agents.instructions)
            .map(crate::provision::settings::values::Absolute::as_str),
    );
    let mut made: Vec<String> = Vec::new();
    made.extend(agents.managed_settings.iter().map(|_| MANAGED.to_owned()));
    made.extend(agents.wants_hook().then(agents::drop_in));
    for entry in agents.skel.entries() {
        let path = agents::skel_path(entry);
        match &entry.source {
            From::Copy(source) => texts.push(source.as_str()),
            From::Link(_) => {
                let target = source.link(&path).map(|to| to.to_string_lossy().into_owned());
                observed.site.links.extend(target.map(|target| (path.clone(), target)));
            }
        }
        made.push(path);
    }
    for path in made {
        observed.files.extend(source.file(&path).map(|file| (path, file)));
    }
    let site = &mut observed.site;
    site.texts = texts.iter().map(|path| ((*path).to_owned(), text(&source, path))).collect();
    if let Some(path) =
        agents.token_file.as_ref().map(crate::provision::settings::values::Absolute::as_str)
    {
        site.tokens.insert(path.to_owned(), token(&source, path));
    }
    if let Some(path) = settings.cluster.kubeconfig() {
        let cluster = bytes(&source, path, kubeconfig::MAX_SIZE)
            .and_then(|bytes| kubeconfig::read(&bytes).map_err(|why| format!("{path}: {why}")));
        site.clusters.insert(path.to_owned(), cluster);
    }
    if let Some(path) =
        settings.browser.agent.as_ref().map(crate::provision::settings::values::Absolute::as_str)
    {
        site.programs.insert(path.to_owned(), real(&source, path).map(drop));
    }
    site.persist = agents.wants_hook().then(|| persist(root));
}

/// Where a path leads, where nobody but root could have led it.
fn real(source: &Source<'_>, path: &str) -> Result<PathBuf, String> {
    let at = source.at(path);
    let real = at.canonicalize().map_err(|error| format!("{path}: {error}"))?;
    if accounts::is_root() || source.root == Path::new("/") {
        trusted_path::assert_roots_own(&real).map_err(|error| error.to_string())?;
    }
    Ok(real)
}

fn bytes(source: &Source<'_>, path: &str, limit: u64) -> Result<Vec<u8>, String> {
    fs::read(&real(source, path)?, limit).map_err(|error| format!("{path}: {}", error.source))
}

fn text(source: &Source<'_>, path: &str) -> Result<String, String> {
    let bytes = bytes(source, path, MAX_TEXT)?;
    String::from_utf8(bytes).map_err(|_| format!("{path}: not UTF-8"))
}

fn token(source: &Source<'_>, path: &str) -> Result<Sealed, String> {
    let secret = secret::read(&real(source, path)?);
    let secret = secret.map_err(|error| format!("{path}: {}", error.source))?;
    Ok(Sealed(secret.text().to_owned()))
}

/// The program that agents' hooks call: beside this one.
fn persist(root: &Path) -> Result<String, String> {
    let ours = std::env::current_exe().map_err(|error| error.to_string())?;
    let path = ours.with_file_name("persist");
    if !path.is_file() {
        return Err(format!("{}: there is no such program", path.display()));
    }
    if root == Path::new("/") {
        // Every user will run it.
        trusted_path::assert_roots_own(&path).map_err(|error| error.to_string())?;
    }
    path.into_os_string().into_string().map_err(|_| "its path is not UTF-8".to_owned())
}
