//! The order of effects: wait, take a turn, choose the conversation, update the clones, run the agent,
//! conclude.
#![allow(clippy::disallowed_methods, reason = "this process becomes itself, with other options")]

use crate::agent::environment::Variables;
use crate::agent::program::{self, Program};
use crate::agent::recorded::{Recorded, own_environment};
use crate::agent::refused::Question;
use crate::agent::turn::{self, Turn};
use crate::agent::{self, Agent, CommandError, Conversation, background, environment, first_run};
use crate::config::{self, Config};
use crate::options::Options;
use crate::persist::{self, Answer, Ended};
use crate::process::agent::{self as child, End};
use crate::process::program::run_then_shell;
use crate::process::{login_environment, login_shell, mounts, scope};
use crate::terminal::say::say;
use crate::terminal::wait::{self, Choice};
use crate::terminal::{Terminal, scrollback};
use crate::{tmux_session, update_clones};
use shared::escape::{io_reason, shown};
use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Seconds after the agent's end by which this program has left its pane, or has become a shell.
const GONE: u64 = 1;

/// An agent that ends so soon after its start has not worked.
const AT_ONCE: Duration = Duration::from_secs(1);
/// An agent that refuses an option has ended by then.
const REFUSED_WITHIN: Duration = Duration::from_secs(10);
/// Exit codes of programs that refuse an option.
const REFUSALS: [i32; 3] = [1, 2, 64];

/// Runs what the options ask for. On any error the user gets at least a shell.
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
    // Before any child.
    scope::wait();
    if options.program {
        return run_then_shell(&options.arguments, &home());
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
            // Whoever reads its arguments must not take this process for one that still waits.
            Choice::Start => start_over(&options.woken()),
            Choice::Close => return close(options, &name),
            Choice::Gone => return ExitCode::FAILURE,
        }
    }
    let turn = match turn::take(options).map_err(|error| options.waiting(&error.to_string())) {
        // One that could not start over starts anyway.
        _ if options.wait => None,
        Ok(turn) => Some(turn),
        Err(waiting) => {
            start_over(&waiting);
            return launch(&waiting);
        }
    };
    // After the wait: the session may be renamed meanwhile, and a launcher that waits should be small.
    let query = options.name.is_none().then(tmux_session::query_name).flatten();
    let (variables, program) = prepare(options, &config, &home, (&name, agent));
    let conversation = match settle(options, &config, (&name, agent), &variables) {
        Ok(conversation) => conversation,
        Err(error) => {
            say(&error.to_string());
            return login_shell::become_login_shell();
        }
    };
    if config.freshen && !options.no_freshen {
        update_clones::freshen(options.code_dir.as_deref().unwrap_or(&config.code_dir), &config);
    }
    if name == "claude" {
        let dir = environment::value(&variables, "CLAUDE_CONFIG_DIR").map(PathBuf::from);
        first_run::keep_onboarded(&home, dir.as_deref());
    }
    let session = options.name.clone().or_else(|| query?.answer());
    let session = session.as_deref();
    let (config, home, name) = (&config, &home, &name);
    let agent = agent.clone();
    let run = Run { options, config, home, name, agent, session, variables, program };
    run.run_agent(&conversation, turn)
}

/// The agent's environment and program. A restored agent gets the environment of the login shell, which a
/// tmux server that was started at boot does not have; so does one that is not found without.
fn prepare(
    options: &Options,
    config: &Config,
    home: &Path,
    (name, agent): (&str, &Agent),
) -> (Variables, Program) {
    let recorded = Recorded::read();
    let command = agent.command.first().map_or(OsStr::new(""), OsStr::new);
    let configured = environment::agent_env(&config.agent_env).unwrap_or_else(|error| {
        say(&error.to_string());
        Vec::new()
    });
    let with = |base: Variables| {
        let mut variables = base;
        variables.extend(configured.iter().cloned());
        variables.retain(|(name, _)| !recorded.absent.contains(name));
        variables.extend(recorded.variables.iter().cloned());
        let path = environment::path(&variables);
        let paths = (path.as_os_str(), recorded.path.as_deref());
        let mut program = program::choose(name, command, &options.seen, home, paths);
        if let Some((path, dead)) = environment::answering(&program.path) {
            for dir in dead {
                say(&format!("{} does not answer: left out of PATH", shown(&dir)));
            }
            program.path = path;
        }
        variables.push(("PATH".into(), program.path.clone()));
        (variables, program)
    };
    let own = own_environment();
    if !options.as_started {
        let (variables, program) = with(own.clone());
        if program.is_found() {
            return (variables, program);
        }
    }
    let (variables, program) = with(login_environment::ask(&own).unwrap_or_else(|why| {
        say(&format!("{why}: starting without the variables of your login shell"));
        own
    }));
    (variables, program.or_older(home))
}

/// Executes this program again with other options, so that its arguments show what it does. Returns
/// only on failure.
fn start_over(options: &Options) {
    let own_name = std::env::args_os().next().unwrap_or_else(|| "start-claude".into());
    // The program that runs now, even if another one has been installed in its place.
    let error = std::process::Command::new("/proc/self/exe")
        .arg0(own_name)
        .args(options.arguments())
        .exec();
    say(&format!("starting over: {}", io_reason(&error)));
}

/// A conversation that cannot be resumed.
#[derive(Debug, thiserror::Error)]
#[error("{} has no transcript and cannot be resumed", shown(.0))]
struct NoTranscript(OsString);

/// Enters the directory of the conversation, and decides whether to start or resume it.
fn settle(
    options: &Options,
    config: &Config,
    (name, agent): (&str, &Agent),
    variables: &Variables,
) -> Result<Conversation, NoTranscript> {
    let Some(id) = &options.resume else {
        enter(options.code_dir.as_deref().unwrap_or(&config.code_dir), options.code_dir.is_some());
        let id = options.session.clone().unwrap_or_else(agent::new_id);
        return Ok(match &options.fork_of {
            Some(parent) => Conversation::Fork(id, parent.clone()),
            None => Conversation::New(id),
        });
    };
    if let Some(transcript) = &options.transcript {
        return Ok(Conversation::ResumeTranscript(id.clone(), transcript.clone()));
    }
    // A restore has chosen the directory, to which the agent's own options may be relative.
    if options.as_started && options.was_in.is_none() {
        return Ok(Conversation::Resume(id.clone()));
    }
    let known = match persist::conversation(&options.persist, name, id) {
        Answer::Found(known) => known,
        Answer::Unknown => return Ok(Conversation::Resume(id.clone())),
        // Persist looked in the home; these agents keep their conversations elsewhere.
        Answer::Absent if environment::moves_agents(variables) => {
            return Ok(Conversation::Resume(id.clone()));
        }
        Answer::Absent if agent.takes_an_id() => {
            say(&format!(
                "{} has no transcript: starting a new conversation with its id",
                shown(id)
            ));
            return Ok(Conversation::New(id.clone()));
        }
        Answer::Absent => return Err(NoTranscript(id.clone())),
    };
    let Some(cwd) = known.cwd else { return Ok(Conversation::Resume(id.clone())) };
    let gone = match change_directory(&cwd) {
        Ok(()) => return Ok(Conversation::Resume(id.clone())),
        Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
            format!("its directory {} does not answer: resuming", shown(&cwd))
        }
        Err(_) => format!("cannot enter its directory {}: resuming", shown(&cwd)),
    };
    let transcript = known.transcript.filter(|_| !options.by_id);
    if let Some(transcript) = transcript.filter(|_| !agent.resume_transcript.is_empty()) {
        say(&format!("{gone} by its transcript"));
        return Ok(Conversation::ResumeTranscript(id.clone(), transcript));
    }
    say(&format!("{gone} from here"));
    Ok(Conversation::Resume(id.clone()))
}

/// Enters the code directory, else the home; reports an explicit directory that cannot be entered.
fn enter(code_dir: &Path, explicit: bool) {
    if let Err(error) = change_directory(code_dir) {
        let option = if explicit { "--code-dir " } else { "" };
        if explicit || error.kind() == std::io::ErrorKind::TimedOut {
            say(&format!("{option}{}: {}", shown(code_dir), io_reason(&error)));
        }
        let _ = change_directory(&home()).or_else(|_| std::env::set_current_dir("/"));
    }
}

/// Enters a directory, unless it is on a mount that does not answer.
fn change_directory(dir: &Path) -> std::io::Result<()> {
    if mounts::answers(&std::path::absolute(dir)?) {
        std::env::set_current_dir(dir)
    } else {
        Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "its mount does not answer"))
    }
}

/// Records that the user closed a pane that waited.
fn close(options: &Options, name: &str) -> ExitCode {
    if let Some(id) = options.conversation() {
        let session = options.name.as_deref();
        let reason = "closed while it waited";
        let ended = Ended { agent: name, id: Some(id), session, closed: true, reason };
        persist::ended(&options.persist, &ended);
    }
    ExitCode::SUCCESS
}

struct Run<'a> {
    options: &'a Options,
    config: &'a Config,
    home: &'a Path,
    name: &'a str,
    agent: Agent,
    session: Option<&'a OsStr>,
    variables: Variables,
    program: Program,
}

impl Run<'_> {
    fn run_agent(mut self, conversation: &Conversation, turn: Option<Turn>) -> ExitCode {
        let mut argv = match self.argv(conversation) {
            Ok(argv) => argv,
            Err(error) => {
                say(&error.to_string());
                return login_shell::become_login_shell();
            }
        };
        let environment = self.environment();
        let terminal = Terminal::remember();
        let started = |pid| {
            self.save_soon(conversation);
            if let Some(turn) = turn {
                turn.pass_on_when_ready(pid, self.agent.ready_file(self.home, pid));
            }
        };
        let file = self.program.file.as_deref();
        let mut begin = Instant::now();
        let mut end = child::run(file, &argv, &environment, started);
        if matches!(end, End::Missing) && self.install(&argv[0], &environment) {
            begin = Instant::now();
            end = child::run(file, &argv, &environment, |_| self.save_soon(conversation));
        }
        let is_early = begin.elapsed() < REFUSED_WITHIN;
        if is_early && matches!(end, End::Exited(code) if REFUSALS.contains(&code)) {
            let (words, environment) = (&self.program.words[..], &environment[..]);
            let question = Question { file, words, environment };
            if let Some((agent, refused)) = question.without_refused(&self.agent, conversation) {
                let refused = refused.join(" and ");
                say(&format!("this release of {} refuses {refused}: left out", self.name));
                self.agent = agent;
                argv = self.argv(conversation).unwrap_or(argv);
                let file = self.program.file.as_deref();
                begin = Instant::now();
                end = child::run(file, &argv, environment, |_| self.save_soon(conversation));
            }
        }
        if matches!(end, End::Exited(code) if code != 0)
            && begin.elapsed() < REFUSED_WITHIN
            && self.was_in_background(conversation)
        {
            say(&format!("{} {end}: once more, it was in the background", self.name));
            let file = self.program.file.as_deref();
            begin = Instant::now();
            end = child::run(file, &argv, &environment, |_| self.save_soon(conversation));
        }
        self.conclude(conversation, &end, begin.elapsed(), &terminal)
    }

    /// Whether the conversation ran in the background.
    fn was_in_background(&self, conversation: &Conversation) -> bool {
        let dir = environment::value(&self.variables, "CLAUDE_CONFIG_DIR").map(PathBuf::from);
        let was = |id| background::was_in_background(self.home, dir.as_deref(), id);
        self.name == "claude" && was(conversation.id())
    }

    fn argv(&self, conversation: &Conversation) -> Result<Vec<OsString>, CommandError> {
        let had = &self.options.arguments;
        let argv = if self.options.as_started {
            self.agent.argv_as_started(self.name, conversation, had)?
        } else {
            self.agent.argv(conversation, self.session, had)?
        };
        // One that begins with a dash would be taken for an option.
        let message = self.options.message.clone();
        let message = message.filter(|text| !text.as_encoded_bytes().starts_with(b"-"));
        let argv = argv.get(1..).unwrap_or_default();
        Ok([&self.program.words, argv, message.as_slice()].concat())
    }

    /// Has the sessions saved: the conversation is known from the agent's arguments, or from the files
    /// that it holds open once it has named the conversation itself.
    fn save_soon(&self, conversation: &Conversation) {
        const NAMED: u64 = 2;
        let persist = &self.options.persist;
        persist::changed(persist, if self.agent_names_it(conversation) { NAMED } else { 0 });
    }

    /// Whether an agent that takes no id names its new conversation.
    fn agent_names_it(&self, conversation: &Conversation) -> bool {
        matches!(conversation, Conversation::New(_) | Conversation::Fork(..))
            && !self.agent.takes_an_id()
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

    /// Prints the command that installs a missing agent; runs it if configured. Returns whether the
    /// agent was installed.
    fn install(&self, program: &OsStr, environment: &Variables) -> bool {
        let command = self.agent.install.join(" ");
        let Some(first) = self.agent.install.first() else {
            say(&format!("{} is not installed", shown(program)));
            return false;
        };
        if !self.agent.install_missing {
            say(&format!("{} is not installed; hint: {command}", shown(program)));
            return false;
        }
        say(&format!("{} is not installed; running: {command}", shown(program)));
        let argv: Vec<OsString> = self.agent.install.iter().map(OsString::from).collect();
        match child::run(None, &argv, environment, |_| {}) {
            End::Exited(0) => true,
            end => {
                say(&format!("{first} {end}"));
                false
            }
        }
    }

    /// Exit code 0 closes the conversation, and the pane unless a shell was there before; anything else is
    /// a loss and leaves a shell. So does an end right after the start: a broken installation would close
    /// every pane.
    fn conclude(
        &self,
        conversation: &Conversation,
        end: &End,
        ran: Duration,
        terminal: &Terminal,
    ) -> ExitCode {
        let id = (!self.agent_names_it(conversation)).then(|| conversation.id());
        let at_once = ran < AT_ONCE && matches!(end, End::Exited(_));
        let closed = matches!(end, End::Exited(0)) && !at_once;
        let how = format!("{end}{}", if at_once { " within a second of its start" } else { "" });
        // Without an id, the newest snapshot may know which conversation a closed one was.
        if !matches!(end, End::Missing) && (id.is_some() || closed) {
            let (agent, session) = (self.name, self.session);
            let ended = Ended { agent, id, session, closed, reason: &how };
            persist::ended(&self.options.persist, &ended);
        }
        if !matches!(end, End::Missing) {
            persist::changed(&self.options.persist, GONE);
        }
        match end {
            _ if closed && self.options.then_shell => return login_shell::become_login_shell(),
            _ if closed => return ExitCode::SUCCESS,
            End::EndedBySignal(signal) => return ExitCode::from(128 + *signal as u8),
            _ => {}
        }
        if terminal.exists() {
            terminal.restore();
        }
        if !matches!(end, End::Missing) {
            say(&format!("{} {how}", self.name));
        }
        if let Some(id) = id {
            let agent = if self.name == "claude" {
                String::new()
            } else {
                format!("--agent {} ", self.name)
            };
            say(&format!("resume it with: start-claude {agent}--resume {}", shown(id)));
        }
        login_shell::become_login_shell()
    }
}

fn home() -> PathBuf {
    let account = || nix::unistd::User::from_uid(nix::unistd::geteuid()).ok().flatten();
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
    home.or_else(|| Some(account()?.dir)).unwrap_or_else(|| "/".into())
}
