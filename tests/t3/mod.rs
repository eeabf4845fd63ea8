//! T3 Code: what its server does, as far as the suite has to know it. The server is a stand-in (`stand-in-t3`).

mod backup;
mod client;
mod enforce;
mod instance;
mod minting;
mod restore;
mod served;
mod transcripts;
mod watchdog;
