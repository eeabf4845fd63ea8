//! One change of a plan, whatever it is about: a user, or the base of the host (pure).

use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    Add,
    /// Something that exists is set right.
    Repair,
    /// The roster asks for it, and it is not done.
    Refuse,
    /// A difference that is reported and left as it is.
    Report,
    /// A user loses access; it can be undone.
    Cut,
    /// Something is removed for good.
    Remove,
}

impl Verb {
    /// A sign, and the word for it.
    pub fn shown(self) -> (char, &'static str) {
        match self {
            Self::Add => ('+', "add"),
            Self::Repair => ('~', "repair"),
            Self::Refuse => ('!', "refused"),
            Self::Report => ('!', "report"),
            Self::Cut => ('-', "cut"),
            Self::Remove => ('x', "remove"),
        }
    }

    /// Whether the host is changed.
    pub fn changes(self) -> bool {
        !matches!(self, Self::Refuse | Self::Report)
    }

    /// Whether a user loses something.
    pub fn takes_away(self) -> bool {
        matches!(self, Self::Cut | Self::Remove)
    }
}

/// Why the host differs from what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The roster or the configuration changed.
    Intent,
    Drift,
    /// A person changed what this program had written.
    Edited,
}

impl Cause {
    pub fn name(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Drift => "drift",
            Self::Edited => "edited",
        }
    }
}

/// One change. `S` says which part of the plan it belongs to, `A` how it is carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change<S, A> {
    /// Its name, for the journal and for changes that need it done before.
    pub id: String,
    #[serde(flatten)]
    pub scope: S,
    pub verb: Verb,
    pub cause: Cause,
    /// The object of the verb.
    pub what: String,
    /// The present value; secrets as hashes.
    pub before: Option<String>,
    /// The value afterwards.
    pub after: Option<String>,
    /// The reason, as a sentence; empty if the cause says all.
    pub why: String,
    /// What a person can do about it: a command or an action.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Details: lines of a file that come and go, and what else is not done.
    pub lines: Vec<String>,
    /// How it is carried out; `None` if it is only refused or reported.
    #[serde(skip)]
    pub action: Option<A>,
}

impl<S, A> Change<S, A> {
    pub(super) fn unplanned(id: impl Into<String>, scope: S, what: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            scope,
            verb: Verb::Report,
            cause: Cause::Intent,
            what: what.into(),
            before: None,
            after: None,
            why: String::new(),
            hint: None,
            lines: Vec::new(),
            action: None,
        }
    }

    pub(super) fn from(self, before: impl Into<String>) -> Self {
        Self { before: Some(before.into()), ..self }
    }

    pub(super) fn to(self, after: impl Into<String>) -> Self {
        Self { after: Some(after.into()), ..self }
    }

    pub(super) fn why(self, why: impl Into<String>) -> Self {
        Self { why: why.into(), ..self }
    }

    /// The reason with its hint, on one line.
    pub fn reason(&self) -> String {
        match &self.hint {
            Some(hint) => format!("{}; hint: {hint}", self.why),
            None => self.why.clone(),
        }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// The change is carried out.
    pub(super) fn done(self, verb: Verb, cause: Cause, action: A) -> Self {
        Self { verb, cause, action: Some(action), ..self }
    }

    /// The roster asks for the change, and it is not carried out.
    pub(super) fn refused(self, cause: Cause, why: impl Into<String>) -> Self {
        Self { verb: Verb::Refuse, cause, why: why.into(), ..self }
    }

    /// The difference is only reported.
    pub(super) fn reported(self, cause: Cause, why: impl Into<String>) -> Self {
        Self { verb: Verb::Report, cause, why: why.into(), ..self }
    }
}

/// How many changes there are of each kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub add: usize,
    pub repair: usize,
    pub cut: usize,
    pub remove: usize,
    pub refused: usize,
    pub report: usize,
}

impl Tally {
    pub fn of<'a, S: 'a, A: 'a>(changes: impl IntoIterator<Item = &'a Change<S, A>>) -> Self {
        let mut tally = Self::default();
        for change in changes {
            *match change.verb {
                Verb::Add => &mut tally.add,
                Verb::Repair => &mut tally.repair,
                Verb::Cut => &mut tally.cut,
                Verb::Remove => &mut tally.remove,
                Verb::Refuse => &mut tally.refused,
                Verb::Report => &mut tally.report,
            } += 1;
        }
        tally
    }

    /// How many of them change the host.
    pub fn changes(self) -> usize {
        self.add + self.repair + self.cut + self.remove
    }
}
