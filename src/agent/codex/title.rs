//! The thread that a pane's title shows (pure): with `[tui] terminal_title = ["thread-id", ...]` Codex
//! writes the first 29 characters of the id and `...` there.

/// As many characters of the id are shown.
const SHOWN: usize = 29;

/// The beginning of a thread's id in a title, in small letters.
pub(super) fn beginning(title: &[u8]) -> Option<String> {
    title.windows(SHOWN).enumerate().find_map(|(at, shown)| {
        let before = at.checked_sub(1).map(|at| title[at]);
        let begins = before.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        let rest = &title[at + SHOWN..];
        let is_cut = rest.starts_with(b"...") || rest.starts_with("\u{2026}".as_bytes());
        let is_whole = rest.len() >= 7 && rest[..7].iter().all(u8::is_ascii_hexdigit);
        let shown = std::str::from_utf8(shown).ok().filter(|shown| has_form(shown));
        shown.filter(|_| begins && (is_cut || is_whole)).map(str::to_ascii_lowercase)
    })
}

fn has_form(shown: &str) -> bool {
    let is_dash = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    shown.bytes().enumerate().all(
        |(at, byte)| {
            if is_dash(at) { byte == b'-' } else { byte.is_ascii_hexdigit() }
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_found_anywhere_in_a_title_and_nothing_else_is_one() {
        const ID: &str = "019aa38a-b2c0-7000-8000-000000000001";
        let shown = &ID[..29];
        for title in [
            format!("{shown}..."),
            format!("work | {shown}..."),
            format!("\u{280b} {shown}\u{2026} work"),
            ID.to_owned(),
            format!("{}...", shown.to_uppercase()),
        ] {
            assert_eq!(beginning(title.as_bytes()).as_deref(), Some(shown), "{title}");
        }
        for title in ["", "work", shown, &format!("x{shown}..."), &format!("{}z...", &shown[..28])]
        {
            assert_eq!(beginning(title.as_bytes()), None, "{title}");
        }
    }
}
