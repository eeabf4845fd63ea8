//! Asking the gateway, on this host.

use super::protocol::{Ask, MAX_LINE, Said};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;
use terminal_lobby::cli::exit::Failure;
use terminal_lobby::text::shown;

/// How long the gateway may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// Asks, and gives the answer.
pub(super) fn ask(socket: &Path, ask: Ask) -> Result<Said, Failure> {
    let line = exchange(socket, ask).map_err(|error| {
        let hint = "systemctl status lobby.service";
        Failure::failed(format!("asking the lobby at {}: {error}", shown(socket))).with_hint(hint)
    })?;
    match serde_json::from_slice(&line) {
        Ok(Said::Refused { refused }) => Err(Failure::refused(refused)),
        Ok(said) => Ok(said),
        Err(_) => {
            Err(Failure::failed(format!("{}: this is no answer of a lobby's", shown(socket))))
        }
    }
}

fn exchange(socket: &Path, ask: Ask) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    let mut bytes = serde_json::to_vec(&ask)?;
    bytes.push(b'\n');
    stream.write_all(&bytes)?;
    let mut line = Vec::new();
    BufReader::new(stream.take(MAX_LINE)).read_until(b'\n', &mut line)?;
    Ok(line)
}
