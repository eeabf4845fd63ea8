//! Parts of the host that are lines in files of others: earlyoom, zsh, swap; none without their tables (pure).

use super::super::names;
use super::super::spec::{Block, BlockKind, Swap};
use super::{HostTomlError, Reader, Text};
use serde::Deserialize;
use toml::Spanned;

/// The package, and the service.
pub(super) const EARLYOOM: &str = "earlyoom";
const EARLYOOM_FILE: &str = "/etc/default/earlyoom";
/// The names of agents' processes: they can be brought back on their conversations.
const AGENTS: [&str; 8] =
    ["aider", "claude", "codex", "copilot", "gemini", "opencode", "pi", "qwen"];
/// The beginnings of names of processes that much else depends on: tmux holds every session of a user, the others
/// the host.
const AVOIDED: [&str; 10] = [
    "tmux",
    "sshd",
    "systemd",
    ".sd-pam.",
    "dbus",
    "login",
    "sudo",
    "persist",
    "provision",
    "start-claude",
];

/// `[earlyoom]`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct EarlyOom {
    memory_percent: Option<Spanned<u64>>,
    swap_percent: Option<Spanned<u64>>,
    prefer: Vec<Text>,
}

/// `[zsh]`.
#[derive(Deserialize, Default, Clone, Copy)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Zsh {
    profile: bool,
    zshrc_d: bool,
}

/// `[swap]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSwap {
    size: Text,
    path: Option<Text>,
}

impl RawSwap {
    /// What an error about the path points to.
    pub(super) fn at(&self) -> Text {
        self.path.clone().unwrap_or_else(|| self.size.clone())
    }

    pub(super) fn path(&self, reader: &Reader<'_>) -> Result<String, HostTomlError> {
        let Some(path) = &self.path else { return Ok("/swapfile".to_owned()) };
        reader.check("swap.path", path, names::path)?;
        Ok(path.get_ref().clone())
    }
}

impl Reader<'_> {
    pub(super) fn swap(&self, raw: &RawSwap, path: String) -> Result<Swap, HostTomlError> {
        Ok(Swap { path, size: self.check("swap.size", &raw.size, names::size)? })
    }

    pub(super) fn earlyoom(&self, raw: &EarlyOom) -> Result<Block, HostTomlError> {
        let percent = |key: &str, value: &Option<Spanned<u64>>| match value {
            Some(value) if !(1..=90).contains(value.get_ref()) => {
                let what = format!("earlyoom.{key}: expected 1 to 90");
                Err(self.error(&value.span(), what))
            }
            Some(value) => Ok(*value.get_ref()),
            None => Ok(10),
        };
        let memory = percent("memory_percent", &raw.memory_percent)?;
        let swap = percent("swap_percent", &raw.swap_percent)?;
        for name in &raw.prefer {
            self.check("earlyoom.prefer", name, names::process)?;
        }
        let further = raw.prefer.iter().map(|name| name.get_ref().as_str());
        let preferred: Vec<String> = AGENTS.into_iter().chain(further).map(expression).collect();
        let (preferred, avoided) = (preferred.join("|"), AVOIDED.join("|"));
        let text = format!(
            "EARLYOOM_ARGS=\"-r 3600 -m {memory} -s {swap} --prefer '^({preferred})$' --avoid '^({avoided})'\"\n"
        );
        Ok(Block { kind: BlockKind::EarlyOom, path: EARLYOOM_FILE.to_owned(), text })
    }
}

/// The regular expression of a name.
fn expression(name: &str) -> String {
    name.replace('.', "[.]").replace('+', "[+]")
}

/// What zsh reads for all users: what login shells of other kinds read by `/etc/profile`, and each user's own
/// `~/.zshrc.d`.
pub(super) fn zsh(raw: Zsh) -> Vec<Block> {
    const PROFILE: &str = r#"for _lobby_file in /etc/profile.d/*.sh(N); do
    [[ -r $_lobby_file ]] && emulate sh -c '. "$_lobby_file"'
done
unset _lobby_file
"#;
    const ZSHRC: &str = r#"for _lobby_file in ~/.zshrc.d/*.zsh(N-.) ~/.zshrc.d/*.sh(N-.); do
    [[ -r $_lobby_file ]] && . "$_lobby_file"
done
unset _lobby_file
"#;
    [(raw.profile, "/etc/zsh/zprofile", PROFILE), (raw.zshrc_d, "/etc/zsh/zshrc", ZSHRC)]
        .into_iter()
        .filter(|(is_wanted, ..)| *is_wanted)
        .map(|(_, path, text)| Block {
            kind: BlockKind::Zsh,
            path: path.to_owned(),
            text: text.to_owned(),
        })
        .collect()
}
