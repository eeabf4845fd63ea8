//! What is kept of a session besides windows, panes and agents: the site's choice.

use crate::tmux::{Wanted, options};
use serde::{Deserialize, Serialize};

/// The site's choice, as the section `[keep]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CapturePolicy {
    /// Variables of the sessions' environments; none by default, since values can be secrets.
    pub environment: Vec<String>,
    /// Programs that are started again with their arguments, by base name; none by default.
    pub programs: Vec<String>,
    /// Lines of scrollback kept of a shell's pane; 0 for none.
    pub scrollback_lines: u32,
    /// At most so many bytes of it are kept of one pane.
    pub scrollback_bytes: u32,
    /// Options that are kept; every one that can be by default.
    pub window_options: Vec<String>,
}

impl Default for CapturePolicy {
    fn default() -> Self {
        Self {
            environment: Vec::new(),
            programs: Vec::new(),
            scrollback_lines: 0,
            scrollback_bytes: 1 << 20,
            window_options: options::KEPT.iter().map(|kept| kept.name.to_owned()).collect(),
        }
    }
}

/// The most variables and the most programs.
const MOST: usize = 64;
/// The most bytes of scrollback of one pane.
const MOST_BYTES: u32 = 64 << 20;

impl CapturePolicy {
    /// Checks what a person wrote.
    ///
    /// # Errors
    /// A sentence that names the key and the value.
    pub fn check(&self) -> Result<(), String> {
        let shown = |word: &str| crate::text::escape(word.as_bytes());
        for (key, words) in [("environment", &self.environment), ("programs", &self.programs)] {
            if words.len() > MOST {
                return Err(format!("keep.{key}: more than {MOST}"));
            }
        }
        if let Some(name) = self.environment.iter().find(|name| !is_variable(name)) {
            return Err(format!("keep.environment: '{}' is not a variable's name", shown(name)));
        }
        let base = |name: &&String| !name.is_empty() && !name.contains(['/', '\0']);
        if let Some(name) = self.programs.iter().find(|name| !base(name)) {
            return Err(format!("keep.programs: '{}' is not a program's base name", shown(name)));
        }
        let unknown = |name: &&String| options::by_name(name.as_bytes()).is_none();
        if let Some(name) = self.window_options.iter().find(unknown) {
            return Err(format!("keep.window_options: '{}' is not one that is kept", shown(name)));
        }
        if self.scrollback_bytes > MOST_BYTES {
            return Err(format!("keep.scrollback_bytes: more than {MOST_BYTES}"));
        }
        Ok(())
    }

    /// What to ask tmux for.
    pub(crate) fn wanted(&self) -> Wanted {
        let named =
            |kept: &&options::Kept| self.window_options.iter().any(|name| name == kept.name);
        Wanted {
            options: options::KEPT.iter().filter(named).collect(),
            environment: self.environment.clone(),
        }
    }

    /// Whether a program is started again.
    pub(crate) fn keeps_program(&self, argv: &[Vec<u8>]) -> bool {
        let called = argv.first().map(|word| crate::process::base_name(word));
        called.is_some_and(|called| self.programs.iter().any(|name| name.as_bytes() == called))
    }
}

/// A name as shells know them. tmux's formats are in small letters and found before a variable of
/// that name, so one without a capital has to be of the kind that everybody writes small.
fn is_variable(name: &str) -> bool {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let capital = name.bytes().any(|byte| byte.is_ascii_uppercase()) || name.ends_with("_proxy");
    first
        && capital
        && name.len() <= 64
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_a_format_a_path_or_code_is_refused() {
        let environment = |name: &str| {
            CapturePolicy { environment: vec![name.to_owned()], ..CapturePolicy::default() }.check()
        };
        assert!(["FOO", "_A1", "no_proxy"].into_iter().all(|name| environment(name).is_ok()));
        assert!(
            ["", "pid", "A-B", "1A", "A}", "#(x)"]
                .into_iter()
                .all(|name| environment(name).is_err())
        );
        let programs = |name: &str| {
            CapturePolicy { programs: vec![name.to_owned()], ..CapturePolicy::default() }.check()
        };
        assert!(programs("vim").is_ok() && programs("/bin/vim").is_err() && programs("").is_err());
        let options = |name: &str| {
            CapturePolicy { window_options: vec![name.to_owned()], ..CapturePolicy::default() }
                .check()
        };
        assert!(options("mode-keys").is_ok() && options("default-command").is_err());
    }
}
