//! Which agents of a plan start at once and which wait for Enter (pure).

use super::step::{Start, Step};
use crate::agent::launcher::is_told_to_wait;
use crate::agent::{self, Agent, Resumption};
use crate::persist::report::BudgetResult;
use crate::persist::restore_mode::{Mode, Pace, Settings, When};
use crate::snapshot::{Row, State};
use crate::sys::clock::Epoch;
use std::cmp::Reverse;

/// The memory budget of a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Memory for agents, in bytes; `None` if it is not known.
    pub memory: Option<u64>,
    /// The estimate for one agent, in bytes.
    pub agent: u64,
    pub pace: Pace,
}

/// The estimate for one agent with its helpers if none is live to be measured, in bytes (lesson 21).
pub const USUAL_AGENT: u64 = 550 << 20;

/// The budget of one user: the user's share of the host's memory, but at most what the user's own limits
/// leave. `live` is the memory of each live agent, in bytes.
#[must_use]
pub fn of_user(
    settings: &Settings,
    mode: Mode,
    available: shared::memory::Memory,
    mut live: Vec<u64>,
) -> Budget {
    live.sort_unstable();
    let agent = live.get(live.len() / 2).copied().unwrap_or(USUAL_AGENT).max(1);
    let host = settings.host.or(available.host);
    let shared = host.map(|host| settings.memory.of(host) / settings.users.max(1));
    let own = available.limit.map(|limit| settings.memory.of(limit));
    let memory = shared.map(|shared| own.map_or(shared, |own| own.min(shared)));
    // The estimate can be wrong, and other programs need memory, too: what the budget does not
    // include stays available. With `eager`, agents start for as long as one more fits.
    let available = host.map(|host| available.limit.map_or(host, |limit| limit.min(host)));
    let floor = available.map(|available| match mode {
        Mode::Eager => agent,
        Mode::Auto | Mode::Lazy => agent.max(available - settings.memory.of(available)),
    });
    Budget { memory, agent, pace: Pace { at_once: settings.at_once.max(1), floor } }
}

/// Whether a pane waited for Enter when it was last seen. If it was lost since, its command line shows it.
fn waited(row: &Row) -> bool {
    let command = row.command.as_deref().unwrap_or_default();
    match row.state {
        State::Suspended => true,
        State::Lost => {
            let words: Vec<_> = command.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
            is_told_to_wait(&words)
        }
        State::Live | State::Shell => false,
    }
}

/// Whether the agent of a step is started, by itself or on demand.
pub fn is_candidate(step: &Step) -> bool {
    step.selected && matches!(step.start, Start::Agent { .. })
}

/// Whether the agent of a step can start beside the others of its directory: one that begins a conversation
/// may make others of its kind lose theirs.
fn is_alone(steps: &[Step], at: usize) -> bool {
    let Start::Agent { agent, resumption: Resumption::StartAnew, .. } = &steps[at].start else {
        return true;
    };
    let row = &steps[at].row;
    let is_beside = |(other, step): (usize, &Step)| {
        other != at && step.row.agent == row.agent && step.row.cwd == row.cwd
    };
    let starts_alone = agent::by_name(agent.as_bytes()).is_some_and(Agent::starts_alone);
    !starts_alone || !steps.iter().enumerate().any(is_beside)
}

/// Decides for each agent of a plan when it starts. `used` returns the last activity of its
/// conversation. `None` without agents to start.
pub fn decide(
    steps: &mut [Step],
    mode: Mode,
    budget: &Budget,
    used: impl Fn(&Step) -> Option<Epoch>,
) -> Option<BudgetResult> {
    let mut candidates: Vec<usize> =
        (0..steps.len()).filter(|&at| is_candidate(&steps[at])).collect();
    if candidates.is_empty() {
        return None;
    }
    // A stable sort: agents with the same last activity keep the order of the plan.
    candidates.sort_by_cached_key(|&at| Reverse(used(&steps[at])));
    let affordable = budget.memory.unwrap_or(0) / budget.agent;
    let (mut eager, mut lazy) = (0, 0);
    for at in candidates {
        let is_alone = is_alone(steps, at);
        let step = &mut steps[at];
        let why = match mode {
            _ if !is_alone => Some(
                "waits for Enter: its start would lose the conversations of others in its directory \
                 that have no prompt yet",
            ),
            Mode::Lazy => Some("waits for Enter"),
            Mode::Auto if waited(&step.row) => Some("waited for Enter before"),
            Mode::Auto if budget.memory.is_none() => {
                Some("waits for Enter: the available memory is not known")
            }
            Mode::Auto if eager >= affordable => {
                Some("waits for Enter: the memory budget is used up")
            }
            Mode::Eager | Mode::Auto => None,
        };
        step.when = Some(why.map_or(When::Now(budget.pace), |_| When::OnDemand));
        *if why.is_some() { &mut lazy } else { &mut eager } += 1;
        if let Some(why) = why {
            let semicolon = if step.reason.is_empty() { "" } else { "; " };
            step.reason = format!("{}{semicolon}{why}", step.reason);
        }
    }
    let auto = mode == Mode::Auto;
    Some(BudgetResult {
        mode,
        eager,
        lazy,
        memory: budget.memory.filter(|_| auto),
        agent: auto.then_some(budget.agent),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::ConversationId;
    use crate::persist::restore::step::Action;
    use crate::persist::restore_mode::Memory;
    use proptest::prelude::*;
    use shared::memory;

    const PACE: Pace = Pace { at_once: 2, floor: Some(7) };

    prop_compose! {
        fn step()(selected: bool, shell: bool, waited: bool, used in proptest::option::of(0_u64..5), n: u8)
            -> (Step, Option<Epoch>)
        {
            let id = format!("0d0a8f5e-0000-4000-8000-{n:012}");
            let id = ConversationId::parse(id.as_bytes()).unwrap();
            let agent = Start::Agent { agent: "claude".to_owned(), id, resumption: Resumption::Resume };
            let state = if waited { State::Suspended } else { State::Live };
            // Where it is kept for the test: the window's number.
            let window = used.map_or(0, |used| u32::try_from(used).unwrap() + 1);
            let step = Step {
                row: Row { state, window, ..Row::default() },
                action: Action::New,
                target: vec![],
                origin: None,
                selected,
                reason: String::new(),
                start: if shell { Start::Shell } else { agent },
                closed: None,
                directory_hangs: false,
                deferred: false,
                is_impossible: false,
                has_directory: true,
                has_session_path: false,
                scrollback: None,
                when: None,
                note: None,
            };
            (step, used)
        }
    }

    fn used(step: &Step) -> Option<Epoch> {
        step.row.window.checked_sub(1).map(u64::from)
    }

    fn decided(steps: &[(Step, Option<Epoch>)], mode: Mode, budget: &Budget) -> Vec<Step> {
        let mut steps: Vec<Step> = steps.iter().map(|(step, _)| step.clone()).collect();
        let counts = decide(&mut steps, mode, budget, used);
        let count = |when: fn(&When) -> bool| {
            steps.iter().filter_map(|step| step.when.as_ref()).filter(|w| when(w)).count() as u64
        };
        let (eager, lazy) =
            (count(|when| *when == When::Now(PACE)), count(|when| *when == When::OnDemand));
        let counted = counts.map_or((0, 0), |counts| (counts.eager, counts.lazy));
        assert_eq!((eager, lazy), counted);
        steps
    }

    proptest! {
        #[test]
        fn auto_never_exceeds_its_budget_prefers_what_was_used_last_and_leaves_what_waited(
            steps in proptest::collection::vec(step(), 0..12),
            budget in proptest::option::of(0_u64..6_000), agent in 1_u64..1_500,
        ) {
            let limits = Budget { memory: budget, agent, pace: PACE };
            let decided = decided(&steps, Mode::Auto, &limits);
            let starts = |step: &&Step| step.when == Some(When::Now(PACE));
            let eager: Vec<&Step> = decided.iter().filter(starts).collect();
            let waits: Vec<&Step> = decided.iter().filter(|step| step.when == Some(When::OnDemand)).collect();
            prop_assert!(eager.len() as u64 * agent <= budget.unwrap_or(0));
            prop_assert!(eager.iter().all(|step| step.row.state != State::Suspended));
            let latest_waiting = waits.iter().filter(|s| s.row.state != State::Suspended).map(|s| used(s)).max();
            if let Some(latest) = latest_waiting {
                prop_assert!(eager.iter().all(|step| used(step) >= latest));
                // And nothing is left over that would have been enough for one more.
                prop_assert!((eager.len() as u64 + 1) * agent > budget.unwrap_or(0));
            }
            prop_assert!(waits.iter().all(|step| !step.reason.is_empty()));
            for step in &decided {
                prop_assert_eq!(step.when.is_some(), is_candidate(step));
            }
        }

        #[test]
        fn eager_starts_all_and_lazy_none(steps in proptest::collection::vec(step(), 0..12)) {
            let limits = Budget { memory: None, agent: 1, pace: PACE };
            for (mode, when) in [(Mode::Eager, When::Now(PACE)), (Mode::Lazy, When::OnDemand)] {
                for step in decided(&steps, mode, &limits) {
                    prop_assert_eq!(step.when, is_candidate(&step).then_some(when));
                }
            }
        }

        #[test]
        fn shares_of_all_users_never_exceed_the_hosts_budget_and_no_user_the_own_limit(
            host in proptest::option::of(any::<u64>()), limit in proptest::option::of(any::<u64>()),
            percent in 0_u8..=100, users in 1_u64..50,
            live in proptest::collection::vec(any::<u64>(), 0..9),
        ) {
            let memory = Memory::Percent(percent);
            let settings = Settings { memory, users, ..Settings::default() };
            let limits = of_user(&settings, Mode::Auto, memory::Memory { host, limit }, live.clone());
            prop_assert_eq!(limits.memory.is_some(), host.is_some());
            let budget = u128::from(limits.memory.unwrap_or(0));
            prop_assert!(budget * u128::from(users) <= u128::from(host.unwrap_or(0)) * u128::from(percent) / 100);
            prop_assert!(budget <= u128::from(limit.unwrap_or(u64::MAX)));
            prop_assert!(live.is_empty() && limits.agent == USUAL_AGENT || live.contains(&limits.agent) || limits.agent == 1);
            if let Some(floor) = limits.pace.floor {
                // What the budget leaves stays.
                prop_assert!(floor >= limits.agent);
                let available = limit.map_or(host.unwrap(), |limit| limit.min(host.unwrap()));
                prop_assert!(u128::from(floor) + (budget + 1) * u128::from(users) >= u128::from(available) || limit.is_some());
            }
        }
    }

    #[test]
    fn one_that_waited_when_it_was_lost_waited() {
        let row = |state, command: &[u8]| Row {
            state,
            command: Some(command.to_vec()),
            ..Row::default()
        };
        let waits = b"/usr/bin/start-claude\0--wait\0--resume\0x\0";
        assert!(waited(&row(State::Suspended, b"")) && waited(&row(State::Lost, waits)));
        assert!(!waited(&row(State::Lost, b"claude\0--wait\0")));
        assert!(!waited(&row(State::Lost, b"start-claude\0--name\0--wait\0")));
    }

    #[test]
    fn what_root_saw_before_anybody_began_is_what_is_shared() {
        let settings = Settings { users: 4, host: Some(8000), ..Settings::default() };
        let available = memory::Memory { host: Some(100), limit: None };
        let limits = of_user(&settings, Mode::Auto, available, vec![3, 900, 7]);
        assert_eq!((limits.memory, limits.agent), (Some(1000), 7));
        assert_eq!(limits.pace, Pace { at_once: 2, floor: Some(4000) });
    }
}
