//! Checks of the programs: tmux, our launcher, and the locale they run in.

use crate::persist::report::Check;
use crate::sys::process::exec::{ExecError, Program};
use crate::text::escape;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

/// The oldest tmux that is known to work.
const OLDEST: (u32, u32) = (3, 2);

pub(crate) fn checks() -> Vec<Check> {
    let run = Program::new("tmux").args(["-V"]).deadline(Duration::from_secs(5)).max_output(4096);
    let said = run.run().map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
    let beside = std::env::current_exe().ok().map(|own| own.with_file_name("start-claude"));
    vec![tmux(said), launcher(beside.as_deref()), charset(locale.as_deref())]
}

fn tmux(said: Result<String, ExecError>) -> Check {
    const NAME: &str = "tmux";
    let install = "apt-get install tmux";
    let said = match said {
        Ok(said) => said,
        Err(error) => return Check::fault(NAME, error.to_string(), install),
    };
    let shown = escape(said.as_bytes());
    match version(&said) {
        Some(version) if version < OLDEST => {
            let what = format!("{shown}: older than {}.{}", OLDEST.0, OLDEST.1);
            Check::fault(NAME, what, install)
        }
        Some(_) => Check::ok(NAME, shown),
        None => Check::warn(NAME, format!("'{shown}': no version in it"), "tmux -V"),
    }
}

/// Of `tmux 3.3a`, `tmux next-3.6`, `tmux openbsd-7.4`: the last has none of tmux's own.
fn version(said: &str) -> Option<(u32, u32)> {
    let text = said.strip_prefix("tmux ")?;
    let text = text.strip_prefix("next-").unwrap_or(text);
    let (major, rest) = text.split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn launcher(beside: Option<&Path>) -> Check {
    let is_program = |path: &Path| {
        path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    match beside {
        Some(path) if is_program(path) => {
            Check::ok("launcher", escape(path.as_os_str().as_encoded_bytes()))
        }
        _ => {
            let what = "no start-claude beside persist: restored panes would be shells";
            Check::fault("launcher", what, "make install")
        }
    }
}

/// Saves do not depend on it, because our client passes `-u`; restored shells inherit it.
fn charset(locale: Option<&str>) -> Check {
    const NAME: &str = "locale";
    let is_utf8 = |locale: &str| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    };
    match locale {
        Some(locale) if is_utf8(locale) => Check::ok(NAME, escape(locale.as_bytes())),
        locale => {
            let locale =
                locale.map_or("none is set".to_owned(), |locale| escape(locale.as_bytes()));
            let what = format!("{locale}: restored shells could not show letters beyond ASCII");
            Check::warn(NAME, what, "export LANG=C.UTF-8")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persist::report::CheckState;

    #[test]
    fn an_old_or_absent_tmux_is_a_fault() {
        let state = |said: &str| tmux(Ok(said.to_owned())).state;
        for said in ["tmux 3.2", "tmux 3.3a", "tmux 3.10", "tmux next-3.6", "tmux 4.0"] {
            assert_eq!(state(said), CheckState::Ok, "{said}");
        }
        for said in ["tmux 3.1c", "tmux 2.9", "tmux 1.8"] {
            assert_eq!(state(said), CheckState::Fault, "{said}");
        }
        assert_eq!(state("tmux openbsd-7.4"), CheckState::Warn);
        assert_eq!(
            tmux(Err(ExecError::Traced { program: "tmux".to_owned() })).state,
            CheckState::Fault
        );
    }

    #[test]
    fn a_locale_without_utf_8_is_a_warning() {
        let state = |locale| charset(locale).state;
        assert_eq!([state(Some("C.UTF-8")), state(Some("de_DE.utf8"))], [CheckState::Ok; 2]);
        assert_eq!([state(Some("C")), state(None)], [CheckState::Warn; 2]);
    }

    #[test]
    fn a_launcher_that_is_not_there_is_a_fault() {
        assert_eq!(launcher(Some(Path::new("/proc/self/exe"))).state, CheckState::Ok);
        assert_eq!(launcher(Some(Path::new("/etc/passwd"))).state, CheckState::Fault);
        assert_eq!(launcher(None).state, CheckState::Fault);
    }
}
