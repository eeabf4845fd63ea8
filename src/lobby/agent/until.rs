//! How long a connection may go on.

use axum::Extension;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use std::future::Future;
use std::pin::Pin;

/// What ends a connection, as that its login was revoked. As an extension of a request.
#[derive(Clone)]
pub struct Until(Shared<BoxFuture<'static, ()>>);

impl Until {
    /// Until something is over.
    pub fn new(over: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(over.boxed().shared())
    }

    /// Does something until it is over. It is in a box, so that a connection does not have it several times over.
    pub(super) async fn limit(
        until: Option<Extension<Self>>,
        serving: Pin<Box<impl Future<Output = ()>>>,
    ) {
        match until {
            Some(Extension(Self(over))) => tokio::select! {
                () = over => {}
                () = serving => {}
            },
            None => serving.await,
        }
    }
}

impl std::fmt::Debug for Until {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Until")
    }
}
