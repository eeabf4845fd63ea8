//! The body of an agent's answer on its way to the browser.

use super::opened::Opened;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};

/// A body that ends early when its person is cut, and that counts as open until it has ended.
#[derive(Debug)]
pub(crate) struct Passed {
    body: Incoming,
    opened: Opened,
}

/// Why a body ended early.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the person may no longer see it")]
    Cut,
    #[error(transparent)]
    Agent(#[from] hyper::Error),
}

impl Passed {
    pub(crate) fn new(body: Incoming, opened: Opened) -> Self {
        Self { body, opened }
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
        Pin::new(&mut self.body).poll_frame(cx).map_err(BodyError::Agent)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
