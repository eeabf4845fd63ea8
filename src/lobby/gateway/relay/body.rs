//! The body of an answer on its way to the browser.

use super::opened::Opened;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A body that ends early when its person is cut, and that counts as open until it has ended.
pub(crate) struct Passed {
    body: Incoming,
    opened: Opened,
    then: Option<Box<dyn FnOnce() + Send>>,
}

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the person may no longer see it")]
    Cut,
    #[error(transparent)]
    Sender(#[from] hyper::Error),
}

impl Passed {
    pub(crate) fn new(body: Incoming, opened: Opened) -> Self {
        Self { body, opened, then: None }
    }

    /// The same, with what is done once it was read to its end.
    pub(crate) fn then(mut self, then: impl FnOnce() + Send + 'static) -> Self {
        self.then = Some(Box::new(then));
        self
    }
}

impl fmt::Debug for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passed").field("body", &self.body).finish_non_exhaustive()
    }
}

impl Body for Passed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if Pin::new(&mut self.opened.cut).poll(cx).is_ready() {
            return Poll::Ready(Some(Err(BodyError::Cut)));
        }
        Pin::new(&mut self.body).poll_frame(cx).map_err(BodyError::Sender)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Passed {
    fn drop(&mut self) {
        if self.body.is_end_stream()
            && let Some(then) = self.then.take()
        {
            then();
        }
    }
}
