//! Checks of the names, paths and values in `host.toml` (pure).

use crate::provision::settings::Invalid;
use std::path::Path;

/// Places that belong to another generator or must not be written to, each with the reason.
const FORBIDDEN: [(&str, &str); 16] = [
    ("/etc/ttyd-user-map", "the roster's plan generates it"),
    ("/etc/ttyd-admins", "the roster's plan generates it"),
    ("/etc/t3-serve/dispatch.json", "the roster's plan generates it"),
    ("/etc/sudoers", "use [[sudoers]] for a fragment"),
    ("/etc/sudoers.d/", "use [[sudoers]] for a fragment"),
    ("/etc/fstab", "[swap] adds its line"),
    ("/etc/default/earlyoom", "[earlyoom] adds its lines"),
    ("/etc/zsh/", "[zsh] adds its lines"),
    ("/var/lib/terminal-lobby/", "it holds this program's own records"),
    ("/home/", "homes belong to their users"),
    ("/proc/", "not a place for files"),
    ("/sys/", "not a place for files"),
    ("/dev/", "not a place for files"),
    ("/run/", "emptied at boot"),
    ("/tmp/", "other users can write there"),
    ("/var/tmp/", "other users can write there"),
];

/// A Debian package (Debian policy 5.6.7), perhaps with an architecture. A name with `-` at its end
/// would make apt remove one.
pub(crate) fn package(name: &str) -> Result<(), Invalid> {
    let (base, architecture) = name.split_once(':').unwrap_or((name, "any"));
    let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fine = base.len() >= 2
        && base.starts_with(lower)
        && base.chars().all(|c| lower(c) || "+-.".contains(c))
        && !base.ends_with('-')
        && !architecture.is_empty()
        && architecture.chars().all(|c| lower(c) || c == '-');
    check(fine, "the name of a Debian package", name)
}

pub(crate) fn debian_version(version: &str) -> Result<(), Invalid> {
    let fine = |c: char| c.is_ascii_alphanumeric() || ".+-:~".contains(c);
    let first = version.starts_with(|c: char| c.is_ascii_digit());
    check(first && version.chars().all(fine), "a Debian version", version)
}

/// The name of an npm package, perhaps in a scope.
pub(crate) fn npm(name: &str) -> Result<(), Invalid> {
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
    check(fine && name.len() <= 214, "the name of an npm package", name)
}

/// One version, neither a range nor a tag: the installed version is the chosen one.
pub(crate) fn npm_version(version: &str) -> Result<(), Invalid> {
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

/// An absolute path without `.` and `..`, at which a file may be installed.
pub(crate) fn path(path: &str) -> Result<(), Invalid> {
    plain_path(path)?;
    let below = |place: &str| match place.strip_suffix('/') {
        Some(dir) => path == dir || path.starts_with(place),
        None => path == place,
    };
    if path.starts_with("/etc/systemd/") && path.ends_with("/50-terminal-lobby.conf") {
        return Err(Invalid::rule(format!("{path} is not allowed: [limits] generates it")));
    }
    match FORBIDDEN.iter().find(|(place, _)| below(place)) {
        Some((place, why)) => {
            let place = place.trim_end_matches('/');
            Err(Invalid::rule(format!("{place} is not allowed: {why}")))
        }
        None => Ok(()),
    }
}

/// An absolute path of plain characters, without `.` and `..`.
pub(crate) fn plain_path(path: &str) -> Result<(), Invalid> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "/._+@-".contains(c);
    let parts = path.strip_prefix('/').unwrap_or_default().split('/');
    let detour = |part: &str| part.is_empty() || part == "." || part == "..";
    let fine = path.len() <= 1024
        && path.starts_with('/')
        && path.chars().all(fine)
        && !parts.into_iter().any(detour);
    check(fine, "an absolute path of plain characters, without . and ..", path)
}

/// The name of an archive's member: a relative path without `.` and `..`.
pub(crate) fn member(name: &str) -> Result<(), Invalid> {
    let detour = |part: &str| part.is_empty() || part == "." || part == "..";
    let fine =
        name.len() <= 1024 && !name.chars().any(char::is_control) && !name.split('/').any(detour);
    check(fine, "the name of a file in the archive, without . and ..", name)
}

/// The name of a program in an archive, as a path of plain characters.
pub(crate) fn program(name: &str) -> Result<(), Invalid> {
    let fine = plain_path(&format!("/{name}")).is_ok();
    check(fine, "the name of a program in the archive, such as bin/node", name)
}

/// The path of a `[[file]]`.
pub(crate) fn profile_or_skel(path: &str) -> Result<(), Invalid> {
    plain_path(path)?;
    if let Some(name) = path.strip_prefix("/etc/profile.d/") {
        let is_script = Path::new(name).extension().is_some_and(|extension| extension == "sh");
        let is_read = !name.contains('/') && !name.starts_with('.') && is_script;
        return check(is_read, "a name that ends in .sh (shells read no others there)", path);
    }
    check(path.starts_with("/etc/skel/"), "a file of /etc/profile.d or /etc/skel", path)
}

/// Permission bits of a `[[file]]`: 0644, or 0755 for an executable below `/etc/skel`. Every new account gets
/// its own copy with the same bits, so no others are allowed.
pub(crate) fn file_mode(mode: &str, path: &str) -> Result<u32, Invalid> {
    match mode {
        "0644" | "644" => Ok(0o644),
        "0755" | "755" if path.starts_with("/etc/skel/") => Ok(0o755),
        "0755" | "755" => Err(Invalid::rule("0755 is allowed below /etc/skel only")),
        _ => Err(Invalid::value("\"0644\" or \"0755\"", mode)),
    }
}

/// The name of a sudoers fragment: sudo skips names with a dot or a tilde in them.
pub(crate) fn fragment(name: &str) -> Result<(), Invalid> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let fine = !name.is_empty() && name.len() <= 200 && name.chars().all(fine);
    check(fine, "letters, digits, _ and - (sudo skips other names)", name)
}

/// Permission bits of a download, in octal: writable only by root, no set-user-id bit.
pub(crate) fn mode(mode: &str) -> Result<u32, Invalid> {
    let value = u32::from_str_radix(mode, 8).ok();
    let octal = mode.len() <= 4 && mode.chars().all(|c| c.is_ascii_digit());
    match value.filter(|value| octal && value & !0o755 == 0 && value & 0o400 != 0) {
        Some(value) => Ok(value),
        None => Err(Invalid::value("octal permission bits within 0755, such as \"0755\"", mode)),
    }
}

/// A SHA-256 hash, with or without `sha256:`; returned with it.
pub(crate) fn sha256(hash: &str) -> Result<String, Invalid> {
    let hex = hash.strip_prefix("sha256:").unwrap_or(hash).to_ascii_lowercase();
    let fine = hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit());
    check(fine, "the 64 hexadecimal digits of a SHA-256", hash)?;
    Ok(format!("sha256:{hex}"))
}

/// An address to download from.
pub(crate) fn url(url: &str, insecure: bool) -> Result<(), Invalid> {
    let plain = url.chars().all(|c| c.is_ascii_graphic());
    let rest = match url.split_once("://") {
        Some(("https", rest)) => rest,
        Some(("http" | "file", rest)) if insecure => rest,
        Some(("http" | "file", _)) => {
            let rule = "expected https:// (http:// and file:// need insecure = true)";
            return Err(Invalid::rule(rule));
        }
        _ => "",
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let known = (!host.is_empty() && !host.contains('@')) || url.starts_with("file:///");
    // Not repeated: it may hold a password.
    if plain && known {
        Ok(())
    } else {
        Err(Invalid::rule("expected https://HOST/..., without a user"))
    }
}

/// The name of an account or a group.
pub(crate) fn account(name: &str) -> Result<(), Invalid> {
    check(crate::identity::is_user_name(name), "the name of an account", name)
}

/// A size in memory: `12G`, `512M` or a percentage.
pub(crate) fn memory(value: &str) -> Result<(), Invalid> {
    let number = value.strip_suffix(['K', 'M', 'G', 'T', '%']).unwrap_or_default();
    let percent = !value.ends_with('%') || number.parse().is_ok_and(|share: u32| share <= 100);
    let fine = number.parse().is_ok_and(|number: u32| number > 0) && percent;
    check(fine, "a size (\"12G\") or a share of the memory (\"40%\")", value)
}

/// A size of a file: `8G`, `512M`; in bytes.
pub(crate) fn size(value: &str) -> Result<u64, Invalid> {
    let (number, shift) = match (value.strip_suffix('M'), value.strip_suffix('G')) {
        (Some(number), _) => (number, 20),
        (_, Some(number)) => (number, 30),
        _ => ("", 0),
    };
    let plain = number.len() <= 6 && number.chars().all(|c| c.is_ascii_digit());
    let bytes = number.parse::<u64>().ok().filter(|_| plain).map(|number| number << shift);
    match bytes {
        Some(bytes) if (64 << 20..=64 << 30).contains(&bytes) => Ok(bytes),
        _ => Err(Invalid::value("a size from \"64M\" to \"64G\"", value)),
    }
}

/// The name of a process as the kernel has it: at most 15 characters.
pub(crate) fn process(name: &str) -> Result<(), Invalid> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
    let fine = (1..=15).contains(&name.len()) && name.chars().all(fine);
    check(fine, "the name of a process: 1 to 15 letters, digits and ._+-", name)
}

/// `MOUNT/data/NAME`.
pub(crate) fn vault_path(path: &str) -> Result<(), Invalid> {
    let fine = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let parts: Vec<&str> = path.split('/').collect();
    let fine = path.chars().all(fine)
        && parts.len() >= 3
        && parts[1..parts.len() - 1].contains(&"data")
        && !parts.iter().any(|part| part.is_empty() || part.starts_with('.'));
    check(fine, "MOUNT/data/NAME, in a key-value store of version 2", path)
}

fn check(valid: bool, expected: &'static str, found: &str) -> Result<(), Invalid> {
    if valid { Ok(()) } else { Err(Invalid::value(expected, found)) }
}
