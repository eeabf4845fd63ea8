//! Patterns of names (pure).

/// Whether a name matches a pattern of `*` and `?`, byte by byte.
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut in_name) = (0, 0);
    // Where to go on after the last `*`: behind it, and one byte further in the name than before.
    let mut star: Option<(usize, usize)> = None;
    while in_name < name.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at + 1, in_name));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == name[in_name] => {
                at += 1;
                in_name += 1;
            }
            _ => {
                let Some((behind, from)) = star else { return false };
                star = Some((behind, from + 1));
                (at, in_name) = (behind, from + 1);
            }
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_whole_names() {
        let yes =
            [("ci-*", "ci-"), ("ci-*", "ci-12"), ("*-tmp", "a-tmp-tmp"), ("?", "x"), ("*", "")];
        assert!(yes.iter().all(|(pattern, name)| matches(pattern.as_bytes(), name.as_bytes())));
        let no = [("ci-*", "aci-1"), ("ci", "ci-1"), ("?", ""), ("a*b", "ac"), ("", "x")];
        assert!(no.iter().all(|(pattern, name)| !matches(pattern.as_bytes(), name.as_bytes())));
    }
}
