//! The transcripts that are on disk.

use crate::agent::conversation::ConversationId;
use crate::sys::Dir;
use std::ffi::OsStr;
use std::ops::ControlFlow;

/// One transcript, where it lies.
#[derive(Debug)]
pub struct Stored<'a> {
    pub dir: &'a Dir,
    pub file: &'a OsStr,
    pub id: ConversationId,
}

/// What is done with each transcript, which says whether to go on.
pub type Visit<'a> = dyn FnMut(&Stored<'_>) -> ControlFlow<()> + 'a;
