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

/// Every so many points of a campaign of kills: `TL_T3_STEP` of the long campaign is 1.
fn step(short: usize) -> usize {
    std::env::var("TL_T3_STEP").ok().and_then(|step| step.parse().ok()).unwrap_or(short)
}
