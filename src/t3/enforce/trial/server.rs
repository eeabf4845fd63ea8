//! The server of a trial, and what it prints.

use crate::sys::accounts::Account;
use crate::sys::process::exec::{Program, Running};
use crate::t3::enforce::check::becoming;
use crate::t3::enforce::error::EnforceError;
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// How much of its log is kept, in bytes; the rest is read and dropped.
const MAX_LOG: usize = 1 << 20;
/// Standard error goes where standard output goes. It starts in its home, as instances do.
const SCRIPT: &str = r#"cd && NODE_ENV=production exec "$0" "$@" 2>&1"#;

/// A server that ends when it is dropped.
pub(super) struct Server {
    _running: Running,
    log: Arc<Mutex<Vec<u8>>>,
    ended: Arc<AtomicBool>,
}

impl Server {
    /// Starts the program as the account.
    pub(super) fn start(
        program: &Path,
        args: &[String],
        account: &Account,
    ) -> Result<Self, EnforceError> {
        let failed = |source| EnforceError::Io { doing: "reading what the trial prints", source };
        let running = Program::new("/bin/sh")
            .args(["-c", SCRIPT])
            .args([program])
            .args(args)
            .becoming(becoming(account))
            .converse()?;
        let pipe = running.stdout().and_then(|pipe| pipe.as_fd().try_clone_to_owned());
        let mut pipe = File::from(pipe.map_err(failed)?);
        let (log, ended) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (to, over) = (Arc::clone(&log), Arc::clone(&ended));
        // It reads until the last process that has the pipe is gone.
        std::thread::spawn(move || {
            let mut buffer = [0; 16 << 10];
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                if let Ok(mut log) = to.lock() {
                    let room = MAX_LOG.saturating_sub(log.len());
                    log.extend_from_slice(&buffer[..read.min(room)]);
                }
            }
            over.store(true, Ordering::Release);
        });
        Ok(Self { _running: running, log, ended })
    }

    /// Whether it still has its output open.
    pub(super) fn runs(&self) -> bool {
        !self.ended.load(Ordering::Acquire)
    }

    /// What it has printed so far.
    pub(super) fn log(&self) -> String {
        let log = self.log.lock().map(|log| log.clone()).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }
}
