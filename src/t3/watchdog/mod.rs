//! Restarts instances that no longer answer. What is asked is the port: a unit can be active for hours while nothing
//! listens. It never takes more than one careful step in a minute: what it cannot read, it leaves alone.

pub mod decide;
pub mod record;
pub mod restart;
pub mod run;
