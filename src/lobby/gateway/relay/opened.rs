//! A request or a WebSocket that is passed on, until it ends.

use crate::gateway::audit::Look;
use crate::gateway::metrics::{Counted, Metrics};
use crate::gateway::open::Ticket;
use tokio::sync::oneshot;

/// One that is open, with what is noted of it until it ends.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) cut: oneshot::Receiver<u16>,
    _ticket: Ticket,
    _look: Option<Look>,
    _counted: Option<Counted>,
}

impl Opened {
    pub(crate) fn new(
        (ticket, cut): (Ticket, oneshot::Receiver<u16>),
        look: Option<Look>,
        metrics: &Metrics,
        is_view: bool,
    ) -> Self {
        let counted = is_view.then(|| Counted::new(&metrics.views));
        Self { cut, _ticket: ticket, _look: look, _counted: counted }
    }
}
