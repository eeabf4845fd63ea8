//! Which agents are suspended: those that have been idle for longest first, never one that is used
//! (pure).

use crate::sys::clock::Epoch;
use std::cmp::Reverse;
use std::time::Duration;

/// An agent that runs in a pane, as far as it matters here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidate {
    /// When it was last used, in seconds since the epoch; `None` if that cannot be found out.
    pub idle_since: Option<Epoch>,
    /// The memory that it and what it started take, in bytes; `None` if it was not measured.
    pub memory: Option<u64>,
    /// Why it is not suspended, worst first.
    pub obstacles: Vec<Obstacle>,
}

/// Why an agent is not suspended. Names in it are escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    #[error("its conversation is unknown")]
    UnknownConversation,
    #[error("its conversation is only a guess")]
    GuessedConversation,
    #[error("its conversation cannot be resumed: {0}")]
    NotResumable(String),
    #[error("its session is excluded from saves")]
    NotSaved,
    #[error("{0} agents run in its pane")]
    Several(usize),
    #[error("it does not run in the foreground of its pane")]
    NotInForeground,
    #[error("{0} runs it, and would not go on as it is")]
    RunBy(String),
    #[error("{0} runs beside it in its pane")]
    Beside(String),
    #[error("it is working")]
    Working,
    #[error("it waits for an answer")]
    Asking,
    #[error("it does not show whether it is working")]
    UnknownState,
    #[error("{0} runs in its background")]
    BackgroundWork(String),
    #[error("its input line holds text that was not sent")]
    UnsentInput,
    #[error("its input line cannot be read")]
    UnknownInput,
    #[error("a client is attached to its session")]
    Attached,
    #[error("it is marked with @persist keep")]
    Kept,
}

impl Obstacle {
    /// Whether an agent that a person names is suspended in spite of it. Nothing is that would lose a
    /// conversation, or end what is not the agent's.
    #[must_use]
    pub fn yields_to_force(&self) -> bool {
        match self {
            Self::UnknownConversation
            | Self::GuessedConversation
            | Self::NotResumable(_)
            | Self::NotSaved
            | Self::Several(_)
            | Self::NotInForeground
            | Self::RunBy(_)
            | Self::Beside(_) => false,
            Self::Working
            | Self::Asking
            | Self::UnknownState
            | Self::BackgroundWork(_)
            | Self::UnsentInput
            | Self::UnknownInput
            | Self::Attached
            | Self::Kept => true,
        }
    }
}

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How long an agent must have been idle.
    pub older_than: Duration,
    /// How much memory is to be given back, in bytes; `None` for as much as possible.
    pub need: Option<u64>,
}

/// What becomes of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    Suspend,
    Leave(Obstacle),
    /// It was used too recently, or it is not known when.
    Recent,
    /// Others give back enough.
    NotNeeded,
}

/// Chooses among agents: a choice for each, and the places of the chosen ones in the order in which they are to be
/// suspended, the one that has been idle for longest first.
#[must_use]
pub fn choose(candidates: &[Candidate], now: Epoch, policy: &Policy) -> (Vec<Choice>, Vec<usize>) {
    let mut choices: Vec<Choice> =
        candidates.iter().map(|one| first_choice(one, now, policy)).collect();
    let mut eligible: Vec<usize> =
        (0..choices.len()).filter(|&at| choices[at] == Choice::Suspend).collect();
    let memory = |at: usize| candidates[at].memory.unwrap_or(0);
    // Of those with the same time, the largest.
    eligible.sort_by_key(|&at| (candidates[at].idle_since, Reverse(memory(at))));
    let mut given_back: u64 = 0;
    let mut chosen = Vec::new();
    for at in eligible {
        if policy.need.is_some_and(|need| given_back >= need) {
            choices[at] = Choice::NotNeeded;
        } else {
            given_back = given_back.saturating_add(memory(at));
            chosen.push(at);
        }
    }
    (choices, chosen)
}

fn first_choice(candidate: &Candidate, now: Epoch, policy: &Policy) -> Choice {
    if let Some(obstacle) = candidate.obstacles.first() {
        return Choice::Leave(obstacle.clone());
    }
    let idle = candidate.idle_since.and_then(|since| now.checked_sub(since));
    match idle {
        Some(idle) if idle >= policy.older_than.as_secs() => Choice::Suspend,
        _ => Choice::Recent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn obstacle() -> impl Strategy<Value = Obstacle> {
        prop_oneof![
            Just(Obstacle::Working),
            Just(Obstacle::Asking),
            Just(Obstacle::UnsentInput),
            Just(Obstacle::Attached),
            Just(Obstacle::Kept),
            Just(Obstacle::BackgroundWork("x".to_owned())),
            Just(Obstacle::NotResumable("x".to_owned())),
        ]
    }

    prop_compose! {
        fn candidate()(
            idle_since in proptest::option::of(0_u64..1200),
            memory in proptest::option::of(0_u64..1000),
            obstacles in proptest::collection::vec(obstacle(), 0..2),
        ) -> Candidate {
            Candidate { idle_since, memory, obstacles }
        }
    }

    prop_compose! {
        fn policy()(older_than in 0_u64..1200, need in proptest::option::of(0_u64..3000)) -> Policy {
            Policy { older_than: Duration::from_secs(older_than), need }
        }
    }

    const NOW: Epoch = 1000;

    fn idle(candidate: &Candidate) -> Option<u64> {
        NOW.checked_sub(candidate.idle_since?)
    }

    proptest! {
        #[test]
        fn none_that_has_an_obstacle_or_was_used_recently_is_chosen(
            candidates in proptest::collection::vec(candidate(), 0..12), policy in policy(),
        ) {
            let (choices, chosen) = choose(&candidates, NOW, &policy);
            prop_assert_eq!(choices.len(), candidates.len());
            for at in chosen {
                prop_assert_eq!(&choices[at], &Choice::Suspend);
                prop_assert!(candidates[at].obstacles.is_empty());
                prop_assert!(idle(&candidates[at]).unwrap() >= policy.older_than.as_secs());
            }
        }

        #[test]
        fn those_idle_for_longest_come_first_and_none_waits_that_was_idle_longer(
            candidates in proptest::collection::vec(candidate(), 0..12), policy in policy(),
        ) {
            let (choices, chosen) = choose(&candidates, NOW, &policy);
            let since = |at: &usize| candidates[*at].idle_since.unwrap();
            prop_assert!(chosen.is_sorted_by_key(since));
            let latest = chosen.iter().map(since).max();
            let not_needed = (0..candidates.len()).filter(|at| choices[*at] == Choice::NotNeeded);
            for at in not_needed {
                prop_assert!(Some(since(&at)) >= latest);
            }
        }

        #[test]
        fn as_many_as_needed_are_chosen_and_no_more(
            candidates in proptest::collection::vec(candidate(), 0..12), policy in policy(),
        ) {
            let (choices, chosen) = choose(&candidates, NOW, &policy);
            let memory = |ats: &[usize]| -> u64 {
                ats.iter().map(|at| candidates[*at].memory.unwrap_or(0)).sum()
            };
            let is_left = choices.contains(&Choice::NotNeeded);
            if let Some(need) = policy.need {
                let enough = memory(&chosen) >= need;
                prop_assert!(enough || !is_left, "one was left that was needed");
                if let Some((_, before)) = chosen.split_last() {
                    prop_assert!(memory(before) < need, "the last one was not needed");
                }
            } else {
                prop_assert!(!is_left);
            }
        }

        #[test]
        fn the_order_of_the_agents_does_not_matter(
            candidates in proptest::collection::vec(candidate(), 0..8), policy in policy(),
        ) {
            let names = |candidates: &[Candidate]| -> Vec<(Option<u64>, Option<u64>)> {
                let (_, chosen) = choose(candidates, NOW, &policy);
                chosen.iter().map(|at| (candidates[*at].idle_since, Some(candidates[*at].memory.unwrap_or(0)))).collect()
            };
            let mut other = candidates.clone();
            other.reverse();
            prop_assert_eq!(names(&candidates), names(&other));
        }
    }

    #[test]
    fn nothing_that_loses_a_conversation_yields_to_force() {
        for lasting in [
            Obstacle::UnknownConversation,
            Obstacle::GuessedConversation,
            Obstacle::NotResumable(String::new()),
            Obstacle::NotSaved,
            Obstacle::Beside("make".to_owned()),
            Obstacle::RunBy("ssh".to_owned()),
        ] {
            assert!(!lasting.yields_to_force(), "{lasting}");
        }
        assert!(Obstacle::Working.yields_to_force() && Obstacle::Kept.yields_to_force());
    }
}
