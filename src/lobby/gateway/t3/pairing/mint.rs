//! Asking the helper of root for a credential.

use super::flights::Unpaired;
use crate::gateway::t3::section::T3Settings;
use std::io;
use terminal_lobby::t3::mint::protocol::{Answer, MAX_LINE, Reason, Request};
use terminal_lobby::text::escape;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// The longest credential, in bytes.
const MAX_CREDENTIAL: usize = 256;

/// Why there is no credential.
#[derive(Debug, thiserror::Error)]
pub(super) enum MintError {
    #[error("the helper cannot be reached: {0}")]
    Io(#[from] io::Error),
    #[error("the helper's socket is not root's")]
    Foreign,
    #[error("no answer in time")]
    Slow,
    #[error("the helper's answer is not valid")]
    Garbled,
    #[error("{}", escape(message.as_bytes()))]
    Refused { reason: Reason, message: String },
}

impl MintError {
    pub(super) fn unpaired(&self) -> Unpaired {
        match self {
            Self::Refused { reason: Reason::OtherVersion, .. } => Unpaired::OtherVersion,
            _ => Unpaired::Mint,
        }
    }
}

/// A credential for the instance of a user.
pub(super) async fn credential(settings: &T3Settings, user: &str) -> Result<String, MintError> {
    timeout(settings.mint(), asked(settings, user)).await.unwrap_or(Err(MintError::Slow))
}

async fn asked(settings: &T3Settings, user: &str) -> Result<String, MintError> {
    let mut stream = UnixStream::connect(&settings.mint_socket).await?;
    if stream.peer_cred()?.uid() != 0 {
        return Err(MintError::Foreign);
    }
    let request = Request { user: user.to_owned() };
    let mut line = serde_json::to_vec(&request).map_err(|_| MintError::Garbled)?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    let mut answer = Vec::new();
    let most = MAX_LINE as u64 + 1;
    let mut bounded = stream.take(most);
    while !answer.contains(&b'\n') && bounded.read_buf(&mut answer).await? > 0 {}
    let line = answer.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match serde_json::from_slice(line).map_err(|_| MintError::Garbled)? {
        Answer::Credential(credential) => {
            let is_plain = credential.bytes().all(|byte| byte.is_ascii_graphic());
            if credential.is_empty() || credential.len() > MAX_CREDENTIAL || !is_plain {
                return Err(MintError::Garbled);
            }
            Ok(credential)
        }
        Answer::Refused { reason, message } => Err(MintError::Refused { reason, message }),
    }
}
