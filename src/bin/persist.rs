//! `persist`: saves and restores tmux sessions with the agent conversations in them.

fn main() -> std::process::ExitCode {
    terminal_lobby::cli::persist()
}
