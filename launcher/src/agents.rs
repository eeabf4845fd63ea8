//! How each agent is told which conversation to run: measured on Claude Code 2.1.197 and
//! codex-cli 0.169.0, tested against the real programs in `tests/agents/`.

use crate::options::Options;
use std::ffi::{OsStr, OsString};

/// The agent's argument list; empty for no agent.
///
/// # Errors
/// A sentence, when the options ask for what the agent cannot do.
pub fn argv(options: &Options) -> Result<Vec<OsString>, String> {
    if options.shell {
        return Ok(Vec::new());
    }
    if options.resume.is_some() && options.session.is_some() {
        return Err("--resume and --session exclude each other".to_owned());
    }
    let agent = options.agent.as_deref().unwrap_or(OsStr::new("claude"));
    let mut argv = match agent.to_str() {
        Some("claude") => claude(options),
        Some("codex") => codex(options)?,
        _ => return Err(format!("--agent {}: not a known agent", agent.display())),
    };
    argv.extend(options.arguments.iter().cloned());
    Ok(argv)
}

/// `--resume` takes an id in the conversation's own directory, a transcript's path in any.
fn claude(options: &Options) -> Vec<OsString> {
    let mut argv = vec![OsString::from("claude")];
    if let Some(id) = &options.resume {
        argv.push("--resume".into());
        argv.push(options.transcript.as_ref().unwrap_or(id).clone());
    } else if let Some(id) = &options.session {
        argv.extend(["--session-id".into(), id.clone()]);
    }
    argv
}

/// Without `--no-daemon` a shared daemon starts that outlives the tmux server, copies 400 MB and
/// hides which pane runs which thread.
fn codex(options: &Options) -> Result<Vec<OsString>, String> {
    if options.session.is_some() {
        return Err("codex takes no --session: it names its conversations itself".to_owned());
    }
    let mut argv = vec![OsString::from("codex")];
    if let Some(id) = &options.resume {
        argv.extend(["resume".into(), id.clone()]);
    }
    argv.push("--no-daemon".into());
    Ok(argv)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(options: &Options) -> String {
        let argv = argv(options).unwrap();
        argv.join(OsStr::new(" ")).into_string().unwrap()
    }

    #[test]
    fn each_agent_is_told_in_its_own_words() {
        let base = || Options { arguments: vec!["-x".into()], ..Options::default() };
        assert_eq!(words(&base()), "claude -x");
        assert_eq!(words(&Options { resume: Some("u".into()), ..base() }), "claude --resume u -x");
        let by_path =
            Options { resume: Some("u".into()), transcript: Some("/p/u.jsonl".into()), ..base() };
        assert_eq!(words(&by_path), "claude --resume /p/u.jsonl -x");
        assert_eq!(
            words(&Options { session: Some("u".into()), ..base() }),
            "claude --session-id u -x"
        );
        let codex = || Options { agent: Some("codex".into()), ..base() };
        assert_eq!(
            words(&Options { resume: Some("u".into()), ..codex() }),
            "codex resume u --no-daemon -x"
        );
        assert_eq!(words(&codex()), "codex --no-daemon -x");
        assert!(argv(&Options { session: Some("u".into()), ..codex() }).is_err());
        assert!(argv(&Options { agent: Some("vi".into()), ..base() }).is_err());
        assert_eq!(argv(&Options { shell: true, ..base() }), Ok(vec![]));
    }
}
