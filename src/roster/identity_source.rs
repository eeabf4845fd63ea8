//! Which attribute of the provider's user is the identity that a row names (pure).

use serde_json::Value;

/// What of the provider's user is compared with `authentik_user`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum IdentitySource {
    /// The whole user name.
    #[default]
    Username,
    /// The part of the user name before the `@`.
    LocalPart,
    /// Another field of the user, or one below it: `email`, `attributes.upn`.
    Field(String),
}

/// A value that names no attribute.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 'username', 'local-part' or the name of a field")]
pub struct InvalidSource;

impl IdentitySource {
    /// Reads the value of the configuration.
    pub fn of_name(name: &str) -> Result<Self, InvalidSource> {
        let word = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c))
        };
        match name {
            "username" => Ok(Self::Username),
            "local-part" | "local_part" => Ok(Self::LocalPart),
            _ if name.split('.').all(word) => Ok(Self::Field(name.to_owned())),
            _ => Err(InvalidSource),
        }
    }

    /// The identity of a user; `None` if the user has no such attribute.
    pub(super) fn of(&self, username: &str, user: &Value) -> Option<String> {
        let identity = match self {
            Self::Username => username.to_owned(),
            Self::LocalPart => local_part(username).to_owned(),
            Self::Field(path) => {
                let value = path.split('.').try_fold(user, |value, part| value.get(part))?;
                match value {
                    Value::String(text) => text.clone(),
                    Value::Number(number) => number.to_string(),
                    _ => return None,
                }
            }
        };
        Some(identity).filter(|identity| !identity.is_empty())
    }

    /// The attribute, for a message.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Username | Self::LocalPart => "username",
            Self::Field(path) => path,
        }
    }
}

/// The part of an identity before its `@`, without the `@`.
pub(super) fn local_part(name: &str) -> &str {
    name.split('@').next().unwrap_or_default()
}
