//! What has ended is cut, whatever its owner's agent does.

use super::pass::may_pass;
use crate::gateway::audit::Audit;
use crate::gateway::error::GatewayError;
use crate::gateway::open::{CUT, Via};
use crate::gateway::state::Gateway;
use std::time::Duration;
use terminal_lobby::sys::clock;
use tokio::time::sleep;

/// The agent says why first.
const GRACE: Duration = Duration::from_millis(700);
/// How often shares are looked at whose time may be over. The agent itself ends them in time.
const EXPIRY: Duration = Duration::from_mins(1);

/// Cuts, in a moment, what is no longer shared.
pub(super) fn cut_soon(gateway: &Gateway) {
    let gateway = gateway.clone();
    tokio::spawn(async move {
        sleep(GRACE).await;
        cut(&gateway);
    });
}

fn cut(gateway: &Gateway) {
    let is_guest = |via: &Via| matches!(via, Via::Share | Via::Link { .. });
    let count = gateway.open.cut(CUT, |pass| !is_guest(&pass.via) || may_pass(gateway, pass));
    if count > 0 {
        gateway.metrics.cuts.inc_by(count as u64);
        Audit::cut(count, "what they had open is no longer shared");
    }
}

/// Removes from the index what is over, for good.
pub(crate) async fn expire(gateway: Gateway) -> Result<(), GatewayError> {
    loop {
        sleep(EXPIRY).await;
        let over = gateway.index.expire(clock::now());
        for (owner, person) in &over {
            Audit::shared("share_expired", person, owner, "-");
            gateway.metrics.shared("share_expired");
        }
        if !over.is_empty() {
            gateway.index.write().await;
            cut(&gateway);
        }
    }
}
