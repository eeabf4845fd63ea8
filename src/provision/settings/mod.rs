//! Site values of `provision`, checked as they are read: the table `[provision]` (pure).

pub mod agents;
pub mod backup;
pub mod browser;
pub mod closed_tree;
pub mod cluster;
pub mod code;
mod invalid;
pub mod repository;
pub mod roster_repository;
pub mod servers;
pub mod staged;
pub mod values;

pub use invalid::Invalid;

use crate::offboard;
use crate::roster::groups::TierGroups;
use crate::roster::ports::Ranges;

/// Default of `max_cut_percent`: a larger share of the users is not cut at once.
pub const MAX_CUT_PERCENT: u8 = 20;

/// Site values that a plan follows from.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where new ports come from.
    pub ranges: Ranges,
    /// The groups of each tier.
    pub groups: TierGroups,
    /// Maximum share, in percent, of the applied roster's users that one plan may cut.
    pub max_cut_percent: u8,
    /// The shell of new accounts.
    pub shell: String,
    /// The directory that homes are in.
    pub home_base: String,
    /// The lowest uid of a person (`UID_MIN` of login.defs).
    pub uid_min: u32,
    /// The highest uid of a person (`UID_MAX`).
    pub uid_max: u32,
    pub code: code::Settings,
    pub agents: agents::Settings,
    pub cluster: cluster::Settings,
    pub browser: browser::Settings,
    /// Whether older units and processes of users that hold these users' ports are named.
    pub name_old_units: bool,
    pub closed_trees: Vec<closed_tree::ClosedTree>,
    /// Secrets for the environments of users' agents.
    pub secrets: Vec<staged::StagedSecret>,
    /// Users' logins at a forge.
    pub git: Option<staged::Git>,
    pub offboard: offboard::Settings,
}
