//! Parses `host.toml` (pure). Unknown keys are errors: a misspelt one would silently do nothing.

use super::names;
use super::spec::{Content, Download, FileKind, FileSpec, HostSpec, Unpack};
use crate::provision::settings::Invalid;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;

mod host_parts;
mod limits;
mod secret;

/// Default of `max_mb`.
const MAX_MB: u64 = 512;

type Text = Spanned<String>;

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Tables {
    packages: Packages,
    npm: Vec<Npm>,
    download: Vec<RawDownload>,
    unpack: Vec<RawUnpack>,
    file: Vec<RawFile>,
    sudoers: Vec<Sudoers>,
    secret: Vec<secret::Secret>,
    vault: Option<secret::Vault>,
    limits: limits::Limits,
    earlyoom: Option<host_parts::EarlyOom>,
    zsh: host_parts::Zsh,
    swap: Option<host_parts::RawSwap>,
    tighten: Vec<Tighten>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Packages {
    install: Vec<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Npm {
    name: Text,
    version: Text,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDownload {
    url: Text,
    path: Text,
    mode: Option<Text>,
    member: Option<Text>,
    sha256: Text,
    max_mb: Option<Spanned<u64>>,
    #[serde(default)]
    insecure: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawUnpack {
    url: Text,
    path: Text,
    sha256: Text,
    max_mb: Option<Spanned<u64>>,
    #[serde(default)]
    insecure: bool,
    #[serde(default)]
    links: Vec<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    path: Text,
    mode: Option<Text>,
    content: Option<Text>,
    source: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sudoers {
    name: Text,
    content: Option<Text>,
    source: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tighten {
    path: Text,
}

/// The first error of the file. `what` begins with the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct HostTomlError {
    /// Counted from 1.
    pub line: usize,
    pub what: String,
}

pub fn read(text: &str) -> Result<HostSpec, HostTomlError> {
    let reader = Reader { text };
    let file: Tables = toml::from_str(text).map_err(|error| {
        reader.error(&error.span().unwrap_or_default(), error.message().to_owned())
    })?;
    let mut spec =
        HostSpec { vault: file.vault.map(|v| reader.vault(v)).transpose()?, ..HostSpec::default() };
    for package in &file.packages.install {
        reader.package(package, &mut spec.packages)?;
    }
    for npm in &file.npm {
        reader.check("npm.name", &npm.name, names::npm)?;
        reader.check("npm.version", &npm.version, names::npm_version)?;
        let (name, version) = (npm.name.get_ref().clone(), npm.version.get_ref().clone());
        if spec.npm.insert(name, version).is_some() {
            return Err(reader.duplicate("npm.name", &npm.name));
        }
    }
    let mut paths = BTreeMap::new();
    for raw in file.download {
        reader.check_unique_path("download.path", &raw.path, raw.path.get_ref(), &mut paths)?;
        spec.downloads.push(reader.download("download", raw)?);
    }
    for raw in file.unpack {
        let RawUnpack { url, path, sha256, max_mb, insecure, links } = raw;
        reader.check_unique_path("unpack.path", &path, path.get_ref(), &mut paths)?;
        let raw = RawDownload { url, path, mode: None, member: None, sha256, max_mb, insecure };
        let mut unpack = Unpack { download: reader.download("unpack", raw)?, links: Vec::new() };
        for program in links {
            reader.check("unpack.links", &program, names::program)?;
            let name = program.get_ref().rsplit('/').next().unwrap_or_default();
            let link = format!("/usr/local/bin/{name}");
            reader.check_unique_path("unpack.links", &program, &link, &mut paths)?;
            unpack.links.push(program.into_inner());
        }
        spec.unpacks.push(unpack);
    }
    for raw in file.file {
        let key = "file.path";
        reader.check(key, &raw.path, names::profile_or_skel)?;
        reader.check_unique_path(key, &raw.path, raw.path.get_ref(), &mut paths)?;
        let mode = raw.mode.as_ref().map(|mode| {
            reader.check("file.mode", mode, |mode| names::file_mode(mode, raw.path.get_ref()))
        });
        let mode = mode.transpose()?.unwrap_or(0o644);
        let content = reader.content("file", &raw.path, raw.content, raw.source)?;
        spec.files.push(file_spec(FileKind::Plain, raw.path.into_inner(), content, mode));
    }
    for raw in file.sudoers {
        let key = "sudoers.name";
        reader.check(key, &raw.name, names::fragment)?;
        let path = format!("/etc/sudoers.d/{}", raw.name.get_ref());
        reader.check_unique_path(key, &raw.name, &path, &mut paths)?;
        let content = reader.content("sudoers", &raw.name, raw.content, raw.source)?;
        spec.files.push(file_spec(FileKind::Sudoers, path, content, 0o440));
    }
    for raw in file.secret {
        reader.check_unique_path("secret.path", &raw.path, raw.path.get_ref(), &mut paths)?;
        spec.files.push(reader.secret(raw, spec.vault.is_some())?);
    }
    spec.files.extend(reader.limits(&file.limits)?);
    if let Some(earlyoom) = &file.earlyoom {
        spec.blocks.push(reader.earlyoom(earlyoom)?);
        spec.packages.entry(host_parts::EARLYOOM.to_owned()).or_default();
    }
    spec.blocks.extend(host_parts::zsh(file.zsh));
    if let Some(swap) = file.swap {
        let path = swap.path(&reader)?;
        reader.check_unique_path("swap.path", &swap.at(), &path, &mut paths)?;
        spec.swap = Some(reader.swap(&swap, path)?);
    }
    for raw in file.tighten {
        reader.check("tighten.path", &raw.path, names::path)?;
        reader.check_unique_path("tighten.path", &raw.path, raw.path.get_ref(), &mut paths)?;
        spec.tighten.push(raw.path.into_inner());
    }
    Ok(spec)
}

fn file_spec(kind: FileKind, path: String, content: Content, mode: u32) -> FileSpec {
    FileSpec { kind, path, content, mode, user: "root".to_owned(), group: None }
}

/// Finds the line of an error.
struct Reader<'a> {
    text: &'a str,
}

impl Reader<'_> {
    fn error(&self, span: &Range<usize>, what: String) -> HostTomlError {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        HostTomlError { line, what }
    }

    fn check<T>(
        &self,
        key: &str,
        text: &Text,
        check: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Result<T, HostTomlError> {
        check(text.get_ref()).map_err(|why| self.error(&text.span(), format!("{key}: {why}")))
    }

    fn duplicate(&self, key: &str, text: &Text) -> HostTomlError {
        let what = format!("{key}: duplicate '{}'", text.get_ref());
        self.error(&text.span(), what)
    }

    /// Each file has one generator.
    fn check_unique_path(
        &self,
        key: &str,
        text: &Text,
        path: &str,
        paths: &mut BTreeMap<String, String>,
    ) -> Result<(), HostTomlError> {
        match paths.insert(path.to_owned(), key.to_owned()) {
            Some(other) => {
                let what = format!("{key}: {path} is generated by {other} already");
                Err(self.error(&text.span(), what))
            }
            None => Ok(()),
        }
    }

    fn package(
        &self,
        text: &Text,
        packages: &mut BTreeMap<String, Option<String>>,
    ) -> Result<(), HostTomlError> {
        let key = "packages.install";
        let (name, version) = match text.get_ref().split_once('=') {
            Some((name, version)) => (name, Some(version)),
            None => (text.get_ref().as_str(), None),
        };
        self.check(key, text, |_| names::package(name))?;
        if let Some(version) = version {
            self.check(key, text, |_| names::debian_version(version))?;
        }
        match packages.insert(name.to_owned(), version.map(str::to_owned)) {
            Some(_) => Err(self.duplicate(key, text)),
            None => Ok(()),
        }
    }

    fn download(&self, table: &str, raw: RawDownload) -> Result<Download, HostTomlError> {
        let key = |name: &str| format!("{table}.{name}");
        self.check(&key("url"), &raw.url, |url| names::url(url, raw.insecure))?;
        self.check(&key("path"), &raw.path, names::path)?;
        let mode = raw.mode.map(|mode| self.check(&key("mode"), &mode, names::mode));
        if let Some(member) = &raw.member {
            self.check(&key("member"), member, names::member)?;
        }
        let hash = self.check(&key("sha256"), &raw.sha256, names::sha256)?;
        let size = match raw.max_mb {
            Some(mb) if !(1..=16_384).contains(mb.get_ref()) => {
                let what = format!("{}: expected 1 to 16384", key("max_mb"));
                return Err(self.error(&mb.span(), what));
            }
            Some(mb) => mb.into_inner(),
            None => MAX_MB,
        };
        Ok(Download {
            url: raw.url.into_inner(),
            path: raw.path.into_inner(),
            member: raw.member.map(Spanned::into_inner),
            mode: mode.transpose()?.unwrap_or(0o755),
            hash,
            size: size << 20,
            insecure: raw.insecure,
        })
    }

    fn content(
        &self,
        table: &str,
        at: &Text,
        content: Option<Text>,
        source: Option<Text>,
    ) -> Result<Content, HostTomlError> {
        match (content, source) {
            (Some(content), None) => Ok(Content::Inline(content.into_inner())),
            (None, Some(source)) => {
                self.check(&format!("{table}.source"), &source, names::plain_path)?;
                Ok(Content::Source(source.into_inner()))
            }
            _ => {
                let what = format!("{table}: expected either 'content' or 'source'");
                Err(self.error(&at.span(), what))
            }
        }
    }
}
