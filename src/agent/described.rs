//! Agents that the configuration of the launcher describes: the tables `[agents.NAME]` of
//! `/etc/terminal-lobby/launcher.toml` and `~/.config/terminal-lobby/launcher.toml`, as far as they say how
//! such an agent and its conversation are recognised. How it is started is the launcher's.

use crate::sys::fs;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::OnceLock;

/// Maximum size of a file, in bytes, as for the launcher.
const MAX_FILE: u64 = 1 << 20;
/// Maximum number of agents that are described.
const MAX_AGENTS: usize = 32;

/// What is known of one agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Described {
    pub name: String,
    /// Names of its program or script.
    pub programs: Vec<String>,
    /// First words, or options, with which it does not converse.
    pub not_conversing: Vec<String>,
    /// Options, or a first word, after which its command line names the conversation.
    pub id_options: Vec<String>,
    /// The end of the path of a file that it holds open; `{id}` is the conversation.
    pub held_file: Option<String>,
    /// The file that a conversation has from its first prompt on; `{id}` is the conversation, `~/` the home.
    pub transcript: Option<String>,
    /// Whether it starts a new conversation under a given id.
    pub takes_an_id: bool,
}

static DESCRIBED: OnceLock<Vec<Described>> = OnceLock::new();

/// Reads the descriptions once for this process, which must be one of the user's own.
pub fn load(home: &Path) {
    DESCRIBED.get_or_init(|| {
        let own = home.join(".config/terminal-lobby/launcher.toml");
        let read = |path: &Path| {
            let bytes = fs::read(path, MAX_FILE).ok()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        };
        let files = [Path::new("/etc/terminal-lobby/launcher.toml"), &own];
        let texts: Vec<String> = files.into_iter().filter_map(read).collect();
        parse(texts.iter().map(String::as_str))
    });
}

/// The agents that are described; none before [`load`].
pub fn all() -> &'static [Described] {
    DESCRIBED.get().map_or(&[], Vec::as_slice)
}

/// The agent of a program, or script, of that name.
pub(super) fn of_program(name: &[u8]) -> Option<&'static str> {
    let has = |agent: &&Described| agent.programs.iter().any(|known| known.as_bytes() == name);
    all().iter().find(has).map(|agent| agent.name.as_str())
}

/// The descriptions in some files, the keys of a later one over those of an earlier one. What is not valid is
/// passed over here: the launcher warns of it.
pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Described> {
    let mut tables: BTreeMap<String, toml::Table> = BTreeMap::new();
    for text in texts {
        let Ok(file) = text.parse::<toml::Table>() else { continue };
        let agents = file.get("agents").and_then(toml::Value::as_table).cloned();
        for (name, keys) in agents.unwrap_or_default() {
            let keys = keys.as_table().cloned().unwrap_or_default();
            tables.entry(name).or_default().extend(keys);
        }
    }
    let described = tables.into_iter().filter(|(name, _)| is_name(name));
    described.take(MAX_AGENTS).map(|(name, keys)| of_table(name, &keys)).collect()
}

fn of_table(name: String, keys: &toml::Table) -> Described {
    let words = |key: &str| -> Option<Vec<String>> {
        let words = keys.get(key)?.as_array()?;
        words.iter().map(|word| word.as_str().map(str::to_owned)).collect()
    };
    let text = |key: &str| keys.get(key)?.as_str().map(str::to_owned);
    let of_command = || {
        let command = words("command")?;
        let program = Path::new(command.first()?).file_name()?.to_str()?.to_owned();
        Some(vec![program])
    };
    let programs = words("programs").or_else(of_command).unwrap_or_else(|| vec![name.clone()]);
    let new = words("new").unwrap_or_default();
    Described {
        programs: programs.into_iter().filter(|program| !program.is_empty()).collect(),
        not_conversing: words("not_conversing").unwrap_or_default(),
        id_options: words("id_options").unwrap_or_default(),
        held_file: text("held_file").filter(|file| file.matches("{id}").count() == 1),
        transcript: text("transcript").filter(|file| file.contains("{id}")),
        takes_an_id: new.iter().any(|word| word.contains("{id}")),
        name,
    }
}

/// Whether a name can be an agent's: it becomes an argument and a part of marks.
fn is_name(name: &str) -> bool {
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=32).contains(&name.len()) && name.bytes().all(fits) && !name.starts_with(['-', '_'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_is_described_by_its_table_and_a_later_file_changes_single_keys() {
        let site = "[agents.goose]\ncommand = ['/opt/bin/goose', 'session']\nnew = ['--id', '{id}']\n\
            held_file = 'sessions/{id}.lock'\nid_options = ['--id']\n";
        let own = "[agents.goose]\nnot_conversing = ['run']\nheld_file = 'x'\n[agents.amp]\n";
        let agents = parse([site, own]);
        let [amp, goose] = &agents[..] else { panic!("{agents:?}") };
        assert_eq!((amp.name.as_str(), &amp.programs[..]), ("amp", &["amp".to_owned()][..]));
        assert_eq!(goose.programs, ["goose"]);
        assert_eq!((&goose.not_conversing[..], goose.takes_an_id), (&["run".to_owned()][..], true));
        assert_eq!(goose.held_file, None, "without a place for the id");
    }

    #[test]
    fn what_is_no_description_is_passed_over() {
        assert_eq!(parse(["[agents", "agents = 5", "[agents]\nx = 1\n'a:b' = {}\n"]).len(), 1);
        let agents = parse(["[agents.x]\nprograms = 'x'\nid_options = [1]\ntranscript = 7\n"]);
        assert_eq!(agents[0].programs, ["x"]);
        assert_eq!((agents[0].id_options.len(), &agents[0].transcript), (0, &None));
    }
}
