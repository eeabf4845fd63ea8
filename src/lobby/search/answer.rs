//! What a page gets for its words: conversations, with the text around the words, which is read from the transcripts.

use super::error::SearchError;
use super::index::{Index, Matching, TOKENIZER};
use super::words::{BEGIN, END, apart, pieces};
use crate::protocol::conversation::shown;
use crate::protocol::search::{Found, Hit};
use rusqlite::{Connection, params};
use std::ffi::OsStr;
use std::path::Path;
use terminal_lobby::agent;
use terminal_lobby::agent::messages::{Content, Transcript};
use terminal_lobby::sys::Dir;

/// How many words a snippet has.
const WORDS: usize = 24;

/// The conversations that are shown, how many there are, and how many messages.
pub(super) type Answer = (Vec<Found>, usize, usize);

/// What has the words of a query.
pub(super) fn answer(index: &Index, query: &str, limit: usize) -> Result<Answer, SearchError> {
    let (matching, all, messages) = index.find(query, limit)?;
    let texts = Texts::new()?;
    let mut found = Vec::new();
    for one in matching {
        let hits = hits(&one, &texts, query)?;
        // It was removed or replaced since: the index follows soon.
        if hits.is_empty() {
            continue;
        }
        let Matching { agent, id, title, directory, last, messages, .. } = one;
        found.push(Found { agent, id, title, directory, last, session: None, messages, hits });
    }
    Ok((found, all, messages))
}

fn hits(matching: &Matching, texts: &Texts, query: &str) -> Result<Vec<Hit>, SearchError> {
    let Some(transcript) = open(matching) else { return Ok(Vec::new()) };
    let mut hits = Vec::new();
    for place in &matching.places {
        let Ok(Some(line)) = transcript.line(place.at) else { continue };
        let time = line.time;
        let Some((content, _)) = line.said.into_iter().nth(place.part) else { continue };
        let (text, is_prompt) = match content {
            Content::Prompt { text, .. } => (text, true),
            Content::Answer { text } => (text, false),
            _ => continue,
        };
        if let Some(snippet) = texts.snippet(&text, query)? {
            let pieces = pieces(&snippet).iter().map(|piece| shown(piece)).collect();
            hits.push(Hit { at: place.at, is_prompt, time, pieces });
        }
    }
    Ok(hits)
}

/// The transcript, if it is the one that was read.
fn open(matching: &Matching) -> Option<Transcript> {
    let read = agent::by_name(matching.agent.as_bytes())?.messages()?;
    let dir = Dir::open(matching.path.parent().unwrap_or(Path::new("/"))).ok()?;
    let file: &OsStr = matching.path.file_name()?;
    let transcript = Transcript::open_in(&dir, file, read).ok()?;
    (transcript.identity().ok()? == matching.identity).then_some(transcript)
}

/// An index in memory of one text at a time, which marks words exactly as the real one finds them.
struct Texts(Connection);

impl Texts {
    fn new() -> Result<Self, SearchError> {
        let db = Connection::open_in_memory()?;
        db.execute_batch(&format!(
            "CREATE VIRTUAL TABLE words USING fts5(text, tokenize='{TOKENIZER}')"
        ))?;
        Ok(Self(db))
    }

    fn snippet(&self, text: &str, query: &str) -> Result<Option<String>, SearchError> {
        self.0.execute("DELETE FROM words", [])?;
        self.0.execute("INSERT INTO words (text) VALUES (?1)", [apart(text)])?;
        let select = format!(
            "SELECT snippet(words, 0, '{BEGIN}', '{END}', '\u{2026}', {WORDS}) FROM words WHERE words MATCH ?1"
        );
        let mut statement = self.0.prepare(&select)?;
        let mut rows = statement.query(params![query])?;
        Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
    }
}
