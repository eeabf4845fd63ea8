//! `persist watch`: what is killed comes back, what is closed does not.

mod agents;
mod closed;
mod limits;
mod process;
mod servers;
mod support;
mod suspend;
