//! What is said of a death in the pane that comes back, and in the one that does not (pure).

use super::record::{Death, Kind};
use crate::events::Cause;
use crate::sys::process::watch::ProcessEnd;
use crate::text::escape;

/// What happened: `claude was killed at 03:12: ...`. `hhmm` is the local time, four digits.
pub fn what_happened(death: &Death, cause: Cause, hhmm: &str) -> String {
    let what = match death.kind {
        Kind::Agent => escape(&death.agent),
        Kind::Server => "the tmux server".to_owned(),
    };
    let (hour, minute) = hhmm.split_at_checked(2).unwrap_or((hhmm, ""));
    let signal = match death.end {
        Some(ProcessEnd::Signalled(signal)) => format!(" (signal {signal})"),
        Some(ProcessEnd::Exited(_)) | None => String::new(),
    };
    let why = match cause {
        Cause::PaneLimit => "was killed: it reached the memory limit of its pane",
        Cause::SliceLimit => "was killed: your processes reached your memory limit",
        Cause::HostMemory => "was killed: the host had no memory left",
        Cause::Earlyoom => "was ended to make room: the host was short of memory",
        Cause::Crash => "crashed",
        Cause::Signal | Cause::Unknown => "was killed",
    };
    match why.split_once(':') {
        Some((was, because)) => format!("{what} {was} at {hour}:{minute}{signal}:{because}"),
        None => format!("{what} {why} at {hour}:{minute}{signal}"),
    }
}

/// The line in a pane whose agent comes back.
pub fn comes_back(death: &Death, cause: Cause, hhmm: &str) -> String {
    format!("{}; resumed by 'persist watch'", what_happened(death, cause, hhmm))
}

/// The line in a pane that is left as it is.
pub fn given_up(death: &Death, cause: Cause, hhmm: &str, times: u32) -> String {
    let happened = what_happened(death, cause, hhmm);
    let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
    let id = death.conversation.as_deref().map(escape).unwrap_or_default();
    format!(
        "{happened}; it came back {times} and nobody has looked, so it is left: persist restore {id}"
    )
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::death;
    use super::*;

    #[test]
    fn what_happened_is_said_with_its_time_and_cause() {
        assert_eq!(
            what_happened(&death(1), Cause::PaneLimit, "0312"),
            "claude was killed at 03:12 (signal 9): it reached the memory limit of its pane"
        );
        assert_eq!(
            comes_back(&Death { end: None, ..death(1) }, Cause::Unknown, "2359"),
            "claude was killed at 23:59; resumed by 'persist watch'"
        );
        let server = Death { kind: Kind::Server, ..death(1) };
        assert_eq!(
            what_happened(&server, Cause::Crash, "0000"),
            "the tmux server crashed at 00:00 (signal 9)"
        );
    }

    #[test]
    fn a_pane_that_is_given_up_says_how_to_go_on_by_hand() {
        let text = given_up(&death(1), Cause::Signal, "0312", 3);
        assert!(text.starts_with("claude was killed at 03:12 (signal 9); it came back 3 times"));
        assert!(text.ends_with("persist restore 0d0a8f5e-0000-4000-8000-000000000001"), "{text}");
    }
}
