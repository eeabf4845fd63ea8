//! What a page shows of sessions beyond their panes: who looks at each, and the id that it was given at its birth.

use super::client::Server;
use super::error::TmuxError;
use std::collections::BTreeMap;

/// The option of a session that holds its birth id: it stays when the session is renamed, and comes back with it.
pub const BIRTH_ID: &str = "@lobby-id";
/// The option of a session that holds an agent which no one has asked for yet; its value is its owner, a word.
pub const SPARE: &str = "@lobby-spare";
/// Length of a birth id, in hexadecimal digits.
const DIGITS: usize = 16;

/// What is known of a session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SessionFacts {
    /// Its birth id; `None` if it has none yet, or one that was not made here.
    pub birth_id: Option<String>,
    /// The owner of a session that holds an agent which no one has asked for yet; `None` of all others.
    pub spare: Option<String>,
    /// When it was made, in seconds since the epoch.
    pub created: u64,
    /// How many clients with a terminal show it.
    pub viewers: u32,
    /// Columns and rows of a terminal that shows all of its current window; `None` if unknown.
    pub size: Option<(u16, u16)>,
    /// Whether it goes on when its last client leaves.
    pub survives_detach: bool,
}

impl Server {
    /// By the number of a session, what is known of it; empty without a server. Of two sessions with one birth
    /// id, the older one keeps it.
    pub fn session_facts(&self) -> Result<BTreeMap<u32, SessionFacts>, TmuxError> {
        if !self.is_listening()? {
            return Ok(BTreeMap::new());
        }
        let format = format!(
            "#{{session_id}} #{{session_created}} #{{window_width}}x#{{window_height}}+#{{status}} #{{destroy-unattached}} #{{{BIRTH_ID}}} #{{?{SPARE},#{{{SPARE}}},-}}"
        );
        let sessions = ["list-session", "-F", &format, ";"];
        let clients = ["list-client", "-F", "#{session_id} #{client_control_mode} #{client_flags}"];
        let output = self.read_only_client().args(sessions).args(clients).run()?;
        Ok(parse(&String::from_utf8_lossy(&output.stdout)))
    }

    /// Gives sessions their birth ids, each by its number.
    pub fn set_birth_ids(&self, ids: &BTreeMap<u32, String>) -> Result<(), TmuxError> {
        let words = ids.iter().flat_map(|(session, id)| {
            let target = format!("${session}:");
            [
                "set-optio".to_owned(),
                "-t".to_owned(),
                target,
                BIRTH_ID.to_owned(),
                id.clone(),
                ";".to_owned(),
            ]
        });
        self.send(words.map(Into::into).collect())
    }
}

/// Whether a text is a birth id.
pub fn is_birth_id(text: &str) -> bool {
    text.len() == DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn parse(text: &str) -> BTreeMap<u32, SessionFacts> {
    let mut facts: BTreeMap<u32, SessionFacts> = BTreeMap::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        let id = words.next().and_then(|id| id.strip_prefix('$')?.parse().ok());
        let Some(id) = id else { continue };
        let (second, third) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if third.contains('+') {
            let survives_detach = matches!(words.next(), Some("0" | "off"));
            let birth_id = words.next().filter(|id| is_birth_id(id)).map(str::to_owned);
            let spare = words.next().filter(|owner| *owner != "-").map(str::to_owned);
            let created = second.parse().unwrap_or_default();
            let (viewers, size) = (0, size(third));
            let facts_of_it =
                SessionFacts { birth_id, spare, created, viewers, size, survives_detach };
            facts.insert(id, facts_of_it);
        } else if matches!(second, "0" | "") && !is_preload(third) {
            facts.entry(id).or_default().viewers += 1;
        }
    }
    let mut seen = BTreeMap::new();
    let mut by_age: Vec<(u64, u32)> =
        facts.iter().map(|(id, facts)| (facts.created, *id)).collect();
    by_age.sort_unstable();
    for (_, id) in by_age {
        let Some(own) = facts.get_mut(&id) else { continue };
        if own.birth_id.clone().is_some_and(|birth_id| seen.insert(birth_id, id).is_some()) {
            own.birth_id = None;
        }
    }
    facts
}

/// Whether flags of a client are those of one that the lobby attaches before a person opens the session: it sizes
/// nothing, and has a pane of its own, which no client does that a person attaches to watch.
fn is_preload(flags: &str) -> bool {
    let has = |name| flags.split(',').any(|flag| flag == name);
    has("ignore-size") && has("active-pane") && !has("read-only")
}

/// The size of a terminal for a window, of `80x24+on`: the window's, and the lines of its status.
fn size(window: &str) -> Option<(u16, u16)> {
    let (size, status) = window.split_once('+')?;
    let (columns, rows) = size.split_once('x')?;
    let lines = if status == "off" { 0 } else { status.parse().unwrap_or(1) };
    Some((columns.parse().ok()?, rows.parse::<u16>().ok()?.checked_add(lines)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copied_birth_id_stays_with_the_older_session_and_control_clients_are_no_viewers() {
        let text = "$1 200 80x24+on 0 00112233445566aa -\n$2 100 80x24+off off 00112233445566aa 7-8\n$3 300 80x24+2 1  -\n\
            $4 300 x+ 0 evil -\n\
            $1 0 attached,focused,UTF-8\n$1 1 attached\n$1 0 attached,ignore-size,read-only\n\
            $1 0 attached,ignore-size,active-pane\n$2 1\nno server\n";
        let facts = parse(text);
        let size = Some((80, 25));
        assert_eq!(
            facts[&1],
            SessionFacts {
                birth_id: None,
                spare: None,
                created: 200,
                viewers: 2,
                size,
                survives_detach: true
            }
        );
        assert_eq!([2, 3, 4].map(|id| facts[&id].size), [Some((80, 24)), Some((80, 26)), None]);
        assert_eq!(facts[&2].birth_id.as_deref(), Some("00112233445566aa"));
        assert_eq!(
            (facts[&2].viewers, facts[&3].birth_id.clone(), facts[&4].birth_id.clone()),
            (0, None, None)
        );
        assert_eq!(facts[&2].spare.as_deref(), Some("7-8"));
        assert!(facts[&2].survives_detach && !facts[&3].survives_detach);
    }
}
