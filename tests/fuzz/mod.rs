//! The fuzz targets on their stored corpus: each file as it is, cut, and changed at random, from a
//! fixed seed. `make soak` runs the fuzzer itself.

mod targets;

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
                random.change(&mut changed, &all);
            }
            target(&changed);
            inputs += 1;
        }
    }
    inputs += all.len();
    println!("{corpus}: {inputs} inputs from {} files", files.len());
    inputs
}

/// A small generator (xorshift64), so that every run sees the same.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    /// One change: a byte, a cut, or a piece of another file.
    fn change(&mut self, bytes: &mut Vec<u8>, others: &[Vec<u8>]) {
        let at = self.below(bytes.len());
        match self.below(4) {
            0 if !bytes.is_empty() => bytes[at] = self.next().to_le_bytes()[0],
            1 => bytes.truncate(at),
            2 => bytes.insert(at, b"\t\n\\-#x\x000"[self.below(8)]),
            _ => {
                let other = &others[self.below(others.len())];
                let (from, to) = (self.below(other.len()), self.below(other.len()));
                let piece = &other[from.min(to)..from.max(to)];
                bytes.splice(at..at, piece.iter().copied());
            }
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
