//! What a running agent does (pure).

/// What an agent does, and what it waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    pub doing: Doing,
    /// What it waits for, as the agent says: hostile until escaped.
    pub waiting_for: Option<String>,
}

/// What an agent does, everywhere in this project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// Its last turn has ended: it is at its prompt.
    Idle,
    /// It works.
    Busy,
    /// It waits for its user's permission or answer.
    Waiting,
}

/// Maximum length of what it waits for, in characters.
const MAX_SHOWN: usize = 60;

impl Status {
    /// By the words that agents and their hooks use; `None` for another word.
    pub fn of(word: &str, waiting_for: Option<&str>) -> Option<Self> {
        let waiting_for = waiting_for.filter(|text| !text.trim().is_empty());
        let doing = match word {
            "idle" if waiting_for.is_none() => Doing::Idle,
            "idle" | "waiting" => Doing::Waiting,
            // A shell that the user opened in it.
            "busy" | "shell" => Doing::Busy,
            _ => return None,
        };
        let shown = waiting_for.filter(|_| doing == Doing::Waiting);
        Some(Self { doing, waiting_for: shown.map(|text| text.chars().take(MAX_SHOWN).collect()) })
    }
}

impl Doing {
    /// The word in reports and in marks of panes.
    pub fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Busy => "busy",
            Self::Waiting => "waiting",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_agent_that_waits_waits_for_something() {
        let of =
            |word, waiting_for| Status::of(word, waiting_for).map(|s| (s.doing, s.waiting_for));
        assert_eq!(of("busy", Some("dialog open")), Some((Doing::Busy, None)));
        assert_eq!(of("waiting", Some(" ")), Some((Doing::Waiting, None)));
        let dialog = Some("dialog open".to_owned());
        assert_eq!(of("waiting", Some("dialog open")), Some((Doing::Waiting, dialog)));
        assert_eq!(of("ended", None), None);
    }
}
