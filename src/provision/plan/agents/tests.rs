use super::*;
use crate::provision::observe::Unreadable;
use crate::provision::observe::observed::{File, HomeReport};
use crate::provision::paths::service_file;
use crate::provision::plan::tests::{host, model, roster};
use crate::provision::plan::{DesiredState, Plan, plan as whole};
use crate::provision::protocol::{HomeFacts, SecretText};
use crate::provision::settings::Settings as All;
use crate::roster::Tier;
use crate::roster::tests::row;

const TOKEN: &str = "sk-ant-oat01-hunter2";

fn settings(toml: &str) -> All {
    All { agents: toml::from_str(toml).unwrap(), ..model::settings() }
}

fn everything() -> All {
    settings(
        "managed_settings = '/srv/managed.json'\ninstructions = '/srv/agents.md'\n\
         token_file = '/etc/token'\n\
         skel = [{path = '.tmux.conf', source = '/srv/tmux.conf'}, {path = '.a/b', link = '/srv/b'}]",
    )
}

fn site(observed: &mut Observed) {
    for (path, text) in [
        ("/srv/managed.json", "{\"env\": {\"A\": \"hunter2\"}, \"x\": 1}\n"),
        ("/srv/agents.md", "Be kind.\n"),
        ("/srv/tmux.conf", "set -g mouse on\n"),
    ] {
        observed.configured.texts.insert(path.to_owned(), Ok(text.to_owned()));
    }
    observed.configured.tokens.insert("/etc/token".to_owned(), Ok(SecretText(TOKEN.to_owned())));
    observed.configured.persist = Some(Ok("/usr/bin/persist".to_owned()));
}

fn seen(observed: &mut Observed, user: &str, instructions: Instructions, login: Login) {
    let facts = AgentsFacts {
        instructions: Some(instructions),
        login: Some(login),
        ..AgentsFacts::default()
    };
    let facts = HomeFacts { agents: Some(facts), ..HomeFacts::default() };
    observed.home_reports.insert(user.to_owned(), HomeReport::Facts(Box::new(facts)));
}

fn planned(observed: &Observed, settings: &All) -> Plan {
    let roster = roster(&[("ann", row("ann.x", Tier::PowerUser))]);
    let failed = std::collections::BTreeSet::new();
    let desired = DesiredState { roster: &roster, users: &[], membership_unknown: None, failed };
    whole(&desired, observed, settings).unwrap()
}

fn of<'a>(plan: &'a Plan, id: &str) -> Option<&'a Change> {
    plan.changes.iter().find(|change| change.id == id)
}

/// A host whose one user has nothing of ours.
fn bare() -> Observed {
    let mut observed = host(&["ann"]);
    site(&mut observed);
    seen(&mut observed, "ann", Instructions::NoFile, Login::Absent);
    observed
}

#[test]
fn all_of_it_is_made_once_and_then_nothing_is_left_to_do() {
    let (observed, settings) = (bare(), everything());
    let first = planned(&observed, &settings);
    for id in [
        "ann/instructions",
        "ann/CLAUDE_CODE_OAUTH_TOKEN",
        "host/managed-settings",
        "host/hook",
        "host//etc/skel/.tmux.conf",
        "host//etc/skel/.a/b",
    ] {
        assert_eq!(of(&first, id).unwrap_or_else(|| panic!("no {id}")).verb, Verb::Add);
    }
    let mut after = model::apply(&observed, &first);
    let text = Instructions::Managed(digest::of(b"Be kind.\n"));
    seen(&mut after, "ann", text, Login::Absent);
    let again = planned(&after, &settings);
    let left: Vec<_> = again.changes.iter().filter(|c| c.scope.step == Step::Agents).collect();
    assert!(left.is_empty(), "{left:#?}");
    assert_eq!(model::apply(&after, &again), after);
}

#[test]
fn no_plan_shows_the_token_or_a_value_of_the_settings() {
    let plan = planned(&bare(), &everything());
    for text in [
        format!("{:?}", of(&plan, "ann/CLAUDE_CODE_OAUTH_TOKEN")),
        serde_json::to_string(&plan.changes).unwrap(),
    ] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    let change = of(&plan, "ann/CLAUDE_CODE_OAUTH_TOKEN").unwrap();
    assert_eq!(change.after, Some(digest::short(TOKEN.as_bytes())));
    assert_eq!(of(&plan, "host/managed-settings").unwrap().lines, ["+ env", "+ x"]);
}

/// An invalid file would silently enforce nothing.
#[test]
fn invalid_settings_are_refused_and_the_present_ones_stay() {
    for (source, why) in [
        (Ok("{\"a\": 1"), "is not valid JSON"),
        (Ok("[]"), "is not a JSON object"),
        (Ok(""), "is not valid JSON"),
        (Err("/srv/managed.json: belongs to uid 7, not to root"), "belongs to uid 7"),
    ] {
        let mut observed = bare();
        let file = File::Read { bytes: b"{\"old\": 1}".to_vec(), mode: 0o644 };
        observed.files.insert(crate::agent::machine::MANAGED.to_owned(), file);
        observed.written.note(crate::agent::machine::MANAGED, b"{\"old\": 1}");
        let source = source.map(str::to_owned).map_err(Unreadable::new);
        observed.configured.texts.insert("/srv/managed.json".to_owned(), source);
        let plan = planned(&observed, &everything());
        let change = of(&plan, "host/managed-settings").unwrap();
        assert!(change.verb == Verb::Refuse && change.why.contains(why), "{change:?}");
        assert_eq!(change.action, None);
    }
}

#[test]
fn what_was_deployed_is_replaced_and_what_a_person_wrote_is_not() {
    use crate::agent::machine::MANAGED;
    for (there, recorded, verb, cause) in [
        ("{\"old\": 1}", Some("{\"old\": 1}"), Verb::Repair, Cause::Intent),
        ("{\"mine\": 1}", Some("{\"old\": 1}"), Verb::Refuse, Cause::Edited),
        ("{\"mine\": 1}", None, Verb::Refuse, Cause::Drift),
    ] {
        let mut observed = bare();
        let file = File::Read { bytes: there.as_bytes().to_vec(), mode: 0o644 };
        observed.files.insert(MANAGED.to_owned(), file);
        if let Some(text) = recorded {
            observed.written.note(MANAGED, text.as_bytes());
        }
        let plan = planned(&observed, &everything());
        let change = of(&plan, "host/managed-settings").unwrap();
        assert_eq!((change.verb, change.cause), (verb, cause), "{there} {recorded:?}");
    }
    let mut observed = bare();
    observed.written.note(MANAGED, b"{}");
    let plan = planned(&observed, &everything());
    let change = of(&plan, "host/managed-settings").unwrap();
    assert_eq!((change.verb, change.cause), (Verb::Repair, Cause::Drift));
    observed.files.insert(MANAGED.to_owned(), File::Unknown("a link: not followed".to_owned()));
    assert_eq!(
        of(&planned(&observed, &everything()), "host/managed-settings").unwrap().verb,
        Verb::Refuse
    );
}

/// Agents run as every user: what they cannot read enforces nothing.
#[test]
fn settings_that_only_root_can_read_are_opened() {
    let observed = bare();
    let mut after = model::apply(&observed, &planned(&observed, &everything()));
    let Some(File::Read { mode, .. }) = after.files.get_mut(crate::agent::machine::MANAGED) else {
        panic!("not there")
    };
    *mode = 0o600;
    let plan = planned(&after, &everything());
    let change = of(&plan, "host/managed-settings").unwrap();
    assert!(matches!(&change.action, Some(Action::SetMode { mode: 0o644, .. })), "{change:?}");
}

/// One map had two copies, and the deploy of one part put its stale copy over the other's.
#[test]
fn lesson_34_the_hooks_file_has_one_generator_whoever_writes_it() {
    use crate::agent::machine;
    let observed = bare();
    let plan = planned(&observed, &everything());
    let Some(Action::Install { path, what: crate::provision::plan::Installed::File { text, .. } }) =
        &of(&plan, "host/hook").unwrap().action
    else {
        panic!("no file")
    };
    let command = machine::command("/usr/bin/persist".as_ref(), "claude", &[]).unwrap();
    assert_eq!(*text, machine::ensured(None, &command).unwrap());
    // `persist hook --install` wrote it, with options of its own: it stays as it is.
    let options = ["--state-dir".to_owned(), "/srv/x".to_owned()];
    let theirs = machine::command("/opt/persist".as_ref(), "claude", &options).unwrap();
    let theirs = machine::ensured(None, &theirs).unwrap();
    let with = |text: &str| {
        let mut observed = bare();
        let file = File::Read { bytes: text.as_bytes().to_vec(), mode: 0o644 };
        observed.files.insert(path.clone(), file);
        planned(&observed, &everything())
    };
    assert_eq!(of(&with(&theirs), "host/hook"), None);
    // A user's own file keeps its content; an invalid one is left as it is.
    let mixed = with("{\n  \"mine\": 1\n}\n");
    let change = of(&mixed, "host/hook").unwrap();
    let Some(Action::Install {
        what: crate::provision::plan::Installed::File { text, .. }, ..
    }) = &change.action
    else {
        panic!("{change:?}")
    };
    assert!(change.verb == Verb::Repair && text.contains("\"mine\": 1"), "{text}");
    assert_eq!(of(&with("{"), "host/hook").unwrap().verb, Verb::Refuse);
}

#[test]
fn a_token_is_for_those_who_have_none_and_a_persons_stays() {
    let file = service_file("ann");
    let key = "CLAUDE_CODE_OAUTH_TOKEN";
    let place = crate::provision::state::written::key_place(&file, key);
    let (none, there) = (Login::Absent, Login::Present);
    let unknown = Login::Unknown("a link".to_owned());
    let own = format!("{key}={TOKEN}\n");
    let cases = [
        ("", &none, None, Some((Verb::Add, Cause::Intent))),
        ("A=1\n", &none, None, Some((Verb::Add, Cause::Intent))),
        ("CLAUDE_CODE_OAUTH_TOKEN=\n", &none, None, Some((Verb::Add, Cause::Intent))),
        ("A=1\n", &there, None, None),
        ("A=1\n", &unknown, None, Some((Verb::Refuse, Cause::Drift))),
        ("ANTHROPIC_API_KEY=k\n", &none, None, None),
        ("CLAUDE_CODE_OAUTH_TOKEN=mine\n", &none, None, None),
        (&own, &none, Some(TOKEN), None),
        (&own, &there, None, None),
        ("CLAUDE_CODE_OAUTH_TOKEN=old\n", &none, Some("old"), Some((Verb::Repair, Cause::Intent))),
        ("CLAUDE_CODE_OAUTH_TOKEN=mine\n", &none, Some("old"), Some((Verb::Refuse, Cause::Edited))),
        ("A=1\n", &none, Some("old"), Some((Verb::Refuse, Cause::Edited))),
        ("A=1\n", &there, Some("old"), None),
    ];
    for (text, login, recorded, wanted) in cases {
        let mut observed = bare();
        seen(&mut observed, "ann", Instructions::NoFile, login.clone());
        let bytes = text.as_bytes().to_vec();
        observed.files.insert(file.clone(), File::Read { bytes, mode: 0o600 });
        if let Some(value) = recorded {
            observed.written.note(&place, value.as_bytes());
        }
        let plan = planned(&observed, &everything());
        let found = of(&plan, &format!("ann/{key}"));
        let what = found.map(|change| (change.verb, change.cause));
        assert_eq!(what, wanted, "{text:?} {login:?} {recorded:?}");
        assert!(!format!("{found:?}").contains("mine\""));
    }
}

#[test]
fn instructions_are_mirrored_and_a_persons_stay() {
    let holds = |text: &str| Instructions::Managed(digest::of(text.as_bytes()));
    let (add, repair) = ((Verb::Add, Cause::Intent), (Verb::Repair, Cause::Intent));
    for (seen_there, recorded, wanted) in [
        (Instructions::NoFile, None, Some(add)),
        (Instructions::NoFile, Some("old\n"), Some((Verb::Repair, Cause::Drift))),
        (Instructions::Unmanaged, None, Some(add)),
        (Instructions::Unmanaged, Some("old\n"), Some((Verb::Refuse, Cause::Edited))),
        (holds("Be kind.\n"), None, None),
        (holds("old\n"), Some("old\n"), Some(repair)),
        (holds("mine\n"), Some("old\n"), Some((Verb::Refuse, Cause::Edited))),
        (holds("mine\n"), None, Some((Verb::Refuse, Cause::Drift))),
        (Instructions::Unusable("a link".into()), None, Some((Verb::Refuse, Cause::Drift))),
    ] {
        let mut observed = bare();
        seen(&mut observed, "ann", seen_there.clone(), Login::Present);
        if let Some(text) = recorded {
            observed.written.note("~ann/.codex/AGENTS.md", text.as_bytes());
        }
        let plan = planned(&observed, &everything());
        let found = of(&plan, "ann/instructions").map(|change| (change.verb, change.cause));
        assert_eq!(found, wanted, "{seen_there:?} {recorded:?}");
    }
}

#[test]
fn a_home_that_is_made_gets_all_and_one_that_says_nothing_gets_nothing() {
    let mut observed = Observed::default();
    site(&mut observed);
    let plan = planned(&observed, &everything());
    assert_eq!(of(&plan, "ann/instructions").unwrap().scope.needs, ["ann/account"]);
    let mut observed = bare();
    observed.home_reports.insert("ann".to_owned(), HomeReport::Unknown("x".repeat(10_000)));
    let plan = planned(&observed, &everything());
    let change = of(&plan, "ann/agents").unwrap();
    assert!(change.verb == Verb::Refuse && change.why.len() < 1000);
    observed.home_reports.clear();
    assert_eq!(of(&planned(&observed, &everything()), "ann/instructions"), None);
}

#[test]
fn an_invalid_source_is_reported_once_for_the_host() {
    let mut observed = bare();
    observed.configured.texts.insert("/srv/agents.md".to_owned(), Ok(String::new()));
    observed.configured.tokens.insert("/etc/token".to_owned(), Err(Unreadable::new("mode 0644")));
    let plan = planned(&observed, &everything());
    for (id, why) in [("host/instructions", "empty text"), ("host/token", "mode 0644")] {
        let change = of(&plan, id).unwrap();
        assert!(change.verb == Verb::Refuse && change.why.contains(why), "{change:?}");
    }
    assert_eq!(of(&plan, "ann/instructions"), None);
}

#[test]
fn links_and_copies_of_skel_replace_what_we_made_alone() {
    let path = "/etc/skel/.a/b";
    for (link, file, recorded, wanted) in [
        (Some("/srv/b"), None, None, None),
        (Some("/srv/old"), None, Some("/srv/old"), Some((Verb::Repair, Cause::Intent))),
        (Some("/srv/mine"), None, Some("/srv/old"), Some((Verb::Refuse, Cause::Edited))),
        (Some("/srv/mine"), None, None, Some((Verb::Refuse, Cause::Drift))),
        (None, Some("text"), None, Some((Verb::Refuse, Cause::Drift))),
        (None, None, Some("/srv/old"), Some((Verb::Repair, Cause::Drift))),
    ] {
        let mut observed = bare();
        if let Some(link) = link {
            observed.configured.links.insert(path.to_owned(), link.to_owned());
        }
        if let Some(text) = file {
            let file = File::Read { bytes: text.into(), mode: 0o644 };
            observed.files.insert(path.to_owned(), file);
        }
        if let Some(text) = recorded {
            observed.written.note(path, text.as_bytes());
        }
        let plan = planned(&observed, &everything());
        let found = of(&plan, &format!("host/{path}")).map(|change| (change.verb, change.cause));
        assert_eq!(found, wanted, "{link:?} {file:?} {recorded:?}");
    }
}

#[test]
fn entries_of_skel_that_cannot_be_meant_are_refused() {
    for (skel, why) in [
        ("[{path = '/a', link = '/b'}]", "expected a relative path"),
        ("[{path = 'a/../../b', link = '/b'}]", "expected a relative path"),
        ("[{path = 'a', link = 'b'}]", "absolute path"),
        ("[{path = 'a'}]", "one of source and link"),
        ("[{path = 'a', link = '/b', source = '/c'}]", "one of source and link"),
        ("[{path = 'a', link = '/b'}, {path = 'a', source = '/c'}]", "twice"),
        ("[{path = 'a/b', link = '/b'}, {path = 'a', source = '/c'}]", "below another entry"),
        ("[{path = 'a', sauce = '/c'}]", "sauce"),
    ] {
        let error = toml::from_str::<Settings>(&format!("skel = {skel}")).unwrap_err().to_string();
        assert!(error.contains(why), "{skel}: {error}");
    }
}
