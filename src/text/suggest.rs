//! Which known name a mistyped one probably means (pure).

/// Of what was typed, no more is compared: the time it takes grows with both lengths.
const MAX_CHARS: usize = 64;

/// The known name that is nearest to `given`, if one is near enough to be worth suggesting: at most
/// one in three characters differs (Damerau-Levenshtein; case does not count, nor whether `_` or `-`). Among equally near ones, the first in
/// alphabetical order.
pub fn closest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given: String = given.chars().take(MAX_CHARS).collect();
    let plain = |text: &str| text.to_lowercase().replace('_', "-");
    let given = plain(&given);
    let distance = |name: &str| strsim::damerau_levenshtein(&given, &plain(name));
    let (distance, name) = known.into_iter().map(|name| (distance(name), name)).min()?;
    let length = given.chars().count().max(name.chars().count());
    // A single letter cannot be recognized once it differs.
    let allowed = if length < 2 { 0 } else { (length / 3).max(1) };
    (distance <= allowed).then_some(name)
}

/// `did you mean 'web'?`, to be given as a hint.
pub fn did_you_mean<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    closest(given, known).map(|name| format!("did you mean '{name}'?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognized_and_another_word_is_not() {
        let known = ["api", "database", "my-web", "notes", "web"];
        for (given, meant) in [
            ("wbe", Some("web")),
            ("Web", Some("web")),
            ("we", Some("web")),
            ("databse", Some("database")),
            ("note", Some("notes")),
            ("my_web", Some("my-web")),
            ("mail", None),
            ("w", None),
            ("", None),
        ] {
            assert_eq!(closest(given, known), meant, "{given}");
        }
        assert_eq!(closest("web", []), None);
        assert_eq!(closest("b", ["a"]), None);
        assert_eq!(did_you_mean("wbe", known).as_deref(), Some("did you mean 'web'?"));
    }
}
