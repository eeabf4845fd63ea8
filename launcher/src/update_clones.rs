//! Updates the clones before the agent starts; Ctrl-C continues at once.
//!
//! A process of its own does it. It is left behind if a mount does not answer, and finishes an update that
//! is still under way at the deadline, whatever becomes of the pane.

use crate::agent::environment;
use crate::config::Config;
use crate::process::{apart, signals};
use crate::terminal::say::say;
use freshen::Options;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use shared::escape::io_reason;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long after its deadline an update may take to report.
const GRACE: Duration = Duration::from_secs(1);
/// The line that ends a report.
const END: &str = ".";

/// Updates the clones in the code directory and prints what changed or failed. Root runs no git in
/// clones: git would run what their owners configured.
pub fn freshen(code_dir: &Path, config: &Config) {
    if nix::unistd::geteuid().is_root() {
        return;
    }
    // One end is readable once this process has closed the other, or is gone.
    let Ok((cancel, hold)) = std::io::pipe() else { return };
    let mut hold = Some(hold);
    let report = apart::fork_apart(|report| {
        hold.take();
        update(code_dir, config, &cancel, report);
    });
    match report {
        Ok(report) => print(report, config.freshen_deadline + GRACE),
        Err(error) => say(&format!("the clones are not updated: {}", io_reason(&error))),
    }
}

/// Prints the lines of the report as they come, until its end, a key that interrupts or the deadline.
fn print(mut report: PipeReader, most: Duration) {
    let end = Instant::now() + most;
    let pressed = signals::pressed_keys();
    let mut text: Vec<u8> = Vec::new();
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let left = Timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        let mut polled = vec![PollFd::new(&report, PollFlags::IN)];
        polled.extend(pressed.as_ref().map(|pressed| PollFd::new(pressed, PollFlags::IN)));
        match poll(&mut polled, Some(&left)) {
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => break,
            Ok(0) => {
                say("the code directory does not answer: the clones are not updated");
                break;
            }
            Ok(_) if polled.get(1).is_some_and(|pressed| !pressed.revents().is_empty()) => break,
            Ok(_) => {}
        }
        let mut buffer = [0; 4096];
        match report.read(&mut buffer) {
            Ok(read) if read > 0 => text.extend_from_slice(&buffer[..read]),
            _ => break,
        }
        while let Some(length) = text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = text.drain(..=length).collect();
            let line = String::from_utf8_lossy(&line);
            if line.trim_end_matches('\n') == END {
                return;
            }
            say(line.trim_end_matches('\n'));
        }
    }
    // The key has had its effect.
    if let Some(pressed) = &pressed {
        signals::drop_pressed(pressed);
    }
}

/// Updates the clones, reports each outcome, and finishes what is still under way then.
fn update(code_dir: &Path, config: &Config, cancel: &PipeReader, mut report: PipeWriter) {
    // Where git and its helpers are searched.
    let alive = environment::answering(&environment::path(&Vec::new()));
    let environment = alive.into_iter().map(|(path, _)| ("PATH".into(), path)).collect();
    let options = Options {
        deadline: config.freshen_deadline,
        at_once: config.freshen_at_once,
        fresh_for: config.fresh_for,
        cancel: Some(cancel.as_fd()),
        environment,
        ..Options::default()
    };
    let lines = match freshen::update(code_dir, &options) {
        Ok(outcomes) => outcomes.iter().filter_map(freshen::Outcome::line).collect(),
        Err(error) => vec![error.to_string()],
    };
    let text: String = lines.into_iter().chain([END.to_owned()]).map(|line| line + "\n").collect();
    let _ = report.write_all(text.as_bytes());
    drop(report);
    freshen::wait_for_updates();
}
