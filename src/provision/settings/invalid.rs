//! The error of a site value that cannot be used (pure).

/// An invalid site value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("expected {expected}, found '{}'", crate::text::shown(found))]
    Value { expected: &'static str, found: String },
    /// The value itself is not repeated: it may hold a password.
    #[error("{key}: {rule}")]
    Key { key: String, rule: String },
    /// As [`Invalid::Key`], where the caller names the key.
    #[error("{0}")]
    Rule(String),
    #[error("{key} is missing")]
    Missing { key: &'static str },
}

impl Invalid {
    pub(in crate::provision) fn value(expected: &'static str, found: impl Into<String>) -> Self {
        Self::Value { expected, found: found.into() }
    }

    pub(in crate::provision) fn rule(rule: impl Into<String>) -> Self {
        Self::Rule(rule.into())
    }

    pub(super) fn key(key: impl Into<String>, rule: impl Into<String>) -> Self {
        Self::Key { key: key.into(), rule: rule.into() }
    }
}
