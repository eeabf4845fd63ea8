use super::*;
use crate::provision::observe::observed::HomeReport;
use crate::provision::plan::tests::{host, model, roster};
use crate::provision::plan::{DesiredState, Plan, plan as whole};
use crate::provision::protocol::HomeFacts;
use crate::provision::settings::Settings as All;
use crate::roster::Tier;
use crate::roster::tests::row;

const AGENT: &str = "/usr/local/bin/claude";

fn settings() -> All {
    let browser = toml::from_str(&format!("agent = '{AGENT}'")).unwrap();
    All { browser, ..model::settings() }
}

fn seen(observed: &mut Observed, facts: BrowserFacts) {
    let facts = HomeFacts { browser: Some(facts), ..HomeFacts::default() };
    observed.home_reports.insert("ann".to_owned(), HomeReport::Facts(Box::new(facts)));
}

fn bare() -> Observed {
    let mut observed = host(&["ann"]);
    observed.configured.programs.insert(AGENT.to_owned(), Ok(()));
    seen(&mut observed, BrowserFacts::Absent);
    observed
}

fn planned(observed: &Observed) -> Plan {
    let roster = roster(&[("ann", row("ann.x", Tier::PowerUser))]);
    let failed = std::collections::BTreeSet::new();
    let desired = DesiredState { roster: &roster, users: &[], membership_unknown: None, failed };
    whole(&desired, observed, &settings()).unwrap()
}

fn of<'a>(plan: &'a Plan, id: &str) -> Option<&'a Change> {
    plan.changes.iter().find(|change| change.id == id)
}

const IDS: [&str; 3] =
    ["ann/PLAYWRIGHT_MCP_TOKEN", "ann/PLAYWRIGHT_MCP_TOKEN-of-agents", "ann/browser"];

#[test]
fn a_token_is_made_shared_with_the_agent_and_registered_by_name_once() {
    let observed = bare();
    let first = planned(&observed);
    for id in IDS {
        assert_eq!(of(&first, id).unwrap_or_else(|| panic!("no {id}")).verb, Verb::Add);
    }
    let change = of(&first, "ann/browser").unwrap();
    let needs = ["ann/PLAYWRIGHT_PORT", IDS[0], IDS[1]];
    assert_eq!(change.scope.needs, needs);
    let Some(Action::Home(task)) = &change.action else { panic!("{change:?}") };
    let HomeTask::Browser(BrowserTask::Register { url, headers, .. }) = &**task else { panic!() };
    assert_eq!(url, "http://localhost:8931/mcp");
    assert_eq!(headers, &["Authorization: Bearer ${PLAYWRIGHT_MCP_TOKEN}"]);
    let mut after = model::apply(&observed, &first);
    seen(&mut after, BrowserFacts::Registered(Some(url.clone())));
    let again = planned(&after);
    assert!(again.changes.iter().all(|change| change.scope.step != Step::Browser), "{again:#?}");
    assert_eq!(model::apply(&after, &again), after);
}

#[test]
fn tokens_of_users_are_kept() {
    let files = [playwright_file("ann"), service_file("ann")];
    for (tool, service, recorded, wanted) in [
        ("PLAYWRIGHT_MCP_TOKEN=mine", "A=1", None, [None, Some(Verb::Add)]),
        ("PLAYWRIGHT_MCP_TOKEN=m", "PLAYWRIGHT_MCP_TOKEN=m", None, [None, None]),
        ("PLAYWRIGHT_MCP_TOKEN=m", "PLAYWRIGHT_MCP_TOKEN=n", None, [None, Some(Verb::Refuse)]),
        ("PLAYWRIGHT_MCP_TOKEN=m", "PLAYWRIGHT_MCP_TOKEN=n", Some("n"), [None, Some(Verb::Repair)]),
        ("A=1", "A=1", Some("n"), [Some(Verb::Refuse), None]),
    ] {
        let mut observed = bare();
        for (file, text) in files.iter().zip([tool, service]) {
            let bytes = text.as_bytes().to_vec();
            observed.files.insert(file.clone(), File::Read { bytes, mode: 0o600 });
            if let Some(value) = recorded {
                observed.written.note(&key_place(file, KEY), value.as_bytes());
            }
        }
        let plan = planned(&observed);
        let found = [of(&plan, IDS[0]), of(&plan, IDS[1])].map(|change| change.map(|c| c.verb));
        assert_eq!(found, wanted, "{tool} {service} {recorded:?}");
    }
}

#[test]
fn a_registration_is_made_only_where_there_is_none() {
    let other = BrowserFacts::Registered(Some("http://localhost:1/mcp".to_owned()));
    for (facts, wanted) in [
        (BrowserFacts::Registered(None), None),
        (other, Some(Verb::Report)),
        (BrowserFacts::Unknown("~/.claude.json is not valid JSON".to_owned()), Some(Verb::Refuse)),
    ] {
        let mut observed = bare();
        seen(&mut observed, facts.clone());
        let plan = planned(&observed);
        assert_eq!(of(&plan, "ann/browser").map(|change| change.verb), wanted, "{facts:?}");
    }
    let mut observed = bare();
    observed.configured.programs.insert(AGENT.to_owned(), Err(Unreadable::new("belongs to uid 7")));
    assert_eq!(of(&planned(&observed), "ann/browser").unwrap().verb, Verb::Refuse);
}
