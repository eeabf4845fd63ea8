//! Whether what ended was killed or was closed by a person, and what killed it (pure).

use crate::events::Cause;
use crate::persist::deaths::{Death, Kind, OutOfMemory};
use crate::sys::process::watch::ProcessEnd;

const HUP: i32 = 1;
const INT: i32 = 2;
const QUIT: i32 = 3;
const KILL: i32 = 9;
const PIPE: i32 = 13;
const TERM: i32 = 15;
/// Signals that the kernel sends to a program that did something impossible: ILL, TRAP, ABRT, BUS, FPE, SEGV, SYS.
const FAULTS: [i32; 7] = [4, 5, 6, 7, 8, 11, 31];
/// A shell, and some agents, exit with this and the signal's number for a signal.
const BY_SIGNAL: i32 = 128;

/// What is known of a death beside its record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Agent, pane or session were closed on purpose, by a record of that.
    pub closed: bool,
    /// Whether the tmux server runs that had the pane.
    pub server_runs: bool,
    /// What an agent leaves behind only if it is killed is there: its live record, or the launcher's word.
    pub left_behind: bool,
    /// The server's socket is still there although nothing listens: a server that ends by itself removes it.
    pub stale_socket: bool,
    /// A program that ends others before memory runs out is installed as a service.
    pub earlyoom: bool,
}

/// What follows from a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// A person closed it, or it ended by itself: it stays where it is.
    Closed,
    /// It was killed.
    Killed(Cause),
    /// Nothing proves either: it stays lost, for `persist restore`.
    Unclear,
}

/// Decides on a death.
pub fn of(death: &Death, evidence: Evidence) -> Verdict {
    if evidence.closed {
        return Verdict::Closed;
    }
    let verdict = |end: Option<ProcessEnd>| end.map(|end| by_end(end, death, evidence));
    // The end of its pane's first process is why an agent was hung up on.
    let leader = verdict(death.leader).filter(|_| death.kind == Kind::Agent);
    match (death.kind, verdict(death.end)) {
        (_, Some(verdict @ Verdict::Killed(_))) => verdict,
        (_, Some(_)) if matches!(leader, Some(Verdict::Killed(_))) => {
            leader.unwrap_or(Verdict::Closed)
        }
        (_, Some(verdict)) => verdict,
        (Kind::Agent, None) if evidence.left_behind => Verdict::Killed(by_memory(death, evidence)),
        (Kind::Server, None) if evidence.stale_socket => {
            Verdict::Killed(by_memory(death, evidence))
        }
        (_, None) if death.out_of_memory != OutOfMemory::None => {
            Verdict::Killed(by_memory(death, evidence))
        }
        (Kind::Server, None) => Verdict::Closed,
        (Kind::Agent, None) => Verdict::Unclear,
    }
}

fn by_end(end: ProcessEnd, death: &Death, evidence: Evidence) -> Verdict {
    match end {
        ProcessEnd::Signalled(signal) => by_signal(signal, death, evidence),
        ProcessEnd::Exited(0) => Verdict::Closed,
        ProcessEnd::Exited(code) if code > BY_SIGNAL && code < BY_SIGNAL + 65 => {
            by_signal(code - BY_SIGNAL, death, evidence)
        }
        ProcessEnd::Exited(_) => Verdict::Unclear,
    }
}

fn by_signal(signal: i32, death: &Death, evidence: Evidence) -> Verdict {
    match signal {
        KILL => Verdict::Killed(match by_memory(death, evidence) {
            Cause::Unknown => Cause::Signal,
            cause => cause,
        }),
        signal if FAULTS.contains(&signal) => Verdict::Killed(Cause::Crash),
        // Programs that make room send it first, and people do.
        TERM if death.pressed && evidence.earlyoom => Verdict::Killed(Cause::Earlyoom),
        HUP | INT | QUIT | PIPE | TERM => Verdict::Closed,
        _ => Verdict::Killed(Cause::Signal),
    }
}

/// The cause as far as memory is one.
fn by_memory(death: &Death, evidence: Evidence) -> Cause {
    match death.out_of_memory {
        OutOfMemory::Pane => Cause::PaneLimit,
        OutOfMemory::Slice => Cause::SliceLimit,
        OutOfMemory::Host => Cause::HostMemory,
        OutOfMemory::None if death.pressed && evidence.earlyoom => Cause::Earlyoom,
        OutOfMemory::None if death.pressed => Cause::HostMemory,
        OutOfMemory::None => Cause::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::deaths::record::tests::death;
    use ProcessEnd::{Exited, Signalled};

    fn ended(end: Option<ProcessEnd>) -> Death {
        Death { end, ..death(1) }
    }

    const LIVE: Evidence = Evidence {
        closed: false,
        server_runs: true,
        left_behind: false,
        stale_socket: false,
        earlyoom: false,
    };

    #[test]
    fn a_signal_that_cannot_be_refused_and_a_fault_kill_and_nothing_else_does() {
        let verdict = |end| of(&ended(Some(end)), LIVE);
        assert_eq!(verdict(Signalled(9)), Verdict::Killed(Cause::Signal));
        assert_eq!(verdict(Exited(137)), Verdict::Killed(Cause::Signal));
        for fault in [4, 6, 7, 11] {
            assert_eq!(verdict(Signalled(fault)), Verdict::Killed(Cause::Crash));
            assert_eq!(verdict(Exited(128 + fault)), Verdict::Killed(Cause::Crash));
        }
        for closing in
            [Exited(0), Signalled(1), Signalled(2), Signalled(15), Exited(143), Exited(130)]
        {
            assert_eq!(verdict(closing), Verdict::Closed, "{closing:?}");
        }
        for failed in [Exited(1), Exited(2), Exited(128), Exited(255)] {
            assert_eq!(verdict(failed), Verdict::Unclear, "{failed:?}");
        }
    }

    #[test]
    fn what_a_person_closed_stays_closed_however_it_ended() {
        let closed = Evidence { closed: true, left_behind: true, stale_socket: true, ..LIVE };
        for end in [None, Some(Signalled(9)), Some(Exited(0))] {
            assert_eq!(of(&ended(end), closed), Verdict::Closed);
            let server = Death { kind: Kind::Server, ..ended(end) };
            assert_eq!(of(&server, closed), Verdict::Closed);
        }
    }

    #[test]
    fn the_limit_that_was_reached_is_named() {
        for (out_of_memory, cause) in [
            (OutOfMemory::Pane, Cause::PaneLimit),
            (OutOfMemory::Slice, Cause::SliceLimit),
            (OutOfMemory::Host, Cause::HostMemory),
        ] {
            let death = Death { out_of_memory, ..ended(Some(Signalled(9))) };
            assert_eq!(of(&death, LIVE), Verdict::Killed(cause));
            let unseen = Death { end: None, ..death };
            assert_eq!(of(&unseen, LIVE), Verdict::Killed(cause));
        }
        let pressed = Death { pressed: true, ..ended(Some(Signalled(9))) };
        assert_eq!(of(&pressed, LIVE), Verdict::Killed(Cause::HostMemory));
        let earlyoom = Evidence { earlyoom: true, ..LIVE };
        assert_eq!(of(&pressed, earlyoom), Verdict::Killed(Cause::Earlyoom));
        assert_eq!(of(&ended(Some(Signalled(9))), earlyoom), Verdict::Killed(Cause::Signal));
    }

    #[test]
    fn a_request_to_end_is_a_persons_unless_memory_was_short_and_something_makes_room() {
        let earlyoom = Evidence { earlyoom: true, ..LIVE };
        for end in [Signalled(15), Exited(143)] {
            let pressed = Death { pressed: true, ..ended(Some(end)) };
            assert_eq!(of(&pressed, LIVE), Verdict::Closed);
            assert_eq!(of(&ended(Some(end)), earlyoom), Verdict::Closed);
            assert_eq!(of(&pressed, earlyoom), Verdict::Killed(Cause::Earlyoom));
        }
    }

    #[test]
    fn an_agent_that_was_hung_up_on_was_closed_unless_the_first_process_of_its_pane_was_killed() {
        for end in [Signalled(1), Exited(129), Exited(0)] {
            let with = |leader| of(&Death { leader, ..ended(Some(end)) }, LIVE);
            assert_eq!(with(None), Verdict::Closed);
            assert_eq!(with(Some(Signalled(1))), Verdict::Closed);
            assert_eq!(with(Some(Exited(0))), Verdict::Closed);
            assert_eq!(with(Some(Signalled(9))), Verdict::Killed(Cause::Signal));
        }
    }

    #[test]
    fn without_an_exit_status_only_what_a_kill_leaves_behind_counts() {
        assert_eq!(of(&ended(None), LIVE), Verdict::Unclear);
        let left = Evidence { left_behind: true, ..LIVE };
        assert_eq!(of(&ended(None), left), Verdict::Killed(Cause::Unknown));
        let server = Death { kind: Kind::Server, ..ended(None) };
        assert_eq!(of(&server, Evidence { stale_socket: false, ..LIVE }), Verdict::Closed);
        let stale = Evidence { stale_socket: true, ..LIVE };
        assert_eq!(of(&server, stale), Verdict::Killed(Cause::Unknown));
        assert_eq!(of(&ended(Some(Exited(0))), left), Verdict::Closed, "it ended by itself");
    }

    #[test]
    fn a_server_that_was_told_to_end_was_closed() {
        let server = |end| Death { kind: Kind::Server, ..ended(Some(end)) };
        assert_eq!(of(&server(Exited(0)), LIVE), Verdict::Closed);
        assert_eq!(of(&server(Signalled(15)), LIVE), Verdict::Closed);
        assert_eq!(of(&server(Signalled(9)), LIVE), Verdict::Killed(Cause::Signal));
        assert_eq!(of(&server(Signalled(11)), LIVE), Verdict::Killed(Cause::Crash));
    }
}
