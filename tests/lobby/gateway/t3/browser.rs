//! A browser: it keeps cookies and follows redirects.

use super::lab::{Answer, T3Lab};
use std::collections::BTreeMap;

pub(super) struct Browser<'a> {
    lab: &'a T3Lab,
    identity: &'a str,
    pub(super) jar: BTreeMap<String, String>,
    /// How many redirects the last navigation followed.
    pub(super) redirects: usize,
}

impl<'a> Browser<'a> {
    pub(super) fn new(lab: &'a T3Lab, identity: &'a str) -> Self {
        Self { lab, identity, jar: BTreeMap::new(), redirects: 0 }
    }

    pub(super) fn cookie(&self) -> String {
        let pairs: Vec<String> =
            self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    fn keep(&mut self, answer: &Answer) {
        for line in answer.set() {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            if line.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Goes to a path; gives the last answer and where it is.
    pub(super) fn go(&mut self, path: &str) -> (Answer, String) {
        let mut path = path.to_owned();
        self.redirects = 0;
        loop {
            let answer = self.lab.navigate(&path, self.identity, &self.cookie());
            self.keep(&answer);
            if answer.status != 302 {
                return (answer, path);
            }
            self.redirects += 1;
            assert!(self.redirects < 20, "as browsers do: {answer:?}");
            let to = answer.header("location").unwrap();
            to.strip_prefix("http://t3.test").expect(to).clone_into(&mut path);
        }
    }
}
