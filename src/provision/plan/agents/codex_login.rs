//! The login of Codex that a group shares (pure): its directory, and the links of users who have no login of
//! their own.

use crate::provision::observe::observed::Observed;
use crate::provision::plan::change::{Action, Cause, Change, Step, Verb};
use crate::provision::plan::{Planned, account_id};
use crate::provision::protocol::agents::CODEX_LOGIN_FILE;
use crate::provision::protocol::{AgentsTask, CodexLogin, HomeTask, clip};
use crate::provision::settings::agents::SharedLogin;
use crate::provision::state::digest;

/// The directory and the login in it.
pub(super) fn plan_host(observed: &Observed, login: &SharedLogin) -> Planned {
    let directory = login.directory.as_str();
    let what = format!("shared Codex login in {directory}");
    let change = Change::new(None, Step::Agents, "codex-login", what);
    let facts = match &observed.configured.codex_login {
        None => return Planned::default(),
        Some(Err(why)) => return change.refused(Cause::Drift, why.to_string()).into(),
        Some(Ok(facts)) => facts,
    };
    let Some(group) = observed.groups.get(&login.group.0) else {
        return change.refused(Cause::Drift, format!("no group {}", login.group.0)).into();
    };
    let place = login.place();
    let staged = facts.staged.0.as_bytes();
    let is_new = observed.written.is_ours(&place, staged) == Some(false);
    let shared = |found: Option<(u32, u32)>, mode: u32| found == Some((mode, group.gid));
    let has_login = facts.login.is_some();
    let agrees = shared(facts.directory, 0o2770)
        && shared(facts.login, 0o660)
        && facts.lock.is_none_or(|lock| lock == (0o660, group.gid));
    if agrees && !is_new {
        return Planned::adopted(place, staged.to_vec());
    }
    let replaces = is_new || !has_login;
    let action = Action::ShareLogin {
        directory: directory.to_owned(),
        gid: group.gid,
        staged: replaces.then(|| facts.staged.clone()),
        place,
    };
    let change = change.to(format!("2770, files 0660, {}", login.group.0));
    let change = if replaces { change.from(digest::short(staged)) } else { change };
    let (verb, cause, why) = match (facts.directory.is_some() && has_login, is_new) {
        (_, true) => (Verb::Repair, Cause::Intent, "the staged login is another one"),
        (false, false) => (Verb::Add, Cause::Intent, "for users without a login of their own"),
        (true, false) => {
            (Verb::Repair, Cause::Drift, "the group must be able to read and renew it")
        }
    };
    change.why(why).done(verb, cause, action).into()
}

/// The link of one user.
pub(super) fn plan(
    user: &str,
    found: &CodexLogin,
    observed: &Observed,
    login: &SharedLogin,
) -> Planned {
    let may = observed.groups_of(user).contains(login.group.0.as_str());
    if !may || !matches!(observed.configured.codex_login, Some(Ok(_))) {
        return Planned::default();
    }
    let target = format!("{}/auth.json", login.directory.as_str());
    let change =
        Change::new(Some(user), Step::Agents, "codex-login", format!("~/{CODEX_LOGIN_FILE}"));
    let change = change.to(format!("link to {target}"));
    let change = change.needs([account_id(user)]);
    match found {
        // A login of the user's own, or the link.
        CodexLogin::Present => Planned::default(),
        CodexLogin::Unusable(why) => change.refused(Cause::Drift, clip(why)).into(),
        CodexLogin::Absent => {
            let task = HomeTask::Agents(AgentsTask::CodexLogin { target });
            let change = change.why("no login of the user's own is there");
            change.done(Verb::Add, Cause::Intent, Action::Home(Box::new(task))).into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::observe::CodexLoginFacts;
    use crate::provision::observe::observed::Group;
    use crate::provision::plan::tests::host;
    use crate::provision::protocol::SecretText;

    fn login() -> SharedLogin {
        toml::from_str("file = '/etc/auth.json'\ndirectory = '/srv/codex'\ngroup = 'codex'")
            .unwrap()
    }

    fn observed(facts: CodexLoginFacts) -> Observed {
        let mut observed = host(&["ann", "bob"]);
        let members = ["ann".to_owned()].into();
        observed.groups.insert("codex".to_owned(), Group { gid: 700, members });
        observed.configured.codex_login = Some(Ok(facts));
        observed
    }

    #[test]
    fn the_directory_is_made_once_and_given_to_the_group_again_after_a_renewal() {
        let facts = |directory, login, lock| CodexLoginFacts {
            staged: SecretText("{\"hunter2\": 1}".to_owned()),
            directory,
            login,
            lock,
        };
        let (dir, file) = (Some((0o2770, 700)), Some((0o660, 700)));
        for (facts, recorded, wanted) in [
            (facts(None, None, None), None, Some((Verb::Add, true))),
            (facts(dir, file, file), None, None),
            (facts(dir, file, None), Some("{\"hunter2\": 1}"), None),
            (facts(dir, Some((0o600, 700)), file), None, Some((Verb::Repair, false))),
            (facts(dir, file, Some((0o600, 700))), None, Some((Verb::Repair, false))),
            (facts(Some((0o2775, 700)), file, file), None, Some((Verb::Repair, false))),
            (facts(dir, Some((0o660, 5)), file), None, Some((Verb::Repair, false))),
            (facts(dir, file, file), Some("{\"old\": 1}"), Some((Verb::Repair, true))),
            (facts(dir, None, None), None, Some((Verb::Add, true))),
        ] {
            let mut observed = observed(facts.clone());
            if let Some(text) = recorded {
                observed.written.note(&login().place(), text.as_bytes());
            }
            let planned = plan_host(&observed, &login());
            assert!(!format!("{:?}", planned.changes).contains("hunter2"));
            let found = planned.changes.first().map(|change| {
                let Some(Action::ShareLogin { staged, .. }) = &change.action else { panic!() };
                (change.verb, staged.is_some())
            });
            assert_eq!(found, wanted, "{facts:?} {recorded:?}");
        }
    }

    #[test]
    fn members_without_a_login_of_their_own_get_the_link() {
        let facts = CodexLoginFacts {
            staged: SecretText("{}".to_owned()),
            directory: None,
            login: None,
            lock: None,
        };
        let observed = observed(facts);
        let unusable = CodexLogin::Unusable("a link".to_owned());
        for (user, found, wanted) in [
            ("ann", &CodexLogin::Absent, Some(Verb::Add)),
            ("ann", &CodexLogin::Present, None),
            ("ann", &unusable, Some(Verb::Refuse)),
            ("bob", &CodexLogin::Absent, None),
        ] {
            let planned = plan(user, found, &observed, &login());
            assert_eq!(
                planned.changes.first().map(|change| change.verb),
                wanted,
                "{user} {found:?}"
            );
        }
    }
}
