//! Secrets, and the Vault that they may be read from (pure).

use super::super::names;
use super::super::spec::{self, Content, FileKind, FileSpec};
use super::{HostTomlError, Reader, Text, file_spec};
use crate::provision::settings::Invalid;
use serde::Deserialize;
use toml::Spanned;

/// `[[secret]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Secret {
    pub(crate) path: Text,
    source: Option<Text>,
    vault: Option<Text>,
    field: Option<Text>,
    user: Option<Text>,
    group: Option<Text>,
}

/// `[vault]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vault {
    address: Text,
    token_file: Text,
    ca_file: Option<Text>,
    #[serde(default)]
    insecure: bool,
    deadline_seconds: Option<Spanned<u64>>,
}

impl Reader<'_> {
    pub(crate) fn secret(&self, raw: Secret, has_vault: bool) -> Result<FileSpec, HostTomlError> {
        self.check("secret.path", &raw.path, names::path)?;
        let at = raw.path.span();
        let content = match (raw.source, raw.vault, raw.field) {
            (Some(source), None, None) => {
                self.check("secret.source", &source, names::plain_path)?;
                Content::Source(source.into_inner())
            }
            (None, Some(path), Some(field)) => {
                self.check("secret.vault", &path, names::vault_path)?;
                if !has_vault {
                    let what = "secret.vault: [vault] is missing".to_owned();
                    return Err(self.error(&path.span(), what));
                }
                Content::Vault { path: path.into_inner(), field: field.into_inner() }
            }
            _ => {
                let what = "secret: expected either 'source', or 'vault' and 'field'".to_owned();
                return Err(self.error(&at, what));
            }
        };
        for (key, name) in [("secret.user", &raw.user), ("secret.group", &raw.group)] {
            if let Some(name) = name {
                self.check(key, name, names::account)?;
            }
        }
        let user = raw.user.map_or_else(|| "root".to_owned(), Spanned::into_inner);
        let group = raw.group.map(Spanned::into_inner);
        let path = raw.path.into_inner();
        Ok(FileSpec { user, group, ..file_spec(FileKind::Secret, path, content, 0o600) })
    }

    pub(crate) fn vault(&self, raw: Vault) -> Result<spec::Vault, HostTomlError> {
        let plain = |url: &str| match url.split_once("://") {
            Some(("http" | "https", host)) if !host.is_empty() && !host.contains('@') => Ok(()),
            _ => Err(Invalid::rule("expected https://HOST, without a user")),
        };
        self.check("vault.address", &raw.address, plain)?;
        self.check("vault.token_file", &raw.token_file, names::plain_path)?;
        if let Some(file) = &raw.ca_file {
            self.check("vault.ca_file", file, names::plain_path)?;
        }
        let deadline_seconds = match raw.deadline_seconds {
            Some(seconds) if !(1..=600).contains(seconds.get_ref()) => {
                let what = "vault.deadline_seconds: expected 1 to 600".to_owned();
                return Err(self.error(&seconds.span(), what));
            }
            Some(seconds) => seconds.into_inner(),
            None => 30,
        };
        Ok(spec::Vault {
            address: raw.address.into_inner(),
            token_file: raw.token_file.into_inner(),
            ca_file: raw.ca_file.map(Spanned::into_inner),
            insecure: raw.insecure,
            deadline_seconds,
        })
    }
}
