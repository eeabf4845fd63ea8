//! Reads the base of the host once, and the content that its files should have.

use super::observed::{BlockFile, LinkState, Observed, Package, SecretBytes, State, Tool, Tree};
use super::record::{BLOCK_ID, Record, SWAP_ID, UNPACK_ID};
use super::spec::{Content, FileSpec, HostSpec, Unpack, Vault};
use super::{RECORD, dpkg, names, observe_swap};
use crate::provision::observe::{self, ObserveError, Unreadable};
use crate::provision::sources::vault;
use crate::sys::fs::trusted_path::{self, Missing};
use crate::sys::fs::{self, Attributes};
use crate::sys::net::http::{Client, HttpError, is_exposed};
use crate::sys::net::secret;
use crate::sys::{Dir, FileError, accounts};
use crate::text::io_reason;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Maximum size of a file that is read here, in bytes.
const MAX: u64 = 64 << 20;
/// Maximum size of the content of a file to install, in bytes.
const MAX_CONTENT: u64 = 4 << 20;
const STATUS: &str = "/var/lib/dpkg/status";
/// The directories of tools that all users have, in the order of a PATH. Those of a home do not count, nor
/// does a prefix of the caller's own npm.
const MODULES: [&str; 2] = ["/usr/local/lib/node_modules", "/usr/lib/node_modules"];

/// Reads everything that a plan needs from the host below `root`.
pub fn observe(root: &Path, spec: &HostSpec) -> Result<Observed, ObserveError> {
    let _span = tracing::debug_span!("observe", root = %root.display()).entered();
    let host = Host { root };
    let record = match host.record()? {
        Some(bytes) => Record::read(&bytes)
            .map_err(|source| ObserveError::Record { path: RECORD.to_owned(), source })?,
        None => Record::default(),
    };
    let packages = if spec.packages.is_empty() { None } else { host.optional(STATUS, MAX)? };
    let placed = spec.files.iter().map(|file| &file.path);
    let downloads = spec.downloads.iter().map(|download| &download.path);
    // Files that were written and are no longer in the spec are read, too. The record is root's, but its
    // paths are checked.
    let left = record.hashes.keys().filter(|path| names::plain_path(path).is_ok());
    let files = placed.chain(downloads).chain(left);
    let files = files.map(|path| (path.clone(), host.state(path))).collect();
    let left = record.made.keys().filter_map(|id| id.strip_prefix(BLOCK_ID));
    let left = left.filter(|path| names::plain_path(path).is_ok()).map(str::to_owned);
    let blocks: BTreeSet<String> =
        spec.blocks.iter().map(|block| block.path.clone()).chain(left).collect();
    let blocks = blocks.into_iter();
    let unpacked = spec.unpacks.iter().map(|unpack| &unpack.download.path);
    let links = spec.unpacks.iter().flat_map(Unpack::links);
    let passwd = host.optional("/etc/passwd", MAX)?.unwrap_or_default();
    let group = host.optional("/etc/group", MAX)?.unwrap_or_default();
    let users = observe::parse::passwd(&passwd).into_iter();
    let mut users: BTreeMap<String, (u32, u32)> =
        users.map(|(name, account)| (name, (account.uid, account.gid))).collect();
    users.entry("root".to_owned()).or_insert((0, 0));
    let groups = observe::parse::group(&group).into_iter();
    Ok(Observed {
        packages: packages.map(|status| dpkg::read(&status)),
        npm: spec.npm.keys().filter_map(|name| Some((name.clone(), host.tool(name)?))).collect(),
        files,
        contents: contents(&host, spec),
        users,
        groups: groups.map(|(name, group)| (name, group.gid)).collect(),
        blocks: blocks.map(|path| (path.clone(), host.block_file(&path))).collect(),
        unpacked: unpacked.map(|path| (path.clone(), host.tree(path))).collect(),
        links: links.map(|(path, _)| (path.clone(), host.link_state(&path))).collect(),
        left: host.left(&record),
        swap: spec.swap.as_ref().map(|swap| observe_swap::facts(root, swap)),
        trees: spec.tighten.iter().map(|path| (path.clone(), host.tree(path))).collect(),
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

    /// A file that may be absent.
    fn optional(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, FileError> {
        match fs::read(&self.at(path), limit) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The record of what was written last.
    fn record(&self) -> Result<Option<Vec<u8>>, FileError> {
        if !accounts::is_root() || self.root != Path::new("/") {
            return self.optional(RECORD, MAX);
        }
        match trusted_path::read(Path::new(RECORD), MAX) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn state(&self, path: &str) -> State {
        let inspect = || -> Result<State, FileError> {
            let (dir, name) =
                trusted_path::open_parent_below(self.root, Path::new(path), Missing::Refused)?;
            let Some(attributes) = fs::attributes(&dir, Some(&name))? else {
                return Ok(State::Absent);
            };
            let attributes = self.as_on_the_host(attributes);
            let hash = fs::hash(&dir, &name)?;
            Ok(hash.map_or(State::Absent, |hash| State::File { hash, attributes }))
        };
        match inspect() {
            Ok(state) => state,
            Err(error) if error.is_not_found() => State::Absent,
            Err(error) => State::Refused(error.to_string()),
        }
    }

    /// Below another root directory than `/`, files of the caller count as root's.
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
                Err(error) => return Some(broken(io_reason(&error.source))),
            };
            let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
            let version = value.get("version").and_then(|version| version.as_str());
            let missing = command_names(name, &value).into_iter().find_map(|command| {
                let path = format!("{}/{command}", bin(modules));
                self.at(&path).symlink_metadata().is_err().then_some(path)
            });
            Some(match (version, missing) {
                (Some(_), Some(path)) => Tool::Broken(format!("its command {path} is missing")),
                (Some(version), None) => Tool::Version(version.to_owned(), modules),
                (None, _) => broken("package.json has no version".to_owned()),
            })
        })
    }

    /// What was made of swap files and unpacked archives, as far as it still exists.
    fn left(&self, record: &Record) -> BTreeSet<String> {
        let path = |id: &'_ str| {
            let path = id.strip_prefix(SWAP_ID).or_else(|| id.strip_prefix(UNPACK_ID))?;
            names::plain_path(path).is_ok().then(|| path.to_owned())
        };
        let made = record.made.keys().filter_map(|id| path(id));
        made.filter(|path| self.at(path).symlink_metadata().is_ok()).collect()
    }

    fn link_state(&self, path: &str) -> LinkState {
        let inspect = || -> Result<LinkState, FileError> {
            let (dir, name) =
                trusted_path::open_parent_below(self.root, Path::new(path), Missing::Refused)?;
            Ok(match dir.link_target(&name)? {
                Some(target) => LinkState::To(target.to_string_lossy().into_owned()),
                None if dir.stat(&name)?.is_some() => LinkState::Other,
                None => LinkState::Absent,
            })
        };
        match inspect() {
            Ok(state) => state,
            Err(error) if error.is_not_found() => LinkState::Absent,
            Err(error) => LinkState::Refused(error.to_string()),
        }
    }

    fn block_file(&self, path: &str) -> BlockFile {
        match read(self, path) {
            Ok(bytes) => BlockFile::Content(bytes),
            Err(error) if error.is_not_found() => {
                let directory = Path::new(path).parent().unwrap_or(Path::new("/"));
                let directory =
                    trusted_path::open_dir_below(self.root, directory, Missing::Refused);
                BlockFile::Absent { directory: directory.is_ok() }
            }
            Err(error) => BlockFile::Refused(error.to_string()),
        }
    }

    fn tree(&self, path: &str) -> Tree {
        let inspect = || -> Result<Option<Attributes>, FileError> {
            let (parent, name) =
                trusted_path::open_parent_below(self.root, Path::new(path), Missing::Refused)?;
            // A group may write in it: only the directories above must be writable by root alone.
            let dir = parent.open_dir(&name)?;
            fs::attributes(&dir, None)
        };
        match inspect() {
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

/// The content that each file should have.
fn contents(host: &Host<'_>, spec: &HostSpec) -> BTreeMap<String, Result<SecretBytes, Unreadable>> {
    let mut vault = None;
    let mut content = |file: &FileSpec| match &file.content {
        Content::Inline(text) => Ok(text.clone().into_bytes()),
        Content::Source(path) => read(host, path).map_err(Unreadable::new),
        Content::Vault { path, field } => {
            let server = spec.vault.as_ref();
            let server = server.ok_or_else(|| Unreadable("[vault] is missing".to_owned()))?;
            let client = vault.get_or_insert_with(|| client(host, server)).as_ref();
            let client = client.map_err(Clone::clone)?;
            let get = |url: &str| {
                let answer = client.get(url, vault::MAX_SECRET)?;
                Ok::<_, HttpError>((answer.status, answer.body))
            };
            vault::field(&server.address, path, field, get).map_err(Unreadable::new)
        }
    };
    let known = spec.files.iter().map(|file| (file.path.clone(), content(file).map(SecretBytes)));
    known.collect()
}

/// Reads a file of root's that is behind no link: a user who could change it would decide what root writes.
fn read(host: &Host<'_>, path: &str) -> Result<Vec<u8>, FileError> {
    trusted_path::read_below(host.root, Path::new(path), MAX_CONTENT)
}

fn client(host: &Host<'_>, vault: &Vault) -> Result<Client, Unreadable> {
    let token = secret::read(&host.at(&vault.token_file)).map_err(Unreadable::new)?;
    if !vault.insecure && is_exposed(&vault.address) {
        let reason = "the token would be sent unencrypted: use https://, or insecure = true";
        return Err(Unreadable(reason.to_owned()));
    }
    let within = Duration::from_secs(vault.deadline_seconds);
    let authorities = vault.ca_file.as_ref().map(|path| host.at(path));
    Client::new("x-vault-token", token, within, authorities.as_deref()).map_err(Unreadable::new)
}

/// The directory of commands that belongs to one of modules.
fn bin(modules: &str) -> String {
    format!("{}/bin", modules.trim_end_matches("/lib/node_modules"))
}

/// The commands that a package has, by its package.json: an object, or one program with the name of the
/// package.
fn command_names(name: &str, package: &serde_json::Value) -> Vec<String> {
    let plain = |name: &str| {
        !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\0', '\n'])
    };
    let names: Vec<String> = match package.get("bin") {
        Some(serde_json::Value::String(_)) => {
            vec![name.rsplit('/').next().unwrap_or(name).to_owned()]
        }
        Some(serde_json::Value::Object(commands)) => commands.keys().cloned().collect(),
        _ => Vec::new(),
    };
    names.into_iter().filter(|name| plain(name)).collect()
}

/// The paths of a tool's commands.
pub(crate) fn commands(name: &str, modules: &str) -> Vec<String> {
    let path = format!("{modules}/{name}/package.json");
    let bytes = fs::read(Path::new(&path), MAX).unwrap_or_default();
    let package: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let names = command_names(name, &package).into_iter();
    names.map(|command| format!("{}/{command}", bin(modules))).collect()
}

/// The packages of the host, read again after an installation.
pub(crate) fn packages() -> Result<BTreeMap<String, Package>, FileError> {
    Ok(dpkg::read(&fs::read(Path::new(STATUS), MAX)?))
}

/// A tool that is installed for all users, read again after an installation.
pub(crate) fn tool(name: &str) -> Option<Tool> {
    Host { root: Path::new("/") }.tool(name)
}

/// Opens the directory of the record; it is made, writable by root alone, if it is absent.
pub(crate) fn record_dir() -> Result<Dir, FileError> {
    let state = Path::new(RECORD).parent().and_then(Path::parent).unwrap_or(Path::new("/"));
    trusted_path::ensure_dir(state)?.ensure_dir("applied")
}
