//! Where each agent's hook is, and what it is (pure).

use crate::agent::home::Data;
use crate::agent::machine;
use crate::agent::settings::own_file::OwnFile;

/// Events of Codex, which has no `Notification`.
const CODEX_EVENTS: [&str; 4] = ["SessionStart", "SessionEnd", "UserPromptSubmit", "Stop"];
const GEMINI_EVENTS: [&str; 5] =
    ["SessionStart", "SessionEnd", "BeforeAgent", "AfterAgent", "Notification"];

/// An agent's hook.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// The variables that name a directory, each with what is below it, and the default below the home.
    pub(crate) dir: (&'static [(&'static str, &'static str)], &'static str),
    /// The name of the file in it.
    pub(crate) file: &'static str,
    pub(crate) what: What,
}

/// What our hook is in its file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What {
    /// Entries for these events; the unit of the time to wait is one of `per_second` in a second.
    Entries { events: &'static [&'static str], per_second: u32 },
    /// All of it.
    OwnFile(OwnFile),
}

/// The agents that have one.
pub(crate) const AGENTS: [&str; 7] =
    ["claude", "codex", "copilot", "gemini", "opencode", "pi", "qwen"];

/// The hook of an agent; `None` if it has none that can be installed.
pub(crate) fn of(agent: &str) -> Option<Place> {
    let entries = |events, per_second| What::Entries { events, per_second };
    let settings = |data: Data, what| Place { dir: data.place(), file: "settings.json", what };
    let own = |dir, file, kind| Place { dir, file, what: What::OwnFile(kind) };
    Some(match agent {
        "claude" => settings(Data::Claude, entries(&machine::EVENTS, 1)),
        "codex" => Place { file: "hooks.json", ..settings(Data::Codex, entries(&CODEX_EVENTS, 1)) },
        "gemini" => settings(Data::Gemini, entries(&GEMINI_EVENTS, 1000)),
        "qwen" => Place {
            dir: (&[("QWEN_HOME", "")], ".qwen"),
            ..settings(Data::Qwen, entries(&machine::EVENTS, 1000))
        },
        "copilot" => {
            let dir: (&'static [_], _) = (&[("COPILOT_HOME", "hooks")], ".copilot/hooks");
            own(dir, "terminal-lobby.json", OwnFile::Copilot)
        }
        "pi" => {
            let dir: (&'static [_], _) =
                (&[("PI_CODING_AGENT_DIR", "extensions")], ".pi/agent/extensions");
            own(dir, "terminal-lobby.ts", OwnFile::Pi)
        }
        "opencode" => {
            let dir: (&'static [_], _) = (
                &[("OPENCODE_CONFIG_DIR", "plugin"), ("XDG_CONFIG_HOME", "opencode/plugin")],
                ".config/opencode/plugin",
            );
            own(dir, "terminal-lobby.js", OwnFile::Opencode)
        }
        _ => return None,
    })
}
