//! The rules for names in a roster (pure).

use crate::identity::is_user_name;

/// A name that breaks a rule: what is invalid, and what would be valid.
pub(super) struct RuleViolation {
    pub(super) what: String,
    pub(super) hint: &'static str,
}

fn violation(what: impl Into<String>, hint: &'static str) -> Result<(), RuleViolation> {
    Err(RuleViolation { what: what.into(), hint })
}

const LONGEST_USER_NAME: usize = 32;

/// The name of an OS user: safe as a file name, an argument and a unit instance, and accepted by
/// useradd(8).
pub(super) fn user_name(name: &str) -> Result<(), RuleViolation> {
    let shown = crate::yaml::problem::quoted(name);
    if name == "root" {
        return violation("'root' cannot be a terminal user", "remove the row");
    }
    if name.len() > LONGEST_USER_NAME {
        let what = format!("{shown} has more than {LONGEST_USER_NAME} characters");
        return violation(what, "useradd would refuse it: choose a shorter name");
    }
    if is_user_name(name) {
        return Ok(());
    }
    let refused = name.is_empty()
        || name.starts_with(['-', '+', '~'])
        || name.contains(|c: char| c.is_whitespace() || c.is_control() || ":,/".contains(c))
        || name.chars().all(|c| c.is_ascii_digit());
    if refused {
        let hint = "use a letter, then letters, digits, '_', '-' and '.'";
        return violation(format!("useradd would refuse the user name {shown}"), hint);
    }
    let hint =
        "use a letter or '_', then letters, digits, '_', '-' and '.'; .tsv must not be at the end";
    violation(format!("the user name {shown} is not safe as a file name and an argument"), hint)
}

/// An identity at the login proxy: the part before the `=` in the user map.
pub(super) fn authentik_user(name: &str) -> Result<(), RuleViolation> {
    word(name, 150, "@.+-_", "use letters, digits and @ . + - _, beginning with a letter or digit")
}

/// An identity in the cluster.
pub(super) fn k8s_user(name: &str) -> Result<(), RuleViolation> {
    word(
        name,
        253,
        "@.+-_:",
        "use letters, digits and @ . + - _ :, beginning with a letter or digit",
    )
}

/// A namespace: a DNS label.
pub(super) fn namespace(name: &str) -> Result<(), RuleViolation> {
    let edges = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fine = name.len() <= 63
        && name.starts_with(edges)
        && name.ends_with(edges)
        && name.chars().all(|c| edges(c) || c == '-');
    let hint = "use lower-case letters, digits and '-', at most 63, no '-' at either end";
    if fine {
        Ok(())
    } else {
        violation(format!("invalid namespace name {}", crate::yaml::problem::quoted(name)), hint)
    }
}

/// A repository of `~/code/<name>`.
pub(super) fn repo(name: &str) -> Result<(), RuleViolation> {
    if name == "infra" {
        return violation("'infra' must not be listed", "remove it: every user has it");
    }
    word(
        name,
        100,
        "._-",
        "use a plain name of letters, digits and . _ -, neither a path nor an address",
    )
}

fn word(name: &str, longest: usize, others: &str, hint: &'static str) -> Result<(), RuleViolation> {
    let fine = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= longest
        && name.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c));
    if fine {
        Ok(())
    } else {
        violation(format!("invalid name {}", crate::yaml::problem::quoted(name)), hint)
    }
}
