//! Vault's key-value store, version 2: the cluster's users, and secrets of the host.

use super::{HttpAnswer, RequestError};
use crate::roster::tiers::{self, K8sUsers, TiersError};
use serde_json::Value;

/// Maximum size of a secret, in bytes.
pub const MAX_SECRET: u64 = 4 << 20;

/// Why a secret is not known.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("{0}")]
    Request(RequestError),
    #[error("the server answered with status {0}")]
    Status(u16),
    #[error("the answer (status {status}) is not JSON: {source}")]
    Json { status: u16, source: serde_json::Error },
    #[error("the secret is deleted")]
    Deleted,
    #[error("the answer (status {status}) holds no secret")]
    NoSecret { status: u16 },
    #[error("{path}: no field '{field}'")]
    NoField { path: String, field: String },
    #[error("{path}: field '{field}' is empty or not a text")]
    NotText { path: String, field: String },
    #[error(transparent)]
    Users(#[from] TiersError),
}

/// Reads the secret at `path` (`MOUNT/data/NAME`): `{"k8s_user": "tier"}` itself, or as its
/// member `k8s_users`, an object or its JSON text.
pub fn k8s_users<E: Into<RequestError>>(
    address: &str,
    path: &str,
    get: impl FnOnce(&str) -> Result<HttpAnswer, E>,
) -> Result<K8sUsers, VaultError> {
    let data = secret(address, path, get)?;
    let users = match data.get("k8s_users") {
        Some(Value::String(json)) if json.trim_start().starts_with('{') => json.clone(),
        Some(users @ Value::Object(_)) => users.to_string(),
        _ => Value::Object(data).to_string(),
    };
    Ok(tiers::read(users.as_bytes())?)
}

/// Reads one field, a text, of the secret at `path`.
pub fn field<E: Into<RequestError>>(
    address: &str,
    path: &str,
    name: &str,
    get: impl FnOnce(&str) -> Result<HttpAnswer, E>,
) -> Result<Vec<u8>, VaultError> {
    let (owned_path, field) = (path.to_owned(), name.to_owned());
    match secret(address, path, get)?.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone().into_bytes()),
        Some(_) => Err(VaultError::NotText { path: owned_path, field }),
        None => Err(VaultError::NoField { path: owned_path, field }),
    }
}

fn secret<E: Into<RequestError>>(
    address: &str,
    path: &str,
    get: impl FnOnce(&str) -> Result<HttpAnswer, E>,
) -> Result<serde_json::Map<String, Value>, VaultError> {
    let url = format!("{}/v1/{}", address.trim_end_matches('/'), path.trim_matches('/'));
    let (status, body) = get(&url).map_err(|error| VaultError::Request(error.into()))?;
    // A deleted version answers 404 with the same form.
    if status != 200 && status != 404 {
        return Err(VaultError::Status(status));
    }
    let mut answer: Value =
        serde_json::from_slice(&body).map_err(|source| VaultError::Json { status, source })?;
    match answer.get_mut("data").and_then(|data| data.get_mut("data")).map(Value::take) {
        Some(Value::Null) => Err(VaultError::Deleted),
        Some(Value::Object(data)) if status == 200 => Ok(data),
        _ => Err(VaultError::NoSecret { status }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<K8sUsers, VaultError> {
        k8s_users("http://vault/", "/secret/data/x", |url| {
            assert_eq!(url, "http://vault/v1/secret/data/x");
            Ok::<_, String>((status, body.as_bytes().to_vec()))
        })
    }

    #[test]
    fn the_value_is_at_data_data_and_null_means_deleted() {
        for body in [
            r#"{"data":{"data":{"a":"admin"},"metadata":{}}}"#,
            r#"{"data":{"data":{"k8s_users":{"a":"admin"}}}}"#,
            r#"{"data":{"data":{"k8s_users":{"a":{"role":"admin","namespaces":["x"]}}}}}"#,
            r#"{"data":{"data":{"k8s_users":"{\"a\":\"admin\"}"}}}"#,
        ] {
            assert_eq!(answer(200, body).unwrap()["a"], "admin", "{body}");
        }
        for (status, body, why) in [
            (404, r#"{"data":{"data":null,"metadata":{}}}"#, "the secret is deleted"),
            (404, r#"{"errors":[]}"#, "the answer (status 404) holds no secret"),
            (200, r#"{"data":{"a":"admin"}}"#, "the answer (status 200) holds no secret"),
            (200, "<html>", "the answer (status 200) is not JSON"),
            (200, r#"{"data":{"data":{"a":1}}}"#, "expected {\"k8s_user\": \"tier\"}"),
            (403, "{}", "the server answered with status 403"),
            (307, "", "the server answered with status 307"),
        ] {
            let error = answer(status, body).unwrap_err().to_string();
            assert!(error.starts_with(why), "{error}");
        }
    }
}
