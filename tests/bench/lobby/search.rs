//! Searching all conversations of a person.

use crate::client::Browser;
use crate::table::Table;
use crate::world::World;
use std::io::Write;
use std::time::{Duration, Instant};

/// As many transcripts, of as many bytes each: 1 GB.
const FILES: u32 = 500;
const BYTES: u64 = 2_000_000;
/// How many words there are.
const WORDS: u64 = 30_000;
/// Goal of an answer, in milliseconds.
const GOAL: f64 = 1000.0;

/// Numbers that look random and are the same in each run (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 11
    }

    /// Some words, of which the first ones are the most frequent.
    fn text(&mut self, count: usize) -> String {
        let mut word = || format!("w{}", self.next() % WORDS * (self.next() % WORDS) / WORDS);
        (0..count).map(|_| word()).collect::<Vec<_>>().join(" ")
    }
}

/// Writes transcripts as Claude Code does: what is said, and between it the work of tools, which is most of it.
fn write(world: &World) {
    let dir = world.dir().join("home/.claude/projects/-work");
    std::fs::create_dir_all(&dir).unwrap();
    let mut numbers = Numbers(7);
    for number in 0..FILES {
        let path = dir.join(format!("0d0a8f5e-0000-4000-8000-{number:012}.jsonl"));
        let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
        let (mut size, mut turn) = (0, 0);
        while size < BYTES {
            let kind = if turn % 8 == 0 { "user" } else { "assistant" };
            let rare = if turn == 40 { format!(" rare{number}") } else { String::new() };
            let text = numbers.text(40) + &rare;
            let content = if turn % 2 == 1 {
                let output = numbers.text(600);
                serde_json::json!([{"type": "tool_result", "tool_use_id": turn.to_string(), "content": output}])
            } else {
                serde_json::json!([{"type": "text", "text": text}])
            };
            let kind = if turn % 2 == 1 { "user" } else { kind };
            let line = serde_json::json!({
                "type": kind, "cwd": "/work", "timestamp": "2026-11-29T19:38:00.106Z",
                "message": {"role": kind, "content": content},
            });
            let line = format!("{line}\n");
            size += line.len() as u64;
            file.write_all(line.as_bytes()).unwrap();
            turn += 1;
        }
        World::own(&path);
    }
    // What is another's in a home is not read.
    for dir in [dir.as_path(), dir.parent().unwrap(), dir.parent().unwrap().parent().unwrap()] {
        World::own(dir);
    }
}

pub(crate) fn measure(world: &World) -> Table {
    write(world);
    let size = u64::from(FILES) * BYTES / 1_000_000;
    let mut table = Table::new(format!("search in {FILES} conversations of {size} MB in all"));
    let browser = Browser::log_in(world);
    let mut page = browser.page("/api/search");
    page.wait_at_most(Duration::from_mins(20));
    let mut number = 0;
    let mut ask = |words: &str| {
        number += 1;
        let question =
            serde_json::json!({"type": "find", "number": number, "words": words, "limit": 20});
        page.say(&question);
        loop {
            let said = page.json();
            if said["number"] == number {
                return said;
            }
        }
    };
    let begin = Instant::now();
    loop {
        let answers = [ask("rare499"), ask("rare0")];
        if answers.iter().all(|answer| answer["messages"] == 1) {
            break;
        }
        assert!(begin.elapsed() < Duration::from_mins(5), "not all is read: {answers:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
    table.note(&format!("all was read after {:.1} s", begin.elapsed().as_secs_f64()));
    for words in ["rare250", "w1", "w25000", "w3 w4", "w29", "w5 rare7", "w1234"] {
        for _ in 0..3 {
            table.time("an answer", || ask(words));
        }
        table.time("the slowest kind", || ask("w"));
    }
    let slowest = table.median("the slowest kind").max(table.median("an answer"));
    table.goal("an answer", slowest, GOAL);
    table
}
