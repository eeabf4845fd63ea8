//! Bytes between a browser and an agent, after a WebSocket was opened.
//!
//! An idle pair keeps no buffer. What one side does not take yet is kept, at most one read of it; then the other side
//! is not read.

use super::frames::{self, Frames};
use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::oneshot;

/// How much is read at once, in bytes.
const READ: usize = 64 << 10;
/// How many reads one side has before others have their turn.
const TURN: usize = 16;
/// How long a close frame may take.
const CLOSING: Duration = Duration::from_millis(300);

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ]);
}

/// Who ended a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Browser,
    Agent,
    /// The gateway, with a close code.
    Gateway(u16),
}

/// How a WebSocket ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Whose connection ended first.
    pub(crate) side: Side,
    /// Unless it ended as it should.
    pub(crate) error: Option<io::ErrorKind>,
    /// Who first sent a close frame, if any did.
    pub(crate) closed_by: Option<Side>,
}

/// An error of one of the two connections.
struct Broken {
    is_source: bool,
    error: io::Error,
}

impl Broken {
    fn source(error: io::Error) -> Self {
        Self { is_source: true, error }
    }

    fn sink(error: io::Error) -> Self {
        Self { is_source: false, error }
    }

    /// How the WebSocket ended, if bytes go from one side to the other.
    fn ended(self, from: Side, to: Side) -> Ended {
        let side = if self.is_source { from } else { to };
        Ended { side, error: Some(self.error.kind()), closed_by: None }
    }
}

/// One of the two directions.
#[derive(Debug, Default)]
struct Way {
    kept: Vec<u8>,
    at: usize,
    has_ended: bool,
    is_done: bool,
    frames: Option<Frames>,
}

impl Way {
    /// Moves what can be moved.
    fn poll<R, W>(
        &mut self,
        from: &mut R,
        to: &mut W,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Broken>>
    where
        R: AsyncRead + Unpin,
        W: AsyncWrite + Unpin,
    {
        for _ in 0..TURN {
            while self.at < self.kept.len() {
                let taken = ready!(Pin::new(&mut *to).poll_write(cx, &self.kept[self.at..]));
                let taken = taken.map_err(Broken::sink)?;
                self.went(self.at, taken).map_err(Broken::sink)?;
                self.at += taken;
            }
            if self.at > 0 {
                (self.kept, self.at) = (Vec::new(), 0);
            }
            if self.has_ended {
                if !self.is_done {
                    ready!(Pin::new(&mut *to).poll_shutdown(cx)).map_err(Broken::sink)?;
                    self.is_done = true;
                }
                return Poll::Ready(Ok(()));
            }
            let read = SCRATCH.with_borrow_mut(|scratch| {
                let mut buffer = ReadBuf::new(scratch);
                ready!(Pin::new(&mut *from).poll_read(cx, &mut buffer)).map_err(Broken::source)?;
                let bytes = buffer.filled();
                if bytes.is_empty() {
                    return Poll::Ready(Ok::<usize, Broken>(0));
                }
                let taken = match Pin::new(&mut *to).poll_write(cx, bytes) {
                    Poll::Ready(taken) => taken.map_err(Broken::sink)?,
                    Poll::Pending => 0,
                };
                if let Some(frames) = &mut self.frames {
                    frames.pass(&bytes[..taken]);
                }
                self.kept.extend_from_slice(&bytes[taken..]);
                Poll::Ready(Ok(bytes.len()))
            });
            self.has_ended = ready!(read)? == 0;
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Whether a close frame went by.
    fn has_closed(&self) -> bool {
        self.frames.as_ref().is_some_and(Frames::has_closed)
    }

    fn went(&mut self, at: usize, taken: usize) -> io::Result<()> {
        if taken == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        if let Some(frames) = &mut self.frames {
            frames.pass(&self.kept[at..at + taken]);
        }
        Ok(())
    }
}

/// What was read with the head of the request or of the answer.
pub(crate) struct Already {
    pub(crate) of_browser: Vec<u8>,
    pub(crate) of_agent: Vec<u8>,
}

/// Splices until one side has ended, or until it is cut: then the browser gets a close frame with the code. Gives how
/// it ended.
pub(crate) async fn splice<B, A>(
    mut browser: B,
    mut agent: A,
    already: Already,
    cut: &mut oneshot::Receiver<u16>,
) -> Ended
where
    B: AsyncRead + AsyncWrite + Unpin,
    A: AsyncRead + AsyncWrite + Unpin,
{
    let mut up =
        Way { kept: already.of_browser, frames: Some(Frames::default()), ..Way::default() };
    let mut down =
        Way { kept: already.of_agent, frames: Some(Frames::default()), ..Way::default() };
    let mut closed_by = None;
    let both = poll_fn(|cx| {
        let from_browser = up.poll(&mut browser, &mut agent, cx);
        if closed_by.is_none() && up.has_closed() {
            closed_by = Some(Side::Browser);
        }
        if let Poll::Ready(Err(broken)) = from_browser {
            return Poll::Ready(broken.ended(Side::Browser, Side::Agent));
        }
        let from_agent = down.poll(&mut agent, &mut browser, cx);
        if closed_by.is_none() && down.has_closed() {
            closed_by = Some(Side::Agent);
        }
        // Who closes the connection has said all, and reads no more.
        let as_it_should = |side| Poll::Ready(Ended { side, error: None, closed_by: None });
        match (from_browser, from_agent) {
            (_, Poll::Ready(Err(broken))) => Poll::Ready(broken.ended(Side::Agent, Side::Browser)),
            (Poll::Ready(Ok(())), _) => as_it_should(Side::Browser),
            (_, Poll::Ready(Ok(()))) => as_it_should(Side::Agent),
            _ => Poll::Pending,
        }
    });
    let code = tokio::select! {
        ended = both => return Ended { closed_by, ..ended },
        // One whose sender is gone is cut, too.
        code = cut => code.unwrap_or(crate::gateway::open::CUT),
    };
    let closing = async {
        // The rest of the frame that the browser has a part of.
        let mut rest = Vec::new();
        for byte in &down.kept[down.at..] {
            let Some(frames) = &mut down.frames else { break };
            if frames.is_between() {
                break;
            }
            frames.pass(std::slice::from_ref(byte));
            rest.push(*byte);
        }
        if down.frames.as_ref().is_some_and(Frames::is_between) {
            rest.extend(frames::close(code));
            browser.write_all(&rest).await?;
        }
        browser.shutdown().await
    };
    if let Ok(Err(error)) = tokio::time::timeout(CLOSING, closing).await {
        tracing::debug!(%error, "a WebSocket could not be closed as it should be");
    }
    Ended { side: Side::Gateway(code), error: None, closed_by }
}
