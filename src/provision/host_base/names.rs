//! Which names, paths and values the file may hold (pure). The second half of an error message:
//! `expected ...`.

/// Places that are another generator's, or nobody's to write to.
const NOT_HERE: [(&str, &str); 13] = [
    ("/etc/ttyd-user-map", "the roster's plan generates it"),
    ("/etc/ttyd-admins", "the roster's plan generates it"),
    ("/etc/t3-serve/dispatch.json", "the roster's plan generates it"),
    ("/etc/sudoers", "a fragment is a [[sudoers]]"),
    ("/etc/sudoers.d/", "a fragment is a [[sudoers]]"),
    ("/var/lib/terminal-lobby/", "this program's own records are there"),
    ("/home/", "a home is its user's"),
    ("/proc/", "it is no place for files"),
    ("/sys/", "it is no place for files"),
    ("/dev/", "it is no place for files"),
    ("/run/", "it is gone after a reboot"),
    ("/tmp/", "others can write there"),
    ("/var/tmp/", "others can write there"),
];

/// A Debian package (Debian policy 5.6.7), perhaps with an architecture. A name with `-` at its end
/// would make apt remove one.
pub(crate) fn package(name: &str) -> Result<(), String> {
    let (base, architecture) = name.split_once(':').unwrap_or((name, "any"));
    let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fine = base.len() >= 2
        && base.starts_with(lower)
        && base.chars().all(|c| lower(c) || "+-.".contains(c))
        && !base.ends_with('-')
        && !architecture.is_empty()
        && architecture.chars().all(|c| lower(c) || c == '-');
    check(fine, "a Debian package's name", name)
}

/// A Debian version.
pub(crate) fn debian_version(version: &str) -> Result<(), String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || ".+-:~".contains(c);
    let first = version.starts_with(|c: char| c.is_ascii_digit());
    check(first && version.chars().all(fine), "a Debian version", version)
}

/// A package of npm's, perhaps in a scope.
pub(crate) fn npm(name: &str) -> Result<(), String> {
    let part = |part: &str| {
        let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-._~".contains(c);
        part.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            && part.chars().all(inside)
    };
    let fine = match name.strip_prefix('@').map(|scoped| scoped.split_once('/')) {
        Some(Some((scope, name))) => part(scope) && part(name),
        Some(None) => false,
        None => part(name),
    };
    check(fine && name.len() <= 214, "the name of a package of npm's", name)
}

/// One version and no range or tag: what runs is what was chosen.
pub(crate) fn npm_version(version: &str) -> Result<(), String> {
    let (core, rest) = match version.find(['-', '+']) {
        Some(at) => version.split_at(at),
        None => (version, ""),
    };
    let number = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let parts: Vec<&str> = core.split('.').collect();
    let fine = parts.len() == 3
        && parts.into_iter().all(number)
        && rest.chars().all(|c| c.is_ascii_alphanumeric() || "-+.".contains(c));
    check(fine, "one version (1.2.3): neither a range nor a tag such as 'latest'", version)
}

/// An absolute path without detours that is a host's own.
pub(crate) fn path(path: &str) -> Result<(), String> {
    plain_path(path)?;
    let below = |place: &str| match place.strip_suffix('/') {
        Some(dir) => path == dir || path.starts_with(place),
        None => path == place,
    };
    if path.starts_with("/etc/systemd/") && path.ends_with("/50-terminal-lobby.conf") {
        return Err(format!("not {path}: [limits] generates it"));
    }
    match NOT_HERE.iter().find(|(place, _)| below(place)) {
        Some((place, why)) => Err(format!("not {}: {why}", place.trim_end_matches('/'))),
        None => Ok(()),
    }
}

/// An absolute path without detours.
pub(crate) fn plain_path(path: &str) -> Result<(), String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "/._+@-".contains(c);
    let parts = path.strip_prefix('/').unwrap_or_default().split('/');
    let detour = |part: &str| part.is_empty() || part == "." || part == "..";
    let fine = path.len() <= 1024
        && path.starts_with('/')
        && path.chars().all(fine)
        && !parts.into_iter().any(detour);
    check(fine, "an absolute path of plain characters, without . and ..", path)
}

/// A file that [[file]] may be about.
pub(crate) fn profile_or_skel(path: &str) -> Result<(), String> {
    plain_path(path)?;
    let profile = path.strip_prefix("/etc/profile.d/").is_some_and(|name| !name.contains('/'));
    check(profile || path.starts_with("/etc/skel/"), "a file of /etc/profile.d or /etc/skel", path)
}

/// A fragment's name: sudo reads none with a dot or a tilde in it.
pub(crate) fn fragment(name: &str) -> Result<(), String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let fine = !name.is_empty() && name.len() <= 200 && name.chars().all(fine);
    check(fine, "letters, digits, _ and -: sudo reads no other names", name)
}

/// Permission bits of a download, in octal: nobody but root writes it, no set-user-id.
pub(crate) fn mode(mode: &str) -> Result<u32, String> {
    let value = u32::from_str_radix(mode, 8).ok();
    let octal = mode.len() <= 4 && mode.chars().all(|c| c.is_ascii_digit());
    match value.filter(|value| octal && value & !0o755 == 0 && value & 0o400 != 0) {
        Some(value) => Ok(value),
        None => Err(expected("octal permission bits within 0755, as \"0755\"", mode)),
    }
}

/// A hash, with or without `sha256:`.
pub(crate) fn sha256(hash: &str) -> Result<String, String> {
    let hex = hash.strip_prefix("sha256:").unwrap_or(hash).to_ascii_lowercase();
    let fine = hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit());
    check(fine, "the 64 hexadecimal digits of a SHA-256", hash)?;
    Ok(format!("sha256:{hex}"))
}

/// An address to download from.
pub(crate) fn url(url: &str, insecure: bool) -> Result<(), String> {
    let plain = url.chars().all(|c| c.is_ascii_graphic());
    let rest = match url.split_once("://") {
        Some(("https", rest)) => rest,
        Some(("http" | "file", rest)) if insecure => rest,
        Some(("http" | "file", _)) => {
            return Err("expected https://; with insecure = true http:// or file://".to_owned());
        }
        _ => "",
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let known = (!host.is_empty() && !host.contains('@')) || url.starts_with("file:///");
    // Not repeated: it may hold a password.
    if plain && known {
        Ok(())
    } else {
        Err("expected https://HOST/..., without a user".to_owned())
    }
}

/// An account or a group.
pub(crate) fn account(name: &str) -> Result<(), String> {
    check(crate::identity::is_user_name(name), "the name of an account", name)
}

/// `12G`, `512M` or a share of the memory.
pub(crate) fn memory(value: &str) -> Result<(), String> {
    let number = value.strip_suffix(['K', 'M', 'G', 'T', '%']).unwrap_or_default();
    let percent = !value.ends_with('%') || number.parse().is_ok_and(|share: u32| share <= 100);
    let fine = number.parse().is_ok_and(|number: u32| number > 0) && percent;
    check(fine, "a size (\"12G\") or a share of the memory (\"40%\")", value)
}

/// `MOUNT/data/NAME`.
pub(crate) fn vault_path(path: &str) -> Result<(), String> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let parts: Vec<&str> = path.split('/').collect();
    let fine = path.chars().all(fine)
        && parts.len() >= 3
        && parts[1..parts.len() - 1].contains(&"data")
        && !parts.iter().any(|part| part.is_empty() || part.starts_with('.'));
    check(fine, "MOUNT/data/NAME, in a key-value store of version 2", path)
}

fn check(fine: bool, what: &str, found: &str) -> Result<(), String> {
    if fine { Ok(()) } else { Err(expected(what, found)) }
}

fn expected(what: &str, found: &str) -> String {
    format!("expected {what}, found '{}'", found.escape_debug())
}
