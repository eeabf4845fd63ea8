//! When a person last looked at a session: as a client was attached, or typed.

use super::client::Server;
use super::error::TmuxError;
use std::collections::BTreeMap;

/// By the number of a session, when a person last attached a client to it or typed into one, in seconds since the
/// epoch. A client in control mode is a program, unless it has a terminal.
pub type Attention = BTreeMap<u32, u64>;

impl Server {
    /// Asks when a person last looked at each session; empty without a server.
    pub fn attention(&self) -> Result<Attention, TmuxError> {
        if !self.is_listening()? {
            return Ok(Attention::new());
        }
        let sessions = ["list-session", "-F", "#{session_id} #{session_last_attached}", ";"];
        let clients = ["list-client", "-F", "#{session_id} #{client_activity}"];
        let output = self.read_only_client().args(sessions).args(clients).run()?;
        Ok(parse(&String::from_utf8_lossy(&output.stdout)))
    }
}

impl Server {
    /// By the number of a pane, the value of one of our options in it, which has no line break; empty where it is not
    /// set.
    pub fn pane_option(&self, name: &'static str) -> Result<BTreeMap<u32, String>, TmuxError> {
        if !self.is_listening()? {
            return Ok(BTreeMap::new());
        }
        let format = format!("#{{pane_id}} #{{{name}}}");
        let output = self.read_only_client().args(["list-pane", "-a", "-F", &format]).run()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let parse = |line: &str| {
            let (pane, value) = line.strip_prefix('%')?.split_once(' ')?;
            Some((pane.parse().ok()?, value.to_owned()))
        };
        Ok(text.lines().filter_map(parse).collect())
    }
}

fn parse(text: &str) -> Attention {
    let mut attention = Attention::new();
    for line in text.lines() {
        let parsed = line.strip_prefix('$').and_then(|line| line.split_once(' '));
        let numbers = parsed.and_then(|(id, time)| id.parse().ok().zip(time.parse().ok()));
        if let Some((id, time)) = numbers {
            let latest = attention.entry(id).or_insert(time);
            *latest = time.max(*latest);
        }
    }
    attention
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_of_a_session_and_its_clients_counts() {
        let text = "$1 100\n$2 \n$3 50\n$1 90\n$3 70\nno server\n$x 7\n";
        assert_eq!(parse(text), BTreeMap::from([(1, 100), (3, 70)]));
    }
}
