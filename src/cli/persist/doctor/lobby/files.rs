//! What the gateway reads: it is neither root nor a member of any group but its own.

use super::{ACCOUNT, Configuration, shown};
use crate::persist::report::Check;
use crate::sys::accounts;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Owner, group and permission bits of a file.
type Access = (u32, u32, u32);

pub(super) fn checks(
    configuration: &Configuration,
    below: &dyn Fn(&Path) -> PathBuf,
) -> Vec<Check> {
    let account =
        (accounts::uid_of(ACCOUNT).ok().flatten(), accounts::gid_of(ACCOUNT).ok().flatten());
    let (Some(uid), Some(gid)) = account else {
        let what = format!("there is no account {ACCOUNT}: the gateway cannot start");
        return vec![Check::fault("lobby account", what, "systemd-sysusers terminal-lobby.conf")];
    };
    let access = |path: &Path| {
        let meta = below(path).metadata().ok()?;
        meta.is_file().then(|| (meta.uid(), meta.gid(), meta.mode() & 0o7777))
    };
    let (uid, own) = (uid.as_raw(), gid.as_raw());
    let map = &configuration.user_map;
    let mut checks = vec![judge_map(map, access(map), own)];
    if let Some(admins) = configuration.admins.as_ref().filter(|path| access(path).is_some()) {
        let check = judge_map(admins, access(admins), own);
        checks.push(Check { name: "lobby administrators".to_owned(), ..check });
    }
    let secrets = [&configuration.proxy.secret_file, &configuration.oidc.client_secret_file];
    let secrets = secrets.into_iter().flatten();
    checks.extend(secrets.map(|path| judge_secret(path, access(path), (uid, own))));
    checks
}

fn is_readable((_, group, mode): Access, own: u32) -> bool {
    mode & 0o004 != 0 || (group == own && mode & 0o040 != 0)
}

fn judge_map(path: &Path, access: Option<Access>, own: u32) -> Check {
    const NAME: &str = "lobby user map";
    let path = shown(path);
    match access {
        None => {
            Check::fault(NAME, format!("{path} is missing: no user can log in"), "provision apply")
        }
        Some(access) if is_readable(access, own) => {
            Check::ok(NAME, format!("{path} can be read by the gateway"))
        }
        Some(_) => {
            let what = format!("{path} cannot be read by the gateway: no user can log in");
            Check::fault(NAME, what, format!("chmod 644 {path}"))
        }
    }
}

/// The gateway itself refuses a secret that others can read: it is root's and the gateway's group's, or the gateway's.
fn judge_secret(path: &Path, access: Option<Access>, (uid, own): (u32, u32)) -> Check {
    const NAME: &str = "lobby secret";
    let path = shown(path);
    let fix = format!("chown root:{ACCOUNT} {path} && chmod 640 {path}");
    let Some((owner, group, mode)) = access else {
        return Check::fault(NAME, format!("{path} is missing"), format!("ls -l {path}"));
    };
    let is_of_group = owner == 0 && group == own && mode & 0o040 != 0;
    if mode & (if is_of_group { 0o037 } else { 0o077 }) != 0 {
        return Check::fault(NAME, format!("{path} can be read or changed by other users"), fix);
    }
    if is_of_group || (owner == uid && mode & 0o400 != 0) {
        return Check::ok(NAME, format!("{path} can be read by the gateway alone"));
    }
    Check::fault(NAME, format!("{path} cannot be read by the gateway"), fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::CheckState::{self, Fault, Ok};

    const OWN: u32 = 990;

    #[test]
    fn the_map_must_be_readable_by_the_gateway() {
        let state = |access| judge_map(Path::new("/m"), access, OWN).state;
        assert_eq!(state(Some((0, 0, 0o644))), Ok);
        assert_eq!(state(Some((0, OWN, 0o640))), Ok);
        assert_eq!(state(Some((0, 0, 0o640))), Fault);
        assert_eq!(state(None), Fault);
    }

    #[test]
    fn a_secret_is_readable_by_the_gateway_and_by_no_other_user() {
        let state = |access| -> CheckState {
            judge_secret(Path::new("/s"), Some(access), (995, OWN)).state
        };
        for right in [(0, OWN, 0o640), (0, OWN, 0o440), (995, OWN, 0o600), (995, 0, 0o400)] {
            assert_eq!(state(right), Ok, "{right:?}");
        }
        for wrong in [
            (0, OWN, 0o644),
            (0, OWN, 0o660),
            (0, OWN, 0o600),
            (0, 0, 0o640),
            (995, OWN, 0o640),
            (1000, OWN, 0o600),
        ] {
            assert_eq!(state(wrong), Fault, "{wrong:?}");
        }
        assert_eq!(judge_secret(Path::new("/s"), None, (995, OWN)).state, Fault);
    }
}
