//! Giving a prompt to an agent that waits for one, as a person at its terminal would.

use super::context::Context;
use super::sessions::{Need, SessionView};
use crate::agent::{self, Agent, Input, Screen};
use crate::sys::clock;
use crate::sys::fs::random_hex;
use crate::tmux::TmuxError;
use crate::tmux::pane_use::Shown;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::time::{Duration, Instant};

/// Maximum size of a prompt, in bytes.
pub const MAX_PROMPT: usize = 32 << 10;
/// tmux takes 16 kB of arguments at once.
const AT_ONCE: usize = 8 << 10;
/// How long the agent may take to show what was pasted.
const SHOWN_WITHIN: Duration = Duration::from_secs(3);
/// How long what was sent may stand in the input line until Enter is pressed again, and how often that is done.
const SENT_WITHIN: Duration = Duration::from_millis(1500);
const ENTERS: usize = 3;
/// What was sent is gone from the input line if it is not seen there for so long.
const GONE_FOR: Duration = Duration::from_millis(300);
/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(30);

/// Why a prompt was not given.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    #[error("no agent waits for a prompt there: {0}")]
    NotAtPrompt(&'static str),
    #[error("a prompt has 1 to {MAX_PROMPT} bytes")]
    Size,
    #[error("the agent does not show what was pasted; nothing was sent: see its terminal")]
    NotShown,
    #[error(transparent)]
    Tmux(#[from] TmuxError),
}

/// Pastes a prompt into the agent of a session and sends it; gives what was pasted. `view` is how the session is now.
/// Control characters are left out: one could end the paste and be a command.
///
/// # Errors
/// If the agent is not at its prompt, if something stands in its input line already, or if what was pasted is not
/// seen there: then Enter was not pressed. A shell is never given anything.
pub fn prompt(context: &Context, view: &SessionView, text: &str) -> Result<String, PromptError> {
    if text.trim().is_empty() || text.len() > MAX_PROMPT {
        return Err(PromptError::Size);
    }
    match view.need {
        // Of an agent without a hook nothing says what it does: its input line is seen below, or is not.
        Need::Idle | Need::Unknown => {}
        Need::Working => return Err(PromptError::NotAtPrompt("it works")),
        Need::Waiting => {
            return Err(PromptError::NotAtPrompt("it asks something; answer in its terminal"));
        }
        Need::Suspended => return Err(PromptError::NotAtPrompt("it is suspended")),
        _ => return Err(PromptError::NotAtPrompt("none is known to")),
    }
    let (pane, agent) = target(view)?;
    let input = || input(context, pane, agent);
    match input()? {
        Input::Empty => {}
        Input::Unsent => {
            return Err(PromptError::NotAtPrompt("something stands in its input line"));
        }
        Input::Unknown => return Err(PromptError::NotAtPrompt("its input line is not seen")),
    }
    let buffer = format!("lobby-{}", random_hex());
    let clean = without_control(text);
    for (at, part) in clean.as_bytes().chunks(AT_ONCE).enumerate() {
        let append: &[&str] = if at == 0 { &[] } else { &["-a"] };
        let mut words = vec![OsString::from("set-buffe")];
        words.extend(append.iter().map(OsString::from));
        words.extend(["-b", &buffer, "--"].map(OsString::from));
        words.push(OsString::from_vec(argument(part)));
        context.server.send(words)?;
    }
    let target = format!("%{pane}");
    // -p: as a paste, if the agent knows pastes; -d: and the buffer goes.
    context.server.send(
        ["paste-buffe", "-p", "-d", "-b", &buffer, "-t", &target].map(OsString::from).into(),
    )?;
    let end = Instant::now() + SHOWN_WITHIN;
    while input()? == Input::Empty {
        if Instant::now() > end {
            return Err(PromptError::NotShown);
        }
        clock::pause(LOOK_EVERY);
    }
    // Qwen Code takes an Enter that it reads together with the paste, as on a busy host, for a part of that.
    for _ in 0..ENTERS {
        context.server.send(["send-key", "-t", &target, "Enter"].map(OsString::from).into())?;
        let begin = Instant::now();
        let mut unsent = begin;
        while begin.elapsed() < SENT_WITHIN {
            // In the middle of drawing it may be unknown for a moment. A dialog in its place is unknown, too, and stays: no
            // key must answer that.
            if input()? == Input::Unsent {
                unsent = Instant::now();
            } else if unsent.elapsed() > GONE_FOR {
                return Ok(clean);
            }
            clock::pause(LOOK_EVERY);
        }
        if unsent.elapsed() > LOOK_EVERY * 4 {
            return Ok(clean);
        }
    }
    Ok(clean)
}

/// Whether the agent of a session shows an empty input line.
///
/// # Errors
/// If there is none, or tmux does not answer.
pub fn is_ready(context: &Context, view: &SessionView) -> Result<bool, PromptError> {
    let (pane, agent) = target(view)?;
    Ok(input(context, pane, agent)? == Input::Empty)
}

/// The pane of a session's agent, and what is known of such agents.
fn target(view: &SessionView) -> Result<(u32, &'static dyn Agent), PromptError> {
    let pane = view.pane.ok_or(PromptError::NotAtPrompt("the session is gone"))?;
    let name = view.agent.as_deref().unwrap_or_default();
    let agent = agent::by_name(name).ok_or(PromptError::NotAtPrompt("it is of an unknown kind"))?;
    Ok((pane, agent))
}

/// The input line of an agent, as its pane shows it.
fn input(context: &Context, pane: u32, agent: &dyn Agent) -> Result<Input, TmuxError> {
    let screens = context.server.screens(&[pane])?;
    let seen = |shown: &Shown| agent.input(&Screen::parse(&shown.text, shown.cursor));
    Ok(screens.get(&pane).map_or(Input::Unknown, seen))
}

/// A last `;` of an argument would end the command.
fn argument(part: &[u8]) -> Vec<u8> {
    match part.strip_suffix(b";") {
        Some(rest) => [rest, br"\;"].concat(),
        None => part.to_vec(),
    }
}

fn without_control(text: &str) -> String {
    let lines = text.trim_end().replace("\r\n", "\n").replace('\r', "\n");
    lines.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_prompt_ends_the_paste() {
        assert_eq!(without_control("a\r\nb\rc\td\x1b[201~\x03rm\u{9b}x\n\n"), "a\nb\nc\td[201~rmx");
    }

    #[test]
    fn a_last_semicolon_ends_no_command() {
        assert_eq!(argument(b"a;b;"), br"a;b\;");
        assert_eq!(argument(b"a;b"), b"a;b");
    }
}
