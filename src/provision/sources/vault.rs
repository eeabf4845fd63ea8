//! Vault's key-value store, version 2: the cluster's users, and secrets of the host's.

use crate::roster::tiers::{self, K8sUsers};
use serde_json::Value;

/// No secret is larger (bytes).
pub const MAX_SECRET: u64 = 4 << 20;

/// Reads the secret at `path` (`MOUNT/data/NAME`): `{"k8s_user": "tier"}` itself, or as its
/// member `k8s_users`, an object or its JSON text.
///
/// # Errors
/// Why the cluster's users are not known.
pub fn k8s_users(
    address: &str,
    path: &str,
    get: impl FnOnce(&str) -> Result<(u16, Vec<u8>), String>,
) -> Result<K8sUsers, String> {
    let data = secret(address, path, get)?;
    let users = match data.get("k8s_users") {
        Some(Value::String(json)) if json.trim_start().starts_with('{') => json.clone(),
        Some(users @ Value::Object(_)) => users.to_string(),
        _ => Value::Object(data).to_string(),
    };
    tiers::read(users.as_bytes())
}

/// Reads one field, a text, of the secret at `path`.
///
/// # Errors
/// Why it is not known.
pub fn field(
    address: &str,
    path: &str,
    name: &str,
    get: impl FnOnce(&str) -> Result<(u16, Vec<u8>), String>,
) -> Result<Vec<u8>, String> {
    match secret(address, path, get)?.get(name) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone().into_bytes()),
        Some(_) => Err(format!("{path}: its field '{name}' is no text, or empty")),
        None => Err(format!("{path}: it has no field '{name}'")),
    }
}

fn secret(
    address: &str,
    path: &str,
    get: impl FnOnce(&str) -> Result<(u16, Vec<u8>), String>,
) -> Result<serde_json::Map<String, Value>, String> {
    let url = format!("{}/v1/{}", address.trim_end_matches('/'), path.trim_matches('/'));
    let (status, body) = get(&url)?;
    // A deleted version answers 404 with the same form.
    if status != 200 && status != 404 {
        return Err(format!("the answer is status {status}"));
    }
    let mut answer: Value = serde_json::from_slice(&body)
        .map_err(|error| format!("the answer (status {status}) is not JSON: {error}"))?;
    match answer.get_mut("data").and_then(|data| data.get_mut("data")).map(Value::take) {
        Some(Value::Null) => Err("the secret is deleted".to_owned()),
        Some(Value::Object(data)) if status == 200 => Ok(data),
        _ => Err(format!("the answer (status {status}) holds no secret")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Result<K8sUsers, String> {
        k8s_users("http://vault/", "/secret/data/x", |url| {
            assert_eq!(url, "http://vault/v1/secret/data/x");
            Ok((status, body.as_bytes().to_vec()))
        })
    }

    #[test]
    fn the_value_is_at_data_data_and_null_means_deleted() {
        for body in [
            r#"{"data":{"data":{"a":"admin"},"metadata":{}}}"#,
            r#"{"data":{"data":{"k8s_users":{"a":"admin"}}}}"#,
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
            (403, "{}", "the answer is status 403"),
            (307, "", "the answer is status 307"),
        ] {
            let error = answer(status, body).unwrap_err();
            assert!(error.starts_with(why), "{error}");
        }
    }
}
