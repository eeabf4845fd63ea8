//! Orphans of a child that has become a user: processes in sessions of their own, which no signal to its
//! group reaches, and which would stay in this process's control group, beyond the user's limits.

use crate::sys::clock;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, Uid};
use std::io;
use std::time::{Duration, Instant};

/// How long ending them may take.
const DEADLINE: Duration = Duration::from_secs(2);

/// Makes orphans among the descendants of this process its own children from now on.
pub fn adopt_orphans() -> io::Result<()> {
    let ourselves = rustix::process::getpid();
    Ok(rustix::process::set_child_subreaper(Some(ourselves))?)
}

/// Kills the children of this process that run as a user, and the orphans that these leave in turn;
/// returns how many.
pub fn reap_orphans(uid: Uid) -> usize {
    let (until, mut ended) = (Instant::now() + DEADLINE, 0);
    while Instant::now() < until {
        let mut alive = false;
        for child in children().into_iter().filter(|child| is_of(*child, uid)) {
            let _ = nix::sys::signal::kill(child, nix::sys::signal::Signal::SIGKILL);
            match waitpid(child, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::StillAlive) => alive |= !is_over(child),
                Ok(_) => {
                    ended += 1;
                    alive = true; // what it had started is ours now
                }
                Err(_) => {}
            }
        }
        if !alive {
            break;
        }
        clock::pause(Duration::from_millis(1));
    }
    ended
}

fn children() -> Vec<Pid> {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return Vec::new() };
    let lists =
        threads.flatten().map(|thread| std::fs::read_to_string(thread.path().join("children")));
    let lists: Vec<String> = lists.filter_map(Result::ok).collect();
    let words = lists.iter().flat_map(|list| list.split_ascii_whitespace());
    words.filter_map(|word| word.parse().ok()).map(Pid::from_raw).collect()
}

fn is_of(child: Pid, uid: Uid) -> bool {
    let real = status(child, "Uid:").and_then(|uids| uids.split_whitespace().next()?.parse().ok());
    real == Some(uid.as_raw())
}

/// Whether it has ended, but a process that traces it keeps its status.
fn is_over(child: Pid) -> bool {
    status(child, "State:").is_none_or(|state| state.trim_start().starts_with(['Z', 'X']))
}

fn status(child: Pid, key: &str) -> Option<String> {
    let status = std::fs::read(format!("/proc/{child}/status")).ok()?;
    let status = String::from_utf8_lossy(&status);
    status.lines().find_map(|line| line.strip_prefix(key)).map(str::to_owned)
}
