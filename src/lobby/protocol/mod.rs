//! What the page and the lobby say to each other (pure): JSON for what is rare, binary for what is typed and
//! printed.

pub mod attention;
pub mod conversation;
pub mod files;
pub mod layout;
pub mod people;
pub mod restore;
pub mod search;
pub mod sessions;
pub mod terminal;
pub mod wake;
