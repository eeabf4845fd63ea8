//! Brings agents back: in their panes, or with the whole server by the service manager.

use super::{HANDED_ON, STAYS, Work};
use crate::events::{self, Cause};
use crate::persist::deaths::{Death, explain};
use crate::persist::error::Error;
use crate::persist::report::{PlanReport, PlannedRow, Report, RowResult};
use crate::persist::restore;
use crate::persist::watch::guard::{Permission, Subject};
use crate::persist::watch::panes::Panes;
use crate::sys::clock;
use crate::text::escape;
use std::collections::BTreeSet;

impl Work<'_> {
    /// Has the service manager start the server: the last pane of the one before was theirs, and it ended with that.
    fn hand_on(&mut self, deaths: Vec<Death>) {
        let now = self.context.now;
        for death in deaths {
            if let Some(then) = death.handed_on.filter(|then| now < then + HANDED_ON) {
                self.come_again_at(then + HANDED_ON);
                self.changed.push(death);
                continue;
            }
            let subject = Subject::Session(death.session.clone());
            if self.comebacks.permission(&subject, now, None, &self.context.watch)
                == Permission::Now
            {
                self.comebacks.enter(subject, now, None);
            }
            self.changed.push(Death { handed_on: Some(now), ..death });
            self.answer.start_server = true;
        }
    }

    /// Resumes agents, once shells wait in their panes.
    pub(super) fn bring_back(&mut self, deaths: Vec<Death>) -> Result<(), Error> {
        if deaths.is_empty() {
            return Ok(());
        }
        if self.facts.server.is_none() && self.task.by_unit {
            self.hand_on(deaths);
            return Ok(());
        }
        let sessions: BTreeSet<&Vec<u8>> = deaths.iter().map(|death| &death.session).collect();
        for session in sessions {
            let looked = self.facts.looked_at(session);
            self.comebacks.enter(Subject::Session(session.clone()), self.context.now, looked);
        }
        self.changed.extend(deaths.iter().cloned());
        self.write()?;
        let (ready, busy) = Panes::wait_for_shells(self.context, deaths)?;
        for death in busy {
            let pane = death.pane.unwrap_or_default();
            let why = "something else runs in its pane now";
            self.announce(&death, events::Kind::NotResumed, why);
            self.note(format!("{}: pane %{pane}: {why}", escape(&death.agent)));
            self.settle(&death);
        }
        let words: Vec<String> =
            ready.iter().filter_map(|death| death.conversation.as_deref()).map(escape).collect();
        if words.is_empty() {
            return Ok(());
        }
        let plan = self.restore(&words);
        for death in ready {
            let id = death.conversation.as_deref().map(escape).unwrap_or_default();
            let is_its = |row: &&PlannedRow| {
                row.conversation.as_ref().is_some_and(|known| known.eq_ignore_ascii_case(&id))
            };
            let results: Vec<_> =
                plan.rows.iter().filter(is_its).filter_map(|row| row.result.as_ref()).collect();
            if results.iter().any(|result| matches!(result, RowResult::Restored)) {
                self.is_back(death);
                continue;
            }
            let why = results.first().map(ToString::to_string);
            let why = why.or_else(|| plan.error.as_ref().map(|error| error.message.clone()));
            let why = why.unwrap_or_default();
            self.announce(&death, events::Kind::NotResumed, &why);
            self.note(format!("{}: {id} was not resumed: {why}", escape(&death.agent)));
            self.settle(&death);
        }
        Ok(())
    }

    /// Announces that an agent was started again; whether it stays is seen in a moment.
    fn is_back(&mut self, death: Death) {
        self.announce(&death, events::Kind::Resumed, "");
        let cause = death.cause.unwrap_or(Cause::Unknown);
        self.note(explain::comes_back(&death, cause, &clock::hhmm(death.noticed)));
        let back = clock::now();
        self.come_again_at(back + STAYS);
        self.changed.retain(|changed| changed.key() != death.key());
        self.changed.push(Death { resumed: true, handed_on: Some(back), ..death });
    }

    /// Restores these conversations; if one of them is unknown, the others nevertheless.
    fn restore(&mut self, words: &[String]) -> PlanReport {
        let run = |words: &[String]| match restore::restore(self.context, words, None, None, false)
        {
            Report::Plan(plan) => plan,
            _ => PlanReport::default(),
        };
        let mut plan = run(words);
        if plan.error.as_ref().is_some_and(|problem| problem.usage) && words.len() > 1 {
            plan = PlanReport::default();
            for word in words {
                let one = run(std::slice::from_ref(word));
                plan.rows.extend(one.rows);
                plan.notes.extend(one.notes);
                plan.error = plan.error.or(one.error);
            }
        }
        self.notes.extend(plan.notes.iter().cloned());
        plan
    }
}
