//! `lobby serve`: everybody's page. It knows who a person is, and passes what they ask on to the agent of their user, or to
//! their T3 Code.

mod answer;
mod audit;
mod door;
mod error;
mod host;
mod limits;
mod listen;
mod login;
mod metrics;
mod open;
mod paths;
mod people;
mod refusal;
mod relay;
mod requests;
mod scrape;
mod serve;
mod settings;
mod share;
mod site;
mod state;
mod t3;
mod wake;

pub(crate) use host::{link, status};
pub(crate) use serve::run;
