//! Session names as a user types them: as they are, or as we print them (pure).

use crate::text::unescape;
use std::collections::BTreeSet;

/// The bytes of a name in a request, where it is in the snapshot file's escapes.
pub(crate) fn exact(given: &str) -> Vec<u8> {
    unescape(given.as_bytes()).unwrap_or_else(|| given.into())
}

/// The known name that `given` means: the exact one, else the one that is printed like this.
pub(crate) fn find(given: &str, known: &BTreeSet<&[u8]>) -> Option<Vec<u8>> {
    let exact = exact(given);
    let printed = unescape(&exact);
    [Some(exact), printed].into_iter().flatten().find(|name| known.contains(name.as_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::escape;

    #[test]
    fn a_name_is_found_as_it_is_and_as_it_is_printed() {
        let names: [&[u8]; 3] = [b"a\tb", br"a\\tb", b"plain"];
        let known: BTreeSet<&[u8]> = names.into_iter().collect();
        let given = |argument: &[u8]| find(&escape(argument), &known);
        assert_eq!(given(b"a\tb").as_deref(), Some(&b"a\tb"[..]));
        assert_eq!(given(br"a\tb").as_deref(), Some(&b"a\tb"[..]));
        assert_eq!(given(br"a\\tb").as_deref(), Some(&br"a\\tb"[..]));
        assert_eq!(given(b"pla"), None);
    }
}
