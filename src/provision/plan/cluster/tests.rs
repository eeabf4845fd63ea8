use super::*;
use crate::provision::home::Facts as HomeFacts;
use crate::provision::observe::observed::Inside;
use crate::provision::plan::change::Verb;
use crate::provision::plan::tests::host;
use crate::provision::sources::kubeconfig::Authority;
use crate::roster::tests::row;

const FILE: &str = "/etc/admin.yaml";

fn settings(more: &str) -> Result<Settings, toml::de::Error> {
    toml::from_str(&format!(
        "kubeconfig = '{FILE}'\nissuer = 'https://id.example.org/k8s/'\nclient_id = 'k8s'\n{more}"
    ))
}

fn observed(facts: Facts) -> Observed {
    let mut observed = host(&["ann"]);
    let facts = HomeFacts { cluster: Some(facts), ..HomeFacts::default() };
    observed.inside.insert("ann".to_owned(), Inside::Seen(Box::new(facts)));
    let authority = Some(Authority::Data("QQ==".to_owned()));
    let cluster = Cluster { server: "https://127.0.0.1:6443".to_owned(), authority };
    observed.site.clusters.insert(FILE.to_owned(), Ok(cluster));
    observed
}

fn one(observed: &Observed, row: &Row, more: &str) -> Option<Change> {
    plan("ann", row, observed, &settings(more).unwrap()).0.pop()
}

#[test]
fn it_is_written_where_nothing_is_and_what_is_there_is_the_users() {
    let row = row("ann.x", Tier::PowerUser);
    let change = one(&observed(Facts::Absent), &row, "").unwrap();
    assert_eq!((change.verb, change.cause), (Verb::Add, Cause::Intent));
    let Some(Action::Home(work)) = &change.action else { panic!("{change:?}") };
    let home::Work::Cluster(Work::Config { text }) = &**work else { panic!("{work:?}") };
    for part in ["https://127.0.0.1:6443", "QQ==", "oidc-login", "--grant-type=device-code"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("namespace:"));
    assert_eq!(one(&observed(Facts::There), &row, ""), None);
    let unfit = Facts::Unfit("~/.kube: a link: not followed".to_owned());
    assert_eq!(one(&observed(unfit), &row, "").unwrap().verb, Verb::Refuse);
    let mut gone = observed(Facts::Absent);
    gone.written.note("~ann/.kube/config", b"x");
    let change = one(&gone, &row, "").unwrap();
    assert_eq!((change.verb, change.cause), (Verb::Repair, Cause::Drift));
}

#[test]
fn the_site_may_name_another_server_and_a_namespaces_owner_begins_there() {
    let mut row = row("ann.x", Tier::NamespaceOwner);
    row.namespaces = vec!["builds".to_owned()];
    let more = "server = 'https://k8s.example.org'\nscopes = ['groups']\ncommand = ['kubelogin']";
    let change = one(&observed(Facts::Absent), &row, more).unwrap();
    let text = format!("{:?}", change.action);
    for part in ["https://k8s.example.org", "builds", "--oidc-extra-scope=groups", "kubelogin"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("127.0.0.1"));
}

#[test]
fn a_kubeconfig_of_the_administrators_that_cannot_be_used_is_said() {
    let mut observed = observed(Facts::Absent);
    observed.site.clusters.insert(FILE.to_owned(), Err("belongs to uid 7".to_owned()));
    let change = one(&observed, &row("ann.x", Tier::PowerUser), "").unwrap();
    assert!(change.verb == Verb::Refuse && change.why == "belongs to uid 7", "{change:?}");
}

#[test]
fn values_that_cannot_be_meant_are_refused() {
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
