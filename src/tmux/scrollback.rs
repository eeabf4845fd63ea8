//! What panes showed: text, colours and attributes, wrapped lines joined.

use super::client::Server;
use super::error::TmuxError;
use super::hooks::unhooked;
use crate::sys::fs;
use std::time::{Duration, Instant};

/// Panes asked for in one client: tmux takes 16 kB of arguments, and the commands are sent twice.
const AT_ONCE: usize = 40;
/// Maximum size of one answer, in bytes.
const MAX_ANSWER: usize = 48 << 20;

/// What one pane showed.
pub type Shown = (u32, Vec<u8>);

impl Server {
    /// What each of these panes shows and its last `lines` lines of history, as far as `time` allows. A
    /// pane that has disappeared meanwhile is left out.
    pub fn scrollback(
        &self,
        panes: &[u32],
        lines: u32,
        time: Duration,
    ) -> Result<Vec<Shown>, TmuxError> {
        let end = Instant::now() + time;
        let mut shown = Vec::new();
        let mut rest = panes;
        while !rest.is_empty() && Instant::now() < end {
            let asked = &rest[..rest.len().min(AT_ONCE)];
            let before = shown.len();
            self.ask(asked, lines, &mut shown)?;
            // tmux leaves out what follows a pane that is not there.
            let answered = shown.len() - before;
            rest = &rest[asked.len().min(answered + 1)..];
        }
        Ok(shown)
    }

    fn ask(&self, panes: &[u32], lines: u32, shown: &mut Vec<Shown>) -> Result<(), TmuxError> {
        let nonce = fs::random_hex();
        let ask = |pane: &u32| {
            let end = format!("list-command -F {nonce} display-message");
            format!("capture-pan -p -e -J -S -{lines} -t %{pane} ; {end}")
        };
        let commands: Vec<String> = panes.iter().map(ask).collect();
        let words = unhooked::run(&commands.join(" ; "), &["after-capture-pane"]);
        let client = self.read_only_client().args(words);
        let output = client.max_output(MAX_ANSWER).run()?;
        shown.extend(parse(&output.stdout, &nonce, panes));
        Ok(())
    }
}

/// Each pane's text is followed by the nonce on a line of its own; what is not was cut.
fn parse(answer: &[u8], nonce: &str, panes: &[u32]) -> Vec<Shown> {
    let end = format!("{nonce}\n");
    let mut shown = Vec::new();
    let mut rest = answer;
    for pane in panes {
        let Some(at) = memchr::memmem::find(rest, end.as_bytes()) else { break };
        shown.push((*pane, rest[..at].to_vec()));
        rest = &rest[at + end.len()..];
    }
    shown
}

/// The newest `limit` bytes, from the beginning of a line, without empty lines at the end.
pub fn newest_lines(text: &[u8], limit: usize) -> &[u8] {
    let end = text.iter().rposition(|byte| !b"\n ".contains(byte)).map_or(0, |at| at + 1);
    let text = &text[..end];
    let cut = text.len().saturating_sub(limit);
    if cut == 0 {
        return text;
    }
    // A line that begins right at the cut is whole.
    let begins = text[cut - 1..].iter().position(|&byte| byte == b'\n');
    begins.map_or(&[], |at| &text[cut + at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_pane_that_is_gone_is_not_taken_for_its_text() {
        let answer = b"one\n\nNONCE\ntwo\nNONCE\nhalf";
        let shown = parse(answer, "NONCE", &[1, 2, 3]);
        assert_eq!(shown, [(1, b"one\n\n".to_vec()), (2, b"two\n".to_vec())]);
    }

    #[test]
    fn only_whole_lines_are_kept_the_newest_first() {
        let text = b"first\nsecond\nthird \n\n";
        assert_eq!(newest_lines(text, 100), b"first\nsecond\nthird");
        assert_eq!(newest_lines(text, 12), b"second\nthird");
        assert_eq!(newest_lines(text, 11), b"third");
        assert_eq!(newest_lines(text, 5), b"third");
        assert_eq!(newest_lines(text, 4), b"");
        assert_eq!(newest_lines(b"\n \n", 4), b"");
    }
}
