//! Following the tables of instances: a change cuts who may not go on.

use crate::gateway::audit::Audit;
use crate::gateway::error::GatewayError;
use crate::gateway::open::CUT;
use crate::gateway::people::Changes;
use crate::gateway::share::may_pass;
use crate::gateway::state::Gateway;

/// Follows the tables for good, and cuts who may not go on.
///
/// # Errors
/// If the kernel cannot report changes.
pub(crate) async fn follow(gateway: Gateway, mut changes: Changes) -> Result<(), GatewayError> {
    let Some(t3) = &gateway.t3 else { return std::future::pending().await };
    loop {
        let (are_good, instances) = t3.tables.now().state();
        gateway.metrics.t3.tables(are_good, instances);
        changes.changed(are_good).await;
        t3.tables.read_again().await;
        let count = gateway.open.cut(CUT, |pass| may_pass(&gateway, pass));
        if count > 0 {
            gateway.metrics.cuts.inc_by(count as u64);
            let why = "the tables of T3 Code no longer lead there";
            Audit::cut(count, why);
        }
    }
}
