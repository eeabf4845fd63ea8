//! Why a step of a plan failed (pure).

/// Why a step of a plan failed. Text of tmux is not escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StepFailure {
    #[error("{0}")]
    Tmux(String),
    #[error("unexpected reply from tmux: {0}")]
    UnexpectedReply(String),
    #[error("the window that it shows could not be created")]
    NoLinkedWindow,
    #[error("the session that it shares windows with could not be created")]
    NoGroupLeader,
    #[error("a hook or the configuration moved it to window {0}")]
    Moved(u32),
    /// A missing program, a hook or an option of the user's can end a new pane.
    #[error("its pane closed as soon as it was created")]
    ClosedAtOnce,
}
