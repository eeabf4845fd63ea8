//! What root's files say that the configuration names: facts beside the host's own (values only, pure).

use crate::provision::protocol::SecretText;
use crate::provision::protocol::shared::Kind;
use crate::provision::sources::kubeconfig::Cluster;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Why a fact is not known, as a sentence for the plan. Facts are compared and hashed, so the cause
/// itself is not kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

impl Unreadable {
    #[allow(clippy::needless_pass_by_value, reason = "for map_err")]
    pub fn new(reason: impl ToString) -> Self {
        Self(reason.to_string())
    }
}

/// The shared entries of one kind, by name: each usable, or why not.
pub(super) type SharedEntries = BTreeMap<String, Result<(), Unreadable>>;

/// A staged login, and what is where it is shared: permission bits and group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodexLoginFacts {
    pub staged: SecretText,
    pub directory: Option<(u32, u32)>,
    pub login: Option<(u32, u32)>,
    pub lock: Option<(u32, u32)>,
}

/// A user's staged login at a forge, with the name and address of the user's commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitLogin {
    pub username: String,
    pub token: SecretText,
    pub name: String,
    pub email: String,
}

impl GitLogin {
    /// As git-credential-store(1) keeps it.
    pub fn line(&self, host: &str) -> SecretText {
        let (user, token) = (percent_encoded(&self.username), percent_encoded(&self.token.0));
        SecretText(format!("https://{user}:{token}@{host}"))
    }
}

/// A text with everything but the characters that no part of an address reserves as `%HH`.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}"); // writing to it cannot fail
        }
    }
    encoded
}

/// Facts of configured files, by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfiguredFiles {
    /// Texts to deploy.
    pub texts: BTreeMap<String, Result<String, Unreadable>>,
    /// Files of root's for all users that no user reaches: the directory on the way, and its mode.
    pub closed: BTreeMap<String, (String, u32)>,
    pub tokens: BTreeMap<String, Result<SecretText, Unreadable>>,
    /// Staged logins at the forge, by user.
    pub git_logins: BTreeMap<String, Result<GitLogin, Unreadable>>,
    /// Clusters of administrators' kubeconfigs.
    pub clusters: BTreeMap<String, Result<Cluster, Unreadable>>,
    /// The administrator's shared rules, skills and agents: each entry, or why it is linked for no users.
    pub shared: BTreeMap<Kind, Result<SharedEntries, Unreadable>>,
    /// The login of Codex that a group shares; `None` unless it is configured.
    pub codex_login: Option<Result<CodexLoginFacts, Unreadable>>,
    /// Programs that users run.
    pub programs: BTreeMap<String, Result<(), Unreadable>>,
    /// The targets of links of root's that this program makes.
    pub links: BTreeMap<String, String>,
    /// The program that agents' hooks call; `None` unless a hook is configured.
    pub persist: Option<Result<String, Unreadable>>,
}
