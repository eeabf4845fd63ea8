//! `events.tsv`: a line an event, oldest first, and what was counted of those that were dropped (pure).

use super::event::{Cause, Event, Kind};
use crate::snapshot::id::parse_time;
use crate::sys::clock::Epoch;
use crate::text::tsv::{self, Line, Reader, Writer};
use std::collections::BTreeMap;

/// The longest name or text that is recorded, in bytes: a line stays short, whatever a user calls things.
const LONGEST: usize = 512;
const COLUMNS: [&str; 9] =
    ["# time", "kind", "session", "pane", "agent", "conversation", "cause", "bytes", "text"];
/// A comment line with the number of dropped events of one kind and cause, and the sum of their bytes.
const DROPPED: &[u8] = b"# dropped";

/// Events of one kind and cause.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub events: u64,
    /// The sum of their memory.
    pub bytes: u64,
}

/// All events ever recorded, by kind and cause.
pub type Totals = BTreeMap<(Kind, Option<Cause>), Count>;

/// An event with its number: the first one ever recorded has 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    pub number: u64,
    pub event: Event,
}

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// Oldest first.
    pub events: Vec<Numbered>,
    pub totals: Totals,
    /// Numbers of lines that do not parse, from 1.
    pub bad: Vec<usize>,
}

/// The line of an event.
pub(super) fn line(event: &Event) -> Vec<u8> {
    let mut file = Writer::default();
    file.plain(event.time).raw(event.kind.word().as_bytes());
    file.optional(short(event.session.as_ref()));
    optional_number(&mut file, event.pane.map(u64::from));
    file.optional(short(event.agent.as_ref())).optional(short(event.conversation.as_ref()));
    file.raw(event.cause.map_or(b"-", |cause| cause.word().as_bytes()));
    optional_number(&mut file, event.bytes);
    file.optional(short(Some(&event.text)).filter(|text| !text.is_empty())).end();
    file.into_bytes()
}

fn short(bytes: Option<&Vec<u8>>) -> Option<&[u8]> {
    let bytes = bytes?;
    Some(&bytes[..bytes.len().min(LONGEST)])
}

fn optional_number(file: &mut Writer, number: Option<u64>) {
    match number {
        Some(number) => file.plain(number),
        None => file.raw(b"-"),
    };
}

/// Reads the file. A last line without its line feed was cut short and is none.
pub(super) fn decode(text: &[u8], since: Epoch) -> Log {
    let mut log = Log::default();
    let mut number = 0;
    let mut reader = Reader::new(whole_lines(text));
    while let Some(line) = reader.line() {
        if let Some((key, count)) = dropped(line) {
            number += count.events;
            add(&mut log.totals, key, count);
        } else if line.is_record() {
            let at = line.number;
            let Some(event) = decode_line(line) else {
                log.bad.push(at);
                continue;
            };
            number += 1;
            add(&mut log.totals, (event.kind, event.cause), counted(&event));
            if event.time >= since {
                log.events.push(Numbered { number, event });
            }
        }
    }
    log
}

/// The text up to its last line feed.
pub(super) fn whole_lines(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    &text[..end]
}

/// The file with its newest events only: at most `lines` lines in `bytes` bytes. Lines that do not parse are
/// dropped, those of the others are kept as they are.
pub(super) fn shortened(text: &[u8], lines: usize, bytes: usize) -> Vec<u8> {
    let mut dropped_before = Totals::new();
    let mut kept: Vec<(Vec<u8>, Dropped)> = Vec::new();
    let mut reader = Reader::new(whole_lines(text));
    while let Some(line) = reader.line() {
        if let Some((key, count)) = dropped(line) {
            add(&mut dropped_before, key, count);
        } else if line.is_record()
            && let Some(event) = decode_line(line)
        {
            kept.push((line.bytes.to_vec(), ((event.kind, event.cause), counted(&event))));
        }
    }
    let mut size = 0;
    let fits = kept.iter().rev().take(lines).take_while(|(line, _)| {
        size += line.len() + 1;
        size <= bytes
    });
    let surplus = kept.len() - fits.count();
    for (_, (key, count)) in kept.drain(..surplus) {
        add(&mut dropped_before, key, count);
    }
    let mut file = Writer::with_columns(&COLUMNS);
    for ((kind, cause), count) in dropped_before {
        file.raw(DROPPED).raw(kind.word().as_bytes());
        file.raw(cause.map_or(b"-", |cause| cause.word().as_bytes()));
        file.plain(count.events).plain(count.bytes).end();
    }
    let mut file = file.into_bytes();
    for (line, _) in kept {
        file.extend(line);
        file.push(b'\n');
    }
    file
}

/// How many lines of events a file has.
pub(super) fn lines(text: &[u8]) -> usize {
    text.split(|byte| *byte == b'\n').count() - 1
}

fn counted(event: &Event) -> Count {
    Count { events: 1, bytes: event.bytes.unwrap_or(0) }
}

fn add(totals: &mut Totals, key: (Kind, Option<Cause>), count: Count) {
    let total = totals.entry(key).or_default();
    total.events = total.events.saturating_add(count.events);
    total.bytes = total.bytes.saturating_add(count.bytes);
}

type Dropped = ((Kind, Option<Cause>), Count);

/// A line of what was dropped.
fn dropped(line: Line<'_>) -> Option<Dropped> {
    let [mark, kind, cause, events, bytes] = line.exactly()?;
    if mark != DROPPED {
        return None;
    }
    // A count is no bigger than what a file can have had in years, so that sums stay in bounds.
    let events = number(events)?.min(u64::from(u32::MAX));
    Some(((Kind::parse(kind)?, decode_cause(cause)?), Count { events, bytes: number(bytes)? }))
}

/// A line may have more columns, of a later version.
fn decode_line(line: Line<'_>) -> Option<Event> {
    let fields: Vec<&[u8]> = line.fields().take(COLUMNS.len()).collect();
    let &[time, kind, session, pane, agent, conversation, cause, bytes, text] = &fields[..] else {
        return None;
    };
    Some(Event {
        time: parse_time(time)?,
        kind: Kind::parse(kind)?,
        session: named(session)?,
        pane: optional(pane, |pane| number(pane)?.try_into().ok())?,
        agent: named(agent)?,
        conversation: named(conversation)?,
        cause: decode_cause(cause)?,
        bytes: optional(bytes, number)?,
        text: named(text)?.unwrap_or_default(),
    })
}

/// A name or text, cut like one that is written: the file may be another program's work.
#[expect(clippy::option_option, reason = "absent and invalid are two things")]
fn named(field: &[u8]) -> Option<Option<Vec<u8>>> {
    let mut name = tsv::optional(field)?;
    if let Some(name) = &mut name {
        name.truncate(LONGEST);
    }
    Some(name)
}

#[expect(clippy::option_option, reason = "absent and invalid are two things")]
fn decode_cause(field: &[u8]) -> Option<Option<Cause>> {
    optional(field, Cause::parse)
}

#[expect(clippy::option_option, reason = "absent and invalid are two things")]
fn optional<T>(field: &[u8], read: impl FnOnce(&[u8]) -> Option<T>) -> Option<Option<T>> {
    if field == b"-" { Some(None) } else { read(field).map(Some) }
}

fn number(field: &[u8]) -> Option<u64> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(time: Epoch, kind: Kind) -> Event {
        Event {
            time,
            kind,
            session: Some(b"-".to_vec()),
            pane: Some(3),
            agent: Some(b"claude".to_vec()),
            conversation: None,
            cause: Some(Cause::PaneLimit),
            bytes: Some(10),
            text: b"a\tb\n\xff\\".to_vec(),
        }
    }

    fn events(text: &[u8]) -> Vec<Event> {
        decode(text, 0).events.into_iter().map(|one| one.event).collect()
    }

    #[test]
    fn an_event_with_odd_bytes_comes_back_from_one_line() {
        let event = event(7, Kind::Death);
        let text = line(&event);
        assert_eq!(lines(&text), 1);
        assert_eq!(events(&text), [event]);
        let empty = Event { time: 1, ..Event::default() };
        assert_eq!(events(&line(&empty)), [empty]);
    }

    #[test]
    fn a_line_that_was_cut_short_is_no_event_at_any_length() {
        let (first, second) = (line(&event(1, Kind::Death)), line(&event(2, Kind::Resumed)));
        for length in 0..second.len() {
            let log = decode(&[&first[..], &second[..length]].concat(), 0);
            assert_eq!((log.events.len(), log.bad), (1, vec![]), "{length}");
        }
    }

    #[test]
    fn bad_lines_are_named_and_the_others_count() {
        let text = [&b"x\n"[..], &line(&event(1, Kind::Death)), b"1\tnever\t-\n"].concat();
        let log = decode(&text, 0);
        assert_eq!((log.events.len(), log.bad), (1, vec![1, 3]));
    }

    #[test]
    fn columns_of_a_later_version_do_no_harm() {
        let mut text = line(&event(1, Kind::Death));
        text.pop();
        text.extend(b"\tmore\tand more\n");
        assert_eq!(events(&text), [event(1, Kind::Death)]);
    }

    #[test]
    fn what_is_dropped_stays_counted_and_numbers_go_on() {
        let text: Vec<u8> = (1..=10).flat_map(|time| line(&event(time, Kind::Death))).collect();
        let short = shortened(&text, 4, usize::MAX);
        let again =
            shortened(&[&short[..], &line(&event(11, Kind::Woken))].concat(), 2, usize::MAX);
        let log = decode(&again, 0);
        let numbers: Vec<u64> = log.events.iter().map(|one| one.number).collect();
        assert_eq!(numbers, [10, 11]);
        let key = |kind| (kind, Some(Cause::PaneLimit));
        assert_eq!(log.totals[&key(Kind::Death)], Count { events: 10, bytes: 100 });
        assert_eq!(log.totals[&key(Kind::Woken)], Count { events: 1, bytes: 10 });
        assert_eq!(decode(&again, 11).events.len(), 1, "an earlier one is counted, not listed");
    }

    #[test]
    fn a_name_without_end_is_cut() {
        let long = Event { session: Some(vec![b'x'; 1 << 20]), ..event(1, Kind::Death) };
        assert!(line(&long).len() < 1000);
        let forged = [b"1\tdeath\t", &vec![b'x'; 1 << 20][..], b"\t-\t-\t-\t-\t-\t-\n"].concat();
        assert_eq!(events(&forged)[0].session.as_ref().unwrap().len(), LONGEST);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_and_shortened_without_a_panic(
            text in proptest::collection::vec(
                prop_oneof![Just(b'\t'), Just(b'\n'), Just(b'#'), Just(b'1'), any::<u8>()], 0..300,
            ),
        ) {
            let log = decode(&text, 0);
            let short = shortened(&text, 3, 200);
            prop_assert!(decode(&short, 0).bad.is_empty());
            prop_assert_eq!(decode(&short, 0).totals, log.totals);
        }
    }
}
