//! A user's access to the cluster (pure).

use super::change::{Action, Cause, Change, Step};
use super::{Planned, account_id, deployed};
use crate::provision::observe::observed::{HomeView, Observed};
use crate::provision::protocol::cluster::CONFIG_FILE;
use crate::provision::protocol::{ClusterFacts, ClusterTask, HomeTask, clip};
use crate::provision::settings::cluster::{Access, Settings};
use crate::provision::sources::kubeconfig::{self, Cluster, Login};
use crate::provision::state::written::home_place;
use crate::roster::{Row, Tier};

pub(super) fn plan(user: &str, row: &Row, observed: &Observed, settings: &Settings) -> Planned {
    let Some(access) = &settings.access else { return Planned::default() };
    let change = Change::new(Some(user), Step::Cluster, "kubeconfig", format!("~/{CONFIG_FILE}"));
    let facts = match observed.home_view(user) {
        HomeView::New => &ClusterFacts::Absent,
        HomeView::Facts(facts) => match &facts.cluster {
            Some(facts) => facts,
            None => return Planned::default(),
        },
        HomeView::Unknown(why) => {
            let why = format!("the home was not inspected: {}", clip(why));
            return change.refused(Cause::Drift, why).into();
        }
        HomeView::NotInspected => return Planned::default(),
    };
    match facts {
        ClusterFacts::Present => return Planned::default(),
        ClusterFacts::Unusable(why) => return change.refused(Cause::Drift, clip(why)).into(),
        ClusterFacts::Absent => {}
    }
    let cluster = match observed.configured.clusters.get(access.kubeconfig.as_str()) {
        Some(Ok(cluster)) => cluster,
        Some(Err(why)) => return change.refused(Cause::Drift, why.to_string()).into(),
        None => return Planned::default(),
    };
    let text = text(row, cluster, access);
    let recorded = observed.written.hashes.contains_key(&home_place(user, CONFIG_FILE));
    let how = format!("login at {} ({})", access.issuer, access.grant_type);
    let action = Action::Home(Box::new(HomeTask::Cluster(ClusterTask::Config { text })));
    let change = change.to(how).needs([account_id(user)]);
    deployed::missing(change, recorded, action).into()
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
