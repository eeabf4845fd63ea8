//! Shares: sessions that other people of the host may watch or drive, and links to the text of a conversation.

mod file;
mod log;
mod shares;

pub use file::{Link, LinkWish, Share, ShareWish};
pub use shares::{Allowed, Changes, Event, Shares, hash};
