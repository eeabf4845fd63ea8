//! The link socket: what people ask of the gateway on the host itself. The kernel says who asks.

mod ask;
mod link;
mod protocol;
mod serve;
mod status;

pub(crate) use link::run as link;
pub(super) use serve::serve;
pub(crate) use status::run as status;
