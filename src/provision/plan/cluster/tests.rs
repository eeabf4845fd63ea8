use super::*;
use crate::provision::observe::Unreadable;
use crate::provision::observe::observed::HomeReport;
use crate::provision::plan::change::Verb;
use crate::provision::plan::tests::host;
use crate::provision::protocol::HomeFacts;
use crate::provision::sources::kubeconfig::Authority;
use crate::roster::tests::row;

const FILE: &str = "/etc/admin.yaml";

fn settings(more: &str) -> Result<Settings, toml::de::Error> {
    toml::from_str(&format!(
        "kubeconfig = '{FILE}'\nissuer = 'https://id.example.org/k8s/'\nclient_id = 'k8s'\n{more}"
    ))
}

fn observed(facts: ClusterFacts) -> Observed {
    let mut observed = host(&["ann"]);
    let facts = HomeFacts { cluster: Some(facts), ..HomeFacts::default() };
    observed.home_reports.insert("ann".to_owned(), HomeReport::Facts(Box::new(facts)));
    let authority = Some(Authority::Data("QQ==".to_owned()));
    let cluster = Cluster { server: "https://127.0.0.1:6443".to_owned(), authority };
    observed.configured.clusters.insert(FILE.to_owned(), Ok(cluster));
    observed
}

fn one(observed: &Observed, row: &Row, more: &str) -> Option<Change> {
    plan("ann", row, observed, &settings(more).unwrap()).changes.pop()
}

#[test]
fn it_is_written_where_nothing_is_and_what_is_there_is_the_users() {
    let row = row("ann.x", Tier::PowerUser);
    let change = one(&observed(ClusterFacts::Absent), &row, "").unwrap();
    assert_eq!((change.verb, change.cause), (Verb::Add, Cause::Intent));
    let Some(Action::Home(task)) = &change.action else { panic!("{change:?}") };
    let HomeTask::Cluster(ClusterTask::Config { text }) = &**task else { panic!("{task:?}") };
    for part in ["https://127.0.0.1:6443", "QQ==", "oidc-login", "--grant-type=device-code"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("namespace:"));
    assert_eq!(one(&observed(ClusterFacts::Present), &row, ""), None);
    let unusable = ClusterFacts::Unusable("~/.kube: a link: not followed".to_owned());
    assert_eq!(one(&observed(unusable), &row, "").unwrap().verb, Verb::Refuse);
    let mut gone = observed(ClusterFacts::Absent);
    gone.written.note("~ann/.kube/config", b"x");
    let change = one(&gone, &row, "").unwrap();
    assert_eq!((change.verb, change.cause), (Verb::Repair, Cause::Drift));
}

#[test]
fn the_site_may_name_another_server_and_a_namespaces_owner_begins_there() {
    let mut row = row("ann.x", Tier::NamespaceOwner);
    row.namespaces = vec!["builds".to_owned()];
    let more = "server = 'https://k8s.example.org'\nscopes = ['groups']\ncommand = ['kubelogin']";
    let change = one(&observed(ClusterFacts::Absent), &row, more).unwrap();
    let text = format!("{:?}", change.action);
    for part in ["https://k8s.example.org", "builds", "--oidc-extra-scope=groups", "kubelogin"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("127.0.0.1"));
}

#[test]
fn a_kubeconfig_of_the_administrators_that_cannot_be_used_is_reported() {
    let mut observed = observed(ClusterFacts::Absent);
    observed.configured.clusters.insert(FILE.to_owned(), Err(Unreadable::new("belongs to uid 7")));
    let change = one(&observed, &row("ann.x", Tier::PowerUser), "").unwrap();
    assert!(change.verb == Verb::Refuse && change.why == "belongs to uid 7", "{change:?}");
}

#[test]
fn invalid_values_are_refused() {
    for (more, why) in [
        ("grant_type = 'password'", "grant_type: expected one of device-code"),
        ("server = 'http://x'", "https://"),
        ("command = []", "expected words"),
        ("scopes = ['a b']", "expected words"),
        ("colour = 1", "colour"),
    ] {
        let error = settings(more).unwrap_err().to_string();
        assert!(error.contains(why), "{more}: {error}");
    }
    let error = toml::from_str::<Settings>("issuer = 'https://x'").unwrap_err().to_string();
    assert!(error.contains("kubeconfig is missing"), "{error}");
    assert!(toml::from_str::<Settings>("").unwrap().access.is_none());
}
