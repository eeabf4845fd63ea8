//! The launcher's one pipeline: when, where, up to date, which conversation, the agent, its end.
#![allow(clippy::disallowed_methods, reason = "this process becomes itself, with other options")]

use crate::agent::environment::Variables;
use crate::agent::turn::{self, Turn};
use crate::agent::{self, Agent, Conversation, environment, first_run};
use crate::config::{self, Config};
use crate::options::Options;
use crate::persist::{self, Answer};
use crate::process::agent::{self as child, End};
use crate::process::{login_shell, program};
use crate::terminal::say::say;
use crate::terminal::wait::{self, Wish};
use crate::terminal::{Terminal, scrollback};
use crate::{freshening, tmux_session};
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// When this program is gone from its pane, or is a shell there, seconds after the agent's end.
const GONE: u64 = 1;

/// Runs what the options ask for. Whatever goes wrong, the user gets an agent or a shell.
pub fn launch(options: &Options) -> ExitCode {
    if let Some(file) = &options.show {
        scrollback::print(file);
    }
    if let Some(note) = &options.note {
        say(&note.to_string_lossy());
    }
    if options.shell {
        return login_shell::become_login_shell();
    }
    if options.program {
        return program::run_then_shell(&options.arguments);
    }
    let home = home();
    let config::Loaded { config, warnings } = config::load(&home);
    for warning in &warnings {
        say(warning);
    }
    let name =
        options.agent.as_ref().map_or(config.agent.clone().into(), |name| name.to_string_lossy());
    let Some((_, agent)) = config.agents.iter().find(|(known, _)| *known == name) else {
        let source = if options.agent.is_some() { "--agent" } else { "the configured agent" };
        say(&format!("{source} {name}: not a known agent"));
        return login_shell::become_login_shell();
    };
    if options.wait {
        match wait::wait(&name, options) {
            // Who looks at this process must not take it for one that still waits.
            Wish::Start => start_over(&options.woken()),
            Wish::Close => return close(options, &name),
            Wish::Gone => return ExitCode::FAILURE,
        }
    }
    let turn = match turn::take(options).map_err(|why| options.waiting(&why)) {
        // One that cannot start over starts all the same.
        _ if options.wait => None,
        Ok(turn) => Some(turn),
        Err(waiting) => {
            start_over(&waiting);
            return launch(&waiting);
        }
    };
    // Not before the wait: a session may be renamed meanwhile, and what waits is to be small.
    let asked = options.name.is_none().then(tmux_session::ask).flatten();
    let mut variables = environment::agent_env(&config.agent_env).unwrap_or_else(|why| {
        say(&why);
        Vec::new()
    });
    variables.push(("PATH".into(), environment::path(&home, &variables)));
    let conversation = match settle(options, &config, (&name, agent), &variables) {
        Ok(conversation) => conversation,
        Err(why) => {
            say(&why);
            return login_shell::become_login_shell();
        }
    };
    if config.freshen && !options.no_freshen {
        freshening::freshen(options.code_dir.as_deref().unwrap_or(&config.code_dir), &config);
    }
    if name == "claude" {
        first_run::keep_onboarded(&home);
    }
    let session = options.name.clone().or_else(|| asked?.answer());
    let session = session.as_deref();
    let run = Run { options, config: &config, home: &home, name: &name, agent, session, variables };
    run.agent_to_its_end(&conversation, turn)
}

/// Becomes this program once more, with other options: its arguments say what it does. Comes back
/// when that fails.
fn start_over(options: &Options) {
    let own_name = std::env::args_os().next().unwrap_or_else(|| "start-claude".into());
    // The very program that runs, even when another has been installed in its place since.
    let error = std::process::Command::new("/proc/self/exe")
        .arg0(own_name)
        .args(options.arguments())
        .exec();
    say(&format!("starting over: {error}"));
}

/// The directory of a new conversation, or the conversation's own; and how it is begun or resumed.
// A String: the sentence that the pane shows before its login shell.
fn settle(
    options: &Options,
    config: &Config,
    (name, agent): (&str, &Agent),
    variables: &Variables,
) -> Result<Conversation, String> {
    let Some(id) = &options.resume else {
        enter(options.code_dir.as_deref().unwrap_or(&config.code_dir), options.code_dir.is_some());
        return Ok(Conversation::New(options.session.clone().unwrap_or_else(agent::new_id)));
    };
    if let Some(transcript) = &options.transcript {
        return Ok(Conversation::ResumeTranscript(id.clone(), transcript.clone()));
    }
    let known = match persist::conversation(name, id) {
        Answer::Found(known) => known,
        Answer::Unknown => return Ok(Conversation::Resume(id.clone())),
        // Persist looked in the home: these agents are told to keep theirs elsewhere.
        Answer::Absent if environment::moves_agents(variables) => {
            return Ok(Conversation::Resume(id.clone()));
        }
        Answer::Absent if agent.takes_an_id() => {
            say(&format!("{} has no transcript: it begins anew under its id", id.display()));
            return Ok(Conversation::New(id.clone()));
        }
        Answer::Absent => {
            return Err(format!("{} has no transcript: it cannot be resumed", id.display()));
        }
    };
    let Some(cwd) = known.cwd else { return Ok(Conversation::Resume(id.clone())) };
    if std::env::set_current_dir(&cwd).is_ok() {
        return Ok(Conversation::Resume(id.clone()));
    }
    let gone = format!("its directory {} cannot be entered: resuming", cwd.display());
    if let Some(transcript) = known.transcript.filter(|_| !agent.resume_transcript.is_empty()) {
        say(&format!("{gone} by its transcript"));
        return Ok(Conversation::ResumeTranscript(id.clone(), transcript));
    }
    say(&format!("{gone} from here"));
    Ok(Conversation::Resume(id.clone()))
}

/// Enters the code directory, else the home; a directory that was asked for is missed aloud.
fn enter(code_dir: &Path, asked_for: bool) {
    if let Err(error) = std::env::set_current_dir(code_dir) {
        if asked_for {
            say(&format!("{}: {error}", code_dir.display()));
        }
        let _ = std::env::set_current_dir(home());
    }
}

/// `q` at `--wait`: what was here is closed on purpose.
fn close(options: &Options, name: &str) -> ExitCode {
    if let Some(id) = options.conversation() {
        persist::ended(name, Some(id), options.name.as_deref(), true, "closed while it waited");
    }
    ExitCode::SUCCESS
}

struct Run<'a> {
    options: &'a Options,
    config: &'a Config,
    home: &'a Path,
    name: &'a str,
    agent: &'a Agent,
    session: Option<&'a OsStr>,
    variables: Variables,
}

impl Run<'_> {
    fn agent_to_its_end(&self, conversation: &Conversation, turn: Option<Turn>) -> ExitCode {
        let argv = match self.agent.argv(conversation, self.session, &self.options.arguments) {
            Ok(argv) => argv,
            Err(why) => {
                say(&why);
                return login_shell::become_login_shell();
            }
        };
        let environment = self.environment();
        let terminal = Terminal::remember();
        let started = |pid| {
            self.tell_it_runs(conversation);
            if let Some(turn) = turn {
                turn.pass_on_when_ready(pid, self.agent.ready_file(self.home, pid));
            }
        };
        let mut end = child::run(&argv, &environment, started);
        if matches!(end, End::Missing) && self.install(&argv[0], &environment) {
            end = child::run(&argv, &environment, |_| self.tell_it_runs(conversation));
        }
        self.conclude(conversation, &end, &terminal)
    }

    /// Its conversation is known from now on: by its arguments, or from what it holds open once it
    /// has named the conversation itself.
    fn tell_it_runs(&self, conversation: &Conversation) {
        const NAMED: u64 = 2;
        persist::changed(if self.names_it_itself(conversation) { NAMED } else { 0 });
    }

    /// Whether an agent that takes no id names its new conversation.
    fn names_it_itself(&self, conversation: &Conversation) -> bool {
        matches!(conversation, Conversation::New(_)) && !self.agent.takes_an_id()
    }

    fn environment(&self) -> Variables {
        let mut variables = self.variables.clone();
        if self.config.telemetry_attributes {
            let user = nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
            let user = user.map_or_else(String::new, |user| user.name);
            variables.push(environment::telemetry(&user, self.session, &variables));
        }
        variables
    }

    /// Says how a missing agent is installed; does it where the configuration says so.
    fn install(&self, program: &OsStr, environment: &Variables) -> bool {
        let command = self.agent.install.join(" ");
        let Some(first) = self.agent.install.first() else {
            say(&format!("{} is not installed", program.display()));
            return false;
        };
        if !self.agent.install_missing {
            say(&format!("{} is not installed; install it with: {command}", program.display()));
            return false;
        }
        say(&format!("{} is not installed; running: {command}", program.display()));
        let argv: Vec<OsString> = self.agent.install.iter().map(OsString::from).collect();
        match child::run(&argv, environment, |_| {}) {
            End::Exited(0) => true,
            end => {
                say(&format!("{first} {end}"));
                false
            }
        }
    }

    /// Exit 0 closes; anything else is a loss and leaves a shell.
    fn conclude(&self, conversation: &Conversation, end: &End, terminal: &Terminal) -> ExitCode {
        let id = (!self.names_it_itself(conversation)).then(|| conversation.id());
        let closed = matches!(end, End::Exited(0));
        // Which conversation it was, the newest snapshot may know where we do not.
        if !matches!(end, End::Missing) && (id.is_some() || closed) {
            persist::ended(self.name, id, self.session, closed, &end.to_string());
        }
        if !matches!(end, End::Missing) {
            persist::changed(GONE);
        }
        match end {
            End::Exited(0) => return ExitCode::SUCCESS,
            End::ToldToEnd(signal) => return ExitCode::from(128 + *signal as u8),
            _ => {}
        }
        if terminal.is_there() {
            terminal.restore();
        }
        if !matches!(end, End::Missing) {
            say(&format!("{} {end}", self.name));
        }
        if let Some(id) = id {
            let agent = if self.name == "claude" {
                String::new()
            } else {
                format!("--agent {} ", self.name)
            };
            say(&format!("resume it with: start-claude {agent}--resume {}", id.display()));
        }
        login_shell::become_login_shell()
    }
}

fn home() -> PathBuf {
    let account = || nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    home.or_else(|| Some(account()?.dir)).unwrap_or_else(|| "/".into())
}
