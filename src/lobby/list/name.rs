//! The name of a session by what it is for (pure).

/// Maximum length of a name, in characters.
const MAX: usize = 32;
/// How many words of a prompt make its name.
const WORDS: usize = 5;
/// Words that say little.
const SMALL: [&str; 24] = [
    "a", "an", "and", "as", "at", "be", "can", "could", "for", "i", "in", "is", "it", "me", "of",
    "on", "please", "that", "the", "this", "to", "we", "with", "you",
];

/// The first words of a prompt that say something, as `fix-the-login`; `None` if there are none. It is a name
/// that tmux keeps as it is: letters, digits and hyphens.
pub fn of_prompt(prompt: &str) -> Option<String> {
    let line = prompt.trim_start().lines().next().unwrap_or_default();
    let words = line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.take(40).map(str::to_lowercase).collect();
    let telling: Vec<&String> =
        words.iter().filter(|word| !SMALL.contains(&word.as_str())).collect();
    let chosen = if telling.is_empty() { words.iter().collect() } else { telling };
    let mut name = String::new();
    for word in chosen.into_iter().take(WORDS) {
        let room = MAX - name.chars().count();
        if name.is_empty() {
            name.extend(word.chars().take(room));
        } else if word.chars().count() < room {
            name.push('-');
            name.push_str(word);
        } else {
            break;
        }
    }
    (!name.is_empty()).then_some(name)
}

/// A name that is not taken: this one, or with the first free number.
pub fn free(base: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let numbered = (2_u32..).map(|number| format!("{base}-{number}"));
    std::iter::once(base.to_owned())
        .chain(numbered)
        .find(|name| !is_taken(name))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_prompt_gives_a_short_name() {
        for (prompt, name) in [
            ("Fix the login redirect, please", Some("fix-login-redirect")),
            ("\n\n  Why is `cargo test` slow?\nIt takes minutes.", Some("why-cargo-test-slow")),
            ("the a an", Some("the-a-an")),
            ("--help; rm -rf $(x) #{pid} a:b.c", Some("help-rm-rf-x-pid")),
            ("\u{e9}t\u{e9} \u{6771}\u{4eac}", Some("\u{e9}t\u{e9}-\u{6771}\u{4eac}")),
            ("\u{202e}\u{1f600} ...", None),
            ("", None),
        ] {
            assert_eq!(of_prompt(prompt).as_deref(), name, "{prompt:?}");
        }
        assert_eq!(of_prompt(&"x".repeat(99)).unwrap().len(), MAX);
        let taken = ["fix", "fix-2"];
        assert_eq!(free("fix", |name| taken.contains(&name)), "fix-3");
    }

    proptest! {
        #[test]
        fn any_prompt_gives_a_name_that_tmux_keeps(prompt in any::<String>()) {
            if let Some(name) = of_prompt(&prompt) {
                prop_assert!(name.chars().count() <= MAX && !name.starts_with('-'));
                // Lower case may have marks of its own beside letters.
                prop_assert!(!name.chars().any(|c| c.is_control() || matches!(c, ':' | '.' | '#' | ' ')));
            }
        }
    }
}
