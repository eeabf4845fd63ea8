//! T3 Code behind the gateway, with stand-ins for the real server and for the helper that makes credentials.

mod browser;
mod hostile;
mod hung;
mod lab;
mod metrics;
mod pairing;
mod sockets;
mod tables;
