//! Where a cluster is, from its administrator's kubeconfig, and the one that a user gets (pure).
//!
//! The administrator's holds keys: of it only the server and its authority leave this place.

use crate::yaml::tree::{self, Node, Value};
use serde_json::Value as Json;

/// No kubeconfig is larger (bytes).
pub const MAX_SIZE: u64 = 1 << 20;

/// Where a cluster is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// Its address.
    pub server: String,
    /// What vouches for it; `None`: an authority that the system knows.
    pub authority: Option<Authority>,
}

/// Certificates of authorities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authority {
    /// As kubeconfigs hold them.
    Data(String),
    /// In a file that users can read.
    File(String),
}

/// How a user shows who they are.
#[derive(Debug, Clone)]
pub struct Login<'a> {
    /// The plugin, and what it is always told.
    pub command: &'a [String],
    /// The identity provider.
    pub issuer: &'a str,
    /// As what the cluster is known to it.
    pub client: &'a str,
    /// What is asked for beside who the user is.
    pub scopes: &'a [String],
    /// How the user is asked.
    pub grant: &'a str,
}

/// Reads an administrator's kubeconfig (YAML or JSON): the cluster of its current context, or the
/// only one.
///
/// # Errors
/// What is missing or cannot be taken over; no value of the file is in it.
pub fn read(bytes: &[u8]) -> Result<Cluster, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    let mut problems = Vec::new();
    let wrong = |problem: &crate::roster::Problem| {
        format!("line {}: it is not a kubeconfig that can be read", problem.place.line)
    };
    let root = tree::read(text, &mut problems).map_err(|problem| wrong(&problem))?;
    if let Some(problem) = problems.first() {
        return Err(wrong(problem));
    }
    let root = root.ok_or("it is empty")?;
    let clusters = items(field(&root, "clusters").ok_or("it names no clusters")?)?;
    let named = |list: &[(Option<String>, &Node)], name: &str| -> Option<usize> {
        list.iter().position(|(own, _)| own.as_deref() == Some(name))
    };
    let wanted = match text_of(&root, "current-context")?.filter(|name| !name.is_empty()) {
        Some(context) => {
            let contexts = field(&root, "contexts").map(items).transpose()?.unwrap_or_default();
            let at = named(&contexts, &context).ok_or("its current context is none of its own")?;
            let context = field(contexts[at].1, "context").ok_or("its current context is empty")?;
            let name = text_of(context, "cluster")?.ok_or("its current context has no cluster")?;
            named(&clusters, &name)
                .ok_or("the cluster of its current context is none of its own")?
        }
        None if clusters.len() == 1 => 0,
        None => return Err("it has no current context, and not one cluster".to_owned()),
    };
    let cluster = field(clusters[wanted].1, "cluster").ok_or("its cluster is empty")?;
    if text_of(cluster, "insecure-skip-tls-verify")?.is_some_and(|value| value != "false") {
        return Err("it does not check the cluster's certificate (insecure-skip-tls-verify)".into());
    }
    for other in ["proxy-url", "tls-server-name"] {
        if field(cluster, other).is_some() {
            return Err(format!("its cluster has {other}, which is not taken over"));
        }
    }
    let server = text_of(cluster, "server")?.ok_or("its cluster has no server")?;
    let data = text_of(cluster, "certificate-authority-data")?.filter(|data| !data.is_empty());
    let file = text_of(cluster, "certificate-authority")?.filter(|file| !file.is_empty());
    let authority = match (data, file) {
        (Some(data), _) => {
            let base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
            if !data.chars().all(base64) {
                return Err("its certificate-authority-data is not base64".to_owned());
            }
            Some(Authority::Data(data))
        }
        (None, Some(file)) if file.starts_with('/') => Some(Authority::File(file)),
        (None, Some(_)) => return Err("its certificate-authority is no absolute path".to_owned()),
        (None, None) => None,
    };
    let cluster = Cluster { server, authority };
    cluster.check()?;
    Ok(cluster)
}

impl Cluster {
    /// Whether its address can be one.
    ///
    /// # Errors
    /// Why not.
    pub fn check(&self) -> Result<(), String> {
        if is_https(&self.server) { Ok(()) } else { Err("its server is no https address".into()) }
    }
}

/// Whether a text is an address that a login may go to.
pub fn is_https(text: &str) -> bool {
    let rest = text.strip_prefix("https://");
    rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_graphic()))
}

/// A user's kubeconfig. Values stand as JSON strings, which YAML reads as they are.
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

fn text_of(node: &Node, name: &str) -> Result<Option<String>, String> {
    match field(node, name).map(|node| &node.value) {
        None => Ok(None),
        Some(Value::Scalar { text, .. }) => Ok(Some(text.clone())),
        Some(_) => Err(format!("its {name} is no text")),
    }
}

/// A list of named things.
fn items(node: &Node) -> Result<Vec<(Option<String>, &Node)>, String> {
    let Value::Sequence(items) = &node.value else { return Err("a list of it is none".into()) };
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
    fn what_cannot_be_taken_over_is_refused_and_no_value_is_told() {
        let changed = |from: &str, to: &str| ADMINS.replace(from, to);
        for (text, why) in [
            (String::new(), "it is empty"),
            ("a: [".to_owned(), "line 1"),
            ("a: 1\na: 2\n".to_owned(), "line 2"),
            (changed("current-context: default", "current-context: x"), "current context is none"),
            (changed("current-context: default", "current-context: ''"), "not one cluster"),
            (changed("https://127", "http://127"), "no https address"),
            (changed("https://127.0.0.1:6443", "'https://a\\n b'"), "no https address"),
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
            (changed("server: https://127.0.0.1:6443", "server: [a]"), "its server is no text"),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert!(error.contains(why) && !error.contains("ecret"), "{error}");
        }
        assert!(read(b"\xff").is_err());
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
