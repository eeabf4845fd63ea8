//! What both programs print: the one place where standard output and standard error are written.
//!
//! How a command uses it:
//! - Results go to standard output by [`print`]. A reader that has gone away is no failure.
//! - An error that ends the program is returned as a [`Failure`]; `run` prints it once, as
//!   `error: ...` with its `hint: ...` below it, and exits with its code. Nothing else exits.
//! - What does not end the program goes to standard error at once: [`error`], [`warning`],
//!   [`note`], [`hint`] (a line each, with that label) and [`progress`] (without a label). A message
//!   about one user begins with the user's name: `warning(&of_user("ann", "..."))` prints
//!   `warning: ann: ...`. A hint is a command or an action that can be pasted.
//! - Messages are in lower case without a full stop: what failed, with which thing, why. Every line
//!   is made printable here ([`printable`]), so a message may hold what a user controls as
//!   `text::shown` gives it.
//! - Colour: mark text with [`paint`] and one of the styles in [`style`], after tables are
//!   aligned. It reaches terminals only: [`print`] and the labels remove it for files, pipes and the
//!   journal, and obey `--color` and `NO_COLOR`.
//! - When standard error is the journal, each line begins with its priority, `<3>` to `<6>`.

use super::exit::Failure;
use crate::sys::notify;
use crate::text::{io_reason, printable};
use anstream::{AutoStream, ColorChoice};
use anstyle::Style;
use std::io::Write;
use std::sync::OnceLock;

/// Styles for results.
pub mod style {
    use anstyle::{AnsiColor, Style};

    pub const ERROR: Style = AnsiColor::Red.on_default().bold();
    pub const WARNING: Style = AnsiColor::Yellow.on_default().bold();
    pub const NOTE: Style = AnsiColor::Blue.on_default().bold();
    pub const HINT: Style = AnsiColor::Cyan.on_default().bold();
    pub const ADDED: Style = AnsiColor::Green.on_default();
    pub const REMOVED: Style = AnsiColor::Red.on_default();
    pub const CHANGED: Style = AnsiColor::Yellow.on_default();
    pub const GOOD: Style = AnsiColor::Green.on_default();
    pub const HEADING: Style = Style::new().bold();
    pub const FAINT: Style = Style::new().dimmed();
}

/// Priorities of the journal, as syslog(3) numbers them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Priority {
    Error = 3,
    Warning = 4,
    Notice = 5,
    Info = 6,
}

/// Whether standard error is the journal.
static TO_JOURNAL: OnceLock<bool> = OnceLock::new();

/// Applies the global options `--color` and `-v`. Called once, before anything is printed.
pub fn start(color: clap::ColorChoice, verbose: u8) {
    match color {
        clap::ColorChoice::Auto => ColorChoice::Auto,
        clap::ColorChoice::Always => ColorChoice::Always,
        clap::ColorChoice::Never => ColorChoice::Never,
    }
    .write_global();
    start_tracing(verbose);
}

/// Whether standard error is the journal. Remembered: a service calls this before it removes the
/// variable that says so from its environment.
pub fn is_journal() -> bool {
    *TO_JOURNAL.get_or_init(notify::stderr_is_the_journal)
}

/// Writes a result to standard output, without its colours unless they are wanted there.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = AutoStream::auto(std::io::stdout().lock());
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("writing to standard output: {}", io_reason(&error))))
        }
        _ => Ok(()),
    }
}

/// Marks text of a result with a style.
pub fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A message about one user.
pub fn of_user(user: &str, message: &str) -> String {
    format!("{user}: {message}")
}

/// Prints the error that ends the program, with its hint.
pub fn failure(failure: &Failure) {
    error(&failure.message);
    if let Some(text) = &failure.hint {
        hint(text);
    }
}

/// Prints something that failed: `error: ...`, a label for each line.
pub fn error(message: &str) {
    lines(Priority::Error, Some(("error", style::ERROR)), message);
}

/// Prints something that needs attention, although the program goes on: `warning: ...`.
pub fn warning(message: &str) {
    lines(Priority::Warning, Some(("warning", style::WARNING)), message);
}

/// Prints something worth knowing that is no problem: `note: ...`.
pub fn note(message: &str) {
    lines(Priority::Notice, Some(("note", style::NOTE)), message);
}

/// Prints what to do about the line before it: `hint: ...`.
pub fn hint(message: &str) {
    lines(Priority::Notice, Some(("hint", style::HINT)), message);
}

/// Prints what the program is doing, without a label.
pub fn progress(message: &str) {
    lines(Priority::Info, None, message);
}

fn lines(priority: Priority, label: Option<(&str, Style)>, message: &str) {
    let text: String =
        message.lines().map(|line| labelled(priority, label, line, is_journal())).collect();
    // There is nowhere else to report that standard error cannot be written.
    let _ = AutoStream::auto(std::io::stderr().lock()).write_all(text.as_bytes());
}

fn labelled(priority: Priority, label: Option<(&str, Style)>, line: &str, journal: bool) -> String {
    let line = printable(line);
    match (journal, label) {
        (true, Some((word, _))) => format!("<{}>{word}: {line}\n", priority as u8),
        (true, None) => format!("<{}>{line}\n", priority as u8),
        (false, Some((word, style))) => format!("{style}{word}:{style:#} {line}\n"),
        (false, None) => format!("{line}\n"),
    }
}

/// `-v` prints steps, `-vv` what they depend on, `-vvv` everything.
fn start_tracing(verbose: u8) {
    use tracing_subscriber::filter::LevelFilter;
    let level = match verbose {
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let colour = !matches!(AutoStream::choice(&std::io::stderr()), ColorChoice::Never);
    let subscriber = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr);
    subscriber.without_time().with_target(false).with_ansi(colour).init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_label_and_in_the_journal_its_priority_and_no_colour() {
        let line = |label, journal| labelled(Priority::Error, label, "a\u{1b}[2Jb", journal);
        let label = Some(("error", style::ERROR));
        assert_eq!(line(label, true), "<3>error: a\\x1b[2Jb\n");
        assert_eq!(line(None, true), "<3>a\\x1b[2Jb\n");
        let coloured = line(label, false);
        assert_ne!(coloured, "error: a\\x1b[2Jb\n");
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), "error: a\\x1b[2Jb\n");
    }
}
