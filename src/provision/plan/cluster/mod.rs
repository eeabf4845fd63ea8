//! A user's access to the cluster.

use super::account_id;
use super::change::{Action, Cause, Change, Step};
use super::deployed::{self, Planned, only};
use crate::provision::home::cluster::{Facts, Look, Work};
use crate::provision::home::{self, Clipped};
use crate::provision::observe::observed::{Home, Observed};
use crate::provision::settings::values::Absolute;
use crate::provision::sources::kubeconfig::{self, Cluster, Login};
use crate::provision::state::written::home_place;
use crate::roster::{Row, Tier};
use serde::Deserialize;

/// Below the home.
const CONFIG: &str = ".kube/config";
/// How kubelogin may ask. Another way than by a code on another device opens a port, which all users
/// of a host would share.
const GRANTS: [&str; 4] = ["device-code", "authcode", "authcode-keyboard", "auto"];

/// Site values: the table `[provision.cluster]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "Raw")]
pub struct Settings {
    access: Option<Access>,
}

impl Settings {
    /// The administrator's kubeconfig.
    pub(in crate::provision) fn kubeconfig(&self) -> Option<&str> {
        self.access.as_ref().map(|access| access.kubeconfig.as_str())
    }
}

#[derive(Debug, Clone)]
struct Access {
    kubeconfig: Absolute,
    server: Option<String>,
    issuer: String,
    client_id: String,
    scopes: Vec<String>,
    grant_type: String,
    command: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    kubeconfig: Option<Absolute>,
    server: Option<String>,
    issuer: Option<String>,
    client_id: Option<String>,
    scopes: Vec<String>,
    grant_type: Option<String>,
    command: Option<Vec<String>>,
}

impl TryFrom<Raw> for Settings {
    type Error = String;

    fn try_from(raw: Raw) -> Result<Self, String> {
        let Some(kubeconfig) = raw.kubeconfig else {
            let others = [raw.server.is_some(), raw.issuer.is_some(), raw.client_id.is_some()];
            let none = !others.contains(&true);
            return if none { Ok(Self::default()) } else { Err("kubeconfig is missing".into()) };
        };
        let issuer = raw.issuer.ok_or("issuer is missing")?;
        let client_id = raw.client_id.ok_or("client_id is missing")?;
        let grant_type = raw.grant_type.unwrap_or_else(|| GRANTS[0].to_owned());
        let default = || ["kubectl", "oidc-login"].map(str::to_owned).to_vec();
        let command = raw.command.unwrap_or_else(default);
        if !kubeconfig::is_https(&issuer) || raw.server.iter().any(|at| !kubeconfig::is_https(at)) {
            return Err("issuer and server: expected addresses that begin with https://".to_owned());
        }
        if !GRANTS.contains(&grant_type.as_str()) {
            return Err(format!("grant_type: expected one of {}", GRANTS.join(", ")));
        }
        let plain = |word: &String| !word.is_empty() && word.chars().all(|c| c.is_ascii_graphic());
        if command.is_empty() || !command.iter().chain(&raw.scopes).chain([&client_id]).all(plain) {
            return Err("command, scopes and client_id: expected words".to_owned());
        }
        let (server, scopes) = (raw.server, raw.scopes);
        let access = Access { kubeconfig, server, issuer, client_id, scopes, grant_type, command };
        Ok(Self { access: Some(access) })
    }
}

/// What to look at in a user's home; nothing when the site asks for nothing.
pub(in crate::provision) fn look(_user: &str, _row: &Row, settings: &Settings) -> Option<Look> {
    settings.access.as_ref().map(|_| Look {})
}

/// What a user lacks.
pub(super) fn plan(user: &str, row: &Row, observed: &Observed, settings: &Settings) -> Planned {
    let Some(access) = &settings.access else { return Planned::default() };
    let change = Change::new(Some(user), Step::Cluster, "kubeconfig", format!("~/{CONFIG}"));
    let facts = match observed.home(user) {
        Home::Fresh => &Facts::Absent,
        Home::Seen(facts) => match &facts.cluster {
            Some(facts) => facts,
            None => return Planned::default(),
        },
        Home::Unknown(why) => {
            let why = format!("the home was not looked at: {}", why.clipped());
            return only(change.refused(Cause::Drift, why));
        }
        Home::NotAsked => return Planned::default(),
    };
    match facts {
        Facts::There => return Planned::default(),
        Facts::Unfit(why) => return only(change.refused(Cause::Drift, why.clipped())),
        Facts::Absent => {}
    }
    let cluster = match observed.site.clusters.get(access.kubeconfig.as_str()) {
        Some(Ok(cluster)) => cluster,
        Some(Err(why)) => return only(change.refused(Cause::Drift, why.clone())),
        None => return Planned::default(),
    };
    let text = text(row, cluster, access);
    let recorded = observed.written.hashes.contains_key(&home_place(user, CONFIG));
    let how = format!("login at {} ({})", access.issuer, access.grant_type);
    let action = Action::Home(Box::new(home::Work::Cluster(Work::Config { text })));
    let change = change.to(how).needs([account_id(user)]);
    only(deployed::missing(change, recorded, action))
}

fn text(row: &Row, cluster: &Cluster, access: &Access) -> String {
    let server = access.server.as_ref().unwrap_or(&cluster.server).clone();
    let cluster = Cluster { server, authority: cluster.authority.clone() };
    let login = Login {
        command: &access.command,
        issuer: &access.issuer,
        client: &access.client_id,
        scopes: &access.scopes,
        grant: &access.grant_type,
    };
    let owner = row.tier == Tier::NamespaceOwner;
    let namespace = row.namespaces.first().filter(|_| owner).map(String::as_str);
    kubeconfig::write(&cluster, &login, namespace)
}

#[cfg(test)]
mod tests;
