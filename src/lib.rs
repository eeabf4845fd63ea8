//! Keeps the tmux sessions and agent conversations of a shared development host.
