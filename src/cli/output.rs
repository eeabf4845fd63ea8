//! What the programs print: results to standard output, problems to standard error or the journal.

use super::exit::Failure;
use crate::sys::notify;
use std::io::Write;
use std::sync::OnceLock;

/// Whether problems go to the journal; found out before the environment is cleared of it.
static TO_JOURNAL: OnceLock<bool> = OnceLock::new();

/// Writes to standard output; a reader that has gone away is no failure of ours.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::failed(format!("writing to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

pub fn complain(what: &str) {
    say("persist", Priority::Warning, what);
}

/// How much something matters in the journal, as syslog(3) counts.
#[derive(Clone, Copy)]
pub enum Priority {
    Error = 3,
    Warning = 4,
    Info = 6,
}

/// Whether standard error is the journal: asked once, before a service clears its environment.
pub fn keeps_to_journal() -> bool {
    *TO_JOURNAL.get_or_init(notify::stderr_is_the_journal)
}

/// Writes a line to standard error, after the program's name.
pub fn say(program: &str, priority: Priority, what: &str) {
    let mark = if keeps_to_journal() { format!("<{}>", priority as u8) } else { String::new() };
    let _ = writeln!(std::io::stderr(), "{mark}{program}: {what}");
}

pub fn start_logging(verbose: u8) {
    use tracing_subscriber::filter::LevelFilter;
    let level = match verbose {
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let subscriber = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr);
    subscriber.without_time().with_target(false).with_ansi(false).init();
}
