//! What a hook of an agent's marks its pane with (pure).

use super::hooks::unhooked;
use std::ffi::OsString;

/// The marks of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    /// Which pane, the number after `%`.
    pub pane: u32,
    /// When it happened, in nanoseconds since the host's start.
    pub at: u64,
    /// `@conversation`: of letters, digits, `:` and `-` alone.
    pub stamp: String,
    /// `@agent_state`.
    pub state: &'static str,
    /// `@agent_closed`, in seconds since the epoch; taken away when absent.
    pub closed: Option<u64>,
}

impl Marks {
    /// The command that sets them, as arguments of a client; nothing when a later event has
    /// marked the pane, since events are delivered by processes that overtake each other.
    pub fn set(&self) -> Vec<OsString> {
        let Self { pane, at, stamp, state, closed } = self;
        debug_assert!(stamp.bytes().all(|b| b.is_ascii_alphanumeric() || b":-_".contains(&b)));
        let set = |name: &str, value: &str| format!("set-optio -p -t %{pane} {name} {value}");
        // As text of one length, since tmux compares text.
        let at = format!("{at:020}");
        let lines = [
            set("@agent_event", &at),
            set("@conversation", stamp),
            set("@agent_state", state),
            match closed {
                Some(time) => set("@agent_closed", &time.to_string()),
                None => format!("set-optio -p -u -t %{pane} @agent_closed"),
            },
        ];
        let newer = format!("#{{<:#{{@agent_event}},{at}}}");
        let target = format!("%{pane}");
        let [shell, flag, has_hook, as_hook, plain] =
            unhooked::run(&lines.join(" ; "), &["after-set-option"]);
        let commands = format!("{shell} {flag} '{has_hook}' '{as_hook}' '{plain}'");
        ["if-shel", "-F", "-t", &target, &newer, &commands].map(OsString::from).into()
    }
}
