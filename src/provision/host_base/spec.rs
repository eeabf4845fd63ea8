//! What the base of a host should be: the content of `host.toml`, checked (values only, pure).

use std::collections::BTreeMap;

/// The base of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HostSpec {
    /// Debian packages by name, with the version if one is pinned.
    pub packages: BTreeMap<String, Option<String>>,
    /// Tools from npm by name, with their version.
    pub npm: BTreeMap<String, String>,
    /// Files with a pinned hash.
    pub downloads: Vec<Download>,
    /// Archives that are unpacked as a whole.
    pub unpacks: Vec<Unpack>,
    /// Files of `/etc/profile.d` and `/etc/skel`, sudoers fragments, secrets and limits.
    pub files: Vec<FileSpec>,
    /// The Vault that secrets are read from.
    pub vault: Option<Vault>,
    /// Lines in files of packages.
    pub blocks: Vec<Block>,
    pub swap: Option<Swap>,
    /// Directories that other users must not enter.
    pub tighten: Vec<String>,
}

/// A download with a pinned hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    pub url: String,
    /// Where it is installed.
    pub path: String,
    /// The member of the archive that is installed [default: it is no archive: the file itself].
    pub member: Option<String>,
    /// Permission bits.
    pub mode: u32,
    /// `sha256:` and 64 hexadecimal digits, of what is downloaded.
    pub hash: String,
    /// Maximum size, in bytes, of what is downloaded, and of what it unpacks to.
    pub size: u64,
    /// Whether http:// and file:// are allowed: the hash is checked in any case.
    pub insecure: bool,
}

impl Download {
    /// What a member is pinned by: the archive and its name in it.
    pub fn pinned_member(&self) -> Option<String> {
        self.member.as_ref().map(|member| format!("{} {member}", self.hash))
    }
}

/// An archive that is unpacked as a whole, into the directory that its download is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpack {
    pub download: Download,
    /// Programs in it that are linked into `/usr/local/bin`.
    pub links: Vec<String>,
}

impl Unpack {
    /// The paths of the links, each with the program that it leads to.
    pub fn links(&self) -> impl Iterator<Item = (String, String)> {
        self.links.iter().map(|program| {
            let name = program.rsplit('/').next().unwrap_or(program);
            (format!("/usr/local/bin/{name}"), format!("{}/{program}", self.download.path))
        })
    }
}

/// What a file is, which decides how it is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// Of `/etc/profile.d` or `/etc/skel`.
    Plain,
    /// Of `/etc/sudoers.d`: checked with visudo(8) before.
    Sudoers,
    /// Shown as a hash only.
    Secret,
    /// A drop-in of systemd's, which is reloaded afterwards.
    Limits,
}

/// A file to install.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSpec {
    pub kind: FileKind,
    /// Where it is installed.
    pub path: String,
    pub content: Content,
    /// Permission bits.
    pub mode: u32,
    pub user: String,
    /// [default: the user's primary group]
    pub group: Option<String>,
}

/// The content of a file, or where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Inline(String),
    /// The content of another file of root's.
    Source(String),
    /// A field of a secret in Vault.
    Vault {
        /// `MOUNT/data/NAME`.
        path: String,
        field: String,
    },
}

/// Whose file lines are put into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    EarlyOom,
    Zsh,
}

/// Lines in a file that a package brings and a person may edit: every other byte of it stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub kind: BlockKind,
    pub path: String,
    pub text: String,
}

/// A swap file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    pub path: String,
    /// In bytes.
    pub size: u64,
}

/// How Vault is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vault {
    /// `https://...`.
    pub address: String,
    /// The path of a file with the token.
    pub token_file: String,
    /// The path of its certificate authorities [default: the host's].
    pub ca_file: Option<String>,
    /// Whether the token may be sent unencrypted to another host.
    pub insecure: bool,
    /// How long all answers together may take.
    pub deadline_seconds: u64,
}
