//! The user's side: makes, lists and removes the backups of the caller's own instance.

mod attachments;
mod database;
mod error;
mod make;
mod shelf;
mod single_files;

pub use error::UserError;
pub use make::{Order, make};
pub use shelf::Shelf;

use super::protocol::{Answer, Request};
use crate::t3::state_dir;

/// Answers one request.
pub fn answer(request: &Request) -> Answer {
    let done = match request {
        Request::Make { place, id, limits, protected, now } => open(place).and_then(|shelf| {
            let base = state_dir::open_base()?.ok_or(UserError::NoData)?;
            let order = Order { id, limits, protected: protected.as_ref(), now: *now };
            make(&base, &shelf, &order).map(Answer::Made)
        }),
        Request::List { place } => open(place).and_then(|shelf| shelf.list()).map(Answer::Listed),
    };
    done.unwrap_or_else(|error| Answer::Failed { kind: error.kind(), message: error.to_string() })
}

fn open(place: &std::path::Path) -> Result<Shelf, UserError> {
    Ok(Shelf::open(place)?)
}
