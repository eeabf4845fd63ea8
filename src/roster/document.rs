//! A roster with the places of its rows (pure).

use super::row::Roster;
use crate::yaml::problem::{Place, Problem};
use std::collections::BTreeMap;
use std::ops::Range;

/// A roster with the places of its rows.
#[derive(Debug, Default)]
pub struct Document {
    pub roster: Roster,
    /// Fields that were passed over.
    pub warnings: Vec<Problem>,
    pub(super) rows: BTreeMap<String, RowPlace>,
    pub(super) users: Users,
}

/// The place of a row in the text.
#[derive(Debug)]
pub(super) struct RowPlace {
    /// The place of its key.
    pub(super) place: Place,
    /// From its key to the end of its last value.
    pub(super) span: Range<usize>,
}

/// How the table of users is written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Users {
    /// There is no key `users`.
    #[default]
    Absent,
    /// The key is there, with nothing or `{}` at these bytes.
    Empty(Range<usize>),
    /// One row below the other.
    Block,
    /// In braces.
    Flow,
}

impl Document {
    /// Where a user's row begins.
    pub fn place(&self, user: &str) -> Option<Place> {
        self.rows.get(user).map(|row| row.place)
    }

    /// Whether the text has a key `users`.
    pub fn has_users(&self) -> bool {
        self.users != Users::Absent
    }
}
