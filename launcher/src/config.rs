//! The launcher's configuration: `/etc/terminal-lobby/launcher.toml`, then the user's own over it.
//! Every error in it is only a warning: the agent starts in any case.

use crate::agent::{self, Agent};
use crate::files::below_home;
use shared::escape::shown;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::de::{DeTable, DeValue};

/// Maximum size of a configuration file, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Configuration values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where the clones are; `~/` is the home.
    pub code_dir: PathBuf,
    /// Whether clones are updated.
    pub freshen: bool,
    /// How long updating all clones may take.
    pub freshen_deadline: Duration,
    /// How many repositories are updated at the same time.
    pub freshen_at_once: usize,
    /// A repository that was fetched less than this ago is not fetched again.
    pub fresh_for: Duration,
    /// The default agent.
    pub agent: String,
    /// Variables for the agent, KEY=VALUE lines.
    pub agent_env: PathBuf,
    /// Whether telemetry attributes name the user and the session.
    pub telemetry_attributes: bool,
    /// The agents, by name.
    pub agents: Vec<(String, Agent)>,
}

/// The configuration, with warnings about it.
#[derive(Debug)]
pub struct Loaded {
    pub config: Config,
    /// One sentence each, with file and line.
    pub warnings: Vec<String>,
}

/// A key that is not used: its position in the file, and its name.
type Unused = (usize, String);

impl Default for Config {
    fn default() -> Self {
        let freshening = freshen::Options::default();
        Self {
            code_dir: "~/code".into(),
            freshen: true,
            freshen_deadline: freshening.deadline,
            freshen_at_once: freshening.at_once,
            fresh_for: freshening.fresh_for,
            agent: "claude".to_owned(),
            agent_env: "~/.config/terminal-lobby/agent.env".into(),
            telemetry_attributes: false,
            agents: agent::built_in(),
        }
    }
}

/// Loads both files, which may be missing.
pub fn load(home: &Path) -> Loaded {
    let own = home.join(".config/terminal-lobby/launcher.toml");
    let mut loaded = Loaded { config: Config::default(), warnings: Vec::new() };
    for path in [Path::new("/etc/terminal-lobby/launcher.toml"), &own] {
        match crate::files::read(path, MAX_FILE) {
            Ok(None) => {}
            Ok(Some(bytes)) => {
                loaded.add(&shown(path).to_string(), &String::from_utf8_lossy(&bytes));
            }
            Err(why) => loaded.warnings.push(format!("{}: {why}", shown(path))),
        }
    }
    loaded.config.code_dir = below_home(home, &loaded.config.code_dir);
    loaded.config.agent_env = below_home(home, &loaded.config.agent_env);
    for (_, agent) in &mut loaded.config.agents {
        for program in agent.command.first_mut().into_iter().chain(agent.install.first_mut()) {
            let path = program.starts_with("~/").then(|| below_home(home, Path::new(program)));
            if let Some(path) = path.as_deref().and_then(Path::to_str) {
                path.clone_into(program);
            }
        }
    }
    loaded
}

impl Loaded {
    /// Applies the values of one file over the present ones.
    fn add(&mut self, file: &str, text: &str) {
        let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let table = match DeTable::parse(text) {
            Ok(table) => table.into_inner(),
            Err(error) => {
                let at = error.span().map_or(1, |span| line(span.start));
                self.warnings
                    .push(format!("{file}:{at}: {}; the file is not used", error.message()));
                return;
            }
        };
        let mut unused: Vec<Unused> = Vec::new();
        for (key, value) in &table {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("agents", DeValue::Table(agents)) => self.add_agents(agents, &mut unused),
                (name, value) => {
                    let set = set(&mut self.config, name, value);
                    unused.extend(set.is_none().then(|| (key.span().start, name.to_owned())));
                }
            }
        }
        unused.sort_unstable();
        let warning =
            |(at, what): Unused| format!("{file}:{}: '{what}' is not used here", line(at));
        self.warnings.extend(unused.into_iter().map(warning));
    }

    fn add_agents(&mut self, agents: &DeTable<'_>, unused: &mut Vec<Unused>) {
        for (name, value) in agents {
            let DeValue::Table(keys) = value.get_ref() else {
                unused.push((name.span().start, name.get_ref().to_string()));
                continue;
            };
            let known = self.config.agents.iter().position(|(known, _)| known == name.get_ref());
            let index = known.unwrap_or_else(|| {
                self.config.agents.push((name.get_ref().to_string(), Agent::default()));
                self.config.agents.len() - 1
            });
            for (key, value) in keys {
                let agent = &mut self.config.agents[index].1;
                let set = set_agent(agent, key.get_ref(), value.get_ref());
                unused.extend(set.is_none().then(|| (key.span().start, key.get_ref().to_string())));
            }
        }
    }
}

/// Sets one value; `None` if the key is unknown, or its value has the wrong type.
fn set(config: &mut Config, key: &str, value: &DeValue<'_>) -> Option<()> {
    match key {
        "code_dir" => config.code_dir = text(value)?.into(),
        "freshen" => config.freshen = value.as_bool()?,
        "freshen_deadline_seconds" => config.freshen_deadline = seconds(value)?,
        "freshen_at_once" => {
            config.freshen_at_once = usize::try_from(integer(value)?).ok()?.clamp(1, 64);
        }
        "fresh_for_seconds" => config.fresh_for = seconds(value)?,
        "agent" => config.agent = text(value)?,
        "agent_env" => config.agent_env = text(value)?.into(),
        "telemetry_attributes" => config.telemetry_attributes = value.as_bool()?,
        _ => return None,
    }
    Some(())
}

fn set_agent(agent: &mut Agent, key: &str, value: &DeValue<'_>) -> Option<()> {
    match key {
        "command" => agent.command = words(value).filter(|words| !words.is_empty())?,
        "new" => agent.new = words(value)?,
        "resume" => agent.resume = words(value)?,
        "resume_transcript" => agent.resume_transcript = words(value)?,
        "fork" => agent.fork = words(value)?,
        "name" => agent.name = words(value)?,
        "arguments" => agent.arguments = words(value)?,
        "install" => agent.install = words(value)?,
        "ready" => agent.ready = text(value)?,
        "install_missing" => agent.install_missing = value.as_bool()?,
        // How it is recognised, which only `persist` reads.
        "programs" | "not_conversing" | "id_options" => drop(words(value)?),
        "held_file" | "transcript" => {
            text(value).filter(|text| text.matches("{id}").count() == 1)?;
        }
        _ => return None,
    }
    Some(())
}

fn text(value: &DeValue<'_>) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn words(value: &DeValue<'_>) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|word| text(word.get_ref())).collect()
}

fn integer(value: &DeValue<'_>) -> Option<u64> {
    value.as_integer()?.as_str().parse().ok()
}

/// Seconds, whole or not, at most an hour.
fn seconds(value: &DeValue<'_>) -> Option<Duration> {
    let number: f64 = match value {
        DeValue::Integer(number) => number.as_str().parse().ok()?,
        DeValue::Float(number) => number.as_str().parse().ok()?,
        _ => return None,
    };
    (0.0..=3600.0).contains(&number).then(|| Duration::from_secs_f64(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loaded(text: &str) -> Loaded {
        let mut loaded = Loaded { config: Config::default(), warnings: Vec::new() };
        loaded.add("f", text);
        loaded
    }

    #[test]
    fn values_go_over_the_defaults_and_agents_can_be_changed_and_added() {
        let text = "code_dir = '/srv/code'\nfreshen_deadline_seconds = 2.5\n\
            [agents.claude]\narguments = ['--verbose']\n[agents.mine]\ncommand = ['mine', 'run']\nnew = ['--id={id}']\n";
        let Loaded { config, warnings } = loaded(text);
        assert_eq!(warnings, [""; 0]);
        assert_eq!(config.code_dir, Path::new("/srv/code"));
        assert_eq!(config.freshen_deadline, Duration::from_millis(2500));
        assert_eq!(config.agents[0].1.arguments, ["--verbose"]);
        assert_eq!(config.agents[0].1.command, ["claude"]);
        assert_eq!(
            config.agents.last().map(|(name, agent)| (name.as_str(), &agent.command[..])).unwrap(),
            ("mine", &["mine".to_owned(), "run".to_owned()][..])
        );
    }

    #[test]
    fn the_programs_of_an_agent_may_begin_with_the_home() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join(".config/terminal-lobby/launcher.toml");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let text = "[agents.claude]\ncommand = ['~/x/claude', '~/y']\ninstall = ['~/get', '~']\n";
        crate::test_files::write(&file, text, 0o600);
        let agent = &load(home.path()).config.agents[0].1;
        let below = |path: &str| home.path().join(path).to_str().unwrap().to_owned();
        assert_eq!(agent.command, [below("x/claude"), "~/y".to_owned()]);
        assert_eq!(agent.install, [below("get"), "~".to_owned()]);
    }

    #[test]
    fn what_is_wrong_is_a_warning_with_its_line_and_the_rest_counts() {
        let text = "agent = 'codex'\nfresh = true\nfreshen = 'yes'\nfreshen_at_once = -1\n[agents.x]\ncommand = []\nwat = 1\n";
        let Loaded { config, warnings } = loaded(text);
        assert_eq!(config.agent, "codex");
        let expected = [
            "f:2: 'fresh'",
            "f:3: 'freshen'",
            "f:4: 'freshen_at_once'",
            "f:6: 'command'",
            "f:7: 'wat'",
        ];
        for (warning, expected) in warnings.iter().zip(expected) {
            assert_eq!(*warning, format!("{expected} is not used here"));
        }
        assert_eq!(warnings.len(), expected.len());
        let broken = loaded("agent = 'codex'\n[\n");
        assert_eq!(broken.config, Config::default());
        assert!(broken.warnings[0].starts_with("f:2: "), "{:?}", broken.warnings);
    }
}
