//! The command of a restored pane, as an argument list: never text for a shell.

use super::pane_shell;
use crate::agent::{Resumption, arguments, is_view, start_environment};
use crate::persist::capture::foreground_program;
use crate::persist::context::Context;
use crate::persist::restore::step::{Action, Start, Step};
use crate::persist::restore_mode::When;
use crate::tmux::Builder;
use shared::pane_variables;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// With more options than this an agent starts without them: some versions of tmux take at most 1,000
/// words.
const MAX_OPTIONS: usize = 500;

/// The directory in which a pane starts: its own, or the home if that cannot be entered.
pub(crate) fn cwd<'a>(step: &'a Step, home: &'a Path) -> &'a OsStr {
    if step.has_directory { OsStr::from_bytes(&step.row.cwd) } else { home.as_os_str() }
}

/// Program and arguments; empty for tmux's own default.
///
/// Without the launcher every pane gets a shell.
pub(crate) fn argv(step: &Step, context: &Context, builder: &Builder) -> Vec<Vec<u8>> {
    let launched = |arguments: &[&[u8]]| {
        let launcher = context.launcher.as_ref()?;
        let mut argv = vec![launcher.as_os_str().as_bytes().to_vec()];
        argv.extend(arguments.iter().map(|argument| argument.to_vec()));
        Some(argv)
    };
    let shell = || {
        let account = context.account.shell.as_os_str().as_bytes();
        let (command, default) = (&builder.default_command, &builder.default_shell);
        pane_shell::argv(step.row.command.as_deref(), command, default.as_bytes(), account)
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
            let mut begin = begin(step, context);
            let note = step.note.as_ref().map(|note| note.as_bytes().to_vec());
            let message = context.watch.first_message.as_bytes().to_vec();
            let message = note.as_ref().map(|_| message).filter(|message| !message.is_empty());
            begin.extend(note.into_iter().flat_map(|note| [b"--note".to_vec(), note]));
            begin.extend(message.into_iter().flat_map(|text| [b"--message".to_vec(), text]));
            let begin: Vec<&[u8]> = begin.iter().map(Vec::as_slice).collect();
            let is_new = matches!(
                resumption,
                Resumption::StartUnderId | Resumption::StartAnew | Resumption::Fork { .. }
            );
            let (before, options) = as_started(step, context, agent, is_new);
            let before: Vec<&[u8]> = before.iter().map(Vec::as_slice).collect();
            let options: Vec<&[u8]> = options.iter().map(Vec::as_slice).collect();
            let with = |more: &[&[u8]]| {
                launched(&[&begin, &all[..], &before, more, &[&b"--"[..]], &options].concat())
            };
            let cwd = cwd(step, &context.account.home).as_bytes();
            match resumption {
                Resumption::Resume if !step.has_directory => with(&[b"--resume", id, b"--by-id"]),
                Resumption::Resume => with(&[b"--resume", id]),
                Resumption::ResumeTranscript(path) => {
                    with(&[b"--resume", id, b"--transcript", path.as_os_str().as_bytes()])
                }
                Resumption::Fork { parent } => {
                    let parent = parent.as_str().as_bytes();
                    with(&[b"--session", id, b"--fork-of", parent, b"--code-dir", cwd])
                }
                Resumption::StartUnderId => with(&[b"--session", id, b"--code-dir", cwd]),
                Resumption::StartAnew => with(&[b"--instead-of", id, b"--code-dir", cwd]),
                Resumption::Impossible(why) => launched(&[b"--shell", b"--note", why.as_bytes()]),
            }
        }
    };
    argv.unwrap_or_else(shell)
}

/// The launcher's arguments for how the agent was started and what follows it, and the agent's own
/// options: none that only name the conversation or were a prompt.
fn as_started(
    step: &Step,
    context: &Context,
    agent: &str,
    is_new: bool,
) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let row = &step.row;
    let mut words: Vec<Vec<u8>> = Vec::new();
    let split = |field: &Option<Vec<u8>>| field.as_deref().and_then(foreground_program::split);
    let options = split(&row.command).map(|argv| arguments::kept(agent, &argv, is_new));
    words.extend(options.is_some().then(|| b"--as-started".to_vec()));
    let options = options.filter(|options| options.len() <= MAX_OPTIONS).unwrap_or_default();
    if has_shell(step) {
        words.push(b"--then-shell".to_vec());
    }
    let seen = split(&row.agent_program).unwrap_or_default().into_iter();
    words.extend(seen.flat_map(|word| [b"--seen".to_vec(), word]));
    words.extend(context.options.iter().map(|word| word.as_bytes().to_vec()));
    (words, options)
}

/// Whether a shell follows the agent: where one was before. Snapshots of older versions do not say; there
/// one follows, so that the place is not lost.
fn has_shell(step: &Step) -> bool {
    let row = &step.row;
    let is_older = row.agent_program.is_none() && row.agent_environment.is_none();
    row.pane_flags.shell || is_older || matches!(step.action, Action::InPlace { .. })
}

/// Whether the pane of a step is given an environment for its agent, or for an agent's view.
pub(crate) fn has_environment(step: &Step) -> bool {
    let has_agent = match &step.start {
        Start::Agent { .. } => true,
        Start::Program(argv) => is_view(argv),
        Start::Shell | Start::ShellBecause(_) => false,
    };
    has_agent && step.row.agent_environment.is_some()
}

/// The variables of a pane: the environment that its agent had, for the launcher.
pub(crate) fn environment(step: &Step, context: &Context) -> Vec<Vec<u8>> {
    let field = step.row.agent_environment.as_deref().filter(|_| has_environment(step));
    let Some(field) = field.filter(|_| context.launcher.is_some()) else { return Vec::new() };
    let variables = start_environment::allowed(field, &context.keep.agent_environment);
    let value = pane_variables::encode(&variables);
    vec![format!("{}={value}", pane_variables::AGENT).into_bytes()]
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
