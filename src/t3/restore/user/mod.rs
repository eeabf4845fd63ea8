//! The user's side of a restore.

mod prepare;
mod swap;

pub use prepare::{Order, prepare};
pub use swap::{set_aside, swap};

use super::protocol::{Answer, Request, is_stamp};
use crate::sys::Dir;
use crate::t3::backup::user::{Shelf, UserError};
use crate::t3::state_dir;

/// Answers one request.
pub fn answer(request: &Request) -> Answer {
    match perform(request) {
        Ok(answer) => answer,
        Err(error) => Answer::Failed { kind: error.kind(), message: error.to_string() },
    }
}

fn perform(request: &Request) -> Result<Answer, UserError> {
    match request {
        Request::Prepare { place, id, what, stamp, sha256, seconds, keep_free_bytes } => {
            check(stamp)?;
            let order = Order {
                id,
                what: *what,
                stamp,
                sha256: sha256.as_deref(),
                seconds: *seconds,
                keep_free_bytes: *keep_free_bytes,
            };
            prepare(&base()?, &Shelf::open(place)?, &order)?;
            Ok(Answer::Done)
        }
        Request::Swap { from, stamp } => {
            check(stamp)?;
            swap(&base()?, from, stamp)?;
            Ok(Answer::Done)
        }
        Request::SetAside => Ok(Answer::SetAside(set_aside(&base()?)?)),
    }
}

/// The base directory; it is made (0700) if it is absent.
fn base() -> Result<Dir, UserError> {
    Ok(state_dir::ensure_base()?)
}

fn check(stamp: &str) -> Result<(), UserError> {
    if is_stamp(stamp) {
        return Ok(());
    }
    Err(UserError::Unusable { path: stamp.into(), why: "no stamp".to_owned() })
}
