//! A stub of a coding agent, for what does not need the real ones: what a keeper of sessions sees of
//! the agent whose name it has: Claude Code, Codex, Copilot CLI, ... . `tests/agents/` runs the real ones.
//!
//! It resumes and forks as they do, keeps the live record or the lock, writes transcripts, and notes
//! each start as a line of JSON in `$STUB_LOG` (else `~/agent.log`): `pid cwd argv env`, and then each
//! conversation that it is on: `pid conversation prompted`. On its terminal it takes `/exit`, `/clear` (a new conversation), `/die` (exit code 7); any other line is a
//! prompt. In the environment: `STUB_PROMPTED` (a prompt at the start), `STUB_VERSION`,
//! `STUB_NO_RECORD`, `STUB_OLD_RECORD` (without `procStart`), `STUB_STALE_RECORD` (`/clear` leaves it
//! as it is), `STUB_KIND`, `STUB_ENTRYPOINT`, `STUB_TMUX`
//! (those fields), `STUB_LATE` (milliseconds before the record is there); of Codex `STUB_DAEMON` (it holds no files),
//! `STUB_TITLE` (the thread's id is the pane's title). With `STUB_SCREEN` it draws an input line as the real one
//! does; then `/status busy` (or `waiting`, `idle`) changes what it does, `/background` starts a
//! program, `/again` draws the input line with nothing typed. `STUB_MEMORY` (MiB that it takes), `STUB_TOOLS` (a server of a tool, started at
//! once), `STUB_ENDS` (exit code after a signal), `STUB_STAYS` (signals do not end it).
#![allow(clippy::disallowed_methods, reason = "it stands for a program of others")]
#![allow(clippy::print_stdout, reason = "it talks to a terminal")]
#![allow(clippy::unwrap_used, reason = "what it cannot do ends it")]
#![allow(clippy::exit, reason = "a signal ends it")]

mod claude;
mod codex;
mod others;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

fn main() {
    let mut signals = nix::sys::signal::SigSet::empty();
    signals.add(nix::sys::signal::Signal::SIGHUP);
    signals.add(nix::sys::signal::Signal::SIGTERM);
    signals.thread_block().unwrap();
    let mut argv: Vec<String> =
        std::env::args_os().map(|word| word.to_string_lossy().into()).collect();
    // pi loses its arguments.
    argv.extend(
        variable("STUB_ARGUMENTS").iter().flat_map(|words| words.split(' ')).map(Into::into),
    );
    let name = Path::new(&argv[0]).file_name().unwrap().to_string_lossy().into_owned();
    log_start(&argv);
    let agent = match name.as_str() {
        name if name.starts_with("codex") => codex::start(&argv),
        name if others::NAMES.contains(&name) => others::start(name, &argv),
        _ => claude::start(&argv),
    };
    let Some(mut agent) = agent else { std::process::exit(1) };
    let record = agent.record();
    std::thread::spawn(move || {
        let mut signal = signals.wait().unwrap();
        while variable("STUB_STAYS").is_some() {
            signal = signals.wait().unwrap();
        }
        let _ = record.map(std::fs::remove_file);
        let code = variable("STUB_ENDS").map(|code| code.parse().unwrap());
        std::process::exit(code.unwrap_or(128 + signal as i32));
    });
    let memory: usize = variable("STUB_MEMORY").map_or(0, |text| text.parse().unwrap());
    let memory = vec![1_u8; memory << 20];
    std::hint::black_box(&memory);
    let _tool = variable("STUB_TOOLS").map(|_| {
        let mut tool = std::process::Command::new("cat");
        tool.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        tool.spawn().unwrap()
    });
    println!("AGENT {name} {}", agent.conversation());
    log_conversation(agent.as_ref());
    draw(agent.as_ref());
    let code = converse(agent.as_mut());
    let _ = agent.record().map(std::fs::remove_file);
    std::process::exit(code);
}

/// A running agent.
trait Agent {
    fn conversation(&self) -> String;
    /// Whether that has a transcript.
    fn is_prompted(&self) -> bool;
    /// The file that it removes as it ends.
    fn record(&self) -> Option<PathBuf>;
    fn prompt(&mut self, text: &str);
    fn new_conversation(&mut self);
    /// Records that it is `idle`, `busy` or `waiting` now.
    fn set_status(&mut self, status: &str) {
        let _ = status;
    }
    /// An input line with nothing in it: text above it, the line itself, text below it.
    fn input_line(&self) -> [&'static str; 3] {
        ["", "> ", "\n"]
    }
}

/// Draws the input line, and puts the cursor into it.
fn draw(agent: &dyn Agent) {
    if variable("STUB_SCREEN").is_none() {
        return;
    }
    let [above, line, below] = agent.input_line();
    print!("{above}{line}\n{below}\x1b[2A\x1b[3G");
    std::io::stdout().flush().unwrap();
}

fn converse(agent: &mut dyn Agent) -> i32 {
    for line in std::io::stdin().lines() {
        match line.unwrap_or_default().as_str() {
            "/exit" => return 0,
            "/die" => return 7,
            "/clear" | "/new" => agent.new_conversation(),
            "/background" => {
                drop(std::process::Command::new("sleep").arg("1000").spawn().unwrap());
            }
            "" | "/again" => {}
            text => match text.strip_prefix("/status ") {
                Some(status) => agent.set_status(status),
                None => agent.prompt(text),
            },
        }
        if variable("STUB_SCREEN").is_some() {
            println!("\n");
        }
        log_conversation(agent);
        draw(agent);
    }
    0
}

fn log_conversation(agent: &dyn Agent) {
    let line = serde_json::json!({
        "pid": std::process::id(),
        "conversation": agent.conversation(),
        "prompted": agent.is_prompted(),
    });
    append(&log(), &line.to_string());
}

fn log_start(argv: &[String]) {
    let environment: serde_json::Map<String, serde_json::Value> = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into(), value.to_string_lossy().into()))
        .collect();
    let line = serde_json::json!({
        "pid": std::process::id(),
        "cwd": cwd(),
        "argv": argv,
        "env": environment,
    });
    append(&log(), &line.to_string());
}

fn log() -> PathBuf {
    variable("STUB_LOG").map_or_else(|| home().join("agent.log"), PathBuf::from)
}

fn append(file: &Path, line: &str) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(file).unwrap();
    file.write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn home() -> PathBuf {
    variable("HOME").map_or_else(|| "/".into(), PathBuf::from)
}

fn cwd() -> String {
    std::env::current_dir().map_or_else(|_| "/".into(), |cwd| cwd.to_string_lossy().into())
}

/// The value of `--name VALUE` or `--name=VALUE`.
fn value(argv: &[String], names: &[&str]) -> Option<String> {
    let mut words = argv.iter().skip(1);
    while let Some(word) = words.next() {
        if names.contains(&word.as_str()) {
            return Some(words.next().cloned().unwrap_or_default());
        }
        let joined = word.split_once('=').filter(|(name, _)| names.contains(name));
        if let Some((_, value)) = joined {
            return Some(value.to_owned());
        }
    }
    None
}

fn is_id(word: &str) -> bool {
    let hyphen = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    word.len() == 36
        && word
            .bytes()
            .enumerate()
            .all(|(at, byte)| if hyphen(at) { byte == b'-' } else { byte.is_ascii_hexdigit() })
}

/// A random UUID; `ordered` of version 7, by its time.
fn new_id(ordered: bool) -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/uuid").unwrap();
    let random = text.trim().to_owned();
    if !ordered {
        return random;
    }
    let time =
        format!("{:012x}", SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis());
    format!("{}-{}-7{}", &time[..8], &time[8..], &random[15..])
}
