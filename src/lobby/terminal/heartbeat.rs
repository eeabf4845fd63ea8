//! Notices a page that has vanished without a word.
//!
//! What says nothing for a while is asked with a ping, which every browser answers by itself.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Instant, Sleep, sleep};

/// A page that says nothing for so long is asked, and again each time.
const QUIET: Duration = Duration::from_secs(15);
/// One that says nothing for so long is gone.
pub const LOST: Duration = Duration::from_secs(45);

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    Ping,
    Lost,
}

/// The silence of one page.
#[derive(Debug)]
pub struct Heartbeat {
    heard: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self { heard: Instant::now(), timer: Box::pin(sleep(QUIET)) }
    }
}

impl Heartbeat {
    /// The page has said something.
    pub fn heard(&mut self) {
        self.heard = Instant::now();
    }

    /// Waits until something is due.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Beat> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let now = Instant::now();
            let silent = now - self.heard;
            let asks = silent >= QUIET;
            self.timer.as_mut().reset(if asks { now } else { self.heard } + QUIET);
            if asks {
                return Poll::Ready(if silent >= LOST { Beat::Lost } else { Beat::Ping });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    #[tokio::test(start_paused = true)]
    async fn a_silent_page_is_asked_twice_and_is_then_gone_and_one_that_answers_is_not() {
        let begin = Instant::now();
        let mut heartbeat = Heartbeat::default();
        let next = async |heartbeat: &mut Heartbeat| {
            let beat = poll_fn(|cx| heartbeat.poll(cx)).await;
            (beat, begin.elapsed().as_secs())
        };
        assert_eq!(next(&mut heartbeat).await, (Beat::Ping, 15));
        sleep(Duration::from_secs(5)).await;
        heartbeat.heard();
        assert_eq!(next(&mut heartbeat).await, (Beat::Ping, 35));
        assert_eq!(next(&mut heartbeat).await, (Beat::Ping, 50));
        assert_eq!(next(&mut heartbeat).await, (Beat::Lost, 65));
    }
}
