//! The version that all instances run: resolved, installed beside the others, tried on a copy of real data, and then
//! given to one instance after the other; undone at the first failure.

pub mod activity;
mod change;
mod check;
mod error;
pub mod freeze;
mod instances;
mod metrics;
mod prune;
pub mod put_back;
mod report;
mod run;
pub mod settings;
mod stage;
pub mod state;
pub mod trial;
pub mod version;
pub mod versions;

pub use error::EnforceError;
pub use metrics::metrics;
pub use report::{Outcome, Report};
pub use run::{Options, run};
