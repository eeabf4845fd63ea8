//! Secrets that root staged for users: variables of their agents, and their login at a forge (pure). A user's
//! own is never replaced.

use super::change::{Action, Cause, Change, Step, Verb};
use super::{Planned, account_id, deployed};
use crate::provision::observe::observed::{HomeView, Observed};
use crate::provision::paths::staged_file;
use crate::provision::protocol::staged::{
    CREDENTIALS_FILE, ENVIRONMENT_FILE, login_place, setting_place, variable_place,
};
use crate::provision::protocol::{
    EnvironmentFacts, EnvironmentTask, ForgeLogin, GitFacts, GitSetting, GitSettings, GitTask,
    HomeTask, SecretText, clip,
};
use crate::provision::settings::staged::{Git, SecretFile, StagedSecret};
use crate::provision::state::digest;
use crate::provision::state::written::home_place;
use std::collections::BTreeMap;

/// The variables that are staged for a user.
pub(super) fn variables(user: &str, observed: &Observed, secrets: &[StagedSecret]) -> Planned {
    let mut planned = Planned::default();
    for secret in secrets {
        planned.join(variable(user, observed, secret));
    }
    planned
}

fn variable(user: &str, observed: &Observed, secret: &StagedSecret) -> Planned {
    let name = &secret.variable;
    let what = format!("~/{ENVIRONMENT_FILE} {name}");
    let change = Change::new(Some(user), Step::Agents, &format!("secret-{name}"), what);
    let path = match &secret.source {
        SecretFile::Shared(file) => file.as_str().to_owned(),
        SecretFile::Each(directory) => staged_file(directory.as_str(), user),
    };
    // Users without a file of their own get none.
    let value = match observed.configured.tokens.get(&path) {
        None => return Planned::default(),
        Some(Err(why)) => return change.refused(Cause::Drift, why.to_string()).into(),
        Some(Ok(value)) => value,
    };
    let nothing = EnvironmentFacts::Values(BTreeMap::new());
    let facts = match observed.home_view(user) {
        HomeView::New => &nothing,
        HomeView::Facts(facts) => match &facts.environment {
            Some(facts) => facts,
            None => return Planned::default(),
        },
        HomeView::Unknown(why) => return not_inspected(change, why),
        HomeView::NotInspected => return Planned::default(),
    };
    let there = match facts {
        EnvironmentFacts::Values(values) => values.get(name),
        EnvironmentFacts::Unusable(why) => return change.refused(Cause::Drift, clip(why)).into(),
    };
    let place = home_place(user, &variable_place(name));
    let set = |before: Option<&String>| {
        let (variable, value, before) = (name.clone(), value.clone(), before.cloned());
        HomeTask::Environment(EnvironmentTask::Set { variable, value, before })
    };
    secret_change(change, (user, &place), (value, there), observed, &set)
}

/// A secret that is set if it is absent, and that follows its staged file while it is ours.
fn secret_change(
    change: Change,
    (user, place): (&str, &str),
    (wanted, there): (&SecretText, Option<&String>),
    observed: &Observed,
    task: &dyn Fn(Option<&String>) -> HomeTask,
) -> Planned {
    let recorded = observed.written.hashes.get(place);
    let action = |before: Option<&String>| Action::Home(Box::new(task(before)));
    let hash = digest::of(wanted.0.as_bytes());
    let change = change.to(digest::short(wanted.0.as_bytes())).needs([account_id(user)]);
    match there {
        None => deployed::missing(change, recorded.is_some(), action(None)).into(),
        Some(found) if *found == hash => {
            Planned::adopted(place.to_owned(), wanted.0.clone().into_bytes())
        }
        Some(found) if recorded == Some(found) => {
            let change = change.from("the staged one of before");
            change.done(Verb::Repair, Cause::Intent, action(Some(found))).into()
        }
        Some(_) => Planned::default(), // the user's own
    }
}

fn not_inspected(change: Change, why: &str) -> Planned {
    let why = format!("the home was not inspected: {}", clip(why));
    change.refused(Cause::Drift, why).into()
}

/// A user's login at the forge, with the name and address of the user's commits.
pub(super) fn git(user: &str, observed: &Observed, settings: Option<&Git>) -> Planned {
    let Some(settings) = settings else { return Planned::default() };
    let forge = settings.forge.as_str();
    let change = |part: &str, what: String| {
        Change::new(Some(user), Step::Code, &format!("git-{part}"), what).needs([account_id(user)])
    };
    let what = format!("~/{CREDENTIALS_FILE} for {forge}");
    let login = change("login", what);
    let staged = match observed.configured.git_logins.get(user) {
        None => return Planned::default(),
        Some(Err(why)) => return login.refused(Cause::Drift, why.to_string()).into(),
        Some(Ok(staged)) => staged,
    };
    let nothing =
        GitFacts { login: ForgeLogin::Absent, settings: GitSettings::Present(Vec::new()) };
    let facts = match observed.home_view(user) {
        HomeView::New => &nothing,
        HomeView::Facts(facts) => match &facts.git {
            Some(facts) => facts,
            None => return Planned::default(),
        },
        HomeView::Unknown(why) => return not_inspected(login, why),
        HomeView::NotInspected => return Planned::default(),
    };
    let mut planned = Planned::default();
    let line = staged.line(settings.forge.host());
    let place = home_place(user, &login_place(forge));
    let task = |before: Option<&String>| {
        let (forge, line, before) = (forge.to_owned(), line.clone(), before.cloned());
        HomeTask::Git(GitTask::Login { forge, line, before })
    };
    planned.join(match &facts.login {
        ForgeLogin::Unusable(why) => login.refused(Cause::Drift, clip(why)).into(),
        ForgeLogin::Absent => secret_change(login, (user, &place), (&line, None), observed, &task),
        ForgeLogin::Present(hash) => {
            secret_change(login, (user, &place), (&line, Some(hash)), observed, &task)
        }
    });
    let there = match &facts.settings {
        GitSettings::Present(there) => there,
        GitSettings::Unknown(why) => {
            let change = change("settings", "git's settings".to_owned());
            planned.changes.push(change.refused(Cause::Drift, clip(why)));
            return planned;
        }
    };
    let values = [
        (GitSetting::Name, staged.name.as_str()),
        (GitSetting::Email, staged.email.as_str()),
        (GitSetting::Helper, "store"),
    ];
    for (setting, value) in values {
        let key = setting.key(forge);
        let place = home_place(user, &setting_place(setting, forge));
        let value_change = change(&key, format!("git's {key}")).to(value);
        let recorded = observed.written.hashes.contains_key(&place);
        if there.contains(&setting) {
            continue;
        }
        if recorded {
            let why = "a person removed it: not restored";
            planned.changes.push(value_change.refused(Cause::Edited, why));
            continue;
        }
        let (forge, value) = (forge.to_owned(), value.to_owned());
        let task = HomeTask::Git(GitTask::Set { forge, setting, value });
        let action = Action::Home(Box::new(task));
        planned.changes.push(value_change.done(Verb::Add, Cause::Intent, action));
    }
    planned
}
