//! Addresses of repositories (pure): which may be asked for, and which mean the same one.

/// Maximum length of an address, in bytes.
pub const MAX_ADDRESS: usize = 1000;

/// An address that git must not clone: the rule that it breaks. The address itself is not repeated, since
/// it may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AddressError(&'static str);

/// Checks that git may clone an address: over https or ssh without a password in it, over file only if
/// the site allows it; nothing that git would take for an option or a helper of its own.
pub fn check(address: &str, allow_file: bool) -> Result<(), AddressError> {
    check_rules(address, allow_file).map_err(AddressError)
}

fn check_rules(address: &str, allow_file: bool) -> Result<(), &'static str> {
    let fine = |c: char| c.is_ascii_graphic() && !"'\"\\`$<>|;*?{}".contains(c);
    if address.is_empty() || address.len() > MAX_ADDRESS || !address.chars().all(fine) {
        return Err("expected an address of plain characters");
    }
    if address.starts_with('-') || address.contains("::") {
        return Err("expected an address, not an option or a helper of git's");
    }
    let Some((scheme, rest)) = address.split_once("://") else {
        return if short_ssh(address).is_some() {
            Ok(())
        } else {
            Err("expected https://... or ssh://..., or USER@HOST:PATH")
        };
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (login, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    match scheme {
        "https" | "ssh" if host.is_empty() || host.starts_with('-') || path.is_empty() => {
            Err("expected a host and a path")
        }
        "https" if !login.is_empty() => Err("expected no login in it: credentials are the user's"),
        "ssh" if login.contains(':') || login.starts_with('-') => {
            Err("expected no password in it: credentials are the user's")
        }
        "file" if !allow_file => Err("file:// is allowed only with allow_file = true"),
        "file" if !authority.is_empty() || path.is_empty() => Err("expected file:///PATH"),
        "https" | "ssh" | "file" => Ok(()),
        _ => Err("expected the scheme https or ssh"),
    }
}

/// The protocols that git may use for such an address (`GIT_ALLOW_PROTOCOL`): a redirect or a helper
/// cannot lead to another one.
pub fn protocols(allow_file: bool) -> &'static str {
    if allow_file { "https:ssh:file" } else { "https:ssh" }
}

/// An address without the login in it, which may hold a password, and not longer than is printed.
pub fn without_login(address: &str) -> String {
    let shown: String = match address.split_once("://") {
        Some((scheme, rest)) => {
            let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => address.to_owned(),
    };
    shown.chars().take(MAX_ADDRESS).collect()
}

/// Whether two addresses mean one repository: the host and the path count, not the transport, the
/// login or the port.
pub fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (place(one), place(other));
    one.is_some() && one == other
}

/// Host (none for a file) and path.
fn place(address: &str) -> Option<(String, String)> {
    let (host, path) = match address.split_once("://") {
        Some((_, rest)) => {
            let (authority, path) = rest.split_once('/')?;
            let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            (host.split(':').next().unwrap_or_default(), path)
        }
        None if address.starts_with('/') => ("", address),
        None => short_ssh(address)?,
    };
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/');
    Some((host.to_ascii_lowercase(), path.to_owned()))
}

/// `USER@HOST:PATH`: host and path.
fn short_ssh(address: &str) -> Option<(&str, &str)> {
    let (authority, path) = address.split_once(':')?;
    let (login, host) = authority.split_once('@')?;
    let fine = !login.is_empty()
        && !host.is_empty()
        && !path.is_empty()
        && !authority.contains('/')
        && !host.starts_with('-')
        && !login.starts_with('-');
    fine.then_some((host, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_over_allowed_schemes_pass() {
        for fine in ["https://git.example/a.git", "ssh://git@h:22/a", "git@git.example:org/a.git"] {
            assert_eq!(check(fine, false), Ok(()), "{fine}");
        }
        for refused in [
            "",
            "-upload-pack=x",
            "--upload-pack=x",
            "ext::sh -c x",
            "ext::sh",
            "fd::7",
            "git://h/a",
            "http://h/a",
            "HTTPS://h/a",
            "ftp://h/a",
            "file:///srv/a",
            "/srv/a",
            "../a",
            "a",
            "h:a",
            "https://",
            "https://h",
            "https:///a",
            "https://u:secret@h/a",
            "https://token@h/a",
            "ssh://u:secret@h/a",
            "ssh://-oProxyCommand=x/a",
            "ssh://-oProxyCommand=x@h/a",
            "git@-oProxyCommand=x:a",
            "-x@h:a",
            "https://h/a b",
            "https://h/a\n",
            "https://h/$(x)",
            "https://h/{repo}",
        ] {
            assert!(check(refused, false).is_err(), "{refused:?}");
        }
        assert!(check(&format!("https://h/{}", "a".repeat(1000)), false).is_err());
        assert_eq!(check("file:///srv/a.git", true), Ok(()));
        assert!(check("file://host/srv/a.git", true).is_err());
    }

    #[test]
    fn one_repository_over_two_transports_is_the_same() {
        let same = [
            ("https://git.example/o/a.git", "git@git.example:o/a"),
            ("https://u:p@Git.example/o/a/", "ssh://git@git.example:2222/o/a.git"),
            ("file:///srv/a.git", "/srv/a"),
        ];
        for (one, other) in same {
            assert!(is_same(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("https://git.example/o/a", "https://git.example/o/b"),
            ("https://git.example/o/a", "https://other.example/o/a"),
            ("a", "a"),
        ] {
            assert!(!is_same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn logins_are_not_shown() {
        assert_eq!(without_login("https://u:secret@h/a@b"), "https://h/a@b");
        assert_eq!(without_login("https://u:s@cret@h"), "https://h");
        assert_eq!(without_login("git@h:a"), "git@h:a");
        assert_eq!(without_login(&"a".repeat(5000)).len(), MAX_ADDRESS);
    }
}
