//! T3 Code behind the gateway: each person's requests go to the instance of their user, and a browser without a session
//! gets one.
//!
//! An instance belongs to its user, who may make it answer anything; its answers come from an origin of their own,
//! which no page of the lobby shares, but all users of the host do.

mod check;
mod client;
mod door;
mod failure;
mod following;
mod forward;
mod headers;
mod journal;
mod metrics;
mod names;
mod page;
mod pairing;
mod parts;
mod pool;
mod probe;
mod section;
mod socket;
mod tables;

pub(crate) use door::answer;
pub(crate) use following::follow;
pub(crate) use metrics::T3Metrics;
pub(crate) use parts::T3;
pub(crate) use section::{Section, T3Settings};
pub(crate) use tables::Service;
