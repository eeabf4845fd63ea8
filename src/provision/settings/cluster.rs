//! Site values of the access to the cluster: the table `[provision.cluster]` (pure).

use super::Invalid;
use super::values::{Absolute, is_https};
use serde::Deserialize;

/// How kubelogin may ask for a login. All but the first open a port, which every user of the host
/// could reach.
const GRANT_TYPES: [&str; 4] = ["device-code", "authcode", "authcode-keyboard", "auto"];

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "Table")]
pub struct Settings {
    /// `None` if the site gives users no access.
    pub(crate) access: Option<Access>,
}

impl Settings {
    /// The path of the administrator's kubeconfig.
    pub(crate) fn kubeconfig(&self) -> Option<&str> {
        self.access.as_ref().map(|access| access.kubeconfig.as_str())
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) kubeconfig: Absolute,
    /// The address of the cluster, if not the one in the administrator's kubeconfig.
    pub(crate) server: Option<String>,
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    pub(crate) scopes: Vec<String>,
    pub(crate) grant_type: String,
    pub(crate) command: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Table {
    kubeconfig: Option<Absolute>,
    server: Option<String>,
    issuer: Option<String>,
    client_id: Option<String>,
    scopes: Vec<String>,
    grant_type: Option<String>,
    command: Option<Vec<String>>,
}

impl TryFrom<Table> for Settings {
    type Error = Invalid;

    fn try_from(table: Table) -> Result<Self, Invalid> {
        let Some(kubeconfig) = table.kubeconfig else {
            let others =
                [table.server.is_some(), table.issuer.is_some(), table.client_id.is_some()];
            let none = !others.contains(&true);
            let missing = Invalid::Missing { key: "kubeconfig" };
            return if none { Ok(Self::default()) } else { Err(missing) };
        };
        let issuer = table.issuer.ok_or(Invalid::Missing { key: "issuer" })?;
        let client_id = table.client_id.ok_or(Invalid::Missing { key: "client_id" })?;
        let grant_type = table.grant_type.unwrap_or_else(|| GRANT_TYPES[0].to_owned());
        let default = || ["kubectl", "oidc-login"].map(str::to_owned).to_vec();
        let command = table.command.unwrap_or_else(default);
        if !is_https(&issuer) || table.server.iter().any(|at| !is_https(at)) {
            let rule = "expected addresses that begin with https://";
            return Err(Invalid::key("issuer and server", rule));
        }
        if !GRANT_TYPES.contains(&grant_type.as_str()) {
            let rule = format!("expected one of {}", GRANT_TYPES.join(", "));
            return Err(Invalid::key("grant_type", rule));
        }
        let plain = |word: &String| !word.is_empty() && word.chars().all(|c| c.is_ascii_graphic());
        let words = command.iter().chain(&table.scopes).chain([&client_id]);
        if command.is_empty() || !words.into_iter().all(plain) {
            return Err(Invalid::key("command, scopes and client_id", "expected words"));
        }
        let (server, scopes) = (table.server, table.scopes);
        let access = Access { kubeconfig, server, issuer, client_id, scopes, grant_type, command };
        Ok(Self { access: Some(access) })
    }
}
