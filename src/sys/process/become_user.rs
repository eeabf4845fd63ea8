//! Becoming a user: the only way in which root acts on files of a user.

use super::limits::{self, NewPrivileges};
use super::user_environment;
use crate::sys::accounts::Account;
use nix::unistd::{Gid, Uid};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// How a child becomes a user.
#[derive(Debug, Clone)]
pub struct Become {
    pub account: Account,
    /// The umask of the child, which what it starts inherits.
    pub umask: u32,
    /// Whether the child and all it starts may use set-user-id programs.
    pub new_privileges: NewPrivileges,
}

impl Become {
    /// Prepares `command` to start as this user: environment cleared to a fixed list, cwd `/`,
    /// own session and process group, groups then gid then uid, verified, no inherited
    /// descriptors or keys. The caller's program must be root.
    pub fn prepare(self, command: &mut Command) {
        user_environment::set(command, &self.account);
        command.current_dir("/");
        let Account { uid, gid, groups, .. } = self.account;
        let (mode, new_privileges) = (self.umask, self.new_privileges);
        let drop = move || drop_privileges(uid, gid, &groups, mode, new_privileges);
        // SAFETY: the closure runs between fork and exec; it and all it calls make system calls
        // on values computed before the fork and allocate nothing.
        unsafe { command.pre_exec(drop) };
    }
}

/// Drops every privilege, in the one order that works (credentials(7)), and verifies it.
fn drop_privileges(
    uid: Uid,
    gid: Gid,
    groups: &[Gid],
    mode: u32,
    new_privileges: NewPrivileges,
) -> io::Result<()> {
    nix::unistd::setsid()?;
    nix::unistd::setgroups(groups)?;
    nix::unistd::setresgid(gid, gid, gid)?;
    nix::unistd::setresuid(uid, uid, uid)?;
    let (uids, gids) = (nix::unistd::getresuid()?, nix::unistd::getresgid()?);
    let dropped = [uids.real, uids.effective, uids.saved] == [uid; 3]
        && [gids.real, gids.effective, gids.saved] == [gid; 3];
    let regained = !uid.is_root()
        && nix::unistd::setresuid(Uid::from_raw(0), Uid::from_raw(0), Uid::from_raw(0)).is_ok();
    if !dropped || regained {
        return Err(io::Error::from_raw_os_error(nix::libc::EPERM));
    }
    limits::leave_keyring()?;
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(mode));
    limits::close_descriptors_on_exec()?;
    if new_privileges == NewPrivileges::Deny {
        limits::deny_new_privileges()?;
    }
    Ok(())
}
