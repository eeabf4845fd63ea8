//! Figures, and whether they meet their goals.

use std::time::{Duration, Instant};

/// What was measured for one number of sessions.
pub(crate) struct Table {
    title: String,
    rows: Vec<(&'static str, Vec<f64>)>,
    verdicts: Vec<String>,
}

impl Table {
    pub(crate) fn new(title: String) -> Self {
        Self { title, rows: Vec::new(), verdicts: Vec::new() }
    }

    /// Measures one thing once more.
    pub(crate) fn time<T>(&mut self, what: &'static str, work: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let result = work();
        self.add(what, begin.elapsed());
        result
    }

    pub(crate) fn add(&mut self, what: &'static str, took: Duration) {
        let took = took.as_secs_f64() * 1000.0;
        match self.rows.iter_mut().find(|(name, _)| *name == what) {
            Some((_, times)) => times.push(took),
            None => self.rows.push((what, vec![took])),
        }
    }

    /// The median of what was measured under that name.
    pub(crate) fn median(&self, what: &str) -> f64 {
        let (_, times) = self.rows.iter().find(|(name, _)| *name == what).unwrap();
        let mut times = times.clone();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    }

    /// States a goal in milliseconds.
    pub(crate) fn goal(&mut self, what: &str, value: f64, limit: f64) {
        self.judge(value <= limit, &format!("{what}: {value:.1} ms, goal {limit:.1} ms"));
    }

    /// States a goal as a multiple of a floor.
    pub(crate) fn ratio(&mut self, what: &str, value: f64, floor: f64, limit: f64) {
        let ratio = value / floor;
        self.judge(ratio <= limit, &format!("{what}: {ratio:.2} of the floor, goal {limit:.1}"));
    }

    /// States whether something is as it should be.
    pub(crate) fn judge(&mut self, met: bool, what: &str) {
        self.verdicts.push(format!("  {} {what}", if met { "met:   " } else { "MISSED:" }));
    }

    /// States a figure that has no goal.
    pub(crate) fn note(&mut self, what: &str) {
        self.verdicts.push(format!("  {what}"));
    }

    pub(crate) fn print(&self) {
        println!("{}", self.title);
        for (what, times) in &self.rows {
            let least = times.iter().copied().fold(f64::INFINITY, f64::min);
            let most = times.iter().copied().fold(0.0, f64::max);
            println!("  {what:<44} {:>8.1}  ({least:.1} - {most:.1})", self.median(what));
        }
        self.verdicts.iter().for_each(|line| println!("{line}"));
        println!();
    }
}
