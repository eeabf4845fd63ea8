//! A WebSocket between a browser and an instance: its bytes as they are, and who ended it and how.

use super::journal;
use crate::gateway::metrics::Counted;
use crate::gateway::open::{CUT, Person};
use crate::gateway::relay::opened::Opened;
use crate::gateway::relay::splice::{Already, Ended, Side, splice};
use crate::gateway::relay::stream::Stream;
use crate::gateway::state::Gateway;
use axum::http::Extensions;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::io::ErrorKind;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// How long both sides may take to switch.
const SWITCH: Duration = Duration::from_secs(10);

/// What is known of one WebSocket.
pub(super) struct Socket {
    pub(super) gateway: Gateway,
    pub(super) person: Person,
    pub(super) client: String,
    pub(super) opened: Opened,
    /// The place of the connection, which is held as long as this lasts.
    pub(super) held: Extensions,
}

/// Splices the two sides until one ends.
pub(super) async fn join(browser: OnUpgrade, instance: OnUpgrade, socket: Socket) {
    let Socket { gateway, person, client, mut opened, held } = socket;
    let begin = Instant::now();
    let switched = timeout(SWITCH, async { (browser.await, instance.await) }).await;
    let Ok((Ok(browser), Ok(instance))) = switched else { return };
    let (Ok(browser), Ok(instance)) =
        (browser.downcast::<TokioIo<Stream>>(), instance.downcast::<TokioIo<Stream>>())
    else {
        return;
    };
    let counted = Counted::new(&gateway.metrics.t3.sockets);
    journal::opened(&person, &client);
    let already =
        Already { of_browser: browser.read_buf.into(), of_agent: instance.read_buf.into() };
    let (browser, instance) = (browser.io.into_inner(), instance.io.into_inner());
    let ended = splice(browser, instance, already, &mut opened.cut).await;
    let (side, cause) = cause(&ended);
    gateway.metrics.t3.ended(side, cause);
    journal::closed(&person, &client, (side, cause), begin.elapsed());
    drop((counted, held));
}

/// Which side ended it, and how.
fn cause(ended: &Ended) -> (&'static str, &'static str) {
    let side = match ended.side {
        Side::Browser => "browser",
        Side::Agent => "instance",
        Side::Gateway(code) => return ("gateway", if code == CUT { "cut" } else { "restart" }),
    };
    if let Some(first) = ended.closed_by {
        return (if first == Side::Browser { "browser" } else { "instance" }, "closed");
    }
    let cause = match ended.error {
        None | Some(ErrorKind::UnexpectedEof) => "ended",
        Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted) => {
            "reset"
        }
        Some(ErrorKind::TimedOut) => "stalled",
        Some(_) => "failed",
    };
    (side, cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::open::RESTART;

    #[test]
    fn the_cause_names_the_side_that_ended_it() {
        let of = |side, error, closed_by| cause(&Ended { side, error, closed_by });
        assert_eq!(of(Side::Agent, None, Some(Side::Browser)), ("browser", "closed"));
        assert_eq!(of(Side::Browser, None, Some(Side::Agent)), ("instance", "closed"));
        assert_eq!(of(Side::Browser, None, None), ("browser", "ended"));
        for (kind, expected) in [
            (ErrorKind::ConnectionReset, "reset"),
            (ErrorKind::BrokenPipe, "reset"),
            (ErrorKind::UnexpectedEof, "ended"),
            (ErrorKind::TimedOut, "stalled"),
            (ErrorKind::OutOfMemory, "failed"),
        ] {
            assert_eq!(of(Side::Agent, Some(kind), None), ("instance", expected));
        }
        assert_eq!(of(Side::Gateway(CUT), None, None), ("gateway", "cut"));
        assert_eq!(of(Side::Gateway(RESTART), None, None), ("gateway", "restart"));
    }
}
