//! Between a browser and an agent: one request, or the bytes of a WebSocket.

pub(super) mod agents;
pub(super) mod awake;
pub(super) mod body;
pub(super) mod failure;
mod frames;
pub(super) mod opened;
pub(super) mod seen;
pub(super) mod splice;
pub(super) mod stream;
