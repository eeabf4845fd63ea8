//! The variable by which `persist restore` gives the environment of an agent to the pane that it makes
//! (pure). A pane's environment is readable by its user only; arguments are readable by everybody.

use crate::escape::{escape, unescape};

/// The agent's environment, as [`encode`] writes it. The shell that follows the agent does not get it.
pub const AGENT: &str = "TERMINAL_LOBBY_AGENT_ENVIRONMENT";
/// Set while a login shell is asked for its environment, so that start files can be short then.
pub const ASKING: &str = "TERMINAL_LOBBY_READS_ENVIRONMENT";

/// The value of [`AGENT`] for variables `NAME=value`, each ended by a NUL byte.
pub fn encode(variables: &[u8]) -> String {
    escape(variables)
}

/// Undoes [`encode`]; nothing of an invalid value counts.
pub fn decode(value: &[u8]) -> Vec<u8> {
    unescape(value).unwrap_or_default()
}

/// Names of variables that are not to be set: those without a value.
pub fn absent(variables: &[u8]) -> impl Iterator<Item = &[u8]> {
    let all = variables.split(|&byte| byte == 0);
    all.filter(|line| !line.is_empty() && !line.contains(&b'='))
}

/// Names and values of variables `NAME=value`, each ended by a NUL byte.
pub fn split(variables: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    variables.split(|&byte| byte == 0).filter_map(|line| {
        let equals = line.iter().position(|&byte| byte == b'=')?;
        Some((&line[..equals], &line[equals + 1..]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_come_back_from_a_value_without_a_nul_byte() {
        let variables = b"A=1\tx=\xff\\\0B=\0";
        let value = encode(variables);
        assert!(!value.contains('\0'), "{value}");
        assert_eq!(decode(value.as_bytes()), variables);
        let all: Vec<_> = split(variables).collect();
        assert_eq!(all, [(&b"A"[..], &b"1\tx=\xff\\"[..]), (b"B", b"")]);
        assert_eq!(decode(b"A=\\q"), b"");
        assert_eq!(absent(b"A=1\0B\0C=\0").collect::<Vec<_>>(), [b"B"]);
    }
}
