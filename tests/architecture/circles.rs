//! Circles of files: strongly connected components of the graph of uses (Tarjan's algorithm).

use super::graph::Uses;
use std::collections::BTreeMap;

/// Each circle's files. A file alone is none.
pub(super) fn circles(uses: &Uses) -> Vec<Vec<&str>> {
    let mut search = Search::new(uses);
    for file in uses.keys() {
        if !search.index.contains_key(file.as_str()) {
            search.visit(file);
        }
    }
    search.circles
}

struct Search<'a> {
    uses: &'a Uses,
    index: BTreeMap<&'a str, usize>,
    low: BTreeMap<&'a str, usize>,
    stack: Vec<&'a str>,
    circles: Vec<Vec<&'a str>>,
}

impl<'a> Search<'a> {
    fn new(uses: &'a Uses) -> Self {
        let (index, low) = (BTreeMap::new(), BTreeMap::new());
        Self { uses, index, low, stack: Vec::new(), circles: Vec::new() }
    }

    fn visit(&mut self, file: &'a str) {
        let number = self.index.len();
        self.index.insert(file, number);
        self.low.insert(file, number);
        self.stack.push(file);
        for next in self.uses.get(file).into_iter().flat_map(BTreeMap::keys) {
            let reached = match self.index.get(next.as_str()) {
                None => {
                    self.visit(next);
                    self.low[next.as_str()]
                }
                Some(number) if self.stack.contains(&next.as_str()) => *number,
                Some(_) => continue,
            };
            let low = self.low[file].min(reached);
            self.low.insert(file, low);
        }
        if self.low[file] == number {
            let from = self.stack.iter().position(|other| *other == file).unwrap_or(0);
            let mut circle = self.stack.split_off(from);
            circle.sort_unstable();
            if circle.len() > 1 {
                self.circles.push(circle);
            }
        }
    }
}
