//! Parses the account databases (pure). Invalid lines are skipped: the programs that use
//! these files report them.

use super::observed::{Account, Group, LoginLock};
use std::collections::{BTreeMap, BTreeSet};

/// passwd(5).
pub(in crate::provision) fn passwd(text: &[u8]) -> BTreeMap<String, Account> {
    let row = |fields: &[&str]| {
        let [_, _, uid, gid, _, home, shell] = fields else { return None };
        let shell = if shell.is_empty() { "/bin/sh" } else { shell };
        Some(Account {
            uid: uid.parse().ok()?,
            gid: gid.parse().ok()?,
            home: (*home).to_owned(),
            shell: shell.to_owned(),
            local: true,
        })
    };
    rows(text, row)
}

/// Every uid of passwd(5), of duplicate names, too.
pub(in crate::provision) fn passwd_uids(text: &[u8]) -> BTreeSet<u32> {
    let text = String::from_utf8_lossy(text);
    text.lines().filter_map(|line| line.split(':').nth(2)?.parse().ok()).collect()
}

/// group(5). A group may have several lines, as `MAX_MEMBERS_PER_GROUP` of login.defs(5) makes them: the
/// members of all of them count.
pub(in crate::provision) fn group(text: &[u8]) -> BTreeMap<String, Group> {
    let row = |fields: &[&str]| {
        let [_, _, gid, members] = fields else { return None };
        let members = members.split(',').map(str::trim).filter(|name| !name.is_empty());
        Some(Group { gid: gid.parse().ok()?, members: members.map(str::to_owned).collect() })
    };
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for (name, group) in all_rows(text, row) {
        match groups.get_mut(&name) {
            Some(first) => first.members.extend(group.members),
            None => drop(groups.insert(name, group)),
        }
    }
    groups
}

/// shadow(5): no hash is kept.
pub(super) fn shadow(text: &[u8]) -> BTreeMap<String, LoginLock> {
    let row = |fields: &[&str]| {
        let password = fields.get(1)?;
        let expires = fields.get(7).and_then(|day| day.parse().ok());
        Some(LoginLock { password: password.starts_with(['!', '*']), expires })
    };
    rows(text, row)
}

/// The first word of each line.
pub(super) fn first_words(text: &[u8]) -> BTreeSet<String> {
    let text = String::from_utf8_lossy(text);
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// The first row of a name counts, as in the C library.
fn rows<T>(text: &[u8], row: impl Fn(&[&str]) -> Option<T>) -> BTreeMap<String, T> {
    let mut rows = BTreeMap::new();
    for (name, value) in all_rows(text, row) {
        rows.entry(name).or_insert(value);
    }
    rows
}

fn all_rows<T>(text: &[u8], row: impl Fn(&[&str]) -> Option<T>) -> Vec<(String, T)> {
    let mut rows = Vec::new();
    for line in String::from_utf8_lossy(text).lines() {
        let fields: Vec<&str> = line.split(':').collect();
        let name = fields[0];
        if name.is_empty() || name.starts_with(['#', '+', '-']) {
            continue;
        }
        if let Some(value) = row(&fields) {
            rows.push((name.to_owned(), value));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_lines_count_and_the_first_of_a_name() {
        let text = b"# c\n+nis::::::\nann:x:1001:1002:Ann:/home/ann:/bin/zsh\nann:x:0:0::/:\nbad:x\nb:x:7:8::/h:\n";
        let accounts = passwd(text);
        assert_eq!(accounts.len(), 2);
        let ann = &accounts["ann"];
        assert_eq!((ann.uid, ann.gid, ann.home.as_str()), (1001, 1002, "/home/ann"));
        assert_eq!(accounts["b"].shell, "/bin/sh");
        let groups = group(b"docker:x:99:ann,bob\nempty:x:7:\nx:y\n");
        assert_eq!(groups["docker"].members.len(), 2);
        assert!(groups["empty"].members.is_empty() && groups.len() == 2);
        let split = group(b"docker:x:99:ann\nx:x:7:\ndocker:x:99:bob,ann\n");
        assert_eq!(split["docker"].members, ["ann", "bob"].map(str::to_owned).into());
    }

    #[test]
    fn of_a_password_only_whether_it_opens_is_kept() {
        let locks = shadow(b"a:$6$x:1:0:9:7:::\nb:!$6$x:1:0:9:7::1:\nc:*::::::20000:\n");
        assert_eq!(locks["a"], LoginLock { password: false, expires: None });
        assert_eq!(locks["b"], LoginLock { password: true, expires: Some(1) });
        assert_eq!(locks["c"], LoginLock { password: true, expires: Some(20_000) });
    }
}
