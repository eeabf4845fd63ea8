//! Root's side of the conversation with a user's process.

use super::protocol::{Answer, Request};
use crate::sys::Account;
use crate::sys::accounts::{self, AccountError};
use crate::sys::process::ask::{self, AskError, MAX_MESSAGE, clip};
use std::time::Duration;

/// Maximum length, in characters, and number of the lines that a process reports: each is in the
/// journal and the receipt.
const MAX_LINE: usize = 300;
const MAX_LINES: usize = 100;
/// How long an inspection may take.
const INSPECTION_DEADLINE: Duration = Duration::from_secs(20);

/// Why there is no answer. No sentence is longer than a message, and none is escaped yet.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    #[error(transparent)]
    Account(#[from] AccountError),
    #[error(transparent)]
    Process(#[from] AskError),
    /// The reason quotes the answer, which may be hostile: it is clipped.
    #[error("{}", clip(&format!("the user's process returned an invalid answer: {_0}"), MAX_MESSAGE))]
    Invalid(serde_json::Error),
    #[error("the user's process answered another request")]
    Unexpected,
    /// The process answered that it failed, and why.
    #[error("{0}")]
    Failed(String),
}

/// Has a process that becomes `user` answer the request. The request goes over standard input, since
/// other processes of that user can read arguments and environments. Nothing that the process started
/// outlives it, so a user must not be asked two things at once.
pub fn ask(user: &str, request: &Request) -> Result<Answer, WorkerError> {
    let _span = tracing::debug_span!("worker", user).entered();
    let account = accounts::by_name(user)?;
    let answer = ask_account(account, request);
    match &answer {
        Ok(Answer::Facts(facts)) => tracing::trace!(?facts, "inspected"),
        Ok(Answer::Done(lines)) => tracing::debug!(?lines, "done"),
        Ok(Answer::Failed(why)) => tracing::debug!(why, "failed"),
        Err(error) => tracing::debug!(%error, "no answer"),
    }
    answer
}

fn ask_account(account: Account, request: &Request) -> Result<Answer, WorkerError> {
    let (deadline, umask) = match request {
        Request::Inspect(_) => (INSPECTION_DEADLINE, 0o077),
        Request::Perform(task) => (task.deadline(), task.umask()),
    };
    parse(request, &ask::ask(account, &["worker"], request, umask, deadline)?)
}

/// An answer, restricted to what was requested and to what root repeats.
fn parse(request: &Request, bytes: &[u8]) -> Result<Answer, WorkerError> {
    let answer = serde_json::from_slice(bytes).map_err(WorkerError::Invalid)?;
    match (request, answer) {
        (_, Answer::Failed(why)) => Ok(Answer::Failed(clip(&why, MAX_MESSAGE))),
        (Request::Perform(_), Answer::Done(lines)) => {
            let lines = lines.iter().take(MAX_LINES).map(|line| clip(line, MAX_LINE));
            Ok(Answer::Done(lines.collect()))
        }
        (Request::Inspect(query), Answer::Facts(mut facts)) => {
            facts.restrict_to(query);
            Ok(Answer::Facts(facts))
        }
        _ => Err(WorkerError::Unexpected),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::protocol::code::{self, CloneLocation, PathState};
    use crate::provision::protocol::{HomeFacts, HomeQuery, HomeTask};

    #[test]
    fn a_forged_answer_is_restricted_to_what_was_requested() {
        let query = code::CodeQuery { repos: vec!["webapp".to_owned()] };
        let request = Request::Inspect(HomeQuery { code: Some(query), ..HomeQuery::default() });
        let repo = |name: &str| CloneLocation::Repo(name.to_owned());
        let mut unfinished_clones = vec![CloneLocation::Code; 50_000];
        unfinished_clones.extend([
            repo("webapp"),
            repo("other"),
            repo("../x"),
            CloneLocation::Infra,
        ]);
        let remote = |at: usize| code::Remote { name: at.to_string(), url: String::new() };
        let clone = code::CloneFacts {
            remotes: (0..1000).map(remote).collect(),
            tracking: vec![String::new(); 10_000],
            ..code::CloneFacts::default()
        };
        let place = || PathState::Clone(clone.clone());
        let nested = || code::RepoFacts { own: place(), nested: place(), tracked: true };
        let repos = ["webapp", "other"].map(|name| (name.to_owned(), nested())).into();
        let facts = code::CodeFacts {
            code: place(),
            repos,
            unfinished_clones,
            ..code::CodeFacts::default()
        };
        let seen = Answer::Facts(Box::new(HomeFacts { code: Some(facts), ..HomeFacts::default() }));
        let answer = parse(&request, &serde_json::to_vec(&seen).unwrap()).unwrap();
        let Answer::Facts(facts) = answer else { panic!("{answer:?}") };
        let facts = facts.code.unwrap();
        assert_eq!(
            facts.unfinished_clones,
            [CloneLocation::Code, CloneLocation::Infra, repo("webapp")]
        );
        assert_eq!(facts.repos.keys().collect::<Vec<_>>(), ["webapp"]);
        for place in [&facts.code, &facts.repos["webapp"].own, &facts.repos["webapp"].nested] {
            let PathState::Clone(clone) = place else { panic!("{place:?}") };
            assert_eq!((clone.remotes.len(), clone.tracking.len()), (16, 16));
        }
    }

    #[test]
    fn nothing_in_an_answer_is_longer_than_root_repeats_it() {
        let request = Request::Inspect(HomeQuery::default());
        let long = "\\u001b".repeat(100_000);
        let nonsense = format!("{{\"facts\":{{\"{long}\":1}}}}");
        let why = parse(&request, nonsense.as_bytes()).unwrap_err().to_string();
        assert!(why.contains("unknown field") && why.chars().count() == MAX_MESSAGE, "{why}");
        let lines = format!("{{\"done\":[{}\"{long}\"]}}", format!("\"{long}\",").repeat(200));
        let task = code::CodeTask::RemoveLeftover(CloneLocation::Code);
        let request = Request::Perform(HomeTask::Code(task));
        let Answer::Done(lines) = parse(&request, lines.as_bytes()).unwrap() else { panic!() };
        assert_eq!(lines.len(), MAX_LINES);
        assert!(lines.iter().all(|line| line.chars().count() == MAX_LINE));
    }
}
