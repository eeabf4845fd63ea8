//! Distributes work among threads that may get stuck: on a dead mount a system call never returns. Such a
//! thread is left behind.

use super::Job;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How often to check whether the user cancels.
const POLL: Duration = Duration::from_millis(20);
/// How long after the deadline threads may take to report: git has a fifth of a second to clean up.
const GRACE: Duration = Duration::from_millis(500);
/// Maximum number of threads.
const MAX_THREADS: usize = 64;

/// How work is distributed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// How many threads start at the same time.
    pub(super) at_once: usize,
    /// After this long without progress, as many more start.
    pub(super) stuck: Duration,
    /// If nothing waits for a thread, and there was no progress for this long, the rest is given up.
    pub(super) patience: Option<Duration>,
}

enum Message<R> {
    Result(R),
    Done,
}

/// Calls `work` for each item in some thread, and `note` for each result in this one. Returns when all is
/// done or given up; threads may still run then.
pub(super) fn spread<T, R, W>(
    items: Vec<T>,
    plan: Plan,
    job: &Arc<Job>,
    work: W,
    mut note: impl FnMut(R),
) where
    T: Send + Sync + 'static,
    R: Send + 'static,
    W: Fn(&T, &Arc<Job>, &dyn Fn(R)) + Send + Sync + 'static,
{
    let total = items.len();
    let next = Arc::new(AtomicUsize::new(0));
    let (sender, messages) = channel();
    let worker = {
        let (items, next, job) = (Arc::new(items), Arc::clone(&next), Arc::clone(job));
        let work = Arc::new(work);
        move || {
            let (items, next, job, work) =
                (Arc::clone(&items), Arc::clone(&next), Arc::clone(&job), Arc::clone(&work));
            let sender = sender.clone();
            move || {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(item, &job, &|result| drop(sender.send(Message::Result(result))));
                    let _ = sender.send(Message::Done);
                }
            }
        }
    };
    let waiting = || total.saturating_sub(next.load(Ordering::Relaxed));
    let (mut threads, mut done) = (0, 0);
    let start = |threads: &mut usize| {
        for _ in 0..plan.at_once.max(1).min(MAX_THREADS.saturating_sub(*threads)).min(waiting()) {
            match std::thread::Builder::new().spawn(worker()) {
                Ok(_) => *threads += 1,
                // Without any thread, here: nothing else is there to do it.
                Err(_) if *threads == 0 => worker()(),
                Err(_) => break,
            }
        }
    };
    start(&mut threads);
    let mut progress = Instant::now(); // or the last start of threads
    let mut answered = progress;
    let mut over: Option<Instant> = None;
    while done < total {
        match messages.recv_timeout(POLL) {
            Ok(Message::Result(result)) => note(result),
            Ok(Message::Done) => done += 1,
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {
                if over.is_none() && job.is_over() {
                    over = Some(Instant::now());
                }
                if over.is_some_and(|since| since.elapsed() > GRACE) {
                    return;
                }
                let given_up = plan.patience.is_some_and(|most| answered.elapsed() > most);
                if given_up && (waiting() == 0 || threads == MAX_THREADS) {
                    return;
                }
                if progress.elapsed() >= plan.stuck {
                    start(&mut threads);
                    progress = Instant::now();
                }
                continue;
            }
        }
        progress = Instant::now();
        answered = progress;
    }
}
