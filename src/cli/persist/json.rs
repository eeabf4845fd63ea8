//! `--json`: one object, documented in `docs/output-formats.md` and stable.

use crate::persist::Request;
use crate::supervisor::task::{Task, TaskResult, UserReport};
use crate::text::printable_json;
use serde_json::{Map, Value, json};

/// Renders what was done. `save` always gives a list of users; the others give the one user's
/// object when one user was meant, and a list otherwise. No raw control character is ever in it.
pub fn render(task: &Task, done: &TaskResult) -> String {
    let one = done.single && !matches!(task.request, Request::Save | Request::SaveSoon);
    object(done.reports.iter().map(user).collect(), one)
}

/// One line: the object itself where one is meant, a list of users otherwise.
pub(crate) fn object(mut users: Vec<Value>, one: bool) -> String {
    let value = match users.pop() {
        Some(user) if one => user,
        last => {
            users.extend(last);
            json!({ "users": users })
        }
    };
    let mut text = printable_json(&value.to_string());
    text.push('\n');
    text
}

/// A report as an object that begins with the user, without the tag that workers use.
pub(crate) fn user(user: &UserReport) -> Value {
    let mut object = Map::new();
    object.insert("user".to_owned(), user.user.clone().into());
    if let Ok(Value::Object(report)) = serde_json::to_value(&user.report) {
        object.extend(report.into_iter().filter(|(key, _)| key != "report"));
    }
    let message = user.report.problem().map(|problem| problem.message);
    object.insert("error".to_owned(), message.into());
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::{PlanReport, PlannedRow, Report, SaveReport};
    use crate::supervisor::targets::Target;

    fn done(report: Report) -> TaskResult {
        let reports = vec![UserReport::new("u".to_owned(), report)];
        TaskResult {
            reports,
            problems: vec![],
            single: true,
            by_root: false,
            state_dir: "/s".into(),
        }
    }

    #[test]
    fn a_name_full_of_controls_prints_none_and_reads_back_the_same() {
        let name = "a\u{7f}\u{9b}31m\n\u{1b}";
        let row = PlannedRow { session: name.to_owned(), ..PlannedRow::default() };
        let report = Report::Plan(PlanReport { rows: vec![row], ..PlanReport::default() });
        let task = Task {
            target: Target::NamedOrAll(vec![]),
            request: Request::Show { snapshot: None, mode: None },
        };
        let text = render(&task, &done(report));
        assert!(!text.trim_end().chars().any(char::is_control));
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["rows"][0]["session"], name);
        assert_eq!(value["error"], Value::Null);
    }

    #[test]
    fn a_save_is_a_list_of_users_even_for_one() {
        let task = Task { target: Target::NamedOrAll(vec![]), request: Request::Save };
        let report = Report::Save(SaveReport::default());
        let text = render(&task, &done(report));
        let value: Value = serde_json::from_str(&text).unwrap();
        let keys: Vec<&String> = value["users"][0].as_object().unwrap().keys().collect();
        assert_eq!(
            keys,
            [
                "user", "result", "snapshot", "sessions", "panes", "lost", "warnings", "notes",
                "error"
            ]
        );
        assert_eq!(value["users"][0]["result"], "failed");
    }
}
