//! The text of `suspend` and `resume`: a line for each agent, then a summary.

use crate::cli::output::{paint, style};
use crate::persist::report::{SuspendReport, SuspendResult, SuspendedAgent};
use crate::sys::clock::Epoch;
use crate::text::table::{align, count, shown};
use crate::text::time::ago;

pub(crate) fn suspend(name: &str, report: &SuspendReport, now: Epoch) -> String {
    if report.agents.is_empty() {
        return format!("{name}: nothing to do\n");
    }
    let heading = ["PANE", "AGENT", "LAST USED", "MEMORY", "RESULT", "REASON"].map(str::to_owned);
    let rows = report.agents.iter().map(|agent| row(agent, now));
    let table: Vec<[String; 6]> = std::iter::once(heading).chain(rows).collect();
    format!("{name}:\n{}{name}: {}\n", align(&table), summary(report))
}

fn row(agent: &SuspendedAgent, now: Epoch) -> [String; 6] {
    let place = format!("{}:{}.{}", shown(&agent.session), agent.window, agent.pane);
    let used = agent.idle_since.map_or("-".to_owned(), |since| ago(now.saturating_sub(since)));
    let memory = agent.memory.map_or("-".to_owned(), size);
    let (word, colour) = match agent.result {
        SuspendResult::Suspended => ("suspended", style::GOOD),
        SuspendResult::Resumed => ("resumed", style::GOOD),
        SuspendResult::Chosen => ("would be suspended", style::GOOD),
        SuspendResult::Left => ("left alone", style::FAINT),
        SuspendResult::Refused => ("refused", style::ERROR),
        SuspendResult::Failed => ("failed", style::ERROR),
    };
    [place, shown(&agent.agent), used, memory, paint(colour, word), shown(&agent.reason)]
}

fn summary(report: &SuspendReport) -> String {
    let number = |wanted| report.agents.iter().filter(|agent| agent.result == wanted).count();
    let agents = |wanted| count(number(wanted), "agent");
    let chosen = |agent: &&SuspendedAgent| agent.result == SuspendResult::Chosen;
    let mut parts = Vec::new();
    if number(SuspendResult::Chosen) > 0 {
        let memory = report.agents.iter().filter(chosen).filter_map(|agent| agent.memory).sum();
        parts.push(format!("{} to suspend ({})", agents(SuspendResult::Chosen), size(memory)));
    }
    if number(SuspendResult::Resumed) > 0 {
        parts.push(format!("{} resumed", agents(SuspendResult::Resumed)));
    } else if parts.is_empty() {
        let memory = match report.given_back {
            0 => String::new(),
            bytes => format!(" ({} given back)", size(bytes)),
        };
        parts.push(format!("{} suspended{memory}", agents(SuspendResult::Suspended)));
    }
    for (result, word) in [
        (SuspendResult::Left, "left alone"),
        (SuspendResult::Refused, "refused"),
        (SuspendResult::Failed, "failed"),
    ] {
        if number(result) > 0 {
            parts.push(format!("{} {word}", number(result)));
        }
    }
    parts.join(", ")
}

/// A number of bytes, in MiB or GiB.
fn size(bytes: u64) -> String {
    const GIB: u64 = 1 << 30;
    if bytes < GIB {
        return format!("{} MiB", bytes >> 20);
    }
    let tenths = bytes / (GIB / 10);
    format!("{}.{} GiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(session: &str, result: SuspendResult, reason: &str) -> SuspendedAgent {
        SuspendedAgent {
            session: session.to_owned(),
            agent: "claude".to_owned(),
            idle_since: Some(1000),
            memory: (result != SuspendResult::Left).then_some(412 << 20),
            result,
            reason: reason.to_owned(),
            ..SuspendedAgent::default()
        }
    }

    fn text(report: &SuspendReport) -> String {
        anstream::adapter::strip_str(&suspend("ann", report, 8200)).to_string()
    }

    #[test]
    fn each_agent_has_a_line_and_what_was_given_back_is_summed_up() {
        let agents = vec![
            agent("web", SuspendResult::Suspended, ""),
            agent("api", SuspendResult::Left, "it is working"),
        ];
        let report = SuspendReport {
            agents,
            suspended: 1,
            given_back: 412 << 20,
            ..SuspendReport::default()
        };
        let expected = "\
ann:
  PANE     AGENT   LAST USED  MEMORY   RESULT      REASON
  web:0.0  claude  2 h ago    412 MiB  suspended
  api:0.0  claude  2 h ago    -        left alone  it is working
ann: 1 agent suspended (412 MiB given back), 1 left alone
";
        assert_eq!(text(&report), expected);
    }

    #[test]
    fn a_plan_is_told_from_what_was_done_and_nothing_from_something() {
        let of = |result| {
            let agents = vec![agent("web", result, "")];
            text(&SuspendReport { agents, ..SuspendReport::default() })
        };
        assert!(of(SuspendResult::Chosen).ends_with("ann: 1 agent to suspend (412 MiB)\n"));
        assert!(of(SuspendResult::Resumed).ends_with("ann: 1 agent resumed\n"));
        assert!(of(SuspendResult::Refused).ends_with("ann: 0 agents suspended, 1 refused\n"));
        assert_eq!(text(&SuspendReport::default()), "ann: nothing to do\n");
        assert_eq!((size(1 << 20), size(3 << 29)), ("1 MiB".to_owned(), "1.5 GiB".to_owned()));
    }
}
