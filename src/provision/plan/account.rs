//! Accounts: made if absent, otherwise left as they are (pure).

use super::account_id;
use super::change::{Action, Cause, Change, Step, Verb};
use crate::provision::observe::observed::{Account, HomeInode, Observed};
use crate::provision::observe::socket_dir;
use crate::provision::settings::Settings;
use crate::provision::state::written::CreatedAccount;

pub(super) fn plan(user: &str, observed: &Observed, settings: &Settings) -> Vec<Change> {
    let made = observed.written.accounts.get(user);
    match observed.accounts.get(user) {
        Some(account) => differences(user, account, made, observed, settings),
        None => vec![make(user, made, observed, settings)],
    }
}

fn make(
    user: &str,
    made: Option<&CreatedAccount>,
    observed: &Observed,
    settings: &Settings,
) -> Change {
    let home = format!("{}/{user}", settings.home_base);
    let shell = settings.shell.clone();
    let change = Change::new(Some(user), Step::Account, "account", format!("account {user}"));
    debug_assert_eq!(change.id, account_id(user));
    let cause = if made.is_some() { Cause::Drift } else { Cause::Intent };
    if let Some(why) = &observed.home_base {
        return change.refused(cause, why);
    }
    if let Some(HomeInode { uid, .. }) = observed.homes.get(user) {
        let why = format!("{home} exists already and belongs to uid {uid}");
        return change.refused(cause, why);
    }
    if observed.groups.contains_key(user) {
        let why =
            format!("a group {user} exists already: useradd cannot make the user's own group");
        return change.refused(cause, why);
    }
    let why = match made {
        Some(CreatedAccount { uid: Some(uid), .. }) => {
            format!("the account that was made before (uid {uid}) is gone")
        }
        Some(_) => "the account that was made before is gone".to_owned(),
        None => "in the roster, and no account on this host".to_owned(),
    };
    change.to(format!("home {home} (0700), shell {shell}, password locked")).why(why).done(
        Verb::Add,
        cause,
        Action::MakeAccount { home, shell },
    )
}

/// Differences of an existing account: reported, never changed.
fn differences(
    user: &str,
    account: &Account,
    made: Option<&CreatedAccount>,
    observed: &Observed,
    settings: &Settings,
) -> Vec<Change> {
    if let Some(CreatedAccount { uid: None, home, .. }) = made {
        let change = Change::new(Some(user), Step::Account, "account", format!("account {user}"));
        let change = change.to("finished").why("the run that made it was interrupted");
        let action = Action::FinishAccount { home: home.clone() };
        return vec![change.done(Verb::Repair, Cause::Drift, action)];
    }
    let mut changes = Vec::new();
    let change = |part: &str, what: &str| {
        let id = format!("account-{part}");
        Change::new(Some(user), Step::Account, &id, format!("account {user}: {what}"))
    };
    let mut differs = |part: &str, before: &str, now: &str| {
        if before != now {
            let change = change(part, part).from(before).to(now);
            changes
                .push(change.reported(Cause::Drift, "differs from how it was made: left as it is"));
        }
    };
    if let Some(made) = made {
        differs("home", &made.home, &account.home);
        differs("shell", &made.shell, &account.shell);
        if let Some(uid) = made.uid.filter(|uid| *uid != account.uid) {
            // Under the name of the account itself: nothing that needs it is done.
            let change =
                Change::new(Some(user), Step::Account, "account", format!("account {user}: uid"));
            let change = change.from(uid.to_string()).to(account.uid.to_string());
            let why = "not the account that was made: files of the old uid do not belong to it";
            changes.push(change.refused(Cause::Drift, why));
        }
    }
    for (part, others) in [
        ("shared-uid", observed.uid_sharers(user, account.uid)),
        ("shared-home", observed.home_sharers(user, &account.home)),
    ] {
        if !others.is_empty() {
            let (what, value) = match part {
                "shared-uid" => ("uid", account.uid.to_string()),
                _ => ("home", account.home.clone()),
            };
            let why = format!("{what} {value} belongs to {}, too", others.join(", "));
            changes.push(change(part, what).reported(Cause::Drift, why));
        }
    }
    if let Some(owner) = observed.taken_socket_dirs.get(user) {
        let change = change("sockets", "tmux sockets");
        changes.push(change.reported(Cause::Drift, taken_socket_dir(user, account.uid, *owner)));
    }
    let usual = account.home == format!("{}/{user}", settings.home_base);
    let home = observed.homes.get(user).filter(|_| usual);
    if let Some(home) = home {
        if !home.directory {
            let why = format!("{} is not a directory", account.home);
            changes.push(change("home-kind", "home").reported(Cause::Drift, why));
        } else if home.uid != account.uid {
            let why = format!("{} belongs to uid {}, not {}", account.home, home.uid, account.uid);
            changes.push(change("home-owner", "home").reported(Cause::Drift, why));
        } else if made.is_some() && home.mode != 0o700 {
            let change = change("home-mode", "home mode").from("0700");
            let change = change.to(format!("{:04o}", home.mode));
            changes.push(change.reported(Cause::Drift, "the user may have opened it"));
        }
    }
    let lock = observed.locks.as_ref().and_then(|locks| locks.get(user));
    let has_expired = |day: &u64| *day <= observed.today.max(1);
    if let Some(day) = lock.and_then(|lock| lock.expires).filter(has_expired) {
        let why = format!("account expired on {} (cut earlier?)", date(day));
        changes.push(change("expired", "expired").reported(Cause::Drift, why));
    }
    changes
}

/// Why a user cannot start tmux. What another user made is left to a person.
pub(in crate::provision) fn taken_socket_dir(user: &str, uid: u32, owner: u32) -> String {
    let dir = socket_dir(uid);
    format!("{dir} exists and belongs to uid {owner}: {user} cannot start tmux until it is removed")
}

/// The date of a day that is counted from 1970-01-01.
fn date(day: u64) -> chrono::NaiveDate {
    chrono::NaiveDate::default() + chrono::Days::new(day)
}
