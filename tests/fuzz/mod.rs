//! The fuzz targets on their stored corpus: each file as it is, cut, and changed at random, from a
//! fixed seed. `make soak` runs the fuzzer itself.

mod targets;

use crate::support::random::Random;
use std::path::Path;

/// Changed copies of each file of a corpus.
const CHANGED: usize = 300;

/// Runs a target on a corpus; gives the number of inputs.
fn replay(corpus: &str, target: fn(&[u8])) -> usize {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(corpus);
    let mut files: Vec<_> = std::fs::read_dir(&dir).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut inputs, mut all) = (0, Vec::new());
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        target(&bytes);
        all.push(bytes);
    }
    for bytes in &all {
        for _ in 0..CHANGED {
            let mut changed = bytes.clone();
            for _ in 0..=random.below(4) {
                change(&mut random, &mut changed, &all);
            }
            target(&changed);
            inputs += 1;
        }
    }
    inputs += all.len();
    println!("{corpus}: {inputs} inputs from {} files", files.len());
    inputs
}

/// One change: a byte, a cut, or a piece of another file.
fn change(random: &mut Random, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
    let at = random.below(bytes.len());
    match random.below(4) {
        0 if !bytes.is_empty() => bytes[at] = random.next().to_le_bytes()[0],
        1 => bytes.truncate(at),
        2 => bytes.insert(at, b"\t\n\\-#x\x000"[random.below(8)]),
        _ => {
            let other = &others[random.below(others.len())];
            let (from, to) = (random.below(other.len()), random.below(other.len()));
            let piece = &other[from.min(to)..from.max(to)];
            bytes.splice(at..at, piece.iter().copied());
        }
    }
}

#[test]
fn the_state_files_survive_the_corpus() {
    assert!(replay("snapshot", targets::snapshot) > 1000);
}

#[test]
fn the_roster_survives_the_corpus() {
    assert!(replay("roster", targets::roster) > 1000);
}

#[test]
fn stored_scrollback_survives_the_corpus() {
    assert!(replay("show", targets::show) > 1000);
}

#[test]
fn the_hooks_input_survives_the_corpus() {
    assert!(replay("hook", targets::hook) > 1000);
}
