//! `persist events --follow`, and the hidden `persist notify`, which runs the site's command.

use super::args::Common;
use super::text;
use crate::cli::config_file;
use crate::cli::exit::{Exit, Failure};
use crate::cli::output::print;
use crate::events::{self, MAX_NOTIFICATION};
use crate::persist::report::ReportedEvent;
use crate::persist::request::EventsRequest;
use crate::persist::{Report, Request};
use crate::supervisor::run;
use crate::supervisor::targets::{self, Target, Targets};
use crate::supervisor::task::{Task, TaskResult};
use crate::sys::clock;
use crate::sys::process::detach;
use crate::text::printable_json;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How often new events are looked for: a user's files cannot be watched by root.
const INTERVAL: Duration = Duration::from_secs(1);
/// How far back each look goes, for a record that was slow to be written.
const OVERLAP: u64 = 60;
/// How long reading the event may take.
const READING: Duration = Duration::from_secs(1);

/// Prints events as they happen, until the reader goes away or the process is ended.
pub(crate) fn follow(common: &Common, task: Task) -> Result<Exit, Failure> {
    let config = config_file::load(&common.overrides())?;
    let Task { target, request: Request::Events(first) } = task else { return Ok(Exit::Done) };
    let mut seen = Seen::default();
    let mut request = first;
    let mut failures = Vec::new();
    loop {
        let now = clock::now();
        let task = Task { target: target.clone(), request: Request::Events(request.clone()) };
        let done = run::run(&config, &task)?;
        let by_root = done.by_root;
        let mut lines = String::new();
        for (user, event) in seen.news(&done) {
            lines += &if common.json {
                let mut line = printable_json(&with_user(user, event).to_string());
                line.push('\n');
                line
            } else {
                text::event_line(by_root.then_some(user), event)
            };
        }
        if !print_or_end(&lines)? {
            return Ok(Exit::Done);
        }
        let problems: Vec<Option<String>> = done
            .reports
            .iter()
            .map(|user| user.report.problem().map(|problem| problem.message))
            .collect();
        if problems != failures {
            text::messages(&done, common.quiet);
            failures = problems;
        }
        request = EventsRequest { since: Some(now.saturating_sub(OVERLAP)), ..request };
        clock::pause(INTERVAL);
    }
}

/// Prints; returns whether the reader is still there.
fn print_or_end(lines: &str) -> Result<bool, Failure> {
    print(lines)?;
    Ok(!crate::sys::terminal::reader_has_gone())
}

fn with_user(user: &str, event: &ReportedEvent) -> Value {
    let mut object = json!({ "user": user });
    if let (Value::Object(all), Ok(Value::Object(event))) =
        (&mut object, serde_json::to_value(event))
    {
        all.extend(event);
    }
    object
}

/// The number of the last event printed of each user.
#[derive(Default)]
struct Seen(BTreeMap<String, u64>);

impl Seen {
    /// The events that were not printed yet. A record that was begun anew has lower numbers.
    fn news<'a>(&mut self, done: &'a TaskResult) -> Vec<(&'a str, &'a ReportedEvent)> {
        let mut news = Vec::new();
        for user in &done.reports {
            let Report::Events(report) = &user.report else { continue };
            let last = report.events.iter().map(|event| event.number).max();
            let Some(last) = last else { continue };
            let seen = self.0.entry(user.user.clone()).or_default();
            if last < *seen {
                *seen = 0;
            }
            let new = report.events.iter().filter(|event| event.number > *seen);
            news.extend(new.map(|event| (user.user.as_str(), event)));
            *seen = last;
        }
        news.sort_by_key(|(_, event)| event.time);
        news
    }
}

/// Reads an event from standard input, lets the caller go on, and runs the site's command.
pub(crate) fn notify(common: &Common) -> Result<Exit, Failure> {
    let input = detach::read_stdin(MAX_NOTIFICATION, Instant::now() + READING);
    let input = input.ok_or_else(|| Failure::usage("no event on standard input"))?;
    let config = config_file::load(&common.overrides())?;
    let Targets::Caller { account, state_dir } = targets::find(&config, &Target::Caller)? else {
        return Err(Failure::usage("no event of the caller's"));
    };
    let dir = state_dir.join(account.name);
    if !detach::detach().map_err(Failure::failed)? {
        return Ok(Exit::Done);
    }
    // A failure is in the counts: nobody reads what this process prints.
    let ran = events::run_hook(&config.notify, &dir, &input);
    Ok(if ran.is_ok() { Exit::Done } else { Exit::Failed })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::EventsReport;
    use crate::supervisor::task::UserReport;

    fn done(numbers: &[u64]) -> TaskResult {
        let event = |number: &u64| ReportedEvent { number: *number, ..ReportedEvent::default() };
        let events = numbers.iter().map(event).collect();
        let report = Report::Events(EventsReport { events, ..EventsReport::default() });
        TaskResult {
            reports: vec![UserReport::new("u".to_owned(), report)],
            problems: vec![],
            single: true,
            by_root: false,
            state_dir: "/s".into(),
        }
    }

    #[test]
    fn each_event_is_printed_once_and_a_record_begun_anew_is_followed() {
        let mut seen = Seen::default();
        let mut news = |numbers: &[u64]| -> Vec<u64> {
            seen.news(&done(numbers)).into_iter().map(|(_, event)| event.number).collect()
        };
        assert_eq!(news(&[4, 5]), [4, 5]);
        assert_eq!(news(&[]), [0; 0]);
        assert_eq!(news(&[5, 6]), [6]);
        assert_eq!(news(&[1, 2]), [1, 2], "the record was removed meanwhile");
    }
}
