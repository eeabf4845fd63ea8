//! `provision`: from a roster to what follows from it.

fn main() -> std::process::ExitCode {
    terminal_lobby::cli::provision()
}
