//! Starting a child that becomes a user, under a deadline.
//!
//! Between fork and exec such a child already belongs to the user, who may stop it. The parent waits
//! for the exec without a limit, so another thread watches the time.

use std::io;
use std::process::{Child, Command};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Starts `command`; a child that has not executed its program by the deadline is killed.
pub(crate) fn spawn_within(command: &mut Command, deadline: Duration) -> io::Result<Child> {
    let thread = rustix::thread::gettid();
    let (started, waits) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            if waits.recv_timeout(deadline) == Err(RecvTimeoutError::Timeout) {
                kill_children(thread);
            }
        });
        let child = command.spawn();
        drop(started);
        child
    })
}

/// Kills the children of a thread that is starting one and has no other.
fn kill_children(thread: rustix::process::Pid) {
    let thread = thread.as_raw_nonzero();
    let list = std::fs::read_to_string(format!("/proc/self/task/{thread}/children"));
    for child in list.unwrap_or_default().split_ascii_whitespace() {
        if let Some(pid) = child.parse().ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::time::Instant;

    #[test]
    fn a_child_that_is_stopped_before_it_executes_costs_the_deadline_and_no_more() {
        let mut command = Command::new("true");
        // SAFETY: between fork and exec the closure only sends a signal to its own process.
        unsafe {
            command.pre_exec(|| {
                rustix::process::kill_process(
                    rustix::process::getpid(),
                    rustix::process::Signal::STOP,
                )?;
                Ok(())
            });
        }
        let begin = Instant::now();
        let mut child = spawn_within(&mut command, Duration::from_millis(200)).unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9));
        assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
        let mut child = spawn_within(&mut Command::new("true"), Duration::from_mins(1)).unwrap();
        assert!(child.wait().unwrap().success());
    }
}
