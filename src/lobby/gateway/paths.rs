//! What a path of the gateway's is.

use terminal_lobby::identity::is_user_name;

/// The longest path, in bytes.
const MAX_PATH: usize = 1024;

/// Whose lobby a path is in, and the path as it is in the person's own.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    Own(&'a str),
    /// `/as/<user>/...`
    Of(&'a str, &'a str),
    /// `/shared/<user>/...`: what that user shares with the person.
    SharedBy(&'a str, &'a str),
    /// `/as/<user>` or `/shared/<user>`, which lacks its last slash.
    WithoutSlash,
}

/// Whether a path has nothing that two programs may read differently: only plain characters, no empty segment but the
/// last, no `.` or `..`.
pub(super) fn is_plain(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~@$:+,=/".contains(&byte);
    let Some(rest) = path.strip_prefix('/') else { return false };
    let is_segment = |segment: &str| segment != "." && segment != "..";
    path.len() <= MAX_PATH
        && path.bytes().all(is_plain)
        && !path.contains("//")
        && rest.split('/').all(is_segment)
}

/// Where a plain path leads; `None` if it names no user after `/as/` or `/shared/`.
pub(super) fn place<'a>(path: &'a str) -> Option<Place<'a>> {
    type Of<'a> = fn(&'a str, &'a str) -> Place<'a>;
    let (rest, of): (&str, Of<'a>) =
        match (path.strip_prefix("/as/"), path.strip_prefix("/shared/")) {
            (Some(rest), _) => (rest, Place::Of),
            (None, Some(rest)) => (rest, Place::SharedBy),
            (None, None) => {
                return (!matches!(path, "/as" | "/shared")).then_some(Place::Own(path));
            }
        };
    let user = rest.split('/').next().unwrap_or_default();
    if !is_user_name(user) {
        return None;
    }
    match &rest[user.len()..] {
        "" => Some(Place::WithoutSlash),
        path => Some(of(user, path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_two_programs_may_read_differently_is_refused() {
        for path in ["/", "/api/me", "/as/bob/", "/assets/index-Ab_c.js", "/session/0a1b"] {
            assert!(is_plain(path), "{path}");
        }
        let long = format!("/{}", "a".repeat(MAX_PATH));
        for path in [
            "",
            "*",
            "a",
            "//",
            "/a//b",
            "/.",
            "/..",
            "/as/../x",
            "/a/./b",
            "/%2e%2e/",
            "/as/%62ob/",
            "/a\\b",
            "/a b",
            "/a;b",
            "/\u{e4}",
            "/a\0",
            "http://x/",
            &long,
        ] {
            assert!(!is_plain(path), "{path}");
        }
    }

    #[test]
    fn what_follows_as_is_a_user_and_a_path() {
        assert_eq!(place("/as/bob/api/me"), Some(Place::Of("bob", "/api/me")));
        assert_eq!(place("/as/bob/"), Some(Place::Of("bob", "/")));
        assert_eq!(place("/as/bob"), Some(Place::WithoutSlash));
        assert_eq!(place("/shared/bob/api/me"), Some(Place::SharedBy("bob", "/api/me")));
        assert_eq!(place("/shared/bob"), Some(Place::WithoutSlash));
        assert_eq!(place("/shared/bob/shared/eve/"), Some(Place::SharedBy("bob", "/shared/eve/")));
        assert_eq!(place("/assets/x"), Some(Place::Own("/assets/x")));
        assert_eq!(place("/as/bob/as/eve/x"), Some(Place::Of("bob", "/as/eve/x")));
        for path in
            ["/as", "/shared", "/shared/", "/shared/-x/", "/as/", "/as/.x/", "/as/-x/", "/as/a@b/"]
        {
            assert_eq!(place(path), None, "{path}");
        }
    }
}
