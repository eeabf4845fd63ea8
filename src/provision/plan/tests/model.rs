//! What carrying a plan out does to a host, as values.

use super::super::*;
use crate::provision::edit::environment_file;
use crate::provision::observe::observed::{Account, Group, HomeInode};
use crate::provision::settings::{agents, browser, cluster, code};
use crate::provision::state::written::{CreatedAccount, key_place};
use crate::roster::groups::TierGroups;
use crate::roster::ports::Ranges;

pub(in crate::provision::plan) fn settings() -> Settings {
    Settings {
        ranges: Ranges::default(),
        groups: TierGroups::default(),
        max_cut_percent: 50,
        shell: "/bin/bash".to_owned(),
        home_base: "/home".to_owned(),
        uid_min: 1000,
        uid_max: 60_000,
        code: code::Settings::default(),
        agents: agents::Settings::default(),
        cluster: cluster::Settings::default(),
        browser: browser::Settings::default(),
        name_old_units: false,
        closed_trees: Vec::new(),
        secrets: Vec::new(),
        git: None,
        offboard: crate::offboard::Settings::default(),
    }
}

/// The host after a plan.
pub(in crate::provision::plan) fn apply(observed: &Observed, plan: &Plan) -> Observed {
    let mut host = observed.clone();
    for change in &plan.changes {
        let user = change.scope.user.clone().unwrap_or_default();
        if let Some(action) = &change.action {
            act(&mut host, &user, action);
            if let Some((place, bytes)) = action.written(&user) {
                host.written.note(&place, &bytes);
            }
        }
    }
    for (place, bytes) in &plan.record.adopted {
        host.written.note(place, bytes);
    }
    host.applied = Some(plan.record.roster.clone());
    host.ports = plan.record.ports.clone();
    host.playwright_ports = plan.record.playwright_ports.clone();
    host
}

fn act(host: &mut Observed, user: &str, action: &Action) {
    match action {
        Action::MakeAccount { home, shell } => {
            assert!(!host.accounts.contains_key(user), "{user} is there");
            assert!(!host.homes.contains_key(user), "something is at {home}");
            let uid = 1000 + u32::try_from(host.accounts.len()).unwrap();
            let (home, shell) = (home.clone(), shell.clone());
            let made = CreatedAccount {
                uid: Some(uid),
                home: home.clone(),
                shell: shell.clone(),
                ..CreatedAccount::default()
            };
            host.written.accounts.insert(user.to_owned(), made);
            let account = Account { uid, gid: uid, home, shell, local: true };
            host.accounts.insert(user.to_owned(), account);
            host.groups.insert(user.to_owned(), Group { gid: uid, ..Group::default() });
            let inode = HomeInode { uid, mode: 0o700, directory: true };
            host.homes.insert(user.to_owned(), inode);
        }
        Action::FinishAccount { .. } => {
            let uid = host.accounts[user].uid;
            host.written.accounts.get_mut(user).unwrap().uid = Some(uid);
        }
        Action::AddToGroup(group) => {
            assert!(host.accounts.contains_key(user));
            host.groups.get_mut(group).unwrap().members.insert(user.to_owned());
            host.written.groups.entry(user.to_owned()).or_default().insert(group.clone());
        }
        Action::SetKey { file, key, value } => {
            let (bytes, mode) = match host.files.get(file) {
                Some(File::Read { bytes, mode }) => (bytes.clone(), *mode),
                Some(File::Unknown(why)) => panic!("{file}: {why}"),
                None => (Vec::new(), 0o600),
            };
            let bytes = environment_file::set(&bytes, key, value);
            host.files.insert(file.clone(), File::Read { bytes, mode });
            host.written.note(&key_place(file, key), value.as_bytes());
        }
        Action::SetMode { file, mode: wanted } => {
            if let Some(File::Read { mode, .. }) = host.files.get_mut(file) {
                *mode = *wanted;
            }
        }
        Action::RemoveEntries { file, text } => {
            let bytes = text.clone().into_bytes();
            host.files.insert(file.clone(), File::Read { bytes, mode: 0o644 });
        }
        Action::WriteFile { file, text } => {
            let bytes = text.clone().into_bytes();
            host.written.note(file, &bytes);
            host.files.insert(file.clone(), File::Read { bytes, mode: 0o644 });
        }
        Action::SetSecret { file, key, value } => {
            let read = |file: &str| match host.files.get(file) {
                Some(File::Read { bytes, .. }) => bytes.clone(),
                Some(File::Unknown(why)) => panic!("{file}: {why}"),
                None => Vec::new(),
            };
            let value = match value {
                SecretSource::Given(value) => value.0.clone().into_bytes(),
                SecretSource::Random => b"random".to_vec(),
                SecretSource::SameAs(other) => environment_file::get(&read(other), key).unwrap(),
            };
            let text = String::from_utf8(value.clone()).unwrap();
            let bytes = environment_file::set(&read(file), key, &text);
            host.files.insert(file.clone(), File::Read { bytes, mode: 0o600 });
            host.written.note(&key_place(file, key), &value);
        }
        Action::Install { path, what: Installed::File { text, mode } } => {
            let file = File::Read { bytes: text.clone().into_bytes(), mode: *mode };
            host.files.insert(path.clone(), file);
        }
        Action::Install { path, what: Installed::Link { target } } => {
            host.configured.links.insert(path.clone(), target.clone());
            host.files.insert(path.clone(), File::Unknown("a link".to_owned()));
        }
        Action::Unit { unit, enabled } => {
            if *enabled {
                assert!(!host.units.masked.contains(unit));
                host.units.enabled.insert(unit.clone());
            } else {
                host.units.enabled.remove(unit);
            }
            host.written.units.insert(unit.clone(), *enabled);
        }
        Action::Home(_) | Action::ShareLogin { .. } => {}
        Action::Cut => {
            let instance = format!("@{user}.");
            host.units.enabled.retain(|unit| !unit.contains(&instance));
            host.cut.insert(user.to_owned(), 1);
        }
    }
}
