//! Reads a cluster's address from its administrator's kubeconfig, and writes a user's (pure).
//!
//! The administrator's holds keys: only the server and its certificate authority are taken from it.

use crate::provision::settings::values::is_https;
use crate::yaml::problem::Problem;
use crate::yaml::tree::{self, Node, Value};
use serde_json::Value as Json;

/// Maximum size of a kubeconfig, in bytes.
pub const MAX_SIZE: u64 = 1 << 20;

/// Why a kubeconfig cannot be used. No value of the file is repeated: it may be a key.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KubeconfigError {
    #[error("not UTF-8")]
    NotUtf8,
    #[error("line {0}: not a valid kubeconfig")]
    Syntax(usize),
    #[error("empty file")]
    Empty,
    #[error("no clusters in it")]
    NoClusters,
    #[error("it has no current context, and not exactly one cluster")]
    NoContext,
    #[error("its current context {0}")]
    Context(&'static str),
    #[error("its cluster {0}")]
    Cluster(&'static str),
    #[error("its cluster has {0}, which is not supported")]
    Unsupported(&'static str),
    #[error("its {0} is not a text")]
    NotText(&'static str),
    #[error("its clusters or contexts are not a list")]
    NotAList,
    #[error("it does not check the cluster's certificate (insecure-skip-tls-verify)")]
    Insecure,
    #[error("its certificate authority is not a file of certificates alone")]
    NotCertificates,
    #[error("its certificate-authority-data is not base64")]
    NotBase64,
    #[error("its certificate-authority is not an absolute path")]
    RelativePath,
    #[error("its server is not an https address")]
    NotHttps,
}

use KubeconfigError as Error;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Its https address.
    pub server: String,
    /// The certificate authority; `None` for one that the system knows.
    pub authority: Option<Authority>,
}

/// Certificates of an authority.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
    /// As kubeconfigs hold them (base64).
    Data(String),
    /// The path of a file, which users may not be able to read.
    File(String),
}

/// How a user logs in.
#[derive(Debug, Clone)]
pub struct Login<'a> {
    /// The plugin and its fixed arguments.
    pub command: &'a [String],
    /// The address of the identity provider.
    pub issuer: &'a str,
    /// The cluster's name at the identity provider.
    pub client: &'a str,
    /// Scopes beside the identity.
    pub scopes: &'a [String],
    /// The OAuth grant type.
    pub grant: &'a str,
}

/// Reads an administrator's kubeconfig (YAML or JSON): the cluster of its current context, or the
/// only one.
pub fn read(bytes: &[u8]) -> Result<Cluster, Error> {
    let text = std::str::from_utf8(bytes).map_err(|_| Error::NotUtf8)?;
    let mut problems = Vec::new();
    let invalid = |problem: &Problem| Error::Syntax(problem.place.line);
    let root = tree::read(text, &mut problems).map_err(|problem| invalid(&problem))?;
    if let Some(problem) = problems.first() {
        return Err(invalid(problem));
    }
    let root = root.ok_or(Error::Empty)?;
    let clusters = items(field(&root, "clusters").ok_or(Error::NoClusters)?)?;
    let named = |list: &[(Option<String>, &Node)], name: &str| -> Option<usize> {
        list.iter().position(|(own, _)| own.as_deref() == Some(name))
    };
    let wanted = match text_of(&root, "current-context")?.filter(|name| !name.is_empty()) {
        Some(context) => {
            let contexts = field(&root, "contexts").map(items).transpose()?.unwrap_or_default();
            let at = named(&contexts, &context).ok_or(Error::Context("is not in it"))?;
            let context = field(contexts[at].1, "context").ok_or(Error::Context("is empty"))?;
            let name = text_of(context, "cluster")?.ok_or(Error::Context("has no cluster"))?;
            named(&clusters, &name).ok_or(Error::Context("has a cluster that is not in it"))?
        }
        None if clusters.len() == 1 => 0,
        None => return Err(Error::NoContext),
    };
    let cluster = field(clusters[wanted].1, "cluster").ok_or(Error::Cluster("is empty"))?;
    if text_of(cluster, "insecure-skip-tls-verify")?.is_some_and(|value| value != "false") {
        return Err(Error::Insecure);
    }
    for other in ["proxy-url", "tls-server-name"] {
        if field(cluster, other).is_some() {
            return Err(Error::Unsupported(other));
        }
    }
    let server = text_of(cluster, "server")?.ok_or(Error::Cluster("has no server"))?;
    let data = text_of(cluster, "certificate-authority-data")?.filter(|data| !data.is_empty());
    let file = text_of(cluster, "certificate-authority")?.filter(|file| !file.is_empty());
    let authority = match (data, file) {
        (Some(data), _) => {
            let base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
            if !data.chars().all(base64) {
                return Err(Error::NotBase64);
            }
            Some(Authority::Data(data))
        }
        (None, Some(file)) if file.starts_with('/') => Some(Authority::File(file)),
        (None, Some(_)) => return Err(Error::RelativePath),
        (None, None) => None,
    };
    let cluster = Cluster { server, authority };
    cluster.check()?;
    Ok(cluster)
}

/// A certificate authority, as a kubeconfig holds it: the certificates of a file's text.
pub fn certificates(text: &[u8]) -> Result<Authority, Error> {
    let has = |mark: &str| text.windows(mark.len()).any(|part| part == mark.as_bytes());
    if has("PRIVATE KEY") || !has("-----BEGIN CERTIFICATE-----") {
        return Err(Error::NotCertificates);
    }
    Ok(Authority::Data(base64(text)))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let at = |index: usize| usize::from(three.get(index).copied().unwrap_or_default());
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let is_used = digit <= three.len();
            let digit = DIGITS[bits >> (18 - 6 * digit) & 63];
            text.push(if is_used { char::from(digit) } else { '=' });
        }
    }
    text
}

impl Cluster {
    fn check(&self) -> Result<(), Error> {
        if is_https(&self.server) { Ok(()) } else { Err(Error::NotHttps) }
    }
}

/// A user's kubeconfig. Values are JSON strings, which YAML reads as they are.
pub fn write(cluster: &Cluster, login: &Login<'_>, namespace: Option<&str>) -> String {
    let word = |text: &str| Json::from(text).to_string();
    let authority = match &cluster.authority {
        Some(Authority::Data(data)) => format!("\n    certificate-authority-data: {}", word(data)),
        Some(Authority::File(file)) => format!("\n    certificate-authority: {}", word(file)),
        None => String::new(),
    };
    let namespace =
        namespace.map_or(String::new(), |name| format!("\n    namespace: {}", word(name)));
    let (command, fixed) = login.command.split_first().map_or(("", &[][..]), |(c, f)| (c, f));
    let mut args: Vec<String> = fixed.to_vec();
    args.push("get-token".to_owned());
    args.push(format!("--oidc-issuer-url={}", login.issuer));
    args.push(format!("--oidc-client-id={}", login.client));
    args.extend(login.scopes.iter().map(|scope| format!("--oidc-extra-scope={scope}")));
    args.push(format!("--grant-type={}", login.grant));
    let args: Vec<String> = args.iter().map(|arg| format!("\n      - {}", word(arg))).collect();
    format!(
        "# Written once by terminal-lobby, and yours from then on.\n\
         apiVersion: v1\nkind: Config\ncurrent-context: cluster\n\
         clusters:\n- name: cluster\n  cluster:\n    server: {}{authority}\n\
         contexts:\n- name: cluster\n  context:\n    cluster: cluster\n    user: oidc{namespace}\n\
         users:\n- name: oidc\n  user:\n    exec:\n      \
         apiVersion: client.authentication.k8s.io/v1\n      command: {}\n      args:{args}\n      \
         interactiveMode: IfAvailable\n",
        word(&cluster.server),
        word(command),
        args = args.concat(),
    )
}

fn field<'a>(node: &'a Node, name: &str) -> Option<&'a Node> {
    let Value::Mapping { entries, .. } = &node.value else { return None };
    let is = |key: &Node| matches!(&key.value, Value::Scalar { text, .. } if text == name);
    entries.iter().find(|(key, value)| is(key) && !value.is_null()).map(|(_, value)| value)
}

fn text_of(node: &Node, name: &'static str) -> Result<Option<String>, Error> {
    match field(node, name).map(|node| &node.value) {
        None => Ok(None),
        Some(Value::Scalar { text, .. }) => Ok(Some(text.clone())),
        Some(_) => Err(Error::NotText(name)),
    }
}

/// The items of a list, each with its name.
fn items(node: &Node) -> Result<Vec<(Option<String>, &Node)>, Error> {
    let Value::Sequence(items) = &node.value else { return Err(Error::NotAList) };
    items.iter().map(|item| Ok((text_of(item, "name")?, item))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADMINS: &str = "apiVersion: v1\nclusters:\n- cluster:\n    \
        certificate-authority-data: LS0tQQ==\n    server: https://127.0.0.1:6443\n  name: default\n\
        - cluster:\n    server: https://other:6443\n  name: other\n\
        contexts:\n- context:\n    cluster: default\n    user: default\n  name: default\n\
        current-context: default\nkind: Config\npreferences: {}\n\
        users:\n- name: default\n  user:\n    client-certificate-data: QQ==\n    \
        client-key-data: c2VjcmV0\n";

    #[test]
    fn the_cluster_of_the_current_context_is_taken_and_nothing_else() {
        let cluster = read(ADMINS.as_bytes()).unwrap();
        let authority = Some(Authority::Data("LS0tQQ==".to_owned()));
        assert_eq!(cluster, Cluster { server: "https://127.0.0.1:6443".to_owned(), authority });
        let json = r#"{"clusters": [{"name": "a", "cluster": {"server": "https://a"}}]}"#;
        assert_eq!(read(json.as_bytes()).unwrap().authority, None);
    }

    #[test]
    fn what_is_not_supported_is_refused_and_no_value_is_repeated() {
        let changed = |from: &str, to: &str| ADMINS.replace(from, to);
        for (text, why) in [
            (String::new(), "empty file"),
            ("a: [".to_owned(), "line 1"),
            ("a: 1\na: 2\n".to_owned(), "line 2"),
            (
                changed("current-context: default", "current-context: x"),
                "current context is not in it",
            ),
            (changed("current-context: default", "current-context: ''"), "not exactly one cluster"),
            (changed("https://127", "http://127"), "not an https address"),
            (changed("https://127.0.0.1:6443", "'https://a\\n b'"), "not an https address"),
            (changed("LS0tQQ==", "'c2VjcmV0 x'"), "not base64"),
            (
                changed("certificate-authority-data: LS0tQQ==", "certificate-authority: ca.crt"),
                "absolute",
            ),
            (
                changed("certificate-authority-data: LS0tQQ==", "insecure-skip-tls-verify: true"),
                "insecure",
            ),
            (
                changed("certificate-authority-data: LS0tQQ==", "proxy-url: http://secret"),
                "proxy-url",
            ),
            (changed("server: https://127.0.0.1:6443", "server: [a]"), "its server is not a text"),
        ] {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("ecret"), "{error}");
        }
        assert!(read(b"\xff").is_err());
    }

    #[test]
    fn an_authority_is_written_by_content_and_never_with_a_key() {
        for (text, expected) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(text.as_bytes()), expected);
        }
        let pem = "-----BEGIN CERTIFICATE-----\nQQ==\n-----END CERTIFICATE-----\n";
        assert!(matches!(certificates(pem.as_bytes()), Ok(Authority::Data(_))));
        for other in ["", "x", "-----BEGIN RSA PRIVATE KEY-----\n"] {
            assert!(certificates(other.as_bytes()).is_err(), "{other}");
            assert!(
                other.is_empty()
                    || certificates(format!("{pem}-----BEGIN PRIVATE KEY-----").as_bytes())
                        .is_err()
            );
        }
    }

    #[test]
    fn what_is_written_can_be_read_and_holds_what_was_given() {
        let cluster = read(ADMINS.as_bytes()).unwrap();
        let command = ["kubectl", "oidc-login"].map(str::to_owned);
        let scopes = ["groups".to_owned()];
        let login = Login {
            command: &command,
            issuer: "https://id/#x\"y",
            client: "c: d",
            scopes: &scopes,
            grant: "device-code",
        };
        let text = write(&cluster, &login, Some("builds"));
        assert_eq!(read(text.as_bytes()).unwrap(), cluster);
        for part in
            ["get-token", "--oidc-issuer-url=https://id/#x\\\"y", "--grant-type=device-code"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
