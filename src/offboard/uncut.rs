//! Undoing a cut, whole or half-done: all of it as the record has it.

use super::record::{Kept, Stage};
use super::settings::Settings;
use super::work::{Notes, Silent, Work};
use super::{account, archive, cut, frozen, jobs, units};
use crate::sys::Dir;

/// Puts a user back as before the cut. `state` is `/var/lib/terminal-lobby`, whose run lock the
/// caller holds. Gives lines for the receipt.
///
/// # Errors
/// When the user is not cut or is being removed; or which steps failed, and which were done.
pub fn uncut(
    state: &Dir,
    user: &str,
    settings: &Settings,
    progress: &mut dyn FnMut(&str),
) -> Result<Vec<String>, String> {
    uncut_telling(state, user, settings, &mut Silent(progress))
}

/// As [`uncut`], telling of each step before and after it.
pub fn uncut_telling(
    state: &Dir,
    user: &str,
    settings: &Settings,
    notes: &mut dyn Notes,
) -> Result<Vec<String>, String> {
    let mut kept = find(state, user)?;
    kept.record.stage = Stage::Undoing;
    kept.save()?;
    let mut work = Work::new(user, notes);
    work.step("archiving", "clear an unfinished archive away", || archive::give_up(&mut kept));
    work.step("home", &format!("put the home of {user} back"), || frozen::thaw(&mut kept));
    work.step("groups", &format!("put {user} back into groups"), || account::join_groups(&kept));
    work.step("units", &format!("unmask the units of {user}"), || units::open(&kept));
    work.step("files", &format!("put the jobs and environments of {user} back"), || {
        jobs::give_back(&kept)
    });
    work.step("unlock", &format!("put the login of {user} back"), || account::unlock(&kept));
    work.step("linger", &format!("put the lingering of {user} back"), || {
        account::restore_linger(&kept)
    });
    work.step("cluster", &format!("give the cluster access of {user} back"), || {
        restore(&mut kept, settings)
    });
    work.step("start", &format!("start the units of {user}"), || units::start(&kept));
    if work.is_well() {
        work.step("record", &format!("set the record of {user} aside"), || {
            kept.set_aside("undone").map(|()| Vec::new())
        });
    }
    work.end()
}

/// What undoing would do now, as lines.
///
/// # Errors
/// When it would be refused.
pub fn preview(state: &Dir, user: &str) -> Result<Vec<String>, String> {
    let record = find(state, user)?.record;
    let mut lines = Vec::new();
    if let Some(frozen) = &record.frozen {
        lines.push(format!("move {} back to {}", frozen.place, record.home));
    }
    lines.extend(record.groups.iter().map(|group| format!("put {user} back into group {group}")));
    lines.extend(record.units.keys().map(|unit| format!("put unit {unit} back as it was")));
    lines.extend(record.files.values().map(|path| format!("put {path} back")));
    if let Some(login) = &record.login {
        let how = if login.locked { "leave the password locked" } else { "unlock the password" };
        lines.push(format!("{how} of {user}, and put the expiry back"));
    }
    if record.linger == Some(true) {
        lines.push(format!("let {user} linger"));
    }
    Ok(lines)
}

fn find(state: &Dir, user: &str) -> Result<Kept, String> {
    let kept = Kept::load(state, user)?.ok_or_else(|| format!("{user} is not cut"))?;
    if kept.record.stage == Stage::Removing {
        return Err(format!("{user} is being removed: `provision offboard remove` ends that"));
    }
    account::same(user, kept.record.uid)?;
    Ok(kept)
}

fn restore(kept: &mut Kept, settings: &Settings) -> Result<Vec<String>, String> {
    let k8s_user = kept.record.k8s_user.clone();
    if !kept.record.cluster_revoked {
        return Ok(Vec::new());
    }
    let Some(argv) = &settings.restore_cluster else {
        return Ok(vec![format!("cluster access of {k8s_user}: was revoked; left to a person")]);
    };
    cut::run(argv, &k8s_user)?;
    kept.record.cluster_revoked = false;
    kept.save()?;
    Ok(vec![format!("cluster access of {k8s_user}: restored")])
}
