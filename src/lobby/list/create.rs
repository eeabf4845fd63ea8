//! Making a session, in a server that is started if none runs.

use super::sessions::Sessions;
use crate::error::Error;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use terminal_lobby::sys::fs::random_hex;
use terminal_lobby::sys::process::exec::Program;
use terminal_lobby::tmux::program;
use terminal_lobby::tmux::session_facts::BIRTH_ID;

/// The size of a session until a person opens it.
const SIZE: [&str; 4] = ["-x", "160", "-y", "48"];

impl Sessions {
    /// Makes a session with these options; returns its birth id. The name is one that tmux expands to what it shall be.
    ///
    /// # Errors
    /// What tmux says, as that there is a session of that name.
    pub async fn create(
        &self,
        name: OsString,
        directory: PathBuf,
        pane: Vec<OsString>,
        options: &[(&str, &str)],
    ) -> Result<String, Error> {
        let id = random_hex()[..16].to_owned();
        let server = self.server().clone();
        let own = program::of_server(&server.socket);
        let client = own.map_or_else(|| Program::new("tmux"), |file| Program::at(file, "tmux"));
        let mut words: Vec<OsString> = vec!["-u".into(), "-S".into(), server.socket.path().into()];
        words.extend(["new-sessio", "-d", "-s"].map(OsString::from));
        words.extend([name, "-c".into(), expanded(&directory)]);
        words.extend(SIZE.map(OsString::from));
        if !pane.is_empty() {
            words.push("--".into());
            words.extend(pane);
        }
        // Without a target: that of the command before.
        words.extend([";", "set-optio", BIRTH_ID, &id].map(OsString::from));
        for (option, value) in options {
            words.extend([";", "set-optio", option, value].map(OsString::from));
        }
        let client = client.args(words).outlive_parent().deadline(server.start_deadline);
        let output = tokio::task::spawn_blocking(move || client.run()).await?;
        let output = output.map_err(|error| Error::Reported(error.to_string()))?;
        if !output.status.success() {
            return Err(Error::Reported(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        self.touch();
        Ok(id)
    }
}

/// A directory as an argument that tmux expands to it.
fn expanded(directory: &Path) -> OsString {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    OsString::from_vec(terminal_lobby::tmux::escape::escape_format(
        directory.as_os_str().as_bytes(),
    ))
}
