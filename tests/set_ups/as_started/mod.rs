//! A restored agent is as it was started: its options, its environment, its program; and after it the
//! pane is what it was before.

mod afterwards;
mod environment;
mod options;
mod programs;
mod shells;

use crate::support::set_up::{SetUp, Started, install_stub};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The first start of an agent after a crash of `set_up`, which runs `before` agents.
#[track_caller]
fn restored(set_up: &SetUp, before: usize) -> Started {
    set_up.save();
    set_up.crash();
    set_up.restore();
    set_up.wait_for_starts(before + 1).swap_remove(before)
}

/// The arguments of the agent that a command line starts, after a crash; `ID` is its conversation.
#[track_caller]
fn arguments_after(command: &str) -> String {
    let set_up = SetUp::new();
    let id = set_up.agent_in("new-session -d -s a", command);
    restored(&set_up, 1).arguments().replace(&id, "ID")
}

fn executable(file: &Path, text: &str) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Makes the login shell and the tmux server of a set-up have no agents on PATH, and puts the stub of
/// Claude Code into a directory that only start files name.
fn version_manager(set_up: &mut SetUp, file: &str) -> String {
    let bin = set_up.sandbox.home().join(".nvm/versions/v20/bin");
    std::fs::create_dir_all(&bin).unwrap();
    install_stub(&bin.join("claude"));
    let profile = format!("export PATH={}:$PATH STUB_PROMPTED=1\n", bin.display());
    std::fs::remove_file(set_up.sandbox.home().join(".bash_profile")).unwrap();
    std::fs::write(set_up.sandbox.home().join(file), profile).unwrap();
    set_up.set("PATH", "/usr/local/bin:/usr/bin:/bin");
    bin.to_str().unwrap().to_owned()
}

/// Types a line that starts an agent into the shell of pane `a`; gives its conversation.
#[track_caller]
fn typed(set_up: &SetUp, line: &str) -> String {
    let before = set_up.started().len();
    set_up.type_line("a", line);
    set_up.wait_for_starts(before + 1);
    set_up.conversation_shown("a")
}
