//! The first-run guard: Claude Code's shared file `~/.claude.json` is rewritten by many processes,
//! and a stale writer sometimes drops the flag that says that the first run is over; the user then
//! meets the first-run wizard again (lesson 37). That one flag is put back when it is missing.

use crate::files;
use crate::process::mounts::answers;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Maximum size of the file, which grows with its user's projects, in bytes.
const MAX_FILE: u64 = 64 << 20;
const KEY: &str = "hasCompletedOnboarding";

/// Puts the flag back if the file exists, is valid, and lacks it. Otherwise nothing changes.
///
/// `config_dir` is the agent's `CLAUDE_CONFIG_DIR`: if it is set, Claude Code keeps the file there, and the
/// one in the home counts for nothing. A relative one begins in the agent's directory, which is this
/// process's.
pub(crate) fn keep_onboarded(home: &Path, config_dir: Option<&Path>) {
    let config_dir = config_dir.filter(|dir| !dir.as_os_str().is_empty());
    let path = config_dir.unwrap_or(home).join(".claude.json");
    if !answers(&std::path::absolute(&path).unwrap_or_default()) {
        return;
    }
    // A link of a dotfile manager stays: the file behind it is rewritten.
    let Ok(path) = path.canonicalize() else { return };
    let Ok(Some((before, metadata))) = files::read_with_metadata(&path, MAX_FILE) else { return };
    // Another user's file stays that user's.
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return;
    }
    let Some(after) = with_flag(&before) else { return };
    // If another writer was quicker, the next start tries again.
    let unchanged = || matches!(files::read(&path, MAX_FILE), Ok(Some(now)) if now == before);
    let _ = files::replace(&path, &after, &metadata, unchanged);
}

/// The file with the flag as its first key and every other byte unchanged; `None` if it has the flag
/// or is invalid.
fn with_flag(text: &[u8]) -> Option<Vec<u8>> {
    // Nearly always the flag is there: then no value is built from a file that may be large.
    #[allow(clippy::zero_sized_map_values, reason = "a set of keys cannot be read from a map")]
    let keys: BTreeMap<Cow<'_, str>, IgnoredAny> = serde_json::from_slice(text).ok()?;
    if keys.contains_key(KEY) {
        return None;
    }
    let parse = |text: &[u8]| {
        serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(text).ok()
    };
    let mut map = parse(text)?;
    let brace = text.iter().position(|&byte| byte == b'{')?;
    let comma = if map.is_empty() { "" } else { "," };
    let mut after = text[..=brace].to_vec();
    after.extend(format!("\"{KEY}\":true{comma}").bytes());
    after.extend(&text[brace + 1..]);
    map.insert(KEY.to_owned(), true.into());
    (parse(&after)? == map).then_some(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_missing_flag_is_added_and_every_other_byte_stays() {
        for (before, after) in [
            (
                "{\"a\": 1,\n \"b\": {}}\n",
                Some("{\"hasCompletedOnboarding\":true,\"a\": 1,\n \"b\": {}}\n"),
            ),
            (" {}", Some(" {\"hasCompletedOnboarding\":true}")),
            ("{\"hasCompletedOnboarding\":false}", None),
            ("{\"a\":", None),
            ("", None),
            ("[]", None),
        ] {
            assert_eq!(
                with_flag(before.as_bytes()),
                after.map(|after| after.as_bytes().to_vec()),
                "{before}"
            );
        }
    }

    #[test]
    fn the_file_is_where_the_agent_keeps_it() {
        let home = tempfile::tempdir().unwrap();
        let other = home.path().join("cfg");
        std::fs::create_dir(&other).unwrap();
        for dir in [home.path(), &other] {
            crate::test_files::write(&dir.join(".claude.json"), "{}", 0o600);
        }
        let text = |dir: &Path| std::fs::read_to_string(dir.join(".claude.json")).unwrap();
        keep_onboarded(home.path(), Some(&home.path().join("absent")));
        assert_eq!(text(home.path()), "{}");
        keep_onboarded(home.path(), Some(&other));
        let with_flag = "{\"hasCompletedOnboarding\":true}";
        assert_eq!((text(home.path()).as_str(), text(&other).as_str()), ("{}", with_flag));
        keep_onboarded(home.path(), Some(Path::new("")));
        assert_eq!(text(home.path()), with_flag);
    }

    #[test]
    fn the_file_keeps_its_mode_and_a_link_stays_a_link() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        let real = home.path().join("real.json");
        crate::test_files::write(&real, "{\"a\":1}", 0o640);
        crate::test_files::link(&real, &home.path().join(".claude.json"));
        keep_onboarded(home.path(), None);
        let text = std::fs::read_to_string(&real).unwrap();
        assert_eq!(text, "{\"hasCompletedOnboarding\":true,\"a\":1}");
        assert_eq!(real.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        assert!(home.path().join(".claude.json").is_symlink());
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 2);
    }
}
