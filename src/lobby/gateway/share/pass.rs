//! Whether what is open may go on.

use crate::gateway::open::{Pass, Via};
use crate::gateway::people::who;
use crate::gateway::state::Gateway;
use crate::gateway::t3::{Service, T3};
use terminal_lobby::sys::clock;

/// Whether a person may still have what a pass gives.
pub(crate) fn may_pass(gateway: &Gateway, pass: &Pass) -> bool {
    let known = gateway.people.now();
    let goes_on = || who::may_go_on(gateway, &known, &pass.person);
    let (owner, person) = (&pass.target, &pass.person.user);
    match &pass.via {
        Via::Own => goes_on(),
        Via::Look => goes_on() && known.is_admin(person) && known.is_user(owner),
        Via::T3(instance) => {
            let is_served = |t3: &T3| {
                t3.tables.now().service(&pass.person) == Service::Served(instance.clone())
            };
            goes_on() && gateway.t3.as_ref().is_some_and(is_served)
        }
        Via::Share => {
            goes_on() && known.is_user(owner) && gateway.index.shares(owner, person, clock::now())
        }
        Via::Link { hash, is_known, .. } => {
            let is_person =
                if *is_known { goes_on() } else { gateway.settings.links_without_login };
            is_person
                && known.is_user(owner)
                && gateway.index.owner_of_link(hash, clock::now()).as_ref() == Some(owner)
        }
    }
}
