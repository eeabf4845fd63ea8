//! `lobby serve` on a host with users of its own: each sees only their own sessions, whatever is sent to it.

mod agents;
mod cut;
mod headers;
mod lab;
mod limits;
mod link;
mod links;
mod oidc;
mod passing;
mod restart;
mod share;
mod soak;
mod t3;
mod together;
mod wake;
mod watch;
