//! `lobby.toml`: how the gateway is reached, who logs in how, and its limits.

use super::error::GatewayError;
use super::limits::Limits;
use super::site::{Listen, Site};
use super::t3::{Section, T3Settings};
use crate::args::LOBBY_FILE;
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use terminal_lobby::cli::config_file;
use terminal_lobby::cli::exit::Failure;
use terminal_lobby::sys::fs::trusted_path;
use terminal_lobby::sys::net::secret::{self, Secret};
use terminal_lobby::text::shown;

/// Maximum size of the file, in bytes.
const MAX_FILE: u64 = 256 << 10;

/// How a person proves who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    Proxy,
    Oidc,
    Link,
}

impl Mode {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Oidc => "oidc",
            Self::Link => "link",
        }
    }
}

/// The file. Unknown keys are errors: a misspelt one would have no effect.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    mode: Mode,
    url: String,
    listen: Option<String>,
    #[serde(default = "File::user_map")]
    user_map: PathBuf,
    admins: Option<PathBuf>,
    #[serde(default = "File::agents")]
    agents: PathBuf,
    #[serde(default = "File::state")]
    state: PathBuf,
    #[serde(default = "File::link_socket")]
    link_socket: PathBuf,
    metrics: Option<String>,
    #[serde(default)]
    links_without_login: bool,
    proxy: Option<ProxyFile>,
    oidc: Option<OidcFile>,
    t3: Option<Section>,
    #[serde(default)]
    limits: Limits,
}

impl File {
    fn user_map() -> PathBuf {
        "/etc/ttyd-user-map".into()
    }

    fn agents() -> PathBuf {
        "/run/terminal-lobby/agents".into()
    }

    fn state() -> PathBuf {
        "/var/lib/lobby".into()
    }

    fn link_socket() -> PathBuf {
        "/run/terminal-lobby/link.sock".into()
    }
}

/// The section `[proxy]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProxyFile {
    header: String,
    user: Option<String>,
    secret_file: Option<PathBuf>,
    #[serde(default = "ProxyFile::secret_header")]
    secret_header: String,
}

impl ProxyFile {
    fn secret_header() -> String {
        "X-Lobby-Secret".to_owned()
    }
}

/// The section `[oidc]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OidcFile {
    issuer: String,
    client_id: String,
    client_secret_file: Option<PathBuf>,
    #[serde(default = "OidcFile::claim")]
    claim: String,
    #[serde(default = "OidcFile::scopes")]
    scopes: Vec<String>,
    ca_file: Option<PathBuf>,
}

impl OidcFile {
    fn claim() -> String {
        "preferred_username".to_owned()
    }

    fn scopes() -> Vec<String> {
        vec!["openid".to_owned(), "profile".to_owned()]
    }
}

/// What a login proxy sends, and how it proves that it is the proxy.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) header: axum::http::HeaderName,
    pub(crate) user: Option<String>,
    pub(crate) secret: Option<Secret>,
    pub(crate) secret_header: axum::http::HeaderName,
}

/// The OpenID Connect provider.
#[derive(Debug, Clone)]
pub(crate) struct Oidc {
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<Secret>,
    pub(crate) claim: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) ca_file: Option<PathBuf>,
}

/// What the file says, checked.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) mode: Mode,
    pub(crate) site: Site,
    pub(crate) listen: Option<Listen>,
    pub(crate) user_map: PathBuf,
    pub(crate) admins: Option<PathBuf>,
    pub(crate) agents: PathBuf,
    pub(crate) state: PathBuf,
    pub(crate) link_socket: PathBuf,
    pub(crate) metrics: Option<SocketAddr>,
    /// Whether a link to a conversation is read by people who are not logged in.
    pub(crate) links_without_login: bool,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) oidc: Option<Oidc>,
    pub(crate) t3: Option<T3Settings>,
    pub(crate) limits: Limits,
}

impl Settings {
    /// Reads the file and the secrets that it names.
    ///
    /// # Errors
    /// If it cannot be read, has an unknown key or a wrong value (with the line or the key), or if a secret's file is
    /// readable by others.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = trusted_path::read_as_caller(path, MAX_FILE).map_err(Failure::from)?;
        let file: File = config_file::parse(path, bytes)?;
        check(path, file)
    }
}

/// The link's socket alone, for programs that are not the gateway: the file may name secrets that they cannot read.
pub(crate) fn link_socket(path: &Path) -> Result<PathBuf, Failure> {
    let bytes = trusted_path::read_as_caller(path, MAX_FILE);
    match bytes {
        Ok(bytes) => Ok(config_file::parse::<File>(path, bytes)?.link_socket),
        Err(error) if path == Path::new(LOBBY_FILE) => {
            tracing::debug!(%error, "the usual link socket is used");
            Ok(File::link_socket())
        }
        Err(error) => Err(error.into()),
    }
}

fn check(path: &Path, file: File) -> Result<Settings, Failure> {
    let wrong = |key: &str, why: &str| {
        let error = GatewayError::Setting {
            file: shown(path).to_string(),
            key: key.to_owned(),
            why: why.to_owned(),
        };
        Failure::usage(error)
    };
    let site = Site::parse(&file.url).map_err(|why| wrong("url", why))?;
    let listen = file.listen.as_deref().map(Listen::parse).transpose();
    let listen = listen.map_err(|why| wrong("listen", why))?;
    let has_logins = file.mode != Mode::Proxy;
    let t3 = file.t3.map(|section| T3Settings::check(section, &site, has_logins)).transpose();
    let t3 = t3.map_err(|(key, why)| wrong(key, why))?;
    let metrics = file
        .metrics
        .as_deref()
        .map(|text| text.parse().map_err(|_| wrong("metrics", "is no address with a port")));
    let paths = [
        ("user_map", Some(&file.user_map)),
        ("admins", file.admins.as_ref()),
        ("agents", Some(&file.agents)),
        ("state", Some(&file.state)),
        ("link_socket", Some(&file.link_socket)),
    ];
    if let Some((key, _)) =
        paths.iter().find(|(_, path)| path.is_some_and(|path| !path.is_absolute()))
    {
        return Err(wrong(key, "is not an absolute path"));
    }
    if let Some((key, why)) = file.limits.problem() {
        return Err(wrong(&format!("limits.{key}"), why));
    }
    if file.mode == Mode::Proxy && file.proxy.is_none() {
        return Err(wrong("mode", "proxy needs the section [proxy]"));
    }
    if file.mode == Mode::Oidc && file.oidc.is_none() {
        return Err(wrong("mode", "oidc needs the section [oidc]"));
    }
    let proxy = file.proxy.filter(|_| file.mode == Mode::Proxy);
    let oidc = file.oidc.filter(|_| file.mode == Mode::Oidc);
    Ok(Settings {
        mode: file.mode,
        site,
        listen,
        user_map: file.user_map,
        admins: file.admins,
        agents: file.agents,
        state: file.state,
        link_socket: file.link_socket,
        metrics: metrics.transpose()?,
        links_without_login: file.links_without_login,
        proxy: proxy.map(|proxy| check_proxy(proxy, &wrong)).transpose()?,
        oidc: oidc.map(|oidc| check_oidc(oidc, &wrong)).transpose()?,
        t3,
        limits: file.limits,
    })
}

fn check_proxy(file: ProxyFile, wrong: &dyn Fn(&str, &str) -> Failure) -> Result<Proxy, Failure> {
    let name = |key: &str, text: &str| {
        text.parse::<axum::http::HeaderName>().map_err(|_| wrong(key, "is no name of a header"))
    };
    let header = name("proxy.header", &file.header)?;
    let secret_header = name("proxy.secret_header", &file.secret_header)?;
    if header == secret_header {
        return Err(wrong("proxy.secret_header", "is the same as proxy.header"));
    }
    if file.user.is_none() && file.secret_file.is_none() {
        return Err(wrong(
            "proxy",
            "needs user (Unix socket) or secret_file (TCP): what proves that it is the proxy",
        ));
    }
    let secret = file.secret_file.as_deref().map(secret::read_of_service).transpose()?;
    if secret.as_ref().is_some_and(|secret| secret.text().len() < 16) {
        return Err(wrong("proxy.secret_file", "holds fewer than 16 characters"));
    }
    Ok(Proxy { header, user: file.user, secret, secret_header })
}

fn check_oidc(file: OidcFile, wrong: &dyn Fn(&str, &str) -> Failure) -> Result<Oidc, Failure> {
    let is_local = |issuer: &str| {
        ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"]
            .iter()
            .any(|own| issuer.starts_with(own))
    };
    if !file.issuer.starts_with("https://") && !is_local(&file.issuer) {
        return Err(wrong("oidc.issuer", "does not begin with https://"));
    }
    if file.client_id.is_empty() {
        return Err(wrong("oidc.client_id", "is empty"));
    }
    if file.claim.is_empty() {
        return Err(wrong("oidc.claim", "is empty"));
    }
    if !file.scopes.iter().any(|scope| scope == "openid") {
        return Err(wrong("oidc.scopes", "lacks openid"));
    }
    Ok(Oidc {
        client_secret: file
            .client_secret_file
            .as_deref()
            .map(secret::read_of_service)
            .transpose()?,
        issuer: file.issuer,
        client_id: file.client_id,
        claim: file.claim,
        scopes: file.scopes,
        ca_file: file.ca_file,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Settings, String> {
        let file: File = config_file::parse(Path::new("/l.toml"), text.as_bytes().to_vec())
            .map_err(|failure| failure.message)?;
        check(Path::new("/l.toml"), file).map_err(|failure| failure.message)
    }

    #[test]
    fn a_wrong_key_or_value_is_named_with_its_place() {
        let link = "mode = \"link\"\nurl = \"https://Lobby.Example.org:443/\"\n";
        let settings = read(link).unwrap();
        assert_eq!(settings.site.origin(), "https://lobby.example.org");
        assert!(settings.site.is_secure() && settings.listen.is_none());
        let port = "[t3]\nurl = \"https://lobby.example.org:8443\"\n";
        assert!(read(&format!("{link}{port}")).unwrap().t3.is_some());
        for (text, said) in [
            (format!("{link}colour = 1\n"), "/l.toml:3: unknown field `colour`"),
            (link.replace("link", "open"), "/l.toml:1: unknown variant `open`"),
            (link.replace("https://L", "ftp://L"), "/l.toml: url: begins neither"),
            (link.replace(":443/", "/lobby"), "/l.toml: url: is not"),
            (link.replace("https://L", "https://me@L"), "/l.toml: url: is not"),
            (format!("{link}listen = \"0.0.0.0:80\"\n"), "/l.toml: listen: is no loopback"),
            (format!("{link}listen = \"unix:x\"\n"), "/l.toml: listen: unix: needs"),
            (format!("{link}user_map = \"x\"\n"), "/l.toml: user_map: is not an absolute"),
            (
                format!("{link}[limits]\nconnections = 0\n"),
                "/l.toml: limits.connections: at least 1",
            ),
            (format!("{link}[limits]\nconnections = -1\n"), "/l.toml:4: "),
            (
                format!("{link}[t3]\nurl = \"https://lobby.example.org\"\n"),
                "/l.toml: t3.url: is the lobby's",
            ),
            (
                format!("{link}[t3]\nurl = \"https://t3.example.org\"\n"),
                "/l.toml: t3.url: is not the lobby's name",
            ),
            (link.replace("link", "proxy"), "/l.toml: mode: proxy needs"),
            (link.replace("link", "oidc"), "/l.toml: mode: oidc needs"),
            (
                format!("{}[proxy]\nheader = \"X-User\"\n", link.replace("link", "proxy")),
                "/l.toml: proxy: needs user",
            ),
            (
                format!(
                    "{}[proxy]\nheader = \"X User\"\nuser = \"w\"\n",
                    link.replace("link", "proxy")
                ),
                "/l.toml: proxy.header: is no name",
            ),
            (
                format!(
                    "{}[oidc]\nissuer = \"http://x\"\nclient_id = \"a\"\n",
                    link.replace("link", "oidc")
                ),
                "/l.toml: oidc.issuer: does not begin",
            ),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.starts_with(said), "{error}");
        }
    }

    /// The keys that the parser knows in a table, by what it says of one that it does not know.
    fn known(text: &str) -> std::collections::BTreeSet<String> {
        let error = read(text).unwrap_err();
        let (_, list) = error.split_once("expected one of ").unwrap_or_else(|| panic!("{error}"));
        list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn every_key_is_documented_and_no_other() {
        let page = include_str!("../../../docs/configuration.md");
        let (_, page) =
            page.split_once("\n## lobby.toml\n").expect("the page has a part for lobby.toml");
        let link = "mode = \"link\"\nurl = \"https://x\"\n";
        for (table, unknown) in [
            ("", format!("{link}zz = 1\n")),
            ("proxy", format!("{link}[proxy]\nzz = 1\n")),
            ("oidc", format!("{link}[oidc]\nzz = 1\n")),
            ("t3", format!("{link}[t3]\nzz = 1\n")),
            ("limits", format!("{link}[limits]\nzz = 1\n")),
        ] {
            let part = if table.is_empty() {
                page.split("\n### ").next()
            } else {
                page.split("\n### ").find(|part| part.starts_with(&format!("[{table}]")))
            };
            let rows = part
                .unwrap()
                .lines()
                .filter_map(|line| line.strip_prefix("| `")?.split('`').next());
            let mut documented: std::collections::BTreeSet<String> =
                rows.map(str::to_owned).collect();
            if table.is_empty() {
                documented.extend(["proxy", "oidc", "t3", "limits"].map(str::to_owned));
            }
            assert_eq!(documented, known(&unknown), "[{table}]");
        }
        let defaults = read(&format!("{link}[limits]\n")).unwrap().limits;
        for (key, value) in [
            ("connections", defaults.connections as u64),
            ("connections_per_user", defaults.connections_per_user as u64),
            ("header_bytes", defaults.header_bytes as u64),
            ("header_seconds", defaults.header_seconds),
            ("body_bytes", defaults.body_bytes as u64),
            ("stalled_seconds", defaults.stalled_seconds),
            ("agent_seconds", defaults.agent_seconds),
            ("logins_per_user", defaults.logins_per_user as u64),
            ("login_days", defaults.login_days),
            ("login_idle_days", defaults.login_idle_days),
            ("failed_logins_per_minute", defaults.failed_logins_per_minute.into()),
        ] {
            assert!(page.contains(&format!("| `{key}` | `{value}` |")), "{key} = {value}");
        }
    }
}
