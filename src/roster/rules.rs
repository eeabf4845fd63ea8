//! What names may look like, and why not otherwise.

use crate::identity::is_user_name;

/// A rule that a name broke: what is wrong, and what would be right.
pub(super) type Broken = (String, &'static str);

const LONGEST_USER_NAME: usize = 32;

/// The name of an OS user: one that is safe as a file name, an argument and a unit instance, and
/// that useradd(8) takes.
pub(super) fn user_name(name: &str) -> Result<(), Broken> {
    let shown = crate::yaml::problem::quoted(name);
    if name == "root" {
        return Err(("'root' is no terminal user".to_owned(), "remove the row"));
    }
    if name.len() > LONGEST_USER_NAME {
        let what = format!("{shown} has more than {LONGEST_USER_NAME} characters");
        return Err((what, "useradd would refuse it: choose a shorter name"));
    }
    if is_user_name(name) {
        return Ok(());
    }
    let refused = name.is_empty()
        || name.starts_with(['-', '+', '~'])
        || name.contains(|c: char| c.is_whitespace() || c.is_control() || ":,/".contains(c))
        || name.chars().all(|c| c.is_ascii_digit());
    if refused {
        let hint = "begin with a letter, go on with letters, digits, '_', '-' and '.'";
        return Err((format!("useradd would refuse the user name {shown}"), hint));
    }
    let hint = "a name that begins with a letter or '_', goes on with letters, digits, '_', '-', \
                '.', and does not end in .tsv";
    Err((format!("the user name {shown} is not safe as a file name and an argument"), hint))
}

/// An identity at the login proxy: it stands before the `=` of the user map.
pub(super) fn authentik_user(name: &str) -> Result<(), Broken> {
    word(name, 150, "@.+-_", "letters, digits and @ . + - _, beginning with a letter or digit")
}

/// An identity in the cluster.
pub(super) fn k8s_user(name: &str) -> Result<(), Broken> {
    word(name, 253, "@.+-_:", "letters, digits and @ . + - _ :, beginning with a letter or digit")
}

/// A namespace: a DNS label.
pub(super) fn namespace(name: &str) -> Result<(), Broken> {
    let edges = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let fine = name.len() <= 63
        && name.starts_with(edges)
        && name.ends_with(edges)
        && name.chars().all(|c| edges(c) || c == '-');
    let hint = "small letters, digits and '-', at most 63, no '-' at the ends";
    if fine {
        Ok(())
    } else {
        Err((format!("{} is no name of a namespace", crate::yaml::problem::quoted(name)), hint))
    }
}

/// A repository of `~/code/<name>`.
pub(super) fn repo(name: &str) -> Result<(), Broken> {
    if name == "infra" {
        return Err(("'infra' is implied".to_owned(), "every user has it: leave it out"));
    }
    word(name, 100, "._-", "a plain name: letters, digits and . _ -, no path and no address")
}

fn word(name: &str, longest: usize, others: &str, hint: &'static str) -> Result<(), Broken> {
    let fine = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() <= longest
        && name.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c));
    if fine {
        Ok(())
    } else {
        Err((format!("{} is not safe", crate::yaml::problem::quoted(name)), hint))
    }
}
