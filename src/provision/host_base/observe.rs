//! The host, read once; and what its files are to say, which other files and Vault know.

use super::observed::{Bytes, Observed, Package, State, Tool, Tree};
use super::record::Record;
use super::wanted::{Content, Placed, Vault, Wanted};
use super::{RECORD, dpkg, names};
use crate::provision::observe;
use crate::provision::sources::vault;
use crate::sys::fs::trusted_path::{self, Missing};
use crate::sys::fs::{self, Attributes};
use crate::sys::net::http::{Client, is_exposed};
use crate::sys::net::secret;
use crate::sys::{Dir, FileError, accounts};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// No file that is read here is larger (bytes).
const MAX: u64 = 64 << 20;
/// No content of a file that is written is larger (bytes).
const MAX_CONTENT: u64 = 4 << 20;
const STATUS: &str = "/var/lib/dpkg/status";
/// Where the system has tools, in the order in which a PATH finds them. A home's do not count, nor
/// does any prefix that the caller's own npm is set to.
const MODULES: [&str; 2] = ["/usr/local/lib/node_modules", "/usr/lib/node_modules"];

/// Reads everything that a plan needs.
///
/// # Errors
/// What could not be read and without which a plan would be a guess.
pub fn observe(root: &Path, wanted: &Wanted) -> Result<Observed, String> {
    let text = |error: FileError| error.to_string();
    let host = Host { root };
    let record = match host.optional(RECORD, MAX).map_err(text)? {
        Some(bytes) => {
            if accounts::is_root() && root == Path::new("/") {
                trusted_path::assert_roots_own(Path::new(RECORD)).map_err(text)?;
            }
            Record::read(&bytes).map_err(|why| format!("{RECORD}: {why}"))?
        }
        None => Record::default(),
    };
    let packages =
        if wanted.packages.is_empty() { None } else { host.optional(STATUS, MAX).map_err(text)? };
    let placed = wanted.files.iter().map(|file| &file.path);
    let downloads = wanted.downloads.iter().map(|download| &download.path);
    // What was written and is wanted no more is looked at, too; the record is root's, and yet checked.
    let left = record.hashes.keys().filter(|path| names::plain_path(path).is_ok());
    let files = placed.chain(downloads).chain(left);
    let files = files.map(|path| (path.clone(), host.state(path))).collect();
    let passwd = host.optional("/etc/passwd", MAX).map_err(text)?.unwrap_or_default();
    let group = host.optional("/etc/group", MAX).map_err(text)?.unwrap_or_default();
    let users = observe::parse::passwd(&passwd).into_iter();
    let mut users: BTreeMap<String, (u32, u32)> =
        users.map(|(name, account)| (name, (account.uid, account.gid))).collect();
    users.entry("root".to_owned()).or_insert((0, 0));
    let groups = observe::parse::group(&group).into_iter();
    Ok(Observed {
        packages: packages.map(|status| dpkg::read(&status)),
        npm: wanted.npm.keys().filter_map(|name| Some((name.clone(), host.tool(name)?))).collect(),
        files,
        contents: contents(&host, wanted),
        users,
        groups: groups.map(|(name, group)| (name, group.gid)).collect(),
        trees: wanted.tighten.iter().map(|path| (path.clone(), host.tree(path))).collect(),
        record,
    })
}

struct Host<'a> {
    root: &'a Path,
}

impl Host<'_> {
    fn at(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// A database of the system's that may be absent.
    fn optional(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, FileError> {
        match fs::read(&self.at(path), limit) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn state(&self, path: &str) -> State {
        let look = || -> Result<State, FileError> {
            let (dir, name) =
                trusted_path::open_parent_below(self.root, Path::new(path), Missing::Refused)?;
            let Some(attributes) = fs::attributes(&dir, Some(&name))? else {
                return Ok(State::Absent);
            };
            let attributes = self.as_on_the_host(attributes);
            let hash = fs::hash(&dir, &name)?;
            Ok(hash.map_or(State::Absent, |hash| State::File { hash, attributes }))
        };
        match look() {
            Ok(state) => state,
            Err(error) if error.is_not_found() => State::Absent,
            Err(error) => State::Refused(error.to_string()),
        }
    }

    /// A directory with a host's files belongs to whoever looks at it, instead of to root.
    fn as_on_the_host(&self, found: Attributes) -> Attributes {
        let own = found.uid == nix::unistd::geteuid().as_raw();
        if self.root != Path::new("/") && own {
            Attributes { uid: 0, gid: 0, ..found }
        } else {
            found
        }
    }

    fn tool(&self, name: &str) -> Option<Tool> {
        MODULES.into_iter().find_map(|modules| {
            let broken = |why: String| Tool::Broken(format!("{modules}/{name}: {why}"));
            let path = format!("{modules}/{name}/package.json");
            let bytes = match read(self, &path) {
                Ok(bytes) => bytes,
                Err(error) if error.is_not_found() => return None,
                Err(error) => return Some(broken(error.source.to_string())),
            };
            let value: Result<serde_json::Value, _> = serde_json::from_slice(&bytes);
            let version =
                value.ok().and_then(|value| Some(value.get("version")?.as_str()?.to_owned()));
            Some(match version {
                Some(version) => Tool::Version(version, modules),
                None => broken("package.json names no version".to_owned()),
            })
        })
    }

    fn tree(&self, path: &str) -> Tree {
        let look = || -> Result<Option<Attributes>, FileError> {
            let (parent, name) =
                trusted_path::open_parent_below(self.root, Path::new(path), Missing::Refused)?;
            // A group of root's choice may write in it: only what is above must be root's alone.
            let dir = parent.open_dir(&name)?;
            fs::attributes(&dir, None)
        };
        match look() {
            Ok(Some(found)) if found.uid != 0 && accounts::is_root() => {
                Tree::Refused(format!("belongs to uid {}, not to root", found.uid))
            }
            Ok(Some(found)) => Tree::Directory { mode: found.mode },
            Ok(None) => Tree::Absent,
            Err(error) if error.is_not_found() => Tree::Absent,
            Err(error) => Tree::Refused(error.to_string()),
        }
    }
}

/// What each file is to say. One that is not known does not keep the others from being.
fn contents(host: &Host<'_>, wanted: &Wanted) -> BTreeMap<String, Result<Bytes, String>> {
    let mut vault = None;
    let mut content = |file: &Placed| match &file.content {
        Content::Inline(text) => Ok(text.clone().into_bytes()),
        Content::Source(path) => read(host, path).map_err(|error| error.to_string()),
        Content::Vault { path, field } => {
            let wanted = wanted.vault.as_ref().ok_or("there is no [vault] to ask")?;
            let client = vault.get_or_insert_with(|| client(host, wanted)).as_ref();
            let client = client.map_err(Clone::clone)?;
            let get = |url: &str| {
                let answer =
                    client.get(url, vault::MAX_SECRET).map_err(|error| error.to_string())?;
                Ok((answer.status, answer.body))
            };
            vault::field(&wanted.address, path, field, get)
        }
    };
    let known = wanted.files.iter().map(|file| (file.path.clone(), content(file).map(Bytes)));
    known.collect()
}

/// A file of root's, behind no link: whoever could change it would decide what root writes.
fn read(host: &Host<'_>, path: &str) -> Result<Vec<u8>, FileError> {
    trusted_path::read_below(host.root, Path::new(path), MAX_CONTENT)
}

fn client(host: &Host<'_>, vault: &Vault) -> Result<Client, String> {
    let token = secret::read(&host.at(&vault.token_file)).map_err(|error| error.to_string())?;
    if !vault.insecure && is_exposed(&vault.address) {
        return Err(
            "the token would travel in the clear: use https://, or insecure = true".to_owned()
        );
    }
    let within = Duration::from_secs(vault.deadline_seconds);
    let authorities = vault.ca_file.as_ref().map(|path| host.at(path));
    Client::new("x-vault-token", token, within, authorities.as_deref())
        .map_err(|error| error.to_string())
}

/// The packages of the host, asked again after an installation.
pub(crate) fn packages() -> Result<BTreeMap<String, Package>, FileError> {
    Ok(dpkg::read(&fs::read(Path::new(STATUS), MAX)?))
}

/// A tool that the system has, asked again after an installation.
pub(crate) fn tool(name: &str) -> Option<Tool> {
    Host { root: Path::new("/") }.tool(name)
}

/// Opens the directory that the record is in, making it when it is absent: root's alone.
pub(crate) fn record_dir() -> Result<Dir, FileError> {
    let state = Path::new(RECORD).parent().and_then(Path::parent).unwrap_or(Path::new("/"));
    trusted_path::ensure_state_dir(state)?.ensure_dir("applied")
}
