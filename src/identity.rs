//! Who is a terminal user: the names and the generated identity map (pure).

use std::collections::BTreeMap;
use std::path::Path;

/// The terminal users that a map names, in name order, each with the identities that lead there.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct UserMap {
    users: BTreeMap<String, Vec<String>>,
}

/// A line of the map that does not parse; the others count all the same.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {why}")]
pub struct MapError {
    file: String,
    line: usize,
    why: &'static str,
}

impl UserMap {
    /// Parses `identity=os_user[:cwd]`, one a line; empty lines and lines beginning `#` are
    /// comments, and so is what follows a `#` after a blank. Blanks around `=` and `:` are ignored. Several
    /// identities may lead to one user.
    pub fn parse(text: &str, file: &Path) -> (Self, Vec<MapError>) {
        let (mut map, mut errors) = (Self::default(), Vec::new());
        for (index, line) in text.lines().enumerate() {
            let line = without_comment(line).trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            match parse_line(line) {
                Ok((identity, user)) => {
                    map.users.entry(user.to_owned()).or_default().push(identity.to_owned());
                }
                Err(why) => {
                    let file = file.display().to_string();
                    errors.push(MapError { file, line: index + 1, why });
                }
            }
        }
        (map, errors)
    }

    /// Each identity with its OS user; an identity that leads to two users comes twice.
    pub fn identities(&self) -> impl Iterator<Item = (&str, &str)> {
        self.users.iter().flat_map(|(user, identities)| {
            identities.iter().map(move |identity| (identity.as_str(), user.as_str()))
        })
    }

    /// The OS users, in name order, each once.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.users.keys().map(String::as_str)
    }

    /// Whether an OS user is one of them.
    pub fn contains(&self, user: &str) -> bool {
        self.users.contains_key(user)
    }
}

fn parse_line(line: &str) -> Result<(&str, &str), &'static str> {
    let (identity, target) = line.split_once('=').ok_or("expected identity=os_user[:cwd]")?;
    let user = target.split_once(':').map_or(target, |(user, _cwd)| user).trim();
    let identity = identity.trim();
    if identity.is_empty() {
        return Err("the identity is empty");
    }
    if !is_user_name(user) {
        return Err("not a user name");
    }
    Ok((identity, user))
}

/// A line up to a `#` that begins it or follows a blank: an identity may have one within it.
fn without_comment(line: &str) -> &str {
    let mut before = None;
    for (at, character) in line.char_indices() {
        if character == '#' && before.is_none_or(char::is_whitespace) {
            return &line[..at];
        }
        before = Some(character);
    }
    line
}

/// Whether a name is one that useradd(8) would take on any distribution, and so is safe as a
/// file name and as an argument: `[a-z_][a-z0-9_.-]*`, at most 32 characters, upper case too.
/// Not `*.tsv`: beside a user's directory lies the link `<user>.tsv`.
pub fn is_user_name(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let rest = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
    first && rest && name.len() <= 32 && !name.as_bytes().ends_with(b".tsv")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_user_comes_once_in_name_order_and_bad_lines_are_named() {
        let text = "# generated\n\nbob@x=bob\nalice@x=alice:/srv/a:b\nal=alice\nnope\n=x\ny=../x\n";
        let (map, errors) = UserMap::parse(text, Path::new("/etc/map"));
        assert_eq!(map.users().collect::<Vec<_>>(), ["alice", "bob"]);
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            errors,
            [
                "/etc/map:6: expected identity=os_user[:cwd]",
                "/etc/map:7: the identity is empty",
                "/etc/map:8: not a user name",
            ]
        );
        assert!(map.contains("bob") && !map.contains("bob@x"));
    }

    #[test]
    fn a_comment_after_a_user_and_blanks_around_the_equals_sign_lose_nobody() {
        let text =
            "a=ann # note\nb = bob\nc=cleo\t#x\nd#1@x=dora : /srv/d # her work\n \t# all\ne= #\n";
        let (map, errors) = UserMap::parse(text, Path::new("/etc/map"));
        assert_eq!(map.users().collect::<Vec<_>>(), ["ann", "bob", "cleo", "dora"]);
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(errors, ["/etc/map:6: not a user name"]);
        assert_eq!(map.users["dora"], ["d#1@x"]);
    }

    #[test]
    fn names_that_could_be_paths_or_options_are_no_user_names() {
        for name in ["", "-x", ".", "..", "a/b", "a b", "a\n", "7up", "ann.tsv", &"a".repeat(33)] {
            assert!(!is_user_name(name), "{name:?}");
        }
        for name in ["alice", "_x", "a.b-c_9", "Bob"] {
            assert!(is_user_name(name), "{name:?}");
        }
    }
}
