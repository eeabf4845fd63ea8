//! Who may use the page: a link that works once becomes a cookie; each request shows where it comes from.

pub mod attempts;
pub mod cookies;
pub mod device;
pub mod origin;
pub mod secret;
pub mod tickets;

pub use attempts::Attempts;
pub use cookies::{Login, Logins};
pub use origin::Origins;
pub use secret::Secret;
pub use tickets::Tickets;
