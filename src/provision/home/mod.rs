//! The user's side: inspects the caller's own home, and performs tasks in it. Root itself opens nothing
//! below a home (docs/security.md).

mod agents;
mod browser;
mod cluster;
pub mod code;
mod error;
mod files;

pub use error::HomeError;

use super::protocol::{Answer, HomeFacts, HomeTask, Request};

/// Answers one request: JSON in, JSON out.
///
/// # Errors
/// The request is not valid JSON of its form.
pub fn serve(request: &[u8]) -> Result<String, serde_json::Error> {
    let request: Request = serde_json::from_slice(request)?;
    serde_json::to_string(&answer(&request))
}

fn answer(request: &Request) -> Answer {
    match request {
        Request::Inspect(query) => Answer::Facts(Box::new(HomeFacts {
            code: query.code.as_ref().map(code::inspect),
            agents: query.agents.as_ref().map(agents::inspect),
            cluster: query.cluster.as_ref().map(|_| cluster::inspect()),
            browser: query.browser.as_ref().map(browser::inspect),
        })),
        Request::Perform(task) => {
            let done = match task {
                HomeTask::Code(task) => code::perform(task),
                HomeTask::Agents(task) => agents::perform(task),
                HomeTask::Cluster(task) => cluster::perform(task),
                HomeTask::Browser(task) => browser::perform(task),
            };
            done.map_or_else(|error| Answer::Failed(error.to_string()), Answer::Done)
        }
    }
}
