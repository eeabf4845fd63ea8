//! The user's side: inspects the caller's own home, and performs tasks in it. Root itself opens nothing
//! below a home (docs/security.md).

mod agents;
mod browser;
mod closed_tree;
mod cluster;
pub mod code;
mod environment;
mod error;
mod files;
mod git_login;
mod old_units;
mod shared;
pub mod snapshot;
mod snapshot_token;

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
            snapshot_token: query.snapshot_token.as_ref().map(|_| snapshot_token::inspect()),
            shared: query.shared.as_ref().map(|_| shared::inspect()),
            old_units: query.old_units.as_ref().map(old_units::inspect),
            closed_trees: query.closed_trees.as_ref().map(closed_tree::inspect),
            environment: query.environment.as_ref().map(environment::inspect),
            git: query.git.as_ref().map(git_login::inspect),
        })),
        Request::Perform(task) => {
            let done = match task {
                HomeTask::Code(task) => code::perform(task),
                HomeTask::Agents(task) => agents::perform(task),
                HomeTask::Cluster(task) => cluster::perform(task),
                HomeTask::Browser(task) => browser::perform(task),
                HomeTask::SnapshotToken(task) => snapshot_token::perform(task),
                HomeTask::Shared(task) => shared::perform(task),
                HomeTask::ClosedTree(task) => closed_tree::perform(task),
                HomeTask::Environment(task) => environment::perform(task),
                HomeTask::Git(task) => git_login::perform(task),
            };
            done.map_or_else(|error| Answer::Failed(error.to_string()), Answer::Done)
        }
    }
}
