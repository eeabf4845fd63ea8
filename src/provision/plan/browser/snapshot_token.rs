//! The token with which a user's snapshot of the browser tool is fetched (pure): from a file of root's for
//! each user.

use crate::provision::observe::observed::{HomeView, Observed};
use crate::provision::paths::staged_file;
use crate::provision::plan::change::{Action, Cause, Change, Step, Verb};
use crate::provision::plan::{Planned, account_id, deployed};
use crate::provision::protocol::snapshot_token::TOKEN_FILE;
use crate::provision::protocol::{HomeTask, SnapshotTokenFacts, SnapshotTokenTask, clip};
use crate::provision::settings::browser::Settings;
use crate::provision::settings::values::Absolute;
use crate::provision::state::digest;
use crate::provision::state::written::home_place;

pub(in crate::provision::plan) fn plan(
    user: &str,
    observed: &Observed,
    settings: &Settings,
) -> Planned {
    let Some(dir) = settings.snapshot_token_dir.as_ref().map(Absolute::as_str) else {
        return Planned::default();
    };
    let change =
        Change::new(Some(user), Step::Browser, "snapshot-token", format!("~/{TOKEN_FILE}"));
    // Users without a file of their own get no token.
    let token = match observed.configured.tokens.get(&staged_file(dir, user)) {
        None => return Planned::default(),
        Some(Err(why)) => return change.refused(Cause::Drift, why.to_string()).into(),
        Some(Ok(token)) => token,
    };
    let facts = match observed.home_view(user) {
        HomeView::New => &SnapshotTokenFacts::Absent,
        HomeView::Facts(facts) => match &facts.snapshot_token {
            Some(facts) => facts,
            None => return Planned::default(),
        },
        HomeView::Unknown(why) => {
            let why = format!("the home was not inspected: {}", clip(why));
            return change.refused(Cause::Drift, why).into();
        }
        HomeView::NotInspected => return Planned::default(),
    };
    let place = home_place(user, TOKEN_FILE);
    let recorded = observed.written.hashes.get(&place);
    let change = change.to(digest::short(token.0.as_bytes())).needs([account_id(user)]);
    let action = |before: Option<&String>| {
        let (token, before) = (token.clone(), before.cloned());
        let task = HomeTask::SnapshotToken(SnapshotTokenTask::Write { token, before });
        Action::Home(Box::new(task))
    };
    match facts {
        SnapshotTokenFacts::Unusable(why) => change.refused(Cause::Drift, clip(why)).into(),
        SnapshotTokenFacts::Absent => {
            deployed::missing(change, recorded.is_some(), action(None)).into()
        }
        SnapshotTokenFacts::Present(hash) if *hash == digest::of(token.0.as_bytes()) => {
            Planned::adopted(place, token.0.clone().into_bytes())
        }
        // The one that root staged before follows; a person's own stays.
        SnapshotTokenFacts::Present(hash) if recorded == Some(hash) => {
            let change =
                change.from("another token").done(Verb::Repair, Cause::Intent, action(Some(hash)));
            change.into()
        }
        SnapshotTokenFacts::Present(_) => Planned::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::observe::Unreadable;
    use crate::provision::observe::observed::HomeReport;
    use crate::provision::plan::tests::host;
    use crate::provision::protocol::{HomeFacts, SecretText};

    #[test]
    fn a_staged_token_reaches_its_user_and_never_replaces_another_one() {
        let settings = toml::from_str("snapshot_token_dir = '/etc/tokens'").unwrap();
        let hash = |text: &str| digest::of(text.as_bytes());
        let present = |text: &str| SnapshotTokenFacts::Present(hash(text));
        for (facts, recorded, wanted) in [
            (SnapshotTokenFacts::Absent, None, Some(Verb::Add)),
            (SnapshotTokenFacts::Absent, Some("hunter2"), Some(Verb::Repair)),
            (present("hunter2"), None, None),
            (present("mine"), None, None),
            (present("old"), Some("old"), Some(Verb::Repair)),
            (present("mine"), Some("old"), None),
            (SnapshotTokenFacts::Unusable("a link".into()), None, Some(Verb::Refuse)),
        ] {
            let mut observed = host(&["ann", "bob"]);
            let seen = HomeFacts { snapshot_token: Some(facts.clone()), ..HomeFacts::default() };
            observed.home_reports.insert("ann".to_owned(), HomeReport::Facts(Box::new(seen)));
            let token = SecretText("hunter2".to_owned());
            observed.configured.tokens.insert("/etc/tokens/ann".to_owned(), Ok(token));
            let refused = Err(Unreadable::new("mode 0644"));
            observed.configured.tokens.insert("/etc/tokens/cem".to_owned(), refused);
            if let Some(text) = recorded {
                observed.written.note("~ann/.config/playwright/token", text.as_bytes());
            }
            let planned = plan("ann", &observed, &settings);
            let verb = planned.changes.first().map(|change| change.verb);
            assert_eq!(verb, wanted, "{facts:?} {recorded:?}");
            assert!(!format!("{:?}", planned.changes).contains("hunter2"));
            assert_eq!(plan("bob", &observed, &settings), Planned::default());
            assert_eq!(plan("cem", &observed, &settings).changes[0].verb, Verb::Refuse);
        }
    }
}
