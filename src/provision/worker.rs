//! Root's side of the conversation with a user's process.

use super::home::{Answer, Request};
use crate::sys::process::become_user::Become;
use crate::sys::process::exec::{self, Program};
use crate::sys::process::limits::NewPrivileges;
use crate::sys::process::orphans;
use crate::sys::{Account, accounts};
use std::time::Duration;

/// No answer is larger (bytes); an honest one has some kilobytes.
const MAX_ANSWER: usize = 1 << 20;
/// No message of a user's process is longer where root repeats it (characters).
const MAX_MESSAGE: usize = 2000;
/// No line of what it did is, and there are no more of them: every one is in journal and receipt.
const MAX_LINE: usize = 300;
const MOST_LINES: usize = 100;

/// Has a process that becomes `user` look or work in the home, and gives its answer. The request
/// goes over standard input: other processes of that user can read arguments and environments.
/// Nothing that it started lives on; so a user is asked one thing at a time.
///
/// # Errors
/// Why there is no answer; nothing in it is longer than a message, and it is not escaped yet.
pub fn ask(user: &str, request: &Request) -> Result<Answer, String> {
    let account = accounts::by_name(user).map_err(|error| error.to_string())?;
    if account.uid.is_root() {
        return Err("root is not a person".to_owned());
    }
    ask_account(account, request)
}

fn ask_account(account: Account, request: &Request) -> Result<Answer, String> {
    let (deadline, umask) = match request {
        Request::Look(_) => (Duration::from_secs(20), 0o077),
        Request::Do(work) => (work.deadline(), work.umask()),
    };
    if !is_provision() {
        return Err("only provision starts users' processes".to_owned());
    }
    let text = serde_json::to_vec(request).map_err(|error| error.to_string())?;
    let program = Program::ourselves().args(["worker"]);
    let program = program.input(&text).map_err(|error| error.to_string())?;
    let new_privileges = NewPrivileges::Deny;
    let uid = account.uid;
    orphans::adopt().map_err(|error| error.to_string())?;
    let ran = program
        .becoming(Become { account, umask, new_privileges })
        .deadline(deadline)
        .max_output(MAX_ANSWER)
        .run();
    orphans::end(uid);
    let output = ran.map_err(|error| error.to_string())?;
    if !output.status.success() {
        let said = clipped(&String::from_utf8_lossy(output.stderr.trim_ascii()), MAX_MESSAGE);
        return Err(format!("the user's process {}: {said}", exec::describe(output.status)));
    }
    understood(request, &output.stdout)
}

/// An answer: what was asked for and no more, no longer than root repeats it.
fn understood(request: &Request, bytes: &[u8]) -> Result<Answer, String> {
    // What is wrong with it may quote it, as far as it goes.
    let answer = serde_json::from_slice(bytes).map_err(|error| {
        let why = format!("the user's process answered nonsense: {error}");
        clipped(&why, MAX_MESSAGE)
    })?;
    Ok(match answer {
        Answer::Done(lines) => {
            let lines = lines.iter().take(MOST_LINES).map(|line| clipped(line, MAX_LINE));
            Answer::Done(lines.collect())
        }
        Answer::Failed(why) => Answer::Failed(clipped(&why, MAX_MESSAGE)),
        Answer::Seen(mut facts) => {
            if let (Request::Look(look), Some(code)) = (request, &mut facts.code) {
                code.keep_what_was_asked(look.code.as_ref());
            }
            Answer::Seen(facts)
        }
    })
}

/// Whether this program, started once more with `worker`, would do what is asked: a test's would run
/// its tests, and they this again.
fn is_provision() -> bool {
    let exe = std::env::current_exe().unwrap_or_default();
    exe.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"provision"))
}

/// The user's side: what standard input asks for, done; the answer as JSON.
///
/// # Errors
/// When the request is none.
pub fn serve(request: &[u8]) -> Result<String, String> {
    let request: Request = serde_json::from_slice(request).map_err(|error| error.to_string())?;
    serde_json::to_string(&super::home::answer(&request)).map_err(|error| error.to_string())
}

fn clipped(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provision::home::code::{self, Spot};
    use crate::provision::home::{Facts, Look};

    #[test]
    fn a_forged_answer_makes_no_work_that_nobody_asked_for() {
        let look = code::Look { repos: vec!["webapp".to_owned()] };
        let request = Request::Look(Look { code: Some(look), ..Look::default() });
        let repo = |name: &str| Spot::Repo(name.to_owned());
        let mut leftovers = vec![Spot::Code; 50_000];
        leftovers.extend([repo("webapp"), repo("other"), repo("../x"), Spot::Infra]);
        let remote = |at: usize| code::Remote { name: at.to_string(), url: String::new() };
        let clone = code::Clone {
            remotes: (0..1000).map(remote).collect(),
            tracking: vec![String::new(); 10_000],
            ..code::Clone::default()
        };
        let place = || code::Place::Clone(clone.clone());
        let nested = || code::Repo { place: place(), nested: place(), tracked: true };
        let repos = ["webapp", "other"].map(|name| (name.to_owned(), nested())).into();
        let facts = code::Facts { code: place(), repos, leftovers, ..code::Facts::default() };
        let seen = Answer::Seen(Box::new(Facts { code: Some(facts), ..Facts::default() }));
        let answer = understood(&request, &serde_json::to_vec(&seen).unwrap()).unwrap();
        let Answer::Seen(facts) = answer else { panic!("{answer:?}") };
        let facts = facts.code.unwrap();
        assert_eq!(facts.leftovers, [Spot::Code, Spot::Infra, repo("webapp")]);
        assert_eq!(facts.repos.keys().collect::<Vec<_>>(), ["webapp"]);
        for place in [&facts.code, &facts.repos["webapp"].place, &facts.repos["webapp"].nested] {
            let code::Place::Clone(clone) = place else { panic!("{place:?}") };
            assert_eq!((clone.remotes.len(), clone.tracking.len()), (16, 16));
        }
    }

    #[test]
    fn nothing_in_an_answer_is_longer_than_root_repeats_it() {
        let request = Request::Look(Look::default());
        let long = "\\u001b".repeat(100_000);
        let nonsense = format!("{{\"seen\":{{\"{long}\":1}}}}");
        let why = understood(&request, nonsense.as_bytes()).unwrap_err();
        assert!(why.contains("unknown field") && why.chars().count() == MAX_MESSAGE, "{why}");
        let lines = format!("{{\"done\":[{}\"{long}\"]}}", format!("\"{long}\",").repeat(200));
        let Answer::Done(lines) = understood(&request, lines.as_bytes()).unwrap() else { panic!() };
        assert_eq!(lines.len(), MOST_LINES);
        assert!(lines.iter().all(|line| line.chars().count() == MAX_LINE));
    }
}
