//! `lobby`: the web page where a person sees, opens and restores tmux sessions.

fn main() -> std::process::ExitCode {
    lobby::run(std::env::args_os()).into()
}
