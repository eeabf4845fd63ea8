//! The command of a restored pane, as an argument list: never text for a shell.

use crate::agent::Resumption;
use crate::persist::context::Context;
use crate::persist::restore::step::{Start, Step};
use crate::persist::restore_mode::When;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The directory in which a pane starts: its own, or the home if that cannot be entered.
pub(crate) fn cwd<'a>(step: &'a Step, home: &'a Path) -> &'a OsStr {
    if step.has_directory { OsStr::from_bytes(&step.row.cwd) } else { home.as_os_str() }
}

/// Program and arguments; empty for tmux's own default.
///
/// If the user's configuration has a `default-command`, tmux's default is that program, often our
/// launcher: a pane with a shell then needs the shell's name. Without the launcher every pane gets a
/// shell.
pub(crate) fn argv(step: &Step, context: &Context, has_default_command: bool) -> Vec<Vec<u8>> {
    let launched = |arguments: &[&[u8]]| {
        let launcher = context.launcher.as_ref()?;
        let mut argv = vec![launcher.as_os_str().as_bytes().to_vec()];
        argv.extend(arguments.iter().map(|argument| argument.to_vec()));
        Some(argv)
    };
    let shell = || {
        let shell = context.account.shell.as_os_str().as_bytes().to_vec();
        if has_default_command { vec![shell, b"-l".to_vec()] } else { Vec::new() }
    };
    let argv = match &step.start {
        Start::Shell => step
            .scrollback
            .as_ref()
            .and_then(|file| launched(&[b"--shell", b"--show", file.as_os_str().as_bytes()])),
        Start::Program(argv) => {
            let words: Vec<&[u8]> = argv.iter().map(Vec::as_slice).collect();
            launched(&[&[&b"--program"[..], b"--"], &words[..]].concat())
        }
        Start::ShellBecause(why) => launched(&[b"--shell", b"--note", why.as_bytes()]),
        Start::Agent { agent, id, resumption } => {
            // The code in the directory must stay as it was, so nothing is freshened.
            let (session, id) = (step.row.session.as_slice(), id.as_str().as_bytes());
            let all = [&b"--agent"[..], agent.as_bytes(), b"--name", session, b"--no-freshen"];
            let begin = begin(step, context);
            let begin: Vec<&[u8]> = begin.iter().map(Vec::as_slice).collect();
            let with = |more: &[&[u8]]| launched(&[&begin, &all[..], more].concat());
            let cwd = cwd(step, &context.account.home).as_bytes();
            match resumption {
                Resumption::Resume => with(&[b"--resume", id]),
                Resumption::ResumeTranscript(path) => {
                    with(&[b"--resume", id, b"--transcript", path.as_os_str().as_bytes()])
                }
                Resumption::StartUnderId => with(&[b"--session", id, b"--code-dir", cwd]),
                Resumption::StartAnew => with(&[b"--instead-of", id, b"--code-dir", cwd]),
                Resumption::Impossible(why) => launched(&[b"--shell", b"--note", why.as_bytes()]),
            }
        }
    };
    argv.unwrap_or_else(shell)
}

/// The launcher's arguments for when the agent starts. Titles of conversations are not among them,
/// since every user of the host can read arguments.
fn begin(step: &Step, context: &Context) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = Vec::new();
    match step.when {
        Some(When::OnDemand) => words.push(b"--wait".to_vec()),
        Some(When::Now(pace)) => {
            words.extend([b"--at-once".to_vec(), pace.at_once.to_string().into()]);
            let floor = pace.floor.map(|floor| floor.to_string().into());
            words.extend(floor.into_iter().flat_map(|floor| [b"--memory-floor".to_vec(), floor]));
        }
        None => return words,
    }
    let restored = context.restored();
    if restored.is_dir() {
        words.extend([b"--restored".to_vec(), restored.into_os_string().into_encoded_bytes()]);
    }
    if !step.has_directory {
        words.extend([b"--was-in".to_vec(), step.row.cwd.clone()]);
    }
    words
}
