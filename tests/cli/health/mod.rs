//! Whether saving works: `persist doctor` and `persist status`.

mod doctor;
mod status;
