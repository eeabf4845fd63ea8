//! Steps that are told before and after they are done, each on its own: one that fails is reported,
//! and the others go on.

/// Who is told. The command line keeps a journal; `apply` has a line of its own for the whole.
pub trait Notes {
    /// A step is about to be done.
    ///
    /// # Errors
    /// When that cannot be put on record: then it is not done.
    fn before(&mut self, id: &str, what: &str) -> Result<(), String>;
    /// It was done, or not.
    ///
    /// # Errors
    /// When that cannot be put on record.
    fn after(&mut self, id: &str, outcome: Result<&str, &str>) -> Result<(), String>;
}

/// Tells only what is being done.
pub struct Silent<'a>(pub &'a mut dyn FnMut(&str));

impl Notes for Silent<'_> {
    fn before(&mut self, _: &str, what: &str) -> Result<(), String> {
        (self.0)(what);
        Ok(())
    }

    fn after(&mut self, _: &str, _: Result<&str, &str>) -> Result<(), String> {
        Ok(())
    }
}

/// Steps, and what came of them.
pub(super) struct Work<'a> {
    user: String,
    notes: &'a mut dyn Notes,
    lines: Vec<String>,
    failed: Vec<String>,
}

impl<'a> Work<'a> {
    pub(super) fn new(user: &str, notes: &'a mut dyn Notes) -> Self {
        Self { user: user.to_owned(), notes, lines: Vec::new(), failed: Vec::new() }
    }

    /// Does a step. Its lines say what was done; its error ends it alone.
    pub(super) fn step(
        &mut self,
        id: &str,
        what: &str,
        act: impl FnOnce() -> Result<Vec<String>, String>,
    ) {
        let name = format!("{}/{id}", self.user);
        if let Err(why) = self.notes.before(&name, what) {
            self.failed.push(format!("{id}: {why}"));
            return;
        }
        let outcome = act();
        let told = match &outcome {
            Ok(lines) => self.notes.after(&name, Ok(&lines.join("; "))),
            Err(why) => self.notes.after(&name, Err(why)),
        };
        match outcome {
            Ok(lines) => self.lines.extend(lines),
            Err(why) => self.failed.push(format!("{id}: {why}")),
        }
        self.failed.extend(told.err().map(|why| format!("{id}: {why}")));
    }

    /// Whether nothing failed so far.
    pub(super) fn is_well(&self) -> bool {
        self.failed.is_empty()
    }

    /// The lines, or what failed with what was done all the same.
    pub(super) fn end(self) -> Result<Vec<String>, String> {
        if self.failed.is_empty() {
            return Ok(self.lines);
        }
        let mut text: Vec<String> =
            self.failed.iter().map(|why| format!("failed: {why}")).collect();
        text.extend(self.lines.iter().map(|line| format!("done: {line}")));
        Err(text.join("\n"))
    }
}
