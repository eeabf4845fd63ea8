//! How an agent says to the gateway that it is to run though no page is open (pure).

/// The header of the agent's answers. No browser gets it.
pub const WAKE: &str = "x-lobby-wake";
/// Its value if the agent is to be started with the host.
pub const WANTED: &str = "yes";
/// And if not.
pub const NOT_WANTED: &str = "no";
