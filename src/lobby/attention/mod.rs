//! What a person is to notice: notifications to their browsers (Web Push), what they have opened, and what happened
//! while they were away.

mod away;
mod devices;
mod due;
mod keys;
mod looks;
mod message;
mod person;
mod push;
mod watch;

pub use away::{Away, Happened};
pub use devices::{NewDevice, ShownDevice};
pub use looks::Looking;
pub use person::Attention;
pub use watch::watch;
